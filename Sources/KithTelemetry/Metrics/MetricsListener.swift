internal import CMicroHTTPD
import Glibc
public import KithCore

/// Answers `GET /metrics` over HTTP with the metrics of a process, in Prometheus' text format.
///
/// One thread of libmicrohttpd's serves all who ask, within `Limits.metricsConnections`, `Limits.metricsIdleSeconds` and
/// `Limits.metricsConnectionBytes`.
public final class MetricsListener: Sendable {
    /// What the library's thread is given; it lives as long as the listener.
    private final class Page: Sendable {
        let metrics: any MetricSet
        init(_ metrics: any MetricSet) { self.metrics = metrics }
    }

    /// Of the library, which has its own locks.
    private struct Daemon: @unchecked Sendable {
        let pointer: OpaquePointer
    }

    /// The real one, where 0 was asked for.
    public let port: Int
    private let daemon: Daemon
    private let page: Page

    /// Listens when it returns.
    ///
    /// - Parameter address: `host:port`; an IPv6 address stands in brackets.
    /// - Throws: `INVALID_CONFIGURATION`, where that cannot be listened on.
    public init(_ address: String, _ metrics: any MetricSet) throws(KithError) {
        page = Page(metrics)
        let limits = kith_mhd_limits(
            connections: UInt32(Limits.metricsConnections), idle_seconds: UInt32(Limits.metricsIdleSeconds),
            connection_bytes: Limits.metricsConnectionBytes)
        let context = Unmanaged.passUnretained(page).toOpaque()
        let found = try MetricsListener.resolve(address)
        defer { freeaddrinfo(found) }
        guard let daemon = kith_mhd_start(found.pointee.ai_addr, limits, MetricsListener.answer, context) else {
            throw MetricsListener.failure(address, String(cString: strerror(errno)))
        }
        self.daemon = Daemon(pointer: daemon)
        port = Int(kith_mhd_port(daemon))
    }

    /// Waits for the answer under way.
    deinit { MHD_stop_daemon(daemon.pointer) }

    private static let answer: MHD_AccessHandlerCallback = { context, connection, url, method, _, _, _, _ in
        guard let context, let connection, let url, let method else { return .NO }
        switch (String(cString: method), String(cString: url)) {
        case ("GET", "/metrics"), ("HEAD", "/metrics"):
            let page = Unmanaged<Page>.fromOpaque(context).takeUnretainedValue()
            return reply(connection, MHD_HTTP_OK, page.metrics.render())
        case ("GET", _), ("HEAD", _): return reply(connection, MHD_HTTP_NOT_FOUND, "only /metrics\n")
        default: return reply(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET\n")
        }
    }

    private static func reply(_ connection: OpaquePointer, _ status: Int32, _ text: String) -> MHD_Result {
        var text = text
        let response = text.withUTF8 { bytes in
            // The library copies it, although it asks for a pointer that it might write to.
            MHD_create_response_from_buffer(
                bytes.count, UnsafeMutableRawPointer(mutating: bytes.baseAddress), .RESPMEM_MUST_COPY)
        }
        guard let response else { return .NO }
        defer { MHD_destroy_response(response) }
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")
        return MHD_queue_response(connection, UInt32(status), response)
    }

    // MARK: Addresses

    private static func failure(_ address: String, _ why: String) -> KithError {
        KithError(
            .unavailable, .invalidConfiguration, "cannot listen for metrics on \(address): \(why)",
            metadata: ["address": address])
    }

    /// What it is to be bound to; to be freed.
    private static func resolve(_ address: String) throws(KithError) -> UnsafeMutablePointer<addrinfo> {
        guard let colon = address.lastIndex(of: ":") else { throw failure(address, "it is not host:port") }
        var host = address[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(String(host), String(address[address.index(after: colon)...]), &hints, &found)
        guard status == 0, let found else { throw failure(address, String(cString: gai_strerror(status))) }
        return found
    }
}
