import CVectorKernels
import KithCore
import KithIndex
import Testing

// One new metric, one new quantizer, one new kind: all there is to write, and to register.

extension CustomMetric {
    /// The sum of |a - b| / (|a| + |b|): Lance and Williams, 1966.
    fileprivate static let canberra = CustomMetric(name: "canberra", elements: [.float32]) { query, row, dimension, _ in
        let (query, row) = (query.assumingMemoryBound(to: Float.self), row.assumingMemoryBound(to: Float.self))
        var sum: Float = 0
        for index in 0..<dimension where query[index] != row[index] {
            sum += abs(query[index] - row[index]) / (abs(query[index]) + abs(row[index]))
        }
        return sum
    }
}

/// The sign and nothing else, but of the components that vary most: a quantizer of no use, which shows that one is possible.
private struct EveryOtherSign: Codebook {
    let width: Int

    var payloadBytes: Int { width / 8 }
    var kernel: kith_code_kernel { kith_code_kernel_for(UInt8(KITH_CODES_PACKED))!.pointee }
    var hasBlocks: Bool { false }
    var hasErrorBound: Bool { false }

    func encode(_ residual: UnsafePointer<Float>, into payload: UnsafeMutableRawPointer, decoded: UnsafeMutablePointer<Float>) {
        var bits = [UInt8](repeating: 0, count: width)
        for index in 0..<width {
            bits[index] = residual[index] >= 0 ? 1 : 0
            decoded[index] = Float(bits[index]) - 0.5
        }
        kith_codes_pack(bits, width, 1, payload)
    }

    func prepare(_ placed: UnsafePointer<Float>, _ query: CodeQuery) {
        let rounded = query.room(width).assumingMemoryBound(to: Int8.self)
        let unit = kith_codes_round_query(placed, width, rounded)
        query.query.unit = unit
        query.query.offset = -unit * Float((0..<width).reduce(0) { $0 + Int(rounded[$1]) }) / 2
        query.query.data = UnsafeRawPointer(rounded)
        query.query.count = width
        query.query.bits = 1
    }

    func serialize(into bytes: inout [UInt8]) {}
}

private struct EveryOtherSignMaker: CodebookMaker {
    var kind: String { "signs" }
    var parameterNames: [String] { [] }

    func check(_ parameters: QuantizerParameters, _ space: VectorSpace) throws(KithError) {}
    func rotation(_ parameters: QuantizerParameters) -> RotationKind { .random }
    func train(
        _ sample: TrainingSample, _ parameters: QuantizerParameters, rotation: inout Rotation
    ) throws(KithError) -> any Codebook { EveryOtherSign(width: sample.width) }
    func restore(_ reader: inout ByteReader, width: Int) throws(KithError) -> any Codebook { EveryOtherSign(width: width) }
}

/// Exact, and backwards: the rows of a flat index, whatever its parameters.
private struct PatientIndexMaker: VectorIndexMaker {
    var kind: String { "patient" }

    func check(_ space: VectorSpace) throws(KithError) {}
    func sectionCapacities(_ space: VectorSpace) -> [String: Int] { [:] }
    func make(_ context: IndexContext) throws(KithError) -> any VectorIndex { try FlatIndex(context) }
    func restore(_ context: IndexContext, from checkpoint: RestoredCheckpoint) throws(KithError) -> any VectorIndex {
        try FlatIndex(context)
    }
}

@Suite struct NewPartsTests {
    @Test("a kind, a quantizer and a metric of one's own work together once registered")
    func registers() throws {
        let quantizers = QuantizerRegistry([EveryOtherSignMaker()])
        let registry = IndexRegistry(
            [PatientIndexMaker()] + IVFIndexMaker.all(quantizers), metrics: MetricRegistry([.canberra]))
        #expect(registry.kinds == ["ivf_flat", "ivf_signs", "patient"])

        let patient = try TestRows(.test(8, .float32, .l1, index: "patient", ["metric": "canberra"]), capacity: 500)
        patient.appendRandom(500)
        try registry.maker("patient").check(patient.space)
        let exact = try registry.maker("patient").make(patient.context)
        let query = patient.randomVector()
        let answer = try exact.search(IndexQuery(vector: patient.query(query), topK: 500), in: patient.snapshot())
        #expect(answer.count == 500)
        for neighbour in answer {
            let row = patient.rows.row(neighbour.slot).assumingMemoryBound(to: Float.self)
            let expected = (0..<8).reduce(Float(0)) { $0 + abs(query[$1] - row[$1]) / (abs(query[$1]) + abs(row[$1])) }
            #expect(abs(neighbour.distance - expected) < 1e-4)
        }

        let coded = try TestRows(
            .test(32, index: "ivf_signs", ["train_at": "500", "lists": "10", "probes": "10", "rescore": "30"]), capacity: 2_000)
        coded.appendClustered(2_000)
        try registry.maker("ivf_signs").check(coded.space)
        let index = try registry.maker("ivf_signs").make(coded.context)
        try index.linkAll(upTo: 2_000)
        #expect(try coded.recall(index) > 0.9)
    }
}
