// Change events, and the stream that carries them.
#include "WritePoint.hpp"
#include "kith/v1/change_service.pb.h"
#include "kith/v1/events.pb.h"

namespace kith {

template <class Sink>
static void write(Fields<Sink> fields, const KithVectorImageView& vector) {
    using Message = v1::VectorImage;
    fields.bytes(Message::kSpaceFieldNumber, vector.space);
    fields.bytes(Message::kDataFieldNumber, vector.data);
    fields.fixed64(Message::kDigestFieldNumber, vector.digest);
}

template <class Sink>
static void write(Fields<Sink> fields, const KithPointImageView& image) {
    using Message = v1::PointImage;
    writeID(fields, Message::kIdFieldNumber, image.id);
    fields.bytes(Message::kPayloadJsonFieldNumber, image.payload_json);
    writeAll(fields, Message::kVectorsFieldNumber, image.vectors, image.vector_count);
    fields.number(Message::kVersionFieldNumber, image.version);
}

template <class Sink>
static void writeSource(Fields<Sink> fields, const KithChangeEventView& event) {
    using Message = v1::ChangeSource;
    fields.bytes(Message::kClusterFieldNumber, event.cluster);
    fields.bytes(Message::kCollectionFieldNumber, event.collection);
    fields.number(Message::kCollectionIdFieldNumber, event.collection_id);
    fields.number(Message::kShardFieldNumber, event.shard);
    fields.number(Message::kPositionFieldNumber, event.position);
    fields.number(Message::kIndexFieldNumber, event.index);
    fields.number(Message::kCountFieldNumber, event.count);
    fields.bytes(Message::kRequestIdFieldNumber, event.request_id);
    fields.number(Message::kTsUsFieldNumber, event.ts_us);
}

}  // namespace kith

KithBuffer* kith_encode_change_event(const KithChangeEventView* event) {
    using Message = kith::v1::ChangeEvent;
    return kith::encode([&](auto fields) {
        fields.bytes(Message::kIdFieldNumber, event->id);
        fields.number(Message::kOpFieldNumber, event->op);
        if (event->before.present) {
            kith::writeSingle(fields, Message::kBeforeFieldNumber, event->before);
        }
        if (event->after.present) {
            kith::writeSingle(fields, Message::kAfterFieldNumber, event->after);
        }
        fields.texts(Message::kChangedFieldsFieldNumber, event->changed_fields, event->changed_field_count);
        fields.message(Message::kSourceFieldNumber, [&](auto source) { kith::writeSource(source, *event); });
    });
}

KithBuffer* kith_encode_subscribe_response(const KithBytes* events, size_t event_count, const KithShardPosition* positions,
                                           size_t position_count) {
    using Message = kith::v1::SubscribeResponse;
    return kith::encode([&](auto fields) {
        fields.texts(Message::kEventsFieldNumber, events, event_count);
        if (positions != nullptr) {
            fields.message(Message::kHeartbeatFieldNumber, [&](auto heartbeat) {
                kith::writeAll(heartbeat, Message::Heartbeat::kPositionsFieldNumber, positions, position_count);
            });
        }
    });
}
