import Foundation
import KithAPI
import KithCore

/// `kith search`.
enum SearchCommand {
    static let description = CommandDescription(
        name: "search", summary: "Find the points nearest to a vector or to a point",
        options: Connection.options + [
            Option(name: "collection", value: "NAME", help: "name or alias"),
            Option(name: "vector", value: "JSON", help: "an array of numbers"),
            Option(name: "vector-file", value: "FILE", help: "a .npy, .fvecs or .bvecs file"),
            Option(name: "row", value: "N", help: "which vector of the file, from 0 (0)"),
            Option(name: "id", value: "ID", help: "in place of a vector: the point whose neighbours are wanted"),
            Option(name: "space", value: "NAME", help: "the vector space, where there are several"),
            Option(name: "top-k", value: "N", help: "results wanted (10)"),
            Option(name: "effort", value: "N", help: "candidates of a graph search"),
            Option(name: "exact", value: nil, help: "compare with every vector"),
            Option(
                name: "score", value: "FUNCTION",
                help: "another score: linear, exponential, logistic or reciprocal[:SCALE[,OFFSET]], or normalized"),
            Option(name: "payload", value: nil, help: "show payloads"),
            Option(name: "json", value: nil, help: "one JSON object a result"),
        ],
        notes: ["  kith search --collection films --vector '[0.1, 0.7, ...]' --top-k 5 --payload"]
    ) { arguments throws(KithError) in
        let collection = try arguments.required("collection")
        let topK = try arguments.number("top-k", 1...Limits.topK) ?? 10
        let effort = try arguments.number("effort", 1...Limits.searchEffort) ?? 0
        let sources = ["vector", "vector-file", "id"].filter { arguments.value($0) != nil }
        guard sources.count == 1 else { throw .usage("exactly one of --vector, --vector-file and --id is wanted") }
        return try Connection.with(arguments) { client throws(KithError) in
            let spaces = try client.collection(collection).vectorSpaces
            var query = ClientQuery(try target(arguments, spaces))
            query.space = arguments.value("space") ?? ""
            query.topK = topK
            query.effort = effort
            query.exact = arguments.flag("exact")
            query.scoreTransform = try scoreTransform(arguments)
            query.payload = arguments.flag("payload")
            let results = try client.search(collection, query)
            if arguments.flag("json") {
                for point in results {
                    Console.print(PointText.line(point, spaces: spaces, vectors: false, score: true))
                }
            } else {
                show(results, payload: query.payload)
            }
            return ExitCode.success
        }
    }

    private static func scoreTransform(
        _ arguments: Arguments
    ) throws(KithError) -> (function: ScoreTransform.Function, scale: Float?, offset: Float)? {
        guard let text = arguments.value("score") else { return nil }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let function = ScoreTransform.Function.allCases.first(where: { "\($0)" == parts[0] }) else {
            let known = ScoreTransform.Function.allCases.map { "\($0)" }.joined(separator: ", ")
            throw .usage("--score is '\(parts[0])', none of \(known)", key: "score")
        }
        guard parts.count == 2 else { return (function, nil, 0) }
        let numbers = parts[1].split(separator: ",", omittingEmptySubsequences: false).map { Float($0) }
        guard (1...2).contains(numbers.count), let scale = numbers[0], let offset = numbers.count == 2 ? numbers[1] : 0 else {
            throw .usage("--score is '\(text)': after the colon come one or two numbers, SCALE or SCALE,OFFSET", key: "score")
        }
        return (function, scale, offset)
    }

    private static func target(
        _ arguments: Arguments, _ spaces: [CollectionSummary.Space]
    ) throws(KithError) -> ClientQuery.Target {
        if let id = arguments.value("id") { return .point(PointText.id(id)) }
        let name = arguments.value("space") ?? ""
        do throws(RowProblem) {
            let components: RowComponents
            if let text = arguments.value("vector") {
                components = try RowFields.components(Array(text.utf8)[...])
            } else {
                do throws(KithError) { components = try row(arguments) } catch { throw RowProblem(error.message) }
            }
            return .vector(try SpaceVectors(spaces, defaultSpace: name).vector(RowVector(components: components)))
        } catch { throw .usage("the query vector: \(error.reason)") }
    }

    private static func row(_ arguments: Arguments) throws(KithError) -> RowComponents {
        let path = try arguments.required("vector-file")
        let row = try arguments.number("row", 0...Int(UInt32.max)) ?? 0
        guard let file = try FileFormat(path: path)?.vectorFile(path) else {
            throw .usage("--vector-file is '\(path)', not .npy, .fvecs or .bvecs", key: "vector-file")
        }
        for number in 0... {
            guard let bytes = try file.next() else {
                throw .usage("\(path) has \(number) rows, there is no row \(row)", key: "row")
            }
            if number == row { return .stored(bytes, file.element) }
        }
        return .numbers([])
    }

    private static func show(_ results: [ClientPoint], payload: Bool) {
        var table = Table(header: ["", "SCORE", "ID"] + (payload ? ["PAYLOAD"] : []), rightAligned: [0, 1])
        for (rank, point) in results.enumerated() {
            let row = ["\(rank + 1)", decimal(Double(point.score), 4), point.id.description]
            table.rows.append(row + (payload ? [point.payload] : []))
        }
        table.printAll()
    }
}
