import KithCollections
import Testing

/// Writers get half of what is linked.
@Suite struct WriterCreditTests {
    private var credit = WriterCredit()

    @Test mutating func noneAtFirst() { #expect(credit.isUsedUp) }

    @Test mutating func halfOfWhatIsLinked() {
        credit.linked(100)
        credit.write(49)
        #expect(!credit.isUsedUp)
        credit.write(1)
        #expect(credit.isUsedUp)
    }

    @Test mutating func moreThanThereWasIsPaidBack() {
        credit.linked(100)
        credit.write(120)
        credit.linked(100)
        #expect(credit.isUsedUp)
        credit.linked(100)
        #expect(!credit.isUsedUp)
    }

    @Test mutating func notSavedUp() {
        for _ in 0..<10 { credit.linked(100) }
        credit.write(50)
        #expect(credit.isUsedUp)
    }

    @Test mutating func resetForgetsDebts() {
        credit.write(1_000)
        credit.reset()
        credit.linked(2)
        #expect(!credit.isUsedUp)
    }
}
