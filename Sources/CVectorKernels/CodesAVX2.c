// Codes with AVX2: products of bytes in pairs, lookups by byte shuffles.
#if defined(__x86_64__)
#include "Codes.h"
#include "Elements.h"
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma,f16c,popcnt")))
#define OPERATION static inline __attribute__((always_inline)) TARGET
#define TABLE kith_codes_avx2

// 32 bits as 32 bytes of 0 or 1.
OPERATION __m256i spread_bits(uint32_t bits) {
    const __m256i bytes = _mm256_shuffle_epi8(
        _mm256_set1_epi32((int)bits), _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303));
    const __m256i places = _mm256_set1_epi64x((long long)0x8040201008040201);
    return _mm256_abs_epi8(_mm256_cmpeq_epi8(_mm256_and_si256(bytes, places), places));
}

// The numbers of half a group (0: components 0 to 31) as bytes.
OPERATION __m256i numbers_in_half(int bits, const uint8_t *group, int half) {
    __m256i numbers = _mm256_setzero_si256();
    if (bits & 4) {
        const __m256i plane = _mm256_loadu_si256((const __m256i *)group);
        numbers = _mm256_and_si256(half ? _mm256_srli_epi16(plane, 4) : plane, _mm256_set1_epi8(15));
        group += 32;
    }
    if (bits & 2) {
        const __m256i plane = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)group));
        const __m256i places = half ? _mm256_setr_epi32(4, 4, 4, 4, 6, 6, 6, 6) : _mm256_setr_epi32(0, 0, 0, 0, 2, 2, 2, 2);
        const __m256i part = _mm256_and_si256(_mm256_srlv_epi32(plane, places), _mm256_set1_epi8(3));
        numbers = _mm256_or_si256(_mm256_slli_epi16(numbers, 2), part);
        group += 16;
    }
    if (bits & 1) numbers = _mm256_or_si256(_mm256_slli_epi16(numbers, 1), spread_bits(read_u32(group + 4 * half)));
    return numbers;
}

OPERATION int32_t total_lanes(__m256i v) {
    __m128i half = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(half, _mm_shuffle_epi32(half, 0xb1)));
}

OPERATION int32_t packed_sum(int bits, const int8_t *query, const uint8_t *payload, size_t count) {
    __m256i a = _mm256_setzero_si256(), b = a;
    for (size_t first = 0; first < count; first += KITH_CODES_GROUP, payload += 8 * bits) {
        if (bits == 8) {
            // Products of unsigned bytes would overflow 16 bits.
            for (size_t i = 0; i < KITH_CODES_GROUP; i += 32) {
                const __m128i *row = (const __m128i *)(payload + i), *factors = (const __m128i *)(query + first + i);
                a = _mm256_add_epi32(a, _mm256_madd_epi16(_mm256_cvtepu8_epi16(_mm_loadu_si128(row)),
                                                          _mm256_cvtepi8_epi16(_mm_loadu_si128(factors))));
                b = _mm256_add_epi32(b, _mm256_madd_epi16(_mm256_cvtepu8_epi16(_mm_loadu_si128(row + 1)),
                                                          _mm256_cvtepi8_epi16(_mm_loadu_si128(factors + 1))));
            }
            continue;
        }
        const __m256i ones = _mm256_set1_epi16(1);
        const __m256i low = _mm256_maddubs_epi16(
            numbers_in_half(bits, payload, 0), _mm256_loadu_si256((const __m256i *)(query + first)));
        const __m256i high = _mm256_maddubs_epi16(
            numbers_in_half(bits, payload, 1), _mm256_loadu_si256((const __m256i *)(query + first + 32)));
        a = _mm256_add_epi32(a, _mm256_madd_epi16(low, ones));
        b = _mm256_add_epi32(b, _mm256_madd_epi16(high, ones));
    }
    return total_lanes(_mm256_add_epi32(a, b));
}

OPERATION size_t differing_bits(const uint8_t *query, const uint8_t *payload, size_t bytes) {
    size_t count = 0;
    for (size_t i = 0; i < bytes; i += 8) count += (size_t)__builtin_popcountll(read_u64(query + i) ^ read_u64(payload + i));
    return count;
}

// Lookups of 32 codes in 16-bit lanes: the even codes' in `all` mixed with 256 times the odd ones', which `odd` has alone.
typedef struct { __m256i all, odd; } lookups;

OPERATION lookups add_lookup(lookups sums, __m256i found) {
    sums.all = _mm256_add_epi16(sums.all, found);
    sums.odd = _mm256_add_epi16(sums.odd, _mm256_srli_epi16(found, 8));
    return sums;
}

OPERATION lookups add_byte(lookups sums, const uint8_t *low, __m256i codes) {
    const __m256i mask = _mm256_set1_epi8(15);
    sums = add_lookup(sums, _mm256_shuffle_epi8(_mm256_loadu_si256((const __m256i *)low), _mm256_and_si256(codes, mask)));
    return add_lookup(sums, _mm256_shuffle_epi8(_mm256_loadu_si256((const __m256i *)(low + 64)),
                                                _mm256_and_si256(_mm256_srli_epi16(codes, 4), mask)));
}

OPERATION void empty_lookups(lookups sums, uint32_t *out) {
    const __m256i odd = sums.odd, even = _mm256_sub_epi16(sums.all, _mm256_slli_epi16(odd, 8));
    const __m256i low = _mm256_unpacklo_epi16(even, odd), high = _mm256_unpackhi_epi16(even, odd), zero = _mm256_setzero_si256();
    // Lane 0 of `low` holds codes 0 to 7, lane 1 codes 16 to 23; `high` those that follow.
    const __m256i parts[4] = {
        _mm256_unpacklo_epi16(low, zero), _mm256_unpackhi_epi16(low, zero),
        _mm256_unpacklo_epi16(high, zero), _mm256_unpackhi_epi16(high, zero)};
    for (size_t i = 0; i < 4; i++) {
        __m128i *first = (__m128i *)(out + 4 * i), *second = (__m128i *)(out + 16 + 4 * i);
        _mm_storeu_si128(first, _mm_add_epi32(_mm_loadu_si128(first), _mm256_castsi256_si128(parts[i])));
        _mm_storeu_si128(second, _mm_add_epi32(_mm_loadu_si128(second), _mm256_extracti128_si256(parts[i], 1)));
    }
}

OPERATION void lookup_sums(const uint8_t *lookup, const uint8_t *payload, size_t bytes, uint32_t *out) {
    memset(out, 0, KITH_CODES_BLOCK * sizeof *out);
    for (size_t byte = 0; byte < bytes;) {
        lookups sums = {_mm256_setzero_si256(), _mm256_setzero_si256()};
        for (size_t line = 0; line < LOOKUP_LINES && byte < bytes; line++, byte++, payload += KITH_CODES_BLOCK) {
            const uint8_t *low = lookup + byte / 2 * LOOKUP_BYTES + byte % 2 * 32;
            sums = add_byte(sums, low, _mm256_loadu_si256((const __m256i *)payload));
        }
        empty_lookups(sums, out);
    }
}

#include "CodesLoops.h"
#endif
