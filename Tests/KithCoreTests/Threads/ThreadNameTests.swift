import Foundation
import Synchronization
import Testing

import KithCore

struct ThreadNameTests {
    @Test(arguments: [("kith.test", "kith.test"), ("kith.of-many-letters", "kith.of-many-le")])
    func systemKnowsIt(name: String, known: String) throws {
        for _ in 0..<50 {
            let told = Mutex("")
            let done = DispatchSemaphore(value: 0)
            Thread(named: name) {
                let file = try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)
                told.withLock { $0 = file ?? "unreadable" }
                done.signal()
            }.start()
            done.wait()
            #expect(told.withLock { $0 } == known + "\n")
        }
    }
}
