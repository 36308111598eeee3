import Foundation
import KithAPI
import KithCore

/// `kith governance record-run`.
enum LineageActions {
    static let options = [
        Option(name: "run", value: "UUID", help: "record-run: the same for all that is told of a run (a new one)"),
        Option(name: "state", value: "WORD", help: "record-run: start, running, complete, abort or fail (start)"),
        Option(
            name: "input", value: "DATASET",
            help: "record-run: what the run reads, as NAMESPACE/NAME or, where the name has slashes, NAMESPACE=NAME; often",
            isRepeated: true),
        Option(
            name: "input-collection", value: "COLLECTION", help: "record-run: a collection that it reads; may be given often",
            isRepeated: true),
        Option(
            name: "output", value: "COLLECTION[=ROWS]", help: "record-run: what it writes; may be given often", isRepeated: true),
        Option(
            name: "output-dataset", value: "DATASET",
            help: "record-run: what it writes that is not in this server; may be given often", isRepeated: true),
    ]

    static let all: [String: GovernanceCommand.Action] = ["record-run": record]

    private struct Name: Encodable {
        var namespace, name: String

        /// Split at the first `=`; at the last slash where there is none, so that namespaces may have some.
        init(_ text: String, key: String) throws(KithError) {
            guard let split = text.firstIndex(of: "=") ?? text.lastIndex(of: "/") else {
                throw .usage("'\(text)' is neither NAMESPACE/NAME nor NAMESPACE=NAME", key: key)
            }
            namespace = String(text[..<split])
            name = String(text[text.index(after: split)...])
        }
    }

    private static func record(_ client: KithClient, _ arguments: Arguments) throws(KithError) {
        struct Request: Encodable {
            struct Output: Encodable {
                var collection = ""
                var rowCount: String?
                var dataset: Name?
            }
            var job: Name
            var runId, state: String
            var inputs: [Name]
            var inputCollections: [String]
            var outputs: [Output]
            var error, requestId: String
        }
        struct Response: Decodable {}
        var inputs: [Name] = []
        for input in arguments.all("input") { inputs.append(try Name(input, key: "input")) }
        var outputs = arguments.all("output").map { text in
            let parts = text.split(separator: "=", maxSplits: 1)
            return Request.Output(collection: String(parts.first ?? ""), rowCount: parts.count > 1 ? String(parts[1]) : nil)
        }
        for output in arguments.all("output-dataset") {
            outputs.append(Request.Output(dataset: try Name(output, key: "output-dataset")))
        }
        let request = Request(
            job: try Name(try GovernanceCommand.name(arguments, "job's name"), key: "NAME"),
            runId: arguments.value("run") ?? UUID().uuidString.lowercased(),
            state: "RUN_STATE_\((arguments.value("state") ?? "start").uppercased())", inputs: inputs,
            inputCollections: arguments.all("input-collection"), outputs: outputs,
            error: arguments.value("reason") ?? "", requestId: arguments.value("request-id") ?? "")
        let _: Response = try GovernanceCommand.call("RecordRun", request, client)
        Console.print(request.runId)
    }
}
