import Foundation
import KithAPI
import KithCore
import Synchronization

/// Listens to Subscribe on a thread of its own and keeps what it heard, until the server goes away.
final class ChangeListener: Sendable {
    private let subscription: ChangeSubscription
    private let events: Mutex<[ChangeEventMessage]>

    /// All changes of a collection from its first.
    init(_ client: KithClient, collection: String) throws(KithError) {
        subscription = try ChangeSubscription(client, collection: collection, start: .position, heartbeatMilliseconds: 100)
        events = Mutex([])
        Thread { [self] in listen() }.start()
    }

    var heard: [ChangeEventMessage] { events.withLock { $0 } }

    func cancel() { subscription.cancel() }

    private func listen() {
        do throws(KithError) {
            while let json = try subscription.next() {
                let message: ChangeMessage = try MessageJSON.value(json)
                events.withLock { $0 += message.events ?? [] }
            }
        } catch {
            // The server was killed, or we have heard enough: what is missing shows in the checks.
            return
        }
    }
}
