// From serialised bytes to a view and the memory that it borrows from.
#pragma once
#include <exception>

#include "Message.hpp"
#include "WireReader.hpp"

namespace kith {

/// Lets `read(reader, view)` walk the bytes, or a copy of them, and hands out what keeps the view. NULL when the bytes are malformed
/// or memory ends.
template <class View, class Read>
KithMessage* decode(KithBytes bytes, View& view, Read read, bool isCopied) noexcept {
    view = {};
    if (bytes.size > INT32_MAX) {
        return nullptr;  // protobuf's own limit
    }
    try {
        auto message = KithMessage::take();
        WireReader reader(isCopied ? message->copy(bytes) : bytes, message->memory);
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

/// The view outlives the bytes.
template <class View, class Read>
KithMessage* decode(KithBytes bytes, View& view, Read read) noexcept {
    return decode(bytes, view, read, true);
}

/// The view lives no longer than the bytes. For messages so large that a copy costs.
template <class View, class Read>
KithMessage* decodeInPlace(KithBytes bytes, View& view, Read read) noexcept {
    return decode(bytes, view, read, false);
}

}  // namespace kith
