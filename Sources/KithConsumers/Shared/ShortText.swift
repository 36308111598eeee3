extension String {
    /// The text itself, or where it is longer than `limit` UTF-8 bytes, its beginning and a hash (FNV-1a) of the whole.
    func shortened(to limit: Int) -> String {
        guard utf8.count > limit else { return self }
        let hash = utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        var start = self
        while start.utf8.count > limit - 17 { start.removeLast() }
        return "\(start)_\(String(hash, radix: 16))"
    }
}
