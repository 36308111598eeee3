import CVectorKernels
import KithCore
import KithIndex

/// What each quantizer costs and finds: bytes a vector, time to encode and to estimate a distance, recall before and after rescoring.
enum CodeBenchmark {
    static let description = Benchmark(
        name: "codes", summary: "Quantizers: bytes, nanoseconds an estimate by instruction set, and recall@10 of estimates alone",
        options: Dataset.options, run: run)

    /// A quantizer, its parameters, and the kernel that reads its codes.
    private struct Choice {
        var kind: String
        var parameters: [String: String] = [:]
        var form = KITH_CODES_PACKED

        var name: String { ([kind] + parameters.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }).joined(separator: " ") }
    }

    private static let choices =
        [1, 2, 3, 4, 5, 6, 7, 8].map { Choice(kind: "rabitq", parameters: ["bits": "\($0)"]) } + [
            Choice(kind: "scalar", parameters: ["bits": "8"]), Choice(kind: "scalar", parameters: ["bits": "4"]),
            Choice(kind: "scalar", parameters: ["bits": "8", "scale": "global"]),
            Choice(kind: "scalar", parameters: ["bits": "4", "scale": "global"]),
            Choice(kind: "pq", parameters: ["bits": "4"], form: KITH_CODES_TABLE4),
            Choice(kind: "pq", parameters: ["bits": "8"], form: KITH_CODES_TABLE8),
            Choice(kind: "opq", parameters: ["bits": "4"], form: KITH_CODES_TABLE4),
            Choice(kind: "binary", form: KITH_CODES_SIGNS),
        ]

    /// Codes that stay in the cache nearest but one: kernels are measured, not memory.
    private static let workingBytes = 128 << 10
    /// Estimates compared in full, for each of ten wanted.
    private static let rescored = [2, 5, 20]

    private static func run(_ run: Run) throws(KithError) {
        let data = try Dataset(
            run, count: run.pick(tiny: 1_500, moderate: 20_000, full: 100_000),
            dimension: run.pick(tiny: 32, moderate: 128, full: 128), queries: run.pick(tiny: 20, moderate: 200, full: 500),
            index: IndexDefinition(kind: "flat"))
        let title = "\(data.name), \(data.space.dimension) dimensions, \(data.space.metric)"
        var recalls = ResultTable("codes", "codes, \(title)")
        var times = ResultTable("code kernels", "code kernels, \(title): nanoseconds an estimate (best of 5)")
        for choice in choices { try measure(choice, data, run, &recalls, &times) }
        run.report.add(recalls)
        run.report.add(times)
    }

    private static func measure(
        _ choice: Choice, _ data: Dataset, _ run: Run, _ recalls: inout ResultTable, _ times: inout ResultTable
    ) throws(KithError) {
        let rows = data.base.context.rows
        let count = data.base.count
        let sampled = min(count, Limits.quantizerSample)
        let clock = ContinuousClock()
        let began = clock.now
        let quantizer = try QuantizerRegistry.builtIn.train(
            choice.kind, QuantizerParameters(choice.parameters), data.space, rows: rows,
            slots: (0..<sampled).map { UInt32($0 * count / sampled) })
        let trained = clock.now
        let codes = UnsafeMutableRawPointer.allocate(byteCount: count * quantizer.codeBytes, alignment: 64)
        defer { codes.deallocate() }
        let scratch = CodeScratch()
        for row in 0..<count { quantizer.encode(data.base.row(row), into: codes + row * quantizer.codeBytes, scratch) }
        let encoded = clock.now
        let found = recall(quantizer, data, codes)
        recalls.add([
            "quantizer": .text(choice.name), "bytes": .count(quantizer.codeBytes),
            "train_seconds": .decimal((trained - began).seconds, places: 2),
            "encode_us": .decimal((encoded - trained).seconds / Double(count) * 1e6, places: 2),
            "recall": .decimal(found[0], places: 4), "rescored_2x": .decimal(found[1], places: 4),
            "rescored_5x": .decimal(found[2], places: 4), "rescored_20x": .decimal(found[3], places: 4),
        ])
        time(choice, quantizer, data, codes, run, &times)
    }

    // MARK: Time

    private static func time(
        _ choice: Choice, _ quantizer: Quantizer, _ data: Dataset, _ codes: UnsafeMutableRawPointer, _ run: Run,
        _ table: inout ResultTable
    ) {
        let (query, scratch) = (CodeQuery(), CodeScratch())
        let seconds = run.pick(tiny: 0.0002, moderate: 0.004, full: 0.02)
        let count = min(data.base.count, max(workingBytes / quantizer.codeBytes, 32)) / 32 * 32
        let out = UnsafeMutablePointer<Float>.allocate(capacity: count)
        defer { out.deallocate() }
        let prepare = bestSeconds(seconds) { quantizer.prepare(data.queries.row(0), query, scratch) }
        let blockBytes = quantizer.blockBytes ?? 0
        let blocks = UnsafeMutableRawPointer.allocate(byteCount: max(count / 32 * blockBytes, 1), alignment: 64)
        defer { blocks.deallocate() }
        for index in 0..<count where blockBytes > 0 {
            quantizer.store(codes + index * quantizer.codeBytes, inBlock: blocks + index / 32 * blockBytes, at: index % 32)
        }
        for level in 0..<UInt8(KITH_SIMD_LEVELS) {
            guard let kernel = kith_code_kernel_at(level, UInt8(choice.form))?.pointee else { continue }
            query.kernel = kernel
            let scan = bestSeconds(seconds) { query.scan(codes, stride: quantizer.codeBytes, count: count, into: out) }
            let block = bestSeconds(blockBytes > 0 ? seconds : 0) {
                if blockBytes > 0 { query.scanBlocks(blocks, stride: blockBytes, count: count / 32, into: out) }
            }
            table.add([
                "quantizer": .text(choice.name), "simd": .text(String(cString: kith_simd_name(level))),
                "prepare_us": .decimal(prepare * 1e6, places: 2), "scan_ns": .decimal(scan / Double(count) * 1e9, places: 2),
                "block_ns": blockBytes > 0 ? .decimal(block / Double(count) * 1e9, places: 2) : .none,
            ])
        }
    }

    /// Seconds of one pass, the best of five rounds: other work only ever adds.
    private static func bestSeconds(_ seconds: Double, _ pass: () -> Void) -> Double {
        let clock = ContinuousClock()
        var best = Double.infinity
        for _ in 0..<5 {
            var passes = 0
            let began = clock.now
            repeat {
                pass()
                passes += 1
            } while (clock.now - began).seconds < seconds
            best = min(best, (clock.now - began).seconds / Double(passes))
        }
        return best
    }

    // MARK: Recall

    /// Of estimates alone, then of those compared in full.
    private static func recall(_ quantizer: Quantizer, _ data: Dataset, _ codes: UnsafeMutableRawPointer) -> [Double] {
        let (query, scratch) = (CodeQuery(), CodeScratch())
        let topK = Dataset.topK
        var estimates = [Float](repeating: 0, count: data.base.count)
        var answers: [[[Int]]] = Array(repeating: [], count: rescored.count + 1)
        for number in 0..<data.queries.count {
            let vector = data.queries.row(number)
            quantizer.prepare(vector, query, scratch)
            query.scan(codes, stride: quantizer.codeBytes, count: data.base.count, into: &estimates)
            let nearest = estimates.indices.sorted { estimates[$0] < estimates[$1] }.prefix(topK * (rescored.max() ?? 1))
            answers[0].append(Array(nearest.prefix(topK)))
            for (place, factor) in rescored.enumerated() {
                let exact = nearest.prefix(topK * factor).map { (distance: data.base.distance(vector, $0), slot: $0) }
                answers[place + 1].append(exact.sorted { $0.distance < $1.distance }.prefix(topK).map(\.slot))
            }
        }
        return answers.map { data.recall($0) }
    }
}
