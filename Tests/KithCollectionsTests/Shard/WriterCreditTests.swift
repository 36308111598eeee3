import KithCollections
import Testing

/// Writers get half of what is linked.
@Suite struct WriterCreditTests {
    private var credit = WriterCredit()

    @Test mutating func noneAtFirst() { #expect(credit.vectors == 0) }

    @Test mutating func halfOfWhatIsLinked() {
        credit.linked(100)
        #expect(credit.vectors == 50)
        credit.write(20)
        #expect(credit.vectors == 30)
        credit.write(40)
        #expect(credit.vectors == 0)
    }

    @Test mutating func neitherSavedUpNorOwed() {
        for _ in 0..<10 { credit.linked(100) }
        #expect(credit.vectors == 50)
        credit.write(1_000)
        credit.linked(100)
        #expect(credit.vectors == 50)
    }
}
