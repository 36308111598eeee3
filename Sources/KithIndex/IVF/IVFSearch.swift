internal import CVectorKernels
internal import KithCore

/// One search of a state: the nearest lists, the best of their codes, and those compared in full.
struct IVFSearch {
    let state: IVFState
    let distance: QueryDistance
    let visibility: Visibility
    /// Lists to look into; more where they hold too few that may be answered.
    let probes: Int
    /// Candidates compared in full for each wanted result, where lists hold codes.
    let rescore: Int
    /// Of what is wanted, those that need no candidates.
    var besides = 0

    /// Leaves the nearest, at most `topK`, in `scratch.nearest`, with exact distances; false where all lists together hold fewer.
    ///
    /// - Throws: `CANCELLED` when `shouldStop` said so.
    func run(_ query: IndexQuery, _ scratch: inout SearchScratch, _ own: IVFScratch) throws(KithError) -> Bool {
        rankLists(query.vector, own)
        var probes = probes
        while true {
            chooseLists(probes, own)
            try search(own.lists.sorted(), candidates: candidates(query.topK, probes), query, &scratch, own)
            if scratch.nearest.count == query.topK { return true }
            if probes >= state.model.listCount { return false }
            probes = min(2 * probes, state.model.listCount)
        }
    }

    /// The more lists, the more vectors look nearer by their codes than they are: candidates rise with lists beyond the usual number.
    private func candidates(_ topK: Int, _ probes: Int) -> Int {
        let usual = IVFParameters.usualProbes(of: state.model.listCount)
        let wanted = (topK - besides) * rescore
        return min(probes > usual ? wanted * probes / usual : wanted, Int(visibility.bound)) + besides
    }

    private func search(
        _ lists: UnsafeBufferPointer<UInt64>, candidates: Int, _ query: IndexQuery, _ scratch: inout SearchScratch,
        _ own: IVFScratch
    ) throws(KithError) {
        if state.model.quantizer == nil {
            scratch.nearest.reset(limit: query.topK)
            try compareLists(lists, query, &scratch, own.rows)
        } else {
            scratch.nearest.reset(limit: candidates)
            try estimateLists(lists, query, &scratch, own)
            try rescore(query.topK, &scratch, own.rows)
        }
    }

    // MARK: Lists

    /// Compares the query with all centres.
    private func rankLists(_ vector: UnsafeRawPointer, _ own: IVFScratch) {
        let model = state.model
        let width = model.width
        own.prepare(width: width, listCount: model.listCount)
        if let quantizer = model.quantizer {
            quantizer.prepare(vector, own.query, own.codes)
        } else {
            own.codes.prepare(width)
            model.frame.place(vector, into: own.query.place(width: width), spare: own.codes.spare)
        }
        let isDot = model.frame.metric == .dot
        model.frame.turnedMean.withUnsafeBufferPointer { mean in
            for index in 0..<width { own.aligned[index] = own.query.placed[index] + (isDot ? mean[index] : 0) }
        }
        let kernel = isDot ? FloatKernels.dot : FloatKernels.l2
        model.centres.withUnsafeBufferPointer { centres in
            guard let centres = centres.baseAddress else { return }
            kernel.scan(own.aligned, centres, 4 * width, model.listCount, width, 1, own.toCentres)
        }
    }

    private func chooseLists(_ probes: Int, _ own: IVFScratch) {
        own.lists.reset(limit: probes)
        for list in 0..<state.model.listCount {
            let rank = Rank(distance: own.toCentres[list], slot: UInt32(list))
            if own.lists.wants(rank) { own.lists.insert(rank) }
        }
    }

