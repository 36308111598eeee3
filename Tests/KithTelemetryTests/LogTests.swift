import KithTelemetry
import Testing

@Suite struct LogTests {
    @Test func levelsAreOrderedAndNamed() {
        #expect(LogLevel(name: "warning") == .warning)
        #expect(LogLevel(name: "loud") == nil)
        #expect(LogLevel.debug < .error)
    }
}
