import CGRPCShim
import KithCollections
import KithCore

/// What each method does, by its full name.
struct Methods: Sendable {
    enum Start: Sendable {
        /// Answers later, or throws.
        case call(@Sendable (Call) throws(KithError) -> Void)
        /// Answers at once.
        case control(@Sendable (KithBytes) throws(KithError) -> WireBuffer)
        /// The same, and keeps who asked in the node's log.
        case recorded(@Sendable (KithBytes, OwnedBytes?) throws(KithError) -> WireBuffer)
        case stream(@Sendable (Call) throws(KithError) -> any CallHandler)
    }

    private let starts: [Start?]
    /// By method; nil for those that are not audited.
    private let auditKinds: [AuditKind?]

    init(_ engine: Engine) {
        let collections = CollectionHandlers(engine: engine)
        let maintenance = IndexMaintenanceHandlers(engine: engine)
        let webhooks = WebhookHandlers(engine.webhooks)
        let models = ModelHandlers(engine.node.governance)
        let erasures = ErasureHandlers(engine.node)
        let holds = HoldHandlers(engine.node)
        let classifications = ClassificationHandlers(engine.node)
        let retentions = RetentionHandlers(engine.node)
        let byName: [String: Start] = [
            "/kith.v1.CollectionService/CreateCollection": .recorded(collections.create),
            "/kith.v1.CollectionService/GetCollection": .control(collections.get),
            "/kith.v1.CollectionService/ListCollections": .control(collections.list),
            "/kith.v1.CollectionService/UpdateCollection": .recorded(collections.update),
            "/kith.v1.CollectionService/DeleteCollection": .recorded(collections.delete),
            "/kith.v1.CollectionService/UpdateAliases": .recorded(collections.updateAliases),
            "/kith.v1.CollectionService/GetCollectionStats": .control(collections.stats),
            "/kith.v1.CollectionService/RebuildIndex": .control(maintenance.rebuild),
            "/kith.v1.CollectionService/PauseIndexMaintenance": .recorded(maintenance.pause),
            "/kith.v1.CollectionService/ResumeIndexMaintenance": .recorded(maintenance.resume),
            "/kith.v1.PointService/Upsert": .call(WriteHandler(engine: engine, kind: KITH_WRITE_UPSERT).handle),
            "/kith.v1.PointService/BatchWrite": .call(WriteHandler(engine: engine, kind: KITH_WRITE_BATCH).handle),
            "/kith.v1.PointService/Delete": .call(WriteHandler(engine: engine, kind: KITH_WRITE_DELETE).handle),
            "/kith.v1.PointService/UpdatePayload":
                .call(WriteHandler(engine: engine, kind: KITH_WRITE_UPDATE_PAYLOAD).handle),
            "/kith.v1.PointService/UpdateVectors":
                .call(WriteHandler(engine: engine, kind: KITH_WRITE_UPDATE_VECTORS).handle),
            "/kith.v1.PointService/UpsertStream": .stream { call throws(KithError) in try UpsertStreamHandler(call, engine) },
            "/kith.v1.PointService/Get": .call(GetHandler(engine: engine).handle),
            "/kith.v1.PointService/Count": .call(CountHandler(engine: engine).handle),
            "/kith.v1.PointService/Scroll": .call(ScrollHandler(engine: engine).handle),
            "/kith.v1.PointService/Export": .stream { call throws(KithError) in try ExportStreamHandler(call, engine) },
            "/kith.v1.SearchService/Search": .call(SearchHandler(engine: engine).handle),
            "/kith.v1.SearchService/SearchBatch": .call(SearchBatchHandler(engine: engine).handle),
            "/kith.v1.SearchService/SearchStream": .stream { call throws(KithError) in try SearchStreamHandler(call, engine) },
            "/kith.v1.ChangeService/Subscribe": .stream { call throws(KithError) in try SubscribeStreamHandler(call, engine) },
            "/kith.v1.ChangeService/GetPositions": .control(PositionsHandler(engine: engine).handle),
            "/kith.v1.ChangeService/GetEvent": .control(EventHandler(engine: engine).handle),
            "/kith.v1.WebhookService/CreateWebhook": .control(webhooks.create),
            "/kith.v1.WebhookService/GetWebhook": .control(webhooks.get),
            "/kith.v1.WebhookService/ListWebhooks": .control(webhooks.list),
            "/kith.v1.WebhookService/UpdateWebhook": .control(webhooks.update),
            "/kith.v1.WebhookService/DeleteWebhook": .control(webhooks.delete),
            "/kith.v1.WebhookService/PauseWebhook": .control(webhooks.pause),
            "/kith.v1.WebhookService/ResumeWebhook": .control(webhooks.resume),
            "/kith.v1.WebhookService/RotateWebhookSecret": .control(webhooks.rotateSecret),
            "/kith.v1.WebhookService/TestWebhook": .call(webhooks.test),
            "/kith.v1.WebhookService/ListDeliveries": .control(webhooks.deliveries),
            "/kith.v1.WebhookService/ListDeadLetters": .control(webhooks.deadLetters),
            "/kith.v1.WebhookService/RedeliverDeadLetters": .control(webhooks.redeliver),
            "/kith.v1.GovernanceService/RegisterModel": .recorded(models.register),
            "/kith.v1.GovernanceService/GetModel": .control(models.get),
            "/kith.v1.GovernanceService/ListModels": .control(models.list),
            "/kith.v1.GovernanceService/SetClassification": .recorded(classifications.set),
            "/kith.v1.GovernanceService/ListClassifications": .control(classifications.list),
            "/kith.v1.GovernanceService/PlaceLegalHold": .recorded(holds.place),
            "/kith.v1.GovernanceService/ReleaseLegalHold": .recorded(holds.release),
            "/kith.v1.GovernanceService/GetLegalHold": .control(holds.get),
            "/kith.v1.GovernanceService/ListLegalHolds": .control(holds.list),
            "/kith.v1.GovernanceService/RequestErasure": .call(erasures.request),
            "/kith.v1.GovernanceService/GetErasure": .control(erasures.get),
            "/kith.v1.GovernanceService/ListErasures": .control(erasures.list),
            "/kith.v1.GovernanceService/SetRetention": .recorded(retentions.set),
            "/kith.v1.GovernanceService/GetRetention": .control(retentions.get),
            "/kith.v1.GovernanceService/ListRetentions": .control(retentions.list),
            "/kith.v1.GovernanceService/RecordRun": .recorded(LineageHandlers(engine.node).record),
            "/kith.v1.EventService/GetEventStatus": .control(EventStatusHandler(engine: engine).handle),
            "/grpc.health.v1.Health/Check": .control(engine.health.check),
            "/grpc.health.v1.Health/Watch": .stream { call throws(KithError) in try HealthWatch(call, engine) },
        ]
        let names = (0..<kith_method_count()).map { String(cString: kith_method_name($0)) }
        starts = names.map { byName[$0] }
        auditKinds = names.map(AuditKind.init(method:))
    }

    subscript(method: Int32) -> Start? { starts[Int(method)] }

    /// What the audit calls a method.
    func auditKind(_ method: Int32) -> AuditKind? { auditKinds[Int(method)] }
}
