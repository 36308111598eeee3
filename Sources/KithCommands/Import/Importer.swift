import KithAPI
import KithCore

/// Sends the rows of a source to a collection over one upsert stream.
struct Importer {
    let client: KithClient
    let collection: String
    let durability: Durability?
    let vectors: SpaceVectors
    let report: BadRowReport
    /// Nil where the source cannot be read again.
    let resumePath: String?
    var position: ImportPosition

    /// Sends what `first` holds, then what `reader` has. Answers what became of it.
    func run(first: [Row], _ reader: any RowReader) throws(KithError) -> ImportLedger.Counts {
        let ledger = ImportLedger(startingAfter: position.row) { [report] row, reason in report.add(row: row, reason) }
        let stream = try ClientUpsertStream(
            client, collection: collection, durability: durability,
            handlers: ClientUpsertStream.Handlers(
                acknowledged: { ledger.acknowledged($0) }, failed: { ledger.failed($0, $1) }))
        var meter = ProgressMeter()
        do throws(KithError) {
            var saved = ContinuousClock.now
            var waiting = first[...]
            while let row = try next(&waiting, reader) {
                try send(row, stream, ledger)
                meter.show(ledger.counts, bytes: reader.bytesRead, of: reader.bytesTotal)
                if saved.duration(to: .now) > .seconds(1) {
                    try save(ledger.counts.row)
                    saved = .now
                }
            }
            try stream.close()
        } catch {
            stream.cancel()
            meter.clear()
            try save(ledger.counts.row)
            if resumePath != nil { Console.note("The same command goes on after row \(ledger.counts.row).") }
            throw error
        }
        meter.clear()
        let counts = ledger.counts
        Console.note(meter.summary(counts))
        if let resumePath { try Files.remove(resumePath) }
        try report.finish()
        return counts
    }

    private func next(_ waiting: inout ArraySlice<Row>, _ reader: any RowReader) throws(KithError) -> Row? {
        if let row = waiting.popFirst() { return row }
        return try reader.next()
    }

    private func send(_ row: Row, _ stream: ClientUpsertStream, _ ledger: ImportLedger) throws(KithError) {
        let operation: ClientOperation
        do throws(RowProblem) {
            let point = try row.point.get()
            var converted: [ClientVector] = []
            for vector in point.vectors { converted.append(try vectors.vector(vector)) }
            operation = ClientOperation(id: point.id, .upsert(vectors: converted, payload: point.payload, mode: .upsert))
        } catch {
            return ledger.refuse(row: row.number, error.reason)
        }
        ledger.willSend(row: row.number)
        try stream.send(operation)
    }

    private func save(_ row: Int) throws(KithError) {
        guard let resumePath, row > 0 else { return }
        var current = position
        current.row = row
        try current.save(resumePath)
    }
}
