import Foundation
import KithCollections
import Testing

@Suite struct ProcessMemoryTests {
    @Test("the whole process is counted, not the first of its mappings")
    func countsEverything() throws {
        let bytes = 64 << 20
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes, alignment: 4_096)
        defer { memory.deallocate() }
        memory.initializeMemory(as: UInt8.self, repeating: 1)
        let measured = ProcessMemory.measure()
        #expect(measured.residentBytes > bytes)
        #expect(measured.tieredBytes < measured.residentBytes)
        #expect(memory.allSatisfy { $0 == 1 })
    }
}
