import Glibc
import KithCore

extension File {
    /// Writes a file whole: under a temporary name first, which takes the place of `path` only when all is on disk.
    static func replace(_ path: String, _ fill: (File) throws(KithError) -> Void) throws(KithError) {
        let temporary = path + ".new"
        do {
            let file = try File(temporary, O_RDWR | O_CREAT | O_TRUNC)
            try fill(file)
            try file.sync()
            try rename(temporary, to: path)
        } catch {
            unlink(temporary)
            throw error
        }
    }
}
