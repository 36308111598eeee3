import KithCollections
import Testing

@Suite struct TierPlanTests {
    private func part(_ collection: Int, _ bytes: Int, heat: Double, inMemory: Bool = false) -> TierPlan.Part {
        TierPlan.Part(collection: collection, bytes: bytes, heat: heat, isInMemory: inMemory)
    }

    @Test func theHottestThatFitAreInMemory() {
        let parts = [part(0, 10, heat: 1), part(0, 10, heat: 3), part(0, 10, heat: 2), part(0, 40, heat: 9)]
        #expect(TierPlan.choose(parts, budgets: [25], nodeBudget: nil) == [1, 2])
        #expect(TierPlan.choose(parts, budgets: [nil], nodeBudget: nil) == [0, 1, 2, 3])
        #expect(TierPlan.choose(parts, budgets: [0], nodeBudget: nil).isEmpty)
    }

    @Test func everyBudgetHolds() {
        let parts = [part(0, 10, heat: 5), part(0, 10, heat: 4), part(1, 10, heat: 3), part(1, 10, heat: 2)]
        #expect(TierPlan.choose(parts, budgets: [10, nil], nodeBudget: 25) == [0, 2])
        #expect(TierPlan.choose(parts, budgets: [nil, 10], nodeBudget: 30) == [0, 1, 2])
    }

    @Test("what is in memory stays, unless something is clearly hotter")
    func inertia() {
        let stays = [part(0, 10, heat: 10, inMemory: true), part(0, 10, heat: 12)]
        #expect(TierPlan.choose(stays, budgets: [10], nodeBudget: nil) == [0])
        let goes = [part(0, 10, heat: 10, inMemory: true), part(0, 10, heat: 13)]
        #expect(TierPlan.choose(goes, budgets: [10], nodeBudget: nil) == [1])
    }
}
