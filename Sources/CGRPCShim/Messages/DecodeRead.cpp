// Searches and reads by id.
#include "Decode.hpp"
#include "ReadPoint.hpp"
#include "kith/v1/point_service.pb.h"
#include "kith/v1/search_service.pb.h"

namespace kith {
namespace {

void readQuery(WireReader& reader, KithSearchView& view) {
    using Message = v1::Query;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kVectorFieldNumber:
                if (view.has_point_id) {
                    view.has_point_id = false;
                    view.point_id = {};
                }
                view.has_vector = readSingle(reader, view.vector) || view.has_vector;
                break;
            case Message::kPointIdFieldNumber:
                if (view.has_vector) {
                    view.has_vector = false;
                    view.vector = {};
                }
                view.has_point_id = readSingle(reader, view.point_id) || view.has_point_id;
                break;
            default: reader.skip();
        }
    }
}

void readParameters(WireReader& reader, KithSearchView& view) {
    using Message = v1::SearchParameters;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kEffortFieldNumber: reader.number(view.effort); break;
            case Message::kExactFieldNumber: reader.number(view.exact); break;
            case Message::kRecallTargetFieldNumber: reader.real(view.recall_target); break;
            case Message::kIndexedOnlyFieldNumber: reader.number(view.indexed_only); break;
            default: reader.skip();
        }
    }
}

void readScoreTransform(WireReader& reader, KithSearchView& view) {
    using Message = v1::ScoreTransform;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kFunctionFieldNumber: reader.number(view.score_function); break;
            case Message::kScaleFieldNumber: view.has_score_scale = reader.real(view.score_scale) || view.has_score_scale; break;
            case Message::kOffsetFieldNumber: reader.real(view.score_offset); break;
            default: reader.skip();
        }
    }
}

void readSearch(WireReader& reader, KithSearchView& view) {
    using Message = v1::SearchRequest;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kCollectionFieldNumber: reader.text(view.collection); break;
            case Message::kQueryFieldNumber:
                view.has_query = reader.message([&](WireReader& nested) { readQuery(nested, view); }) || view.has_query;
                break;
            case Message::kVectorSpaceFieldNumber: reader.text(view.vector_space); break;
            case Message::kTopKFieldNumber: reader.number(view.top_k); break;
            case Message::kParametersFieldNumber:
                reader.message([&](WireReader& nested) { readParameters(nested, view); });
                break;
            case Message::kScoreThresholdFieldNumber:
                view.has_score_threshold = reader.real(view.score_threshold) || view.has_score_threshold;
                break;
            case Message::kSelectFieldNumber: readSingle(reader, view.select); break;
            case Message::kMinPositionsFieldNumber: readItem(reader, view.min_positions, view.min_position_count); break;
            case Message::kScoreTransformFieldNumber:
                view.has_score_transform =
                    reader.message([&](WireReader& nested) { readScoreTransform(nested, view); }) || view.has_score_transform;
                break;
            default: reader.skip();
        }
    }
}

/// The searches of a batch, which share a collection where they name none.
struct Batch {
    const KithSearchView* searches;
    size_t count;
};

void readBatch(WireReader& reader, Batch& batch) {
    using Message = v1::SearchBatchRequest;
    KithBytes collection{};
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kSearchesFieldNumber:
                reader.message([&](WireReader& nested) { readSearch(nested, reader.append(batch.searches, batch.count)); });
                break;
            case Message::kCollectionFieldNumber: reader.text(collection); break;
            default: reader.skip();
        }
    }
    for (size_t index = 0; index < batch.count; ++index) {
        KithBytes& own = const_cast<KithSearchView&>(batch.searches[index]).collection;
        own = own.size == 0 ? collection : own;
    }
}

void readStream(WireReader& reader, KithSearchView& view) {
    using Message = v1::SearchStreamRequest;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kTagFieldNumber: reader.number(view.tag); break;
            case Message::kSearchFieldNumber: reader.message([&](WireReader& nested) { readSearch(nested, view); }); break;
            default: reader.skip();
        }
    }
}

void readGet(WireReader& reader, KithGetView& view) {
    using Message = v1::GetRequest;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kCollectionFieldNumber: reader.text(view.collection); break;
            case Message::kIdsFieldNumber: readItem(reader, view.ids, view.id_count); break;
            case Message::kSelectFieldNumber: readSingle(reader, view.select); break;
            case Message::kMinPositionsFieldNumber: readItem(reader, view.min_positions, view.min_position_count); break;
            default: reader.skip();
        }
    }
}

}  // namespace
}  // namespace kith

KithMessage* kith_decode_search(KithBytes bytes, KithSearchView* view) {
    return kith::decode(bytes, *view, kith::readSearch);
}

KithMessage* kith_decode_search_batch(KithBytes bytes, const KithSearchView** searches, size_t* count) {
    kith::Batch batch{};
    KithMessage* const message = kith::decodeInPlace(bytes, batch, kith::readBatch);
    *searches = batch.searches;
    *count = batch.count;
    return message;
}

KithMessage* kith_decode_search_stream(KithBytes bytes, KithSearchView* view) {
    return kith::decode(bytes, *view, kith::readStream);
}

KithMessage* kith_decode_get(KithBytes bytes, KithGetView* view) {
    return kith::decode(bytes, *view, kith::readGet);
}
