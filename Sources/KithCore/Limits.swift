/// Every maximum of the system, by name. Crossing one is an error that names the limit and the value.
public enum Limits {
    // MARK: Messages

    /// Bytes of one gRPC message, either way.
    public static let messageBytes = 16 << 20
    /// UTF-8 bytes of each text of an error: they travel in headers, which clients limit to 8 KiB.
    public static let statusTextBytes = 512
    /// Points in one unary write, and operations in one batch write.
    public static let batchOperations = 10_000
    /// Queries in one `SearchBatch`.
    public static let batchQueries = 1_000
    /// Ids in one `Get` or `Delete`.
    public static let batchIDs = 10_000

    // MARK: Points

    /// UTF-8 bytes of a string point id.
    public static let stringIDBytes = 256
    /// Bytes of one point's payload, as JSON.
    public static let payloadBytes = 1 << 20
    /// Nesting of a payload.
    public static let payloadDepth = 32
    /// Keys named by one payload removal.
    public static let payloadKeys = 1_000
    /// Bytes of a request id.
    public static let requestIDBytes = 128
    /// Commits of a shard during which a repeated request id gets its first answer.
    public static let requestWindowCommits: UInt64 = 1_000_000

    // MARK: Collections

    /// Collections of one node.
    public static let collections = 1_000
    /// Aliases of one node.
    public static let aliases = 10_000
    /// Bytes of a collection, alias or vector space name.
    public static let nameBytes = 128
    /// Bytes of a description.
    public static let descriptionBytes = 4_096
    /// Labels of a collection, and bytes of a label's key or value.
    public static let labels = 64
    public static let labelBytes = 256
    /// Vector spaces of a collection.
    public static let vectorSpaces = 16
    /// Components of a vector (bits of a binary one).
    public static let dimension = 65_536
    /// Parameters of an index.
    public static let indexParameters = 32
    /// Shards of a collection.
    public static let shards = 64
    /// Bytes of a memory budget.
    public static let memoryBudgetBytes = 1 << 44
    /// Actions of one alias update.
    public static let aliasActions = 100

    // MARK: Governance

    /// Registered models of one node.
    public static let models = 10_000
    /// Classified collections and fields of one node.
    public static let classifications = 100_000
    /// Labels of a classification.
    public static let classificationLabels = 16
    /// Legal holds of one node, those that were released too.
    public static let legalHolds = 10_000
    /// Points that a legal hold or an erasure names by id, and bytes of a value that names them by a payload field.
    public static let subjectPoints = 1_000
    public static let subjectValueBytes = 1_024
    /// Erasures of one node, those that were proved too.
    public static let erasures = 100_000
    /// Points that one erasure can be of, by a payload field.
    public static let erasurePoints = 100_000
    /// Milliseconds between two looks at what erasures wait for.
    public static let erasureMilliseconds = 1_000
    /// Requests that decided something and are not done again when they come again.
    public static let governanceRequests = 10_000

    /// Seconds of a retention rule: a hundred years.
    public static let retentionSeconds: UInt32 = 3_155_760_000
    /// Milliseconds between two looks at which collections are to be swept.
    public static let retentionMilliseconds = 1_000
    /// Seconds between two sweeps of a collection, at most; else a sixty-fourth of its points' age.
    public static let retentionSweepSeconds: Int64 = 3_600
    /// Points that retention deletes by one write, and those that one event tells of.
    public static let retentionBatch = 1_000
    public static let retentionEventPoints: UInt64 = 100_000
    /// Seconds between two notes of when a shard gave which versions, where no rule wants more.
    public static let versionTimeSeconds: Int64 = 60

    /// Datasets that a run of a job tells to read, and that it tells to write.
    public static let lineageDatasets = 100
    /// Bytes of a namespace or name of a job, or of a dataset that is not ours.
    public static let lineageNameBytes = 512

    // MARK: Reads

    /// Results of one search.
    public static let topK = 10_000
    /// Search effort (`ef`).
    public static let searchEffort = 65_536
    /// Points of one page of `Scroll`, names of one page of a list.
    public static let pageSize = 1_000
    /// Bytes of points in one page: a page ends early rather than cross it.
    public static let pageBytes = 8 << 20
    /// Bytes of a page token.
    public static let pageTokenBytes = 1_024

    // MARK: Queues and streams

