internal import CGRPCShim
import KithCore

/// The C views that an event is encoded from, kept from event to event.
final class EventViews {
    // The images before lie in the first half, those after in the second.
    private let vectors = UnsafeMutablePointer<KithVectorImageView>.allocate(capacity: 2 * Limits.vectorSpaces)
    private var fields = UnsafeMutableBufferPointer<KithBytes>.allocate(capacity: 2 * Limits.vectorSpaces)

    deinit {
        vectors.deallocate()
        fields.deallocate()
    }

    enum Side: Int {
        case before = 0
        case after = 1
    }

    /// A point's image as a view, which stays until the next one of the same side.
    ///
    /// - Throws: `CORRUPTION` where the image names a vector space that the collection lacks.
    func image(
        _ image: PointImage?, _ side: Side, of point: KithPointIDView, policy: EventVectors, texts: CollectionTexts,
        feed: any ChangeFeed
    ) throws(KithError) -> KithPointImageView {
        guard let image else { return KithPointImageView() }
        let views = vectors + side.rawValue * Limits.vectorSpaces
        for (place, vector) in image.vectors.prefix(Limits.vectorSpaces).enumerated() {
            let space = Int(vector.space)
            guard space < texts.spaces.count else {
                throw KithError(.dataLoss, .corruption, "a change names vector space \(space), there are \(texts.spaces.count)")
            }
            let isErased = vector.digest == PointImage.VectorReference.erasedDigest
            let data = policy == .full && !isErased ? feed.vector(space: space, slot: vector.slot) : .empty
            views[place] = KithVectorImageView(
                space: KithBytes(texts.spaces[space].view), data: KithBytes(data), digest: policy == .none ? 0 : vector.digest)
        }
        return KithPointImageView(
            present: true, id: point, payload_json: KithBytes(image.payload), vectors: views,
            vector_count: min(image.vectors.count, Limits.vectorSpaces), version: image.version)
    }

    /// The texts as a list of views, which stays until the next one.
    func fields(_ ranges: [Range<Int>], of text: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<KithBytes> {
        if ranges.count > fields.count {
            fields.deallocate()
            fields = .allocate(capacity: 2 * ranges.count)
        }
        for (place, range) in ranges.enumerated() { fields[place] = KithBytes(text.view(range)) }
        return UnsafeBufferPointer(rebasing: fields[..<ranges.count])
    }
}

extension KithBytes {
    init(_ view: ByteView) {
        self.init(data: view.bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), size: view.count)
    }
}

extension UnsafeBufferPointer<UInt8> {
    func view(_ range: Range<Int>) -> ByteView { ByteView(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(self)[range])) }
}
