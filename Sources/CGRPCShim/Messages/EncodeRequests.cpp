// What clients ask: writes, items of a stream, searches.
#include "WritePoint.hpp"
#include "kith/v1/search_service.pb.h"

namespace kith {

/// The condition of any operation: a zero is written, since it means that the point must not exist.
template <class Sink>
static void writeCondition(Fields<Sink> fields, int field, const KithOperationView& operation) {
    if (operation.has_if_version) {
        fields.presentNumber(field, operation.if_version);
    }
}

template <class Sink>
static void writeUpsert(Fields<Sink> fields, const KithOperationView& operation) {
    using Message = v1::UpsertOperation;
    writeSingle(fields, Message::kPointFieldNumber, operation.point);
    fields.number(Message::kModeFieldNumber, operation.mode);
    writeCondition(fields, Message::kIfVersionFieldNumber, operation);
}

template <class Sink>
static void writeDelete(Fields<Sink> fields, const KithOperationView& operation) {
    using Message = v1::DeleteOperation;
    writeID(fields, Message::kIdFieldNumber, operation.point.id);
    writeCondition(fields, Message::kIfVersionFieldNumber, operation);
}

template <class Sink>
static void writeUpdatePayload(Fields<Sink> fields, const KithOperationView& operation) {
    using Message = v1::UpdatePayloadOperation;
    writeID(fields, Message::kIdFieldNumber, operation.point.id);
    fields.number(Message::kModeFieldNumber, operation.mode);
    fields.bytes(Message::kPayloadJsonFieldNumber, operation.point.payload_json);
    fields.texts(Message::kKeysFieldNumber, operation.keys, operation.key_count);
    writeCondition(fields, Message::kIfVersionFieldNumber, operation);
}

template <class Sink>
static void writeUpdateVectors(Fields<Sink> fields, const KithOperationView& operation) {
    using Message = v1::UpdateVectorsOperation;
    writeID(fields, Message::kIdFieldNumber, operation.point.id);
    writeAll(fields, Message::kVectorsFieldNumber, operation.point.vectors, operation.point.vector_count);
    fields.texts(Message::kRemoveSpacesFieldNumber, operation.keys, operation.key_count);
    writeCondition(fields, Message::kIfVersionFieldNumber, operation);
}

template <class Sink>
static void write(Fields<Sink> fields, const KithOperationView& operation) {
    using Message = v1::WriteOperation;
    switch (operation.kind) {
        case KITH_OPERATION_UNSET: break;
        case KITH_OPERATION_UPSERT:
            fields.message(Message::kUpsertFieldNumber, [&](auto nested) { writeUpsert(nested, operation); });
            break;
        case KITH_OPERATION_DELETE:
            fields.message(Message::kDeleteFieldNumber, [&](auto nested) { writeDelete(nested, operation); });
            break;
        case KITH_OPERATION_UPDATE_PAYLOAD:
            fields.message(Message::kUpdatePayloadFieldNumber, [&](auto nested) { writeUpdatePayload(nested, operation); });
            break;
        case KITH_OPERATION_UPDATE_VECTORS:
            fields.message(Message::kUpdateVectorsFieldNumber, [&](auto nested) { writeUpdateVectors(nested, operation); });
            break;
    }
}

/// An UpsertRequest: its mode and condition are those of the first operation.
template <class Sink>
static void writeUpsertRequest(Fields<Sink> fields, const KithWriteView& view) {
    using Message = v1::UpsertRequest;
    fields.bytes(Message::kCollectionFieldNumber, view.collection);
    for (size_t index = 0; index < view.operation_count; ++index) {
        writeSingle(fields, Message::kPointsFieldNumber, view.operations[index].point);
    }
    fields.number(Message::kDurabilityFieldNumber, view.durability);
    fields.bytes(Message::kRequestIdFieldNumber, view.request_id);
    if (view.operation_count > 0) {
        fields.number(Message::kModeFieldNumber, view.operations[0].mode);
        writeCondition(fields, Message::kIfVersionFieldNumber, view.operations[0]);
    }
}

template <class Sink>
static void writeBatchRequest(Fields<Sink> fields, const KithWriteView& view) {
    using Message = v1::BatchWriteRequest;
    fields.bytes(Message::kCollectionFieldNumber, view.collection);
    writeAll(fields, Message::kOperationsFieldNumber, view.operations, view.operation_count);
    fields.number(Message::kDurabilityFieldNumber, view.durability);
    fields.bytes(Message::kRequestIdFieldNumber, view.request_id);
}

template <class Sink>
static void writeStreamRequest(Fields<Sink> fields, const KithUpsertStreamView& view) {
    using Message = v1::UpsertStreamRequest;
    switch (view.kind) {
        case KITH_STREAM_UNSET: break;
        case KITH_STREAM_OPEN:
            fields.message(Message::kOpenFieldNumber, [&](auto open) {
                open.bytes(Message::Open::kCollectionFieldNumber, view.collection);
                open.bytes(Message::Open::kStreamIdFieldNumber, view.stream_id);
                open.number(Message::Open::kDurabilityFieldNumber, view.durability);
            });
            break;
        case KITH_STREAM_ITEM:
            fields.message(Message::kItemFieldNumber, [&](auto item) {
                item.number(Message::Item::kSequenceFieldNumber, view.sequence);
                writeSingle(item, Message::Item::kOperationFieldNumber, view.operation);
            });
            break;
        case KITH_STREAM_FLUSH: fields.presentBytes(Message::kFlushFieldNumber, {}); break;
        case KITH_STREAM_CLOSE: fields.presentBytes(Message::kCloseFieldNumber, {}); break;
    }
}

template <class Sink>
static void writeScoreTransform(Fields<Sink> fields, const KithSearchView& view) {
    using Message = v1::ScoreTransform;
    fields.number(Message::kFunctionFieldNumber, view.score_function);
    if (view.has_score_scale) {
        fields.presentReal(Message::kScaleFieldNumber, view.score_scale);
    }
    fields.real(Message::kOffsetFieldNumber, view.score_offset);
}

template <class Sink>
static void writeSearch(Fields<Sink> fields, const KithSearchView& view) {
    using Message = v1::SearchRequest;
    using Parameters = v1::SearchParameters;
    using Selector = v1::PointSelector;
    fields.bytes(Message::kCollectionFieldNumber, view.collection);
    if (view.has_query) {
        fields.message(Message::kQueryFieldNumber, [&](auto query) {
            if (view.has_vector) {
                writeSingle(query, v1::Query::kVectorFieldNumber, view.vector);
            } else if (view.has_point_id) {
                writeSingle(query, v1::Query::kPointIdFieldNumber, view.point_id);
            }
        });
    }
    fields.bytes(Message::kVectorSpaceFieldNumber, view.vector_space);
    fields.number(Message::kTopKFieldNumber, view.top_k);
    fields.message(Message::kParametersFieldNumber, [&](auto parameters) {
        parameters.number(Parameters::kEffortFieldNumber, view.effort);
        parameters.number(Parameters::kExactFieldNumber, view.exact);
        parameters.real(Parameters::kRecallTargetFieldNumber, view.recall_target);
        parameters.number(Parameters::kIndexedOnlyFieldNumber, view.indexed_only);
    });
    if (view.has_score_threshold) {
        fields.presentReal(Message::kScoreThresholdFieldNumber, view.score_threshold);
    }
    fields.message(Message::kSelectFieldNumber, [&](auto select) {
        select.number(Selector::kPayloadFieldNumber, view.select.payload);
        select.number(Selector::kVectorsFieldNumber, view.select.vectors);
        select.texts(Selector::kVectorSpacesFieldNumber, view.select.spaces, view.select.space_count);
    });
    writeAll(fields, Message::kMinPositionsFieldNumber, view.min_positions, view.min_position_count);
    if (view.has_score_transform) {
        fields.message(Message::kScoreTransformFieldNumber, [&](auto transform) { writeScoreTransform(transform, view); });
    }
}

}  // namespace kith

