#if canImport(Glibc)
    internal import Glibc
#endif
internal import CMemory
internal import Synchronization

/// Work in pieces on several threads at once: the caller's and helpers, which inherit how gently it is scheduled.
struct ForkJoin {
    let threads: Int

    /// - Parameter threads: 0: as many as there are processors.
    init(threads: Int) { self.threads = threads > 0 ? threads : max(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), 1) }

    private final class Pieces: Sendable {
        let next = Atomic(0)
        /// Processor time of the helpers.
        let time = Atomic<UInt64>(0)
        let count: Int
        let pieceSize: Int
        let body: @Sendable (_ worker: Int, _ index: Int) -> Void

        init(count: Int, pieceSize: Int, body: @escaping @Sendable (Int, Int) -> Void) {
            self.count = count
            self.pieceSize = pieceSize
            self.body = body
        }

        func work(_ worker: Int) {
            while true {
                let first = next.add(pieceSize, ordering: .relaxed).oldValue
                if first >= count { return }
                for index in first..<min(first + pieceSize, count) { body(worker, index) }
            }
        }
    }

    private final class Helper {
        let pieces: Pieces
        let worker: Int

        init(_ pieces: Pieces, _ worker: Int) {
            self.pieces = pieces
            self.worker = worker
        }
    }

    /// Calls `body` once for each index below `count`, and returns when all calls have. `worker` tells calls apart that run at
    /// the same time: it is below `threads`.
    func run(_ count: Int, pieceSize: Int, _ body: @escaping @Sendable (_ worker: Int, _ index: Int) -> Void) {
        let pieces = Pieces(count: count, pieceSize: pieceSize, body: body)
        let helpers = min(threads, (count + pieceSize - 1) / pieceSize) - 1
        var handles: [pthread_t] = []
        for number in 0..<max(helpers, 0) {
            var handle = pthread_t()
            let helper = Unmanaged.passRetained(Helper(pieces, number + 1))
            let failed = pthread_create(
                &handle, nil,
                { argument in
                    guard let argument else { return nil }
                    let helper = Unmanaged<Helper>.fromOpaque(argument).takeRetainedValue()
                    helper.pieces.work(helper.worker)
                    helper.pieces.time.wrappingAdd(kith_thread_time(), ordering: .relaxed)
                    return nil
                }, helper.toOpaque())
            if failed == 0 { handles.append(handle) } else { helper.release() }
        }
        pieces.work(0)
        for handle in handles { pthread_join(handle, nil) }
        kith_add_thread_time(pieces.time.load(ordering: .relaxed))
    }
}
