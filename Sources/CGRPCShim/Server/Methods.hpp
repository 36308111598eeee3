// The methods that the server answers, as the compiled protos describe them.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace google::protobuf {
class ServiceDescriptor;
}

namespace kith {

struct Method {
    const google::protobuf::ServiceDescriptor* service;
    std::string name;  // "/package.Service/Method"
    std::string requestType, responseType;
    bool clientStreaming, serverStreaming;
};

/// Services in a fixed order, methods in the order of their proto. The index is the `method` of the C API.
const std::vector<Method>& methods();

/// The index of the method with this name; -1 where there is none.
int32_t methodNumber(std::string_view name);

}  // namespace kith
