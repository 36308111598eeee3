import Foundation
import KithCommands
package import KithCore

/// Changes in files, one folder a partition: `<folder>/<topic>/<partition>/00000001.jsonl`, and so on.
///
/// What counts is `progress.json` beside them, replaced and synced after the data is: it says how many bytes of the last file are whole.
/// On the next start the rest is cut off, and reading goes on at its offset: each change is there exactly once.
package final class FileStore: ChangeStore {
    private let folder: String
    private let format: any RowFormat
    private let fileBytes: Int
    private var partitions: [TopicPartition: PartitionFiles] = [:]
    package let runs: any RunNotes

    /// - Parameter fileBytes: past this a file is finished, and the next begun.
    package init(_ folder: String, format: any RowFormat, fileBytes: Int) throws(KithError) {
        self.folder = folder
        self.format = format
        self.fileBytes = fileBytes
        runs = RunFiles(folder + "/runs")
        try DurableFiles.makeFolder(folder)
    }

    package func take(_ wanted: [TopicPartition]) throws(KithError) -> [TopicPartition: Progress] {
        // Files that are open may have more in them than their progress says.
        partitions = [:]
        for place in wanted {
            partitions[place] = try PartitionFiles(
                "\(folder)/\(place.topic)/\(place.partition)", format: format, fileBytes: fileBytes)
        }
        return partitions.compactMapValues { $0.progress }
    }

    package func write(
        _ batches: [ChangeBatch], reject: (ChangeRecord, String) throws(KithError) -> Void
    ) throws(KithError) {
        for batch in batches {
            guard let files = partitions[batch.place], files.progress == batch.from else { throw .overtaken(batch.place) }
            try files.write(batch)
        }
    }

    package func release() { partitions = [:] }

    package func dataset(of collection: String, topic: String) -> DatasetName {
        DatasetName(namespace: "file", name: URL(filePath: folder).appending(path: topic).standardizedFileURL.path)
    }
}
