import Foundation

/// The resident memory of this process, as the kernel counts it.
struct ProcessMemory {
    /// Of everything.
    var residentBytes = 0
    /// Of vectors and links that are mapped from files.
    var tieredBytes = 0

    /// - Complexity: O(resident pages), some milliseconds a gigabyte of small ones.
    static func measure() -> ProcessMemory {
        var memory = ProcessMemory()
        // Absent where /proc is not mounted: then nothing is known, and budgets bound only what Kith itself keeps.
        guard let text = FileManager.default.contents(atPath: "/proc/self/smaps") else { return memory }
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
