// The five unary writes, brought to one form.
#include "Decode.hpp"
#include "ReadPoint.hpp"
#include "kith/v1/point_service.pb.h"

namespace kith {
namespace {

/// What a request says once for all of its operations, wherever it stands in the message.
struct RequestWide {
    KithOperationView operation{};

    void applyTo(KithWriteView& view) const {
        view.has_request_if_version = operation.has_if_version;
        // The array was made by the reader that filled the view: only its type is const.
        auto* const operations = const_cast<KithOperationView*>(view.operations);
        for (size_t index = 0; index < view.operation_count; ++index) {
            KithOperationView& each = operations[index];
            each.kind = operation.kind;
            each.mode = operation.mode;
            each.has_if_version = operation.has_if_version;
            each.if_version = operation.if_version;
            if (operation.kind == KITH_OPERATION_UPDATE_PAYLOAD) {
                each.point.payload_json = operation.point.payload_json;
                each.keys = operation.keys;
                each.key_count = operation.key_count;
            }
        }
    }
};

KithOperationView& appendOperation(WireReader& reader, KithWriteView& view) {
    return reader.append(view.operations, view.operation_count);
}

void readUpsert(WireReader& reader, KithWriteView& view) {
    using Message = v1::UpsertRequest;
    RequestWide all;
    all.operation.kind = KITH_OPERATION_UPSERT;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kCollectionFieldNumber: reader.text(view.collection); break;
            case Message::kPointsFieldNumber:
                reader.message([&](WireReader& nested) { read(nested, appendOperation(reader, view).point); });
                break;
            case Message::kModeFieldNumber: reader.number(all.operation.mode); break;
            case Message::kDurabilityFieldNumber: reader.number(view.durability); break;
            case Message::kRequestIdFieldNumber: reader.text(view.request_id); break;
            case Message::kIfVersionFieldNumber:
                readOptional(reader, all.operation.if_version, all.operation.has_if_version);
                break;
            default: reader.skip();
        }
    }
    all.applyTo(view);
}

void readBatch(WireReader& reader, KithWriteView& view) {
    using Message = v1::BatchWriteRequest;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kCollectionFieldNumber: reader.text(view.collection); break;
            case Message::kOperationsFieldNumber: readItem(reader, view.operations, view.operation_count); break;
            case Message::kDurabilityFieldNumber: reader.number(view.durability); break;
            case Message::kRequestIdFieldNumber: reader.text(view.request_id); break;
            default: reader.skip();
        }
    }
}

void readDelete(WireReader& reader, KithWriteView& view) {
    using Message = v1::DeleteRequest;
    RequestWide all;
    all.operation.kind = KITH_OPERATION_DELETE;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kCollectionFieldNumber: reader.text(view.collection); break;
            case Message::kIdsFieldNumber:
                reader.message([&](WireReader& nested) { read(nested, appendOperation(reader, view).point.id); });
                break;
            case Message::kDurabilityFieldNumber: reader.number(view.durability); break;
            case Message::kRequestIdFieldNumber: reader.text(view.request_id); break;
            case Message::kIfVersionFieldNumber:
                readOptional(reader, all.operation.if_version, all.operation.has_if_version);
                break;
            default: reader.skip();
        }
    }
    all.applyTo(view);
}

void readUpdatePayload(WireReader& reader, KithWriteView& view) {
    using Message = v1::UpdatePayloadRequest;
    RequestWide all;
    all.operation.kind = KITH_OPERATION_UPDATE_PAYLOAD;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kCollectionFieldNumber: reader.text(view.collection); break;
            case Message::kIdsFieldNumber:
                reader.message([&](WireReader& nested) { read(nested, appendOperation(reader, view).point.id); });
                break;
            case Message::kModeFieldNumber: reader.number(all.operation.mode); break;
            case Message::kPayloadJsonFieldNumber: reader.text(all.operation.point.payload_json); break;
            case Message::kKeysFieldNumber: reader.texts(all.operation.keys, all.operation.key_count); break;
            case Message::kDurabilityFieldNumber: reader.number(view.durability); break;
            case Message::kRequestIdFieldNumber: reader.text(view.request_id); break;
            case Message::kIfVersionFieldNumber:
                readOptional(reader, all.operation.if_version, all.operation.has_if_version);
                break;
            default: reader.skip();
        }
    }
    all.applyTo(view);
}

void readUpdateVectors(WireReader& reader, KithWriteView& view) {
    using Message = v1::UpdateVectorsRequest;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kCollectionFieldNumber: reader.text(view.collection); break;
            case Message::kOperationsFieldNumber:
                reader.message([&](WireReader& nested) {
                    KithOperationView& operation = appendOperation(reader, view);
                    operation.kind = KITH_OPERATION_UPDATE_VECTORS;
                    kith::readUpdateVectors(nested, operation);
                });
                break;
            case Message::kDurabilityFieldNumber: reader.number(view.durability); break;
            case Message::kRequestIdFieldNumber: reader.text(view.request_id); break;
            default: reader.skip();
        }
    }
}

void readWrite(KithWriteKind kind, WireReader& reader, KithWriteView& view) {
    switch (kind) {
        case KITH_WRITE_UPSERT: readUpsert(reader, view); break;
        case KITH_WRITE_BATCH: readBatch(reader, view); break;
        case KITH_WRITE_DELETE: readDelete(reader, view); break;
        case KITH_WRITE_UPDATE_PAYLOAD: readUpdatePayload(reader, view); break;
        case KITH_WRITE_UPDATE_VECTORS: readUpdateVectors(reader, view); break;
    }
}

}  // namespace
}  // namespace kith

KithMessage* kith_decode_write(KithWriteKind kind, KithBytes bytes, KithWriteView* view) {
    return kith::decode(bytes, *view, [kind](kith::WireReader& reader, KithWriteView& view) {
        kith::readWrite(kind, reader, view);
    });
}
