import KithCore
import KithEvents
import Testing

@Suite struct EventIDTests {
    @Test(arguments: ["kith/1.0/130/2", "eu/west/4294967295.65535/18446744073709551615/0"])
    func idsAreReadAsTheyAreWritten(text: String) throws {
        #expect(try #require(EventID(text)).description == text)
    }

    @Test(arguments: [
        "", "kith", "kith/1.0/0/0", "kith/1.0/1", "kith/1/1/0", "kith/1.0/1/-1", "kith/1.0/01/0", "kith/1.0/+1/0",
        "kith/1.65536/1/0", "kith/1.0/1/points/7", "kith/1.0/9/gap", "kith/1.0/1/0/",
    ])
    func whatIsNoIdOfAChange(text: String) { #expect(EventID(text) == nil) }
}
