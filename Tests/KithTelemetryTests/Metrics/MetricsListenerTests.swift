import KithCore
import KithTelemetry
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct MetricsListenerTests {
    private let metrics = Metrics()
    private let listener: MetricsListener

    init() throws { listener = try MetricsListener("127.0.0.1:0", metrics) }

    private func ask(_ request: String) throws -> String {
        try PlainConnection(port: listener.port).ask("\(request) HTTP/1.1\r\nHost: kith\r\nConnection: close\r\n\r\n")
    }

    @Test func metricsAreAnsweredAsTheyAreNow() throws {
        for count in 1...3 {
            metrics.writes.add()
            let answer = try ask("GET /metrics")
            let parts = answer.split(separator: "\r\n\r\n", maxSplits: 1)
            #expect(parts[0].hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(parts[0].contains("Content-Type: text/plain; version=0.0.4"))
            #expect(parts[0].contains("Content-Length: \(parts[1].utf8.count)"))
            #expect(parts[1].contains("\nkith_writes_total \(count)\n"))
        }
    }

    @Test(arguments: [("GET /", "404"), ("GET /metrics/x", "404"), ("POST /metrics", "405"), ("HEAD /metrics", "200")])
    func othersAreTold(request: String, status: String) throws {
        let answer = try ask(request)
        #expect(answer.hasPrefix("HTTP/1.1 \(status) ") && !answer.contains("kith_writes_total"))
    }

    @Test func whoSaysNothingHoldsUpNobody() throws {
        let silent = try PlainConnection(port: listener.port)
        #expect(try ask("GET /metrics").hasPrefix("HTTP/1.1 200 "))
        withExtendedLifetime(silent) {}
    }

    @Test func tooLongARequestIsRefused() throws {
        #expect(try !ask("GET /" + String(repeating: "x", count: 2 * Limits.metricsConnectionBytes)).hasPrefix("HTTP/1.1 200"))
        #expect(try ask("GET /metrics").hasPrefix("HTTP/1.1 200 "))
    }

    @Test(arguments: ["127.0.0.1", "no-such-host.invalid:1", "127.0.0.1:x"]) func badAddressesSaySo(_ address: String) {
        let error = #expect(throws: KithError.self) { try MetricsListener(address, metrics) }
        #expect(error?.reason == .invalidConfiguration && error?.message.contains(address) == true)
    }

    @Test func aPortIsFreeAfterwards() throws {
        var first: MetricsListener? = try MetricsListener("127.0.0.1:0", metrics)
        let address = "127.0.0.1:\(try #require(first).port)"
        #expect(throws: KithError.self) { try MetricsListener(address, metrics) }
        first = nil
        #expect(try MetricsListener(address, metrics).port > 0)
    }
}
