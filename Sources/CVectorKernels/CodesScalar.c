// Codes at the level every machine has.
#include "Codes.h"
#include "Elements.h"

#define TARGET
#define TABLE kith_codes_scalar
#define OPERATION static inline __attribute__((always_inline))

OPERATION int number_in_group(int bits, const uint8_t *group, size_t i) {
    if (bits == 8) return group[i];
    int number = 0;
    if (bits & 4) {
        number = group[i % 32] >> (i / 32 * 4) & 15;
        group += 32;
    }
    if (bits & 2) {
        number = number << 2 | (group[i % 16] >> (i / 16 * 2) & 3);
        group += 16;
    }
    return bits & 1 ? number << 1 | (group[i / 8] >> (i % 8) & 1) : number;
}

OPERATION int32_t packed_sum(int bits, const int8_t *query, const uint8_t *payload, size_t count) {
    int32_t sum = 0;
    for (size_t first = 0; first < count; first += KITH_CODES_GROUP, payload += 8 * bits) {
        for (size_t i = 0; i < KITH_CODES_GROUP; i++) sum += query[first + i] * number_in_group(bits, payload, i);
    }
    return sum;
}

OPERATION size_t differing_bits(const uint8_t *query, const uint8_t *payload, size_t bytes) {
    size_t count = 0;
    for (size_t i = 0; i < bytes; i += 8) count += (size_t)__builtin_popcountll(read_u64(query + i) ^ read_u64(payload + i));
    return count;
}

OPERATION void lookup_sums(const uint8_t *lookup, const uint8_t *payload, size_t bytes, uint32_t *sums) {
    memset(sums, 0, KITH_CODES_BLOCK * sizeof *sums);
    for (size_t byte = 0; byte < bytes; byte++, payload += KITH_CODES_BLOCK) {
        const uint8_t *low = lookup + byte / 2 * LOOKUP_BYTES + byte % 2 * 32, *high = low + 64;
        for (size_t i = 0; i < KITH_CODES_BLOCK; i++) sums[i] += (uint32_t)low[payload[i] & 15] + high[payload[i] >> 4];
    }
}

#include "CodesLoops.h"
