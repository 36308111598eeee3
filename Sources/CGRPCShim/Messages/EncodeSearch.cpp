// What searches found.
#include "WritePoint.hpp"
#include "google/rpc/error.pb.h"
#include "kith/v1/search_service.pb.h"

namespace kith {

template <class Sink>
static void writeScoredPoint(Fields<Sink> fields, const KithPointView& point) {
    using Message = v1::ScoredPoint;
    writeID(fields, Message::kIdFieldNumber, point.id);
    fields.real(Message::kScoreFieldNumber, point.score);
    fields.number(Message::kVersionFieldNumber, point.version);
    fields.bytes(Message::kPayloadJsonFieldNumber, point.payload_json);
    writeAll(fields, Message::kVectorsFieldNumber, point.vectors, point.vector_count);
}

template <class Sink>
static void writeResponse(Fields<Sink> fields, const KithSearchOutcomeView& outcome) {
    using Message = v1::SearchResponse;
    for (size_t index = 0; index < outcome.result_count; ++index) {
        fields.message(Message::kResultsFieldNumber, [&](auto nested) { writeScoredPoint(nested, outcome.results[index]); });
    }
    fields.number(Message::kUnindexedLeftOutFieldNumber, outcome.unindexed_left_out);
}

/// A SearchOutcome: the status where there is one, else the response.
template <class Sink>
static void write(Fields<Sink> fields, const KithSearchOutcomeView& outcome) {
    using Message = v1::SearchOutcome;
    if (outcome.status.size > 0) {
        fields.presentBytes(Message::kStatusFieldNumber, outcome.status);
    } else if (outcome.code != 0) {
        fields.message(Message::kStatusFieldNumber, [&](auto nested) {
            nested.number(google::rpc::Status::kCodeFieldNumber, outcome.code);
        });
    } else {
        fields.message(Message::kResponseFieldNumber, [&](auto nested) { writeResponse(nested, outcome); });
    }
}

}  // namespace kith

KithBuffer* kith_encode_search_response(const KithSearchOutcomeView* outcome) {
    return kith::encode([&](auto fields) { kith::writeResponse(fields, *outcome); });
}

KithBuffer* kith_encode_search_batch_response(const KithSearchOutcomeView* outcomes, size_t count) {
    using Message = kith::v1::SearchBatchResponse;
    return kith::encode([&](auto fields) { kith::writeAll(fields, Message::kOutcomesFieldNumber, outcomes, count); });
}

KithBuffer* kith_encode_joined(const KithBytes* parts, size_t count) {
    return kith::encode([&](auto fields) {
        for (size_t index = 0; index < count; ++index) {
            fields.fields(parts[index]);
        }
    });
}

KithBuffer* kith_encode_search_stream_response(const KithSearchOutcomeView* outcome) {
    using Message = kith::v1::SearchStreamResponse;
    return kith::encode([&](auto fields) {
        fields.number(Message::kTagFieldNumber, outcome->tag);
        kith::writeSingle(fields, Message::kOutcomeFieldNumber, *outcome);
    });
}
