import KithCollections
import KithCore

/// One option, as advice weighs and shows it.
struct AdviceLine {
    var option: IndexOption
    var fit: IndexOption.Fit
    var measured: IndexTrial.Result?

    var name: String {
        let parameters = option.definition.parameters.sorted(by: { $0.key < $1.key }).map { "\($0.key)=\($0.value)" }
        return ([option.definition.kind] + parameters).joined(separator: " ")
    }

    /// Searches a second, of which those from disk are worth less: how much less is the disk's to say.
    var worth: Double { (measured?.searchesPerSecond ?? 0) / Double(1 << (2 * fit.rawValue)) }

    private var inMemory: String {
        switch fit {
        case .everything: "everything"
        case .codesAndLinks: "codes, links"
        case .codes: "codes"
        case .nothing: "does not fit"
        }
    }

    static func table(_ lines: [AdviceLine]) -> Table {
        var table = Table(
            header: ["INDEX", "MEMORY", "LINKS", "DISK", "IN MEMORY", "RECALL", "EFFORT", "SEARCHES/S"],
            rightAligned: [1, 2, 3, 5, 6, 7])
        for line in lines {
            let measured = line.measured
            table.rows.append([
                line.name, grouped(line.option.memoryBytes), grouped(line.option.linkBytes), grouped(line.option.diskBytes),
                line.inMemory, measured.map { decimal($0.recall, 3) } ?? "-", measured.map { "\($0.effort)" } ?? "-",
                measured.map { grouped(Int($0.searchesPerSecond)) } ?? "-",
            ])
        }
        return table
    }
}
