// Codes with AVX-512: VNNI for products of bytes, 64-byte shuffles for lookups.
#if defined(__x86_64__)
#include "Codes.h"
#include "Elements.h"
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma,f16c,popcnt,bmi2,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#define OPERATION static inline __attribute__((always_inline)) TARGET
#define TABLE kith_codes_avx512

#include "BitCountAVX512.h"

// The numbers of a group as bytes.
OPERATION __m512i numbers_in_group(int bits, const uint8_t *group) {
    if (bits == 8) return _mm512_loadu_si512(group);
    __m512i numbers = _mm512_setzero_si512();
    if (bits & 4) {
        const __m512i plane = _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *)group));
        numbers = _mm512_and_si512(_mm512_mask_srli_epi16(plane, 0xffff0000, plane, 4), _mm512_set1_epi8(15));
        group += 32;
    }
    if (bits & 2) {
        const __m512i plane = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)group));
        const __m512i places = _mm512_setr_epi32(0, 0, 0, 0, 2, 2, 2, 2, 4, 4, 4, 4, 6, 6, 6, 6);
        const __m512i part = _mm512_and_si512(_mm512_srlv_epi32(plane, places), _mm512_set1_epi8(3));
        numbers = bits & 4 ? _mm512_or_si512(_mm512_slli_epi16(numbers, 2), part) : part;
        group += 16;
    }
    if (bits & 1) {
        const __m512i ones = _mm512_set1_epi8(1);
        const __mmask64 set = _cvtu64_mask64(read_u64(group));
        numbers = bits == 1 ? _mm512_maskz_mov_epi8(set, ones)
                            : _mm512_or_si512(_mm512_slli_epi16(numbers, 1), _mm512_maskz_mov_epi8(set, ones));
    }
    return numbers;
}

OPERATION int32_t packed_sum(int bits, const int8_t *query, const uint8_t *payload, size_t count) {
    __m512i a = _mm512_setzero_si512(), b = a;
    size_t first = 0;
    for (; first + 2 * KITH_CODES_GROUP <= count; first += 2 * KITH_CODES_GROUP, payload += 16 * bits) {
        a = _mm512_dpbusd_epi32(a, numbers_in_group(bits, payload), _mm512_loadu_si512(query + first));
        b = _mm512_dpbusd_epi32(b, numbers_in_group(bits, payload + 8 * bits), _mm512_loadu_si512(query + first + KITH_CODES_GROUP));
    }
    if (first < count) a = _mm512_dpbusd_epi32(a, numbers_in_group(bits, payload), _mm512_loadu_si512(query + first));
    return _mm512_reduce_add_epi32(_mm512_add_epi32(a, b));
}

OPERATION size_t differing_bits(const uint8_t *query, const uint8_t *payload, size_t bytes) {
    __m512i count = _mm512_setzero_si512();
    for (; bytes >= 64; bytes -= 64, query += 64, payload += 64) {
        count = _mm512_add_epi64(
            count, count_lane_bits(_mm512_xor_si512(_mm512_loadu_si512(query), _mm512_loadu_si512(payload))));
    }
    const __mmask8 left = (__mmask8)_bzhi_u32(0xff, (uint32_t)(bytes / 8));
    count = _mm512_add_epi64(count, count_lane_bits(_mm512_xor_si512(
                                        _mm512_maskz_loadu_epi64(left, query), _mm512_maskz_loadu_epi64(left, payload))));
    return (size_t)_mm512_reduce_add_epi64(count);
}

// Lookups of 32 codes, in each half those of every other byte of payload, in 16-bit lanes: the even codes' in `all` mixed with
// 256 times the odd ones', which `odd` has alone.
typedef struct { __m512i all, odd; } lookups;

OPERATION lookups add_lookup(lookups sums, __m512i found) {
    sums.all = _mm512_add_epi16(sums.all, found);
    sums.odd = _mm512_add_epi16(sums.odd, _mm512_srli_epi16(found, 8));
    return sums;
}

OPERATION lookups add_line(lookups sums, const uint8_t *lookup, __m512i codes) {
    const __m512i mask = _mm512_set1_epi8(15);
    sums = add_lookup(sums, _mm512_shuffle_epi8(_mm512_loadu_si512(lookup), _mm512_and_si512(codes, mask)));
    return add_lookup(
        sums, _mm512_shuffle_epi8(_mm512_loadu_si512(lookup + 64), _mm512_and_si512(_mm512_srli_epi16(codes, 4), mask)));
}

OPERATION void empty_lookups(lookups sums, uint32_t *out) {
    const __m512i even = _mm512_sub_epi16(sums.all, _mm512_slli_epi16(sums.odd, 8));
    // 16 even codes, 16 odd ones; both halves added, before which no lane has more than 128 * 2 * 255.
    const __m512i evens = _mm512_add_epi32(_mm512_cvtepu16_epi32(_mm512_castsi512_si256(even)),
                                           _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(even, 1)));
    const __m512i odds = _mm512_add_epi32(_mm512_cvtepu16_epi32(_mm512_castsi512_si256(sums.odd)),
                                          _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(sums.odd, 1)));
    const __m512i first = _mm512_permutex2var_epi32(
        evens, _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), odds);
    const __m512i second = _mm512_permutex2var_epi32(
        evens, _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), odds);
    _mm512_storeu_si512(out, _mm512_add_epi32(_mm512_loadu_si512(out), first));
    _mm512_storeu_si512(out + 16, _mm512_add_epi32(_mm512_loadu_si512(out + 16), second));
}

OPERATION void lookup_sums(const uint8_t *lookup, const uint8_t *payload, size_t bytes, uint32_t *out) {
    memset(out, 0, KITH_CODES_BLOCK * sizeof *out);
    size_t lines = bytes / 2;
    while (lines > 0) {
        lookups sums = {_mm512_setzero_si512(), _mm512_setzero_si512()};
        const size_t some = lines < LOOKUP_LINES ? lines : LOOKUP_LINES;
        for (size_t line = 0; line < some; line++, payload += 64, lookup += LOOKUP_BYTES) {
            sums = add_line(sums, lookup, _mm512_loadu_si512(payload));
        }
        empty_lookups(sums, out);
        lines -= some;
    }
    if (bytes % 2) {
        lookups sums = {_mm512_setzero_si512(), _mm512_setzero_si512()};
        // The upper half looks up code 0 of parts that are not there, whose tables are zero.
        empty_lookups(add_line(sums, lookup, _mm512_zextsi256_si512(_mm256_loadu_si256((const __m256i *)payload))), out);
    }
}

#include "CodesLoops.h"
#endif
