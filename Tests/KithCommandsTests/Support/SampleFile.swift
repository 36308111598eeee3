import Foundation

/// A file with given content in a folder of its own; both go with the object.
final class SampleFile {
    let path: String
    private let folder: URL

    init(_ content: some Sequence<UInt8>, name: String = "sample") throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "kith-commands-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appending(path: name)
        try Data(content).write(to: file)
        path = file.path
    }

    convenience init(_ text: String) throws { try self.init(Array(text.utf8)) }

    deinit {
        do { try FileManager.default.removeItem(at: folder) } catch { print("cannot remove \(folder.path): \(error)") }
    }
}
