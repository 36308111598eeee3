import TestSupport
import Testing

/// Lineage over the wire: OpenLineage events of collections and of jobs.
@Suite("Lineage", .serverOutput)
struct LineageTests {
    private let topic: GovernanceTopic
    private var connection: Connection { topic.connection }
    private static let run = "7e57d004-2b97-4e7a-b45f-5387367791cd"

    init() throws { topic = try GovernanceTopic(collections: ["docs"], encoding: "protobuf") }

    private func record(_ state: String, _ more: [String: JSON] = [:]) throws {
        var request: JSON = [
            "job": ["namespace": "airflow", "name": "embed"], "runId": .text(LineageTests.run),
            "state": .text("RUN_STATE_\(state)"),
            "inputs": [["namespace": "s3://raw", "name": "docs"]],
        ]
        for (field, value) in more { request[field] = value }
        try connection.call(.recordRun, request)
    }

    @Test func collectionsAndRunsAreTold() throws {
        var space = Make.space(dimension: 3, metric: "COSINE")
        space["model"] = ["id": "minilm", "revision": "2"]
        try connection.call(
            .createCollection,
            ["collection": ["name": "docs", "vectorSpaces": [space], "labels": ["owner": "search", "tier": "gold"]]])
        try record("START", ["outputs": [["collection": "docs"]]])
        let done: [String: JSON] = ["outputs": [["collection": "docs", "rowCount": "12"]], "requestId": "r-1"]
        try record("COMPLETE", done)
        topic.server.kill()
        try topic.server.restart()
        try record("COMPLETE", done)
        let table: JSON = ["namespace": "postgres://db:5432", "name": "kith.public.docs"]
        try record("FAIL", ["error": "out of memory", "inputCollections": ["docs"], "outputs": [["dataset": table]]])
        try connection.call(.deleteCollection, ["name": "docs"])

        let events = try topic.events(of: "lineage", atLeast: 5)
        #expect(
            events.map(\.type) == ["dataset", "run", "run", "run", "dataset"].map { "io.openlineage.\($0).v2" })
        #expect(events.map(\.key) == ["kith://kith/docs"] + Array(repeating: LineageTests.run, count: 3) + ["kith://kith/docs"])

        let dataset = events[0].value["dataset"]
        #expect(dataset["namespace"] == "kith://kith" && dataset["name"] == "docs")
        let facets = dataset["facets"]
        #expect(facets["schema"]["fields"].list.map { $0["name"] } == ["id", "vectors", "payload"])
        #expect(facets["schema"]["fields"].list.map { $0["type"] } == ["point id", "float32[3]", "json"])
        #expect(facets["ownership"]["owners"] == [["name": "search"]])
        #expect(facets["tags"]["tags"].list.map { $0["value"] } == ["search", "gold"])
        #expect(facets["kith_embeddingModels"]["models"] == [["space": "", "id": "minilm", "revision": "2"]])
        #expect(facets["lifecycleStateChange"]["lifecycleStateChange"] == "CREATE")
        #expect(facets["schema"]["_schemaURL"].string?.hasSuffix("#/$defs/SchemaDatasetFacet") == true)
        #expect(events[4].value["dataset"]["facets"]["lifecycleStateChange"]["lifecycleStateChange"] == "DROP")

        #expect(events[1...3].map { $0.value["eventType"] } == ["START", "COMPLETE", "FAIL"])
        for event in events[1...3] {
            #expect(event.value["job"] == ["namespace": "airflow", "name": "embed"])
            #expect(event.value["run"]["runId"].string == LineageTests.run)
            #expect(event.value["inputs"][0] == ["namespace": "s3://raw", "name": "docs"])
            #expect(event.value["schemaURL"] == "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent")
        }
        #expect(events[2].value["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] == 12)
        #expect(events[3].value["inputs"][1] == ["namespace": "kith://kith", "name": "docs"])
        #expect(events[3].value["outputs"] == .list([table]))
        #expect(events[3].value["run"]["facets"]["errorMessage"]["message"] == "out of memory")
    }

    @Test(.enabled(if: TestEnvironment.python != nil, "no Python: Scripts/python-environment.sh makes one"))
    func openLineagesOwnClientTakesThem() throws {
        var space = Make.space(dimension: 3, metric: "COSINE")
        space["model"] = ["id": "minilm", "revision": "2"]
        try connection.call(
            .createCollection,
            ["collection": ["name": "docs", "vectorSpaces": [space], "labels": ["owner": "search"], "description": "texts"]])
        try record("START", ["outputs": [["collection": "docs"]]])
        try record("COMPLETE", ["outputs": [["collection": "docs", "rowCount": "12"]]])
        try record("FAIL", ["error": "out of memory", "inputCollections": ["docs"]])
        try connection.call(.deleteCollection, ["name": "docs"])
        #expect(try topic.events(of: "lineage", atLeast: 5).count == 5)
        let root = TestEnvironment.repository
        let script = ["\(root)/Tests/IntegrationTests/Governance/lineage.py", "\(root)/Examples/python", topic.brokers, "5"]
        let process = try ChildProcess(
            try #require(TestEnvironment.python), script, environment: ["PYTHONDONTWRITEBYTECODE": "1"])
        #expect(process.wait() == 0, "\(process.output)")
        #expect(process.output.contains("OpenLineage's client takes all 5 events"), "\(process.output)")
    }

    @Test func theCommandLineNamesDatasetsThatArePaths() throws {
        let command = try ChildProcess(
            TestEnvironment.binary,
            [
                "governance", "record-run", "airflow/export", "--address", topic.server.address, "--run", LineageTests.run,
                "--input", "s3://raw/visits", "--output-dataset", "file=/data/day=5/visits.jsonl",
            ])
        #expect(command.wait() == 0, "\(command.output)")
        let event = try #require(try topic.events(of: "lineage", atLeast: 1).first).value
        #expect(event["job"] == ["namespace": "airflow", "name": "export"])
        #expect(event["inputs"] == [["namespace": "s3://raw", "name": "visits"]])
        #expect(event["outputs"] == [["namespace": "file", "name": "/data/day=5/visits.jsonl"]])
    }
}
