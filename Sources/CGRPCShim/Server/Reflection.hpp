// Server reflection: the protos of this server for tools like grpcurl (grpc/grpc doc/server-reflection.md).
#pragma once
#include <string_view>

#include "CGRPCShim.h"

namespace kith {

/// Whether the path names the method of the service, in either of its versions: they are alike on the wire.
bool isReflection(std::string_view path);

/// Who answers its calls.
const KithServerCallbacks& reflectionCallbacks();

}  // namespace kith
