/// An index over something that it learned from its vectors once, and does not learn again by itself: what knows little of the vectors that came later.
public protocol LearnedIndex: AnyObject {
    /// How many vectors there were then; nil where nothing was learned.
    var learnedFrom: UInt32? { get }
}
