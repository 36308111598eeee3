import CGRPCShim
import Dispatch
import KithCollections
import KithCore
import KithStorage

/// Export: pages of one moment, the next one read when the last is on its way.
final class ExportStreamHandler: CallHandler, DrainableStream {
    private static let pagePoints = 500

    private let engine: Engine
    private let sender: StreamSender
    private let collection: Collection
    private let definition: CollectionDefinition
    private let selection: PointSelection
    private let moment: (snapshot: DatabaseSnapshot?, positions: [ShardPosition])
    private let queue = DispatchQueue(label: "kith.export")
    // Touched on the queue only.
    private nonisolated(unsafe) var cursor: Collection.ScrollCursor? = Collection.ScrollCursor()
    private nonisolated(unsafe) var isFirst = true

    init(_ call: Call, _ engine: Engine) throws(KithError) {
        let request = try JSONCall.decode(ExportRequest.self, "kith.v1.ExportRequest", call.message)
        self.engine = engine
        collection = try engine.catalogue.collection(request.collection)
        definition = collection.definition
        selection = try (request.select ?? SelectorMessage()).selection(definition)
        moment = try collection.moment()
        sender = StreamSender(call)
        try engine.streams.add(self)
        sendPage()
    }

    func written(_ ok: Bool) {
        sender.written(ok)
        if ok { sendPage() } else { sender.abandon() }
    }

    func cancelled() { sender.abandon() }
    func drain() { sender.end(KithError(.unavailable, .shuttingDown, "the server is shutting down")) }

    private func sendPage() {
        queue.async { [self] in
            do throws(KithError) {
                guard let from = cursor else { return finish(nil) }
                let page = try collection.scroll(
                    from: from, limit: ExportStreamHandler.pagePoints, selection, at: moment.snapshot)
                cursor = page.next
                sender.send(try message(page.points))
            } catch { finish(error) }
        }
    }

    private func message(_ points: [StoredPoint]) throws(KithError) -> WireBuffer {
        let views = WirePoints(points, definition)
        defer { withExtendedLifetime(views) {} }
        let positions = isFirst ? moment.positions.views : []
        isFirst = false
        return try WireBuffer(
            kith_encode_export_response(views.views.baseAddress, views.views.count, positions, positions.count))
    }

    private func finish(_ error: KithError?) {
        engine.streams.remove(self)
        sender.end(error)
    }
}
