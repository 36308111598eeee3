#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "CJSON.h"
#include "Path.hpp"

namespace {

using nlohmann::json;

struct Hash {
    const KithJSONRedaction& redaction;
    const uint8_t* key;
    size_t keySize;

    /// "hmac-sha256:" and 64 digits, over the value as JSON.
    std::string operator()(const json& value) const {
        const std::string text = value.dump();
        std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
        unsigned int size = 0;
        if (HMAC(EVP_sha256(), key, static_cast<int>(keySize), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                 digest.data(), &size) == nullptr) {
            throw std::bad_alloc();
        }
        constexpr char digits[] = "0123456789abcdef";
        std::string result = "hmac-sha256:";
        for (unsigned int index = 0; index < size; ++index) {
            result += digits[digest[index] >> 4];
            result += digits[digest[index] & 0xF];
        }
        return result;
    }
};

void redact(json& value, const std::vector<std::string>& path, size_t depth, const Hash& hash) {
    if (value.is_array()) {
        for (auto& element : value) {
            redact(element, path, depth, hash);
        }
        return;
    }
    const auto found = value.is_object() ? value.find(path[depth]) : value.end();
    if (found == value.end()) {
        return;
    }
    if (depth + 1 < path.size()) {
        redact(*found, path, depth + 1, hash);
        return;
    }
    switch (hash.redaction.action) {
        case KITH_JSON_HASH: *found = hash(*found); break;
        case KITH_JSON_MASK: *found = "***"; break;
        // An action that is not known hides more rather than less.
        default: value.erase(found);
    }
}

}  // namespace

KithJSONStatus kith_json_redact(const uint8_t* text, size_t size, const KithJSONRedaction* redactions, size_t count,
                                const uint8_t* key, size_t key_size, uint8_t** out, size_t* out_size) {
    *out = nullptr;
    *out_size = 0;
    try {
        json payload = json::object();
        if (size > 0) {
            size_t errorOffset = 0;
            constexpr size_t maximumDepth = 256;
            if (const auto status = kith_json_check_object(text, size, maximumDepth, &errorOffset); status != KITH_JSON_OK) {
                return status;
            }
            payload = json::parse(text, text + size);
        }
        for (size_t index = 0; index < count; ++index) {
            const auto& redaction = redactions[index];
            redact(payload, kith_json::keys({reinterpret_cast<const char*>(redaction.path), redaction.path_size}), 0, {redaction, key, key_size});
        }
        const std::string result = payload.dump();
        auto* const bytes = static_cast<uint8_t*>(std::malloc(result.size()));
        if (bytes == nullptr) {
            return KITH_JSON_NO_MEMORY;
        }
        std::memcpy(bytes, result.data(), result.size());
        *out = bytes;
        *out_size = result.size();
        return KITH_JSON_OK;
    } catch (const std::exception&) {
        return KITH_JSON_NO_MEMORY;  // the text was checked: nothing else is left to fail
    }
}
