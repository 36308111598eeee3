// Settings of libraries that hold for the whole process, made before main.
#include <absl/synchronization/mutex.h>
#include <google/protobuf/stubs/logging.h>

namespace {

struct LibraryDefaults {
    LibraryDefaults() {
        // Debian builds abseil as for debugging: every lock that gRPC takes is entered into a graph to find deadlocks.
        absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
        // libprotobuf prints malformed input to stderr: a client must not be able to write to our log.
        google::protobuf::SetLogHandler(nullptr);
    }
};

[[maybe_unused]] const LibraryDefaults defaults;

}  // namespace
