internal import CVectorKernels
internal import KithCore

/// Lloyd's k-means over float32 rows, begun as k-means++ (Arthur and Vassilvitskii, 2007), in steps short enough for a background thread.
///
/// The same rows and seed give the same centres.
final class KMeans {
    let rows: [Float]
    let count: Int
    let width: Int
    private(set) var centres: [Float] = []
    private(set) var centreCount = 0
    private(set) var iterationsLeft: Int
    /// The mean squared distance of rows to their centres, of the last iteration.
    private(set) var meanError: Float = .infinity

    private let wanted: Int
    private let threads: Int
    private var random: UInt64
    private var nearest: [UInt32]
    private var distances: [Float]

    /// - Parameter centres: wanted; at most `count` are made.
    init(rows: [Float], width: Int, centres wanted: Int, iterations: Int, seed: UInt64, threads: Int = 1) {
        self.rows = rows
        self.width = width
        count = rows.count / width
        self.wanted = min(max(wanted, 1), max(count, 1))
        self.threads = threads
        iterationsLeft = iterations
        random = seed
        nearest = [UInt32](repeating: 0, count: count)
        distances = [Float](repeating: .infinity, count: count)
    }

    var isDone: Bool { centreCount == wanted && iterationsLeft == 0 }

    /// One short piece of the work: some first centres, or one iteration.
    func step() {
        if centreCount < wanted {
            for _ in 0..<min(wanted - centreCount, 64) { addFirstCentre() }
        } else if iterationsLeft > 0 {
            iterate()
            iterationsLeft -= 1
        }
    }

    func run() -> [Float] {
        while !isDone { step() }
        return centres
    }

    // MARK: First centres

    /// Takes a row as a centre, with a probability in proportion to its squared distance from those there are.
    private func addFirstCentre() {
        let row = centreCount == 0 ? Int(nextRandom() % UInt64(max(count, 1))) : drawFarRow()
        guard count > 0 else {
            centres = [Float](repeating: 0, count: width)
            centreCount = 1
            return
        }
        centres += rows[row * width..<(row + 1) * width]
        centreCount += 1
        let centre = Array(rows[row * width..<(row + 1) * width])
        rows.withUnsafeBufferPointer { rows in
            centre.withUnsafeBufferPointer { centre in
                distances.withUnsafeMutableBufferPointer { distances in
                    let kernel = FloatKernels.l2
                    for index in 0..<count {
                        let distance = kernel.distance(centre.baseAddress!, rows.baseAddress! + index * width, width, 1)
                        if distance < distances[index] { distances[index] = distance }
                    }
                }
            }
        }
    }

    private func drawFarRow() -> Int {
        var total = 0.0
        for distance in distances where distance.isFinite { total += Double(distance) }
        var left = Double(nextRandom() >> 11) / Double(1 << 53) * total
        for (index, distance) in distances.enumerated() where distance.isFinite {
            left -= Double(distance)
            if left < 0 { return index }
        }
        // All rows lie on centres: any will do.
        return Int(nextRandom() % UInt64(count))
    }

    private func nextRandom() -> UInt64 {
        random &+= 1
        return mixBits(random)
    }

    // MARK: Iterations

    private func iterate() {
        assign()
        var sums = [Double](repeating: 0, count: wanted * width)
        var sizes = [Int](repeating: 0, count: wanted)
        rows.withUnsafeBufferPointer { rows in
            sums.withUnsafeMutableBufferPointer { sums in
                for index in 0..<count {
                    let centre = Int(nearest[index])
                    sizes[centre] += 1
                    let (to, from) = (sums.baseAddress! + centre * width, rows.baseAddress! + index * width)
                    for component in 0..<width { to[component] += Double(from[component]) }
                }
            }
        }
        for centre in 0..<wanted where sizes[centre] > 0 {
            for component in 0..<width {
                centres[centre * width + component] = Float(sums[centre * width + component] / Double(sizes[centre]))
            }
        }
        fillEmpty(&sizes)
    }

    private func assign() {
        let (count, width, wanted) = (count, width, wanted)
        rows.withUnsafeBufferPointer { rows in
            centres.withUnsafeBufferPointer { centres in
                nearest.withUnsafeMutableBufferPointer { nearest in
                    distances.withUnsafeMutableBufferPointer { distances in
                        guard let first = rows.baseAddress, let nearest = nearest.baseAddress else { return }
                        let source = SharedFloats(base: UnsafeMutablePointer(mutating: first))
                        let centres = SharedFloats(base: UnsafeMutablePointer(mutating: centres.baseAddress!))
                        let (found, away) = (SharedIndices(base: nearest), SharedFloats(base: distances.baseAddress!))
                        GentleThreads.run(count, threads: threads) { range in
                            NearestCentre.find(
                                source.base, range, width: width, centres: centres.base, count: wanted, found.base, away.base)
                        }
                    }
                }
            }
        }
        meanError = distances.reduce(0, +) / Float(max(count, 1))
    }

    /// Gives a centre that nothing is near half of the rows of the greatest, by placing both beside its old place.
    private func fillEmpty(_ sizes: inout [Int]) {
        for centre in 0..<wanted where sizes[centre] == 0 {
            guard let greatest = sizes.indices.max(by: { sizes[$0] < sizes[$1] }), sizes[greatest] > 1 else { return }
            for component in 0..<width {
                let value = centres[greatest * width + component]
                let shift = (component % 2 == 0 ? 1 : -1) * value / 1024
                centres[centre * width + component] = value + shift
                centres[greatest * width + component] = value - shift
            }
            sizes[centre] = sizes[greatest] / 2
            sizes[greatest] -= sizes[centre]
        }
    }
}

/// The centre nearest to a vector.
enum NearestCentre {
    /// For each row of the range, the number of the nearest centre (the first of equals) and the squared distance to it.
    static func find(
        _ rows: UnsafePointer<Float>, _ range: Range<Int>, width: Int, centres: UnsafePointer<Float>, count: Int,
        _ nearest: UnsafeMutablePointer<UInt32>, _ distances: UnsafeMutablePointer<Float>
    ) {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { buffer in
            let found = buffer.baseAddress!
            for row in range {
                FloatKernels.l2.scan(rows + row * width, centres, 4 * width, count, width, 1, found)
                var best = 0
                for centre in 1..<max(count, 1) where found[centre] < found[best] { best = centre }
                nearest[row] = UInt32(best)
                distances[row] = found[best]
            }
        }
    }
}
