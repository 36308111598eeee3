import Foundation
package import KithCollections
package import KithCore
package import KithEvents
package import KithTelemetry

/// What `kith serve` runs with.
package struct ServerSettings: Sendable {
    package static let defaultAddress = "127.0.0.1:7040"
    /// Before the name of a librdkafka property in a setting's key.
    package static let kafkaPropertyPrefix = "kafka.property."

    /// `host:port`; port 0 takes a free one.
    package var listen = ServerSettings.defaultAddress
    /// The folder of all data; made where it is missing.
    package var data = "./kith-data"
    /// This database's name in change events.
    package var cluster = "kith"
    package var logLevel = LogLevel.info
    /// `host:port` where metrics are scraped; empty: nowhere.
    package var metricsListen = ""
    /// The longest that shutdown waits for requests in progress.
    package var drainSeconds = 10
    /// 0: one a core.
    package var searchThreads = 0
    /// 0: half the cores, at least one.
    package var linkThreads = 0
    /// Of all cores, for linking, rebuilding and calibration; within `Limits.maintenanceCPUShare`, 1: no limit.
    package var maintenanceCPUShare = 1.0
    /// Of one core, what searches of a space may spend on vectors that wait to be linked; within `Limits.tailSearchShare`.
    package var tailSearchShare = Limits.standardTailSearchShare
    /// The longest an idle processor may take to wake; nil: as the system has it.
    package var cpuLatencyMicroseconds: Int32?
    /// Memory for points and payloads as RocksDB caches them.
    package var blockCacheBytes = 256 << 20
    /// Memory the process may take: vectors beyond it are read from disk; 0: no limit.
    package var memoryBudgetBytes = 0
    /// `host:port`, separated by commas; empty: no relay.
    package var kafkaBrokers = ""
    package var kafkaTopicPrefix = KafkaConfiguration.defaultTopicPrefix
    /// Of topics that Kith makes; 0: as the brokers say.
    package var kafkaReplicationFactor = 0
    package var kafkaDelivery = DeliveryGuarantee.atLeastOnce
    /// librdkafka's, by name, none of `KafkaConfiguration.reservedProperties`.
    package var kafkaProperties: [String: String] = [:]
    /// What the audit topic tells.
    package var eventsAudit = AuditPolicy.off
    /// For how long the audit topic that Kith makes keeps records; 0: as the brokers say.
    package var eventsAuditDays = 400
    /// Of topics that are no collection's, as collections choose their own.
    package var eventsEncoding = EventEncoding.protobuf
    /// The most that changes take while a reader still waits for them.
    package var changeLogBytes = 16 << 30
    /// What gives way at `changeLogBytes`: new writes, or the oldest changes.
    package var changeLogFull = FullLogPolicy.pushBack
    package var webhooks = WebhookOptions()
    /// Gets the real port once the server listens; empty: none.
    package var portFile = ""

    /// Defaults, then each of `given` in turn.
    ///
    /// - Throws: `INVALID_CONFIGURATION`, naming key and origin.
    package init(_ given: [GivenSetting] = []) throws(KithError) {
        for setting in given { try apply(setting) }
    }

    private mutating func apply(_ given: GivenSetting) throws(KithError) {
        if given.key.hasPrefix(ServerSettings.kafkaPropertyPrefix) {
            let property = String(given.key.dropFirst(ServerSettings.kafkaPropertyPrefix.count))
            if property.isEmpty || KafkaConfiguration.reservedProperties.contains(property) {
                throw given.wrong(property.isEmpty ? "names no property" : "is set by Kith and cannot be changed")
            }
            kafkaProperties[property] = given.value
            return
        }
        guard let setting = Setting.all.first(where: { $0.key == given.key }) else {
            throw .usage("\(given.origin): there is no setting '\(given.key)'; 'kith help serve' lists them", key: given.key)
        }
        try setting.set(&self, given)
    }
}