    /// Writes waiting for one shard's writer; past it a write is refused, to be retried.
    public static let writeQueueCommands = 4_096
    /// Bytes of those writes.
    public static let writeQueueBytes = 256 << 20
    /// Operations that share one sync.
    public static let groupOperations = 4_096
    /// Bytes of vectors and payloads that share one sync.
    public static let groupBytes = 32 << 20
    /// Milliseconds until accepted writes are synced, at most.
    public static let acceptedSyncMilliseconds = 100
    /// Reads of one shard that wait for a position.
    public static let positionWaiters = 16_384
    /// Bytes of change log that are trimmed between two groups: what a write waits for at most.
    public static let trimBytes = 16 << 20
    /// Searches waiting for the search pool.
    public static let searchQueue = 4_096
    /// Queries kept with their answers until they are compared with exact ones, of each space of a shard.
    public static let keptQueries = 64
    /// Results of those queries, at most: searches for more are not measured.
    public static let measuredTopK = 100
    /// Queries that a measured recall is the mean of: the newest.
    public static let measuredQueries = 512
    /// What comparing them may take of one processor.
    public static let measuringShare = 0.01
    /// Work memories an index keeps for its next searches.
    public static let searchScratches = 64
    /// Requests waiting to be recorded for the audit; past it they are counted as lost.
    public static let auditQueue = 65_536
    /// Requests recorded with one sync.
    public static let auditBatch = 1_024
    /// Open streams of one kind, in all.
    public static let streams = 1_024
    /// Items a client of `UpsertStream` may have in flight.
    public static let streamCredit = 1_024
    /// Queries a client of `SearchStream` may have in flight.
    public static let streamQueries = 256
    /// Upsert streams whose last acknowledged item is remembered, for resuming.
    public static let resumableStreams = 10_000
    /// Milliseconds between heartbeats of `Subscribe`, at most.
    public static let heartbeatMilliseconds = 60_000

    // MARK: Events

    /// Redactions of a collection, and bytes of the path of one.
    public static let redactions = 64
    public static let redactionPathBytes = 512

    /// Bytes of the prefix of topic names: with a collection's name they must stay below Kafka's 249.
    public static let topicPrefixBytes = 100
    /// Messages, and bytes of them, that the producer holds until Kafka has acknowledged them.
    public static let producerQueueMessages = 200_000
    public static let producerQueueBytes = 128 << 20
    /// Bytes of events that one shard may have in that queue: a partition that lags leaves room for others.
    public static let relayShardBytes = 32 << 20
    /// Bytes of events sent for one shard before the next shard's turn.
    public static let relayTurnBytes = 1 << 20
    /// What the relay's threads together may take of one processor, whatever writers need.
    public static let relayPaceNeed = 0.05
    /// Processors that publishing takes, librdkafka's threads and a broker on the same machine included, for each that those threads take.
    public static let relayPaceProcessors = 5.0
    /// Processors that are to be left over while they take what they need.
    public static let relayPaceReserve = 0.2
    /// What they take of one while they rest, because writers need the others.
    public static let relayPaceShare = 0.01
    /// Seconds that events may wait for that.
    public static let relayPaceSeconds = 30
    /// Commits between two saves of the relay's cursor, at most.
    public static let relayCursorCommits: UInt64 = 10_000
    /// Points of a shard that go into a state topic at a time, when it is turned on after they were written.
    public static let statePagePoints = 1_000
    /// Bytes of change log that are read at a time to tell what waits for Kafka; beyond it is reckoned.
    public static let relayMeterBytes = 8 << 20
    /// Transactional producers of one node: shards beyond so many share them. Never to be changed: servers of other versions would not fence
    /// each other.
    public static let relayTransactions = 16
    /// Milliseconds from a transaction's first event to its commit, while there are more.
    public static let transactionMilliseconds = 100
    /// Milliseconds after a commit that an event which came meanwhile waits for others, at most.
    public static let transactionSpacingMilliseconds = 10
    /// Bytes of events after which a transaction is committed at once.
    public static let transactionBytes = 16 << 20
    /// Events after which it is, too; with the largest batch write they stay below what the producer holds.
    public static let transactionEvents = 100_000
    /// Milliseconds after which Kafka gives up a transaction that nobody commits.
    public static let transactionTimeoutMilliseconds = 60_000
    /// Milliseconds that a request to Kafka outside the event stream may take.
    public static let kafkaRequestMilliseconds = 3_000
    /// Milliseconds that an idle producer's thread sleeps at a time.
    public static let kafkaPollMilliseconds = 100
    /// Records of one poll, and bytes that a consumer fetches ahead.
    public static let consumerBatch = 10_000
    public static let consumerQueueBytes = 64 << 20

    // MARK: Metrics

    /// Connections of those who scrape metrics; further ones are refused.
    public static let metricsConnections = 16
    /// Seconds after which one that says nothing is closed.
    public static let metricsIdleSeconds = 10
    /// Memory of one, its request included; a larger request is refused.
    public static let metricsConnectionBytes = 32 << 10

    // MARK: Webhooks

