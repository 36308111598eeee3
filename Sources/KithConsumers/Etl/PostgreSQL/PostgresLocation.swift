internal import CPostgreSQL

/// Where libpq finds a database, without asking it.
package struct PostgresLocation: Equatable, Sendable {
    /// A name or an address; `localhost` for a socket.
    package var host: String
    package var port: String
    package var database: String

    /// - Parameter info: a URI or `key=value` pairs; what it leaves out comes from PGHOST and so on. Of several hosts the first.
    package init(_ info: String) {
        let given = PostgresLocation.values(PQconninfoParse(info, nil))
        let defaults = PostgresLocation.values(PQconndefaults())
        func value(_ key: String) -> String? { given[key] ?? defaults[key] }
        func first(_ key: String) -> String? { value(key)?.split(separator: ",").first.map(String.init) }
        let host = first("host") ?? first("hostaddr") ?? ""
        // A path is a socket of this machine's, and so is nothing.
        self.host = host.isEmpty || host.hasPrefix("/") ? "localhost" : host
        port = first("port") ?? "5432"
        database = value("dbname") ?? value("user") ?? ""
    }

    /// Takes libpq's options over; those without a value are left out.
    private static func values(_ options: UnsafeMutablePointer<PQconninfoOption>?) -> [String: String] {
        defer { PQconninfoFree(options) }
        var values: [String: String] = [:]
        var next = options
        while let option = next?.pointee, let keyword = option.keyword {
            if let value = option.val, value.pointee != 0 { values[String(cString: keyword)] = String(cString: value) }
            next = next?.successor()
        }
        return values
    }
}
