// swift-tools-version: 6.2
import PackageDescription

/// The settings of every Swift target: one language, one strictness.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// Swift targets, a floor at a time: a target depends only on floors below its own.
let package = Package(
    name: "kith",
    products: [
        .executable(name: "kith", targets: ["kith"]),
        .executable(name: "kith-bench", targets: ["KithBenchmarks"]),
        .executable(name: "kith-consume", targets: ["kith-consume"]),
        // Preloaded into servers by the fault campaign; not shipped.
        .library(name: "kith-faults", type: .dynamic, targets: ["CFaults"]),
    ],
    targets: [
        // L0: C, and C++ behind C headers.
        .target(name: "CMemory"),
        .systemLibrary(name: "CXXHash"),
        .systemLibrary(name: "CRoaring"),
        .target(
            name: "CJSON",
            cxxSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])],
            linkerSettings: [.linkedLibrary("crypto"), .linkedLibrary("protobuf")]),
        .target(
            name: "CVectorKernels",
            cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
        .target(
            name: "CGRPCShim",
            dependencies: ["CJSON"],
            cxxSettings: [
                .headerSearchPath("."), .headerSearchPath("Generated"),
                .unsafeFlags(["-Wall", "-Wextra", "-Werror"]),
            ],
            linkerSettings: [
                // Named one by one: pkg-config drags in abseil's flags, which SwiftPM refuses.
                .linkedLibrary("grpc++"), .linkedLibrary("grpc"), .linkedLibrary("gpr"), .linkedLibrary("protobuf"),
                .linkedLibrary("absl_synchronization"), .linkedLibrary("absl_strings"), .linkedLibrary("nghttp2"),
                .linkedLibrary("z"),
            ]),
        .target(
            name: "CRocksDB",
            cxxSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])],
            linkerSettings: [.linkedLibrary("rocksdb")]),
        .systemLibrary(name: "CRdKafka"),
        .systemLibrary(name: "CCurl"),
        .systemLibrary(name: "CMicroHTTPD"),
        .systemLibrary(name: "CPostgreSQL"),
        .systemLibrary(name: "CCrypto"),

        // L1
        .target(name: "KithCore", dependencies: ["CMemory", "CXXHash"], swiftSettings: settings),

        // L2
        .target(
            name: "KithIndex", dependencies: ["KithCore", "CVectorKernels", "CMemory", "CRoaring"],
            swiftSettings: settings),
        .target(
            name: "KithStorage", dependencies: ["KithCore", "CRocksDB", "CXXHash", "CMemory"],
            swiftSettings: settings),
        .target(name: "KithTelemetry", dependencies: ["KithCore", "CMicroHTTPD"], swiftSettings: settings),

        // L3
        .target(
            name: "KithCollections",
            dependencies: ["KithCore", "KithIndex", "KithStorage", "KithTelemetry", "CMemory", "CJSON", "CCrypto"],
            swiftSettings: settings),
        .target(
            name: "KithEvents",
            dependencies: [
                "KithCore", "KithStorage", "KithTelemetry", "CMemory", "CRdKafka", "CCurl", "CCrypto", "CGRPCShim", "CJSON",
            ],
            swiftSettings: settings),

        // L4
        .target(
            name: "KithAPI",
            dependencies: ["KithCore", "KithCollections", "KithEvents", "KithTelemetry", "CGRPCShim", "CJSON"],
            swiftSettings: settings),

        // L5
        .target(
            name: "KithCommands",
            dependencies: ["KithCore", "KithCollections", "KithEvents", "KithAPI", "KithTelemetry"],
            swiftSettings: settings),
        .executableTarget(name: "kith", dependencies: ["KithCommands"], swiftSettings: settings),
        .executableTarget(
            name: "KithBenchmarks",
            dependencies: [
                "KithCore", "KithIndex", "KithStorage", "KithCollections", "KithEvents", "KithAPI", "KithTelemetry",
                "CGRPCShim", "CVectorKernels",
            ],
            swiftSettings: settings),

        // L6: above the command line, whose conventions they share.
        .target(
            name: "KithConsumers",
            dependencies: [
                "KithCore", "KithEvents", "KithAPI", "KithCommands", "KithTelemetry", "CRdKafka", "CPostgreSQL", "CCrypto",
            ],
            swiftSettings: settings),
        .executableTarget(name: "kith-consume", dependencies: ["KithConsumers"], swiftSettings: settings),

        // Tests
        .target(name: "TestSupport", dependencies: ["CGRPCShim"], path: "Tests/TestSupport", swiftSettings: settings),
        .target(
            name: "CFaults", path: "Tests/CFaults",
            cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])], linkerSettings: [.linkedLibrary("dl")]),
        .testTarget(
            name: "FaultTests", dependencies: ["TestSupport", "KithEvents", "KithCore"], swiftSettings: settings),
        .testTarget(
            name: "IntegrationTests", dependencies: ["TestSupport", "KithEvents", "KithCore"],
            exclude: [
                "Governance/lineage.py", "Python/client.py", "Python/descriptors.py", "Python/http2.py", "Topics/registry.py",
                "Topics/topics.py", "Webhooks/receiver.py",
            ],
            swiftSettings: settings),
        .testTarget(name: "KithBenchmarksTests", dependencies: ["TestSupport"], swiftSettings: settings),
        .testTarget(name: "ShimTests", dependencies: ["TestSupport", "CGRPCShim", "CJSON"], swiftSettings: settings),
        .testTarget(
            name: "KithIndexTests", dependencies: ["KithIndex", "KithCore", "CVectorKernels", "CMemory"],
            swiftSettings: settings),
        .testTarget(
            name: "KithEventsTests",
            dependencies: ["TestSupport", "KithEvents", "KithCore", "KithStorage", "KithTelemetry", "CGRPCShim", "CRdKafka"],
            swiftSettings: settings),
        .testTarget(
            name: "KithConsumersTests",
            dependencies: ["TestSupport", "KithConsumers", "KithCommands", "KithAPI", "KithCore", "KithEvents", "KithTelemetry"],
            swiftSettings: settings),
        .testTarget(
            name: "KithAPITests", dependencies: ["KithAPI", "KithCore", "KithTelemetry"], swiftSettings: settings),
        .testTarget(
            name: "KithCommandsTests", dependencies: ["TestSupport", "KithCommands", "KithCore", "KithAPI"],
            swiftSettings: settings),
        .testTarget(
            name: "KithStorageTests", dependencies: ["TestSupport", "KithStorage", "KithCore"], swiftSettings: settings),
        .testTarget(name: "KithCoreTests", dependencies: ["TestSupport", "KithCore"], swiftSettings: settings),
        .testTarget(
            name: "KithTelemetryTests", dependencies: ["TestSupport", "KithTelemetry", "KithCore"], swiftSettings: settings),
        .testTarget(
            name: "KithCollectionsTests",
            dependencies: ["TestSupport", "KithCollections", "KithCore", "KithIndex", "KithStorage", "KithTelemetry"],
            swiftSettings: settings),
    ],
    cLanguageStandard: .c17,
    cxxLanguageStandard: .cxx17
)
