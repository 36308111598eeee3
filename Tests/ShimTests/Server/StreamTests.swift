import CGRPCShim
import Dispatch
import Testing

@Suite struct StreamTests {
    @Test func serverStreamHasAllItsMessages() throws {
        let server = try EchoServer()
        let client = EchoClient(server.address)
        let stream = client.open(Behaviour.repeated)
        #expect(stream.write([1, 2, 3]))
        stream.writesDone()
        for _ in 0..<10 {
            #expect(stream.read() == echoed([1, 2, 3]))
        }
        #expect(stream.read() == nil)
        #expect(stream.finish().code == 0)
    }

    @Test func bothWaysEachMessageComesBack() throws {
        let server = try EchoServer()
        let client = EchoClient(server.address)
        let stream = client.open(Behaviour.echoStream)
        for size in [0, 1, 1_000, 100_000] {
            let message = [UInt8](repeating: 9, count: size)
            #expect(stream.write(message))
            #expect(stream.read() == echoed(message))
        }
        stream.writesDone()
        #expect(stream.read() == nil)
        #expect(stream.finish().code == 0)
    }

    @Test func readingAndWritingMayOverlap() throws {
        let server = try EchoServer()
        let client = EchoClient(server.address)
        let stream = client.open(Behaviour.echoStream)
        inThreads(2) { side in
            if side == 0 {
                for number in 0..<1_000 {
                    #expect(stream.write([UInt8(truncatingIfNeeded: number)]))
                }
                stream.writesDone()
            } else {
                for number in 0..<1_000 {
                    #expect(stream.read() == echoed([UInt8(truncatingIfNeeded: number)]))
                }
            }
        }
        #expect(stream.finish().code == 0)
    }

    @Test(arguments: [Behaviour.endless, Behaviour.echoStream])
    func cancellingEndsTheCallOnBothSides(method: String) throws {
        let server = try EchoServer()
        let client = EchoClient(server.address)
        let stream = client.open(method)
        #expect(stream.write([1]))
        #expect(stream.read() != nil)
        stream.cancel()
        #expect(stream.finish().code == 1)
        server.handler.cancelled.wait()
        server.handler.done.wait()
    }

    @Test func oversizeMessagesEndTheStream() throws {
        let server = try EchoServer(maxMessageBytes: 1 << 20)
        let client = EchoClient(server.address)
        let stream = client.open(Behaviour.echoStream)
        _ = stream.write([UInt8](repeating: 0, count: 2 << 20))
        stream.writesDone()
        #expect(stream.read() == nil)
        #expect(stream.finish().code == 8)
        server.handler.done.wait()
    }

    @Test func manyStreamsAreCancelledAtOnce() throws {
        let server = try EchoServer()
        let client = EchoClient(server.address)
        inThreads(32) { _ in
            let stream = client.open(Behaviour.echoStream)
            #expect(stream.write([1]))
            #expect(stream.read() != nil)
            stream.cancel()
            #expect(stream.finish().code == 1)
        }
        server.stop(graceMilliseconds: 5_000)
        #expect(server.handler.doneCount == 32)
    }
}
