import Foundation
import KithCommands
package import KithCore

/// Runs as files of a folder, `<run>.json`: each is locked as long as the process lives whose run it is.
package final class RunFiles: RunNotes {
    private let folder: String
    /// By the ids of runs: its own, and those it found left behind.
    private var locks: [String: FileLock] = [:]

    package init(_ folder: String) { self.folder = folder }

    private func path(_ id: String) -> String { "\(folder)/\(id).json" }

    package func note(_ run: NotedRun) throws(KithError) {
        try DurableFiles.makeFolder(folder)
        // Locked under the name that it is written by: nobody finds it without its lock.
        let lock = try FileLock(path(run.id) + ".next")
        do {
            try DurableFiles.replace(path(run.id), with: [UInt8](try JSONEncoder().encode(run)))
        } catch let error as KithError { throw error } catch {
            throw KithError(.internal, .storageFailure, "a run cannot be noted: \(error)")
        }
        locks[run.id] = lock
    }

    package func leftBehind() throws(KithError) -> [NotedRun] {
        var runs: [NotedRun] = []
        for name in try DurableFiles.names(in: folder) where name.hasSuffix(".json") {
            let path = "\(folder)/\(name)"
            // One that was there and is not has just been told of by its own process.
            guard let lock = try FileLock(path, makesFile: false), Files.exists(path) else { continue }
            let run = try RunFiles.read(path)
            locks[run.id] = lock
            runs.append(run)
        }
        return runs
    }

    private static func read(_ path: String) throws(KithError) -> NotedRun {
        do { return try JSONDecoder().decode(NotedRun.self, from: try Files.read(path)) } catch let error as KithError {
            throw error
        } catch {
            throw KithError(.dataLoss, .corruption, "\(path) cannot be read: \(error)", metadata: ["path": path])
        }
    }

    package func forget(_ run: NotedRun) throws(KithError) {
        try Files.remove(path(run.id))
        try DurableFiles.syncFolder(of: path(run.id))
        locks[run.id] = nil
    }
}
