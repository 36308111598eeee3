import KithEvents
import Testing

struct BackoffTests {
    @Test func waitsGrowAndAreOfTheirSeed() {
        var one = Backoff(first: .seconds(1), last: .seconds(600), seed: 7)
        var same = Backoff(first: .seconds(1), last: .seconds(600), seed: 7)
        var other = Backoff(first: .seconds(1), last: .seconds(600), seed: 8)
        var differs = false
        for count in 1...100 {
            let delay = one.delay(afterFailures: count)
            #expect(delay == same.delay(afterFailures: count))
            differs = differs || delay != other.delay(afterFailures: count)
            let whole = Duration.seconds(min(600, 1 << min(count - 1, 20)))
            #expect(delay >= whole / 2 && delay <= whole)
        }
        #expect(differs)
    }

    @Test func headersAreASCII() {
        #expect(CloudEventRequest.percentEncoded("points/a b\"%é\n") == "points/a%20b%22%25%C3%A9%0A")
        #expect(CloudEventRequest.percentEncoded("kith/1.0/130/2") == "kith/1.0/130/2")
    }
}
