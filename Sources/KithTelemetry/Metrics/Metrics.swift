/// Every metric of the server, by name: the only place that names one. What each is, its help says.
public final class Metrics: MetricSet {
    // MARK: Searches

    package let searches = Counter("kith_searches_total", "Searches answered.")
    package let searchErrors = Counter("kith_search_errors_total", "Searches refused or failed.")
    package let searchDuration = DurationHistogram("kith_search_duration_seconds", "Time of a search in the engine.")

    // MARK: Writes

    package let writes = Counter("kith_writes_total", "Write requests committed.")
    package let writeErrors = Counter("kith_write_errors_total", "Write requests refused or failed.")
    package let heldWrites = Counter("kith_held_writes_total", "Write requests refused because of a legal hold.")
    package let operations = Counter("kith_operations_total", "Operations committed.")
    package let commits = Counter("kith_commits_total", "Commits.")
    package let groups = Counter("kith_commit_groups_total", "Groups of commits that shared one batch.")
    package let commitDuration = DurationHistogram("kith_commit_duration_seconds", "Time to commit a group.")

    // MARK: Indexes

    package let linkedVectors = Counter("kith_linked_vectors_total", "Vectors linked into indexes.")
    package let tailVectors = Gauge("kith_tail_vectors", "Vectors waiting to be linked.")
    package let slowedWriters = Gauge("kith_slowed_writers", "Shards whose writes wait for the linker.")
    package let measuredRecall = LabelledGauge(
        "kith_index_measured_recall", "Recall of searches lately, by collection and space: a sample compared with exact answers.")
    package let checkpoints = Counter("kith_checkpoints_total", "Index checkpoints written.")

    package let maintenanceTime = TimeCounter(
        "kith_index_maintenance_cpu_seconds_total", "Processor time of linking, rebuilding, calibration and checkpoints.")
    package let indexRebuilds = CounterFamily(
        "kith_index_rebuilds_total", "Indexes of a shard's vector space made anew, by reason.", label: "reason")
    package let indexRebuildFailures = Counter(
        "kith_index_rebuild_failures_total", "Attempts to make an index anew that failed, and are made again.")
    package let indexRebuildsRunning = Gauge(
        "kith_index_rebuilds_running", "Indexes that are being made anew, or wait for it.")
    package let indexRebuildRowsLeft = Gauge("kith_index_rebuild_rows_left", "Rows that they have still to link.")
    package let maintenancePaused = Gauge(
        "kith_index_maintenance_paused", "Collections whose index maintenance is paused.")

    // MARK: Memory

    package let memoryBudgetBytes = Gauge("kith_memory_budget_bytes", "The node's memory budget (memory-budget-bytes); 0: none.")
    package let indexMemoryBytes = Gauge(
        "kith_index_memory_bytes", "Bytes of codes, links beside them, ids and versions: always in memory.")
    package let tieredResidentBytes = Gauge(
        "kith_tiered_resident_bytes", "Resident bytes of mapped vectors and links; measured where the node has a budget.")
    package let tierPromotions = Counter("kith_tier_promotions_total", "Segments of vectors, or links, let into memory.")
    package let tierDemotions = Counter("kith_tier_demotions_total", "Segments of vectors, or links, taken out of memory.")

    // MARK: The change log

    package let changeLogBytes = Gauge("kith_change_log_bytes", "Bytes of the change log.")
    package let changeLogLimit = Gauge(
        "kith_change_log_limit_bytes", "The most that the change log may take (change-log-bytes).")
    package let changeLogRefusals = Counter(
        "kith_change_log_refusals_total", "Writes refused because the change log is full.")
    package let lostCommits = Counter(
        "kith_lost_commits_total", "Commits trimmed before Kafka had them; GAP events name them.")

    // MARK: Audit

    package let auditedRequests = Counter("kith_audited_requests_total", "Requests recorded for the audit topic.")
    package let lostAudits = Counter("kith_lost_audits_total", "Requests that were not recorded, the queue being full.")

    // MARK: Governance

    package let erasuresUnderWay = Gauge("kith_erasures_under_way", "Erasures that are not proved yet.")
    package let erasuresBlocked = Gauge("kith_erasures_blocked", "Those of them that do not go on; GetErasure says why.")
    package let erasedPoints = Counter("kith_erased_points_total", "Points deleted by erasures.")
    package let retentionDeletedPoints = Counter("kith_retention_deleted_points_total", "Points deleted by retention.")
    package let retentionHeldPoints = Gauge(
        "kith_retention_held_points", "Points that the last sweeps found too old, and left because of legal holds.")
    package let retentionUndatedPoints = Gauge(
        "kith_retention_undated_points", "Points that the last sweeps left, having no time in the field that a rule names.")
    package let retentionSweepAge = Gauge(
        "kith_retention_sweep_age_seconds", "Time since the last sweep that got through, of the collection where it is longest.")
    package let retentionFailing = Gauge(
        "kith_retention_failing_collections", "Collections whose last sweep did not get through; GetRetention says why.")

    // MARK: Kafka

    package let publishedEvents = Counter("kith_published_events_total", "Change events acknowledged by Kafka.")
    package let publishedBytes = Counter("kith_published_bytes_total", "Bytes of change events acknowledged by Kafka.")
    package let publishErrors = Counter("kith_publish_errors_total", "Produce errors.")
    package let relayLag = Gauge("kith_relay_lag_commits", "Commits not yet acknowledged by Kafka.")
    package let relayWaitingEvents = Gauge("kith_relay_waiting_events", "Events that Kafka has not acknowledged yet.")
    package let relayWaitingBytes = Gauge("kith_relay_waiting_bytes", "Bytes of change log that they take.")
    package let relayOldestSeconds = Gauge("kith_relay_oldest_seconds", "Age of the oldest of them.")
    package let relayFailingShards = Gauge(
        "kith_relay_failing_shards", "Shards whose relay stands still and tries again.")
    package let relayUnusableTopics = Gauge(
        "kith_relay_unusable_topics", "Topics that brokers do not make, or that are not as Kith needs them.")

    package let statePoints = Counter(
        "kith_state_snapshot_points_total", "Points put into state topics that were turned on after they were written.")

    // MARK: Webhooks

    package let webhookEvents = Counter("kith_webhook_events_total", "Change events taken by webhooks' endpoints.")
    package let webhookAttempts = Counter("kith_webhook_attempts_total", "Requests to webhooks' endpoints.")
    package let webhookFailures = Counter("kith_webhook_failures_total", "Requests that were not answered with 2xx.")
    package let webhookDeadLetters = Counter(
        "kith_webhook_dead_letters_total", "Events given up after the last attempt.")
    package let webhookMissedCommits = Counter(
        "kith_webhook_missed_commits_total", "Commits that the log lost before a webhook had them.")
    package let webhooksStopped = Gauge("kith_webhooks_stopped", "Webhooks that are paused or disabled.")
    package let webhookLag = Gauge("kith_webhook_lag_commits", "Commits that webhooks have still to deliver.")
    package let webhookDuration = DurationHistogram("kith_webhook_duration_seconds", "Time of a request to an endpoint.")

    // MARK: Streams

    package let openStreams = Gauge("kith_open_streams", "Open streams.")

    public init() {}
}
