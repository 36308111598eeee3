public import KithCore

/// One decision about data, as it is told.
public enum GovernanceEvent: Sendable {
    case modelRegistered(EmbeddingModel)
    case classified(Classification)
    /// Placed, or released.
    case legalHold(LegalHold)
    case erasureRequested(Erasure)
    case erasureProved(Erasure)
    /// Set, or removed.
    case retentionSet(Retention)
    case retentionApplied(RetentionSweep)
    /// A state of a job's run, for the lineage topic.
    case runRecorded(JobRun)
}

/// Makes facts of decisions, in the form of the public contract.
public protocol GovernanceDescriber: Sendable {
    func fact(_ event: GovernanceEvent) throws(KithError) -> Fact
    /// The context of what the server does by itself: a serialised `kith.v1.RequestContext`.
    ///
    /// - Parameter name: of the part of the server, such as `erasure`.
    func systemContext(_ name: String) throws(KithError) -> OwnedBytes
}

/// Who asks for a decision.
public struct GovernanceRequest: Sendable {
    /// The client's name for the request; empty where it has none.
    public var id: String
    /// A serialised `kith.v1.RequestContext`.
    public var context: OwnedBytes?

    public init(id: String = "", context: OwnedBytes? = nil) {
        self.id = id
        self.context = context
    }
}
