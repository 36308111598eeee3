#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "CJSON.h"
#include "Path.hpp"

namespace {

using nlohmann::json;

/// Lists stand for each of their elements.
bool matches(const json& value, const std::vector<std::string>& path, size_t depth, const json& wanted) {
    if (value.is_array()) {
        for (const auto& element : value) {
            if (matches(element, path, depth, wanted)) {
                return true;
            }
        }
        return false;
    }
    if (depth == path.size()) {
        return value == wanted;
    }
    const auto found = value.is_object() ? value.find(path[depth]) : value.end();
    return found != value.end() && matches(*found, path, depth + 1, wanted);
}

}  // namespace

bool kith_json_matches(const uint8_t* text, size_t size, const uint8_t* path, size_t path_size, const uint8_t* value,
                       size_t value_size) {
    try {
        const json payload = json::parse(text, text + size);
        const json wanted = json::parse(value, value + value_size);
        return matches(payload, kith_json::keys({reinterpret_cast<const char*>(path), path_size}), 0, wanted);
    } catch (const std::exception&) {
        return false;
    }
}

bool kith_json_is_scalar(const uint8_t* text, size_t size) {
    try {
        const json value = json::parse(text, text + size);
        return value.is_string() || value.is_number() || value.is_boolean();
    } catch (const std::exception&) {
        return false;
    }
}
