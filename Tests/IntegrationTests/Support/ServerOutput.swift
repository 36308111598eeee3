import Foundation
import TestSupport
import Testing

extension Trait where Self == IssueHandlingTrait {
    /// A failure comes with what the servers printed.
    static var serverOutput: Self {
        .compactMapIssues { issue in
            var issue = issue
            issue.comments.append(Comment(rawValue: ChildProcess.outputsOfLiving))
            return issue
        }
    }
}
