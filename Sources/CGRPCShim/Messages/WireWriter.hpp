// Writing protobuf's wire format from views.
//
// A message is described once, as a function template over a sink. Run over a WireCounter it gives the size, and over a
// WireWriter the bytes, so that one exactly sized slice is allocated. All that is kept in between are the sizes of nested messages.
#pragma once
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>
#include <grpc/slice.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <memory_resource>
#include <vector>

#include "Buffer.hpp"

namespace kith {

/// Sizes of nested messages in the order in which they begin: what a WireCounter finds, a WireWriter writes before each.
class NestedSizes {
    /// Enough for forty answers of ten points: most messages allocate nothing.
    static constexpr size_t fewSizes = 1'024;
    std::array<std::byte, fewSizes * sizeof(uint32_t)> block;
    std::pmr::monotonic_buffer_resource memory{block.data(), block.size()};

public:
    std::pmr::vector<uint32_t> all{&memory};

    NestedSizes() { all.reserve(fewSizes); }
};

/// Counts what would be written.
class WireCounter {
public:
    size_t size = 0;

    explicit WireCounter(NestedSizes& nested) : nested(nested.all) {}

    void varint(uint64_t value) { size += google::protobuf::io::CodedOutputStream::VarintSize64(value); }
    void raw(const void*, size_t count) { size += count; }

    template <class Write>
    void message(Write write) {
        const size_t place = nested.size();
        const size_t start = size;
        nested.push_back(0);
        write();
        nested[place] = static_cast<uint32_t>(size - start);
        varint(nested[place]);
    }

private:
    std::pmr::vector<uint32_t>& nested;
};

/// Writes to memory that a WireCounter found to be enough.
class WireWriter {
public:
    WireWriter(uint8_t* start, const NestedSizes& nested) : end(start), next(nested.all.data()) {}

    void varint(uint64_t value) { end = google::protobuf::io::CodedOutputStream::WriteVarint64ToArray(value, end); }

    void raw(const void* data, size_t count) {
        if (count > 0) {
            std::memcpy(end, data, count);
            end += count;
        }
    }

    template <class Write>
    void message(Write write) {
        varint(*next++);
        write();
    }

private:
    uint8_t* end;
    const uint32_t* next;
};

/// The fields of one message, written to a sink. Zero, false and empty are left out, as proto3 does.
template <class Sink>
class Fields {
    using Format = google::protobuf::internal::WireFormatLite;

public:
    explicit Fields(Sink& sink) : sink(sink) {}

    /// An integer, a bool or an enum.
    template <class Number>
    void number(int field, Number value) {
        if (value != 0) {
            presentNumber(field, static_cast<uint64_t>(value));
        }
    }

    void presentNumber(int field, uint64_t value) {
        tag(field, Format::WIRETYPE_VARINT);
        sink.varint(value);
    }

    void real(int field, float value) {
        // Compared by bits, as protobuf does: a negative zero is written.
        if (uint32_t bits = 0; std::memcpy(&bits, &value, sizeof bits), bits != 0) {
            presentReal(field, value);
        }
    }

    void presentReal(int field, float value) {
        tag(field, Format::WIRETYPE_FIXED32);
        sink.raw(&value, sizeof value);
    }

    void fixed64(int field, uint64_t value) {
        if (value != 0) {
            tag(field, Format::WIRETYPE_FIXED64);
            sink.raw(&value, sizeof value);
        }
    }

    void bytes(int field, KithBytes value) {
        if (value.size > 0) {
            presentBytes(field, value);
        }
    }

    /// Also for a nested message that is serialised already.
    void presentBytes(int field, KithBytes value) {
        tag(field, Format::WIRETYPE_LENGTH_DELIMITED);
        sink.varint(value.size);
        sink.raw(value.data, value.size);
    }

    /// Fields that are serialised already.
    void fields(KithBytes value) { sink.raw(value.data, value.size); }

    void texts(int field, const KithBytes* values, size_t count) {
        for (size_t index = 0; index < count; ++index) {
            presentBytes(field, values[index]);
        }
    }

    void reals(int field, const float* values, size_t count) {
        bytes(field, {reinterpret_cast<const uint8_t*>(values), count * sizeof(float)});
    }

    /// A nested message, written by `write(fields)`, also when it is empty.
    template <class Write>
    void message(int field, Write write) {
        tag(field, Format::WIRETYPE_LENGTH_DELIMITED);
        sink.message([&] { write(Fields(sink)); });
    }

private:
    Sink& sink;

    void tag(int field, Format::WireType type) { sink.varint(Format::MakeTag(field, type)); }
};

/// One buffer, exactly as long as the message that `write(fields)` describes.
template <class Write>
KithBuffer* encode(Write write) noexcept {
    NestedSizes nested;
    WireCounter counter(nested);
    write(Fields<WireCounter>(counter));
    const grpc_slice slice = grpc_slice_malloc(counter.size);
    // A short slice keeps its bytes in itself: the buffer is made first, and written where it lies.
    KithBuffer* const buffer = makeBuffer(slice);
    if (buffer != nullptr) {
        WireWriter writer(const_cast<uint8_t*>(buffer->slice.begin()), nested);
        write(Fields<WireWriter>(writer));
    }
    return buffer;
}

}  // namespace kith
