#include "SessionCallbacks.hpp"

#include <exception>
#include <memory>
#include <new>

namespace kith {

/// What arrives here goes to the session. Nothing may be thrown through nghttp2: where memory ends, the connection does.
struct Session::Callbacks {
    template <class Action>
    static int guarded(Action action) noexcept {
        try {
            return action();
        } catch (const std::exception&) {
            return NGHTTP2_ERR_CALLBACK_FAILURE;
        }
    }

    static Session& owner(void* context) { return *static_cast<Session*>(context); }

    static KithCall* find(nghttp2_session* session, int32_t stream) {
        return static_cast<KithCall*>(nghttp2_session_get_stream_user_data(session, stream));
    }

    static bool isRequest(const nghttp2_frame* frame) {
        return frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
    }

    static int beginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* context) {
        return guarded([&] {
            if (isRequest(frame)) {
                owner(context).begin(frame->hd.stream_id);
            }
            return 0;
        });
    }

    static int header(nghttp2_session* session, const nghttp2_frame* frame, const uint8_t* name, size_t nameSize,
                      const uint8_t* value, size_t valueSize, uint8_t, void*) {
        return guarded([&] {
            KithCall* const call = find(session, frame->hd.stream_id);
            if (call != nullptr && isRequest(frame)) {
                call->wire.head.add(
                    {reinterpret_cast<const char*>(name), nameSize}, {reinterpret_cast<const char*>(value), valueSize});
            }
            return 0;
        });
    }

    static int data(nghttp2_session* session, uint8_t, int32_t stream, const uint8_t* bytes, size_t count, void* context) {
        return guarded([&] {
            if (KithCall* const call = find(session, stream)) {
                owner(context).dataReceived(*call, {reinterpret_cast<const char*>(bytes), count});
            }
            return 0;
        });
    }

    static int frameReceived(nghttp2_session* session, const nghttp2_frame* frame, void* context) {
        return guarded([&] {
            KithCall* const call = find(session, frame->hd.stream_id);
            if (call == nullptr) {
                return 0;
            }
            if (isRequest(frame)) {
                owner(context).headReceived(*call);
            }
            const bool carriesRequest = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
            if (carriesRequest && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) {
                owner(context).requestEnded(*call);
            }
            return 0;
        });
    }

    /// A call that has ended wants no more of its request.
    static int frameSent(nghttp2_session* session, const nghttp2_frame* frame, void*) {
        const bool isEnd = frame->hd.type == NGHTTP2_HEADERS && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM);
        if (isEnd && nghttp2_session_get_stream_remote_close(session, frame->hd.stream_id) == 0) {
            return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
        }
        return 0;
    }

    static int streamClosed(nghttp2_session* session, int32_t stream, uint32_t, void* context) {
        return guarded([&] {
            if (KithCall* const call = find(session, stream)) {
                owner(context).closed(*call);
            }
            return 0;
        });
    }

    static ssize_t send(nghttp2_session*, const uint8_t* bytes, size_t count, int, void* context) {
        const int result = guarded([&] { return owner(context).append(bytes, count) ? 0 : int(NGHTTP2_ERR_WOULDBLOCK); });
        return result == 0 ? static_cast<ssize_t>(count) : result;
    }

    static ssize_t pull(nghttp2_session*, int32_t, uint8_t*, size_t room, uint32_t* flags, nghttp2_data_source* source,
                        void* context) {
        return guarded([&] { return static_cast<int>(owner(context).pull(*static_cast<KithCall*>(source->ptr), room, flags)); });
    }

    static int push(nghttp2_session*, nghttp2_frame*, const uint8_t* head, size_t length, nghttp2_data_source* source,
                    void* context) {
        return guarded([&] {
            return owner(context).push(*static_cast<KithCall*>(source->ptr), head, length) ? 0 : int(NGHTTP2_ERR_WOULDBLOCK);
        });
    }

    static nghttp2_session_callbacks* make() {
        nghttp2_session_callbacks* all = nullptr;
        if (nghttp2_session_callbacks_new(&all) != 0) {
            throw std::bad_alloc();
        }
        nghttp2_session_callbacks_set_on_begin_headers_callback(all, beginHeaders);
        nghttp2_session_callbacks_set_on_header_callback(all, header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(all, data);
        nghttp2_session_callbacks_set_on_frame_recv_callback(all, frameReceived);
        nghttp2_session_callbacks_set_on_frame_send_callback(all, frameSent);
        nghttp2_session_callbacks_set_on_stream_close_callback(all, streamClosed);
        nghttp2_session_callbacks_set_send_callback(all, send);
        nghttp2_session_callbacks_set_send_data_callback(all, push);
        return all;
    }
};

namespace {

nghttp2_option* makeOptions() {
    nghttp2_option* options = nullptr;
    if (nghttp2_option_new(&options) != 0) {
        throw std::bad_alloc();
    }
    // Streams that nobody reads must not be sent more than a window.
    nghttp2_option_set_no_auto_window_update(options, 1);
    // They would be kept for priorities, which the settings say are not used.
    nghttp2_option_set_no_closed_streams(options, 1);
    return options;
}

}  // namespace

nghttp2_session* makeSession(Session& owner) {
    static nghttp2_session_callbacks* const callbacks = Session::Callbacks::make();
    static nghttp2_option* const options = makeOptions();
    nghttp2_session* session = nullptr;
    if (nghttp2_session_server_new2(&session, callbacks, &owner, options) != 0) {
        throw std::bad_alloc();
    }
    return session;
}

nghttp2_data_provider dataProvider(KithCall& call) {
    nghttp2_data_provider provider{};
    provider.source.ptr = &call;
    provider.read_callback = Session::Callbacks::pull;
    return provider;
}

}  // namespace kith
