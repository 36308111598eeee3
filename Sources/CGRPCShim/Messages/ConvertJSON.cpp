// Any message of the protos to and from canonical protobuf JSON, by its name.
#include <google/protobuf/arena.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>

#include <string>

#include "Buffer.hpp"

namespace {

using google::protobuf::Arena;
using google::protobuf::DescriptorPool;
using google::protobuf::Message;
using google::protobuf::MessageFactory;

/// An empty message of the type, on the arena; NULL for a name that the protos do not have.
Message* makeMessage(const char* type, Arena& arena) {
    const auto* const descriptor = DescriptorPool::generated_pool()->FindMessageTypeByName(type);
    return descriptor == nullptr ? nullptr : MessageFactory::generated_factory()->GetPrototype(descriptor)->New(&arena);
}

google::protobuf::StringPiece piece(KithBytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data), bytes.size};
}

}  // namespace

KithBuffer* kith_json_to_message(const char* type, KithBytes json, KithBuffer** error) {
    *error = nullptr;
    try {
        Arena arena;
        Message* const message = makeMessage(type, arena);
        if (message == nullptr) {
            *error = kith::makeBuffer("no message of this name");
            return nullptr;
        }
        const auto status = google::protobuf::util::JsonStringToMessage(piece(json), message);
        if (!status.ok()) {
            *error = kith::makeBuffer(std::string_view(status.message().data(), status.message().size()));
            return nullptr;
        }
        const grpc_slice slice = grpc_slice_malloc(message->ByteSizeLong());
        KithBuffer* const buffer = kith::makeBuffer(slice);
        if (buffer != nullptr) {
            message->SerializeWithCachedSizesToArray(const_cast<uint8_t*>(buffer->slice.begin()));
        }
        return buffer;
    } catch (const std::exception& failure) {
        *error = kith::makeBuffer(failure.what());
        return nullptr;
    }
}

KithBuffer* kith_message_to_json(const char* type, KithBytes bytes, bool defaults) {
    try {
        Arena arena;
        Message* const message = makeMessage(type, arena);
        if (message == nullptr || bytes.size > INT32_MAX ||
            !message->ParseFromArray(bytes.data, static_cast<int>(bytes.size))) {
            return nullptr;
        }
        google::protobuf::util::JsonPrintOptions options;
        options.always_print_primitive_fields = defaults;
        std::string json;
        if (!google::protobuf::util::MessageToJsonString(*message, &json, options).ok()) {
            return nullptr;
        }
        return kith::makeBuffer(json);
    } catch (const std::exception&) {
        return nullptr;  // only memory can end here
    }
}

int32_t kith_message_index(const char* type) {
    const auto* const descriptor = DescriptorPool::generated_pool()->FindMessageTypeByName(type);
    return descriptor == nullptr ? -1 : descriptor->index();
}
