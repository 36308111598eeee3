import Foundation
import TestSupport

/// How long the campaign is, and where it begins.
enum Campaign {
    private static let variables = ProcessInfo.processInfo.environment

    /// KITH_FAULT_SCHEDULES: how many schedules; nil for the short form.
    private static let schedules = variables["KITH_FAULT_SCHEDULES"].flatMap(Int.init)

    /// KITH_FAULT_SEED: the first seed; each further one is one more. A failure names its seed, to be run again alone.
    private static let firstSeed = variables["KITH_FAULT_SEED"].flatMap(UInt64.init) ?? 1

    /// Images that are made of one run whose power was lost: each counts as a schedule.
    static let images = schedules == nil ? 4 : 8

    static let outageSeeds = seeds(schedules ?? 2)
    static let powerLossSeeds = seeds(((schedules ?? 1) + images - 1) / images)

    private static func seeds(_ count: Int) -> [UInt64] { (0..<UInt64(count)).map { firstSeed + $0 } }
}
