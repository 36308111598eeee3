import KithTelemetry

/// What the relay's thread works with; no other thread uses it.
final class RelayTools {
    let producer: RelayProducer
    let encoder: ChangeEventEncoder
    let cluster: String
    let options: RelayOptions
    let metrics: Metrics

    init(producer: RelayProducer, cluster: String, options: RelayOptions, metrics: Metrics) {
        self.producer = producer
        self.cluster = cluster
        encoder = ChangeEventEncoder(cluster: cluster)
        self.options = options
        self.metrics = metrics
    }
}

let relayLog = Log("relay")
