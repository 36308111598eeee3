// Paths of keys in payloads.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace kith_json {

/// Splits a path at its dots.
inline std::vector<std::string> keys(std::string_view path) {
    std::vector<std::string> keys;
    for (size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
        keys.emplace_back(path.substr(0, dot));
        path.remove_prefix(dot + 1);
    }
    keys.emplace_back(path);
    return keys;
}

}  // namespace kith_json
