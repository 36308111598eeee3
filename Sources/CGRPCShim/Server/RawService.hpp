// A gRPC service made from its descriptor: no generated code, messages as bytes.
#pragma once
#include <google/protobuf/descriptor.h>
#include <grpcpp/impl/service_type.h>

#include "Call.hpp"

namespace kith {

/// All methods of one service, led to the host, which must outlive it.
class RawService final : public grpc::Service {
public:
    RawService(const google::protobuf::ServiceDescriptor& service, CallHost& host);

private:
    int added = 0;

    void add(int32_t method, CallHost& host);
};

}  // namespace kith
