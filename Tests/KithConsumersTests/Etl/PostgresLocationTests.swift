import KithConsumers
import Testing

/// Where a database is, for OpenLineage, by what libpq is given.
@Suite struct PostgresLocationTests {
    @Test(arguments: [
        ("postgresql://ann:secret@db.example:6432/kith?sslmode=require", "db.example", "6432", "kith"),
        ("host=db dbname=kith user=ann", "db", "5432", "kith"),
        ("hostaddr=10.0.0.7 port=5433 user=ann dbname=kith", "10.0.0.7", "5433", "kith"),
        ("postgresql://one:5433,two:5434/kith", "one", "5433", "kith"),
        ("host=/var/run/postgresql dbname=kith", "localhost", "5432", "kith"),
        ("host=db user=ann", "db", "5432", "ann"),
    ])
    func isFoundWithoutAConnection(_ info: String, host: String, port: String, database: String) {
        let location = PostgresLocation(info)
        #expect(location.host == host && location.port == port && location.database == database, "\(location)")
    }

    @Test func storesNameWhatTheyMake() throws {
        var options = PostgresStore.Options(connection: "host=db dbname=kith", consumer: "etl")
        options.schema = "search"
        options.tablePrefix = "k_"
        let table = PostgresStore(options).dataset(of: "docs", topic: "kith.changes.v1.docs")
        #expect(table == DatasetName(namespace: "postgres://db:5432", name: "kith.search.k_docs"))
    }
}
