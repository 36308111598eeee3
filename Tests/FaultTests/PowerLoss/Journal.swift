/// What the preloaded library (Tests/CFaults) wrote down: every change of the data folder, and every sync, in order.
struct Journal {
    enum Entry {
        case open(handle: UInt64, path: String, isNew: Bool)
        case write(handle: UInt64, offset: Int, bytes: ArraySlice<UInt8>)
        case truncate(handle: UInt64, size: Int)
        case hole(handle: UInt64, offset: Int, size: Int)
        case syncBegin(handle: UInt64, number: UInt64)
        case syncEnd(handle: UInt64, number: UInt64)
        case rename(from: String, to: String)
        case unlink(String)
        case makeDirectory(String)
        case removeDirectory(String)
    }

    private static let headerBytes = 32

    private(set) var entries: [Entry] = []
    /// Where each entry ends, in bytes of the journal.
    private(set) var ends: [Int] = []

    /// A last entry that the kill cut off is left out.
    init(_ bytes: [UInt8]) throws {
        var place = 0
        while place + Journal.headerBytes <= bytes.count {
            let kind = Journal.number(bytes, at: place, count: 4)
            let pathSize = Int(Journal.number(bytes, at: place + 4, count: 4))
            let handle = Journal.number(bytes, at: place + 8, count: 8)
            let offset = Journal.number(bytes, at: place + 16, count: 8)
            let size = Int(Journal.number(bytes, at: place + 24, count: 8))
            let body = place + Journal.headerBytes
            let end = body + pathSize + (kind == 2 || kind == 7 ? size : 0)
            guard end <= bytes.count else { break }
            let path = String(decoding: bytes[body..<body + pathSize], as: UTF8.self)
            let rest = bytes[(body + pathSize)..<end]
            // The numbers of KithFaultKind.
            switch kind {
            case 1: entries.append(.open(handle: handle, path: path, isNew: offset == 1))
            case 2: entries.append(.write(handle: handle, offset: Int(offset), bytes: rest))
            case 3: entries.append(.truncate(handle: handle, size: Int(offset)))
            case 4: entries.append(.hole(handle: handle, offset: Int(offset), size: size))
            case 5: entries.append(.syncBegin(handle: handle, number: offset))
            case 6: entries.append(.syncEnd(handle: handle, number: offset))
            case 7: entries.append(.rename(from: path, to: String(decoding: rest, as: UTF8.self)))
            case 8: entries.append(.unlink(path))
            case 9: entries.append(.makeDirectory(path))
            case 10: entries.append(.removeDirectory(path))
            default: throw Damage(description: "entry \(entries.count) of the journal is of kind \(kind)")
            }
            ends.append(end)
            place = end
        }
    }

    struct Damage: Error, CustomStringConvertible {
        let description: String
    }

    private static func number(_ bytes: [UInt8], at place: Int, count: Int) -> UInt64 {
        (0..<count).reduce(0) { $0 | UInt64(bytes[place + $1]) << UInt64(8 * $1) }
    }
}
