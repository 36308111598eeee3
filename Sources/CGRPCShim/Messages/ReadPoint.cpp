#include "ReadPoint.hpp"

#include "kith/v1/point_service.pb.h"
#include "kith/v1/types.pb.h"

namespace kith {

void read(WireReader& reader, KithPointIDView& id) {
    using Message = v1::PointId;
    while (const int field = reader.next()) {
        uint64_t number = 0;
        KithBytes bytes{};
        switch (field) {
            case Message::kNumberFieldNumber:
                if (reader.number(number)) {
                    id = {KITH_ID_NUMBER, number, {}};
                }
                break;
            case Message::kUuidFieldNumber:
                if (reader.bytes(bytes)) {
                    id = {KITH_ID_UUID, 0, bytes};
                }
                break;
            case Message::kNameFieldNumber:
                if (reader.text(bytes)) {
                    id = {KITH_ID_NAME, 0, bytes};
                }
                break;
            default:
                reader.skip();
        }
    }
}

void read(WireReader& reader, KithVectorView& vector) {
    using Message = v1::Vector;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kSpaceFieldNumber: reader.text(vector.space); break;
            case Message::kDataFieldNumber: reader.bytes(vector.data); break;
            case Message::kValuesFieldNumber: reader.reals(vector.values, vector.value_count); break;
            case Message::kElementTypeFieldNumber: reader.number(vector.element_type); break;
            default: reader.skip();
        }
    }
}

void read(WireReader& reader, KithPointView& point) {
    using Message = v1::Point;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kIdFieldNumber: readSingle(reader, point.id); break;
            case Message::kVectorsFieldNumber: readItem(reader, point.vectors, point.vector_count); break;
            case Message::kPayloadJsonFieldNumber: reader.text(point.payload_json); break;
            case Message::kVersionFieldNumber: reader.number(point.version); break;
            default: reader.skip();
        }
    }
}

void read(WireReader& reader, KithShardPosition& position) {
    using Message = v1::ShardPosition;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kShardFieldNumber: reader.number(position.shard); break;
            case Message::kPositionFieldNumber: reader.number(position.position); break;
            default: reader.skip();
        }
    }
}

void read(WireReader& reader, KithSelectorView& selector) {
    using Message = v1::PointSelector;
    while (const int field = reader.next()) {
        switch (field) {
            case Message::kPayloadFieldNumber: reader.number(selector.payload); break;
            case Message::kVectorsFieldNumber: reader.number(selector.vectors); break;
            case Message::kVectorSpacesFieldNumber: reader.texts(selector.spaces, selector.space_count); break;
            default: reader.skip();
        }
    }
}

}  // namespace kith
