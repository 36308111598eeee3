import Foundation
package import KithCore

/// A record that was passed over, and why.
package struct DeadLetter: Sendable {
    package var record: ConsumedRecord
    package var reason: String

    package init(_ record: ConsumedRecord, _ reason: String) {
        self.record = record
        self.reason = reason
    }

    private struct Line: Encodable {
        var topic: String
        var partition: Int
        var offset: Int64
        var reason: String
        var key: String?
        var value: String?
        var headers: [[String]]
    }

    /// One line of JSON; key, value and the values of headers in base64.
    package func line() throws(KithError) -> [UInt8] {
        let line = Line(
            topic: record.place.topic, partition: record.place.partition, offset: record.offset, reason: reason,
            key: record.key.map { Data($0).base64EncodedString() }, value: record.value.map { Data($0).base64EncodedString() },
            headers: record.headers.map { [$0.name, Data($0.value).base64EncodedString()] })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do { return [UInt8](try encoder.encode(line)) + [UInt8(ascii: "\n")] } catch {
            throw KithError(.internal, .storageFailure, "a dead letter cannot be written: \(error)")
        }
    }
}

/// Where records go that can never be done. A crash may leave one there twice: topic, partition and offset tell.
package protocol DeadLetterOffice: AnyObject {
    func add(_ letter: DeadLetter) throws(KithError)
    /// Returns when all letters are durable; before the sink commits the offsets that pass over them.
    func commit() throws(KithError)
}
