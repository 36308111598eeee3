import Glibc
import KithCore
import Testing

@Suite struct GrowableMemoryTests {
    @Test func untouchedMemoryIsZeroAndDiscardedMemoryIsZeroAgain() throws {
        let memory = try GrowableMemory(capacity: 1 << 30)
        let page = GrowableMemory.pageSize
        #expect(memory.base.load(fromByteOffset: (1 << 30) - 8, as: UInt64.self) == 0)
        memory.base.storeBytes(of: 1, as: UInt64.self)
        memory.base.storeBytes(of: 2, toByteOffset: page, as: UInt64.self)
        memory.discard(from: 1)
        #expect(memory.base.load(as: UInt64.self) == 1)
        #expect(memory.base.load(fromByteOffset: page, as: UInt64.self) == 0)
    }

    @Test func aFileUnderItsStartIsReadAndNeverWritten() throws {
        var template = Array("/tmp/kith-core-XXXXXX".utf8CString)
        let file = mkstemp(&template)
        unlink(template)
        defer { close(file) }
        let page = GrowableMemory.pageSize
        let bytes = [UInt8](repeating: 7, count: 2 * page)
        #expect(write(file, bytes, bytes.count) == bytes.count)
        let memory = try GrowableMemory(capacity: 4 * page)
        try memory.overlay(file: file, fileOffset: page, length: page)
        #expect(memory.base.load(as: UInt8.self) == 7)
        #expect(memory.base.load(fromByteOffset: page, as: UInt8.self) == 0)
        memory.base.storeBytes(of: 9, as: UInt8.self)
        var first: UInt8 = 0
        #expect(pread(file, &first, 1, off_t(page)) == 1 && first == 7)
    }

    @Test func moreThanTheAddressSpaceIsRefused() {
        #expect(throws: KithError.self) { try GrowableMemory(capacity: 1 << 60) }
    }
}
