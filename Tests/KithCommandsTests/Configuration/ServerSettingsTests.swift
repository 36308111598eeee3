import KithCommands
import KithCore
import Testing

@Suite struct ServerSettingsTests {
    private func settings(
        file: String? = nil, environment: [String: String] = [:], flags: [String] = []
    ) throws -> ServerSettings {
        let sample = try file.map { try SampleFile($0) }
        defer { withExtendedLifetime(sample) {} }
        let words = (sample.map { ["--config", $0.path] } ?? []) + flags
        return try ServeCommand.settings(try Arguments(words, of: ServeCommand.description), environment: environment)
    }

    @Test func defaultsRunWithNothingSet() throws {
        let settings = try settings()
        #expect(settings.listen == "127.0.0.1:7040")
        #expect(settings.data == "./kith-data")
        #expect(settings.kafkaBrokers.isEmpty)
    }

    @Test func flagsWinOverTheEnvironmentOverTheFile() throws {
        let file = "# comment\n listen = 0.0.0.0:1 \n\ncluster=from file\ndata = from = file\n"
        let settings = try settings(
            file: file, environment: ["KITH_LISTEN": "0.0.0.0:2", "KITH_CLUSTER": "from environment", "OTHER": "x"],
            flags: ["--listen", "0.0.0.0:3"])
        #expect(settings.listen == "0.0.0.0:3")
        #expect(settings.cluster == "from environment")
        #expect(settings.data == "from = file")
    }

    @Test func theFileMayBeNamedByTheEnvironment() throws {
        let sample = try SampleFile("cluster = named\n")
        #expect(try settings(environment: ["KITH_CONFIG": sample.path]).cluster == "named")
    }

    @Test func kafkaPropertiesPassThrough() throws {
        let settings = try settings(
            file: "kafka.property.security.protocol = ssl\n", environment: ["KITH_KAFKA_PROPERTY_SASL_PASSWORD": "s"],
            flags: ["--kafka.property.linger.ms", "5", "--kafka.brokers", "a:1,b:2"])
        #expect(settings.kafkaProperties == ["security.protocol": "ssl", "sasl.password": "s", "linger.ms": "5"])
        #expect(settings.kafkaBrokers == "a:1,b:2")
    }

    @Test func processorsSleepAsTheyLikeUnlessAsked() throws {
        #expect(try settings().cpuLatencyMicroseconds == nil)
        #expect(try settings(file: "cpu-latency-microseconds =\n").cpuLatencyMicroseconds == nil)
        #expect(try settings(flags: ["--cpu-latency-microseconds", "0"]).cpuLatencyMicroseconds == 0)
    }

    @Test(arguments: [
        (["--no-such", "1"], "no-such", "flag --no-such"), (["--listen", "nowhere"], "listen", "flag --listen"),
        (["--listen", ":1"], "listen", "flag --listen"), (["--listen", "a:70000"], "listen", "flag --listen"),
        (["--drain-seconds", "-1"], "drain-seconds", "flag"), (["--log-level", "loud"], "log-level", "flag"),
        (["--change-log-full", "x"], "change-log-full", "flag"), (["--data", ""], "data", "flag"),
        (["--cpu-latency-microseconds", "-1"], "cpu-latency-microseconds", "flag"),
        (["--kafka.property.acks", "0"], "kafka.property.acks", "flag"), (["--kafka.property.", "0"], "kafka.property.", "flag"),
    ])
    func badFlagsAreNamed(_ words: [String], _ key: String, _ origin: String) {
        let error = #expect(throws: KithError.self) { try settings(flags: words) }
        #expect(error?.reason == .invalidConfiguration)
        #expect(error?.message.contains(key) == true)
        #expect(error?.message.contains(origin) == true)
    }

    @Test func badLinesAreNamed() throws {
        for (file, part) in [
            ("listen = 1:1\nlisten = 2:2", "line 2"), ("\nnonsense\n", "line 2"), ("drain-seconds = ten", "line 1"),
            ("x = 1", "line 1"),
        ] {
            let error = #expect(throws: KithError.self) { try settings(file: file) }
            #expect(error?.message.contains(part) == true)
        }
    }

    @Test func everySettingHasAVariable() {
        #expect(SettingSource.variable("kafka.topic-prefix") == "KITH_KAFKA_TOPIC_PREFIX")
        #expect(Set(Setting.all.map { SettingSource.variable($0.key) }).count == Setting.all.count)
    }
}
