#include "ReadPoint.hpp"
#include "kith/v1/point_service.pb.h"

namespace kith {

static void readUpsert(WireReader& reader, KithOperationView& operation) {
    using Message = v1::UpsertOperation;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kPointFieldNumber: readSingle(reader, operation.point); break;
            case Message::kModeFieldNumber: reader.number(operation.mode); break;
            case Message::kIfVersionFieldNumber: readOptional(reader, operation.if_version, operation.has_if_version); break;
            default: reader.skip();
        }
    }
}

static void readDelete(WireReader& reader, KithOperationView& operation) {
    using Message = v1::DeleteOperation;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kIdFieldNumber: readSingle(reader, operation.point.id); break;
            case Message::kIfVersionFieldNumber: readOptional(reader, operation.if_version, operation.has_if_version); break;
            default: reader.skip();
        }
    }
}

static void readUpdatePayload(WireReader& reader, KithOperationView& operation) {
    using Message = v1::UpdatePayloadOperation;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kIdFieldNumber: readSingle(reader, operation.point.id); break;
            case Message::kModeFieldNumber: reader.number(operation.mode); break;
            case Message::kPayloadJsonFieldNumber: reader.text(operation.point.payload_json); break;
            case Message::kKeysFieldNumber: reader.texts(operation.keys, operation.key_count); break;
            case Message::kIfVersionFieldNumber: readOptional(reader, operation.if_version, operation.has_if_version); break;
            default: reader.skip();
        }
    }
}

void readUpdateVectors(WireReader& reader, KithOperationView& operation) {
    using Message = v1::UpdateVectorsOperation;
    KithPointView& point = operation.point;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kIdFieldNumber: readSingle(reader, point.id); break;
            case Message::kVectorsFieldNumber: readItem(reader, point.vectors, point.vector_count); break;
            case Message::kRemoveSpacesFieldNumber: reader.texts(operation.keys, operation.key_count); break;
            case Message::kIfVersionFieldNumber: readOptional(reader, operation.if_version, operation.has_if_version); break;
            default: reader.skip();
        }
    }
}

void read(WireReader& reader, KithOperationView& operation) {
    using Message = v1::WriteOperation;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kUpsertFieldNumber: readMember(reader, operation, KITH_OPERATION_UPSERT, readUpsert); break;
            case Message::kDeleteFieldNumber: readMember(reader, operation, KITH_OPERATION_DELETE, readDelete); break;
            case Message::kUpdatePayloadFieldNumber:
                readMember(reader, operation, KITH_OPERATION_UPDATE_PAYLOAD, readUpdatePayload);
                break;
            case Message::kUpdateVectorsFieldNumber:
                readMember(reader, operation, KITH_OPERATION_UPDATE_VECTORS, readUpdateVectors);
                break;
            default: reader.skip();
        }
    }
}

}  // namespace kith
