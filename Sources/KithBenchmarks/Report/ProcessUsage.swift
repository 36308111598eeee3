import Foundation
import Glibc

/// What a process takes, as Linux counts it; 0 when it is gone.
enum ProcessUsage {
    /// Bytes of memory that it has now. Mapped files count as far as they are in memory.
    static func residentBytes(of process: Int32 = getpid()) -> Int { status("VmRSS", of: process) }

    /// The most that it ever had.
    static func peakResidentBytes(of process: Int32) -> Int { status("VmHWM", of: process) }

    /// Those of them that are its own, not pages of files.
    static func anonymousBytes(of process: Int32) -> Int { status("RssAnon", of: process) }

    private static func status(_ name: String, of process: Int32) -> Int {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8) else { return 0 }
        for line in text.split(separator: "\n") where line.hasPrefix("\(name):") {
            return (line.split(separator: " ").compactMap { Int($0) }.first ?? 0) << 10
        }
        return 0
    }

    /// Seconds of processor time that it has had so far, in user and kernel mode. Of threads that have ended too.
    static func processorSeconds(of process: Int32) -> Double { times(in: "/proc/\(process)/stat")?.processorSeconds ?? 0 }

    /// Its threads by name, with what each has had.
    static func threads(of process: Int32) -> [(name: String, processorSeconds: Double)] {
        let folder = "/proc/\(process)/task"
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return threads.compactMap { times(in: "\(folder)/\($0)/stat") }
    }

    private static func times(in file: String) -> (name: String, processorSeconds: Double)? {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8), let start = text.firstIndex(of: "("),
            let end = text.lastIndex(of: ")")
        else { return nil }
        // After the name: state is field 3; utime and stime are 14 and 15.
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let kernel = Double(fields[12]) else { return nil }
        return (String(text[text.index(after: start)..<end]), (user + kernel) / Double(sysconf(Int32(_SC_CLK_TCK))))
    }
}
