// How nghttp2 calls the session.
#pragma once
#include <nghttp2/nghttp2.h>

#include "Session.hpp"

namespace kith {

/// A server's session that calls `owner`. Throws std::bad_alloc.
nghttp2_session* makeSession(Session& owner);

/// Where nghttp2 gets the messages of a call from.
nghttp2_data_provider dataProvider(KithCall& call);

}  // namespace kith
