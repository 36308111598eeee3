import Foundation
import Glibc

/// What a virtual machine is not given of the processors it has.
enum StolenTime {
    /// Seconds so far, of all processors, in which something here was ready to run and the host ran others.
    static var seconds: Double {
        guard let text = try? String(contentsOfFile: "/proc/stat", encoding: .utf8) else { return 0 }
        // cpu user nice system idle iowait irq softirq steal
        let fields = text.prefix { $0 != "\n" }.split(separator: " ")
        guard fields.count > 8, let ticks = Double(fields[8]) else { return 0 }
        return ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}
