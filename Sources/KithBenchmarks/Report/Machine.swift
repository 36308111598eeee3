import CVectorKernels
import Foundation
import Glibc

/// Where figures come from: they mean nothing without it.
struct Machine: Sendable, Encodable {
    let date: String
    let processor: String
    let cores: Int
    let memoryBytes: Int
    let simd: String
    let system: String
    /// Runnable threads of the minute before: others that work here spoil the figures.
    let load: Double
    /// Of the checkout that the binary lies in; nil elsewhere.
    let revision: String?

    private enum CodingKeys: String, CodingKey {
        case date, processor, cores, simd, system, load, revision
        case memoryBytes = "memory_bytes"
    }

    init() {
        date = Date().formatted(.iso8601)
        processor = Machine.value(of: "model name", in: "/proc/cpuinfo") ?? "unknown"
        cores = ProcessInfo.processInfo.activeProcessorCount
        memoryBytes = Int(ProcessInfo.processInfo.physicalMemory)
        simd = String(cString: kith_simd_name(kith_simd_active()))
        system = ProcessInfo.processInfo.operatingSystemVersionString
        var loads = [0.0]
        getloadavg(&loads, 1)
        load = loads[0]
        revision = Machine.gitRevision()
    }

    var line: String {
        let memory = (memoryBytes + 1 << 29) >> 30
        return "\(processor), \(cores) cores, \(memory) GiB, \(simd), \(system), load \(String(format: "%.1f", load)), "
            + "\(revision ?? "no revision"), \(date)"
    }

    private static func value(of key: String, in path: String) -> String? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        for line in text.split(separator: "\n") where line.hasPrefix(key) {
            return line.split(separator: ":", maxSplits: 1).last.map { $0.trimmingCharacters(in: .whitespaces) }
        }
        return nil
    }

    private static func gitRevision() -> String? {
        guard let binary = Bundle.main.executableURL?.resolvingSymlinksInPath() else { return nil }
        let git = Process()
        git.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        git.arguments = ["git", "-C", binary.deletingLastPathComponent().path, "describe", "--always", "--dirty"]
        let output = Pipe()
        git.standardOutput = output
        git.standardError = FileHandle.nullDevice
        guard (try? git.run()) != nil else { return nil }
        let answer = output.fileHandleForReading.readDataToEndOfFile()
        git.waitUntilExit()
        let text = String(decoding: answer, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        return git.terminationStatus == 0 && !text.isEmpty ? text : nil
    }
}
