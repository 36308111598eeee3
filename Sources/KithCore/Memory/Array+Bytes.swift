/// The standard library's `withUnsafeBytes` forgets the type of what its body throws.
extension [UInt8] {
    /// The bytes, for as long as `body` runs; what it throws is thrown on.
    @inlinable
    public func withBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws(KithError) -> Result
    ) throws(KithError) -> Result {
        try withUnsafeBufferPointer { bytes throws(KithError) in try body(UnsafeRawBufferPointer(bytes)) }
    }
}
