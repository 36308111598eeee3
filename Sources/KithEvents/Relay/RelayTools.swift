import KithTelemetry

/// What the relay's thread works with; no other thread uses it.
final class RelayTools {
    let producer: RelayProducer
    let encoder: ChangeEventEncoder
    let options: RelayOptions
    let metrics: Metrics

    init(producer: RelayProducer, encoder: ChangeEventEncoder, options: RelayOptions, metrics: Metrics) {
        self.producer = producer
        self.encoder = encoder
        self.options = options
        self.metrics = metrics
    }
}

let relayLog = Log("relay")
