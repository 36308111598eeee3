internal import Foundation

/// Makes another score of a metric's: `function(scale * score + offset)`. Every function is monotone, so the order of results stays.
public struct ScoreTransform: Sendable, Hashable {
    /// Raw values are those of the wire.
    public enum Function: UInt8, Sendable, CaseIterable {
        /// x.
        case linear = 1
        /// exp(x).
        case exponential = 2
        /// 1 / (1 + exp(-x)).
        case logistic = 3
        /// 1 / (1 + x), of distances alone.
        case reciprocal = 4
        /// What brings the metric's scores between 0 and 1, greater being nearer. Takes neither scale nor offset.
        case normalized = 5
    }

    private let function: Function
    private let scale: Float
    private let offset: Float

    /// - Throws: `INVALID_VALUE` or `METRIC_MISMATCH`, naming the part of `field`, where the function would not be monotone or not finite.
    public init(
        _ function: Function, scale: Float? = nil, offset: Float = 0, of metric: Metric, field: String
    ) throws(KithError) {
        if function == .normalized {
            guard scale == nil, offset == 0 else {
                throw .invalid(.invalidValue, field: "\(field).function", "NORMALIZED takes neither scale nor offset")
            }
            self = .normalized(metric)
            return
        }
        self.init(function, scale ?? 1, offset)
        guard self.scale.isFinite, self.scale != 0 else {
            throw ScoreTransform.invalid("\(field).scale", self.scale, "must be finite, and not 0")
        }
        guard offset.isFinite else { throw ScoreTransform.invalid("\(field).offset", offset, "must be finite") }
        guard function == .reciprocal else { return }
        guard !metric.greaterIsNearer else {
            throw .invalid(
                .metricMismatch, field: "\(field).function", "RECIPROCAL is of distances, the metric is \(metric)",
                metadata: ["metric": "\(metric)"])
        }
        guard self.scale > 0 else { throw ScoreTransform.invalid("\(field).scale", self.scale, "must be above 0 for RECIPROCAL") }
        guard offset >= 0 else { throw ScoreTransform.invalid("\(field).offset", offset, "must not be negative for RECIPROCAL") }
    }

    private init(_ function: Function, _ scale: Float, _ offset: Float) {
        self.function = function
        self.scale = scale
        self.offset = offset
    }

    private static func normalized(_ metric: Metric) -> ScoreTransform {
        switch metric {
        case .cosine: ScoreTransform(.linear, 0.5, 0.5)
        case .dot: ScoreTransform(.logistic, 1, 0)
        case .l2, .l1, .hamming, .jaccard: ScoreTransform(.reciprocal, 1, 0)
        }
    }

    private static func invalid(_ field: String, _ value: Float, _ rule: String) -> KithError {
        .invalid(.invalidValue, field: field, "is \(value), it \(rule)", metadata: ["value": "\(value)"])
    }

    /// The score that `score` becomes: finite where that is.
    public func callAsFunction(_ score: Float) -> Float {
        let x = scale * score + offset
        switch function {
        case .linear, .normalized: return x
        case .exponential: return min(exp(x), Float.greatestFiniteMagnitude)
        case .logistic: return 1 / (1 + exp(-x))
        case .reciprocal: return 1 / (1 + x)
        }
    }

    /// Whether greater scores are nearer afterwards.
    public func greaterIsNearer(_ metric: Metric) -> Bool {
        metric.greaterIsNearer == (function == .reciprocal ? scale < 0 : scale > 0)
    }
}
