import Glibc
import KithAPI
import KithCore

/// `kith export`.
enum ExportCommand {
    static let description = CommandDescription(
        name: "export", summary: "Write a collection's points as JSON Lines, as they stood when it began",
        operands: ["[FILE]"],
        options: Connection.options + [
            Option(name: "collection", value: "NAME", help: "name or alias"),
            Option(name: "vectors", value: nil, help: "with vectors, so that 'kith import' can read them back"),
        ],
        notes: ["Without FILE, to standard output."]
    ) { arguments throws(KithError) in
        let collection = try arguments.required("collection")
        let path = arguments.operands.first ?? "-"
        return try Connection.with(arguments) { client throws(KithError) in
            let spaces = try client.collection(collection).vectorSpaces
            let descriptor = path == "-" ? 1 : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
            guard descriptor >= 0 else { throw Files.system("write", path) }
            defer { if path != "-" { close(descriptor) } }
            let vectors = arguments.flag("vectors")
            var count = 0
            try client.export(collection, vectors: vectors) { points throws(KithError) in
                var text = ""
                for point in points { text += PointText.line(point, spaces: spaces, vectors: vectors) + "\n" }
                try Console.writeAll(descriptor, text, path)
                count += points.count
                return true
            }
            Console.note("\(grouped(count)) points")
            return ExitCode.success
        }
    }
}
