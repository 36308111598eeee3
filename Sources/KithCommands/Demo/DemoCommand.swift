import Foundation
import Glibc
import KithCore

/// `kith demo`.
enum DemoCommand {
    static let description = CommandDescription(
        name: "demo", summary: "See it work on real data: search, change events, a crash and a recovery",
        options: [Option(name: "data", value: "FOLDER", help: "of the dictionary (Examples/dictionary)")],
        notes: [
            "Starts a server of its own on a free port, with its data in a temporary folder, and removes both afterwards.",
            "Kafka is what KITH_KAFKA_BROKERS names, a broker started from KAFKA_HOME, or librdkafka's test broker.",
        ], run: run)

    private static func run(_ arguments: Arguments) throws(KithError) -> Int32 {
        let dictionary = try WordDictionary(folder: arguments.value("data") ?? "Examples/dictionary")
        let signals = StopSignals()
        let folder = try Files.temporaryFolder("kith-demo")
        let stage = DemoStage()
        Thread {
            let signal = signals.wait()
            stage.clear()
            do throws(KithError) { try Files.remove(folder) } catch { Console.note("kith: \(error.description)") }
            _exit(128 + signal)
        }.start()
        var failures: Int
        do throws(KithError) {
            defer { stage.clear() }
            var demo = Demo(dictionary: dictionary, folder: folder, stage: stage)
            failures = try demo.play()
        } catch {
            // What the server said may tell why.
            Console.print("")
            let log = "\(folder)/serve.log"
            if Files.exists(log) { Console.noteText(String(String(decoding: try Files.read(log), as: UTF8.self).suffix(4_000))) }
            try Files.remove(folder)
            throw error
        }
        try Files.remove(folder)
        guard failures == 0 else {
            Console.print("\n\(failures) check\(failures == 1 ? "" : "s") failed.")
            return ExitCode.failure
        }
        Console.print("\nAll checks hold. 'kith serve' starts a server to keep; 'kith help' lists the rest.")
        return ExitCode.success
    }
}
