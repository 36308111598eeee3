#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "CJSON.h"
#include "Path.hpp"

namespace {

using google::protobuf::util::TimeUtil;
using nlohmann::json;
using Time = std::optional<int64_t>;

/// Numbers below the first are seconds, below the second milliseconds, below the third microseconds: each ends in the year 5138.
constexpr double kSeconds = 1e11, kMilliseconds = 1e14, kMicroseconds = 1e17;

Time of_number(double number) {
    const double size = std::abs(number);
    if (!(size < kMicroseconds)) {
        return std::nullopt;
    }
    return std::llround(size < kSeconds ? number * 1e6 : size < kMilliseconds ? number * 1e3 : number);
}

/// RFC 3339.
Time of_text(const std::string& text) {
    google::protobuf::Timestamp time;
    if (!TimeUtil::FromString(text, &time)) {
        return std::nullopt;
    }
    return TimeUtil::TimestampToMicroseconds(time);
}

/// Of lists the latest counts.
Time latest(const json& value, const std::vector<std::string>& path, size_t depth) {
    if (value.is_array()) {
        Time found;
        for (const auto& element : value) {
            found = std::max(found, latest(element, path, depth));
        }
        return found;
    }
    if (depth == path.size()) {
        return value.is_number()   ? of_number(value.get<double>())
               : value.is_string() ? of_text(value.get_ref<const std::string&>())
                                   : std::nullopt;
    }
    const auto found = value.is_object() ? value.find(path[depth]) : value.end();
    return found != value.end() ? latest(*found, path, depth + 1) : std::nullopt;
}

}  // namespace

bool kith_json_time(const uint8_t* text, size_t size, const uint8_t* path, size_t path_size, int64_t* microseconds) {
    try {
        const json payload = json::parse(text, text + size);
        const Time time = latest(payload, kith_json::keys({reinterpret_cast<const char*>(path), path_size}), 0);
        *microseconds = time.value_or(0);
        return time.has_value();
    } catch (const std::exception&) {
        return false;
    }
}
