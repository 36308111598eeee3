// Reading protobuf's wire format into views that borrow from the input.
//
// Generated classes would copy every string and vector to the heap. This walks the same bytes with libprotobuf's own stream and
// field skipping, borrows them, and takes its field numbers from the generated headers, so that it cannot drift from the protos.
#pragma once
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/common.h>
#include <google/protobuf/wire_format_lite.h>

#include <cstring>
#include <memory_resource>
#include <type_traits>

#include "CGRPCShim.h"

namespace kith {

/// The fields of one message, in the order of the wire. A field is taken by one of the functions below; those answer whether it
/// was there, and skip a field of another wire type as protobuf does. Anything malformed ends the walk, and `finished` says so.
class WireReader {
    using Format = google::protobuf::internal::WireFormatLite;

public:
    WireReader(KithBytes bytes, std::pmr::memory_resource& memory)
        : data(bytes.data), input(bytes.data, static_cast<int>(bytes.size)), memory(memory) {}

    /// The next field's number; 0 at the end.
    int next() {
        tag = readTag();
        return Format::GetTagFieldNumber(tag);
    }

    /// Whether the walk came to the end of a well-formed message.
    bool finished() { return valid && tag == 0 && input.ConsumedEntireMessage(); }

    void skip() { check(valid && skipField(tag)); }

    /// An integer, a bool or an enum.
    template <class Number>
    bool number(Number& value) {
        uint64_t read = 0;
        if (!expect(Format::WIRETYPE_VARINT) || !check(input.ReadVarint64(&read))) {
            return false;
        }
        value = std::is_same_v<Number, bool> ? read != 0 : static_cast<Number>(read);
        return true;
    }

    bool real(float& value) {
        uint32_t bits = 0;
        if (!expect(Format::WIRETYPE_FIXED32) || !check(input.ReadLittleEndian32(&bits))) {
            return false;
        }
        std::memcpy(&value, &bits, sizeof value);
        return true;
    }

    bool fixed(uint64_t& value) {
        return expect(Format::WIRETYPE_FIXED64) && check(input.ReadLittleEndian64(&value));
    }

    bool bytes(KithBytes& value) { return expect(Format::WIRETYPE_LENGTH_DELIMITED) && borrow(value); }

    bool text(KithBytes& value) {
        return bytes(value) &&
            check(google::protobuf::internal::IsStructurallyValidUTF8(
                reinterpret_cast<const char*>(value.data), static_cast<int>(value.size)));
    }

    /// A nested message: `read` gets its reader, and walks it to the end.
    template <class Read>
    bool message(Read read) {
        KithBytes nested{};
        if (!bytes(nested)) {
            return false;
        }
        WireReader reader(nested, memory);
        read(reader);
        return check(reader.finished());
    }

    void texts(const KithBytes*& values, size_t& count) {
        if (KithBytes value{}; text(value)) {
            append(values, count) = value;
        }
    }

    /// Repeated floats, packed or one by one.
    void reals(const float*& values, size_t& count) {
        if (Format::GetTagWireType(tag) != Format::WIRETYPE_LENGTH_DELIMITED) {
            if (float value = 0; real(value)) {
                append(values, count) = value;
            }
        } else if (KithBytes packed{}; borrow(packed) && check(packed.size % sizeof(float) == 0) && packed.size > 0) {
            std::memcpy(append(values, count, packed.size / sizeof(float)), packed.data, packed.size);
        }
    }

    /// Adds one empty item to an array of a view.
    template <class Item>
    Item& append(const Item*& items, size_t& count) {
        return *append(items, count, 1);
    }

private:
    const uint8_t* const data;
    google::protobuf::io::CodedInputStream input;
    std::pmr::memory_resource& memory;
    uint32_t tag = 0;
    bool valid = true;

    bool check(bool holds) {
        valid = valid && holds;
        return valid;
    }

    /// 0 at the end, and for a tag that is malformed.
    uint32_t readTag() {
        const int start = input.CurrentPosition();
        const uint32_t read = valid ? input.ReadTag() : 0;
        // Protobuf's parser refuses longer tags, which this stream cuts to 32 bits.
        return check(input.CurrentPosition() - start <= 5) ? read : 0;
    }

    bool skipField(uint32_t field) {
        if (Format::GetTagWireType(field) != Format::WIRETYPE_START_GROUP) {
            return Format::SkipField(&input, field);
        }
        // The stream would skip a group whole, with tags of any length in it.
        if (Format::GetTagFieldNumber(field) == 0 || !input.IncrementRecursionDepth()) {
            return false;
        }
        for (uint32_t inner = readTag(); inner != 0; inner = readTag()) {
            if (Format::GetTagWireType(inner) == Format::WIRETYPE_END_GROUP) {
                input.DecrementRecursionDepth();
                return Format::GetTagFieldNumber(inner) == Format::GetTagFieldNumber(field);
            }
            if (!skipField(inner)) {
                return false;
            }
        }
        return false;
    }

    bool expect(Format::WireType type) {
        if (Format::GetTagWireType(tag) == type) {
            return true;
        }
        skip();
        return false;
    }

    bool borrow(KithBytes& value) {
        int size = 0;
        if (!check(input.ReadVarintSizeAsInt(&size))) {
            return false;
        }
        value = {data + input.CurrentPosition(), static_cast<size_t>(size)};
        return check(input.Skip(size));
    }

    static size_t roundedUp(size_t count) {
        size_t rounded = 1;
        while (rounded < count) {
            rounded *= 2;
        }
        return count == 0 ? 0 : rounded;
    }

    /// Room for `added` items. An array of n items has room for n rounded up to a power of two, which views need not store.
    template <class Item>
    Item* append(const Item*& items, size_t& count, size_t added) {
        static_assert(std::is_trivially_copyable_v<Item>);
        auto* room = const_cast<Item*>(items);
        if (const size_t capacity = roundedUp(count + added); capacity != roundedUp(count)) {
            room = static_cast<Item*>(memory.allocate(capacity * sizeof(Item), alignof(Item)));
            if (count > 0) {
                std::memcpy(room, items, count * sizeof(Item));
            }
            items = room;
        }
        std::memset(static_cast<void*>(room + count), 0, added * sizeof(Item));
        count += added;
        return room + count - added;
    }
};

}  // namespace kith
