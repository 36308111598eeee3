import KithCollections
import KithCore
import TestSupport
import Testing

/// Holds against the plainest model: what is held stays as it is, and a request that touches it does nothing.
@Suite struct LegalHoldTests {
    private let folder = TemporaryFolder()

    /// Points by id, each with an owner in its payload; and the holds that stand.
    private struct Plain {
        var points: [UInt64: Int] = [:]
        var holds: [String: HeldPoints] = [:]

        func isHeld(_ id: UInt64) -> Bool {
            guard let owner = points[id] else { return false }
            return holds.values.contains { held in
                switch held {
                case .whole: true
                case .points(let ids): ids.contains(.number(id))
                case .field(_, let value): value == "\(owner)"
                }
            }
        }
    }

    private static func payload(_ owner: Int) -> String { #"{"data":[{"owner":\#(owner)}]}"# }

    private func held(_ random: inout SeededGenerator) -> HeldPoints {
        switch random.below(10) {
        case 0: .whole
        case 1...4: .points((0..<1 + random.below(4)).map { _ in .number(UInt64(random.below(30))) })
        default: .field("data.owner", value: "\(random.below(6))")
        }
    }

    @Test(arguments: [1, 3], [UInt64(1), 2, 3]) func heldPointsStayAsTheyAre(shards: Int, seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        var plain = Plain()
        var refusals = 0
        for opening in 0..<3 {
            let node = try Node.open(folder("n"))
            let collection = try opening == 0 ? node.make("c") { $0.shardCount = shards } : node.catalogue.collection("c")
            for round in 0..<40 {
                switch random.below(12) {
                case 0:
                    let hold = LegalHold("hold-\(opening)-\(round)", on: collection.definition, held: held(&random))
                    _ = try node.governance.place(hold, on: collection, GovernanceRequest())
                    plain.holds[hold.name] = hold.held
                case 1:
                    guard let name = plain.holds.keys.sorted().randomElement(using: &random) else { continue }
                    _ = try node.governance.release(name, reason: "", on: collection, GovernanceRequest())
                    plain.holds[name] = nil
                default: refusals += try await write(&random, &plain, collection) ? 0 : 1
                }
            }
            let owners = try collection.everything().mapValues(\.payload.text)
            let expected = plain.points.map { (PointID.number($0.key), LegalHoldTests.payload($0.value)) }
            #expect(owners == Dictionary(uniqueKeysWithValues: expected))
            node.close()
        }
        #expect(refusals > 5)
    }

    /// One random request. Answers whether it was done.
    private func write(
        _ random: inout SeededGenerator, _ plain: inout Plain, _ collection: KithCollections.Collection
    ) async throws -> Bool {
        let request = WriteRequest()
        var after = plain.points
        var touchesHeld = false
        for _ in 0..<1 + random.below(5) {
            let id = UInt64(random.below(30))
            touchesHeld = touchesHeld || plain.isHeld(id)
            switch random.below(4) {
            case 0:
                request.delete(id)
                after[id] = nil
            case 1:
                let owner = random.below(6)
                request.add(.number(id), .updatePayload(.replace(request.view(LegalHoldTests.payload(owner).utf8))))
                if after[id] != nil { after[id] = owner }
            default:
                let owner = random.below(6)
                request.upsert(id, random.vector(4), payload: LegalHoldTests.payload(owner))
                after[id] = owner
            }
        }
        guard touchesHeld else {
            try await collection.commit(request)
            plain.points = after
            return true
        }
        let error = await #expect(throws: KithError.self) { try await collection.commit(request) }
        #expect(error?.code == .failedPrecondition && error?.reason == .legalHold)
        let name = error?.metadata["hold"] ?? ""
        #expect(plain.holds[name] != nil, "'\(name)' does not stand")
        return false
    }

    /// Operations that stand for themselves fail alone.
    @Test func itemsOfAStreamFailAlone() async throws {
        let node = folder.hold(try Node.open(folder("n")))
        let collection = try node.make("c")
        try await collection.commit(WriteRequest().upsert(1, [1, 0, 0, 0]).upsert(2, [2, 0, 0, 0]))
        let hold = LegalHold("h", on: collection.definition, held: .points([.number(1)]))
        _ = try node.governance.place(hold, on: collection, GovernanceRequest())
        let request = WriteRequest().delete(1).delete(2).upsert(3, [3, 0, 0, 0])
        let result: KithCollections.Collection.WriteResult = try await withCheckedContinuation { continuation in
            collection.write(
                request.operations, purpose: .items, durability: .durable, byteCount: request.byteCount, owner: request
            ) { continuation.resume(returning: $0) }
        }.get()
        #expect(result.outcomes.map(\.result) == [.failed, .deleted, .created])
        #expect(result.outcomes[0].error == .legalHold)
    }

    /// Writers go on while a hold is placed: once it stands, the point never changes again.
    @Test(arguments: [1, 2]) func noWriteSlipsPast(shards: Int) async throws {
        let node = folder.hold(try Node.open(folder("n")))
        let collection = try node.make("c") { $0.shardCount = shards }
        try await collection.commit(WriteRequest().upsert(1, [0, 0, 0, 0]))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<4 {
                group.addTask {
                    while !Task.isCancelled {
                        do { try await collection.commit(WriteRequest().upsert(1, [Float(writer), 1, 1, 1])) } catch let error
                            as KithError
                        {
                            guard error.reason == .legalHold else { throw error }
                            return
                        }
                    }
                }
            }
            while collection.positions[collection.shardNumber(of: .number(1))].position < 20 { await Task.yield() }
            let hold = LegalHold("h", on: collection.definition, held: .points([.number(1)]))
            _ = try node.governance.place(hold, on: collection, GovernanceRequest())
            let version = try collection.everything()[.number(1)]?.version
            try await group.waitForAll()
            #expect(try collection.everything()[.number(1)]?.version == version)
        }
    }

    @Test func aHeldCollectionIsNotDeleted() throws {
        let node = folder.hold(try Node.open(folder("n")))
        let collection = try node.make("c")
        let hold = LegalHold("h", on: collection.definition, held: .field("a", value: #""x""#))
        _ = try node.governance.place(hold, on: collection, GovernanceRequest())
        let error = #expect(throws: KithError.self) { try node.catalogue.delete("c", etag: "") }
        #expect(error?.reason == .legalHold && error?.metadata["hold"] == "h")
        _ = try node.governance.release("h", reason: "", on: collection, GovernanceRequest())
        try node.catalogue.delete("c", etag: "")
    }
}
