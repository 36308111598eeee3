import CGRPCShim
import KithCore
import Synchronization

/// What `grpc.health.v1` says: serving from start to drain.
final class HealthState: Sendable {
    /// The services that are asked about; empty means the server.
    static let services: Set<String> = [
        "", "kith.v1.CollectionService", "kith.v1.PointService", "kith.v1.SearchService", "kith.v1.ChangeService",
        "grpc.health.v1.Health",
    ]

    private struct State {
        var serving = true
        var watches: [ObjectIdentifier: HealthWatch] = [:]
    }

    private let state = Mutex(State())

    var isServing: Bool { state.withLock { $0.serving } }

    func stopServing() {
        let watches = state.withLock { state in
            state.serving = false
            return Array(state.watches.values)
        }
        for watch in watches { watch.report() }
    }

    func add(_ watch: HealthWatch) { state.withLock { $0.watches[ObjectIdentifier(watch)] = watch } }
    func remove(_ watch: HealthWatch) { state.withLock { $0.watches[ObjectIdentifier(watch)] = nil } }

    func answer(service: String) throws(KithError) -> WireBuffer {
        let status = !HealthState.services.contains(service) ? "SERVICE_UNKNOWN" : isServing ? "SERVING" : "NOT_SERVING"
        return try JSONCall.encode(HealthCheckResponse(status: EnumText(status)), "grpc.health.v1.HealthCheckResponse")
    }

    /// Check: NOT_FOUND for a service that does not exist, as the protocol wants.
    func check(_ bytes: KithBytes) throws(KithError) -> WireBuffer {
        let request = try JSONCall.decode(HealthCheckRequest.self, "grpc.health.v1.HealthCheckRequest", bytes)
        guard HealthState.services.contains(request.service) else {
            throw KithError(
                .notFound, .invalidValue, "service: there is no '\(request.service.prefix(Limits.nameBytes))'",
                violations: [.init(field: "service", description: "there is no such service")])
        }
        return try answer(service: request.service)
    }
}

/// Watch: the state now, and at each change.
final class HealthWatch: CallHandler, DrainableStream {
    private let engine: Engine
    private let sender: StreamSender
    private let service: String

    init(_ call: Call, _ engine: Engine) throws(KithError) {
        service = try JSONCall.decode(HealthCheckRequest.self, "grpc.health.v1.HealthCheckRequest", call.message).service
        self.engine = engine
        sender = StreamSender(call)
        try engine.streams.add(self)
        engine.health.add(self)
        report()
    }

    func report() {
        do throws(KithError) { sender.send(try engine.health.answer(service: service)) } catch { sender.end(error) }
    }

    func written(_ ok: Bool) {
        sender.written(ok)
        if !ok { cancelled() }
    }

    func cancelled() {
        close()
        sender.abandon()
    }

    func drain() {
        close()
        sender.end(nil)
    }

    private func close() {
        engine.health.remove(self)
        engine.streams.remove(self)
    }
}
