// RocksDB's own C interface, and the one thing it lacks: a logger that is not a file.
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

#ifdef __cplusplus
}
#endif
