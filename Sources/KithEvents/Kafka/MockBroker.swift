internal import CRdKafka
public import KithCore

/// librdkafka's test brokers: they speak Kafka's protocol over loopback TCP and keep a few megabytes a partition in memory, until this
/// object ends. They have no administration: topics are made by `createTopic`.
public final class MockBroker: @unchecked Sendable {
    /// Errors a broker can be made to answer with.
    public enum Fault: Sendable {
        case notLeader
        case timeout
        case transport
        case outOfOrderSequence
        /// It has the messages already.
        case duplicateSequence
        case messageTooLarge
        case notEnoughReplicas
        case coordinatorNotAvailable
        case concurrentTransactions
        case invalidProducerEpoch
        case producerFenced

        fileprivate var code: rd_kafka_resp_err_t {
            switch self {
            case .notLeader: RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION
            case .timeout: RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT
            case .transport: RD_KAFKA_RESP_ERR__TRANSPORT
            case .outOfOrderSequence: RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER
            case .duplicateSequence: RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER
            case .messageTooLarge: RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE
            case .notEnoughReplicas: RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS
            case .coordinatorNotAvailable: RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE
            case .concurrentTransactions: RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS
            case .invalidProducerEpoch: RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH
            case .producerFenced: RD_KAFKA_RESP_ERR_PRODUCER_FENCED
            }
        }
    }

    /// Requests that can be made to fail, by Kafka's numbers.
    public enum Request: Int16, Sendable {
        case produce = 0
        case initProducer = 22
        case addPartitions = 24
        case endTransaction = 26
    }

    /// What to connect to.
    public let bootstrapServers: String
    private let client: KafkaClient
    private let cluster: OpaquePointer

    /// Returns when they listen; they are numbered from 1.
    public init(brokers: Int = 1) throws(KithError) {
        client = try KafkaClient(.producer, KafkaConfiguration(brokers: "127.0.0.1:1"), settings: ["log_level": "0"])
        guard let cluster = rd_kafka_mock_cluster_new(client.handle, Int32(brokers)) else {
            throw KithError(.internal, .brokerFailure, "cannot start \(brokers) test brokers")
        }
        self.cluster = cluster
        bootstrapServers = String(cString: rd_kafka_mock_cluster_bootstraps(cluster))
    }

    deinit { rd_kafka_mock_cluster_destroy(cluster) }

    /// One copy of each partition.
    public func createTopic(_ name: String, partitions: Int) throws(KithError) {
        try check(rd_kafka_mock_topic_create(cluster, name, Int32(partitions), 1), "cannot create topic \(name)")
    }

    /// Makes the topics that a server with one collection asks for by default: it has no controller that could.
    public func createTopics(prefix: String, collection: String, partitions: Int) throws(KithError) {
        for topic in [EventTopic.changes, .catalogue] {
            try createTopic(
                topic.name(prefix: prefix, collection: collection), partitions: topic.isByCollection ? partitions : 1)
        }
        try createTopic(KafkaConfiguration(brokers: bootstrapServers, topicPrefix: prefix).cursorTopic, partitions: 1)
    }

    /// Takes a broker (from 1) off the net, or brings it back.
    public func setBroker(_ broker: Int, isUp: Bool) throws(KithError) {
        let code =
            isUp
            ? rd_kafka_mock_broker_set_up(cluster, Int32(broker)) : rd_kafka_mock_broker_set_down(cluster, Int32(broker))
        try check(code, "cannot switch broker \(broker)")
    }

    /// Moves a partition to another broker.
    public func setLeader(topic: String, partition: Int, broker: Int) throws(KithError) {
        try check(
            rd_kafka_mock_partition_set_leader(cluster, topic, Int32(partition), Int32(broker)),
            "cannot move \(topic)[\(partition)]")
    }

    /// The next requests of that kind are answered with these, one each.
    public func fail(_ request: Request, _ faults: [Fault]) {
        var codes = faults.map(\.code)
        rd_kafka_mock_push_request_errors_array(cluster, request.rawValue, codes.count, &codes)
    }

    private func check(_ code: rd_kafka_resp_err_t, _ action: String) throws(KithError) {
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(code).asKithError(action) }
    }
}
