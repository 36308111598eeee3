import KithCollections
import KithCore
import Testing

/// The bytes of change log that a node keeps, and who holds them.
@Suite(.timeLimit(.minutes(5))) struct ChangeLogTests {
    private let folder = TemporaryFolder()

    private func open(_ policy: FullLogPolicy) throws -> (node: Node, collection: KithCollections.Collection) {
        let node = try Node.open(folder("n")) {
            $0.changeLogBytes = 20_000
            $0.changeLogFull = policy
            $0.upkeepMilliseconds = 5
        }
        return (node, try node.make("c"))
    }

    private static func request(_ id: UInt64) -> WriteRequest {
        WriteRequest().upsert(id % 10, [Float(id), 0, 0, 0], payload: "{\"text\":\"\(String(repeating: "x", count: 200))\"}")
    }

    /// More writes than the log can hold.
    private static let enough = 1_000

    /// Writes until it is refused; how many were not.
    private func fill(_ collection: KithCollections.Collection) async throws -> Int {
        for number in 0..<ChangeLogTests.enough {
            do { try await collection.commit(ChangeLogTests.request(UInt64(number))) } catch let error as KithError {
                #expect(error.reason == .changeLogFull && error.code == .resourceExhausted)
                #expect(error.retryAfterMilliseconds != nil)
                return number
            }
        }
        return ChangeLogTests.enough
    }

    @Test func aFullLogPushesBackUntilItsReadersCatchUp() async throws {
        let (node, collection) = try open(.pushBack)
        let feed: any ChangeFeed = collection.shards[0]
        try feed.saveCursor("slow", at: 0)
        try feed.saveCursor("fast", at: 50)
        let written = try await fill(collection)
        #expect((20...200).contains(written) && feed.firstPosition == 1)
        #expect(node.budget.bytes >= 20_000)
        try feed.saveCursor("fast", at: feed.lastPosition)
        try feed.saveCursor("slow", at: 5)
        while feed.firstPosition < 6 { await Task.yield() }
        #expect(throws: KithError.self) { try feed.forEachCommit(after: 4) { _, _ in true } }
        #expect(try feed.forEachCommit(after: 5) { _, _ in true } == feed.lastPosition)
        try feed.saveCursor("slow", at: feed.lastPosition)
        while node.budget.bytes >= 20_000 { await Task.yield() }
        try await collection.commit(ChangeLogTests.request(1))
    }

    @Test func aTrimmedLogTellsWhoWasBehind() async throws {
        let (node, collection) = try open(.trim)
        let feed: any ChangeFeed = collection.shards[0]
        try feed.saveCursor("slow", at: 3)
        #expect(try await fill(collection) == ChangeLogTests.enough)
        #expect(feed.firstPosition > 4 && node.budget.bytes < ChangeLogTests.enough * 200)
        do {
            _ = try feed.forEachCommit(after: 3) { _, _ in true }
            Issue.record("a reader that was trimmed away must be told")
        } catch {
            #expect(error.reason == .positionTrimmed && error.code == .outOfRange)
        }
    }

    @Test func cursorsAndTrimmingSurviveReopening() async throws {
        var (node, collection): (Node?, KithCollections.Collection?) = try open(.pushBack)
        try collection?.shards[0].saveCursor("reader", at: 30)
        _ = try await fill(try #require(collection))
        while try #require(collection).shards[0].firstPosition < 31 { await Task.yield() }
        let points = try #require(collection).everything().mapValues(\.version)
        collection = nil
        node?.close()
        node = nil
        let reopened = try Node.open(folder("n"))
        let again = try reopened.catalogue.collection("c")
        #expect(try again.shards[0].cursor("reader") == 30)
        #expect(try again.shards[0].cursor("other") == nil)
        #expect(again.shards[0].firstPosition == 31)
        #expect(try again.everything().mapValues(\.version) == points)
        #expect(reopened.budget.bytes > 0)
    }

    @Test func afterTheLastCommitTheLogIsEmptyAndAFeedIsAtItsEnd() async throws {
        let (node, collection) = try open(.pushBack)
        defer { node.close() }
        let feed: any ChangeFeed = collection.shards[0]
        #expect(feed.firstPosition == 1 && feed.lastPosition == 0)
        #expect(try feed.forEachCommit(after: 0) { _, _ in true } == 0)
        for number in 0..<UInt64(5) { try await collection.commit(ChangeLogTests.request(number)) }
        var visited: [LogPosition] = []
        let last = try feed.forEachCommit(after: 1) { commit, bytes in
            #expect(bytes > 0)
            visited.append(commit.position)
            return commit.position < 3
        }
        #expect(last == 3 && visited == [2, 3])
    }
}
