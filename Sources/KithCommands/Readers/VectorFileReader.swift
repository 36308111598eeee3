package import KithCore

/// Points from a file of vectors, with payloads from a JSON Lines file beside it. Without ids, row n has the id n, from 0.
package final class VectorFileReader: RowReader {
    private let vectors: any VectorFile
    private let payloads: InputFile?
    private let fields: RowFields
    private let skip: Int
    private var number = 0

    package init(_ vectors: any VectorFile, payloads: String?, names: FieldNames, skip: Int = 0) throws(KithError) {
        self.vectors = vectors
        self.payloads = try payloads.map { (path) throws(KithError) in try InputFile(path) }
        fields = RowFields(names: names)
        self.skip = skip
    }

    package var bytesRead: Int { vectors.file.offset }
    package var bytesTotal: Int? { vectors.file.size }

    package func next() throws(KithError) -> Row? {
        while let bytes = try vectors.next() {
            let payload = try payloads?.line(limit: Limits.importLineBytes)
            number += 1
            if number <= skip { continue }
            let vector = RowVector(components: .stored(bytes, vectors.element))
            let id = PointID.number(UInt64(number - 1))
            guard payloads != nil else {
                return Row(number: number, point: .success(RowPoint(id: id, vectors: [vector])))
            }
            do throws(RowProblem) {
                guard let payload else { throw RowProblem("there is no line of payload for this vector") }
                if payload.isCut { throw RowProblem("the line is longer than \(Limits.importLineBytes) bytes") }
                let point = try fields.point(payload.bytes[...], vectors: [vector], defaultID: id)
                return Row(number: number, point: .success(point))
            } catch { return Row(number: number, point: .failure(error)) }
        }
        return nil
    }
}
