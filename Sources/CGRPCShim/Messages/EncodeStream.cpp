// What a server says on an upsert stream.
#include "WritePoint.hpp"

using Response = kith::v1::UpsertStreamResponse;

KithBuffer* kith_encode_stream_opened(uint32_t credit, uint64_t last_acked) {
    using Message = Response::Opened;
    return kith::encode([&](auto fields) {
        fields.message(Response::kOpenedFieldNumber, [&](auto opened) {
            opened.number(Message::kCreditFieldNumber, credit);
            opened.number(Message::kLastAckedFieldNumber, last_acked);
        });
    });
}

KithBuffer* kith_encode_stream_ack(uint64_t from, uint64_t to, const KithShardPosition* positions, size_t count) {
    using Message = Response::Ack;
    return kith::encode([&](auto fields) {
        fields.message(Response::kAckFieldNumber, [&](auto ack) {
            ack.number(Message::kSequenceFromFieldNumber, from);
            ack.number(Message::kSequenceToFieldNumber, to);
            kith::writeAll(ack, Message::kPositionsFieldNumber, positions, count);
        });
    });
}

KithBuffer* kith_encode_stream_item_error(uint64_t sequence, KithBytes status) {
    using Message = Response::ItemError;
    return kith::encode([&](auto fields) {
        fields.message(Response::kItemErrorFieldNumber, [&](auto error) {
            error.number(Message::kSequenceFieldNumber, sequence);
            error.presentBytes(Message::kStatusFieldNumber, status);
        });
    });
}

KithBuffer* kith_encode_stream_credit(uint32_t additional) {
    using Message = Response::Credit;
    return kith::encode([&](auto fields) {
        fields.message(Response::kCreditFieldNumber, [&](auto credit) {
            credit.number(Message::kAdditionalFieldNumber, additional);
        });
    });
}

KithBuffer* kith_encode_stream_go_away(KithBytes reason, uint64_t last_sequence) {
    using Message = Response::GoAway;
    return kith::encode([&](auto fields) {
        fields.message(Response::kGoAwayFieldNumber, [&](auto away) {
            away.bytes(Message::kReasonFieldNumber, reason);
            away.number(Message::kLastSequenceFieldNumber, last_sequence);
        });
    });
}
