#include "CRocksDB.h"

#include <rocksdb/env.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <memory>

// As RocksDB defines it privately: the C interface takes loggers but cannot make one.
struct rocksdb_logger_t {
    std::shared_ptr<rocksdb::Logger> rep;
};

namespace {

class CallbackLogger final : public rocksdb::Logger {
public:
    CallbackLogger(rocksdb::InfoLogLevel level, kith_rocksdb_log log, void *context)
        : Logger(level), log_(log), context_(context) {}

    using Logger::Logv;

    // Lines without a level are headers: every option of the database, for the file LOG.
    void Logv(const char *, va_list) override {}

    void Logv(const rocksdb::InfoLogLevel level, const char *format, va_list arguments) override {
        if (level < GetInfoLogLevel() || level >= rocksdb::InfoLogLevel::HEADER_LEVEL) return;
        char line[1024];
        int length = vsnprintf(line, sizeof line, format, arguments);
        if (length <= 0) return;
        auto count = std::min<size_t>(length, sizeof line - 1);
        while (count > 0 && line[count - 1] == '\n') count--;
        log_(context_, level, line, count);
    }

private:
    const kith_rocksdb_log log_;
    void *const context_;
};

}  // namespace

void kith_rocksdb_set_log(rocksdb_options_t *options, int level, kith_rocksdb_log log, void *context) {
    rocksdb_logger_t logger{
        std::make_shared<CallbackLogger>(static_cast<rocksdb::InfoLogLevel>(level), log, context)};
    rocksdb_options_set_info_log(options, &logger);
}
