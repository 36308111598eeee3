import Foundation
import KithCore
import KithTelemetry

/// What webhooks work with, shared by all of them.
struct WebhookTools: Sendable {
    let cluster: String
    let store: WebhookStore
    let options: WebhookOptions
    let metrics: Metrics

    /// Microseconds since 1970.
    static func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1e6) }
}
