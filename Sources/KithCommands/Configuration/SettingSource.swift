import Foundation
package import KithCore

/// A setting as it was written somewhere.
package struct GivenSetting: Sendable, Equatable {
    package var key: String
    package var value: String
    /// For messages: `kith.conf line 3`, `environment variable KITH_DATA`, `flag --data`.
    package var origin: String
}

/// Where settings are written, weakest first: the file, the environment, flags.
package enum SettingSource {
    package static let environmentPrefix = "KITH_"

    /// Lines of `key = value`; empty ones and those that begin with # say nothing.
    ///
    /// - Throws: `INVALID_CONFIGURATION`, naming the line.
    package static func file(_ text: String, name: String) throws(KithError) -> [GivenSetting] {
        var settings: [GivenSetting] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = line.trimmingCharacters(in: .whitespacesAndNewlines)
            if line.isEmpty || line.hasPrefix("#") { continue }
            let origin = "\(name) line \(index + 1)"
            guard let equals = line.firstIndex(of: "=") else {
                throw .usage("\(origin): '\(line)' is not 'key = value'")
            }
            let key = line[..<equals].trimmingCharacters(in: .whitespaces)
            if let earlier = settings.first(where: { $0.key == key }) {
                throw .usage("\(origin): '\(key)' stands already in \(earlier.origin)", key: key)
            }
            let value = line[line.index(after: equals)...].trimmingCharacters(in: .whitespaces)
            settings.append(GivenSetting(key: key, value: value, origin: origin))
        }
        return settings
    }

    /// Variables that name one of `keys`, or a property of librdkafka. Others with our prefix are somebody else's business.
    package static func environment(_ variables: [String: String], keys: [String]) -> [GivenSetting] {
        let keyOf = Dictionary(uniqueKeysWithValues: keys.map { (variable($0), $0) })
        let properties = variable(ServerSettings.kafkaPropertyPrefix)
        return variables.sorted { $0.key < $1.key }.compactMap { name, value in
            let origin = "environment variable \(name)"
            if let key = keyOf[name] { return GivenSetting(key: key, value: value, origin: origin) }
            guard name.hasPrefix(properties), name.count > properties.count else { return nil }
            let property = name.dropFirst(properties.count).lowercased().replacing("_", with: ".")
            return GivenSetting(key: ServerSettings.kafkaPropertyPrefix + property, value: value, origin: origin)
        }
    }

    package static func flags(_ values: [(name: String, value: String)]) -> [GivenSetting] {
        values.map { GivenSetting(key: $0.name, value: $0.value, origin: "flag --\($0.name)") }
    }

    /// `kafka.brokers` is `KITH_KAFKA_BROKERS`.
    package static func variable(_ key: String) -> String {
        environmentPrefix + key.uppercased().replacing(".", with: "_").replacing("-", with: "_")
    }
}
