import Foundation
import Glibc

/// The resident memory of this process, as the kernel counts it.
package struct ProcessMemory {
    /// Of everything.
    package private(set) var residentBytes = 0
    /// Of vectors and links that are mapped from files.
    package private(set) var tieredBytes = 0

    /// - Complexity: O(resident pages), some milliseconds a gigabyte of small ones.
    package static func measure() -> ProcessMemory {
        var memory = ProcessMemory()
        // Empty where /proc is not mounted: then nothing is known, and budgets bound only what Kith itself keeps.
        let text = mappings()
        var isTiered = false
        for line in text.split(separator: UInt8(ascii: "\n")) {
            if line.starts(with: rss) {
                let bytes = number(line.dropFirst(rss.count)) * 1_024
                memory.residentBytes += bytes
                if isTiered { memory.tieredBytes += bytes }
            } else if line.first.map({ !($0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z")) }) == true {
                // A mapping begins with its address, in lower case, and ends with its path.
                isTiered = line.ends(with: vectors) || line.contains(links)
            }
        }
        return memory
    }

    /// The whole of it: Foundation stops after one read of a file that claims no size.
    private static func mappings() -> Data {
        var text = Data()
        let file = open("/proc/self/smaps", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return text }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = read(file, &buffer, buffer.count), count > 0 { text += buffer[..<count] }
        return text
    }

    private static let rss = Array("Rss:".utf8)
    private static let vectors = Array(".vectors".utf8)
    private static let links = Array("/links.".utf8)

    private static func number(_ digits: Data.SubSequence) -> Int {
        digits.reduce(0) { (48...57).contains($1) ? $0 * 10 + Int($1 - 48) : $0 }
    }
}

extension Data {
    fileprivate func ends(with suffix: [UInt8]) -> Bool { self.suffix(suffix.count).elementsEqual(suffix) }
    fileprivate func contains(_ part: [UInt8]) -> Bool { range(of: Data(part)) != nil }
}
