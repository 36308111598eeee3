#include "CJSON.h"

#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>

namespace {

using nlohmann::json;

/// Nesting of texts that are read into memory: their values are written and compared by recursion.
constexpr size_t maximumDepth = 256;

/// Follows the events of a reader, builds nothing, and stops it at the first violation.
class ObjectCheck final : public nlohmann::json_sax<json> {
public:
    explicit ObjectCheck(size_t maximumDepth) : maximumDepth(maximumDepth) {}

    KithJSONStatus status = KITH_JSON_OK;
    size_t errorOffset = 0;

    bool null() override { return scalar(); }
    bool boolean(bool) override { return scalar(); }
    bool number_integer(number_integer_t) override { return scalar(); }
    bool number_unsigned(number_unsigned_t) override { return scalar(); }
    bool number_float(number_float_t, const string_t&) override { return scalar(); }
    bool string(string_t&) override { return scalar(); }
    bool binary(binary_t&) override { return scalar(); }
    bool key(string_t&) override { return true; }
    bool start_object(std::size_t) override { return open(); }
    bool end_object() override { return close(); }
    bool start_array(std::size_t) override { return depth > 0 ? open() : stop(KITH_JSON_NOT_OBJECT); }
    bool end_array() override { return close(); }

    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
        // Positions count from 1, and an end too early lies one past the last byte.
        errorOffset = position == 0 ? 0 : position - 1;
        return stop(KITH_JSON_MALFORMED);
    }

private:
    const size_t maximumDepth;
    size_t depth = 0;

    bool stop(KithJSONStatus reason) {
        status = reason;
        return false;
    }

    bool scalar() { return depth > 0 || stop(KITH_JSON_NOT_OBJECT); }
    bool open() { return ++depth <= maximumDepth || stop(KITH_JSON_TOO_DEEP); }

    bool close() {
        --depth;
        return true;
    }
};

KithJSONStatus check(std::string_view text, size_t maximumDepth, size_t& errorOffset) {
    errorOffset = 0;
    // The reader would skip a byte order mark, which JSON does not have.
    if (text.substr(0, 3) == "\xEF\xBB\xBF") {
        return KITH_JSON_MALFORMED;
    }
    ObjectCheck handler(maximumDepth);
    json::sax_parse(text.begin(), text.end(), &handler);
    errorOffset = handler.errorOffset;
    return handler.status;
}

/// The object in a text; {} in an empty one.
KithJSONStatus parse(std::string_view text, json& object) {
    object = json::object();
    if (text.empty()) {
        return KITH_JSON_OK;
    }
    size_t errorOffset = 0;
    const KithJSONStatus status = check(text, maximumDepth, errorOffset);
    if (status == KITH_JSON_OK) {
        object = json::parse(text.begin(), text.end());
    }
    return status;
}

std::string_view view(const uint8_t* text, size_t size) {
    return {reinterpret_cast<const char*>(text), size};
}

KithJSONStatus write(const json& value, uint8_t** out, size_t* outSize) {
    const std::string text = value.dump();
    auto* const bytes = static_cast<uint8_t*>(std::malloc(text.size()));
    if (bytes == nullptr) {
        return KITH_JSON_NO_MEMORY;
    }
    std::memcpy(bytes, text.data(), text.size());
    *out = bytes;
    *outSize = text.size();
    return KITH_JSON_OK;
}

/// Reads two objects, lets `combine(first, second)` make a value of them, and writes that.
template <class Combine>
KithJSONStatus combined(std::string_view firstText, std::string_view secondText, uint8_t** out, size_t* outSize,
                        Combine combine) noexcept {
    *out = nullptr;
    *outSize = 0;
    try {
        json first, second;
        if (const KithJSONStatus status = parse(firstText, first); status != KITH_JSON_OK) {
            return status;
        }
        if (const KithJSONStatus status = parse(secondText, second); status != KITH_JSON_OK) {
            return status;
        }
        return write(combine(first, second), out, outSize);
    } catch (const std::exception&) {
        return KITH_JSON_NO_MEMORY;  // the texts were checked: nothing else is left to fail
    }
}

}  // namespace

KithJSONStatus kith_json_check_object(const uint8_t* text, size_t size, size_t max_depth, size_t* error_offset) {
    try {
        return check(view(text, size), max_depth, *error_offset);
    } catch (const std::exception&) {
        return KITH_JSON_NO_MEMORY;
    }
}

KithJSONStatus kith_json_merge(const uint8_t* target, size_t target_size, const uint8_t* patch, size_t patch_size, uint8_t** out,
                               size_t* out_size) {
    return combined(view(target, target_size), view(patch, patch_size), out, out_size, [](json& target, json& patch) {
        target.merge_patch(patch);
        return std::move(target);
    });
}

KithJSONStatus kith_json_set(const uint8_t* target, size_t target_size, const uint8_t* patch, size_t patch_size, uint8_t** out,
                             size_t* out_size) {
    return combined(view(target, target_size), view(patch, patch_size), out, out_size, [](json& target, json& patch) {
        target.update(patch);
        return std::move(target);
    });
}

KithJSONStatus kith_json_remove_keys(const uint8_t* target, size_t target_size, const uint8_t* const* keys,
                                     const size_t* key_sizes, size_t count, uint8_t** out, size_t* out_size) {
    return combined(view(target, target_size), {}, out, out_size, [=](json& target, json&) {
        for (size_t index = 0; index < count; ++index) {
            target.erase(std::string(view(keys[index], key_sizes[index])));
        }
        return std::move(target);
    });
}

KithJSONStatus kith_json_changed_keys(const uint8_t* before, size_t before_size, const uint8_t* after, size_t after_size,
                                      uint8_t** out, size_t* out_size) {
    return combined(view(before, before_size), view(after, after_size), out, out_size, [](json& before, json& after) {
        // Objects are sorted maps: the first keys, and then those only the second has, are put in order by the set.
        std::set<std::string> changed;
        for (const auto& [key, value] : before.items()) {
            if (const auto other = after.find(key); other == after.end() || *other != value) {
                changed.insert(key);
            }
        }
        for (const auto& [key, value] : after.items()) {
            if (!before.contains(key)) {
                changed.insert(key);
            }
        }
        return json(changed);
    });
}

void kith_json_free(uint8_t* bytes) {
    std::free(bytes);
}
