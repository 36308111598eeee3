import KithIndex
import Testing

@Suite struct RecallTargetTests {
    @Test func effortGrowsWithTheTarget() {
        let parameters = HNSWParameters()
        let efforts = [0.5, 0.8, 0.9, 0.95, 0.99, 0.999].map { parameters.effort(forRecall: $0) }
        #expect(efforts == efforts.sorted())
        #expect(Set(efforts).count == efforts.count)
        #expect(abs(parameters.effort(forRecall: 0.95) - parameters.efSearch) <= 1)
    }
}
