import KithCore

/// When a shard gave which versions to points, in marks: what was committed by when, without a time in each point.
///
/// A mark says that versions up to its own were given at its time or before. Marks thin out as they age: an answer is late by a sixty-fourth of the
/// age at most, and a hundred years take some 2,500 marks of 16 bytes.
package struct VersionTimes: Equatable {
    package struct Mark: Equatable {
        /// Microseconds since 1970.
        package var time: Int64
        package var version: UInt64

        package init(time: Int64, version: UInt64) {
            self.time = time
            self.version = version
        }
    }

    private static let coarseness: Int64 = 64

    package private(set) var marks: [Mark] = []

    package init() {}

    /// Adds a mark; where the clock went back, none.
    package mutating func note(_ version: UInt64, at time: Int64) {
        guard marks.last.map({ $0.time < time && $0.version < version }) ?? true else { return }
        marks.append(Mark(time: time, version: version))
        var kept: [Mark] = []
        for (number, mark) in marks.enumerated() {
            if let last = kept.last, number + 1 < marks.count {
                let next = marks[number + 1]
                if next.time - last.time <= (time - next.time) / VersionTimes.coarseness { continue }
            }
            kept.append(mark)
        }
        marks = kept
    }

    /// The last version that is known to have been given at `time` or before; 0 where none is.
    package func version(by time: Int64) -> UInt64 { marks.last { $0.time <= time }?.version ?? 0 }

    init(decoding bytes: UnsafeRawBufferPointer) throws(KithError) {
        var reader = ByteReader(bytes)
        while !reader.isAtEnd {
            let time: UInt64 = try reader.littleEndian()
            marks.append(Mark(time: Int64(bitPattern: time), version: try reader.littleEndian()))
        }
    }

    func encode(into bytes: inout [UInt8]) {
        for mark in marks {
            bytes.appendLittleEndian(UInt64(bitPattern: mark.time))
            bytes.appendLittleEndian(mark.version)
        }
    }
}
