import Foundation

/// Random input to a parser: a fixed number of rounds in the tests, more with every second that KITH_FUZZ_SECONDS gives.
public enum Fuzzing {
    private static let seconds = ProcessInfo.processInfo.environment["KITH_FUZZ_SECONDS"].flatMap(Double.init) ?? 0

    /// Runs at least `rounds` rounds. The same seed gives the same input.
    public static func run(rounds: Int, seed: UInt64, _ round: (inout SeededGenerator) throws -> Void) rethrows {
        var generator = SeededGenerator(seed: seed)
        let end = Date().addingTimeInterval(seconds)
        var done = 0
        while done < rounds || Date() < end {
            try round(&generator)
            done += 1
        }
    }

    /// `example` with one to four changes: a byte replaced, a bit flipped, a byte removed or added, the end cut off, a part repeated.
    public static func mutated(_ example: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = example
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 2: bytes.remove(at: place)
            case 3: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: place)
            case 4: bytes.removeLast(bytes.count - place)
            default: bytes.append(contentsOf: bytes[place..<min(place + 16, bytes.count)])
            }
        }
        return bytes
    }
}
