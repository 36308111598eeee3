internal import CVectorKernels
internal import KithCore

/// Learns a model from vectors that are there, in pieces short enough to let other shards have their turn.
final class IVFTrainer {
    private static let iterations = 10
    /// Living vectors looked for at this many slots for each that is wanted.
    private static let triesPerRow = 8

    private let parameters: IVFParameters
    private let registry: QuantizerRegistry
    private let kMeans: KMeans
    private let frame: CodeFrame
    private let version: UInt64
    private let vectors: UInt32

    /// - Parameter vectors: slots below which rows are drawn; the same ones give the same model.
    init(
        _ context: IndexContext, _ parameters: IVFParameters, _ registry: QuantizerRegistry, vectors: UInt32, version: UInt64
    ) throws(KithError) {
        self.parameters = parameters
        self.registry = registry
        self.version = version
        let slots = IVFTrainer.sample(context.deaths, below: vectors)
        let frame = try registry.frame(
            parameters.quantizer?.kind, parameters.quantizer?.parameters, context.space, rows: context.rows, slots: slots,
            version: version)
        self.frame = frame
        self.vectors = vectors
        kMeans = KMeans(
            rows: frame.sample(context.rows, slots).values, width: frame.width, centres: parameters.lists(for: Int(vectors)),
            iterations: IVFTrainer.iterations, seed: version, threads: GentleThreads.standardCount)
    }

    /// One piece; the model once it is learned.
    func step() throws(KithError) -> IVFModel? {
        if !kMeans.isDone {
            kMeans.step()
            return nil
        }
        guard let (kind, quantizerParameters) = parameters.quantizer else {
            return IVFModel(frame: frame, quantizer: nil, centres: kMeans.centres, error: kMeans.meanError, vectors: vectors)
        }
        let quantizer = try registry.finish(
            try registry.maker(kind, quantizerParameters), quantizerParameters, frame, kMeans.residuals(), version: version)
        var centres = kMeans.centres
        // A rotation that was learned came after the centres.
        if case .matrix(let rows) = quantizer.frame.rotation {
            SquareMatrix(size: frame.width, values: rows).turn(&centres)
        }
        return IVFModel(frame: quantizer.frame, quantizer: quantizer, centres: centres, error: kMeans.meanError, vectors: vectors)
    }

    /// One vector in this many is never learned from: a centre lies nearer to what it is the mean of than to what it has not seen.
    private static let heldOutShare: UInt64 = 8

    /// Whether a vector is kept for judging what was learned from the others.
    static func holdsOut(_ slot: UInt32) -> Bool { mixBits(UInt64(slot) << 32) % heldOutShare == 0 }

    /// Living slots that are not held out, drawn by number alone.
    private static func sample(_ deaths: SlotDeaths, below count: UInt32) -> [UInt32] {
        func isWanted(_ slot: UInt32) -> Bool { !holdsOut(slot) && !deaths.isDead(slot) }
        if Int(count) <= Limits.quantizerSample { return (0..<count).filter(isWanted) }
        var slots: [UInt32] = []
        for number in 0..<UInt64(triesPerRow * Limits.quantizerSample) where slots.count < Limits.quantizerSample {
            let slot = UInt32(mixBits(number) % UInt64(count))
            if isWanted(slot) { slots.append(slot) }
        }
        return slots
    }
}

extension KMeans {
    /// The rows less their centres.
    func residuals() -> TrainingSample {
        var values = rows
        values.withUnsafeMutableBufferPointer { values in
            centres.withUnsafeBufferPointer { centres in
                var nearest: UInt32 = 0
                var distance: Float = 0
                for row in 0..<count {
                    let place = values.baseAddress! + row * width
                    NearestCentre.find(
                        place, 0..<1, width: width, centres: centres.baseAddress!, count: centreCount, &nearest, &distance)
                    for index in 0..<width { place[index] -= centres[Int(nearest) * width + index] }
                }
            }
        }
        return TrainingSample(values: values, count: count, width: width)
    }
}
