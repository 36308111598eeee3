/// The standard library's `withUnsafeBytes` forgets the type of what its body throws.
extension [UInt8] {
    @inlinable
    public func withBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws(KithError) -> Result
    ) throws(KithError) -> Result {
        try withUnsafeBufferPointer { bytes throws(KithError) in try body(UnsafeRawBufferPointer(bytes)) }
    }
}
