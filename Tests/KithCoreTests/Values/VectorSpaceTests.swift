import KithCore
import Testing

@Suite struct VectorSpaceTests {
    @Test func aScoreStandsForItsDistance() {
        for metric in Metric.allCases {
            for distance: Float in [0, 0.25, 1, 2] {
                #expect(abs(metric.distance(score: metric.score(distance: distance)) - distance) < 1e-6, "\(metric)")
            }
        }
    }

    @Test func nearerIsGreaterOrSmallerAsTheMetricSays() {
        for metric in Metric.allCases {
            #expect((metric.score(distance: 0.1) > metric.score(distance: 0.2)) == metric.greaterIsNearer)
        }
    }

    @Test(arguments: [(1, 4), (3, 16), (16, 64), (17, 128), (384, 1_536), (385, 1_600)])
    func rowsAreWholeCacheLinesOrPowersOfTwo(dimension: Int, stride: Int) {
        #expect(VectorSpace(name: "s", dimension: dimension).stride == stride)
    }

    @Test func everyElementTypeHasItsSizeAndMetrics() {
        let bytes = ElementType.allCases.map { $0.byteCount(dimension: 9) }
        #expect(bytes == [36, 18, 18, 9, 9, 2])
        for element in ElementType.allCases {
            for metric in Metric.allCases {
                let comparesBits = metric == .hamming || metric == .jaccard
                #expect(metric.accepts(element) == (comparesBits == (element == .binary)))
            }
        }
    }
}