    /// Webhooks of one node; each has a thread.
    public static let webhooks = 100
    /// Bytes of a webhook's URL.
    public static let webhookURLBytes = 2_048
    /// Names of collections that one webhook is limited to.
    public static let webhookCollections = 100
    /// Bytes of a webhook's secret, at least and at most.
    public static let webhookSecretBytes = 24...64
    /// Events of one batch.
    public static let webhookBatchEvents = 1_000
    /// Milliseconds that an endpoint may be given to answer.
    public static let webhookTimeoutMilliseconds = 100...30_000
    /// Attempts at an event that an endpoint refuses, before it becomes a dead letter.
    public static let webhookAttempts = 1...100
    /// Events, and bytes of them, that one webhook has read ahead of its endpoint.
    public static let webhookWindowEvents = 1_000
    public static let webhookWindowBytes = 8 << 20
    /// Bytes of an endpoint's answer that are read, and kept in the delivery log.
    public static let webhookAnswerBytes = 64 << 10
    public static let webhookAnswerTextBytes = 256
    /// Seconds that an endpoint's Retry-After is honoured for, at most.
    public static let webhookRetryAfterSeconds = 3_600
    /// Attempts that a webhook's delivery log remembers.
    public static let webhookDeliveries = 1_000
    /// Dead letters of one webhook, and bytes of them: at either it is paused rather than let an event go.
    public static let webhookDeadLetters = 1_000
    public static let webhookDeadLetterBytes = 64 << 20
    /// Dead letters named by one redelivery.
    public static let webhookRedeliveries = 1_000
    /// Seconds without an answer after which a webhook is paused and holds the change log no more.
    public static let webhookDeadSeconds = 3 * 86_400
    /// Percent of `change-log-bytes` from which on a webhook in the older half of the log is paused and holds it no more.
    public static let webhookLogPercent = 75
    /// Milliseconds between two looks at those two limits.
    public static let webhookCheckMilliseconds = 1_000
    /// `TestWebhook` calls under way.
    public static let webhookTests = 4

    // MARK: Consumers

    /// Attempts to fetch an event that was too large for Kafka, before its batch is given up and read again; milliseconds of each.
    public static let claimAttempts = 4
    public static let claimMilliseconds = 10_000
    /// Milliseconds that a consumer waits for the server to hear of a run: it then goes on, or ends.
    public static let lineageMilliseconds = 5_000
    /// Bytes of dead letters that wait for the commit of their batch.
    public static let deadLetterBytes = 1 << 20
    /// Columns that an ETL table or CSV file makes of payload fields; further fields share one column.
    public static let payloadColumns = 500
    /// UTF-8 bytes of a payload field's name that can be a column: PostgreSQL's limit of identifiers.
    public static let columnNameBytes = 63

    /// Bytes of one line of an audit journal.
    public static let journalLineBytes = 4 << 20
    /// Sources whose last event a journal remembers, to know events that come twice: shards, and nodes.
    public static let journalSources = 10_000
    /// Findings of one segment that a verification lists.
    public static let journalFindings = 100

    /// Policies of one file.
    public static let policies = 1_000
    /// Bytes of one text of a payload that patterns are held against.
    public static let scannedTextBytes = 4_096
    /// Writers of a collection, and registered models, that governance knows.
    public static let governanceNames = 10_000
    /// Edges of the lineage graph that OpenLineage events make.
    public static let governanceEdges = 100_000
    /// Open violations that are listed.
    public static let openViolations = 10_000

    // MARK: Storage

    /// Bytes of address space reserved for one growing region. Untouched pages cost nothing.
    public static let regionBytes = 64 << 30
    /// Vectors of one space in one shard.
    public static let slots = UInt32.max - 1
    /// Slots of one graph: what its regions reserve address space for. Vectors beyond are scanned.
    public static let graphSlots: UInt32 = 1 << 28
    /// The share of all cores that linking, rebuilding and calibration may be held to.
    public static let maintenanceCPUShare = 0.05...1.0
    /// Milliseconds of their share that they may save up while there is nothing to do.
    public static let maintenanceSavingMilliseconds = 100
    /// What searches of a space may spend on vectors that wait to be linked before its writers are slowed, of one core.
    public static let tailSearchShare = 0.001...1.0
    public static let standardTailSearchShare = 0.25
    /// Seconds until a rebuild of an index that failed is tried again.
    public static let rebuildRetrySeconds = 30
    /// Lists of an inverted index.
    public static let invertedLists = 65_536
    /// Vectors that a quantizer learns from.
    public static let quantizerSample = 65_536
    /// Dimensions of a square matrix that is learned, or given in an index's parameters.
    public static let learnedMatrixDimension = 1_024
    /// Milliseconds between two looks at what is in memory, where there is a budget.
    public static let memoryRoundMilliseconds = 1_000
    /// Bytes of one vector segment file, before rounding to whole rows.
    public static let segmentBytes = 64 << 20
    /// Bytes of disk that a vector segment takes at a time, as it fills.
    public static let segmentAllocationBytes = 1 << 20
    /// Bytes of the header of a checkpoint file: the names of its sections and its attributes.
    public static let checkpointHeaderBytes = 1 << 20

    // MARK: Tools

    /// Bytes of one row of a file that `kith import` reads.
    public static let importLineBytes = 32 << 20
    /// Searches of `kith import` for the first good row, which tells the dimension of a new collection.
    public static let importPeekRows = 1_000
}
