// Change events, and the stream that carries them.
#include <memory_resource>

#include "WireReader.hpp"
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

/// Without payload and vectors where the event is a claim check.
template <class Sink>
static void writeImage(Fields<Sink> fields, const KithPointImageView& image, bool isClaimed) {
    using Message = v1::PointImage;
    writeID(fields, Message::kIdFieldNumber, image.id);
    if (isClaimed) {
        fields.number(Message::kVersionFieldNumber, image.version);
        return;
    }
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
    fields.bytes(Message::kContextFieldNumber, event.context);
    fields.number(Message::kSchemaVersionFieldNumber, event.schema_version);
    fields.fields(event.models);
}

template <class Sink>
static void writeTransaction(Fields<Sink> fields, const KithChangeEventView& event) {
    using Message = v1::TransactionPlace;
    fields.bytes(Message::kIdFieldNumber, event.transaction);
    fields.number(Message::kTotalOrderFieldNumber, event.index + 1);
    fields.number(Message::kDataCollectionOrderFieldNumber, event.index + 1);
}

template <class Sink>
static void writeClaimCheck(Fields<Sink> fields, const KithChangeEventView& event) {
    using Message = v1::ClaimCheck;
    fields.bytes(Message::kEventIdFieldNumber, event.id);
    fields.number(Message::kBytesFieldNumber, event.claimed_bytes);
}

/// One text of a nested message.
static void readNested(WireReader& reader, int wanted, KithBytes& value) {
    reader.message([&](WireReader& nested) {
        while (const int field = nested.next()) {
            if (field == wanted) {
                nested.text(value);
            } else {
                nested.skip();
            }
        }
    });
}

}  // namespace kith

KithBuffer* kith_encode_change_event(const KithChangeEventView* event) {
    using Message = kith::v1::ChangeEvent;
    const bool isClaimed = event->claimed_bytes > 0;
    return kith::encode([&](auto fields) {
        fields.fields(event->frame);
        fields.bytes(Message::kIdFieldNumber, event->id);
        fields.number(Message::kOpFieldNumber, event->op);
        if (event->before.present) {
            fields.message(Message::kBeforeFieldNumber, [&](auto image) { kith::writeImage(image, event->before, isClaimed); });
        }
        if (event->after.present) {
            fields.message(Message::kAfterFieldNumber, [&](auto image) { kith::writeImage(image, event->after, isClaimed); });
        }
        fields.texts(Message::kChangedFieldsFieldNumber, event->changed_fields, event->changed_field_count);
        fields.message(Message::kSourceFieldNumber, [&](auto source) { kith::writeSource(source, *event); });
        fields.number(Message::kVersionBeforeFieldNumber, event->version_before);
        fields.number(Message::kVersionAfterFieldNumber, event->version_after);
        if (event->transaction.size > 0) {
            fields.message(Message::kTransactionFieldNumber, [&](auto place) { kith::writeTransaction(place, *event); });
        }
        if (isClaimed) {
            fields.message(Message::kClaimCheckFieldNumber, [&](auto claim) { kith::writeClaimCheck(claim, *event); });
        }
    });
}

KithBuffer* kith_encode_point_image(const KithPointImageView* image, bool is_claimed, KithBytes frame) {
    return kith::encode([&](auto fields) {
        fields.fields(frame);
        kith::writeImage(fields, *image, is_claimed);
    });
}

KithBuffer* kith_encode_space_models(const KithSpaceModelView* models, size_t count) {
    using Message = kith::v1::SpaceModel;
    return kith::encode([&](auto fields) {
        for (size_t index = 0; index < count; ++index) {
            fields.message(kith::v1::ChangeSource::kModelsFieldNumber, [&](auto model) {
                model.bytes(Message::kSpaceFieldNumber, models[index].space);
                model.bytes(Message::kIdFieldNumber, models[index].id);
                model.bytes(Message::kRevisionFieldNumber, models[index].revision);
            });
        }
    });
}

KithRequestContextView kith_view_request_context(KithBytes context) {
    using Message = kith::v1::RequestContext;
    KithRequestContextView view{};
    kith::WireReader reader(context, *std::pmr::null_memory_resource());
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kActorFieldNumber: kith::readNested(reader, kith::v1::Actor::kIdFieldNumber, view.actor); break;
            case Message::kClientFieldNumber: kith::readNested(reader, kith::v1::Client::kAddressFieldNumber, view.client_address); break;
            case Message::kTraceparentFieldNumber: reader.text(view.traceparent); break;
            case Message::kMethodFieldNumber: reader.text(view.method); break;
            default: reader.skip();
        }
    }
    return reader.finished() ? view : KithRequestContextView{};
}

KithBuffer* kith_encode_get_event_response(KithBytes event) {
    return kith::encode([&](auto fields) { fields.presentBytes(kith::v1::GetEventResponse::kEventFieldNumber, event); });
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
