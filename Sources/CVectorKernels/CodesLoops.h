// The loops over codes, written once. An instruction set file defines the following, then includes this file:
//
//   TARGET                              the function attribute that selects the instruction set
//   TABLE                               the name of its kernel table
//   packed_sum(bits, query, payload, count)   the sum of products of `count` components
//   differing_bits(query, payload, bytes)     bytes a multiple of 8
//   lookup_sums(lookup, payload, bytes, sums) the 32 sums of a block whose codes have `bytes` bytes of payload
//
// `bits` is a constant wherever packed_sum is inlined. Sums are whole numbers, so every level gives the same estimates, bit for bit.

#include "Codes.h"
#include "Elements.h"

#pragma STDC FP_CONTRACT OFF

#define INLINE static inline __attribute__((always_inline)) TARGET

// Gathered codes are fetched this many ahead, and at most this many bytes of each.
enum { CODES_AHEAD = 8, CODE_BYTES_AHEAD = 512 };

INLINE float estimate(const kith_code_query *query, const uint8_t *code, float product) {
    return (query->bias + read_float(code)) + read_float(code + 4) * product;
}

// MARK: Products

INLINE float table4_sum(const kith_code_query *query, const uint8_t *payload) {
    const float *table = query->data;
    float even = 0, odd = 0;
    for (size_t part = 0; part + 1 < query->count; part += 2, table += 32, payload++) {
        even += table[*payload & 15];
        odd += table[16 + (*payload >> 4)];
    }
    return query->count % 2 ? even + odd + table[*payload & 15] : even + odd;
}

INLINE float table8_sum(const kith_code_query *query, const uint8_t *payload) {
    const float *table = query->data;
    float a = 0, b = 0, c = 0, d = 0;
    size_t part = 0;
    for (; part + 3 < query->count; part += 4, table += 1024, payload += 4) {
        a += table[payload[0]];
        b += table[256 + payload[1]];
        c += table[512 + payload[2]];
        d += table[768 + payload[3]];
    }
    for (; part < query->count; part++, table += 256, payload++) a += table[*payload];
    return (a + b) + (c + d);
}

INLINE float code_estimate(int form, int bits, const kith_code_query *query, const uint8_t *code) {
    const uint8_t *payload = code + 4 * query->factors;
    switch (form) {
    case KITH_CODES_PACKED: {
        const int32_t sum = packed_sum(bits, query->data, payload, query->count);
        return estimate(query, code, query->unit * (float)sum + query->offset);
    }
    case KITH_CODES_TABLE4: return estimate(query, code, table4_sum(query, payload));
    case KITH_CODES_TABLE8: return estimate(query, code, table8_sum(query, payload));
    default: return estimate(query, code, query->unit * query->table[differing_bits(query->data, payload, query->count / 8)]);
    }
}

// MARK: Many codes

INLINE void scan_codes(int form, int bits, const kith_code_query *query, const uint8_t *first, size_t stride, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) out[i] = code_estimate(form, bits, query, first + i * stride);
}

INLINE void fetch_code(const uint8_t *code, size_t bytes) {
    for (size_t at = 0; at < bytes; at += 64) __builtin_prefetch(code + at);
}

INLINE void gather_codes(int form, int bits, const kith_code_query *query, const uint8_t *base, size_t stride, const uint32_t *slots,
                         size_t count, float *out) {
    const size_t bytes = stride < CODE_BYTES_AHEAD ? stride : CODE_BYTES_AHEAD;
    for (size_t i = 0; i < count && i < CODES_AHEAD; i++) fetch_code(base + slots[i] * stride, bytes);
    for (size_t i = 0; i < count; i++) {
        if (i + CODES_AHEAD < count) fetch_code(base + slots[i + CODES_AHEAD] * stride, bytes);
        out[i] = code_estimate(form, bits, query, base + slots[i] * stride);
    }
}

// A block that is being filled is read too: what its other codes hold meanwhile is not looked at.
static TARGET __attribute__((no_sanitize("thread"))) void scan_blocks(
    const kith_code_query *query, const void *first, size_t stride, size_t count, float *out) {
    // One bit a component makes a part of four, so both forms have four bits a part.
    const size_t parts = query->bits == 1 ? query->count / 4 : query->count;
    for (size_t block = 0; block < count; block++, out += KITH_CODES_BLOCK) {
        const uint8_t *at = (const uint8_t *)first + block * stride;
        uint32_t sums[KITH_CODES_BLOCK] __attribute__((aligned(64)));
        lookup_sums(query->lookup, at + 4 * KITH_CODES_BLOCK * query->factors, (parts + 1) / 2, sums);
        for (size_t i = 0; i < KITH_CODES_BLOCK; i++) {
            const float product = query->lookup_unit * (float)(int32_t)sums[i] + query->lookup_offset;
            out[i] = (query->bias + read_float(at + 4 * i)) + read_float(at + 4 * (KITH_CODES_BLOCK + i)) * product;
        }
    }
}

// MARK: The table

#define FOR_BITS(call) \
    switch (query->bits) { \
    case 1: call(1); break; \
    case 2: call(2); break; \
    case 3: call(3); break; \
    case 4: call(4); break; \
    case 5: call(5); break; \
    case 6: call(6); break; \
    case 7: call(7); break; \
    default: call(8); break; \
    }

static TARGET void packed_scan(const kith_code_query *query, const void *first, size_t stride, size_t count, float *out) {
#define CALL(bits) scan_codes(KITH_CODES_PACKED, bits, query, first, stride, count, out)
    FOR_BITS(CALL)
#undef CALL
}

static TARGET void packed_gather(const kith_code_query *query, const void *base, size_t stride, const uint32_t *slots, size_t count,
                                 float *out) {
#define CALL(bits) gather_codes(KITH_CODES_PACKED, bits, query, base, stride, slots, count, out)
    FOR_BITS(CALL)
#undef CALL
}

#define DEFINE(name, form) \
    static TARGET void name##_scan(const kith_code_query *query, const void *first, size_t stride, size_t count, float *out) { \
        scan_codes(form, 0, query, first, stride, count, out); \
    } \
    static TARGET void name##_gather(const kith_code_query *query, const void *base, size_t stride, const uint32_t *slots, \
                                     size_t count, float *out) { \
        gather_codes(form, 0, query, base, stride, slots, count, out); \
    }
DEFINE(table4, KITH_CODES_TABLE4)
DEFINE(table8, KITH_CODES_TABLE8)
DEFINE(signs, KITH_CODES_SIGNS)

const kith_code_table TABLE = {
    [KITH_CODES_PACKED] = {packed_scan, packed_gather, scan_blocks},
    [KITH_CODES_TABLE4] = {table4_scan, table4_gather, scan_blocks},
    [KITH_CODES_TABLE8] = {table8_scan, table8_gather, NULL},
    [KITH_CODES_SIGNS] = {signs_scan, signs_gather, NULL},
};
