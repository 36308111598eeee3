import KithCore
import KithEvents
import Testing

struct EndpointPolicyTests {
    @Test(arguments: [
        ("127.0.0.1", NetworkAddress.Kind.loopback), ("127.9.9.9", .loopback), ("::1", .loopback), ("10.1.2.3", .privateNetwork),
        ("172.16.0.1", .privateNetwork), ("172.32.0.1", .everywhere), ("192.168.1.1", .privateNetwork),
        ("100.64.0.1", .privateNetwork), ("fd00::1", .privateNetwork), ("169.254.169.254", .reserved), ("0.0.0.0", .reserved),
        ("::", .reserved), ("224.0.0.1", .reserved), ("255.255.255.255", .reserved), ("fe80::1", .reserved),
        ("ff02::1", .reserved), ("::ffff:169.254.169.254", .reserved), ("::ffff:127.0.0.1", .loopback),
        ("64:ff9b::a00:1", .privateNetwork), ("8.8.8.8", .everywhere), ("2001:4860:4860::8888", .everywhere),
    ])
    func addressesAreToldApart(_ text: String, _ kind: NetworkAddress.Kind) throws {
        #expect(try #require(NetworkAddress(text: text)).kind == kind)
    }

    private func refusal(_ url: String, _ policy: EndpointPolicy = EndpointPolicy()) -> ErrorReason? {
        do throws(KithError) {
            try policy.check(url: url, field: "url")
            return nil
        } catch { return error.reason }
    }

    @Test func whatIsAllowedByDefault() {
        for url in [
            "https://example.com/hook?x=1", "https://10.0.0.1:8443/", "http://localhost:80/", "http://127.0.0.1/",
            "http://[::1]:1/",
        ] { #expect(refusal(url) == nil, "\(url)") }
        for url in ["http://example.com/", "http://10.0.0.1/", "https://169.254.169.254/"] {
            #expect(refusal(url) == .forbiddenURL, "\(url)")
        }
        for url in ["ftp://example.com/", "example.com"] { #expect(refusal(url) == .invalidURL, "\(url)") }
    }

    @Test func whatSettingsChange() {
        #expect(refusal("http://example.com/", EndpointPolicy(allowsPlainHTTP: true)) == nil)
        let outside = EndpointPolicy(allowsPrivateNetworks: false)
        for url in ["https://10.0.0.1/", "https://127.0.0.1/", "https://[fd00::1]/"] {
            #expect(refusal(url, outside) == .forbiddenURL, "\(url)")
        }
        // A name is judged once it is an address.
        #expect(refusal("https://example.com/", outside) == nil)
        for text in ["10.0.0.1", "127.0.0.1"] {
            #expect(NetworkAddress(text: text).flatMap { outside.refusal(of: $0, isPlain: false) } != nil)
        }
    }
}
