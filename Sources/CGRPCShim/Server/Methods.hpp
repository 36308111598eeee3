// The methods that the server answers, as the compiled protos describe them.
#pragma once
#include <string>
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

}  // namespace kith
