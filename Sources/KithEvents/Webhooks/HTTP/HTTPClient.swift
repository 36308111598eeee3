internal import CCurl
import Foundation
import Glibc
import KithCore

/// One POST.
struct HTTPRequest: Sendable {
    var url: String
    var headers: [(name: String, value: String)]
    var body: [UInt8]
    var timeoutMilliseconds: Int
}

/// What an endpoint said.
struct HTTPAnswer: Sendable {
    var status: Int
    /// Seconds; 0 where the endpoint named none.
    var retryAfter: Int
    /// The beginning of the body.
    var text: String
}

enum HTTPFailure: Error, Sendable, Equatable {
    /// No request was sent: no address, no connection, no trust.
    case unreachable(String)
    /// The request went out, at least in part, and no answer came.
    case unanswered(String)
    /// The server is stopping.
    case stopped
}

/// Posts to endpoints by libcurl, one request at a time, and keeps its connection open between them. For one thread.
final class HTTPClient {
    private let handle: UnsafeMutableRawPointer
    private let exchange: HTTPExchange

    private static let isInitialised: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    /// - Parameters:
    ///   - certificates: a file of PEM certificates that are trusted in place of the system's; none where empty.
    ///   - proxy: what requests go through; none where empty, whatever the environment says.
    ///   - isStopping: ends the request under way where it answers true.
    init(
        policy: EndpointPolicy, certificates: String, proxy: String, isStopping: @escaping @Sendable () -> Bool
    ) throws(KithError) {
        guard HTTPClient.isInitialised, let handle = curl_easy_init() else {
            throw KithError(.resourceExhausted, .limitExceeded, "libcurl cannot be initialised")
        }
        self.handle = handle
        exchange = HTTPExchange(policy: policy, isStopping: isStopping)
        let context = Unmanaged.passUnretained(exchange).toOpaque()
        kith_curl_set_number(handle, CURLOPT_NOSIGNAL, 1)
        kith_curl_set_number(handle, CURLOPT_FOLLOWLOCATION, 0)
        kith_curl_set_text(handle, CURLOPT_PROTOCOLS_STR, "http,https")
        kith_curl_set_text(handle, CURLOPT_PROXY, proxy)
        kith_curl_set_text(handle, CURLOPT_USERAGENT, "Kith-Webhooks/1")
        if !certificates.isEmpty { kith_curl_set_text(handle, CURLOPT_CAINFO, certificates) }
        kith_curl_set_number(handle, CURLOPT_NOPROGRESS, 0)
        for option in [CURLOPT_WRITEDATA, CURLOPT_XFERINFODATA, CURLOPT_OPENSOCKETDATA] {
            kith_curl_set_pointer(handle, option, context)
        }
        kith_curl_set_writer(handle) { bytes, size, count, context in
            guard let bytes, let context else { return 0 }
            return HTTPExchange.of(context).take(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        kith_curl_set_progress(handle) { context, _, _, _, _ in
            guard let context else { return 1 }
            return HTTPExchange.of(context).isStopping() ? 1 : 0
        }
        // Where a proxy connects, the proxy judges: its own address is the operator's choice.
        guard proxy.isEmpty else { return }
        kith_curl_set_socket_opener(handle) { context, _, address in
            guard let context, let address else { return curlRefusedSocket }
            return HTTPExchange.of(context).open(address)
        }
    }

    deinit { curl_easy_cleanup(handle) }

    /// Blocks until there is an answer, a failure, or the time is over.
    func post(_ request: HTTPRequest) -> Result<HTTPAnswer, HTTPFailure> {
        exchange.begin(isPlain: request.url.lowercased().hasPrefix("http:"))
        kith_curl_set_text(handle, CURLOPT_URL, request.url)
        kith_curl_set_number(handle, CURLOPT_TIMEOUT_MS, request.timeoutMilliseconds)
        kith_curl_set_number(handle, CURLOPT_CONNECTTIMEOUT_MS, request.timeoutMilliseconds)
        kith_curl_set_number(handle, CURLOPT_POST, 1)
        // Without it libcurl waits for a 100 before larger bodies.
        var headers = curl_slist_append(nil, "Expect:")
        for header in request.headers { headers = curl_slist_append(headers, "\(header.name): \(header.value)") }
        defer { curl_slist_free_all(headers) }
        kith_curl_set_pointer(handle, CURLOPT_HTTPHEADER, headers)
        let code = request.body.withUnsafeBytes { body in
            kith_curl_set_offset(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count))
            kith_curl_set_pointer(handle, CURLOPT_POSTFIELDS, body.baseAddress)
            return curl_easy_perform(handle)
        }
        return result(code)
    }

    private func result(_ code: CURLcode) -> Result<HTTPAnswer, HTTPFailure> {
        let status = kith_curl_number(handle, CURLINFO_RESPONSE_CODE)
        // An answer too long to read is an answer.
        if code == CURLE_OK || (code == CURLE_WRITE_ERROR && status > 0) {
            let retryAfter = kith_curl_offset(handle, CURLINFO_RETRY_AFTER)
            return .success(HTTPAnswer(status: status, retryAfter: Int(retryAfter), text: exchange.text))
        }
        if code == CURLE_ABORTED_BY_CALLBACK { return .failure(.stopped) }
        let text = exchange.refusal ?? String(cString: curl_easy_strerror(code))
        let wasSent = kith_curl_number(handle, CURLINFO_REQUEST_SIZE) > 0
        return .failure(wasSent ? .unanswered(text) : .unreachable(text))
    }
}

private let curlRefusedSocket = curl_socket_t(-1)

/// One request under way, as libcurl's callbacks see it.
private final class HTTPExchange {
    let isStopping: @Sendable () -> Bool
    private let policy: EndpointPolicy
    private var isPlain = false
    private var bytes: [UInt8] = []
    private var received = 0
    /// Why a connection was not made.
    private(set) var refusal: String?

    init(policy: EndpointPolicy, isStopping: @escaping @Sendable () -> Bool) {
        self.policy = policy
        self.isStopping = isStopping
    }

    static func of(_ context: UnsafeMutableRawPointer) -> HTTPExchange {
        Unmanaged<HTTPExchange>.fromOpaque(context).takeUnretainedValue()
    }

    func begin(isPlain: Bool) {
        self.isPlain = isPlain
        bytes.removeAll(keepingCapacity: true)
        received = 0
        refusal = nil
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Keeps the beginning; answers less than was given where it is too much, which ends the transfer.
    func take(_ part: UnsafeRawBufferPointer) -> Int {
        received += part.count
        bytes.append(contentsOf: part.prefix(max(0, Limits.webhookAnswerTextBytes - bytes.count)))
        return received > Limits.webhookAnswerBytes ? 0 : part.count
    }

    /// A socket for an address that may be connected to.
    func open(_ address: UnsafeMutablePointer<curl_sockaddr>) -> curl_socket_t {
        let refusal = withUnsafePointer(to: &address.pointee.addr) { address in
            NetworkAddress(address).map { policy.refusal(of: $0, isPlain: isPlain) } ?? "the address is neither IPv4 nor IPv6"
        }
        if let refusal {
            self.refusal = refusal
            return curlRefusedSocket
        }
        let type = address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue)
        return socket(address.pointee.family, type, address.pointee.`protocol`)
    }
}
