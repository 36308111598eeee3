// What clients view: answers to writes, searches and reads.
#include "Decode.hpp"
#include "ReadPoint.hpp"
#include "kith/v1/point_service.pb.h"
#include "kith/v1/search_service.pb.h"

namespace kith {
namespace {

void readOutcome(WireReader& reader, KithOutcomeView& outcome) {
    using Message = v1::WriteOutcome;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kResultFieldNumber: reader.number(outcome.result); break;
            case Message::kVersionFieldNumber: reader.number(outcome.version); break;
            case Message::kErrorFieldNumber: reader.text(outcome.error); break;
            default: reader.skip();
        }
    }
}

void readWriteResponse(WireReader& reader, KithWriteResponseView& view) {
    using Message = v1::WriteResponse;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kOutcomesFieldNumber:
                reader.message([&](WireReader& nested) {
                    readOutcome(nested, reader.append(view.outcomes, view.outcome_count));
                });
                break;
            case Message::kPositionsFieldNumber: readItem(reader, view.positions, view.position_count); break;
            case Message::kReplayedFieldNumber: reader.number(view.replayed); break;
            default: reader.skip();
        }
    }
}

void readScoredPoint(WireReader& reader, KithPointView& point) {
    using Message = v1::ScoredPoint;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kIdFieldNumber: readSingle(reader, point.id); break;
            case Message::kScoreFieldNumber: reader.real(point.score); break;
            case Message::kVersionFieldNumber: reader.number(point.version); break;
            case Message::kPayloadJsonFieldNumber: reader.text(point.payload_json); break;
            case Message::kVectorsFieldNumber: readItem(reader, point.vectors, point.vector_count); break;
            default: reader.skip();
        }
    }
}

void readSearchResponse(WireReader& reader, KithSearchOutcomeView& view) {
    using Message = v1::SearchResponse;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kResultsFieldNumber:
                reader.message([&](WireReader& nested) {
                    readScoredPoint(nested, reader.append(view.results, view.result_count));
                });
                break;
            case Message::kUnindexedLeftOutFieldNumber: reader.number(view.unindexed_left_out); break;
            default: reader.skip();
        }
    }
}

void readGetResponse(WireReader& reader, KithPointsView& view) {
    using Message = v1::GetResponse;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kPointsFieldNumber: readItem(reader, view.points, view.point_count); break;
            default: reader.skip();
        }
    }
}

void readScrollResponse(WireReader& reader, KithPointsView& view) {
    using Message = v1::ScrollResponse;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kPointsFieldNumber: readItem(reader, view.points, view.point_count); break;
            case Message::kNextPageTokenFieldNumber: reader.text(view.next_page_token); break;
            default: reader.skip();
        }
    }
}

void readExportResponse(WireReader& reader, KithPointsView& view) {
    using Message = v1::ExportResponse;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kPointsFieldNumber: readItem(reader, view.points, view.point_count); break;
            case Message::kPositionsFieldNumber: readItem(reader, view.positions, view.position_count); break;
            default: reader.skip();
        }
    }
}

}  // namespace
}  // namespace kith

KithMessage* kith_decode_write_response(KithBytes bytes, KithWriteResponseView* view) {
    return kith::decode(bytes, *view, kith::readWriteResponse);
}

KithMessage* kith_decode_search_response(KithBytes bytes, KithSearchOutcomeView* view) {
    return kith::decode(bytes, *view, kith::readSearchResponse);
}

KithMessage* kith_decode_get_response(KithBytes bytes, KithPointsView* view) {
    return kith::decode(bytes, *view, kith::readGetResponse);
}

KithMessage* kith_decode_scroll_response(KithBytes bytes, KithPointsView* view) {
    return kith::decode(bytes, *view, kith::readScrollResponse);
}

KithMessage* kith_decode_export_response(KithBytes bytes, KithPointsView* view) {
    return kith::decode(bytes, *view, kith::readExportResponse);
}
