internal import CVectorKernels
internal import KithCore

/// Puts vectors into the lists of a model: found and coded on several threads, appended by one.
struct IVFAppender {
    private let rows: VectorRows
    private let deaths: SlotDeaths

    init(_ context: IndexContext) {
        rows = context.rows
        deaths = context.deaths
    }

    /// Vectors worth a second thread.
    private static let vectorsPerThread = 128

    /// Appends at most `limit` slots below `end`, in order; the dead are passed over. Answers the mean squared distance to their centres, nil when
    /// none was living.
    func advance(_ state: IVFState, upTo end: UInt32, limit: Int) -> Float? {
        let first = state.linkedCount
        let last = min(end, first + UInt32(limit))
        guard first < last else { return nil }
        let slots = (first..<last).filter { !deaths.isDead($0) }
        let found = Found(count: slots.count, codeBytes: state.lists.codeBytes)
        let (rows, model) = (rows, state.model)
        let threads = min(GentleThreads.standardCount, max(slots.count / IVFAppender.vectorsPerThread, 1))
        GentleThreads.run(slots.count, threads: threads) { range in found.code(range, slots, rows, model) }
        for (index, slot) in slots.enumerated() {
            state.lists.append(slot, found.codes + index * state.lists.codeBytes, to: Int(found.lists[index]))
        }
        state.publish(linkedCount: last)
        guard !slots.isEmpty else { return nil }
        var sum: Float = 0
        for index in 0..<slots.count { sum += found.distances[index] }
        return sum / Float(slots.count)
    }

    /// Lists and codes of a batch of vectors; threads write parts of their own.
    private final class Found: @unchecked Sendable {
        let lists: UnsafeMutablePointer<UInt32>
        let distances: UnsafeMutablePointer<Float>
        let codes: UnsafeMutableRawPointer
        private let codeBytes: Int

        init(count: Int, codeBytes: Int) {
            lists = .allocate(capacity: max(count, 1))
            distances = .allocate(capacity: max(count, 1))
            codes = .allocate(byteCount: max(count * codeBytes, 1), alignment: 64)
            self.codeBytes = codeBytes
        }

        deinit {
            lists.deallocate()
            distances.deallocate()
            codes.deallocate()
        }

        func code(_ range: Range<Int>, _ slots: [UInt32], _ rows: VectorRows, _ model: IVFModel) {
            let scratch = CodeScratch()
            scratch.prepare(model.width)
            model.centres.withUnsafeBufferPointer { centres in
                guard let centres = centres.baseAddress else { return }
                for index in range {
                    model.frame.place(rows.row(slots[index]), into: scratch.placed, spare: scratch.spare)
                    NearestCentre.find(
                        scratch.placed, 0..<1, width: model.width, centres: centres, count: model.listCount, lists + index,
                        distances + index)
                    let centre = centres + Int(lists[index]) * model.width
                    model.quantizer?.encode(placed: scratch.placed, into: codes + index * codeBytes, centre: centre, scratch)
                }
            }
        }
    }
}
