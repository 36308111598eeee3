import TestSupport
import Testing

extension ServerProcess {
    /// The metrics by name, as Prometheus reads them, of a server with `--metrics-listen`.
    func metrics() throws -> [String: Double] {
        let address = try #require(output.firstMatch(of: /metrics http:\/\/127\.0\.0\.1:(\d+)\/metrics/))
        let answer = try PlainConnection(port: try #require(Int(address.1))).ask(
            "GET /metrics HTTP/1.1\r\nHost: kith\r\nConnection: close\r\n\r\n")
        return answer.split(separator: "\n").reduce(into: [:]) { metrics, line in
            let parts = line.split(separator: " ")
            if parts.count == 2, let value = Double(parts[1]) { metrics[String(parts[0])] = value }
        }
    }
}
