import Foundation
import Glibc
import KithAPI
import KithCollections
package import KithCore
import KithEvents
import KithTelemetry

/// `kith serve`.
package enum ServeCommand {
    private static let log = Log("serve")

    package static let description = CommandDescription(
        name: "serve", summary: "Serve a data folder over gRPC until SIGTERM or SIGINT",
        options: [Option(name: "config", value: "FILE", help: "lines of 'key = value', with the keys below (KITH_CONFIG)")]
            + Setting.all.map { Option(name: $0.key, value: $0.value, help: $0.help) }
            + [Option(name: "kafka.property.NAME", value: "VALUE", help: "any setting of librdkafka")],
        notes: [
            "Each option is also an environment variable (--kafka.brokers is KITH_KAFKA_BROKERS) and a key of the file.",
            "A flag wins over the environment, the environment over the file. Defaults are in parentheses.",
            "Exits with 0 after a signal, 1 when the server cannot start, 2 for a wrong setting.",
        ],
        takesAnyOption: true, run: run)

    package static func settings(_ arguments: Arguments, environment: [String: String]) throws(KithError) -> ServerSettings {
        var given: [GivenSetting] = []
        if let path = arguments.value("config") ?? environment["KITH_CONFIG"], !path.isEmpty {
            let text = String(decoding: try Files.read(path), as: UTF8.self)
            given += try SettingSource.file(text, name: path)
        }
        given += SettingSource.environment(environment, keys: Setting.all.map(\.key))
        given += SettingSource.flags(arguments.values.filter { $0.name != "config" })
        return try ServerSettings(given)
    }

    private static func run(_ arguments: Arguments) throws(KithError) -> Int32 {
        let signals = StopSignals()
        let settings = try settings(arguments, environment: ProcessInfo.processInfo.environment)
        Log.setThreshold(settings.logLevel)
        let running = try RunningServer(settings)
        do throws(KithError) {
            if !settings.portFile.isEmpty { try Files.replace(settings.portFile, with: "\(running.server.port)\n") }
        } catch {
            running.stop(drainSeconds: 0)
            throw error
        }
        announce(running, settings)
        let signal = signals.wait()
        signals.exitAtNext()
        log.info("stopping", ["signal": signal == SIGTERM ? "SIGTERM" : "SIGINT"])
        running.stop(drainSeconds: settings.drainSeconds)
        log.info("stopped")
        return ExitCode.success
    }

    private static func announce(_ running: RunningServer, _ settings: ServerSettings) {
        // The settings have ports, or they would have been refused.
        func host(_ address: String) -> Substring { address[..<(address.lastIndex(of: ":") ?? address.endIndex)] }
        let folder = URL(fileURLWithPath: settings.data).standardizedFileURL.path
        let kafka =
            settings.kafkaBrokers.isEmpty
            ? "off: changes wait in the log (--kafka.brokers turns it on)"
            : "\(settings.kafkaBrokers), topics \(settings.kafkaTopicPrefix).changes.v1.<collection>, \(settings.kafkaDelivery.rawValue)"
        let count = running.node.catalogue.all.count
        Console.print("Kith \(Version.text)")
        Console.print("  gRPC   \(host(settings.listen)):\(running.server.port)")
        Console.print("  data   \(folder) (\(count) collection\(count == 1 ? "" : "s"), opened in \(seconds(running.recovery)))")
        Console.print("  Kafka  \(kafka)")
        if let metrics = running.metrics {
            Console.print("  metrics http://\(host(settings.metricsListen)):\(metrics.port)/metrics")
        }
    }
}

/// A duration as people read it: 4 ms, 1.27 s.
func seconds(_ duration: Duration) -> String {
    let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    return seconds < 1 ? "\(Int((seconds * 1_000).rounded(.up))) ms" : "\(decimal(seconds, 2)) s"
}

/// A number with so many decimals, without Foundation's locale.
func decimal(_ value: Double, _ places: Int) -> String {
    String(format: "%.\(places)f", value)
}
