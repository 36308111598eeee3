/// A slot and its distance as one number, which orders as results do: nearer first, then the smaller slot.
///
/// Heaps of ranks compare one integer where heaps of pairs compare twice and branch.
struct Rank: Equatable {
    let bits: UInt64

    @inline(__always)
    init(bits: UInt64) { self.bits = bits }

    @inline(__always)
    init(distance: Float, slot: UInt32) {
        // Adding zero makes -0 equal to +0. Negative numbers are flipped whole, so that they order as integers.
        let pattern = (distance + 0).bitPattern
        let ordered = pattern & 0x8000_0000 == 0 ? pattern | 0x8000_0000 : ~pattern
        bits = UInt64(ordered) << 32 | UInt64(slot)
    }

    @inline(__always)
    var slot: UInt32 { UInt32(truncatingIfNeeded: bits) }

    @inline(__always)
    var distance: Float {
        let ordered = UInt32(truncatingIfNeeded: bits >> 32)
        return Float(bitPattern: ordered & 0x8000_0000 == 0 ? ~ordered : ordered & 0x7FFF_FFFF)
    }

    var neighbour: Neighbour { Neighbour(distance: distance, slot: slot) }
}
