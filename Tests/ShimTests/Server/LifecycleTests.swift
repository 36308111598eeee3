import CGRPCShim
import Dispatch
import Testing

@Suite struct LifecycleTests {
    @Test func usedPortIsRefused() throws {
        let server = try EchoServer()
        let error = #expect(throws: EchoServer.StartError.self) { try EchoServer(port: server.port) }
        #expect(error?.text.contains("127.0.0.1:\(server.port)") == true)
        #expect(EchoClient(server.address).call(Behaviour.echo).code == 0)
    }

    @Test func unknownAddressIsRefused() {
        var error: OpaquePointer?
        let callbacks = KithServerCallbacks(
            context: nil, started: { _, _, _ in nil }, received: { _, _, _, _ in }, written: { _, _, _, _ in },
            cancelled: { _, _, _ in }, done: { _, _ in })
        let server = "256.0.0.1:1".withCString { address in
            var options = KithServerOptions(address: address, max_message_bytes: 1, max_concurrent_streams: 0, reflection: false)
            return kith_server_start(&options, callbacks, &error)
        }
        #expect(server == nil)
        #expect(takeText(error)?.isEmpty == false)
    }

    @Test func stopWaitsForOpenCalls() throws {
        let server = try EchoServer()
        let client = EchoClient(server.address)
        inThreads(3) { role in
            switch role {
            case 0: #expect(client.call(Behaviour.hold).code == 0)
            case 1:
                server.handler.held.wait()
                server.handler.held.signal()
                server.stop(graceMilliseconds: 20_000)
                #expect(server.handler.doneCount >= 1)
            default:
                server.handler.held.wait()
                server.handler.held.signal()
                // A new connection is refused once the server stops; only then is the open call let go.
                while EchoClient(server.address).call(Behaviour.echo, timeoutMilliseconds: 5_000).code == 0 {
                }
                server.handler.release()
            }
        }
        #expect(server.handler.cancelledCount == 0)
    }

    @Test func stopCancelsWhatOutlastsTheGrace() throws {
        let streaming = DispatchSemaphore(value: 0)
        let server = try EchoServer()
        let client = EchoClient(server.address)
        inThreads(3) { role in
            switch role {
            case 0: #expect(client.call(Behaviour.hold).code != 0)
            case 1:
                let stream = client.open(Behaviour.endless)
                #expect(stream.write([1]))
                #expect(stream.read() != nil)
                streaming.signal()
                while stream.read() != nil {
                }
                #expect(stream.finish().code != 0)
            default:
                server.handler.held.wait()
                streaming.wait()
                server.stop(graceMilliseconds: 50)
            }
        }
        #expect(server.handler.cancelledCount == 2)
    }

    @Test func stoppedServerRefusesCalls() throws {
        let server = try EchoServer()
        let client = EchoClient(server.address)
        #expect(client.call(Behaviour.echo).code == 0)
        server.stop(graceMilliseconds: 0)
        #expect(client.call(Behaviour.echo, timeoutMilliseconds: 5_000).code == 14)
    }

    @Test func reflectionListsTheServices() throws {
        let method = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
        // ServerReflectionRequest{list_services: "*"}
        let request: [UInt8] = [0x3A, 0x01, 0x2A]
        let server = try EchoServer(reflection: true)
        let client = EchoClient(server.address)
        let stream = client.open(method)
        #expect(stream.write(request))
        let answer = String(decoding: stream.read() ?? [], as: UTF8.self)
        stream.writesDone()
        #expect(stream.finish().code == 0)
        for service in ["CollectionService", "PointService", "SearchService", "ChangeService"] {
            #expect(answer.contains("kith.v1.\(service)"))
        }
        #expect(answer.contains("grpc.health.v1.Health"))

        let silent = try EchoServer(reflection: false)
        let silentClient = EchoClient(silent.address)
        let refused = silentClient.open(method)
        _ = refused.write(request)
        refused.writesDone()
        #expect(refused.finish().code == 12)
    }
}
