import Foundation

/// What tests are given by the machine they run on.
public enum TestEnvironment {
    private static let variables = ProcessInfo.processInfo.environment

    /// The root of the repository.
    public static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    /// The product: KITH_BINARY, or what was built beside these tests.
    public static let binary =
        variables["KITH_BINARY"]
        ?? URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().appending(path: "kith").path

    /// What to preload into a server that something is to go wrong in (Tests/CFaults), built beside these tests.
    public static let faults = URL(filePath: binary).deletingLastPathComponent().appending(path: "libkith-faults.so").path

    /// A Python with grpcio: KITH_PYTHON, or the one that Scripts/python-environment.sh makes; nil where there is none.
    public static let python: String? = [variables["KITH_PYTHON"], "\(repository)/.build/python/bin/python"]
        .compactMap { $0 }.first { FileManager.default.isExecutableFile(atPath: $0) }

    /// An unpacked Apache Kafka: KAFKA_HOME; nil where there is none.
    public static let kafka = variables["KAFKA_HOME"].flatMap { $0.isEmpty ? nil : $0 }
}
