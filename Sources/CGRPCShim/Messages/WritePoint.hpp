// Writers of what requests, responses and events share.
#pragma once
#include "WireWriter.hpp"
#include "kith/v1/point_service.pb.h"
#include "kith/v1/types.pb.h"

namespace kith {

template <class Sink>
void write(Fields<Sink> fields, const KithPointIDView& id) {
    using Message = v1::PointId;
    // Members of a oneof are written also when they are zero or empty.
    switch (id.kind) {
        case KITH_ID_UNSET: break;
        case KITH_ID_NUMBER: fields.presentNumber(Message::kNumberFieldNumber, id.number); break;
        case KITH_ID_UUID: fields.presentBytes(Message::kUuidFieldNumber, id.bytes); break;
        case KITH_ID_NAME: fields.presentBytes(Message::kNameFieldNumber, id.bytes); break;
    }
}

template <class Sink>
void write(Fields<Sink> fields, const KithVectorView& vector) {
    using Message = v1::Vector;
    fields.bytes(Message::kSpaceFieldNumber, vector.space);
    fields.bytes(Message::kDataFieldNumber, vector.data);
    fields.reals(Message::kValuesFieldNumber, vector.values, vector.value_count);
    fields.number(Message::kElementTypeFieldNumber, vector.element_type);
}

template <class Sink>
void write(Fields<Sink> fields, const KithShardPosition& position) {
    using Message = v1::ShardPosition;
    fields.number(Message::kShardFieldNumber, position.shard);
    fields.number(Message::kPositionFieldNumber, position.position);
}

/// A single message.
template <class Sink, class View>
void writeSingle(Fields<Sink> fields, int field, const View& view) {
    fields.message(field, [&](auto nested) { write(nested, view); });
}

/// A repeated message.
template <class Sink, class View>
void writeAll(Fields<Sink> fields, int field, const View* views, size_t count) {
    for (size_t index = 0; index < count; ++index) {
        writeSingle(fields, field, views[index]);
    }
}

/// The id, where there is one.
template <class Sink>
void writeID(Fields<Sink> fields, int field, const KithPointIDView& id) {
    if (id.kind != KITH_ID_UNSET) {
        writeSingle(fields, field, id);
    }
}

/// A Point.
template <class Sink>
void write(Fields<Sink> fields, const KithPointView& point) {
    using Message = v1::Point;
    writeID(fields, Message::kIdFieldNumber, point.id);
    writeAll(fields, Message::kVectorsFieldNumber, point.vectors, point.vector_count);
    fields.bytes(Message::kPayloadJsonFieldNumber, point.payload_json);
    fields.number(Message::kVersionFieldNumber, point.version);
}

}  // namespace kith
