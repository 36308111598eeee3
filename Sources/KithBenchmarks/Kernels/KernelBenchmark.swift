import CVectorKernels
import Foundation
import KithCore

/// Nanoseconds a distance, of every kernel at every level.
enum KernelBenchmark {
    static let description = Benchmark(
        name: "kernels", summary: "Nanoseconds a distance, by element type, metric, instruction set and dimension",
        options: [("dimension LIST", "with commas (128,384,768)")], run: run)

    /// Rows that stay in the cache nearest but one: kernels are measured, not memory.
    private static let workingBytes = 256 << 10

    private static func run(_ run: Run) throws(KithError) {
        let dimensions =
            try run.options.value("dimension") == nil
            ? run.pick(tiny: [128], moderate: [128, 384, 768], full: [128, 384, 768])
            : run.options.list("dimension", [128])
        let seconds = run.pick(tiny: 0.0002, moderate: 0.004, full: 0.02)
        for dimension in dimensions {
            var table = ResultTable("kernels", "kernels, \(dimension) dimensions: nanoseconds a distance (best of 5)")
            for element in ElementType.allCases {
                for metric in Metric.allCases where metric.accepts(element) {
                    try measure(element, metric, dimension, seconds, into: &table)
                }
            }
            run.report.add(table)
        }
    }

    private static func measure(
        _ element: ElementType, _ metric: Metric, _ dimension: Int, _ seconds: Double, into table: inout ResultTable
    ) throws(KithError) {
        let space = VectorSpace(name: "", dimension: dimension, element: element, metric: metric)
        let count = max(workingBytes / space.stride, 64)
        var stream = ClusteredVectors(space)
        let rows = try stream.take(count)
        let query = try stream.take(1)
        var random = SeededRandom(7)
        let slots = (0..<UInt32(count)).shuffled(using: &random)
        for level in 0..<UInt8(KITH_SIMD_LEVELS) {
            guard let kernel = kith_kernel_at(level, element.rawValue, metric.rawValue)?.pointee else { continue }
            let scale = kith_query_scale(element.rawValue, metric.rawValue, query.row(0), dimension)
            var out = [Float](repeating: 0, count: count)
            func nanoseconds(_ pass: () -> Void) -> Double { bestSeconds(seconds, pass) / Double(count) * 1e9 }
            let single = nanoseconds {
                for index in 0..<count { out[index] = kernel.distance(query.row(0), rows.row(index), dimension, scale) }
            }
            let gather = nanoseconds {
                kernel.gather(query.row(0), rows.row(0), space.stride, slots, count, dimension, scale, &out)
            }
            let scan = nanoseconds {
                kernel.scan(query.row(0), rows.row(0), space.stride, count, dimension, scale, &out)
            }
            table.add([
                "element": .text("\(element)"), "metric": .text("\(metric)"), "dimension": .count(dimension),
                "simd": .text(String(cString: kith_simd_name(level))), "single_ns": .decimal(single, places: 2),
                "gather_ns": .decimal(gather, places: 2), "scan_ns": .decimal(scan, places: 2),
            ])
        }
    }

    /// Seconds of one pass, the best of five rounds of `seconds`: other work only ever adds.
    private static func bestSeconds(_ seconds: Double, _ pass: () -> Void) -> Double {
        let clock = ContinuousClock()
        var best = Double.infinity
        for _ in 0..<5 {
            var passes = 0
            var took = 0.0
            let began = clock.now
            repeat {
                pass()
                passes += 1
                took = (clock.now - began).seconds
            } while took < seconds
            best = min(best, took / Double(passes))
        }
        return best
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
