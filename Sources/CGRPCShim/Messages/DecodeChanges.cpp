// What consumers view: change events as topics carry them.
#include "Decode.hpp"
#include "ReadPoint.hpp"
#include "kith/v1/events.pb.h"

namespace kith {

static void read(WireReader& reader, KithVectorImageView& vector) {
    using Message = v1::VectorImage;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kSpaceFieldNumber: reader.text(vector.space); break;
            case Message::kDataFieldNumber: reader.bytes(vector.data); break;
            case Message::kDigestFieldNumber: reader.fixed(vector.digest); break;
            default: reader.skip();
        }
    }
}

static void read(WireReader& reader, KithPointImageView& image) {
    using Message = v1::PointImage;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kIdFieldNumber: readSingle(reader, image.id); break;
            case Message::kPayloadJsonFieldNumber: reader.text(image.payload_json); break;
            case Message::kVectorsFieldNumber:
                // An overload of this file, which templates of the header cannot find.
                reader.message([&](WireReader& nested) { read(nested, reader.append(image.vectors, image.vector_count)); });
                break;
            case Message::kVersionFieldNumber: reader.number(image.version); break;
            default: reader.skip();
        }
    }
}

static void readImage(WireReader& reader, KithPointImageView& image) {
    image.present = reader.message([&](WireReader& nested) { read(nested, image); }) || image.present;
}

static void readActor(WireReader& reader, KithBytes& id) {
    while (const int field = reader.next()) {
        switch (field) {
            case v1::Actor::kIdFieldNumber: reader.text(id); break;
            default: reader.skip();
        }
    }
}

static void readClient(WireReader& reader, KithChangeRecordView& view) {
    using Message = v1::Client;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kNameFieldNumber: reader.text(view.client_name); break;
            case Message::kVersionFieldNumber: reader.text(view.client_version); break;
            case Message::kAddressFieldNumber: reader.text(view.client_address); break;
            default: reader.skip();
        }
    }
}

static void readContext(WireReader& reader, KithChangeRecordView& view) {
    using Message = v1::RequestContext;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kActorFieldNumber:
                reader.message([&](WireReader& nested) { readActor(nested, view.actor); });
                break;
            case Message::kClientFieldNumber:
                reader.message([&](WireReader& nested) { readClient(nested, view); });
                break;
            case Message::kMethodFieldNumber: reader.text(view.method); break;
            default: reader.skip();
        }
    }
}

static void readModel(WireReader& reader, KithSpaceModelView& model) {
    using Message = v1::SpaceModel;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kSpaceFieldNumber: reader.text(model.space); break;
            case Message::kIdFieldNumber: reader.text(model.id); break;
            case Message::kRevisionFieldNumber: reader.text(model.revision); break;
            default: reader.skip();
        }
    }
}

static void readSource(WireReader& reader, KithChangeRecordView& view) {
    using Message = v1::ChangeSource;
    KithChangeEventView& event = view.event;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kClusterFieldNumber: reader.text(event.cluster); break;
            case Message::kCollectionFieldNumber: reader.text(event.collection); break;
            case Message::kCollectionIdFieldNumber: reader.number(event.collection_id); break;
            case Message::kShardFieldNumber: reader.number(event.shard); break;
            case Message::kPositionFieldNumber: reader.number(event.position); break;
            case Message::kIndexFieldNumber: reader.number(event.index); break;
            case Message::kCountFieldNumber: reader.number(event.count); break;
            case Message::kRequestIdFieldNumber: reader.text(event.request_id); break;
            case Message::kTsUsFieldNumber: reader.number(event.ts_us); break;
            case Message::kContextFieldNumber:
                reader.message([&](WireReader& nested) { readContext(nested, view); });
                break;
            case Message::kSchemaVersionFieldNumber: reader.number(event.schema_version); break;
            case Message::kModelsFieldNumber:
                reader.message([&](WireReader& nested) { readModel(nested, reader.append(view.models, view.model_count)); });
                break;
            default: reader.skip();
        }
    }
}

static void readClaim(WireReader& reader, KithChangeRecordView& view) {
    using Message = v1::ClaimCheck;
    view.is_claimed = true;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kEventIdFieldNumber: reader.text(view.claimed_event); break;
            case Message::kBytesFieldNumber: reader.number(view.event.claimed_bytes); break;
            default: reader.skip();
        }
    }
}

static void readChange(WireReader& reader, KithChangeRecordView& view) {
    using Message = v1::ChangeEvent;
    KithChangeEventView& event = view.event;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kIdFieldNumber: reader.text(event.id); break;
            case Message::kOpFieldNumber: reader.number(event.op); break;
            case Message::kBeforeFieldNumber: readImage(reader, event.before); break;
            case Message::kAfterFieldNumber: readImage(reader, event.after); break;
            case Message::kChangedFieldsFieldNumber: reader.texts(event.changed_fields, event.changed_field_count); break;
            case Message::kSourceFieldNumber:
                reader.message([&](WireReader& nested) { readSource(nested, view); });
                break;
            case Message::kVersionBeforeFieldNumber: reader.number(event.version_before); break;
            case Message::kVersionAfterFieldNumber: reader.number(event.version_after); break;
            case Message::kClaimCheckFieldNumber:
                reader.message([&](WireReader& nested) { readClaim(nested, view); });
                break;
            default: reader.skip();
        }
    }
}

}  // namespace kith

KithMessage* kith_decode_change_event(KithBytes bytes, KithChangeRecordView* view) {
    return kith::decode(bytes, *view, kith::readChange);
}
