import KithCommands

/// What data comes from where: models and writers into collections, collections into topics, and the jobs that OpenLineage tells of.
package struct LineageGraph: Codable, Sendable, Equatable {
    /// In order of their names, which say what they are: `collection:docs`.
    package var nodes: [String]
    /// From what is read to what is made of it.
    package var edges: [GovernanceState.Edge]

    /// - Parameter topicPrefix: of the topics.
    package init(_ state: GovernanceState, topicPrefix: String) {
        var edges = state.edges
        for (name, collection) in state.collections {
            let node = "collection:\(name)"
            for writer in collection.writers.keys { edges.insert(GovernanceState.Edge(from: "writer:\(writer)", to: node)) }
            for model in collection.models.values where !model.isEmpty {
                edges.insert(GovernanceState.Edge(from: "model:\(model)", to: node))
            }
            edges.insert(GovernanceState.Edge(from: node, to: "topic:\(topicPrefix).changes.v1.\(name)"))
        }
        self.edges = edges.sorted()
        nodes = Set(edges.flatMap { [$0.from, $0.to] }).sorted()
    }

    /// Graphviz's language.
    package var dot: String {
        let lines = edges.map { "  \(PointText.quoted($0.from)) -> \(PointText.quoted($0.to));" }
        return "digraph lineage {\n  rankdir=LR;\n\(lines.joined(separator: "\n"))\n}"
    }
}
