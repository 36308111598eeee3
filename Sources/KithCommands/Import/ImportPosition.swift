import Foundation
package import KithCore

/// How far an import has got, in a small file beside the source.
package struct ImportPosition: Codable, Equatable {
    package var collection: String
    package var fingerprint: String
    /// Everything up to this row is acknowledged.
    package var row: Int

    /// Nil where there is none.
    package static func load(_ path: String) throws(KithError) -> ImportPosition? {
        guard Files.exists(path) else { return nil }
        do { return try JSONDecoder().decode(ImportPosition.self, from: try Files.read(path)) } catch {
            throw .usage("\(path) is no position of an import; --restart begins again", key: "resume-file")
        }
    }

    package func save(_ path: String) throws(KithError) {
        do {
            try Files.replace(path, with: String(decoding: try JSONEncoder().encode(self), as: UTF8.self) + "\n")
        } catch let error as KithError { throw error } catch {
            throw KithError(.internal, .storageFailure, "cannot write \(path): \(error)")
        }
    }
}
