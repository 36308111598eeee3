import CGRPCShim
public import KithCollections
public import KithCore
public import KithEvents
import Foundation
import KithTelemetry

/// The gRPC server: listens from the moment it is made until it is stopped.
public final class Server: @unchecked Sendable {
    public struct Configuration: Sendable {
        /// host:port; port 0 takes a free one.
        public var address: String
        /// Threads for long searches and batches.
        public var searchThreads = ProcessInfo.processInfo.activeProcessorCount
        /// Which requests are told to the audit topic.
        public var audit = AuditPolicy.off
        /// The id that begins every event's id.
        public var cluster = "kith"

        public init(address: String) { self.address = address }
    }

    private let engine: Engine
    private let audit: AuditLog?
    private let dispatcher: Dispatcher
    private let handle: OpaquePointer

    /// - Throws: `INVALID_CONFIGURATION` when the address cannot be had.
    public init(_ configuration: Configuration, node: Node, relay: Relay?, webhooks: Webhooks) throws(KithError) {
        engine = Engine(
            node: node, relay: relay, webhooks: webhooks, cluster: configuration.cluster,
            searchThreads: configuration.searchThreads)
        audit = Server.auditLog(configuration.audit, node)
        dispatcher = Dispatcher(engine, audit)
        handle = try Server.listen(configuration.address, dispatcher)
    }

    /// Nil where commits alone are told, or nothing.
    private static func auditLog(_ policy: AuditPolicy, _ node: Node) -> AuditLog? {
        switch policy {
        case .off, .commits: nil
        case .writes, .all:
            AuditLog(policy, metrics: node.metrics, hasRoom: { !node.budget.isFull }) { facts throws(KithError) in
                try node.log.record(facts)
            }
        }
    }

    private static func listen(_ address: String, _ dispatcher: Dispatcher) throws(KithError) -> OpaquePointer {
        var failure: OpaquePointer?
        let server = address.withCString { text in
            // Room above the limit, so that a message just over it gets an answer that names it.
            var options = KithServerOptions(
                address: text, max_message_bytes: Limits.messageBytes + (1 << 20), max_concurrent_streams: 0, reflection: true)
            return kith_server_start(&options, dispatcher.callbacks, &failure)
        }
        let text = WireBuffer(owning: failure)
        guard let server else {
            throw KithError(
                .failedPrecondition, .invalidConfiguration, text.text,
                metadata: ["listen": address])
        }
        return server
    }

    /// The port it listens on.
    public var port: Int { Int(kith_server_port(handle)) }

    /// Drains: says NOT_SERVING, tells streams to go away, refuses new calls, waits for open ones, then cancels them. Blocks.
    public func stop(graceMilliseconds: Int) {
        engine.health.stopServing()
        engine.streams.drain()
        kith_server_stop(handle, Int64(graceMilliseconds))
        engine.searchPool.stop()
        audit?.stop()
        kith_server_free(handle)
    }
}

/// From gRPC's callbacks to handlers.
final class Dispatcher: Sendable {
    private let methods: Methods
    private let audit: AuditLog?

    init(_ engine: Engine, _ audit: AuditLog?) {
        methods = Methods(engine)
        self.audit = audit
    }

    /// C callbacks; their context is this object, which the server outlives not.
    var callbacks: KithServerCallbacks {
        KithServerCallbacks(
            context: Unmanaged.passUnretained(self).toOpaque(),
            started: { context, call, method in
                guard let context else { return nil }
                return Unmanaged<Dispatcher>.fromOpaque(context).takeUnretainedValue().start(call, method)
            },
            received: { _, _, tag, ok in Dispatcher.handler(tag)?.received(ok) },
            written: { _, _, tag, ok in Dispatcher.handler(tag)?.written(ok) },
            cancelled: { _, _, tag in Dispatcher.handler(tag)?.cancelled() },
            done: { _, tag in
                if let tag { Unmanaged<HandlerBox>.fromOpaque(tag).release() }
            })
    }

    /// A class reference of known layout, for C to hold.
    private final class HandlerBox: Sendable {
        let handler: any CallHandler
        init(_ handler: any CallHandler) { self.handler = handler }
    }

    private static func handler(_ tag: UnsafeMutableRawPointer?) -> (any CallHandler)? {
        tag.map { Unmanaged<HandlerBox>.fromOpaque($0).takeUnretainedValue().handler }
    }

    private func start(_ handle: OpaquePointer, _ method: Int32) -> UnsafeMutableRawPointer? {
        var call = Call(handle: handle)
        if let audit, let kind = methods.auditKind(method) { call.audit = RequestAudit(kind, method: method, log: audit) }
        do throws(KithError) {
            try call.checkMessageSize()
            switch methods[method] {
            case .call(let handle): try handle(call)
            case .control(let answer): call.reply(try answer(call.message))
            case .recorded(let answer): call.reply(try answer(call.message, call.context))
            case .stream(let open): return Unmanaged.passRetained(HandlerBox(try open(call))).toOpaque()
            case nil: throw KithError(.unimplemented, .unimplemented, "the method is not implemented")
            }
        } catch { call.fail(error) }
        return nil
    }
}
