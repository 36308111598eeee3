/// What searches are measured against.
enum BruteForce {
    /// The nearest by squared Euclidean distance, nearest first.
    static func nearest(
        _ count: Int, to query: [Float], in points: [PointKey: [Float]]
    ) -> [(key: PointKey, distance: Float)] {
        let all = points.map { key, vector in
            (key: key, distance: zip(vector, query).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) })
        }
        return Array(all.sorted { $0.distance < $1.distance }.prefix(count))
    }
}

/// How much of what is nearest was found.
struct Recall {
    private var found = 0
    private var wanted = 0

    mutating func add(found: [PointKey], nearest: [PointKey]) {
        self.found += Set(found).intersection(nearest).count
        wanted += nearest.count
    }

    var share: Double { wanted == 0 ? 1 : Double(found) / Double(wanted) }
}
