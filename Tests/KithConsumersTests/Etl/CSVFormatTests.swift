import Foundation
import KithCommands
import KithConsumers
import KithCore
import TestSupport
import Testing

/// CSV that any reader of RFC 4180 reads back: here our own, which knows nothing of the writer.
@Suite struct CSVFormatTests {
    /// The rows of a file, each cell by its column.
    private func rows(_ path: String) throws -> [[String: String]] {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        var rows: [[String]] = [[]]
        var cell = ""
        var quoted = false
        var characters = Array(text.unicodeScalars)[...]
        while let next = characters.popFirst() {
            switch next {
            case "\"" where quoted && characters.first == "\"":
                cell.unicodeScalars.append(next)
                characters.removeFirst()
            case "\"": quoted.toggle()
            case "," where !quoted:
                rows[rows.count - 1].append(cell)
                cell = ""
            case "\r" where !quoted:
                #expect(characters.popFirst() == "\n")
                rows[rows.count - 1].append(cell)
                cell = ""
                rows.append([])
            default: cell.unicodeScalars.append(next)
            }
        }
        #expect(rows.removeLast() == [] && cell.isEmpty, "the last line has no end")
        let header = rows.removeFirst()
        return rows.map { row in
            #expect(row.count == header.count)
            return Dictionary(uniqueKeysWithValues: zip(header, row))
        }
    }

    @Test func awkwardTextsComeBack() throws {
        let folder = try TemporaryFolder()
        let topic = try ChangeTopic(partitions: 1)
        let texts = ["plain", "a,b", "say \"hi\"", "two\nlines", "cr\rlf\r\n", "", " spaces ", "=1+1", "é✓", "\"", ",", "\u{1}"]
        for (number, text) in texts.enumerated() { topic.change(number, "{\"text\":\(quoted(text)),\"n\":\(number)}") }
        topic.flush()
        let store = try FileStore(folder.path, format: CSVFormat(vectors: .none), fileBytes: 1 << 20)
        try followToEnd(topic, into: ChangeLoader(store, deadLetters: DeadLetterList(), metrics: ConsumerMetrics()))
        let rows = try rows(try #require(try dataFiles(folder.path, topic.name, 0).first))
        #expect(rows.map { $0["payload.text"] } == texts)
        #expect(rows.map { $0["payload.n"] } == texts.indices.map { "\($0)" })
        #expect(rows.map { $0["event"] } == topic.eventIDs[0])
    }

    @Test func newFieldsBeginANewFile() throws {
        let folder = try TemporaryFolder()
        let topic = try ChangeTopic(partitions: 1)
        topic.change(1, #"{"a":1}"#)
        topic.change(2, #"{"a":2,"nothing":null}"#)
        topic.change(3, #"{"b":{"deep":[1]},"a":3}"#)
        topic.change(3, nil)
        topic.change(4, #"{"\#(String(repeating: "x", count: 100))":true}"#)
        topic.flush()
        let store = try FileStore(folder.path, format: CSVFormat(vectors: .none), fileBytes: 1 << 20)
        try followToEnd(topic, into: ChangeLoader(store, deadLetters: DeadLetterList(), metrics: ConsumerMetrics()))
        let files = try dataFiles(folder.path, topic.name, 0)
        #expect(files.count == 2)
        #expect(try rows(files[0]).map { $0["payload.a"] } == ["1", "2"])
        let later = try rows(files[1])
        #expect(later.map { $0["payload.a"] } == ["3", "", ""])
        #expect(later.map { $0["payload.b"] } == [#"{"deep":[1]}"#, "", ""])
        #expect(later.map { $0["op"] } == ["create", "delete", "create"])
        #expect(later[2]["rest"]?.hasSuffix(#"x":true}"#) == true)
    }

    @Test func vectorsStandAsNumbers() throws {
        let folder = try TemporaryFolder()
        let topic = try ChangeTopic(partitions: 1)
        let data = Data([0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0]).base64EncodedString()
        topic.change(1, "{}", vectors: #","vectors":[{"space":"body","data":"\#(data)","digest":"7"},{"digest":"8"}]"#)
        topic.flush()
        let store = try FileStore(folder.path, format: CSVFormat(vectors: .numbers(.float32)), fileBytes: 1 << 20)
        try followToEnd(topic, into: ChangeLoader(store, deadLetters: DeadLetterList(), metrics: ConsumerMetrics()))
        let file = try #require(try dataFiles(folder.path, topic.name, 0).first)
        #expect(try rows(file).map { $0["vectors"] } == [#"{"body":[1.0,-2.0]}"#])
    }
}
