import KithCore
import Testing

@Suite struct KithErrorTests {
    @Test func fieldsMoveIntoAnOuterMessage() {
        let inner = KithError.invalid(.invalidDimension, field: "data", "has 3 components, not 4")
        let outer = inner.inside("vectors[1]").inside("points[2]")
        #expect(outer.violations.map(\.field) == ["points[2].vectors[1].data"])
        #expect(outer.message == "points[2].vectors[1].data: has 3 components, not 4")
        #expect(outer.code == .invalidArgument && outer.reason == .invalidDimension)
    }

    @Test func aLimitNamesItsFieldValueAndBound() {
        let error = KithError.limit(field: "top_k", value: 20_000, limit: Limits.topK, unit: "results")
        #expect(error.metadata == ["field": "top_k", "value": "20000", "limit": "10000"])
        #expect(error.description == "LIMIT_EXCEEDED: top_k: is 20000 results, the limit is 10000")
    }

    @Test func reasonsAreUpperSnakeCase() {
        for reason in ErrorReason.allCases {
            #expect(reason.rawValue.utf8.allSatisfy { (0x41...0x5A).contains($0) || $0 == 0x5F }, "\(reason)")
        }
    }
}
