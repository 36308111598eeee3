import KithCollections
import Testing

/// Linking is hurried only for searches that scan a long tail.
@Suite struct LinkingUrgencyTests {
    @Test(arguments: [
        (0, true, LinkingUrgency.gentle),
        (LinkingUrgency.gentleTailBytes, true, .gentle),
        (LinkingUrgency.gentleTailBytes + 1, true, .urgent),
        (LinkingUrgency.gentleTailBytes + 1, false, .gentle),
    ])
    func takesALongTailAndSearches(_ tailBytes: Int, _ searching: Bool, _ expected: LinkingUrgency) {
        #expect(LinkingUrgency(tailBytes: tailBytes, isSearched: searching) == expected)
    }

    @Test func asksForSearchesOnlyWhereTheTailIsLong() {
        var asked = 0
        func ask() -> Bool {
            asked += 1
            return true
        }
        _ = LinkingUrgency(tailBytes: LinkingUrgency.gentleTailBytes, isSearched: ask())
        #expect(asked == 0)
        _ = LinkingUrgency(tailBytes: LinkingUrgency.gentleTailBytes + 1, isSearched: ask())
        #expect(asked == 1)
    }
}
