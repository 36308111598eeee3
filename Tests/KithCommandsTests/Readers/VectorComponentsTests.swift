import KithCommands
import KithCore
import Testing

@Suite struct VectorComponentsTests {
    @Test(arguments: [ElementType.float32, .float16, .bfloat16, .int8, .uint8, .binary])
    func exactValuesComeBack(_ element: ElementType) throws {
        let values: [Float] = [0, 1, 1, 0, 1, 0, 0, 1]
        #expect(VectorComponents.floats(try VectorComponents.bytes(values, as: element), element) == values)
    }

    @Test func roundsToNearest() throws {
        let bytes = try VectorComponents.bytes([1.003_906_25, 1.011_718_75, -3.141_592_7], as: .bfloat16)
        #expect(VectorComponents.floats(bytes, .bfloat16) == [1, 1.015_625, -3.140_625])
    }

    @Test func refusesWhatDoesNotFit() {
        #expect(throws: RowProblem("1.5 is no int8")) { try VectorComponents.bytes([1.5], as: .int8) }
        #expect(throws: RowProblem.self) { try VectorComponents.bytes([-1], as: .uint8) }
        #expect(throws: RowProblem.self) { try VectorComponents.bytes([128], as: .int8) }
        #expect(throws: RowProblem.self) { try VectorComponents.bytes([0.5], as: .binary) }
        #expect(throws: RowProblem.self) { try VectorComponents.bytes([1e6], as: .float16) }
    }
}
