import TestSupport
import Testing

/// A client in another language: Python's own gRPC, with classes made from the protos.
@Suite(
    "Python", .serverOutput,
    .enabled(
        if: TestEnvironment.python != nil,
        "no Python with grpcio: Scripts/python-environment.sh makes one, or KITH_PYTHON names it"))
struct PythonTests {
    private static let examples = "\(TestEnvironment.repository)/Examples/python"
    private let server: ServerProcess

    init() throws { server = try ServerProcess() }

    private func run(_ arguments: [String]) throws -> String {
        let python = try ChildProcess(
            try #require(TestEnvironment.python), arguments, environment: ["PYTHONDONTWRITEBYTECODE": "1"])
        #expect(python.wait() == 0, "\(python.output)")
        return python.output
    }

    @Test func everyKindOfCall() throws {
        let script = "\(TestEnvironment.repository)/Tests/IntegrationTests/Python/client.py"
        let output = try run([script, PythonTests.examples, server.address])
        #expect(output.contains("check_reflection passed"))
        #expect(try server.connection.count("snakes") == 599)
    }

    @Test func bytesThatNoLibrarySends() throws {
        let output = try run(["\(TestEnvironment.repository)/Tests/IntegrationTests/Python/http2.py", server.address])
        #expect(output.contains("check_noise passed"))
    }

    @Test func connectionsThatUseUpTheDescriptors() throws {
        let folder = try TemporaryFolder()
        let script = "\(TestEnvironment.repository)/Tests/IntegrationTests/Python/descriptors.py"
        #expect(try run([script, TestEnvironment.binary, folder("")]).contains("answers again"))
    }

    @Test func theExampleDoesWhatItSays() throws {
        let output = try run(["\(PythonTests.examples)/quickstart.py", "--address", server.address])
        for line in ["created   quickstart", "streamed  4000 points in", "INVALID_DIMENSION", "deleted   quickstart"] {
            #expect(output.contains(line), "\(output)")
        }
        #expect(try server.connection.call(.listCollections, [:])["collections"].list.isEmpty)
    }

    @Test func theGovernanceExampleToo() throws {
        let output = try run(["\(PythonTests.examples)/governance.py", "--address", server.address])
        for line in [
            "registered  example-model@1", "classified  person.name as restricted, pii",
            "told        that admissions wrote 9 points from s3://raw", "refused     to delete point 4: LEGAL_HOLD",
            "erased      3 points, of the ids we meant: True", "retained    30 days: 1 point deleted",
            "deleted     patients",
        ] { #expect(output.contains(line), "\(output)") }
    }
}
