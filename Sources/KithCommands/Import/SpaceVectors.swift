package import KithAPI
import KithCore

/// Vectors of rows to vectors of a collection's spaces.
package struct SpaceVectors: Sendable {
    private struct Space: Sendable {
        var dimension: Int
        var element: ElementType
    }

    private var spaces: [String: Space] = [:]
    private let only: String?
    private let defaultSpace: String

    /// - Parameter defaultSpace: for vectors that name none; may be empty where there is one space.
    package init(_ spaces: [CollectionSummary.Space], defaultSpace: String) {
        for space in spaces {
            guard let element = space.element else { continue }
            self.spaces[space.name] = Space(dimension: space.dimension, element: element)
        }
        only = spaces.count == 1 ? spaces[0].name : nil
        self.defaultSpace = defaultSpace
    }

    package func vector(_ row: RowVector) throws(RowProblem) -> ClientVector {
        let wanted = row.space.isEmpty ? defaultSpace : row.space
        let name = wanted.isEmpty ? only ?? "" : wanted
        guard let space = spaces[name] else {
            throw RowProblem(
                "the collection has no vector space '\(name)', but \(spaces.keys.sorted().map { "'\($0)'" }.joined(separator: ", "))"
            )
        }
        switch row.components {
        case .raw(let bytes):
            let wanted = space.element.byteCount(dimension: space.dimension)
            guard bytes.count == wanted else { throw RowProblem("the vector has \(bytes.count) bytes, \(wanted) are wanted") }
            return ClientVector(space: name, .bytes(bytes, space.element))
        case .numbers(let values): return try vector(values, name, space)
        case .stored(let bytes, let element):
            guard element == space.element else { return try vector(VectorComponents.floats(bytes, element), name, space) }
            try check(bytes.count * space.dimension / element.byteCount(dimension: space.dimension), space)
            return ClientVector(space: name, .bytes(bytes, element))
        }
    }

    private func vector(_ values: [Float], _ name: String, _ space: Space) throws(RowProblem) -> ClientVector {
        try check(values.count, space)
        return ClientVector(space: name, .bytes(try VectorComponents.bytes(values, as: space.element), space.element))
    }

    private func check(_ count: Int, _ space: Space) throws(RowProblem) {
        guard count == space.dimension else {
            throw RowProblem("the vector has \(count) components, the collection wants \(space.dimension)")
        }
    }
}
