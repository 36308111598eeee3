import KithAPI
package import KithCommands
import KithCore

/// `kith-consume ingest`.
package enum IngestCommand {
    private static let settings =
        ConsumerSettings.following + [
            ConsumerSetting("topics", "LIST", "topics of JSON records, separated by commas; one that begins with ^ is a pattern"),
            ConsumerSetting("mapping", "FILE", "which field is what: a JSON object, see Documentation/consumers.md"),
            ConsumerSetting("address", "HOST:PORT", "the Kith server (127.0.0.1:7040)"),
        ]

    package static let description = CommandDescription(
        name: "ingest", summary: "Follow topics of JSON records into a collection, each exactly once",
        options: ConsumerSettings.options(settings)
            + [Option(name: "until-end", value: nil, help: "end once everything that there is has been written")],
        notes: ConsumerSettings.notes, takesAnyOption: true, run: run)

    private static func run(_ arguments: Arguments) throws(KithError) -> Int32 {
        let settings = try ConsumerSettings(arguments, known: settings)
        let path = try settings.required("mapping")
        let mapping = try RecordMapping([UInt8](try Files.read(path)), name: path)
        let deadLetters = DeadLetterFile(try settings.required("dead-letters"))
        let group = settings.text("group") ?? "kith-ingest-\(mapping.collection)"
        let topics = try settings.required("topics").split(separator: ",").map(String.init)
        return try FollowingProcess.run(arguments, settings, group: group, topics: topics) {
            consumer, metrics throws(KithError) in
            // Here and not before: it has threads, and signals must be seen to first.
            let client = try KithClient(address: settings.text("address") ?? ServerSettings.defaultAddress)
            return IngestSink(
                client, mapping, group: group, deadLetters: deadLetters, metrics: metrics, consumer: consumer)
        }
    }
}
