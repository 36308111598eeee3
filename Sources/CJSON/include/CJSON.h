// JSON payloads: checking, merging and removing keys. C++ (nlohmann::json) behind a C header.
//
// Texts are UTF-8, not NUL-terminated. Functions never throw; a result owns its bytes until kith_json_free. Of equal keys of one
// object the last counts. Integers of 64 bits keep their value; larger ones become doubles. Functions that make results take an
// empty text for {}, read nesting up to 256 and refuse more, and write keys sorted: equal inputs give equal bytes.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

typedef enum KithJSONStatus {
    KITH_JSON_OK = 0,
    KITH_JSON_MALFORMED = 1,    // not JSON, or not UTF-8
    KITH_JSON_NOT_OBJECT = 2,   // the outermost value is not an object
    KITH_JSON_TOO_DEEP = 3,     // nested deeper than the limit
    KITH_JSON_NO_MEMORY = 4,
} KithJSONStatus;

/// Checks that the text is one JSON object nested at most `max_depth` deep. Builds nothing. `error_offset` gets the byte
/// where reading stopped if the text is malformed, else 0.
KithJSONStatus kith_json_check_object(const uint8_t *_Nullable text, size_t size, size_t max_depth, size_t *_Nonnull error_offset);

/// RFC 7396 merge patch of `patch` onto `target`.
KithJSONStatus kith_json_merge(const uint8_t *_Nullable target, size_t target_size, const uint8_t *_Nullable patch, size_t patch_size,
                               uint8_t *_Nullable *_Nonnull out, size_t *_Nonnull out_size);

/// Sets the top-level keys of `patch` in `target`, replacing whole values (a null value is stored, not a removal).
KithJSONStatus kith_json_set(const uint8_t *_Nullable target, size_t target_size, const uint8_t *_Nullable patch, size_t patch_size,
                             uint8_t *_Nullable *_Nonnull out, size_t *_Nonnull out_size);

/// Removes top-level keys. `keys` are `count` UTF-8 texts with their sizes; missing keys are no error.
KithJSONStatus kith_json_remove_keys(const uint8_t *_Nullable target, size_t target_size, const uint8_t *_Nonnull const *_Nullable keys,
                                     const size_t *_Nullable key_sizes, size_t count, uint8_t *_Nullable *_Nonnull out,
                                     size_t *_Nonnull out_size);

/// The top-level keys whose values differ between two objects, as a JSON array of sorted strings. Numbers are compared by value.
KithJSONStatus kith_json_changed_keys(const uint8_t *_Nullable before, size_t before_size, const uint8_t *_Nullable after,
                                      size_t after_size, uint8_t *_Nullable *_Nonnull out, size_t *_Nonnull out_size);

/// What becomes of a field.
typedef enum KithJSONRedactionAction {
    KITH_JSON_DROP = 1,         // it is left out
    KITH_JSON_HASH = 2,         // "hmac-sha256:<64 digits>" of its value as JSON (RFC 2104, FIPS 180-4)
    KITH_JSON_MASK = 3,         // "***"
} KithJSONRedactionAction;

typedef struct KithJSONRedaction {
    /// Keys joined by dots; lists on the way stand for each of their elements.
    const uint8_t *_Nullable path;
    size_t path_size;
    KithJSONRedactionAction action;
} KithJSONRedaction;

/// Redacts fields, those that are there; hashes are keyed with `key`.
KithJSONStatus kith_json_redact(const uint8_t *_Nullable text, size_t size, const KithJSONRedaction *_Nullable redactions, size_t count,
                                const uint8_t *_Nullable key, size_t key_size, uint8_t *_Nullable *_Nonnull out,
                                size_t *_Nonnull out_size);

/// Whether an object has a value at a path: keys joined by dots; lists on the way, or at its end, stand for each of their elements.
/// Numbers are compared by value. False where one of the texts is no JSON.
bool kith_json_matches(const uint8_t *_Nullable text, size_t size, const uint8_t *_Nullable path, size_t path_size,
                       const uint8_t *_Nullable value, size_t value_size);

/// Whether a text is a JSON text, number, true or false.
bool kith_json_is_scalar(const uint8_t *_Nullable text, size_t size);

/// The time at a path, in microseconds since 1970: RFC 3339 text, or a number of seconds, milliseconds or microseconds since 1970, told apart
/// by its size (below 1e11, 1e14, 1e17). Paths are as in kith_json_matches; of several times the latest counts. False where there is none.
bool kith_json_time(const uint8_t *_Nullable text, size_t size, const uint8_t *_Nullable path, size_t path_size,
                    int64_t *_Nonnull microseconds);

void kith_json_free(uint8_t *_Nullable bytes);

#ifdef __cplusplus
}
#endif
