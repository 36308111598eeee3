internal import CCurl
package import KithCore
import Glibc

/// Where requests may go. Names are judged when a webhook is made, addresses at every connection, after the resolver has spoken: a name
/// that begins to point inwards later is refused all the same.
public struct EndpointPolicy: Sendable, Equatable {
    /// Plain http also to others than loopback.
    public var allowsPlainHTTP: Bool
    /// Loopback and private networks, where the platform's own services live.
    public var allowsPrivateNetworks: Bool

    public init(allowsPlainHTTP: Bool = false, allowsPrivateNetworks: Bool = true) {
        self.allowsPlainHTTP = allowsPlainHTTP
        self.allowsPrivateNetworks = allowsPrivateNetworks
    }

    /// - Throws: `REQUIRED_FIELD_MISSING`, `LIMIT_EXCEEDED`, `INVALID_URL`, `FORBIDDEN_URL`, about `field`.
    package func check(url: String, field: String) throws(KithError) {
        guard !url.isEmpty else { throw .invalid(.requiredFieldMissing, field: field, "must be given") }
        guard url.utf8.count <= Limits.webhookURLBytes else {
            throw .limit(field: field, value: url.utf8.count, limit: Limits.webhookURLBytes, unit: "bytes")
        }
        guard let parts = URLParts(url) else { throw .invalid(.invalidURL, field: field, "is no URL with a host") }
        guard !parts.hasUser else { throw .invalid(.invalidURL, field: field, "must hold no user and no password") }
        switch parts.scheme {
        case "https": break
        case "http":
            let isLoopback = parts.host == "localhost" || NetworkAddress(text: parts.host)?.kind == .loopback
            guard allowsPlainHTTP || isLoopback else {
                throw .forbidden(.forbiddenURL, field: field, "must be https; webhooks.plain-http allows http")
            }
        default: throw .invalid(.invalidURL, field: field, "must be https")
        }
        guard let address = NetworkAddress(text: parts.host) else { return }
        if let refusal = refusal(of: address, isPlain: parts.scheme == "http") {
            throw .forbidden(.forbiddenURL, field: field, refusal, metadata: ["host": parts.host])
        }
    }

    /// Why no connection may be made to an address; nil where one may.
    package func refusal(of address: NetworkAddress, isPlain: Bool) -> String? {
        if isPlain, !allowsPlainHTTP, address.kind != .loopback {
            return "plain http goes to loopback only, not to \(address)"
        }
        switch address.kind {
        case .everywhere: return nil
        case .loopback, .privateNetwork:
            return allowsPrivateNetworks ? nil : "\(address) is no public address, and webhooks.private-networks is refuse"
        case .reserved: return "\(address) is an address that no webhook may have: link-local, multicast or unspecified"
        }
    }
}

/// An IP address, as far as it matters who owns it.
package struct NetworkAddress: Equatable, CustomStringConvertible {
    package enum Kind { case everywhere, loopback, privateNetwork, reserved }

    /// 4 or 16.
    private let bytes: [UInt8]

    package init?(text: String) {
        var v4 = in_addr()
        var v6 = in6_addr()
        if inet_pton(AF_INET, text, &v4) == 1 {
            bytes = withUnsafeBytes(of: v4) { Array($0) }
        } else if inet_pton(AF_INET6, text, &v6) == 1 {
            bytes = withUnsafeBytes(of: v6) { NetworkAddress.unmapped(Array($0)) }
        } else {
            return nil
        }
    }

    /// Nil for other families than IPv4 and IPv6.
    init?(_ address: UnsafePointer<sockaddr>) {
        switch Int32(address.pointee.sa_family) {
        case AF_INET:
            bytes = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                withUnsafeBytes(of: $0.pointee.sin_addr) { Array($0) }
            }
        case AF_INET6:
            bytes = address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                withUnsafeBytes(of: $0.pointee.sin6_addr) { NetworkAddress.unmapped(Array($0)) }
            }
        default: return nil
        }
    }

    /// IPv4 in IPv6 (::ffff:a.b.c.d, RFC 4291; 64:ff9b::a.b.c.d, RFC 6052) is judged as what it reaches.
    private static func unmapped(_ bytes: [UInt8]) -> [UInt8] {
        let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]
        let translated: [UInt8] = [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0]
        return bytes.starts(with: mapped) || bytes.starts(with: translated) ? Array(bytes.suffix(4)) : bytes
    }

    /// By IANA's registries of special-purpose addresses.
    package var kind: Kind { bytes.count == 4 ? kindOfIPv4 : kindOfIPv6 }

    private var kindOfIPv4: Kind {
        switch (bytes[0], bytes[1]) {
        case (127, _): .loopback
        case (10, _), (172, 16...31), (192, 168), (100, 64...127), (198, 18...19): .privateNetwork
        case (0, _), (169, 254), (224..., _): .reserved
        default: .everywhere
        }
    }

    private var kindOfIPv6: Kind {
        if bytes.dropLast().allSatisfy({ $0 == 0 }), bytes[15] <= 1 { return bytes[15] == 1 ? .loopback : .reserved }
        switch (bytes[0], bytes[1]) {
        case (0xFC...0xFD, _): return .privateNetwork
        case (0xFE, 0x80...0xFF), (0xFF, _): return .reserved
        default: return .everywhere
        }
    }

    package var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes, &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// A URL taken apart by libcurl itself, so that what is checked is what is connected to.
private struct URLParts {
    let scheme: String
    /// Without the brackets of IPv6.
    let host: String
    let hasUser: Bool

    init?(_ url: String) {
        guard let handle = curl_url() else { return nil }
        defer { curl_url_cleanup(handle) }
        guard curl_url_set(handle, CURLUPART_URL, url, 0) == CURLUE_OK,
            let scheme = URLParts.part(CURLUPART_SCHEME, of: handle), let host = URLParts.part(CURLUPART_HOST, of: handle),
            !host.isEmpty
        else { return nil }
        self.scheme = scheme
        self.host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host.lowercased()
        hasUser = URLParts.part(CURLUPART_USER, of: handle) != nil
    }

    private static func part(_ part: CURLUPart, of handle: OpaquePointer) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(handle, part, &text, 0) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }
}
