import Foundation
import KithCore

/// CloudEvents 1.0, HTTP protocol binding: events as headers and bodies of requests.
package enum CloudEventRequest {
    private static let attributePrefix = "ce_"

    /// Binary content mode: attributes in headers, the value is the body.
    static func binary(_ event: PendingEvent) -> (headers: [(name: String, value: String)], body: [UInt8]) {
        let headers = event.headers.map { header in
            guard header.name.hasPrefix(attributePrefix) else { return (header.name, header.value) }
            return ("ce-" + header.name.dropFirst(attributePrefix.count), percentEncoded(header.value))
        }
        return (headers, Array(event.value))
    }

    /// Batched content mode: a JSON array of events, each with its attributes and its value as `data`.
    static func batch(_ events: [PendingEvent]) -> (headers: [(name: String, value: String)], body: [UInt8]) {
        var body: [UInt8] = [UInt8(ascii: "[")]
        for (number, event) in events.enumerated() {
            if number > 0 { body.append(UInt8(ascii: ",")) }
            body.append(UInt8(ascii: "{"))
            for header in event.headers {
                let name =
                    header.name.hasPrefix(attributePrefix)
                    ? String(header.name.dropFirst(attributePrefix.count))
                    : header.name == "content-type" ? "datacontenttype" : header.name
                body.append(text: "\(quoted(name)):\(quoted(header.value)),")
            }
            body.append(text: "\"data\":")
            body.append(contentsOf: event.value)
            body.append(UInt8(ascii: "}"))
        }
        body.append(UInt8(ascii: "]"))
        return ([("content-type", "application/cloudevents-batch+json; charset=UTF-8")], body)
    }

    /// Section 3.1.3.2: all but printable ASCII, and space, double quote and percent, as %XX of UTF-8.
    package static func percentEncoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if (0x21...0x7E).contains(byte), byte != UInt8(ascii: "\""), byte != UInt8(ascii: "%") {
                bytes.append(byte)
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                bytes.append(text: digits.count == 1 ? "%0\(digits)" : "%\(digits)")
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func quoted(_ text: String) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        // A string always encodes.
        return (try? encoder.encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }
}
