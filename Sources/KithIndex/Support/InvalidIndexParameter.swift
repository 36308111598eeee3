internal import KithCore

extension KithError {
    static func invalidIndexParameter(_ name: String, _ description: String) -> KithError {
        .invalid(.invalidIndexParameter, field: "index.parameters[\"\(name)\"]", description, metadata: ["parameter": name])
    }
}
