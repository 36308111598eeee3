// Both directions of an upsert stream.
#include "Decode.hpp"
#include "ReadPoint.hpp"
#include "kith/v1/point_service.pb.h"

namespace kith {
namespace {

void readOpen(WireReader& reader, KithUpsertStreamView& view) {
    using Message = v1::UpsertStreamRequest::Open;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kCollectionFieldNumber: reader.text(view.collection); break;
            case Message::kStreamIdFieldNumber: reader.text(view.stream_id); break;
            case Message::kDurabilityFieldNumber: reader.number(view.durability); break;
            default: reader.skip();
        }
    }
}

void readItem(WireReader& reader, KithUpsertStreamView& view) {
    using Message = v1::UpsertStreamRequest::Item;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kSequenceFieldNumber: reader.number(view.sequence); break;
            case Message::kOperationFieldNumber: readSingle(reader, view.operation); break;
            default: reader.skip();
        }
    }
}

/// Flush and Close have no fields.
void readNothing(WireReader& reader, KithUpsertStreamView&) {
    while (reader.next() != 0) {
        reader.skip();
    }
}

void readRequest(WireReader& reader, KithUpsertStreamView& view) {
    using Message = v1::UpsertStreamRequest;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kOpenFieldNumber: readMember(reader, view, KITH_STREAM_OPEN, readOpen); break;
            case Message::kItemFieldNumber: readMember(reader, view, KITH_STREAM_ITEM, readItem); break;
            case Message::kFlushFieldNumber: readMember(reader, view, KITH_STREAM_FLUSH, readNothing); break;
            case Message::kCloseFieldNumber: readMember(reader, view, KITH_STREAM_CLOSE, readNothing); break;
            default: reader.skip();
        }
    }
}

void readOpened(WireReader& reader, KithStreamAnswerView& view) {
    using Message = v1::UpsertStreamResponse::Opened;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kCreditFieldNumber: reader.number(view.credit); break;
            case Message::kLastAckedFieldNumber: reader.number(view.sequence_to); break;
            default: reader.skip();
        }
    }
}

void readAck(WireReader& reader, KithStreamAnswerView& view) {
    using Message = v1::UpsertStreamResponse::Ack;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kSequenceFromFieldNumber: reader.number(view.sequence_from); break;
            case Message::kSequenceToFieldNumber: reader.number(view.sequence_to); break;
            default: reader.skip();
        }
    }
}

void readItemError(WireReader& reader, KithStreamAnswerView& view) {
    using Message = v1::UpsertStreamResponse::ItemError;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kSequenceFieldNumber: reader.number(view.sequence_from); break;
            case Message::kStatusFieldNumber: reader.bytes(view.text); break;
            default: reader.skip();
        }
    }
    view.sequence_to = view.sequence_from;
}

void readCredit(WireReader& reader, KithStreamAnswerView& view) {
    using Message = v1::UpsertStreamResponse::Credit;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kAdditionalFieldNumber: reader.number(view.credit); break;
            default: reader.skip();
        }
    }
}

void readGoAway(WireReader& reader, KithStreamAnswerView& view) {
    using Message = v1::UpsertStreamResponse::GoAway;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kReasonFieldNumber: reader.text(view.text); break;
            case Message::kLastSequenceFieldNumber: reader.number(view.sequence_to); break;
            default: reader.skip();
        }
    }
}

void readAnswer(WireReader& reader, KithStreamAnswerView& view) {
    using Message = v1::UpsertStreamResponse;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kOpenedFieldNumber: readMember(reader, view, KITH_ANSWER_OPENED, readOpened); break;
            case Message::kAckFieldNumber: readMember(reader, view, KITH_ANSWER_ACK, readAck); break;
            case Message::kItemErrorFieldNumber: readMember(reader, view, KITH_ANSWER_ITEM_ERROR, readItemError); break;
            case Message::kCreditFieldNumber: readMember(reader, view, KITH_ANSWER_CREDIT, readCredit); break;
            case Message::kGoAwayFieldNumber: readMember(reader, view, KITH_ANSWER_GO_AWAY, readGoAway); break;
            default: reader.skip();
        }
    }
}

}  // namespace
}  // namespace kith

KithMessage* kith_decode_upsert_stream(KithBytes bytes, KithUpsertStreamView* view) {
    return kith::decode(bytes, *view, kith::readRequest);
}

KithMessage* kith_decode_upsert_stream_response(KithBytes bytes, KithStreamAnswerView* view) {
    return kith::decode(bytes, *view, kith::readAnswer);
}
