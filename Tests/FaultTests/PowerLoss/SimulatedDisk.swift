import Foundation
import TestSupport

/// A disk under a file system that promises what POSIX does and no more: what was synced stays, by file and by directory. Of the rest a power
/// loss takes what it likes: changes of a file in any order, torn at sectors of 512 bytes; changes of names from the end, as a journalling file
/// system has them.
final class SimulatedDisk {
    private static let sectorBytes = 512

    /// What the file is once all that is durable is applied, and what may be lost.
    private final class File {
        let isDirectory: Bool
        var durable: [UInt8]
        var pending: [(number: Int, change: Change)] = []

        init(isDirectory: Bool, _ bytes: [UInt8] = []) {
            self.isDirectory = isDirectory
            durable = bytes
        }
    }

    private enum Change {
        case write(offset: Int, bytes: ArraySlice<UInt8>)
        case truncate(size: Int)
        case hole(offset: Int, size: Int)
    }

    private enum NameChange {
        case make(String, File)
        case remove(String)
        case rename(from: String, to: String)
    }

    private let root: String
    private let base: [String: File]
    /// As processes see them.
    private var names: [String: File]
    private var nameChanges: [(number: Int, change: NameChange)] = []
    /// So many of them are durable.
    private var durableNames = 0
    private var handles: [UInt64: File] = [:]
    private var syncs: [UInt64: Int] = [:]

    /// - Parameter root: a folder that is empty when the journal begins.
    init(root: String) {
        self.root = SimulatedDisk.plain(root)
        base = [self.root: File(isDirectory: true)]
        names = base
    }

    // MARK: Replaying

    func replay(_ journal: Journal, count: Int) {
        for number in 0..<count { apply(journal.entries[number], number) }
    }

    private func apply(_ entry: Journal.Entry, _ number: Int) {
        switch entry {
        case .open(let handle, let path, let isNew):
            let path = SimulatedDisk.plain(path)
            if isNew || names[path] == nil { change(.make(path, File(isDirectory: false)), number) }
            handles[handle] = names[path]
        case .write(let handle, let offset, let bytes):
            handles[handle]?.pending.append((number, .write(offset: offset, bytes: bytes)))
        case .truncate(let handle, let size): handles[handle]?.pending.append((number, .truncate(size: size)))
        case .hole(let handle, let offset, let size):
            handles[handle]?.pending.append((number, .hole(offset: offset, size: size)))
        case .syncBegin(_, let sync): syncs[sync] = number
        case .syncEnd(let handle, let sync):
            guard let file = handles[handle], let begin = syncs.removeValue(forKey: sync) else { return }
            synced(file, before: begin)
        case .rename(let from, let to): change(.rename(from: SimulatedDisk.plain(from), to: SimulatedDisk.plain(to)), number)
        case .unlink(let path), .removeDirectory(let path): change(.remove(SimulatedDisk.plain(path)), number)
        case .makeDirectory(let path): change(.make(SimulatedDisk.plain(path), File(isDirectory: true)), number)
        }
    }

    private func synced(_ file: File, before begin: Int) {
        if file.isDirectory {
            durableNames = max(durableNames, nameChanges.prefix { $0.number < begin }.count)
            return
        }
        let count = file.pending.prefix { $0.number < begin }.count
        for (_, change) in file.pending.prefix(count) { SimulatedDisk.apply(change, to: &file.durable) }
        file.pending.removeFirst(count)
    }

    private func change(_ change: NameChange, _ number: Int) {
        SimulatedDisk.apply(change, to: &names)
        nameChanges.append((number, change))
    }

    /// Without doubled and trailing slashes, which RocksDB likes.
    private static func plain(_ path: String) -> String {
        "/" + path.split(separator: "/").joined(separator: "/")
    }

    private static func apply(_ change: NameChange, to names: inout [String: File]) {
        switch change {
        case .make(let path, let file): names[path] = file
        case .remove(let path): names[path] = nil
        case .rename(let from, let to):
            for (path, file) in names where path == from || path.hasPrefix(from + "/") {
                names[path] = nil
                names[to + path.dropFirst(from.count)] = file
            }
        }
    }

    private static func apply(_ change: Change, to bytes: inout [UInt8]) {
        switch change {
        case .write(let offset, let new):
            grow(&bytes, to: offset + new.count)
            bytes.replaceSubrange(offset..<offset + new.count, with: new)
        case .truncate(let size):
            grow(&bytes, to: size)
            bytes.removeLast(bytes.count - size)
        case .hole(let offset, let size):
            for place in offset..<max(offset, min(offset + size, bytes.count)) { bytes[place] = 0 }
        }
    }

    private static func grow(_ bytes: inout [UInt8], to size: Int) {
        if bytes.count < size { bytes.append(contentsOf: repeatElement(0, count: size - bytes.count)) }
    }

    // MARK: Losing power

    /// Writes what a power loss now could leave, into `folder`.
    func writeImage(to folder: String, _ random: inout SeededGenerator) throws {
        var kept = base
        let survivors = Int.random(in: durableNames...nameChanges.count, using: &random)
        for (_, change) in nameChanges.prefix(survivors) { SimulatedDisk.apply(change, to: &kept) }
        // In order of name, so that the same seed makes the same image.
        for (path, file) in kept.sorted(by: { $0.key < $1.key }) {
            let place = folder + path.dropFirst(root.count)
            if file.isDirectory {
                try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            } else {
                try Data(remains(of: file, &random)).write(to: URL(filePath: place))
            }
        }
    }

    private func remains(of file: File, _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = file.durable
        let changes = file.pending.map(\.change)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: break
        case 1: for change in changes { SimulatedDisk.apply(change, to: &bytes) }
        case 2:
            // In order up to some moment; the last one is cut off.
            let count = Int.random(in: 0...changes.count, using: &random)
            for (number, change) in changes.prefix(count).enumerated() {
                let isLast = number == count - 1
                SimulatedDisk.apply(isLast ? SimulatedDisk.cut(change, &random) : change, to: &bytes)
            }
        default:
            // Any of them, by sectors.
            for change in changes where Bool.random(using: &random) {
                for sector in SimulatedDisk.sectors(of: change) where Int.random(in: 0..<4, using: &random) > 0 {
                    SimulatedDisk.apply(sector, to: &bytes)
                }
            }
        }
        return bytes
    }

    private static func cut(_ change: Change, _ random: inout SeededGenerator) -> Change {
        guard case .write(let offset, let bytes) = change else { return change }
        return .write(offset: offset, bytes: bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
    }

    private static func sectors(of change: Change) -> [Change] {
        guard case .write(let offset, let bytes) = change, !bytes.isEmpty else { return [change] }
        var pieces: [Change] = []
        var place = offset
        while place < offset + bytes.count {
            let end = min((place / sectorBytes + 1) * sectorBytes, offset + bytes.count)
            let first = bytes.startIndex + place - offset
            pieces.append(.write(offset: place, bytes: bytes[first..<first + end - place]))
            place = end
        }
        return pieces
    }
}
