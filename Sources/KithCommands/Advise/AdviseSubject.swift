import KithAPI
import KithCollections
import KithCore

/// What advice is asked for: a space, how many vectors, and perhaps some of them.
struct AdviseSubject {
    let space: VectorSpace
    let vectors: Int
    let sample: VectorSample?

    private static let usualSample = 50_000
    /// Fewer say too little.
    private static let smallestSample = 2_000

    init(_ arguments: Arguments) throws(KithError) {
        let size = try arguments.number("sample-size", Self.smallestSample...10_000_000) ?? Self.usualSample
        if let name = arguments.value("collection") {
            self = try Connection.with(arguments) { client throws(KithError) in
                try AdviseSubject(name, client, sampleSize: size)
            }
            return
        }
        guard let vectors = try arguments.number("vectors", 1...Int(Limits.graphSlots)) else {
            throw .usage("--vectors or --collection is missing", key: "vectors")
        }
        self.vectors = vectors
        let file = try arguments.value("sample").map { (path) throws(KithError) in try AdviseSubject.open(path) }
        let element = try arguments.choice("element", NewCollection.elements)
        if let file, let element, element != file.element {
            throw .usage("--element is \(element), the sample holds \(file.element)", key: "element")
        }
        let first = try file?.next()
        let dimension = try arguments.number("dimension", 1...Limits.dimension)
        guard
            let dimension = first.flatMap({ bytes in file.map { bytes.count / $0.element.byteCount(dimension: 1) } }) ?? dimension
        else { throw .usage("--dimension or --sample is missing", key: "dimension") }
        let metric = try arguments.choice("metric", Metric.allCases.map { ("\($0)", $0) }) ?? .cosine
        space = VectorSpace(name: "", dimension: dimension, element: file?.element ?? element ?? .float32, metric: metric)
        guard let file, let first else {
            sample = nil
            return
        }
        let sample = try VectorSample(space, capacity: size)
        try sample.append(first)
        while !sample.isFull, let vector = try file.next() { try sample.append(vector) }
        self.sample = try AdviseSubject.checked(sample)
    }

    private init(_ name: String, _ client: KithClient, sampleSize: Int) throws(KithError) {
        guard let summary = try client.collection(name).vectorSpaces.first, let element = summary.element,
            let metric = Metric.allCases.first(where: { $0.wireName == summary.metric })
        else { throw .usage("collection '\(name)' has no vectors", key: "collection") }
        space = VectorSpace(name: summary.name, dimension: summary.dimension, element: element, metric: metric)
        vectors = Int(try client.count(name))
        let sample = try VectorSample(space, capacity: sampleSize)
        try client.export(name, payload: false, vectors: true) { points throws(KithError) in
            for point in points {
                for vector in point.vectors where vector.space == summary.name {
                    if case .bytes(let bytes, _) = vector.components { try sample.append(bytes) }
                }
            }
            return !sample.isFull
        }
        self.sample = try AdviseSubject.checked(sample)
    }

    private static func open(_ path: String) throws(KithError) -> any VectorFile {
        guard let file = try FileFormat(path: path)?.vectorFile(path) else {
            throw .usage("'\(path)' is no .npy, .fvecs or .bvecs file", key: "sample")
        }
        return file
    }

    private static func checked(_ sample: VectorSample) throws(KithError) -> VectorSample {
        guard sample.vectors >= smallestSample else {
            throw .usage("a sample of \(sample.vectors) vectors says too little; \(smallestSample) are wanted", key: "sample")
        }
        return sample
    }
}
