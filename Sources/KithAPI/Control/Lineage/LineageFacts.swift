import KithCollections
import KithCore

/// Facts of the lineage topic: OpenLineage events. A collection is the dataset `<name>` of the namespace `kith://<cluster>`.
struct LineageFacts {
    /// The cluster's id.
    let cluster: String

    private var namespace: String { "kith://\(cluster)" }

    /// The dataset event of a collection that was made, changed or dropped; nil for changes of what else there is.
    func fact(_ change: CatalogueChange, at time: Int64) throws(KithError) -> Fact? {
        guard case .collection(let definition) = change.after ?? change.before else { return nil }
        let state =
            switch change.operation {
            case .create: "CREATE"
            case .delete: "DROP"
            case .update, .read: "ALTER"
            }
        let dataset = OpenLineage.Dataset(
            namespace: namespace, name: definition.name, facets: facets(of: definition, state: state))
        let event = OpenLineage.DatasetEvent(eventTime: CollectionMessage.timestamp(time), dataset: dataset)
        return Fact(
            .lineage, type: "io.openlineage.dataset.v2", key: dataset.text, subject: "collections/\(definition.name)",
            body: try OpenLineage.json(event))
    }

    private func facets(of definition: CollectionDefinition, state: String) -> OpenLineage.DatasetFacets {
        let vectors = definition.spaces.map { space in
            OpenLineage.SchemaFacet.Field(
                name: space.name.isEmpty ? "vectors" : "vectors.\(space.name)", type: "\(space.element)[\(space.dimension)]",
                description: "compared by \(space.metric), indexed by \(space.index.kind)")
        }
        let id = OpenLineage.SchemaFacet.Field(name: "id", type: "point id", description: "a number, a UUID or a name")
        let payload = OpenLineage.SchemaFacet.Field(name: "payload", type: "json", description: "an object")
        let models = definition.spaces.compactMap { space in
            space.model.map { OpenLineage.ModelsFacet.Model(space: space.name, id: $0.id, revision: $0.revision) }
        }
        let tags = definition.labels.sorted { $0.key < $1.key }.map { OpenLineage.TagsFacet.Tag(key: $0.key, value: $0.value) }
        return OpenLineage.DatasetFacets(
            schema: .init(fields: [id] + vectors + [payload]), dataSource: .init(name: namespace, uri: namespace),
            lifecycleStateChange: .init(lifecycleStateChange: state),
            documentation: definition.description.isEmpty ? nil : .init(description: definition.description),
            ownership: definition.labels["owner"].map { .init(owners: [.init(name: $0)]) },
            tags: tags.isEmpty ? nil : .init(tags: tags), embeddingModels: models.isEmpty ? nil : .init(models: models))
    }

    private func name(of dataset: JobRun.Dataset) -> JobRun.Name {
        switch dataset {
        case .collection(let name): JobRun.Name(namespace: namespace, name: name)
        case .other(let name): name
        }
    }

    /// The run event of a job, as a client told it.
    func fact(_ run: JobRun) throws(KithError) -> Fact {
        let outputs = run.outputs.map { output in
            let name = name(of: output.dataset)
            return OpenLineage.Dataset(
                namespace: name.namespace, name: name.name,
                outputFacets: output.rowCount.map { .init(outputStatistics: .init(rowCount: $0)) })
        }
        let inputs = run.inputs.map { name(of: $0) }
        let facets = run.error.isEmpty ? nil : OpenLineage.RunEvent.Run.Facets(errorMessage: .init(message: run.error))
        let event = OpenLineage.RunEvent(
            eventType: run.state.rawValue, eventTime: CollectionMessage.timestamp(run.time),
            run: .init(runId: run.id, facets: facets), job: .init(namespace: run.job.namespace, name: run.job.name),
            inputs: inputs.map { .init(namespace: $0.namespace, name: $0.name) }, outputs: outputs)
        return Fact(
            .lineage, type: "io.openlineage.run.v2", key: run.id, subject: "runs/\(run.id)", body: try OpenLineage.json(event))
    }
}
