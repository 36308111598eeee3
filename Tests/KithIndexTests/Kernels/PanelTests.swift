import CVectorKernels
import KithCore
import KithIndex
import Testing

@Suite struct PanelTests {
    private static let rowCount = 31
    private static let queryCount = 5

    static let cases = KernelCase.all.filter { kith_panel_can_compare($0.element.rawValue, $0.metric.rawValue) }

    @Test("no pair within its query's limit is left out, and hardly another is answered", arguments: cases)
    func bounds(_ test: KernelCase) throws {
        let kernel = try #require(kith_kernel_for(test.element.rawValue, test.metric.rawValue)).pointee
        let scan = try #require(kith_panel_kernel_at(test.level)).pointee
        for dimension in [1, 7, 64, 130] {
            // No multiple of the rows that a kernel takes at once, and fewer queries than it has places for.
            let vectors = try TestRows(.test(dimension, test.element, test.metric), capacity: Self.rowCount + Self.queryCount)
            vectors.appendRandom(Self.rowCount + Self.queryCount)
            let panel = Panel(test, scan, dimension)
            var expected = Set<[UInt32]>()
            for place in 0..<Self.queryCount {
                let query = vectors.rows.row(UInt32(Self.rowCount + place))
                let scale = kith_query_scale(test.element.rawValue, test.metric.rawValue, query, dimension)
                let distances = (0..<UInt32(Self.rowCount)).map { kernel.distance(query, vectors.rows.row($0), dimension, scale) }
                let limit = distances.sorted()[9]
                panel.place(query, place, limit)
                for (row, distance) in distances.enumerated() where distance <= limit {
                    expected.insert([UInt32(row), UInt32(place)])
                }
            }
            let found = panel.pairs(vectors.rows, Self.rowCount).filter { $0[1] < Self.queryCount }
            #expect(expected.isSubset(of: found), "\(dimension) dimensions")
            // In one dimension angles are all alike.
            if dimension > 1 { #expect(found.count <= expected.count + Self.queryCount, "\(dimension) dimensions") }
        }
    }

    /// A panel and its memory.
    private final class Panel {
        private let test: KernelCase
        private let kernel: kith_panel_kernel
        private let dimension: Int
        private let components, bias, limits: UnsafeMutablePointer<Float>

        init(_ test: KernelCase, _ kernel: kith_panel_kernel, _ dimension: Int) {
            (self.test, self.kernel, self.dimension) = (test, kernel, dimension)
            func floats(_ count: Int, _ value: Float) -> UnsafeMutablePointer<Float> {
                let floats = UnsafeMutablePointer<Float>.allocate(capacity: count)
                floats.initialize(repeating: value, count: count)
                return floats
            }
            (components, bias) = (floats(kernel.width * dimension, 0), floats(kernel.width, 0))
            limits = floats(kernel.width, -.infinity)
        }

        deinit { for floats in [components, bias, limits] { floats.deallocate() } }

        func place(_ query: UnsafeRawPointer, _ place: Int, _ limit: Float) {
            let (element, metric) = (test.element.rawValue, test.metric.rawValue)
            kith_panel_place(element, metric, query, dimension, kernel.width, place, components, bias)
            limits[place] = limit
        }

        func pairs(_ rows: VectorRows, _ count: Int) -> Set<[UInt32]> {
            let floats = UnsafeMutablePointer<Float>.allocate(capacity: count * (dimension + 2))
            let found = UnsafeMutablePointer<kith_panel_pair>.allocate(capacity: count * kernel.width)
            defer {
                floats.deallocate()
                found.deallocate()
            }
            var ready = kith_panel_ready(
                test.element.rawValue, test.metric.rawValue, rows.base, rows.stride, count, dimension, floats + 2 * count, floats,
                floats + count)
            var panel = kith_panel(dimension: dimension, components: components, bias: bias, limit: limits)
            return Set((0..<kernel.scan(&panel, &ready, found)).map { [found[$0].row, found[$0].query] })
        }
    }
}
