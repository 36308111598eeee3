// Distances to nodes' codes with AVX2: products of bytes in pairs.
#if defined(__x86_64__)
#include "GraphDistances.h"
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx2,fma")))
#define OPERATION static inline __attribute__((always_inline)) TARGET
#define KERNELS kith_node_kernels_avx2

typedef __m256i lanes;
enum { LANES = 32 };

// LANES bytes of a query as `add` wants them: of 4-bit codes the components of low and of high halves, else those at even and at odd places, as 16 bits.
typedef struct {
    lanes first, second;
} parts;

OPERATION lanes zero(void) { return _mm256_setzero_si256(); }
OPERATION lanes load(const uint8_t *at) { return _mm256_loadu_si256((const __m256i *)at); }

OPERATION lanes load_some(const uint8_t *at, size_t count) {
    if (count % 4 == 0) {
        const __m256i words = _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28);
        return _mm256_maskload_epi32((const int *)at, _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), words));
    }
    uint8_t padded[LANES] __attribute__((aligned(LANES))) = {0};
    memcpy(padded, at, count);
    return load(padded);
}

OPERATION lanes even_bytes(lanes bytes) { return _mm256_and_si256(bytes, _mm256_set1_epi16(255)); }
OPERATION lanes odd_bytes(lanes bytes) { return _mm256_srli_epi16(bytes, 8); }

OPERATION parts prepare(int kind, lanes low, lanes high) {
    switch (kind) {
    case SCALAR8: return (parts){_mm256_srai_epi16(_mm256_slli_epi16(low, 8), 8), _mm256_srai_epi16(low, 8)};
    case SCALAR4: return (parts){low, high};
    default: return (parts){even_bytes(low), odd_bytes(low)};
    }
}

// Adds what LANES bytes of a code give.
OPERATION lanes add(int kind, lanes sum, lanes code, parts query) {
    if (kind == SCALAR4) {
        // Four products of half bytes stay below 2^15.
        const lanes low_half = _mm256_set1_epi8(15);
        const lanes low = _mm256_maddubs_epi16(_mm256_and_si256(code, low_half), query.first);
        const lanes high = _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(code, 4), low_half), query.second);
        return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_add_epi16(low, high), _mm256_set1_epi16(1)));
    }
    const lanes even = even_bytes(code), odd = odd_bytes(code);
    if (kind == SCALAR8) {
        return _mm256_add_epi32(sum, _mm256_add_epi32(_mm256_madd_epi16(even, query.first), _mm256_madd_epi16(odd, query.second)));
    }
    const lanes first = _mm256_sub_epi16(query.first, even), second = _mm256_sub_epi16(query.second, odd);
    return _mm256_add_epi32(sum, _mm256_add_epi32(_mm256_madd_epi16(first, first), _mm256_madd_epi16(second, second)));
}

// The sums of the lanes of four.
OPERATION __m128i four_sums(const lanes of[4]) {
    const lanes pairs = _mm256_hadd_epi32(_mm256_hadd_epi32(of[0], of[1]), _mm256_hadd_epi32(of[2], of[3]));
    return _mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1));
}

#include "GraphDistanceLoops.h"
#endif
