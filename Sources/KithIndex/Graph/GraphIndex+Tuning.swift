public import KithCore
internal import Synchronization

extension GraphIndex: TunableIndex {
    public var searchParameters: Set<String> { ["search_window"] }

    public func tune(_ parameters: [String: String]) throws(KithError) {
        searchWindow = try GraphParameters.searchWindow(parameters)
    }

    /// Candidates that a search keeps where it says nothing; nil: as many as the usual recall needs.
    var searchWindow: Int? {
        get {
            let window = standardWindow.load(ordering: .relaxed)
            return window == 0 ? nil : window
        }
        set { standardWindow.store(newValue ?? 0, ordering: .relaxed) }
    }
}
