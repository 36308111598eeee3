// Readers of what requests and responses share: ids, vectors, points, operations.
#pragma once
#include "WireReader.hpp"

namespace kith {

void read(WireReader& reader, KithPointIDView& id);
void read(WireReader& reader, KithVectorView& vector);
/// A Point. ScoredPoint has other numbers: see DecodeResponses.cpp.
void read(WireReader& reader, KithPointView& point);
void read(WireReader& reader, KithShardPosition& position);
void read(WireReader& reader, KithSelectorView& selector);
/// A WriteOperation, of any kind.
void read(WireReader& reader, KithOperationView& operation);
/// An UpdateVectorsOperation.
void readUpdateVectors(WireReader& reader, KithOperationView& operation);

/// A field that holds one message of a repeated field.
template <class Item>
void readItem(WireReader& reader, const Item*& items, size_t& count) {
    reader.message([&](WireReader& nested) { read(nested, reader.append(items, count)); });
}

/// A field that holds a single message; a second one is merged into the first, as protobuf does.
template <class View>
bool readSingle(WireReader& reader, View& view) {
    return reader.message([&](WireReader& nested) { read(nested, view); });
}

/// A member of a oneof, read by `readKind`: it replaces a member of another kind, and is merged into one of its own.
template <class View, class Kind, class Read>
void readMember(WireReader& reader, View& view, Kind kind, Read readKind) {
    reader.message([&](WireReader& nested) {
        if (view.kind != kind) {
            view = {};
            view.kind = kind;
        }
        readKind(nested, view);
    });
}

/// An optional number.
inline void readOptional(WireReader& reader, uint64_t& value, bool& present) {
    present = reader.number(value) || present;
}

}  // namespace kith
