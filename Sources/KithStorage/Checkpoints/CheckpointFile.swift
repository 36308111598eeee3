import Glibc
public import KithCore

/// A file of named, page-aligned, checksummed sections: written whole to a temporary name, synced, renamed.
///
/// What it holds can be built again: any damage makes opening or loading throw `CORRUPTION`, and the caller rebuilds.
public enum CheckpointFile {
    /// Bytes to be written under a name. They may change meanwhile: what is written is what is checksummed.
    public struct Section {
        public var name: String
        public var bytes: UnsafeRawBufferPointer

        public init(name: String, bytes: UnsafeRawBufferPointer) {
            self.name = name
            self.bytes = bytes
        }
    }

    /// Replaces the file at `path`. When this fails, the former file stays.
    ///
    /// - Parameters:
    ///   - attributes: small facts to be read before any section, such as the log position that the sections reflect.
    ///   - sections: names must differ. Large ones are fine: they go through a bounded buffer.
    public static func write(
        to path: String, attributes: [String: UInt64], sections: [Section]
    ) throws(KithError) {
        precondition(Set(sections.map(\.name)).count == sections.count, "sections of one name")
        var header = CheckpointHeader(
            attributes: attributes,
            sections: sections.map { CheckpointHeader.Section(name: $0.name, byteCount: $0.bytes.count, checksum: 0) })
        let headerBytes = try header.encoded(path: path).count
        try File.replace(path) { file throws(KithError) in
            for (index, section) in sections.enumerated() {
                header.sections[index].checksum = try copy(
                    section.bytes, to: file, at: header.offset(ofSection: index, headerBytes: headerBytes))
            }
            let bytes = try header.encoded(path: path)
            try bytes.withBytes { bytes throws(KithError) in try file.write(bytes, at: 0) }
        }
        try Directory.sync(Directory.parent(of: path))
    }

    /// Opens a checkpoint and checks its header; nil when there is no file.
    public static func open(_ path: String) throws(KithError) -> Opened? {
        if access(path, F_OK) != 0, errno == ENOENT { return nil }
        return try Opened(path)
    }
}

/// Bytes copied at a time.
private let bufferBytes = 1 << 20

/// Writes a section and its padding; the checksum is of the bytes as written.
private func copy(_ bytes: UnsafeRawBufferPointer, to file: File, at offset: Int) throws(KithError) -> UInt64 {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bufferBytes, alignment: 64)
    defer { buffer.deallocate() }
    var checksum = StreamingChecksum()
    let padded = bytes.count.roundedUp(to: fileAlignment)
    for start in stride(from: 0, to: padded, by: bufferBytes) {
        let part = UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(padded - start))
        let source = bytes[start..<min(start + part.count, bytes.count)]
        part.copyBytes(from: source)
        memset(part.baseAddress! + source.count, 0, part.count - source.count)
        checksum.update(UnsafeRawBufferPointer(part))
        try file.write(UnsafeRawBufferPointer(part), at: offset + start)
        // Written back as it goes: a burst at the end would hold up the syncs of commits.
        file.startWriteback(offset + start..<offset + start + part.count)
    }
    return checksum.value
}

extension CheckpointFile {
    /// A checkpoint whose header is sound.
    public struct Opened: Sendable {
        public let attributes: [String: UInt64]
        private let file: File
        private let header: CheckpointHeader
        private let headerBytes: Int

        init(_ path: String) throws(KithError) {
            file = try File(path, O_RDONLY)
            let size = try file.size()
            guard size >= CheckpointHeader.prefixBytes else { throw KithError.corrupt(path, "is only \(size) bytes long") }
            let prefix = try file.bytes(count: CheckpointHeader.prefixBytes)
            headerBytes = try prefix.withBytes { bytes throws(KithError) in
                try CheckpointHeader.length(prefix: bytes, path: path)
            }
            let bytes = try file.bytes(count: headerBytes)
            header = try bytes.withBytes { bytes throws(KithError) in try CheckpointHeader(decoding: bytes, path: path) }
            attributes = header.attributes
            let expected = header.offset(ofSection: header.sections.count, headerBytes: headerBytes)
            guard size == expected else { throw KithError.corrupt(path, "is \(size) bytes long, not \(expected)") }
        }

        /// The names of the sections, in the order written.
        public var sections: [String] { header.sections.map(\.name) }

        /// Reads a section once to check it, then lays it privately under the start of a region that can grow to `capacity`.
        ///
        /// Pages come from the file when touched; those changed go to memory. The rest of the region is zero.
        /// - Throws: `CORRUPTION` when the section is missing, damaged, or larger than `capacity`.
        public func load(_ name: String, capacity: Int) throws(KithError) -> (memory: GrowableMemory, byteCount: Int) {
            guard let index = header.sections.firstIndex(where: { $0.name == name }) else {
                throw KithError.corrupt(file.path, "has no section \(name)")
            }
            let section = header.sections[index]
            guard section.byteCount <= capacity else {
                throw KithError.corrupt(file.path, "has \(section.byteCount) bytes of \(name), more than \(capacity)")
            }
            let offset = header.offset(ofSection: index, headerBytes: headerBytes)
            guard try checksum(of: section, at: offset) == section.checksum else {
                throw KithError.corrupt(file.path, "has a wrong checksum of \(name)")
            }
            let memory = try GrowableMemory(capacity: capacity)
            try memory.overlay(file: file.descriptor, fileOffset: offset, length: section.byteCount)
            return (memory, section.byteCount)
        }

        /// Read, not mapped: a failing disk gives an error here, where a mapping would give a signal.
        private func checksum(of section: CheckpointHeader.Section, at offset: Int) throws(KithError) -> UInt64 {
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bufferBytes, alignment: 64)
            defer { buffer.deallocate() }
            var checksum = StreamingChecksum()
            for start in stride(from: 0, to: section.paddedCount, by: bufferBytes) {
                let part = UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(section.paddedCount - start))
                try file.read(into: part, at: offset + start)
                checksum.update(UnsafeRawBufferPointer(part))
            }
            return checksum.value
        }
    }
}
