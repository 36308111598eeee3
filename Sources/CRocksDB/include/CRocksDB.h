// RocksDB's own C interface, and the two things it lacks: a logger that is not a file, and verifying every checksum.
#pragma once
#include <rocksdb/c.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Takes one line, not terminated, of RocksDB's level 0 (debug) to 4 (fatal); from any thread, until the database is closed.
typedef void (*kith_rocksdb_log)(void *_Nullable context, int level, const char *_Nonnull line, size_t count);

/// Sends lines of `level` and above to `log`, in the place of the file LOG.
void kith_rocksdb_set_log(
    rocksdb_options_t *_Nonnull options, int level, kith_rocksdb_log _Nonnull log, void *_Nullable context);

/// Reads every block of every table file and compares its checksum. Sets `error` (to be freed with `rocksdb_free`) at the first that is wrong.
void kith_rocksdb_verify_checksums(rocksdb_t *_Nonnull database, char *_Nullable *_Nonnull error);

#ifdef __cplusplus
}
#endif
