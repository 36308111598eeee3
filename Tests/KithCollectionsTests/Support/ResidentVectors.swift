import Foundation

/// Bytes of vectors that this process has in memory, by segment file, of those below a folder.
func residentVectorBytes(below folder: String) -> [String: Int] {
    let text = FileHandle(forReadingAtPath: "/proc/self/smaps")?.readDataToEndOfFile() ?? Data()
    var bytes: [String: Int] = [:]
    var segment: String?
    for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
        // A mapping begins with its address, in lower case, and ends with its path.
        if line.first.map({ $0.isHexDigit && !$0.isUppercase }) == true {
            segment = line.hasSuffix(".vectors") ? line.range(of: folder).map { String(line[$0.lowerBound...]) } : nil
        }
        if let segment, line.hasPrefix("Rss:") { bytes[segment, default: 0] += (Int(line.split(separator: " ")[1]) ?? 0) << 10 }
    }
    return bytes
}
