/// A point as a row: what the store keeps, and what the change log shows before and after.
///
/// Bytes: version (varint), number of vectors (varint), for each its space (1), slot (4, little-endian) and XXH3 digest (8); then the payload.
public struct PointImage: Sendable {
    /// Where a vector of the point lies.
    public struct VectorReference: Sendable, Hashable {
        /// Place of the space in the collection's list.
        public var space: UInt8
        /// The row of the space's segments that holds the vector.
        public var slot: UInt32
        /// XXH3-64 of its bytes.
        public var digest: UInt64

        /// Stands for the digest of a vector that was erased.
        public static let erasedDigest: UInt64 = 0

        public init(space: UInt8, slot: UInt32, digest: UInt64) {
            self.space = space
            self.slot = slot
            self.digest = digest
        }
    }

    /// Grows with every change of the shard; never used twice.
    public var version: UInt64
    public var vectors: [VectorReference]
    /// A JSON object, or empty.
    public var payload: ByteView

    public init(version: UInt64, vectors: [VectorReference], payload: ByteView) {
        self.version = version
        self.vectors = vectors
        self.payload = payload
    }

    /// The same without what it says of the point: where its vectors lie stays, for recovery goes by that.
    public var erased: PointImage {
        var erased = self
        erased.payload = .empty
        for place in vectors.indices { erased.vectors[place].digest = VectorReference.erasedDigest }
        return erased
    }

    /// Reads a row; the payload borrows from `bytes`.
    public init(decoding bytes: UnsafeRawBufferPointer) throws(KithError) {
        var reader = ByteReader(bytes)
        version = try reader.varint()
        let count = try reader.varint()
        guard count <= UInt64(Limits.vectorSpaces) else {
            throw KithError(.dataLoss, .corruption, "a point row names \(count) vectors")
        }
        vectors = []
        vectors.reserveCapacity(Int(count))
        for _ in 0..<count {
            vectors.append(
                VectorReference(
                    space: try reader.byte(), slot: try reader.littleEndian(), digest: try reader.littleEndian()))
        }
        payload = ByteView(try reader.take(bytes.count - reader.offset))
    }

    /// Adds the row to `bytes`.
    public func encode(into bytes: inout [UInt8]) {
        bytes.appendVarint(version)
        bytes.appendVarint(UInt64(vectors.count))
        for vector in vectors {
            bytes.append(vector.space)
            bytes.appendLittleEndian(vector.slot)
            bytes.appendLittleEndian(vector.digest)
        }
        bytes.append(contentsOf: payload.bytes)
    }
}
