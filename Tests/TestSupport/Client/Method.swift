import CGRPCShim

/// The methods of the services, by path.
public enum Method: String, Sendable, CaseIterable, CustomStringConvertible {
    case createCollection = "/kith.v1.CollectionService/CreateCollection"
    case getCollection = "/kith.v1.CollectionService/GetCollection"
    case listCollections = "/kith.v1.CollectionService/ListCollections"
    case updateCollection = "/kith.v1.CollectionService/UpdateCollection"
    case deleteCollection = "/kith.v1.CollectionService/DeleteCollection"
    case updateAliases = "/kith.v1.CollectionService/UpdateAliases"
    case getCollectionStats = "/kith.v1.CollectionService/GetCollectionStats"
    case rebuildIndex = "/kith.v1.CollectionService/RebuildIndex"
    case pauseIndexMaintenance = "/kith.v1.CollectionService/PauseIndexMaintenance"
    case resumeIndexMaintenance = "/kith.v1.CollectionService/ResumeIndexMaintenance"
    case upsert = "/kith.v1.PointService/Upsert"
    case batchWrite = "/kith.v1.PointService/BatchWrite"
    case upsertStream = "/kith.v1.PointService/UpsertStream"
    case get = "/kith.v1.PointService/Get"
    case delete = "/kith.v1.PointService/Delete"
    case updatePayload = "/kith.v1.PointService/UpdatePayload"
    case updateVectors = "/kith.v1.PointService/UpdateVectors"
    case count = "/kith.v1.PointService/Count"
    case scroll = "/kith.v1.PointService/Scroll"
    case export = "/kith.v1.PointService/Export"
    case search = "/kith.v1.SearchService/Search"
    case searchBatch = "/kith.v1.SearchService/SearchBatch"
    case searchStream = "/kith.v1.SearchService/SearchStream"
    case subscribe = "/kith.v1.ChangeService/Subscribe"
    case getPositions = "/kith.v1.ChangeService/GetPositions"
    case getEvent = "/kith.v1.ChangeService/GetEvent"
    case createWebhook = "/kith.v1.WebhookService/CreateWebhook"
    case getWebhook = "/kith.v1.WebhookService/GetWebhook"
    case listWebhooks = "/kith.v1.WebhookService/ListWebhooks"
    case updateWebhook = "/kith.v1.WebhookService/UpdateWebhook"
    case deleteWebhook = "/kith.v1.WebhookService/DeleteWebhook"
    case pauseWebhook = "/kith.v1.WebhookService/PauseWebhook"
    case resumeWebhook = "/kith.v1.WebhookService/ResumeWebhook"
    case rotateWebhookSecret = "/kith.v1.WebhookService/RotateWebhookSecret"
    case testWebhook = "/kith.v1.WebhookService/TestWebhook"
    case listDeliveries = "/kith.v1.WebhookService/ListDeliveries"
    case listDeadLetters = "/kith.v1.WebhookService/ListDeadLetters"
    case redeliverDeadLetters = "/kith.v1.WebhookService/RedeliverDeadLetters"
    case registerModel = "/kith.v1.GovernanceService/RegisterModel"
    case getModel = "/kith.v1.GovernanceService/GetModel"
    case listModels = "/kith.v1.GovernanceService/ListModels"
    case setClassification = "/kith.v1.GovernanceService/SetClassification"
    case listClassifications = "/kith.v1.GovernanceService/ListClassifications"
    case placeLegalHold = "/kith.v1.GovernanceService/PlaceLegalHold"
    case releaseLegalHold = "/kith.v1.GovernanceService/ReleaseLegalHold"
    case getLegalHold = "/kith.v1.GovernanceService/GetLegalHold"
    case listLegalHolds = "/kith.v1.GovernanceService/ListLegalHolds"
    case requestErasure = "/kith.v1.GovernanceService/RequestErasure"
    case getErasure = "/kith.v1.GovernanceService/GetErasure"
    case listErasures = "/kith.v1.GovernanceService/ListErasures"
    case setRetention = "/kith.v1.GovernanceService/SetRetention"
    case getRetention = "/kith.v1.GovernanceService/GetRetention"
    case listRetentions = "/kith.v1.GovernanceService/ListRetentions"
    case recordRun = "/kith.v1.GovernanceService/RecordRun"
    case getEventStatus = "/kith.v1.EventService/GetEventStatus"
    case checkHealth = "/grpc.health.v1.Health/Check"
    case watchHealth = "/grpc.health.v1.Health/Watch"

    private static let numbers: [String: Int32] = Dictionary(
        uniqueKeysWithValues: (0..<kith_method_count()).map { (String(cString: kith_method_name($0)), $0) })

    // A method that the protos lack has no number: its types are empty, and no message fits them.
    private var number: Int32? { Method.numbers[rawValue] }

    public var requestType: String { number.map { String(cString: kith_method_request_type($0)) } ?? "" }
    public var responseType: String { number.map { String(cString: kith_method_response_type($0)) } ?? "" }
    public var isClientStreaming: Bool { number.map(kith_method_client_streaming) ?? false }
    public var isServerStreaming: Bool { number.map(kith_method_server_streaming) ?? false }
    public var isStreaming: Bool { isClientStreaming || isServerStreaming }

    public var description: String { String(rawValue.split(separator: "/").last ?? "") }
}
