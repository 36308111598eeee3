import KithCollections
import KithCore
import KithTelemetry

/// `kith check`.
enum CheckCommand {
    static let description = CommandDescription(
        name: "check", summary: "Read everything in a data folder and tell what is damaged", operands: ["DIR"],
        options: [Option(name: "repair", value: nil, help: "make again what can be made from the rest: checkpoints of indexes")],
        notes: [
            "The server must not be running. Without --repair nothing is changed.",
            "Exits with 0 where everything is whole (after --repair: whole again), else with 1.",
        ], run: run)

    private static func run(_ arguments: Arguments) throws(KithError) -> Int32 {
        Log.setThreshold(.error)
        let check = DataFolderCheck(arguments.operands[0])
        var report = try check.run()
        show(report)
        if !report.isWhole, arguments.flag("repair") {
            guard report.problems.contains(where: { $0.derivedFile != nil }) else {
                Console.note("nothing of this can be made from the rest; restore a backup")
                return ExitCode.failure
            }
            Console.note("repairing")
            try check.repair(report) { Console.note("  \($0) vectors to be linked") }
            report = try check.run()
            show(report)
        }
        Console.print(report.isWhole ? "whole" : "DAMAGED: \(report.problems.count) problems")
        if !report.isWhole, report.isRepairable { Console.note("'kith check --repair' makes it again") }
        return report.isWhole ? ExitCode.success : ExitCode.failure
    }

    private static func show(_ report: CheckReport) {
        for finding in report.findings { Console.print("ok       \(finding.place): \(finding.description)") }
        for problem in report.problems { Console.print("DAMAGED  \(problem.place): \(problem.description)") }
    }
}
