import KithTelemetry

/// What the relay's thread works with; no other thread uses it.
final class RelayTools {
    let producer: RelayProducer
    let encoder: RecordEncoder
    let cluster: String
    let options: RelayOptions
    let metrics: Metrics

    init(producer: RelayProducer, cluster: String, events: EventOptions, options: RelayOptions, metrics: Metrics) {
        self.producer = producer
        self.cluster = cluster
        encoder = RecordEncoder(cluster: cluster, options: events)
        self.options = options
        self.metrics = metrics
    }
}

let relayLog = Log("relay")
