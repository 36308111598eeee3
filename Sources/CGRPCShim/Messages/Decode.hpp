// From serialised bytes to a view and the memory that it borrows from.
#pragma once
#include <exception>

#include "Message.hpp"
#include "WireReader.hpp"

namespace kith {

/// Copies `bytes`, lets `read(reader, view)` walk the copy, and hands out what keeps it. NULL when the bytes are malformed or
/// memory ends.
template <class View, class Read>
KithMessage* decode(KithBytes bytes, View& view, Read read) noexcept {
    view = {};
    if (bytes.size > INT32_MAX) {
        return nullptr;  // protobuf's own limit
    }
    try {
        auto message = KithMessage::take();
        WireReader reader(message->copy(bytes), message->memory);
        read(reader, view);
        if (reader.finished()) {
            return message.release();
        }
        KithMessage::giveBack(std::move(message));
    } catch (const std::exception&) {
        // Only memory can end here: the contract is NULL, as for a malformed message.
    }
    view = {};
    return nullptr;
}

}  // namespace kith