KithBuffer* kith_encode_write_request(KithWriteKind kind, const KithWriteView* view) {
    switch (kind) {
        case KITH_WRITE_UPSERT: return kith::encode([&](auto fields) { kith::writeUpsertRequest(fields, *view); });
        case KITH_WRITE_BATCH: return kith::encode([&](auto fields) { kith::writeBatchRequest(fields, *view); });
        case KITH_WRITE_DELETE:
        case KITH_WRITE_UPDATE_PAYLOAD:
        case KITH_WRITE_UPDATE_VECTORS: return nullptr;  // a batch says the same
    }
    return nullptr;
}

KithBuffer* kith_encode_upsert_stream_request(const KithUpsertStreamView* view) {
    return kith::encode([&](auto fields) { kith::writeStreamRequest(fields, *view); });
}

KithBuffer* kith_encode_search_request(const KithSearchView* view) {
    return kith::encode([&](auto fields) { kith::writeSearch(fields, *view); });
}

KithBuffer* kith_encode_search_batch_request(const KithSearchView* views, size_t count) {
    using Message = kith::v1::SearchBatchRequest;
    return kith::encode([&](auto fields) {
        for (size_t index = 0; index < count; ++index) {
            fields.message(Message::kSearchesFieldNumber, [&](auto nested) { kith::writeSearch(nested, views[index]); });
        }
    });
}
