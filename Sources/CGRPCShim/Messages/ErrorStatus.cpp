// google.rpc.Status: how an error travels in grpc-status-details-bin.
#include <nlohmann/json.hpp>
#include <string>

#include "Buffer.hpp"
#include "google/rpc/error.pb.h"

namespace {

std::string string(KithBytes bytes) {
    return std::string(kith::text(bytes));
}

nlohmann::json json(const google::rpc::Status& status) {
    nlohmann::json result = {
        {"code", status.code()},
        {"message", status.message()},
        {"reason", ""},
        {"metadata", nlohmann::json::object()},
        {"violations", nlohmann::json::array()},
    };
    for (const auto& detail : status.details()) {
        if (google::rpc::ErrorInfo info; detail.UnpackTo(&info)) {
            result["reason"] = info.reason();
            for (const auto& [key, value] : info.metadata()) {
                result["metadata"][key] = value;
            }
        } else if (google::rpc::BadRequest request; detail.UnpackTo(&request)) {
            for (const auto& violation : request.field_violations()) {
                result["violations"].push_back({{"field", violation.field()}, {"description", violation.description()}});
            }
        }
    }
    return result;
}

}  // namespace

KithBuffer* kith_encode_status(int32_t code, KithBytes message, KithBytes reason, KithBytes domain, const KithPair* metadata,
                               size_t metadata_count, const KithPair* violations, size_t violation_count,
                               int64_t retry_milliseconds) {
    try {
        google::rpc::Status status;
        status.set_code(code);
        status.set_message(string(message));

        google::rpc::ErrorInfo info;
        info.set_reason(string(reason));
        info.set_domain(string(domain));
        for (size_t index = 0; index < metadata_count; ++index) {
            (*info.mutable_metadata())[string(metadata[index].key)] = string(metadata[index].value);
        }
        status.add_details()->PackFrom(info);

        if (violation_count > 0) {
            google::rpc::BadRequest request;
            for (size_t index = 0; index < violation_count; ++index) {
                auto* const violation = request.add_field_violations();
                violation->set_field(string(violations[index].key));
                violation->set_description(string(violations[index].value));
            }
            status.add_details()->PackFrom(request);
        }
        if (retry_milliseconds > 0) {
            google::rpc::RetryInfo retry;
            retry.mutable_retry_delay()->set_seconds(retry_milliseconds / 1000);
            retry.mutable_retry_delay()->set_nanos(static_cast<int32_t>(retry_milliseconds % 1000) * 1'000'000);
            status.add_details()->PackFrom(retry);
        }
        return kith::makeBuffer(status.SerializeAsString());
    } catch (const std::exception&) {
        return nullptr;  // only memory can end here
    }
}

KithBuffer* kith_status_to_json(KithBytes bytes) {
    try {
        google::rpc::Status status;
        if (bytes.size > INT32_MAX || !status.ParseFromArray(bytes.data, static_cast<int>(bytes.size))) {
            return nullptr;
        }
        return kith::makeBuffer(json(status).dump());
    } catch (const std::exception&) {
        return nullptr;  // only memory can end here
    }
}
