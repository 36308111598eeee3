internal import CPostgreSQL
package import KithCore

/// A connection to PostgreSQL, over libpq. For one thread.
package final class PostgresConnection {
    private static let defaults = [
        "application_name": "kith-consume", "connect_timeout": "10", "client_encoding": "UTF8",
        // A server that is gone without a word is noticed.
        "keepalives_idle": "30", "tcp_user_timeout": "30000",
    ]

    private let handle: OpaquePointer

    /// - Parameter info: a URI or `key=value` pairs, as libpq takes them; what it leaves out comes from PGHOST, PGPASSWORD and so on.
    /// - Throws: `INVALID_CONFIGURATION` for one that cannot be read; `SINK_FAILURE`.
    package init(_ info: String) throws(KithError) {
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(info, &message) else {
            defer { PQfreemem(message) }
            let text = message.map { String(cString: $0) } ?? "unknown"
            throw KithError(
                .invalidArgument, .invalidConfiguration,
                "the PostgreSQL connection cannot be read: \(PostgresConnection.trimmed(text))")
        }
        PQconninfoFree(options)
        let settings = PostgresConnection.defaults.sorted { $0.key < $1.key } + [("dbname", info)]
        let made = PostgresConnection.withCStrings(settings.map(\.0)) { keys in
            PostgresConnection.withCStrings(settings.map(\.1)) { values in PQconnectdbParams(keys, values, 1) }
        }
        guard let made else { throw KithError(.resourceExhausted, .sinkFailure, "no memory for a connection to PostgreSQL") }
        handle = made
        guard PQstatus(made) == CONNECTION_OK else { throw failure("cannot connect to PostgreSQL") }
        PQsetNoticeProcessor(made, { _, _ in }, nil)
        try run("SET standard_conforming_strings = on; SET datestyle = 'ISO'; SET extra_float_digits = 1")
    }

    deinit { PQfinish(handle) }

    /// Several statements without parameters; answers the rows of the last.
    @discardableResult
    package func run(_ sql: String) throws(KithError) -> [[String?]] { try take(PQexec(handle, sql), sql) }

    /// One statement with parameters `$1` ..., as text.
    @discardableResult
    package func run(_ sql: String, _ parameters: [String?]) throws(KithError) -> [[String?]] {
        let present = parameters.map { $0 ?? "" }
        let result = PostgresConnection.withCStrings(present) { pointers in
            let values = parameters.indices.map { parameters[$0] == nil ? nil : pointers[$0] }
            return PQexecParams(handle, sql, Int32(values.count), nil, values, nil, nil, 0)
        }
        return try take(result, sql)
    }

    /// `COPY ... FROM STDIN` of rows in COPY's text format.
    package func copy(_ sql: String, _ rows: [UInt8]) throws(KithError) {
        let begun = PQexec(handle, sql)
        defer { PQclear(begun) }
        guard PQresultStatus(begun) == PGRES_COPY_IN else { throw failure("cannot copy", begun) }
        var rest = rows[...]
        while !rest.isEmpty {
            let part = rest.prefix(1 << 20)
            let sent = part.withUnsafeBytes {
                PQputCopyData(handle, $0.baseAddress?.assumingMemoryBound(to: CChar.self), Int32($0.count))
            }
            guard sent == 1 else { throw failure("cannot copy") }
            rest = rest.dropFirst(part.count)
        }
        guard PQputCopyEnd(handle, nil) == 1 else { throw failure("cannot copy") }
        var problem: KithError?
        while let result = PQgetResult(handle) {
            if PQresultStatus(result) != PGRES_COMMAND_OK { problem = problem ?? failure("cannot copy", result) }
            PQclear(result)
        }
        if let problem { throw problem }
    }

    /// All of `body` in one transaction, or nothing.
    package func transaction<Result>(_ body: () throws(KithError) -> Result) throws(KithError) -> Result {
        try run("BEGIN")
        do throws(KithError) {
            let result = try body()
            try run("COMMIT")
            return result
        } catch {
            // On a broken connection the server rolls back by itself.
            if PQstatus(handle) == CONNECTION_OK { try run("ROLLBACK") }
            throw error
        }
    }

    // MARK: Results

    private func take(_ result: OpaquePointer?, _ sql: String) throws(KithError) -> [[String?]] {
        defer { PQclear(result) }
        let status = PQresultStatus(result)
        guard status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK else {
            throw failure("PostgreSQL refuses '\(sql.prefix(80))'", result)
        }
        return (0..<PQntuples(result)).map { row in
            (0..<PQnfields(result)).map { column in
                PQgetisnull(result, row, column) == 1 ? nil : String(cString: PQgetvalue(result, row, column))
            }
        }
    }

    /// - Parameter result: what failed; the connection itself where nil.
    private func failure(_ action: String, _ result: OpaquePointer? = nil) -> KithError {
        let text = result.map { PQresultErrorMessage($0) } ?? PQerrorMessage(handle)
        // PG_DIAG_SQLSTATE, whose macro is a character.
        let state = result.flatMap { PQresultErrorField($0, Int32(UInt8(ascii: "C"))) }.map { String(cString: $0) } ?? ""
        return KithError(
            .unavailable, .sinkFailure, "\(action): \(PostgresConnection.trimmed(text.map { String(cString: $0) } ?? ""))",
            metadata: ["sqlstate": state])
    }

    private static func trimmed(_ text: String) -> String {
        text.split(separator: "\n").joined(separator: "; ")
    }

    /// C strings, with a null at their end.
    private static func withCStrings<Result>(
        _ texts: [String], _ body: ([UnsafePointer<CChar>?]) -> Result
    ) -> Result {
        var bytes: [CChar] = []
        var starts: [Int] = []
        for text in texts {
            starts.append(bytes.count)
            bytes += text.utf8CString
        }
        return bytes.withUnsafeBufferPointer { buffer in
            body(starts.map { start in buffer.baseAddress.map { $0 + start } } + [nil])
        }
    }
}

extension KithError {
    /// PostgreSQL's code of what went wrong; empty where the error is not PostgreSQL's.
    var sqlState: String { metadata["sqlstate"] ?? "" }

    /// Whether the data is at fault (class 22, 23 and 54), so that trying again would not help.
    var isBadData: Bool { reason == .sinkFailure && ["22", "23", "54"].contains(String(sqlState.prefix(2))) }
}

/// Names as SQL has them.
package enum SQL {
    /// A name in quotes.
    package static func name(_ text: String) -> String { "\"\(text.replacing("\"", with: "\"\""))\"" }

    /// The text as PostgreSQL's names may be: a long one is shortened.
    package static func identifier(_ text: String) -> String { text.shortened(to: Limits.columnNameBytes) }
}
