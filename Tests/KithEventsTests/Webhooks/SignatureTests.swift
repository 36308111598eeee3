import KithCore
import KithEvents
import Testing

struct SignatureTests {
    /// The example of the Standard Webhooks libraries.
    @Test func aKnownMessageHasItsKnownSignature() throws {
        let secret = try WebhookSecret(text: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", field: "secret")
        let header = Signature.header(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330, body: Array(#"{"test": 2432232314}"#.utf8),
            secrets: [secret])
        #expect(header == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test func eachSecretSigns() {
        let secrets = [WebhookSecret.random(), .random()]
        let header = Signature.header(id: "m", timestamp: 1, body: [1], secrets: secrets)
        let alone = secrets.map { Signature.header(id: "m", timestamp: 1, body: [1], secrets: [$0]) }
        #expect(header == alone.joined(separator: " ") && alone[0] != alone[1])
    }

    @Test func messageIDsAreOfTheEventsOnly() {
        let id = Signature.messageID(eventIDs: ["c/7.0/1/0", "c/7.0/1/1"])
        #expect(id == Signature.messageID(eventIDs: ["c/7.0/1/0", "c/7.0/1/1"]))
        #expect(id != Signature.messageID(eventIDs: ["c/7.0/1/0"]))
        // The full stop separates what is signed.
        #expect(id.hasPrefix("msg_") && !id.contains("."))
    }

    @Test func secretsAreWrittenAsTheyAreRead() throws {
        let secret = WebhookSecret.random()
        #expect(try WebhookSecret(text: secret.text, field: "secret") == secret)
        for text in ["", "whsec_", "whsec_AAAA", "AAAA", "whsec_!"] {
            #expect(throws: KithError.self) { try WebhookSecret(text: text, field: "secret") }
        }
    }
}
