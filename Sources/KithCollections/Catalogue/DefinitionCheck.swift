import KithCore
import KithIndex

/// What a collection's definition must keep to. Errors name the field as it stands in the API.
struct DefinitionCheck {
    let registry: IndexRegistry

    func check(_ definition: CollectionDefinition) throws(KithError) {
        try DefinitionCheck.checkName(definition.name, field: "collection.name")
        try checkMutable(definition)
        guard (1...Limits.shards).contains(definition.shardCount) else {
            throw .limit(
                field: "collection.shard_count", value: definition.shardCount, limit: Limits.shards, unit: "shards")
        }
        guard definition.spaces.count <= Limits.vectorSpaces else {
            throw .limit(
                field: "collection.vector_spaces", value: definition.spaces.count, limit: Limits.vectorSpaces, unit: "spaces")
        }
        var names: Set<String> = []
        for (number, space) in definition.spaces.enumerated() {
            let field = "collection.vector_spaces[\(number)]"
            do throws(KithError) {
                try check(space, isOnly: definition.spaces.count == 1)
            } catch { throw error.inside(field) }
            guard names.insert(space.name).inserted else {
                throw .invalid(
                    .duplicateName, field: "\(field).name", "'\(space.name)' is there twice",
                    metadata: ["vector_space": space.name])
            }
        }
    }

    /// The fields that stand for ever.
    static func checkKept(_ old: CollectionDefinition, in new: CollectionDefinition) throws(KithError) {
        try checkKept(
            [
                ("name", old.name == new.name), ("id", old.id == new.id), ("shard_count", old.shardCount == new.shardCount),
                ("vector_spaces", old.spaces.count == new.spaces.count), ("created_at", old.createdAt == new.createdAt),
            ], of: old.name, inside: "collection")
        for (number, (old, new)) in zip(old.spaces, new.spaces).enumerated() {
            try checkKept(
                [
                    ("name", old.name == new.name), ("dimension", old.dimension == new.dimension),
                    ("element_type", old.element == new.element), ("metric", old.metric == new.metric),
                    ("model", old.model == new.model),
                ], of: new.name, inside: "collection.vector_spaces[\(number)]")
        }
    }

    private static func checkKept(
        _ fields: [(name: String, isKept: Bool)], of owner: String, inside place: String
    ) throws(KithError) {
        for (name, isKept) in fields where !isKept {
            throw .invalid(
                .immutableField, field: "\(place).\(name)", "cannot be changed", metadata: ["name": String(owner)])
        }
    }

    /// The fields that may change, the spaces' indexes aside.
    func checkMutable(_ definition: CollectionDefinition) throws(KithError) {
        try DefinitionCheck.check(definition.events)
        guard definition.description.utf8.count <= Limits.descriptionBytes else {
            throw .limit(
                field: "collection.description", value: definition.description.utf8.count, limit: Limits.descriptionBytes,
                unit: "bytes")
        }
        guard definition.labels.count <= Limits.labels else {
            throw .limit(field: "collection.labels", value: definition.labels.count, limit: Limits.labels, unit: "labels")
        }
        for (key, value) in definition.labels.sorted(by: { $0.key < $1.key }) {
            let size = max(key.utf8.count, value.utf8.count)
            guard size <= Limits.labelBytes else {
                throw .limit(
                    field: "collection.labels[\"\(key.prefix(64))\"]", value: size, limit: Limits.labelBytes, unit: "bytes")
            }
        }
    }

    /// What may be set of events.
    private static func check(_ events: EventStreams) throws(KithError) {
        let field = "collection.change_events.redactions"
        guard events.redactions.count <= Limits.redactions else {
            throw .limit(field: field, value: events.redactions.count, limit: Limits.redactions, unit: "redactions")
        }
        var paths: Set<String> = []
        for (number, redaction) in events.redactions.enumerated() {
            let place = "\(field)[\(number)].path"
            guard redaction.path.utf8.count <= Limits.redactionPathBytes else {
                throw .limit(field: place, value: redaction.path.utf8.count, limit: Limits.redactionPathBytes, unit: "bytes")
            }
            guard redaction.path.split(separator: ".", omittingEmptySubsequences: false).allSatisfy({ !$0.isEmpty }) else {
                throw .invalid(
                    .invalidValue, field: place, "'\(redaction.path)' must be keys joined by single dots",
                    metadata: ["path": redaction.path])
            }
            guard paths.insert(redaction.path).inserted else {
                throw .invalid(
                    .duplicateName, field: place, "'\(redaction.path)' is there twice", metadata: ["path": redaction.path])
            }
        }
    }

    private func check(_ space: VectorSpace, isOnly: Bool) throws(KithError) {
        if !(space.name.isEmpty && isOnly) { try DefinitionCheck.checkName(space.name, field: "name") }
        guard (1...Limits.dimension).contains(space.dimension) else {
            throw .invalid(
                .invalidDimension, field: "dimension", "is \(space.dimension), it must be 1 to \(Limits.dimension)",
                metadata: ["value": "\(space.dimension)", "limit": "\(Limits.dimension)"])
        }
        guard space.metric.accepts(space.element) else {
            throw .invalid(
                .metricMismatch, field: "metric", "\(space.metric) does not compare \(space.element) vectors",
                metadata: ["metric": "\(space.metric)", "element_type": "\(space.element)"])
        }
        if let model = space.model {
            for (field, text) in [("model.id", model.id), ("model.revision", model.revision)]
            where text.utf8.count > Limits.labelBytes {
                throw .limit(field: field, value: text.utf8.count, limit: Limits.labelBytes, unit: "bytes")
            }
        }
        try checkIndex(of: space)
    }

    /// Whether an index of that kind can be made over the space, with those parameters.
    private func checkIndex(of space: VectorSpace) throws(KithError) {
        guard space.index.parameters.count <= Limits.indexParameters else {
            throw .limit(
                field: "index.parameters", value: space.index.parameters.count, limit: Limits.indexParameters,
                unit: "parameters")
        }
        try registry.maker(space.index.kind).check(space)
    }

    /// The indexes that a change brings; those that stay are left alone.
    func checkIndexes(of definition: CollectionDefinition, insteadOf old: CollectionDefinition) throws(KithError) {
        for (number, space) in definition.spaces.enumerated() where space.index != old.spaces[number].index {
            do throws(KithError) { try checkIndex(of: space) } catch {
                throw error.inside("collection.vector_spaces[\(number)]")
            }
        }
    }

    /// As `ResourceName` has it: fit for topics and folders.
    static func checkName(_ name: String, field: String) throws(KithError) { try ResourceName.check(name, field: field) }
}
