// Answers to unary writes and reads by id.
#include "WritePoint.hpp"

namespace kith {

template <class Sink>
static void write(Fields<Sink> fields, const KithOutcomeView& outcome) {
    using Message = v1::WriteOutcome;
    fields.number(Message::kResultFieldNumber, outcome.result);
    fields.number(Message::kVersionFieldNumber, outcome.version);
    fields.bytes(Message::kErrorFieldNumber, outcome.error);
}

}  // namespace kith

KithBuffer* kith_encode_write_response(const KithOutcomeView* outcomes, size_t outcome_count, const KithShardPosition* positions,
                                       size_t position_count, bool replayed) {
    using Message = kith::v1::WriteResponse;
    return kith::encode([&](auto fields) {
        kith::writeAll(fields, Message::kOutcomesFieldNumber, outcomes, outcome_count);
        kith::writeAll(fields, Message::kPositionsFieldNumber, positions, position_count);
        fields.number(Message::kReplayedFieldNumber, replayed);
    });
}

KithBuffer* kith_encode_get_response(const KithPointView* points, size_t point_count, const KithPointIDView* missing,
                                     size_t missing_count) {
    using Message = kith::v1::GetResponse;
    return kith::encode([&](auto fields) {
        kith::writeAll(fields, Message::kPointsFieldNumber, points, point_count);
        kith::writeAll(fields, Message::kMissingFieldNumber, missing, missing_count);
    });
}

KithBuffer* kith_encode_scroll_response(const KithPointView* points, size_t count, KithBytes next_page_token) {
    using Message = kith::v1::ScrollResponse;
    return kith::encode([&](auto fields) {
        kith::writeAll(fields, Message::kPointsFieldNumber, points, count);
        fields.bytes(Message::kNextPageTokenFieldNumber, next_page_token);
    });
}

KithBuffer* kith_encode_export_response(const KithPointView* points, size_t count, const KithShardPosition* positions,
                                        size_t position_count) {
    using Message = kith::v1::ExportResponse;
    return kith::encode([&](auto fields) {
        kith::writeAll(fields, Message::kPointsFieldNumber, points, count);
        kith::writeAll(fields, Message::kPositionsFieldNumber, positions, position_count);
    });
}
