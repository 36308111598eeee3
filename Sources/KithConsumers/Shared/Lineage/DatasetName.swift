/// Data, or a job, as OpenLineage names it (https://openlineage.io/docs/spec/naming).
package struct DatasetName: Codable, Equatable, Sendable {
    /// Where it is, such as `postgres://db:5432` or `file`.
    package var namespace: String
    /// What it is there, such as `kith.public.docs` or an absolute path.
    package var name: String

    package init(namespace: String, name: String) {
        self.namespace = namespace
        self.name = name
    }
}
