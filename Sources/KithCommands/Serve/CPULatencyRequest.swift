import Glibc
package import KithCore

/// Asks Linux that idle processors wake within a time, from its making until its end: they sleep less deeply, or wait awake.
///
/// Source: the kernel's "PM Quality Of Service Interface" (power/pm_qos_interface): a request lasts while its descriptor is open.
package final class CPULatencyRequest: Sendable {
    package static let device = "/dev/cpu_dma_latency"
    private let descriptor: Int32

    /// - Parameter microseconds: the longest a processor may take to wake; 0 keeps it awake.
    /// - Throws: `INVALID_CONFIGURATION` where the device is missing, or is not ours to write.
    package init(microseconds: Int32, device: String = CPULatencyRequest.device) throws(KithError) {
        descriptor = open(device, O_WRONLY | O_CLOEXEC)
        let written = descriptor < 0 ? -1 : withUnsafeBytes(of: microseconds) { write(descriptor, $0.baseAddress, $0.count) }
        guard written == MemoryLayout<Int32>.size else {
            let reason = String(cString: strerror(errno))
            if descriptor >= 0 { close(descriptor) }
            throw .usage("'cpu-latency-microseconds' needs \(device): \(reason)", key: "cpu-latency-microseconds")
        }
    }

    deinit { close(descriptor) }
}
