#include "CRocksDB.h"

#include <rocksdb/db.h>

#include <cstdlib>
#include <cstring>

// As RocksDB defines it privately.
struct rocksdb_t {
    rocksdb::DB *rep;
};

void kith_rocksdb_verify_checksums(rocksdb_t *database, char **error) {
    rocksdb::ReadOptions options;
    options.fill_cache = false;
    rocksdb::Status status = database->rep->VerifyChecksum(options);
    if (status.ok()) return;
    // As the C interface reports: allocated by malloc, an earlier report freed.
    free(*error);
    *error = strdup(status.ToString().c_str());
}