    /// Full vectors: every visible one of the lists is compared.
    private func compareLists(
        _ lists: UnsafeBufferPointer<UInt64>, _ query: IndexQuery, _ scratch: inout SearchScratch, _ rows: RowBuffer
    ) throws(KithError) {
        var untilStop = SearchScratch.rowsBetweenStops
        for list in lists {
            var count = 0
            try state.lists.forEachBlock(of: Int(Rank(bits: list).slot)) { (slots, _, some) throws(KithError) in
                for index in 0..<some {
                    let slot = slots[index] - 1
                    // A filter is asked first: most rows need not be read then.
                    if visibility.filter?.contains(slot) ?? true {
                        scratch.slots[count] = slot
                        count += 1
                    }
                }
                untilStop -= some
                if count > SearchScratch.blockSize - InvertedLists.blockEntries {
                    try compare(count, &scratch, rows)
                    count = 0
                }
            }
            try compare(count, &scratch, rows)
            try pause(&untilStop, query)
        }
    }

    private func compare(_ count: Int, _ scratch: inout SearchScratch, _ rows: RowBuffer) throws(KithError) {
        try rows.compare(scratch.slots, count: count, distance, into: scratch.distances)
        for index in 0..<count {
            let rank = Rank(distance: scratch.distances[index], slot: scratch.slots[index])
            if scratch.nearest.wants(rank), visibility.admits(rank.slot) { scratch.nearest.insert(rank) }
        }
    }

    /// Codes: candidates by their estimated distances.
    private func estimateLists(
        _ lists: UnsafeBufferPointer<UInt64>, _ query: IndexQuery, _ scratch: inout SearchScratch, _ own: IVFScratch
    ) throws(KithError) {
        guard let quantizer = state.model.quantizer else { return }
        let base = own.query.query.bias
        let inBlocks = quantizer.blockBytes != nil
        let stride = state.lists.blockStride
        let (codeQuery, estimates) = (own.query, own.estimates)
        var untilStop = SearchScratch.rowsBetweenStops
        // What an estimate must not exceed to be a candidate.
        var bound = Float.infinity
        for list in lists {
            let rank = Rank(bits: list)
            codeQuery.query.bias = bias(base, toCentre: rank.distance)
            state.lists.forEachBlock(of: Int(rank.slot)) { slots, codes, some in
                if inBlocks {
                    codeQuery.scanBlocks(codes, stride: stride, count: 1, into: estimates)
                } else {
                    codeQuery.scan(codes, stride: quantizer.codeBytes, count: some, into: estimates)
                }
                for index in 0..<some where !(estimates[index] > bound) {
                    let rank = Rank(distance: estimates[index], slot: slots[index] - 1)
                    guard scratch.nearest.wants(rank), visibility.admits(rank.slot) else { continue }
                    scratch.nearest.insert(rank)
                    if scratch.nearest.isFull { bound = Rank(bits: scratch.nearest.farthest).distance }
                }
                untilStop -= some
            }
            try pause(&untilStop, query)
        }
    }

    /// The bias of estimates of codes around a centre; see `Quantizer.aim`.
    private func bias(_ base: Float, toCentre: Float) -> Float {
        switch state.model.frame.metric {
        case .l2: toCentre
        case .cosine: toCentre / 2
        default: base + toCentre
        }
    }

    private func pause(_ untilStop: inout Int, _ query: IndexQuery) throws(KithError) {
        guard untilStop <= 0 else { return }
        if query.shouldStop() { throw .searchCancelled }
        untilStop = SearchScratch.rowsBetweenStops
    }

    /// Replaces estimates by exact distances, and keeps the nearest.
    private func rescore(_ topK: Int, _ scratch: inout SearchScratch, _ rows: RowBuffer) throws(KithError) {
        let ranks = scratch.nearest.sorted()
        scratch.rescored.reset(limit: topK)
        for first in stride(from: 0, to: ranks.count, by: SearchScratch.blockSize) {
            let count = min(SearchScratch.blockSize, ranks.count - first)
            for index in 0..<count { scratch.slots[index] = Rank(bits: ranks[first + index]).slot }
            try rows.compare(scratch.slots, count: count, distance, into: scratch.distances)
            for index in 0..<count {
                let rank = Rank(distance: scratch.distances[index], slot: scratch.slots[index])
                if scratch.rescored.wants(rank) { scratch.rescored.insert(rank) }
            }
        }
        scratch.nearest.reset(limit: topK)
        for bits in scratch.rescored.sorted() { scratch.nearest.insert(Rank(bits: bits)) }
    }
}
