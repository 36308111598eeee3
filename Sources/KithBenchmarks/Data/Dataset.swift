import KithCore
import KithIndex
import Synchronization

/// What is searched, what for, and how far away the right answers are.
struct Dataset: Sendable {
    /// Answers wanted of each query.
    static let topK = 10

    let name: String
    let base: VectorSet
    let queries: VectorSet
    /// By query, the distance of its true `topK`th neighbour: what is no farther is a right answer, whichever of equals it is.
    let radii: [Float]

    var space: VectorSpace { base.space }

    static let options: [(name: String, help: String)] = [
        ("base FILE", "vectors, .npy or .fvecs; without it they are made up"),
        ("queries FILE", "queries, likewise"),
        ("truth FILE", "exact neighbours, a row a query; without it they are computed"),
        ("count N", "vectors to make up, or to take of the file"),
        ("dimension N", "of vectors made up"),
        ("metric NAME", "cosine, dot, l2, l1, hamming or jaccard (l2)"),
        ("element NAME", "f32, f16, bf16, int8, uint8 or binary (f32)"),
    ]

    /// What the options ask for.
    ///
    /// - Parameter index: what the space's index is to be.
    init(_ run: Run, count: Int, dimension: Int, queries: Int, index: IndexDefinition) throws(KithError) {
        let options = run.options
        let metric = try options.choice("metric", Metric.l2)
        let element = try options.choice("element", ElementType.float32)
        guard metric.accepts(element) else { throw .usage("\(metric) does not compare \(element) vectors") }
        func space(_ dimension: Int) -> VectorSpace {
            VectorSpace(name: "", dimension: dimension, element: element, metric: metric, index: index)
        }
        if let path = options.value("base") {
            guard let queryPath = options.value("queries") else { throw .usage("--base needs --queries") }
            let file = try VectorFile(path)
            let limit = try options.number("count") ?? .max
            let base = try file.vectors(space(file.columns), limit: limit)
            let queryFile = try VectorFile(queryPath)
            guard queryFile.columns == file.columns else {
                throw .usage("\(queryPath) has dimension \(queryFile.columns), \(path) has \(file.columns)")
            }
            let queries = try queryFile.vectors(base.space)
            let truth =
                base.count == file.rows ? try options.value("truth").map { path throws(KithError) in try VectorFile(path) } : nil
            try self.init(name: path, base, queries, truth)
        } else {
            let dimension = try options.number("dimension") ?? dimension
            var stream = ClusteredVectors(space(dimension))
            let base = try stream.take(try options.number("count") ?? count)
            try self.init(name: "clustered", base, try stream.take(queries), nil)
        }
    }

    private init(name: String, _ base: VectorSet, _ queries: VectorSet, _ truth: VectorFile?) throws(KithError) {
        self.name = name
        self.base = base
        self.queries = queries
        guard let truth else {
            radii = try Dataset.exactRadii(base, queries)
            return
        }
        guard truth.rows >= queries.count, truth.columns >= min(Dataset.topK, base.count) else {
            throw .usage("\(truth.path) has \(truth.rows) x \(truth.columns) neighbours, too few for \(queries.count) queries")
        }
        radii = (0..<queries.count).map { query in
            let nearest = truth.integers(query).prefix(Dataset.topK).filter { $0 >= 0 && $0 < base.count }
            return nearest.map { base.distance(queries.row(query), $0) }.max() ?? -.infinity
        }
    }

    private static func exactRadii(_ base: VectorSet, _ queries: VectorSet) throws(KithError) -> [Float] {
        let index = try FlatIndex(base.context)
        return try InParallel.map(queries.count) { (query) throws(KithError) in
            let query = IndexQuery(vector: queries.row(query), topK: Dataset.topK, exact: true)
            return try index.search(query, in: base.snapshot).last?.distance ?? -.infinity
        }
    }

    /// The share of right answers among those wanted.
    func recall(_ answers: [[Int]]) -> Double {
        var found = 0
        for (query, answer) in answers.enumerated() {
            let right = answer.filter { base.distance(queries.row(query), $0) <= radii[query] }
            found += min(Set(right).count, Dataset.topK)
        }
        return Double(found) / Double(max(answers.count * min(Dataset.topK, base.count), 1))
    }
}
