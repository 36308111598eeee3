import CGRPCShim
import Foundation
import KithCollections
import KithCore

/// OpenLineage 2-0-2: the parts that are told. Names are those of its JSON schemas, versions of facets those of its release 1.54.
///
/// https://openlineage.io/spec/2-0-2/OpenLineage.json
enum OpenLineage {
    static let producer = "urn:kith:server"
    private static let schema = "https://openlineage.io/spec/2-0-2/OpenLineage.json"

    struct DatasetEvent: Encodable {
        var eventTime: String
        var producer = OpenLineage.producer
        var schemaURL = "\(OpenLineage.schema)#/$defs/DatasetEvent"
        var dataset: Dataset
    }

    struct RunEvent: Encodable {
        struct Run: Encodable {
            struct Facets: Encodable { var errorMessage: ErrorMessageFacet }
            var runId: String
            var facets: Facets?
        }
        struct Job: Encodable { var namespace, name: String }

        var eventType, eventTime: String
        var producer = OpenLineage.producer
        var schemaURL = "\(OpenLineage.schema)#/$defs/RunEvent"
        var run: Run
        var job: Job
        var inputs, outputs: [Dataset]
    }

    struct Dataset: Encodable {
        struct OutputFacets: Encodable { var outputStatistics: OutputStatisticsFacet }
        var namespace, name: String
        var facets: DatasetFacets?
        var outputFacets: OutputFacets?

        /// `<namespace>/<name>`.
        var text: String { "\(namespace)/\(name)" }
    }

    struct DatasetFacets: Encodable {
        var schema: SchemaFacet
        var dataSource: DataSourceFacet
        var lifecycleStateChange: LifecycleFacet
        var documentation: DocumentationFacet?
        var ownership: OwnershipFacet?
        var tags: TagsFacet?
        var embeddingModels: ModelsFacet?

        private enum CodingKeys: String, CodingKey {
            case schema, dataSource, lifecycleStateChange, documentation, ownership, tags
            // Of our own: OpenLineage wants such names to begin with the project's, and a version in the schema's.
            case embeddingModels = "kith_embeddingModels"
        }
    }

    /// What every facet has: who tells it, and by which schema.
    private static func facet(_ version: String, _ name: String) -> String {
        "https://openlineage.io/spec/facets/\(version)/\(name).json#/$defs/\(name)"
    }

    struct SchemaFacet: Encodable {
        struct Field: Encodable { var name, type, description: String }
        var _producer = OpenLineage.producer
        var _schemaURL = OpenLineage.facet("1-2-0", "SchemaDatasetFacet")
        var fields: [Field]
    }

    struct DataSourceFacet: Encodable {
        var _producer = OpenLineage.producer
        var _schemaURL = OpenLineage.facet("1-0-1", "DatasourceDatasetFacet")
        var name, uri: String
    }

    struct LifecycleFacet: Encodable {
        var _producer = OpenLineage.producer
        var _schemaURL = OpenLineage.facet("1-0-1", "LifecycleStateChangeDatasetFacet")
        /// `CREATE`, `ALTER` or `DROP`.
        var lifecycleStateChange: String
    }

    struct DocumentationFacet: Encodable {
        var _producer = OpenLineage.producer
        var _schemaURL = OpenLineage.facet("1-1-0", "DocumentationDatasetFacet")
        var description: String
    }

    struct OwnershipFacet: Encodable {
        struct Owner: Encodable { var name: String }
        var _producer = OpenLineage.producer
        var _schemaURL = OpenLineage.facet("1-0-1", "OwnershipDatasetFacet")
        var owners: [Owner]
    }

    struct TagsFacet: Encodable {
        struct Tag: Encodable { var key, value: String }
        var _producer = OpenLineage.producer
        var _schemaURL = OpenLineage.facet("1-0-0", "TagsDatasetFacet")
        var tags: [Tag]
    }

    struct ModelsFacet: Encodable {
        struct Model: Encodable { var space, id, revision: String }
        var _producer = OpenLineage.producer
        var _schemaURL = "urn:kith:schema:1-0-0:KithEmbeddingModelsDatasetFacet"
        var models: [Model]
    }

    struct OutputStatisticsFacet: Encodable {
        var _producer = OpenLineage.producer
        var _schemaURL = OpenLineage.facet("1-0-2", "OutputStatisticsOutputDatasetFacet")
        var rowCount: UInt64
    }

    struct ErrorMessageFacet: Encodable {
        var _producer = OpenLineage.producer
        var _schemaURL = OpenLineage.facet("1-0-1", "ErrorMessageRunFacet")
        var message: String
        var programmingLanguage = "unknown"
    }

    static func json(_ event: some Encodable) throws(KithError) -> OwnedBytes {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do { return OwnedBytes(Array(try encoder.encode(event))) } catch {
            throw KithError(.internal, .storageFailure, "an OpenLineage event cannot be encoded: \(error)")
        }
    }
}
