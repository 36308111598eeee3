import Foundation
import KithCommands
import KithCore

/// The files of one partition.
final class PartitionFiles {
    /// What `progress.json` says.
    private struct State: Codable {
        var progress: Progress?
        /// Number of the last file; 0 where there is none.
        var file = 0
        /// Bytes of it that count.
        var bytes = 0
        /// Payload columns of the last file.
        var columns: [String] = []
    }

    private let folder: String
    private let format: any RowFormat
    private let fileBytes: Int
    private let lock: FolderLock
    private var state: State
    private var file: AppendFile?

    var progress: Progress? { state.progress }

    /// Takes the folder over: cuts off what was written without its progress.
    init(_ folder: String, format: any RowFormat, fileBytes: Int) throws(KithError) {
        self.folder = folder
        self.format = format
        self.fileBytes = fileBytes
        try DurableFiles.makeFolder(folder)
        lock = try FolderLock(folder)
        state = try PartitionFiles.read(folder + "/progress.json")
        for name in try DurableFiles.names(in: folder) {
            guard let number = Int(name.prefix { $0 != "." }), number > state.file else { continue }
            try Files.remove("\(folder)/\(name)")
        }
        guard state.file > 0 else { return }
        let file = try AppendFile(path(state.file))
        guard file.size >= state.bytes else {
            throw KithError(
                .dataLoss, .corruption, "\(file.path) has \(file.size) bytes, and \(state.bytes) were written",
                metadata: ["path": file.path])
        }
        if file.size > state.bytes { try file.truncate(to: state.bytes) }
        self.file = file
    }

    private func path(_ number: Int) -> String {
        let digits = String(number)
        return "\(folder)/\(String(repeating: "0", count: max(0, 8 - digits.count)))\(digits).\(format.fileExtension)"
    }

    private static func read(_ path: String) throws(KithError) -> State {
        guard Files.exists(path) else { return State() }
        do { return try JSONDecoder().decode(State.self, from: try Files.read(path)) } catch let error as KithError {
            throw error
        } catch {
            throw KithError(.dataLoss, .corruption, "\(path) cannot be read: \(error)", metadata: ["path": path])
        }
    }

    /// Appends a batch; it counts when this returns.
    func write(_ batch: ChangeBatch) throws(KithError) {
        var next = state
        next.progress = batch.to
        var rows: [UInt8] = []
        for change in batch.changes {
            let fields = newFields(of: change, next.columns)
            if file == nil || !fields.isEmpty || (file?.size ?? 0) + rows.count >= fileBytes {
                try finish(&rows)
                next.columns += fields
                next.file += 1
                file = try AppendFile(path(next.file))
                // One that was left there was not counted.
                try file?.truncate(to: 0)
                rows += format.header(next.columns)
            }
            rows += format.row(change, next.columns)
        }
        try finish(&rows)
        try DurableFiles.syncFolder(of: path(next.file))
        next.bytes = file?.size ?? 0
        try save(next)
    }

    private func newFields(of change: ChangeRecord, _ columns: [String]) -> [String] {
        let room = Limits.payloadColumns - columns.count
        let known = Set(columns)
        return Array(format.fields(of: change).filter { !known.contains($0) && PayloadFields.isColumn($0) }.prefix(max(0, room)))
    }

    private func finish(_ rows: inout [UInt8]) throws(KithError) {
        guard let file, !rows.isEmpty else { return }
        try file.append(rows)
        try file.sync()
        rows = []
    }

    private func save(_ next: State) throws(KithError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        do {
            try DurableFiles.replace(folder + "/progress.json", with: [UInt8](try encoder.encode(next)))
        } catch let error as KithError { throw error } catch {
            throw KithError(.internal, .storageFailure, "progress cannot be written: \(error)")
        }
        state = next
    }
}