/// One setting: its key, its help, and how its text is read.
package struct Setting: Sendable {
    package var key: String
    /// What its value is, as help shows it: `FOLDER`, `N`.
    package var value: String
    /// Ends with the default, in brackets.
    package var help: String
    /// Checks the text and keeps it; throws `INVALID_CONFIGURATION` with key and origin.
    package var set: @Sendable (inout ServerSettings, GivenSetting) throws(KithError) -> Void

    /// In the order of help.
    package static let all: [Setting] = [
        Setting(key: "listen", value: "HOST:PORT", help: "address of the gRPC server; port 0 takes a free one (127.0.0.1:7040)") {
            settings, given throws(KithError) in settings.listen = try given.address()
        },
        Setting(key: "data", value: "FOLDER", help: "all data; made where it is missing (./kith-data)") {
            settings, given throws(KithError) in settings.data = try given.text()
        },
        Setting(key: "cluster", value: "NAME", help: "this database's name in change events (kith)") {
            settings, given throws(KithError) in settings.cluster = try given.text()
        },
        Setting(key: "log-level", value: "LEVEL", help: "debug, info, warning or error (info)") {
            settings, given throws(KithError) in
            guard let level = LogLevel(name: given.value) else { throw given.wrong("is not debug, info, warning or error") }
            settings.logLevel = level
        },
        Setting(
            key: "metrics-listen", value: "HOST:PORT",
            help: "where GET /metrics is answered, for Prometheus; port 0 takes a free one (empty: nowhere)"
        ) { settings, given throws(KithError) in settings.metricsListen = given.value.isEmpty ? "" : try given.address() },
        Setting(key: "drain-seconds", value: "N", help: "how long requests in progress may take at shutdown (10)") {
            settings, given throws(KithError) in settings.drainSeconds = try given.number(0...3_600)
        },
        Setting(key: "search-threads", value: "N", help: "threads that search; 0 takes one a core (0)") {
            settings, given throws(KithError) in settings.searchThreads = try given.number(0...1_024)
        },
        Setting(key: "link-threads", value: "N", help: "threads that link vectors into indexes; 0 takes half the cores (0)") {
            settings, given throws(KithError) in settings.linkThreads = try given.number(0...1_024)
        },
        Setting(
            key: "maintenance-cpu-share", value: "X",
            help: "share of all cores that linking, rebuilding and calibration may take, 0.05 to 1; 1: no limit (1)"
        ) {
            settings, given throws(KithError) in settings.maintenanceCPUShare = try given.share(Limits.maintenanceCPUShare)
        },
        Setting(
            key: "tail-search-share", value: "X",
            help: "share of a core that searches may spend on vectors not linked yet; then writers are slowed; 0.001 to 1 (0.25)"
        ) {
            settings, given throws(KithError) in settings.tailSearchShare = try given.share(Limits.tailSearchShare)
        },
        Setting(
            key: "cpu-latency-microseconds", value: "N",
            help: "asks Linux that idle processors wake within so long; 0 keeps them awake (empty: not asked)"
        ) {
            settings, given throws(KithError) in
            settings.cpuLatencyMicroseconds = given.value.isEmpty ? nil : Int32(try given.number(0...1_000_000))
        },
        Setting(key: "block-cache-bytes", value: "N", help: "memory for points and payloads (268435456)") {
            settings, given throws(KithError) in settings.blockCacheBytes = try given.number(1 << 20...1 << 44)
        },
        Setting(
            key: "memory-budget-bytes", value: "N",
            help: "memory the process may take; vectors that do not fit are read from disk; 0: any number (0)"
        ) {
            settings, given throws(KithError) in settings.memoryBudgetBytes = try given.number(0...Limits.memoryBudgetBytes)
        },
        Setting(key: "kafka.brokers", value: "LIST", help: "host:port, separated by commas; empty is off (empty)") {
            settings, given throws(KithError) in settings.kafkaBrokers = given.value
        },
        Setting(key: "kafka.topic-prefix", value: "TEXT", help: "topics are <prefix>.changes.v1.<collection> (kith)") {
            settings, given throws(KithError) in settings.kafkaTopicPrefix = try given.text()
        },
        Setting(key: "kafka.replication-factor", value: "N", help: "copies of topics that Kith makes; 0: as brokers say (0)") {
            settings, given throws(KithError) in settings.kafkaReplicationFactor = try given.number(0...Int(Int16.max))
        },
        Setting(key: "kafka.delivery", value: "GUARANTEE", help: "at-least-once or exactly-once (at-least-once)") {
            settings, given throws(KithError) in
            guard let delivery = DeliveryGuarantee(rawValue: given.value) else {
                throw given.wrong("is not at-least-once or exactly-once")
            }
            settings.kafkaDelivery = delivery
        },
        Setting(
            key: "events.audit", value: "WHAT",
            help: "what <prefix>.audit.v1 tells: off, commits, writes (with what failed), all (with reads) (off)"
        ) { settings, given throws(KithError) in
            guard let policy = AuditPolicy(rawValue: given.value) else {
                throw given.wrong("is none of \(AuditPolicy.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            settings.eventsAudit = policy
        },
        Setting(key: "events.audit-days", value: "N", help: "days that the audit topic keeps records; 0: as brokers say (400)") {
            settings, given throws(KithError) in settings.eventsAuditDays = try given.number(0...36_500)
        },
        Setting(key: "events.encoding", value: "NAME", help: "protobuf or json, in topics that are no collection's (protobuf)") {
            settings, given throws(KithError) in
            guard ["protobuf", "json"].contains(given.value) else { throw given.wrong("is not protobuf or json") }
            settings.eventsEncoding = given.value == "json" ? .json : .protobuf
        },
        Setting(key: "change-log-bytes", value: "N", help: "changes that are kept until every reader has them (17179869184)") {
            settings, given throws(KithError) in settings.changeLogBytes = try given.number(1 << 20...1 << 50)
        },
        Setting(key: "change-log-full", value: "POLICY", help: "push-back refuses writes then, trim drops the oldest (push-back)")
        {
            settings, given throws(KithError) in
            guard let policy = FullLogPolicy(rawValue: given.value) else { throw given.wrong("is not push-back or trim") }
            settings.changeLogFull = policy
        },
        Setting(key: "webhooks.plain-http", value: "POLICY", help: "http to loopback, or to everywhere (loopback)") {
            settings, given throws(KithError) in
            settings.webhooks.policy.allowsPlainHTTP = try given.choice(["loopback", "everywhere"]) == "everywhere"
        },
        Setting(
            key: "webhooks.private-networks", value: "POLICY",
            help: "allow or refuse webhooks to loopback and private networks (allow)"
        ) { settings, given throws(KithError) in
            settings.webhooks.policy.allowsPrivateNetworks = try given.choice(["allow", "refuse"]) == "allow"
        },
        Setting(key: "webhooks.ca-file", value: "FILE", help: "certificates trusted in place of the system's (the system's)") {
            settings, given throws(KithError) in settings.webhooks.certificates = given.value
        },
        Setting(key: "webhooks.proxy", value: "URL", help: "proxy that webhooks go through (none)") {
            settings, given throws(KithError) in settings.webhooks.proxy = given.value
        },
        Setting(
            key: "webhooks.first-retry-milliseconds", value: "N", help: "wait after the first failure, doubled each time (1000)"
        ) {
            settings, given throws(KithError) in
            settings.webhooks.firstRetry = .milliseconds(try given.number(1...60_000))
        },
        Setting(key: "webhooks.last-retry-milliseconds", value: "N", help: "the longest wait between two tries (600000)") {
            settings, given throws(KithError) in
            settings.webhooks.lastRetry = .milliseconds(try given.number(1...86_400_000))
        },
        Setting(key: "port-file", value: "FILE", help: "gets the real port once the server listens (none)") {
            settings, given throws(KithError) in settings.portFile = given.value
        },
    ]
}

extension GivenSetting {
    /// `INVALID_CONFIGURATION`, with origin, key, what is wrong, and the value.
    package func wrong(_ description: String) -> KithError {
        .usage("\(origin): '\(key)' \(description) (it is '\(value)')", key: key)
    }

    /// The value, which must not be empty.
    package func text() throws(KithError) -> String {
        guard !value.isEmpty else { throw wrong("is empty") }
        return value
    }

    fileprivate func choice(_ words: [String]) throws(KithError) -> String {
        guard words.contains(value) else { throw wrong("is not \(words.joined(separator: " or "))") }
        return value
    }

    /// A whole number in the range, bounds included.
    package func number(_ range: ClosedRange<Int>) throws(KithError) -> Int {
        guard let number = Int(value), range.contains(number) else {
            throw wrong("is not a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A number in the range, bounds included.
    package func share(_ range: ClosedRange<Double>) throws(KithError) -> Double {
        guard let share = Double(value), range.contains(share) else {
            throw wrong("is not a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return share
    }

    /// `host:port`, the port a number; whether the host exists is seen when it is used.
    package func address() throws(KithError) -> String {
        guard let colon = value.lastIndex(of: ":"), colon != value.startIndex,
            UInt16(value[value.index(after: colon)...]) != nil
        else { throw wrong("is not host:port") }
        return value
    }
}
