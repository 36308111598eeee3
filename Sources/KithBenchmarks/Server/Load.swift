import CGRPCShim
import KithCore

/// What the load generator did, and what came of it.
struct Load: Sendable {
    let calls: Int
    let seconds: Double
    /// Processor time of the generator.
    let clientSeconds: Double
    /// Processor time that the machine did not get meanwhile.
    let stolenSeconds: Double
    /// Latencies in microseconds.
    let p50, p90, p99, p999, longest: Double

    /// Sends requests in turn for `seconds`, or each once where that is 0.
    ///
    /// - Parameter rate: calls a second, whether or not earlier ones are answered; 0 keeps `inFlight` going.
    /// - Throws: when a call failed: figures of failures mean nothing.
    @discardableResult
    init(
        _ requests: RequestList, to address: String, connections: Int = 1, inFlight: Int, rate: Double = 0, seconds: Double
    ) throws(KithError) {
        let stolen = StolenTime.seconds
        let result = kith_load_run(
            address, requests.method, requests.views, requests.views.count, Int32(connections), Int32(inFlight), rate, seconds)
        guard result.calls > 0, result.errors == 0 else {
            throw .failed("\(result.errors) of \(result.calls) calls of \(requests.method) failed")
        }
        calls = Int(result.calls)
        self.seconds = result.seconds
        clientSeconds = result.client_cpu_seconds
        stolenSeconds = StolenTime.seconds - stolen
        (p50, p90, p99, p999) = (result.p50_us, result.p90_us, result.p99_us, result.p999_us)
        longest = result.max_us
    }

    var perSecond: Double { Double(calls) / seconds }

    /// Cores that the generator kept busy.
    var clientCores: Double { clientSeconds / seconds }

    /// Cores that a virtual machine's host gave to others while they were wanted here.
    var stolenCores: Double { stolenSeconds / seconds }
}
