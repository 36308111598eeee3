import CGRPCShim
import Dispatch
import Testing

@Suite struct UnaryTests {
    @Test func methodsAreThoseOfTheProtos() {
        let names = (0..<kith_method_count()).map { String(cString: kith_method_name($0)) }
        #expect(names.allSatisfy { $0.hasPrefix("/kith.v1.") || $0.hasPrefix("/grpc.health.v1.") })
        #expect(Set(names).count == names.count)
        #expect(names.contains("/grpc.health.v1.Health/Watch"))
        for (index, name) in names.enumerated() {
            let method = Int32(index)
            let streams = (kith_method_client_streaming(method), kith_method_server_streaming(method))
            switch name {
            case "/kith.v1.PointService/UpsertStream", "/kith.v1.SearchService/SearchStream": #expect(streams == (true, true))
            case "/kith.v1.PointService/Export", "/kith.v1.ChangeService/Subscribe", "/grpc.health.v1.Health/Watch":
                #expect(streams == (false, true))
            default: #expect(streams == (false, false), "\(name)")
            }
        }
        let upsert = Int32(names.firstIndex(of: Behaviour.echo) ?? 0)
        #expect(String(cString: kith_method_request_type(upsert)) == "kith.v1.UpsertRequest")
        #expect(String(cString: kith_method_response_type(upsert)) == "kith.v1.WriteResponse")
    }

    @Test func requestsOfAllSizesComeBackWhole() throws {
        let server = try EchoServer(maxMessageBytes: 8 << 20)
        let client = EchoClient(server.address)
        for size in [0, 1, 100, 20_000, 5_000_000] {
            let request = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let end = client.call(Behaviour.echo, request)
            #expect(end.code == 0)
            #expect(end.response == echoed(request))
        }
    }

    @Test func errorsCarryTextAndDetails() throws {
        let server = try EchoServer()
        let end = EchoClient(server.address).call(Behaviour.fail)
        #expect(end.code == 5)
        #expect(end.message == "nothing é here")
        #expect(end.details == [1, 2, 0, 3])
        #expect(end.response == nil)
    }

    @Test func unknownMethodsAreUnimplemented() throws {
        let server = try EchoServer()
        #expect(EchoClient(server.address).call("/kith.v1.PointService/Nothing").code == 12)
    }

    /// gRPC sends timeouts with two or three digits, rounded up.
    @Test func serverKnowsDeadlineAndPeer() throws {
        let server = try EchoServer()
        let client = EchoClient(server.address)
        for (timeout, range) in [(Int64(0), Int64.max...Int64.max), (60_000, 1...61_000)] {
            var view = KithStreamAnswerView()
            let response = client.call(Behaviour.describe, timeoutMilliseconds: timeout).response ?? []
            let message = withBytes(response) { kith_decode_upsert_stream_response($0, &view) }
            defer { kith_message_free(message) }
            let parts = view.text.text.split(separator: " ")
            try #require(parts.count == 2)
            #expect(Int64(parts[0]).map(range.contains) == true, "\(parts)")
            #expect(parts[1].hasPrefix("127.0.0.1:"))
        }
    }

    @Test func deadlineEndsTheCallOnBothSides() throws {
        let server = try EchoServer()
        #expect(EchoClient(server.address).call(Behaviour.hold, timeoutMilliseconds: 100).code == 4)
        server.handler.cancelled.wait()
        server.handler.done.wait()
        #expect(server.handler.cancelledCount == 1)
    }

    @Test func brokenConnectionCancelsItsCalls() throws {
        let server = try EchoServer()
        let connection = try RawConnection(port: server.port)
        try connection.startCall(Behaviour.hold)
        server.handler.held.wait()
        connection.breakOff()
        server.handler.cancelled.wait()
        server.handler.done.wait()
        #expect(server.handler.cancelledCount == 1)
    }

    @Test func oversizeRequestsAreRefusedAndTheConnectionGoesOn() throws {
        let server = try EchoServer(maxMessageBytes: 1 << 20)
        let client = EchoClient(server.address)
        #expect(client.call(Behaviour.echo, [UInt8](repeating: 0, count: 2 << 20)).code == 8)
        #expect(client.call(Behaviour.echo, [1]).code == 0)
    }

    @Test func manyCallsAtOnce() throws {
        let server = try EchoServer()
        let clients = (0..<4).map { _ in EchoClient(server.address) }
        inThreads(64) { thread in
            for number in 0..<50 {
                let request = [UInt8(thread), UInt8(number)]
                let end = clients[thread % clients.count].call(Behaviour.echo, request)
                #expect(end.code == 0)
                #expect(end.response == echoed(request))
            }
        }
        server.stop(graceMilliseconds: 5_000)
        #expect(server.handler.doneCount == 64 * 50)
    }

    @Test func loadGeneratorCountsItsCalls() throws {
        let server = try EchoServer(maxMessageBytes: 8 << 20)
        let memory = ViewMemory()
        let requests = [memory.bytes([1]), memory.bytes([2, 3])]
        let closed = kith_load_run(server.address, Behaviour.echo, requests, 2, 2, 8, 0, 0.2)
        #expect(closed.calls > 0)
        #expect(closed.errors == 0)
        #expect(closed.p50_us > 0 && closed.p50_us <= closed.p99_us && closed.p99_us <= closed.max_us)
        let open = kith_load_run(server.address, Behaviour.echo, requests, 2, 1, 8, 500, 0.2)
        // What falls due while all calls are in flight is started late, and not at all after the end.
        #expect((1...100).contains(open.calls) && open.errors == 0)
        let failing = kith_load_run(server.address, Behaviour.fail, requests, 2, 1, 1, 0, 0.05)
        #expect(failing.calls > 0 && failing.errors == failing.calls)
        let large = memory.bytes([UInt8](repeating: 7, count: 3 << 20))
        let each = kith_load_run(server.address, Behaviour.echo, [large, requests[0], large], 3, 1, 2, 0, 0)
        #expect(each.calls == 3 && each.errors == 0)
        server.stop(graceMilliseconds: 0)
        let nobody = kith_load_run(server.address, Behaviour.echo, requests, 2, 1, 1, 0, 0.05)
        #expect(nobody.calls == 1 && nobody.errors == 1)
    }
}
