/// What mapped parts of files are aligned to: the largest page of any Linux, so that files move between machines.
let fileAlignment = 64 << 10

extension Int {
    /// The least multiple of `unit` that is not smaller.
    func roundedUp(to unit: Int) -> Int { (self + unit - 1) / unit * unit }
}
