import KithCore
import KithStorage
import Synchronization
import Testing
import TestSupport

@Suite struct DatabaseTests {
    let folder = TemporaryFolder()

    @Test func readsWhatWasWrittenAndAfterReopening() throws {
        do {
            let database = try Database(path: folder("db"))
            let batch = database.makeBatch()
            for family in ColumnFamily.allCases { batch.put(family, key: [1], value: [UInt8(family.rawValue), 7]) }
            batch.put(.points, key: [], value: [])
            try database.write(batch, sync: true)
            #expect(batch.count == ColumnFamily.allCases.count + 1)
            #expect(batch.byteCount > 0)
        }
        let database = try Database(path: folder("db"))
        for family in ColumnFamily.allCases { #expect(try database.get(family, [1]) == [UInt8(family.rawValue), 7]) }
        #expect(try database.get(.points, []) == [])
        #expect(try database.get(.points, [2]) == nil)
    }

    @Test func aClearedBatchIsUsedAgain() throws {
        let database = try Database(path: folder("db"))
        let batch = database.makeBatch()
        batch.put(.points, key: [1], value: [1])
        batch.clear()
        batch.put(.points, key: [2], value: [2])
        batch.delete(.points, key: [3])
        try database.write(batch, sync: false)
        #expect(try database.get(.points, [1]) == nil)
        #expect(try database.get(.points, [2]) == [2])
    }

    @Test func aValueInPartsIsTheirConcatenation() throws {
        let database = try Database(path: folder("db"))
        let parts = [OwnedBytes([1, 2]), OwnedBytes([]), OwnedBytes([3])]
        let batch = database.makeBatch()
        [UInt8(9)].withUnsafeBytes { batch.put(.changes, key: $0, parts: parts.map(\.view)) }
        withExtendedLifetime(parts) {}
        try database.write(batch, sync: false)
        #expect(try database.get(.changes, [9]) == [1, 2, 3])
    }

    @Test(arguments: [false, true]) func deletedRangesAreGoneForEveryKindOfRead(flushed: Bool) throws {
        let database = try Database(path: folder("db"))
        let batch = database.makeBatch()
        for key in UInt8(0)..<100 { batch.put(.points, key: [key], value: [key]) }
        try database.write(batch, sync: false)
        if flushed { try database.flush() }
        batch.clear()
        batch.deleteRange(.points, from: [10], below: [20])
        try database.write(batch, sync: false)
        #expect(try database.get(.points, [9]) == [9])
        #expect(try database.get(.points, [10]) == nil)
        #expect(try database.get(.points, [20]) == [20])
        var found: [Bool] = []
        try database.multiGet(.points, keysBytes: [9, 10, 19, 20], keyEnds: [1, 2, 3, 4]) { _, value throws(KithError) in
            found.append(value != nil)
        }
        #expect(found == [true, false, false, true])
        #expect(try keys(database.iterator(.points, from: [8], below: [22])) == [[8], [9], [20], [21]])
    }

    @Test func manyRowsComeInTheOrderAsked() throws {
        let database = try Database(path: folder("db"))
        let batch = database.makeBatch()
        for key in 0..<1000 { batch.put(.points, key: Array("key \(key)".utf8), value: Array("\(key)".utf8)) }
        try database.write(batch, sync: false)
        let snapshot = database.snapshot()
        batch.clear()
        batch.put(.points, key: Array("key 7".utf8), value: Array("new".utf8))
        try database.write(batch, sync: false)

        let asked = [500, 7, 2000, 7, 0, 999, -1, 500]
        var bytes: [UInt8] = []
        var ends: [Int] = []
        for key in asked {
            bytes += Array("key \(key)".utf8)
            ends.append(bytes.count)
        }
        for (moment, seven) in [(snapshot, "7"), (nil, "new")] {
            var values: [String?] = []
            try database.multiGet(.points, keysBytes: bytes, keyEnds: ends, at: moment) { number, value throws(KithError) in
                #expect(number == values.count)
                values.append(value.map { String(decoding: $0, as: UTF8.self) })
            }
            #expect(values == ["500", seven, nil, seven, "0", "999", nil, "500"])
        }
        try database.multiGet(.points, keysBytes: [], keyEnds: []) { _, _ throws(KithError) in Issue.record("no keys") }
    }

    @Test func whatABodyThrowsComesOut() throws {
        let database = try Database(path: folder("db"))
        let batch = database.makeBatch()
        batch.put(.points, key: [1], value: [1])
        try database.write(batch, sync: false)
        let failure = KithError(.aborted, .corruption, "the body's own")
        #expect(throws: failure) {
            try database.multiGet(.points, keysBytes: [1, 1], keyEnds: [1, 2]) { _, _ throws(KithError) in throw failure }
        }
        #expect(throws: failure) {
            _ = try [UInt8(1)].withUnsafeBytes { key in
                try database.withValue(.points, key: key) { _ throws(KithError) -> Int in throw failure }
            }
        }
    }

    @Test func aSnapshotStaysAsItWas() throws {
        let database = try Database(path: folder("db"))
        let batch = database.makeBatch()
        batch.put(.points, key: [1], value: [1])
        try database.write(batch, sync: false)
        let snapshot = database.snapshot()
        batch.clear()
        batch.put(.points, key: [1], value: [2])
        batch.put(.points, key: [2], value: [2])
        try database.write(batch, sync: false)
        try database.flush()
        database.compactRange(.points)
        #expect(try database.get(.points, [1], at: snapshot) == [1])
        #expect(try database.get(.points, [2], at: snapshot) == nil)
        #expect(try keys(database.iterator(.points, from: [], at: snapshot)) == [[1]])
        #expect(try database.get(.points, [1]) == [2])
    }

    @Test func aSecondOpenerIsToldWhoIsThere() throws {
        let database = try Database(path: folder("db"))
        let error = #expect(throws: KithError.self) { try Database(path: folder("db")) }
        #expect(error?.code == .failedPrecondition)
        #expect(error?.message.contains(database.path) == true)
        #expect(error?.message.contains("open already") == true)
    }

    @Test func snapshotsAndIteratorsKeepTheDatabaseOpen() throws {
        var database: Database? = try Database(path: folder("db"))
        let iterator = try #require(try database?.iterator(.points, from: []))
        let snapshot = try #require(database?.snapshot())
        database = nil
        #expect(!iterator.isValid)
        #expect(throws: KithError.self) { try Database(path: folder("db")) }
        withExtendedLifetime((iterator, snapshot)) {}
    }

    @Test func aFolderThatCannotBeMadeIsAnError() {
        writeFile(folder("file"), [1])
        let error = #expect(throws: KithError.self) { try Database(path: folder("file/db")) }
        #expect(error?.reason == .storageFailure)
    }

    @Test func troubleReachesTheLog() throws {
        _ = try Database(path: folder("db"))
        for name in try Directory.names(in: folder("db")) where name.hasPrefix("MANIFEST") {
            writeFile(folder("db/\(name)"), [1, 2, 3])
        }
        let lines = Mutex<[String]>([])
        var options = Database.Options()
        options.log = { level, line in lines.withLock { $0.append("\(level) \(line)") } }
        #expect(throws: KithError.self) { try Database(path: folder("db"), options: options) }
        #expect(lines.withLock { $0.contains { $0.hasPrefix("warning") && $0.contains("Open() failed") } })
        #expect(try Directory.names(in: folder("db")).allSatisfy { $0 != "LOG" })
    }

    @Test func sizesAndPropertiesTellSomething() throws {
        let database = try Database(path: folder("db"))
        let batch = database.makeBatch()
        var random = SeededGenerator(seed: 1)
        for key in UInt8(0)..<200 { batch.put(.changes, key: [key], value: random.bytes(1000)) }
        try database.write(batch, sync: false)
        #expect(database.liveBytes > 200_000)
        try database.flush()
        #expect(try database.approximateBytes(.changes, from: [0], to: [255]) > 150_000)
        #expect(try database.approximateBytes(.points, from: [0], to: [255]) == 0)
        #expect(database.property("rocksdb.estimate-num-keys", of: .changes) == "200")
        #expect(database.property("no such property") == nil)
    }
}

/// The keys from where the iterator stands to its end.
func keys(_ iterator: RowIterator) throws -> [[UInt8]] {
    var keys: [[UInt8]] = []
    while iterator.isValid {
        keys.append(Array(iterator.key))
        try iterator.next()
    }
    return keys
}
