// AVX2 with FMA, F16C and POPCNT: Haswell, Zen and later.
#if defined(__x86_64__)
#include "Elements.h"
#include "Kernels.h"
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma,f16c,popcnt")))
#define OPERATION static inline __attribute__((always_inline)) TARGET
#define TABLE kith_kernels_avx2

typedef float floats __attribute__((vector_size(32)));
typedef int16_t shorts __attribute__((vector_size(32)));
typedef int32_t sums __attribute__((vector_size(32)));
enum { FLOATS = 8, SHORTS = 16 };

OPERATION floats load_floats(int element, const uint8_t *at) {
    switch (element) {
    case KITH_FLOAT32: return _mm256_loadu_ps((const float *)at);
    case KITH_FLOAT16: return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)at));
    default:
        return (floats)_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)at)), 16);
    }
}

OPERATION floats load_some_floats(int element, const uint8_t *at, size_t count) {
    if (element == KITH_FLOAT32) {
        const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        return _mm256_maskload_ps((const float *)at, _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), lanes));
    }
    uint8_t padded[FLOATS * sizeof(uint16_t)] __attribute__((aligned(16))) = {0};
    memcpy(padded, at, count * element_size(element));
    return load_floats(element, padded);
}

OPERATION float sum_floats(floats v) {
    __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}

OPERATION shorts load_shorts(int element, const uint8_t *at) {
    const __m128i bytes = _mm_loadu_si128((const __m128i *)at);
    return (shorts)(element == KITH_INT8 ? _mm256_cvtepi8_epi16(bytes) : _mm256_cvtepu8_epi16(bytes));
}

OPERATION shorts load_some_shorts(int element, const uint8_t *at, size_t count) {
    uint8_t padded[SHORTS] __attribute__((aligned(16))) = {0};
    memcpy(padded, at, count);
    return load_shorts(element, padded);
}

OPERATION sums multiply_add(sums sum, shorts a, shorts b) { return sum + (sums)_mm256_madd_epi16((__m256i)a, (__m256i)b); }

OPERATION int64_t total_sums(sums v) {
    const __m256i wide = _mm256_add_epi64(
        _mm256_cvtepi32_epi64(_mm256_castsi256_si128((__m256i)v)),
        _mm256_cvtepi32_epi64(_mm256_extracti128_si256((__m256i)v, 1)));
    const __m128i half = _mm_add_epi64(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
    return _mm_cvtsi128_si64(half) + _mm_extract_epi64(half, 1);
}

#define count_bits count_word_bits
#include "BitCount.h"
#include "Loops.h"

#define PANEL kith_panel_avx2
enum { PANEL_ROWS = 6 };

OPERATION uint32_t lanes_not_above(floats a, floats limit) {
    return (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(a, limit, _CMP_NGT_UQ));
}

#include "PanelLoops.h"
#endif
