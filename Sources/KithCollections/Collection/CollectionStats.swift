import KithCore
public import KithIndex
import KithStorage

/// Figures of a collection, taken without stopping anybody: they may be a commit apart.
public struct CollectionStats: Sendable {
    /// One vector space, summed over all shards.
    public struct Space: Sendable {
        public var name: String
        public var vectors = 0
        /// Of overwritten and deleted points; not among `vectors`.
        public var deadVectors = 0
        public var linkedVectors = 0
        /// That wait to be linked; 0 for an index that links nothing.
        public var tailVectors = 0
        /// Disk blocks that the segments take.
        public var vectorBytes = 0
        /// Codes, links beside them, ids and versions.
        public var memoryBytes = 0
        /// Vectors, and links in a file, that searches may map; and those that they read.
        public var mappedBytes = 0
        public var readBytes = 0
        /// What goes on with its index.
        public var maintenance: IndexMaintenance
        /// Of searches lately; nil where nothing was measured.
        public var measuredRecall: MeasuredRecall?
        /// Of shards whose index has measured what recall takes.
        public var calibrations: [Calibration] = []
    }

    /// What one shard's index has measured.
    public struct Calibration: Sendable {
        public var shard: UInt16
        public var calibration: IndexCalibration
    }

    /// One shard and its change log.
    public struct Shard: Sendable {
        public var shard: UInt16
        public var points: UInt64
        /// Of the last commit.
        public var position: UInt64
        /// Of the first commit that the change log keeps.
        public var firstPosition: UInt64
        public var changeLogBytes: UInt64
    }

    public var name: String
    public var points: UInt64
    public var spaces: [Space]
    public var shards: [Shard]
}

extension Collection {
    /// - Complexity: O(slots): the dead are counted.
    public var stats: CollectionStats {
        let definition = definition
        var spaces = definition.spaces.enumerated().map {
            CollectionStats.Space(name: $1.name, maintenance: maintenance(space: $0))
        }
        var figures: [CollectionStats.Shard] = []
        for shard in shards {
            let view = shard.current()
            figures.append(
                CollectionStats.Shard(
                    shard: shard.id.shard, points: view.points, position: view.position,
                    firstPosition: view.firstPosition, changeLogBytes: view.logBytes))
            for (number, space) in shard.spaces.enumerated() {
                let slots = view.slotCounts[number]
                let index = space.index
                let dead = (0..<slots).count { space.rows.deaths.isDead($0) }
                spaces[number].vectors += Int(slots) - dead
                spaces[number].deadVectors += dead
                spaces[number].linkedVectors += index.linkableSlots > 0 ? Int(min(index.linkedCount, slots)) : 0
                spaces[number].tailVectors += MaintainedIndex.tail(of: index, slotCount: slots)
                spaces[number].vectorBytes += space.segments.diskBytes
                spaces[number].memoryBytes += space.fixedMemoryBytes(slotCount: slots)
                spaces[number].mappedBytes += space.tieredBytes.mapped
                spaces[number].readBytes += space.tieredBytes.read
                if let calibration = (index as? any CalibratedIndex)?.calibration {
                    spaces[number].calibrations.append(
                        CollectionStats.Calibration(shard: shard.id.shard, calibration: calibration))
                }
            }
        }
        for number in spaces.indices { spaces[number].measuredRecall = measuredRecall(space: number) }
        return CollectionStats(
            name: definition.name, points: figures.reduce(0) { $0 + $1.points }, spaces: spaces, shards: figures)
    }
    /// Of searches lately, over all shards; nil where nothing was measured.
    func measuredRecall(space: Int) -> MeasuredRecall? {
        MeasuredRecall.combined(shards.compactMap { $0.spaces[space].recallMeter.measured })
    }
}
