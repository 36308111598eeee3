import CGRPCShim
import Foundation
import KithCollections
import KithCore

/// Get.
struct GetHandler {
    let engine: Engine

    func handle(_ call: Call) throws(KithError) {
        var view = KithGetView()
        let message = try WireMessage(kith_decode_get(call.message, &view))
        let collection = try engine.catalogue.collection(view.collection.text)
        let definition = collection.definition
        guard view.id_count > 0 else { throw .invalid(.requiredFieldMissing, field: "ids", "must have at least one entry") }
        guard view.id_count <= Limits.batchIDs else {
            throw .limit(field: "ids", value: view.id_count, limit: Limits.batchIDs, unit: "ids")
        }
        var ids: [PointID] = []
        for (index, id) in UnsafeBufferPointer(start: view.ids, count: view.id_count).enumerated() {
            ids.append(try WireValues.pointID(id, field: "ids[\(index)]"))
        }
        let selection = try WireValues.selection(view.select, definition, field: "select")
        let positions = try WireValues.positions(view.min_positions, view.min_position_count, field: "min_positions")
        withExtendedLifetime(message) {}
        let wanted = ids
        let answer: @Sendable () -> Void = {
            do throws(KithError) {
                let result = try collection.get(wanted, selection)
                call.audit?.returns(result.found.count)
                call.reply(try GetHandler.response(result, definition))
            } catch { call.fail(error) }
        }
        if positions.isEmpty { return answer() }
        try Deadline.whenApplied(positions, in: collection, of: call) { late in
            do throws(KithError) {
                if let late { throw late }
                // Positions are reached on the writer's thread, which has other things to do.
                try engine.searchPool.submit(answer)
            } catch { call.fail(error) }
        }
    }

    private static func response(
        _ result: (found: [StoredPoint], missing: [PointID]), _ definition: CollectionDefinition
    ) throws(KithError) -> WireBuffer {
        let points = WirePoints(result.found, definition)
        defer { withExtendedLifetime(points) {} }
        var texts = TextArena()
        let ranges = result.missing.map { texts.add($0) }
        return try WireBuffer(
            texts.withViews { text in
                let missing = zip(result.missing, ranges).map { $0.view(text($1)) }
                return kith_encode_get_response(points.views.baseAddress, points.views.count, missing, missing.count)
            }
        ).checkedAnswer(askFewer: "ids")
    }
}

/// Scroll.
struct ScrollHandler {
    private static let defaultPageSize = 100

    let engine: Engine

    func handle(_ call: Call) throws(KithError) {
        let request = try JSONCall.decode(ScrollRequest.self, "kith.v1.ScrollRequest", call.message)
        let collection = try engine.catalogue.collection(request.collection)
        let definition = collection.definition
        let limit = try PageToken.pageSize(request.pageSize, default: ScrollHandler.defaultPageSize)
        let cursor = try PageToken.scroll(request.pageToken, definition)
        let selection = try (request.select ?? SelectorMessage()).selection(definition)
        let page = try collection.scroll(from: cursor, limit: limit, selection)
        let token = page.next.map { PageToken.encode($0, collection: definition.id) } ?? ""
        let points = WirePoints(page.points, definition)
        defer { withExtendedLifetime(points) {} }
        let buffer = token.withKithBytes { token in
            kith_encode_scroll_response(points.views.baseAddress, points.views.count, token)
        }
        call.audit?.returns(page.points.count)
        call.reply(try WireBuffer(buffer))
    }
}

/// Count.
struct CountHandler {
    let engine: Engine

    func handle(_ call: Call) throws(KithError) {
        let request = try JSONCall.decode(CountRequest.self, "kith.v1.CountRequest", call.message)
        let collection = try engine.catalogue.collection(request.collection)
        let positions = try PositionMessage.positions(request.minPositions ?? [], field: "min_positions")
        try Deadline.whenApplied(positions, in: collection, of: call) { late in
            do throws(KithError) {
                if let late { throw late }
                let answer = CountResponse(count: "\(collection.pointCount)", exact: true)
                call.reply(try JSONCall.encode(answer, "kith.v1.CountResponse"))
            } catch { call.fail(error) }
        }
    }
}
