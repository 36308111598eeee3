#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "CJSON.h"
#include "Path.hpp"

namespace {

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

bool is_digit(char character) { return character >= '0' && character <= '9'; }

/// `Z`, `+hh:mm` or `-hh:mm`, in seconds.
std::optional<int64_t> of_zone(const std::string& text) {
    if (text == "Z" || text == "z") {
        return 0;
    }
    int hours = 0, minutes = 0, length = 0;
    const bool has_shape = text.size() == 6 && (text[0] == '+' || text[0] == '-') && is_digit(text[1]) && is_digit(text[4]) &&
                           std::sscanf(text.c_str() + 1, "%2d:%2d%n", &hours, &minutes, &length) == 2 && length == 5;
    if (!has_shape || hours > 23 || minutes > 59) {
        return std::nullopt;
    }
    return (text[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
}

/// RFC 3339.
Time of_text(const std::string& text) {
    constexpr size_t kWhole = 19;
    constexpr const char* kShape = "0000-00-00T00:00:00";
    if (text.size() <= kWhole || text.size() > 64) {
        return std::nullopt;
    }
    for (size_t place = 0; place < kWhole; ++place) {
        const char expected = kShape[place], found = text[place];
        if (!(expected == '0' ? is_digit(found) : found == expected || (place == 10 && (found == 't' || found == ' ')))) {
            return std::nullopt;
        }
    }
    std::tm parts{};
    std::sscanf(text.c_str(), "%4d-%2d-%2d%*c%2d:%2d:%2d", &parts.tm_year, &parts.tm_mon, &parts.tm_mday, &parts.tm_hour,
                &parts.tm_min, &parts.tm_sec);
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    const std::tm wanted = parts;
    const int64_t seconds = timegm(&parts);
    // What does not exist, such as the 30th of February, becomes another day; a leap second becomes the next minute.
    if (parts.tm_mday != wanted.tm_mday && wanted.tm_sec != 60) {
        return std::nullopt;
    }
    if (wanted.tm_mon < 0 || wanted.tm_mon > 11 || wanted.tm_hour > 23 || wanted.tm_min > 59 || wanted.tm_sec > 60) {
        return std::nullopt;
    }
    size_t end = kWhole;
    double fraction = 0;
    if (text[end] == '.') {
        const size_t begin = end++;
        while (end < text.size() && is_digit(text[end])) {
            ++end;
        }
        if (end == begin + 1) {
            return std::nullopt;
        }
        fraction = std::strtod(text.substr(begin, end - begin).c_str(), nullptr);
    }
    const auto zone = of_zone(text.substr(end));
    return zone ? Time((seconds - *zone) * 1'000'000 + static_cast<int64_t>(fraction * 1e6)) : std::nullopt;
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
