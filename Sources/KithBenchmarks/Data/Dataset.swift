import KithCore
import KithIndex

/// What is searched, what for, and what the right answers are.
struct Dataset: Sendable {
    /// Answers wanted of each query.
    static let topK = 10

    let name: String
    let base: VectorSet
    let queries: VectorSet
    let truth: Truth

    var space: VectorSpace { base.space }

    static let options: [(name: String, help: String)] = [
        ("base FILE", "vectors, .npy or .fvecs; without it they are made up"),
        ("queries FILE", "queries, likewise"),
        ("truth FILE", "exact neighbours, a row a query; without it they are computed"),
        ("count N", "vectors to make up, or to take of the file"),
        ("query-count N", "queries to make up, or to take of the file"),
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
            let queries = try queryFile.vectors(base.space, limit: try options.number("query-count") ?? .max)
            // Neighbours among all are none among some.
            let truth = base.count == file.rows ? options.value("truth") : nil
            try self.init(name: path, base, queries, truth)
        } else {
            let dimension = try options.number("dimension") ?? dimension
            var stream = ClusteredVectors(space(dimension))
            let base = try stream.take(try options.number("count") ?? count)
            try self.init(name: "clustered", base, try stream.take(try options.number("query-count") ?? queries), nil)
        }
    }

    private init(name: String, _ base: VectorSet, _ queries: VectorSet, _ truth: String?) throws(KithError) {
        self.name = name
        self.base = base
        self.queries = queries
        if let truth {
            self.truth = try Truth(try VectorFile(truth), base, queries)
        } else {
            self.truth = try Truth(exact: base, queries, in: base.snapshot)
        }
    }

    func recall(_ answers: [[Int]]) -> Double { truth.recall(answers, base, queries) }
}
