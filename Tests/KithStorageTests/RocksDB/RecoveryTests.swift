import KithCore
import KithStorage
import Testing
import TestSupport

@Suite struct RecoveryTests {
    let folder = TemporaryFolder()

    /// A copy of a database that was killed after twenty batches, each of one row in two families.
    private func killed() throws -> (copy: String, log: String) {
        let database = try Database(path: folder("db"))
        let batch = database.makeBatch()
        for number in UInt8(0)..<20 {
            batch.clear()
            batch.put(.points, key: [number], value: [UInt8](repeating: number, count: 100))
            batch.put(.changes, key: [number], value: [number])
            try database.write(batch, sync: true)
        }
        try Directory.create(folder("copy"))
        let names = try Directory.names(in: database.path).filter { $0 != "LOCK" }
        for name in names { writeFile(folder("copy/\(name)"), readFile(folder("db/\(name)"))) }
        let log = try #require(names.filter { $0.hasSuffix(".log") }.max())
        return (folder("copy"), folder("copy/\(log)"))
    }

    /// How many batches are there; fails unless they are the first ones, each whole.
    private func batches(_ path: String) throws -> Int {
        let database = try Database(path: path)
        let points = try keys(database.iterator(.points, from: []))
        #expect(points == (0..<points.count).map { [UInt8($0)] })
        #expect(try keys(database.iterator(.changes, from: [])) == points)
        return points.count
    }

    @Test func aKilledDatabaseHasEverySyncedBatch() throws {
        #expect(try batches(killed().copy) == 20)
    }

    @Test(arguments: [1, 50, 151, 700]) func aTornLogGivesAPrefix(bytesLost: Int) throws {
        let (copy, log) = try killed()
        let bytes = readFile(log)
        writeFile(log, bytes.dropLast(bytesLost))
        let count = try batches(copy)
        #expect(count < 20)
        #expect(count > 10)
    }

    @Test func aBitFlippedInTheLastRecordGivesAPrefix() throws {
        let (copy, log) = try killed()
        var bytes = readFile(log)
        bytes[bytes.count - 10] ^= 4
        writeFile(log, bytes)
        #expect(try batches(copy) == 19)
    }

    @Test func aDamagedTableIsReportedByEveryRead() throws {
        do {
            let database = try Database(path: folder("db"))
            let batch = database.makeBatch()
            var random = SeededGenerator(seed: 2)
            for number in UInt8(0)..<200 { batch.put(.changes, key: [number], value: random.bytes(500)) }
            try database.write(batch, sync: true)
            try database.flush()
        }
        for name in try Directory.names(in: folder("db")) where name.hasSuffix(".sst") {
            var bytes = readFile(folder("db/\(name)"))
            bytes[bytes.count / 2] ^= 1
            writeFile(folder("db/\(name)"), bytes)
        }
        let error = #expect(throws: KithError.self) {
            let database = try Database(path: folder("db"))
            _ = try keys(database.iterator(.changes, from: []))
        }
        #expect(error?.reason == .corruption)
        #expect(error?.code == .dataLoss)
    }
}
