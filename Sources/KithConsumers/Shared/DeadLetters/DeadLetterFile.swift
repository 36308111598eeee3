package import KithCore

/// Dead letters as lines of JSON.
package final class DeadLetterFile: DeadLetterOffice {
    private let path: String
    private var file: AppendFile?
    private var waiting: [UInt8] = []

    package init(_ path: String) { self.path = path }

    package func add(_ letter: DeadLetter) throws(KithError) {
        waiting += try letter.line()
        if waiting.count >= Limits.deadLetterBytes { try commit() }
    }

    package func commit() throws(KithError) {
        guard !waiting.isEmpty else { return }
        if file == nil { file = try AppendFile(path) }
        guard let file else { return }
        try file.append(waiting)
        try file.sync()
        waiting = []
    }
}
