// AVX-512 as Cascade Lake, Ice Lake and Zen 4 have it: masked tails, VNNI for whole numbers.
#if defined(__x86_64__)
#include "Elements.h"
#include "Kernels.h"
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma,f16c,popcnt,bmi2,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#define OPERATION static inline __attribute__((always_inline)) TARGET
#define TABLE kith_kernels_avx512

#include "BitCountAVX512.h"

typedef float floats __attribute__((vector_size(64)));
typedef int16_t shorts __attribute__((vector_size(64)));
typedef int32_t sums __attribute__((vector_size(64)));
enum { FLOATS = 16, SHORTS = 32 };

OPERATION floats load_floats(int element, const uint8_t *at) {
    switch (element) {
    case KITH_FLOAT32: return _mm512_loadu_ps(at);
    case KITH_FLOAT16: return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)at));
    default: return (floats)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)at)), 16);
    }
}

OPERATION floats load_some_floats(int element, const uint8_t *at, size_t count) {
    const __mmask16 mask = (__mmask16)_bzhi_u32(0xffff, (uint32_t)count);
    switch (element) {
    case KITH_FLOAT32: return _mm512_maskz_loadu_ps(mask, at);
    case KITH_FLOAT16: return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, at));
    default: return (floats)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, at)), 16);
    }
}

OPERATION float sum_floats(floats v) { return _mm512_reduce_add_ps(v); }

OPERATION shorts load_shorts(int element, const uint8_t *at) {
    const __m256i bytes = _mm256_loadu_si256((const __m256i *)at);
    return (shorts)(element == KITH_INT8 ? _mm512_cvtepi8_epi16(bytes) : _mm512_cvtepu8_epi16(bytes));
}

OPERATION shorts load_some_shorts(int element, const uint8_t *at, size_t count) {
    const __m256i bytes = _mm256_maskz_loadu_epi8(_bzhi_u32(0xffffffff, (uint32_t)count), at);
    return (shorts)(element == KITH_INT8 ? _mm512_cvtepi8_epi16(bytes) : _mm512_cvtepu8_epi16(bytes));
}

OPERATION sums multiply_add(sums sum, shorts a, shorts b) {
    return (sums)_mm512_dpwssd_epi32((__m512i)sum, (__m512i)a, (__m512i)b);
}

OPERATION int64_t total_sums(sums v) {
    const __m512i wide = _mm512_add_epi64(
        _mm512_cvtepi32_epi64(_mm512_castsi512_si256((__m512i)v)),
        _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64((__m512i)v, 1)));
    return _mm512_reduce_add_epi64(wide);
}

OPERATION __m512i combine_wide(int operation, __m512i a, __m512i b) {
    switch (operation) {
    case BITS_DIFFERING: return a ^ b;
    case BITS_IN_BOTH: return a & b;
    default: return a | b;
    }
}

OPERATION uint64_t count_bits(int operation, const uint8_t *query, const uint8_t *row, size_t bytes) {
    __m512i count = _mm512_setzero_si512();
    for (; bytes >= 64; bytes -= 64, query += 64, row += 64) {
        count += count_lane_bits(combine_wide(operation, _mm512_loadu_si512(query), _mm512_loadu_si512(row)));
    }
    if (bytes > 0) {
        const __mmask64 mask = _bzhi_u64(~0ULL, (uint32_t)bytes);
        count += count_lane_bits(
            combine_wide(operation, _mm512_maskz_loadu_epi8(mask, query), _mm512_maskz_loadu_epi8(mask, row)));
    }
    return (uint64_t)_mm512_reduce_add_epi64(count);
}

#include "Loops.h"

#define PANEL kith_panel_avx512
enum { PANEL_ROWS = 12 };

OPERATION uint32_t lanes_not_above(floats a, floats limit) { return _mm512_cmp_ps_mask(a, limit, _CMP_NGT_UQ); }

#include "PanelLoops.h"
#endif
