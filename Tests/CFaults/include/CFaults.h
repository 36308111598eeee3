#pragma once

// A library to preload (LD_PRELOAD) into a server under test.
//
//   KITH_FAULT_ROOT     the folder whose files it watches.
//   KITH_FAULT_JOURNAL  a file that gets a record of every change of them and every sync, in order: what a power loss may take back.
//   KITH_FAULT_CONTROL  a file that begins with a `KithFaultControl`, mapped: what is to go wrong, from now on.

#include <stdint.h>

/// What a process can be ended at.
enum KithFaultStep {
    /// A change of a watched file or a sync.
    KITH_STEP_DISK,
    /// A message to a Kafka broker.
    KITH_STEP_BROKER,
    KITH_STEP_KINDS,
};

/// What is to go wrong.
struct KithFaultControl {
    /// While it is not 0, what would grow a file fails with ENOSPC.
    uint64_t is_full;
    /// Whether the last step is still taken.
    uint64_t dies_after;
    /// Where not 0: the process ends (SIGKILL) at its so-manieth step of that kind.
    int64_t steps[KITH_STEP_KINDS];
};

/// What a record is about. The bytes of a record: this header, the path, then `size` bytes where it is a write, or the second path of a rename.
struct KithFaultRecord {
    uint32_t kind;
    /// Bytes of the path that follows; none where `handle` says which file.
    uint32_t path_size;
    /// An opened file.
    uint64_t handle;
    /// Of a write or a hole; the new size of a truncation; the number that the two records of a sync share.
    uint64_t offset;
    /// Of a write or a hole; bytes of a rename's second path.
    uint64_t size;
};

enum KithFaultKind {
    /// The file `path` is `handle` from now on; `offset` is 1 where it was made by this call.
    KITH_FAULT_OPEN = 1,
    KITH_FAULT_WRITE,
    KITH_FAULT_TRUNCATE,
    KITH_FAULT_HOLE,
    /// What was recorded before this is on disk once the record of its end comes. A directory's, too: its names.
    KITH_FAULT_SYNC_BEGIN,
    KITH_FAULT_SYNC_END,
    KITH_FAULT_RENAME,
    KITH_FAULT_UNLINK,
    KITH_FAULT_MAKE_DIRECTORY,
    KITH_FAULT_REMOVE_DIRECTORY,
};
