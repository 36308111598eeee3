import Foundation
package import KithCommands
package import KithCore
package import KithEvents
import KithTelemetry

/// One setting of a consumer: its key, and its help with the default in parentheses.
package struct ConsumerSetting: Sendable {
    package var key: String
    package var value: String
    package var help: String

    package init(_ key: String, _ value: String, _ help: String) {
        self.key = key
        self.value = value
        self.help = help
    }
}

/// Settings as flags, environment and a file give them, by the rules of `kith serve`.
package struct ConsumerSettings: Sendable {
    /// What every module that reads Kafka knows.
    package static let following = [
        ConsumerSetting("kafka.brokers", "LIST", "host:port, separated by commas"),
        ConsumerSetting("kafka.topic-prefix", "TEXT", "what the topics of Kith begin with (kith)"),
        ConsumerSetting("group", "NAME", "consumer group; every sink wants its own"),
        ConsumerSetting("batch-records", "N", "records of one commit of the sink, at most (1000)"),
        ConsumerSetting("batch-bytes", "N", "bytes of one commit of the sink, about (8388608)"),
        ConsumerSetting("linger-ms", "N", "how long a record waits for others (200)"),
        ConsumerSetting("dead-letters", "FILE", "gets records that can never be done, as lines of JSON"),
        ConsumerSetting("metrics-file", "FILE", "gets the metrics every few seconds, in Prometheus' text format (none)"),
        ConsumerSetting("log-level", "LEVEL", "debug, info, warning or error (info)"),
    ]

    private var values: [String: GivenSetting] = [:]
    /// Settings of librdkafka.
    package private(set) var kafkaProperties: [String: String] = [:]

    /// - Throws: `INVALID_CONFIGURATION`, naming key and origin.
    package init(_ given: [GivenSetting], known: [ConsumerSetting]) throws(KithError) {
        for setting in given {
            if setting.key.hasPrefix(ServerSettings.kafkaPropertyPrefix) {
                kafkaProperties[String(setting.key.dropFirst(ServerSettings.kafkaPropertyPrefix.count))] = setting.value
                continue
            }
            guard known.contains(where: { $0.key == setting.key }) else {
                throw .usage("\(setting.origin): there is no setting '\(setting.key)'", key: setting.key)
            }
            values[setting.key] = setting
        }
    }

    /// From the command line, the environment, and the file that `--config` or KITH_CONFIG names.
    package init(_ arguments: Arguments, known: [ConsumerSetting]) throws(KithError) {
        let environment = ProcessInfo.processInfo.environment
        var given: [GivenSetting] = []
        if let path = arguments.value("config") ?? environment["KITH_CONFIG"], !path.isEmpty {
            given += try SettingSource.file(String(decoding: try Files.read(path), as: UTF8.self), name: path)
        }
        given += SettingSource.environment(environment, keys: known.map(\.key))
        given += SettingSource.flags(arguments.values.filter { $0.name != "config" })
        try self.init(given, known: known)
    }

    /// The options that a command has for these settings.
    package static func options(_ settings: [ConsumerSetting]) -> [Option] {
        [Option(name: "config", value: "FILE", help: "lines of 'key = value', with the keys below (KITH_CONFIG)")]
            + settings.map { Option(name: $0.key, value: $0.value, help: $0.help) }
    }

    /// What help says of every command with settings.
    package static let notes = [
        "Each option is also an environment variable (--kafka.brokers is KITH_KAFKA_BROKERS) and a key of the file.",
        "--kafka.property.NAME VALUE is any setting of librdkafka. A flag wins over the environment, that over the file.",
    ]

    // MARK: Values

    package func text(_ key: String) -> String? { values[key].flatMap { $0.value.isEmpty ? nil : $0.value } }

    package func required(_ key: String) throws(KithError) -> String {
        guard let text = text(key) else { throw .usage("--\(key) is missing", key: key) }
        return text
    }

    package func number(_ key: String, _ range: ClosedRange<Int>) throws(KithError) -> Int? {
        guard let given = values[key], !given.value.isEmpty else { return nil }
        return try given.number(range)
    }

    /// One of a few words.
    package func choice<Value>(_ key: String, _ choices: [(word: String, value: Value)]) throws(KithError) -> Value? {
        guard let given = values[key] else { return nil }
        guard let choice = choices.first(where: { $0.word == given.value }) else {
            throw given.wrong("is not one of \(choices.map(\.word).joined(separator: ", "))")
        }
        return choice.value
    }

    // MARK: Values of all modules

    package func kafka() throws(KithError) -> KafkaConfiguration {
        KafkaConfiguration(
            brokers: try required("kafka.brokers"),
            topicPrefix: text("kafka.topic-prefix") ?? KafkaConfiguration.defaultTopicPrefix,
            properties: kafkaProperties)
    }

    package func followerOptions() throws(KithError) -> Follower.Options {
        var options = Follower.Options()
        if let count = try number("batch-records", 1...Limits.consumerBatch) { options.batchRecords = count }
        if let bytes = try number("batch-bytes", 1...Limits.consumerQueueBytes) { options.batchBytes = bytes }
        if let wait = try number("linger-ms", 0...60_000) { options.linger = .milliseconds(wait) }
        return options
    }

    package func setLogLevel() throws(KithError) {
        let levels = LogLevel.allCases.map { (word: "\($0)", value: $0) }
        if let level = try choice("log-level", levels) { Log.setThreshold(level) }
    }
}
