import TestSupport
import Testing

/// `grpc.health.v1`, and many clients at once.
@Suite("Health", .serverOutput)
struct HealthTests {
    private let server: ServerProcess

    init() throws { server = try ServerProcess() }

    @Test func everyServiceServes() throws {
        for service in [
            "", "kith.v1.CollectionService", "kith.v1.PointService", "kith.v1.SearchService", "kith.v1.ChangeService",
        ] {
            #expect(try server.connection.call(.checkHealth, ["service": .text(service)])["status"] == "SERVING")
        }
    }

    @Test func aServiceThatIsNotThereIsUnknown() throws {
        let error = #expect(throws: CallError.self) { try server.connection.call(.checkHealth, ["service": "nothing"]) }
        #expect(error?.code == .notFound)
        let watch = try server.connection.open(.watchHealth, ["service": "nothing"])
        #expect(try watch.read()?["status"] == "SERVICE_UNKNOWN")
        watch.cancel()
    }

    @Test func thereIsALimitOfStreams() throws {
        // Several connections: one has a limit of its own.
        let connections = try (0..<11).map { _ in try Connection(server.address) }
        var streams: [CallStream] = []
        var refused: CallError?
        for number in 0..<1_100 {
            let stream = try connections[number / 100].open(.watchHealth, [:])
            if try stream.read() == nil {
                do { try stream.finish() } catch { refused = error }
                break
            }
            streams.append(stream)
        }
        #expect(streams.count == 1_024)
        #expect(refused?.code == .resourceExhausted && refused?.reason == "TOO_MANY_STREAMS")
        for stream in streams { stream.cancel() }
        streams = []
        // They count until the server has seen them go.
        var again: JSON?
        repeat { again = try server.connection.open(.watchHealth, [:]).read() } while again == nil
        #expect(again?["status"] == "SERVING")
    }
}
