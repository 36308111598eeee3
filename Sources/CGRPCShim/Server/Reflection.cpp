#include "Reflection.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <set>
#include <string>

#include "Messages/Buffer.hpp"
#include "Methods.hpp"
#include "Status.hpp"
#include "grpc/reflection/v1/reflection.pb.h"

namespace kith {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;

constexpr int32_t notFound = 5;

/// The file and all that it imports, each once.
void addFile(const FileDescriptor& file, std::set<const FileDescriptor*>& seen, ServerReflectionResponse& response) {
    if (!seen.insert(&file).second) {
        return;
    }
    google::protobuf::FileDescriptorProto proto;
    file.CopyTo(&proto);
    response.mutable_file_descriptor_response()->add_file_descriptor_proto(proto.SerializeAsString());
    for (int index = 0; index < file.dependency_count(); ++index) {
        addFile(*file.dependency(index), seen, response);
    }
}

void answerFile(const FileDescriptor* file, const std::string& what, ServerReflectionResponse& response) {
    if (file == nullptr) {
        response.mutable_error_response()->set_error_code(notFound);
        response.mutable_error_response()->set_error_message("there is no " + what);
        return;
    }
    std::set<const FileDescriptor*> seen;
    addFile(*file, seen, response);
}

void listServices(ServerReflectionResponse& response) {
    auto& list = *response.mutable_list_services_response();
    const google::protobuf::ServiceDescriptor* last = nullptr;
    for (const auto& method : methods()) {
        if (method.service != last) {
            last = method.service;
            list.add_service()->set_name(last->full_name());
        }
    }
    list.add_service()->set_name("grpc.reflection.v1.ServerReflection");
}

/// No message here has extensions: what is asked about them only fails where the type is unknown.
void answerExtensions(const DescriptorPool& pool, const std::string& type, ServerReflectionResponse& response) {
    const auto* const message = pool.FindMessageTypeByName(type);
    if (message == nullptr) {
        return answerFile(nullptr, "message " + type, response);
    }
    response.mutable_all_extension_numbers_response()->set_base_type_name(type);
    std::vector<const FieldDescriptor*> extensions;
    pool.FindAllExtensions(message, &extensions);
    for (const auto* const extension : extensions) {
        response.mutable_all_extension_numbers_response()->add_extension_number(extension->number());
    }
}

ServerReflectionResponse answer(const ServerReflectionRequest& request) {
    const DescriptorPool& pool = *DescriptorPool::generated_pool();
    ServerReflectionResponse response;
    response.set_valid_host(request.host());
    *response.mutable_original_request() = request;
    switch (request.message_request_case()) {
        case ServerReflectionRequest::kFileByFilename:
            answerFile(pool.FindFileByName(request.file_by_filename()), "file " + request.file_by_filename(), response);
            break;
        case ServerReflectionRequest::kFileContainingSymbol:
            answerFile(
                pool.FindFileContainingSymbol(request.file_containing_symbol()), "symbol " + request.file_containing_symbol(),
                response);
            break;
        case ServerReflectionRequest::kFileContainingExtension: {
            const auto& wanted = request.file_containing_extension();
            const auto* const type = pool.FindMessageTypeByName(wanted.containing_type());
            const auto* const field =
                type == nullptr ? nullptr : pool.FindExtensionByNumber(type, wanted.extension_number());
            answerFile(
                field == nullptr ? nullptr : field->file(),
                "extension " + std::to_string(wanted.extension_number()) + " of " + wanted.containing_type(), response);
            break;
        }
        case ServerReflectionRequest::kAllExtensionNumbersOfType:
            answerExtensions(pool, request.all_extension_numbers_of_type(), response);
            break;
        case ServerReflectionRequest::kListServices: listServices(response); break;
        case ServerReflectionRequest::MESSAGE_REQUEST_NOT_SET:
            response.mutable_error_response()->set_error_code(StatusCode::unimplemented);
            response.mutable_error_response()->set_error_message("the request asks for nothing that is known");
    }
    return response;
}

/// Each message of the stream is answered by one; it ends with the client's part.
void received(void*, KithCall* call, void*, bool ok) {
    if (!ok) {
        return kith_call_finish(call, StatusCode::ok, {}, {});
    }
    const KithBytes bytes = kith_call_request(call);
    ServerReflectionRequest request;
    if (!request.ParseFromArray(bytes.data, static_cast<int>(bytes.size))) {
        return kith_call_finish(call, StatusCode::internal, kith::bytes(std::string_view("the request cannot be read")), {});
    }
    kith_call_write(call, makeBuffer(answer(request).SerializeAsString()));
}

void written(void*, KithCall* call, void*, bool ok) {
    ok ? kith_call_read(call) : kith_call_finish(call, StatusCode::cancelled, {}, {});
}

}  // namespace

bool isReflection(std::string_view path) {
    return path == "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo" ||
        path == "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
}

const KithServerCallbacks& reflectionCallbacks() {
    static const KithServerCallbacks callbacks = {
        nullptr,
        [](void*, KithCall* call, int32_t) -> void* {
            kith_call_read(call);
            return nullptr;
        },
        received,
        written,
        // A read or a write is always under way, and ends with it.
        [](void*, KithCall*, void*) {},
        [](void*, void*) {},
    };
    return callbacks;
}

}  // namespace kith
