import KithCore
import Testing

@Suite struct ScoreTransformTests {
    @Test(arguments: Metric.allCases) func normalizedScoresLieBetweenZeroAndOneAndGreaterIsNearer(metric: Metric) throws {
        let transform = try ScoreTransform(.normalized, of: metric, field: "t")
        let scores = [Float](stride(from: 0, through: 2, by: 0.125)).map { transform(metric.score(distance: $0)) }
        #expect(transform.greaterIsNearer(metric))
        #expect(scores.allSatisfy { (0...1).contains($0) })
        #expect(zip(scores, scores.dropFirst()).allSatisfy(>))
    }

    @Test(arguments: ScoreTransform.Function.allCases.filter { $0 != .normalized })
    func theOrderStaysAndTheDirectionIsTold(function: ScoreTransform.Function) throws {
        for metric in Metric.allCases where function != .reciprocal || !metric.greaterIsNearer {
            for scale: Float in function == .reciprocal ? [0.5, 3] : [-2, 0.5, 3] {
                let transform = try ScoreTransform(function, scale: scale, offset: 0.25, of: metric, field: "t")
                let (near, far) = (transform(metric.score(distance: 0.1)), transform(metric.score(distance: 0.9)))
                #expect((near > far) == transform.greaterIsNearer(metric), "\(metric) \(scale)")
            }
        }
    }

    @Test func greatScoresStayFinite() throws {
        let transform = try ScoreTransform(.exponential, scale: 100, of: .dot, field: "t")
        #expect(transform(1_000).isFinite)
    }

    @Test func whatIsNotMonotoneIsRefusedByName() {
        let refused: [(ScoreTransform.Function, Float?, Float, Metric, String)] = [
            (.linear, 0, 0, .l2, "t.scale"), (.linear, .nan, 0, .l2, "t.scale"), (.logistic, 1, .infinity, .dot, "t.offset"),
            (.reciprocal, nil, 0, .cosine, "t.function"), (.reciprocal, -1, 0, .l2, "t.scale"),
            (.reciprocal, 1, -1, .l2, "t.offset"), (.normalized, 2, 0, .l2, "t.function"),
            (.normalized, nil, 1, .l2, "t.function"),
        ]
        for (function, scale, offset, metric, field) in refused {
            let error = #expect(throws: KithError.self) {
                try ScoreTransform(function, scale: scale, offset: offset, of: metric, field: "t")
            }
            #expect(error?.violations.first?.field == field)
        }
    }
}
