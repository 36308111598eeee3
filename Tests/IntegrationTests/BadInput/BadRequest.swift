import TestSupport
import Testing

/// A request that must be refused, and how.
struct BadRequest: Sendable, CustomTestStringConvertible {
    let name: String
    let method: Method
    /// The serialised request; made when it is needed, for some are large.
    let bytes: @Sendable () throws -> [UInt8]
    let code: StatusCode
    let reason: String
    /// The one field that is at fault; empty where it is the message as a whole.
    let field: String
    var timeoutMilliseconds: Int64 = 30_000

    init(
        _ name: String, _ method: Method, _ request: @autoclosure @escaping @Sendable () -> JSON, _ reason: String,
        _ field: String,
        code: StatusCode = .invalidArgument, timeoutMilliseconds: Int64 = 30_000
    ) {
        self.init(name, method, bytes: { try Message.encode(request(), as: method.requestType) }, reason, field, code: code)
        self.timeoutMilliseconds = timeoutMilliseconds
    }

    init(
        _ name: String, _ method: Method, bytes: @escaping @Sendable () throws -> [UInt8], _ reason: String, _ field: String,
        code: StatusCode = .invalidArgument
    ) {
        self.name = name
        self.method = method
        self.bytes = bytes
        self.code = code
        self.reason = reason
        self.field = field
    }

    var testDescription: String { "\(method): \(name)" }
}

/// A server with something to refuse requests about; shared, because no bad request may change it.
struct BadInputServer: Sendable {
    static let shared = Result { try BadInputServer() }

    let server: ServerProcess
    var connection: Connection { server.connection }

    init() throws {
        server = try ServerProcess()
        let connection = server.connection
        try connection.create("docs", [Make.space(dimension: 3)])
        try connection.create(
            "pairs",
            [Make.space("text", dimension: 2, metric: "L2"), Make.space("image", dimension: 4, element: "INT8", metric: "DOT")])
        try connection.create("bits", [Make.space(dimension: 16, element: "BINARY", metric: "HAMMING")])
        try connection.create("bare", [])
        try connection.call(
            .updateAliases, ["actions": [["assign": ["alias": "papers", "collection": "docs"]]]])
        try connection.upsert("docs", [Make.point(1, [1, 0, 0], payload: #"{"a":1}"#), Make.point(2, [0, 1, 0])])
        try connection.upsert("pairs", [Make.point(Make.id(1), [Make.vector([1, 2], space: "text")])])
    }

    /// The next request is served as if nothing had been.
    func checkServes(sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(try connection.isServing(), sourceLocation: sourceLocation)
        let found = try connection.search("docs", Make.vector([1, 0.1, 0]))
        #expect(found.map { $0["id"]["number"].integer } == [1, 2], sourceLocation: sourceLocation)
    }
}
