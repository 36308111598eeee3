// What any request is about, for the audit: found by the names of its fields, so that no method need be listed.
#include <google/protobuf/descriptor.h>

#include <string_view>
#include <vector>

#include "Decode.hpp"
#include "Server/Methods.hpp"

namespace kith {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;

/// Where a type of request names what it is about. Numbers are 0 where it does not.
struct NamePlace {
    int field = 0;
    int nestedField = 0;  // 0: the field is the name itself
    std::string_view prefix;
    int requestID = 0;
};

bool isText(const FieldDescriptor* field) {
    return field != nullptr && field->type() == FieldDescriptor::TYPE_STRING && !field->is_repeated();
}

NamePlace findPlace(const Method& method) {
    const Descriptor* const request = DescriptorPool::generated_pool()->FindMessageTypeByName(method.requestType);
    NamePlace place;
    if (const auto* const id = request->FindFieldByName("request_id"); isText(id)) {
        place.requestID = id->number();
    }
    const bool ofWebhooks = method.service->name() == "WebhookService";
    const struct {
        const char* name;
        const char* prefix;
    } fields[] = {
        {"webhook", "webhooks/"},       {"model", "models/"},
        {"hold", "holds/"},             {"erasure", "erasures/"},
        {"collection", "collections/"}, {"name", ofWebhooks ? "webhooks/" : "collections/"},
        {"search", "collections/"},     {"open", "collections/"},
    };
    for (const auto& [name, prefix] : fields) {
        const FieldDescriptor* const field = request->FindFieldByName(name);
        place.prefix = prefix;
        if (isText(field)) {
            place.field = field->number();
            return place;
        }
        if (field == nullptr || field->type() != FieldDescriptor::TYPE_MESSAGE || field->is_repeated()) {
            continue;
        }
        for (const char* const inner : {"name", "collection", "id"}) {
            if (const auto* const nested = field->message_type()->FindFieldByName(inner); isText(nested)) {
                place.field = field->number();
                place.nestedField = nested->number();
                return place;
            }
        }
    }
    return place;
}

const NamePlace& placeOf(int32_t method) {
    static const std::vector<NamePlace> places = [] {
        std::vector<NamePlace> places;
        for (const Method& method : methods()) {
            places.push_back(findPlace(method));
        }
        return places;
    }();
    return places[method];
}

void readNested(WireReader& reader, int wanted, KithBytes& name) {
    while (const int field = reader.next()) {
        if (field == wanted) {
            reader.text(name);
        } else {
            reader.skip();
        }
    }
}

}  // namespace
}  // namespace kith

KithMessage* kith_decode_request_names(int32_t method, KithBytes bytes, KithRequestNames* names) {
    const kith::NamePlace& place = kith::placeOf(method);
    return kith::decode(bytes, *names, [&place](kith::WireReader& reader, KithRequestNames& names) {
        names.prefix = {reinterpret_cast<const uint8_t*>(place.prefix.data()), place.prefix.size()};
        while (const int field = reader.next()) {
            if (field == place.requestID) {
                reader.text(names.request_id);
            } else if (field != place.field) {
                reader.skip();
            } else if (place.nestedField == 0) {
                reader.text(names.name);
            } else {
                reader.message([&](kith::WireReader& nested) { kith::readNested(nested, place.nestedField, names.name); });
            }
        }
    });
}
