#include "Methods.hpp"

#include <google/protobuf/descriptor.h>

#include <unordered_map>

#include "CGRPCShim.h"

namespace kith {

static std::vector<Method> describeMethods() {
    constexpr const char* services[] = {
        "kith.v1.CollectionService", "kith.v1.PointService", "kith.v1.SearchService",
        "kith.v1.ChangeService",     "kith.v1.WebhookService", "kith.v1.EventService",
        "kith.v1.GovernanceService", "grpc.health.v1.Health",
    };
    std::vector<Method> methods;
    for (const char* const name : services) {
        const auto* const service = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(name);
        for (int index = 0; index < service->method_count(); ++index) {
            const auto* const method = service->method(index);
            methods.push_back({
                service,
                "/" + service->full_name() + "/" + method->name(),
                method->input_type()->full_name(),
                method->output_type()->full_name(),
                method->client_streaming(),
                method->server_streaming(),
            });
        }
    }
    return methods;
}

const std::vector<Method>& methods() {
    static const std::vector<Method> all = describeMethods();
    return all;
}

int32_t methodNumber(std::string_view name) {
    static const auto numbers = [] {
        std::unordered_map<std::string_view, int32_t> numbers;
        for (size_t index = 0; index < methods().size(); ++index) {
            numbers.emplace(methods()[index].name, static_cast<int32_t>(index));
        }
        return numbers;
    }();
    const auto found = numbers.find(name);
    return found == numbers.end() ? -1 : found->second;
}

}  // namespace kith

int32_t kith_method_count(void) {
    return static_cast<int32_t>(kith::methods().size());
}

const char* kith_method_name(int32_t method) {
    return kith::methods()[method].name.c_str();
}

const char* kith_method_request_type(int32_t method) {
    return kith::methods()[method].requestType.c_str();
}

const char* kith_method_response_type(int32_t method) {
    return kith::methods()[method].responseType.c_str();
}

bool kith_method_client_streaming(int32_t method) {
    return kith::methods()[method].clientStreaming;
}

bool kith_method_server_streaming(int32_t method) {
    return kith::methods()[method].serverStreaming;
}
