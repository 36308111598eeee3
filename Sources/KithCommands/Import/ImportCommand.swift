import KithAPI
import KithCore

/// `kith import`.
package enum ImportCommand {
    package static let description = CommandDescription(
        name: "import", summary: "Stream points in from JSON Lines, CSV, .npy, .fvecs or .bvecs", operands: ["FILE"],
        options: Connection.options + [Option(name: "collection", value: "NAME", help: "name or alias")]
            + ImportSource.options + [
                Option(name: "durability", value: "WHEN", help: "accepted or durable (the collection's)"),
                Option(name: "errors", value: "FILE", help: "where bad rows are told (standard error)"),
                Option(name: "resume-file", value: "FILE", help: "keeps how far it got (FILE.kith-position)"),
                Option(name: "restart", value: nil, help: "begin with the first row, whatever was done before"),
                Option(
                    name: "create", value: nil, help: "make the collection where it is missing, of the first vector's dimension"),
            ] + NewCollection.options,
        notes: [
            "An id is an unsigned number, a UUID or another text. Rows of vector files have their number as id, from 0.",
            "Good rows are kept whatever the others are. An import that was cut off goes on where it was.",
            "Exits with 0 when all rows are in, 3 when some were bad.",
            "  kith import films.jsonl --collection films --create --metric cosine",
            "  kith import vectors.npy --payload-jsonl films.jsonl --collection films",
        ], run: run)

    private static func run(_ arguments: Arguments) throws(KithError) -> Int32 {
        let collection = try arguments.required("collection")
        let source = try ImportSource(arguments)
        let durability = try arguments.choice("durability", [("accepted", Durability.accepted), ("durable", .durable)])
        let fingerprint = try source.path == "-" ? "" : source.fingerprint()
        let resumePath = fingerprint.isEmpty ? nil : arguments.value("resume-file") ?? source.path + ".kith-position"
        let position = try start(
            resumePath, ImportPosition(collection: collection, fingerprint: fingerprint, row: 0),
            restart: arguments.flag("restart"))
        let report = try BadRowReport(arguments.value("errors"), source: source.path)
        return try Connection.with(arguments) { client throws(KithError) in
            let reader = try source.reader(skip: position.row)
            let (summary, first) = try target(client, collection, arguments, reader)
            let space = arguments.value("space") ?? ""
            let importer = Importer(
                client: client, collection: collection, durability: durability,
                vectors: SpaceVectors(summary.vectorSpaces, defaultSpace: space), report: report, resumePath: resumePath,
                position: position)
            return try importer.run(first: first, reader).bad > 0 ? ExitCode.badRows : ExitCode.success
        }
    }

    /// Where an earlier import of the same file got, if there was one.
    private static func start(_ path: String?, _ fresh: ImportPosition, restart: Bool) throws(KithError) -> ImportPosition {
        guard let path, !restart, let earlier = try ImportPosition.load(path) else { return fresh }
        guard earlier.collection == fresh.collection, earlier.fingerprint == fresh.fingerprint else {
            throw .usage(
                "\(path) is of another file or collection ('\(earlier.collection)'); --restart begins again", key: "resume-file")
        }
        Console.note("going on after row \(earlier.row), as \(path) says")
        return earlier
    }

    /// The collection, made from the first good row where it is missing and may be made; and the rows read for that.
    private static func target(
        _ client: KithClient, _ name: String, _ arguments: Arguments, _ reader: any RowReader
    ) throws(KithError) -> (CollectionSummary, [Row]) {
        do throws(KithError) { return (try client.collection(name), []) } catch {
            guard error.reason == .collectionNotFound else { throw error }
            guard arguments.flag("create") else {
                throw KithError(
                    error.code, error.reason, "there is no collection '\(name)'; --create makes it", metadata: error.metadata)
            }
        }
        var rows: [Row] = []
        while rows.count < Limits.importPeekRows, let row = try reader.next() {
            rows.append(row)
            guard case .success(let point) = row.point, let vector = point.vectors.first else { continue }
            let (dimension, element) = try shape(vector.components)
            try NewCollection(name, arguments, dimension: dimension, element: element).create(client)
            Console.note("made the collection '\(name)' of \(dimension) components")
            return (try client.collection(name), rows)
        }
        throw KithError(
            .failedPrecondition, .invalidValue, "none of the first \(rows.count) rows has a vector that tells the dimension")
    }

    private static func shape(_ components: RowComponents) throws(KithError) -> (dimension: Int, element: ElementType) {
        switch components {
        case .numbers(let values): (values.count, .float32)
        case .stored(let bytes, let element): (bytes.count / element.byteCount(dimension: 1), element)
        case .raw: throw .usage("vectors in base64 do not tell their dimension: create the collection first", key: "create")
        }
    }
}
