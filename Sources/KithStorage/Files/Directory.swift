import Glibc
public import KithCore

/// Folders, as far as the store needs them.
public enum Directory {
    /// Creates the folder and those above it where missing, so that they survive a power failure.
    public static func create(_ path: String) throws(KithError) {
        let parent = self.parent(of: path)
        if mkdir(path, 0o700) == 0 { return try sync(parent) }
        switch errno {
        case EEXIST: return
        case ENOENT where parent != path:
            try create(parent)
            try retried("create", path) { mkdir(path, 0o700) }
            try sync(parent)
        case let cause: throw KithError.system(cause, "cannot create \(path)")
        }
    }

    /// The names in the folder, sorted.
    public static func names(in path: String) throws(KithError) -> [String] {
        guard let stream = opendir(path) else { throw KithError.system(errno, "cannot list \(path)") }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != ".", name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw KithError.system(errno, "cannot list \(path)") }
        return names.sorted()
    }

    /// Removes the folder and all it holds; nothing when there is none.
    public static func remove(_ path: String) throws(KithError) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT { return }
            throw KithError.system(errno, "cannot remove \(path)")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            try retried("remove", path) { unlink(path) }
            return
        }
        for name in try names(in: path) { try remove("\(path)/\(name)") }
        try retried("remove", path) { rmdir(path) }
    }

    /// Makes the names created, replaced and removed in the folder survive a power failure.
    public static func sync(_ path: String) throws(KithError) {
        let directory = try File(path, O_RDONLY | O_DIRECTORY)
        try retried("sync", path) { fsync(directory.descriptor) }
    }

    /// The folder that holds `path`.
    static func parent(of path: String) -> String {
        var parent = Substring(path)
        while parent.last == "/" { parent.removeLast() }
        guard let slash = parent.lastIndex(of: "/") else { return "." }
        return slash == parent.startIndex ? "/" : String(parent[..<slash])
    }
}
