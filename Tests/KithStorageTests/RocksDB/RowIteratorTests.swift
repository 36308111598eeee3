import KithCore
import KithStorage
import Testing

@Suite struct RowIteratorTests {
    let folder = TemporaryFolder()

    /// Rows with the keys 0, 10, ... 90 and values one more.
    private func filled() throws -> Database {
        let database = try Database(path: folder("db"))
        let batch = database.makeBatch()
        for key in stride(from: UInt8(0), to: 100, by: 10) { batch.put(.changes, key: [key], value: [key + 1]) }
        batch.put(.points, key: [15], value: [0])
        try database.write(batch, sync: false)
        return database
    }

    @Test func staysWithinItsBounds() throws {
        let database = try filled()
        #expect(try keys(database.iterator(.changes, from: [20], below: [50])) == [[20], [30], [40]])
        #expect(try keys(database.iterator(.changes, from: [21], below: [51], readahead: 1 << 20)) == [[30], [40], [50]])
        #expect(try keys(database.iterator(.changes, from: [85])) == [[90]])
        #expect(try keys(database.iterator(.changes, from: [], below: [1])) == [[0]])
        #expect(try keys(database.iterator(.changes, from: [50], below: [50])) == [])
    }

    @Test func movesBothWays() throws {
        let iterator = try filled().iterator(.changes, from: [20], below: [60])
        #expect(Array(iterator.value) == [21])
        try iterator.seekToLast()
        #expect(Array(iterator.key) == [50])
        try iterator.previous()
        #expect(Array(iterator.key) == [40])
        try iterator.seek([22])
        #expect(Array(iterator.key) == [30])
        try iterator.seekBackward([29])
        #expect(Array(iterator.key) == [20])
        try iterator.previous()
        #expect(!iterator.isValid)
        try iterator.seek([5])
        #expect(Array(iterator.key) == [20])
        try iterator.seek([60])
        #expect(!iterator.isValid)
        try iterator.seekToFirst()
        #expect(Array(iterator.key) == [20])
    }

    @Test func doesNotSeeLaterWrites() throws {
        let database = try filled()
        let iterator = try database.iterator(.changes, from: [80])
        let batch = database.makeBatch()
        batch.put(.changes, key: [85], value: [])
        try database.write(batch, sync: false)
        #expect(try keys(iterator) == [[80], [90]])
    }
}
