// Distances to nodes' codes with AVX-512 and VNNI: 64 products of bytes an instruction.
#if defined(__x86_64__)
#include "GraphDistances.h"
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma,bmi2,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#define OPERATION static inline __attribute__((always_inline)) TARGET
#define KERNELS kith_node_kernels_avx512

typedef __m512i lanes;
enum { LANES = 64 };

// LANES bytes of a query as `add` wants them: of 4-bit codes the components of low and of high halves; of rows those at even and at odd places, as 16 bits.
typedef struct {
    lanes first, second;
} parts;

OPERATION lanes zero(void) { return _mm512_setzero_si512(); }
OPERATION lanes load(const uint8_t *at) { return _mm512_loadu_si512(at); }
OPERATION lanes load_some(const uint8_t *at, size_t count) { return _mm512_maskz_loadu_epi8(_bzhi_u64(~0ULL, (uint32_t)count), at); }

OPERATION lanes even_bytes(lanes bytes) { return _mm512_and_si512(bytes, _mm512_set1_epi16(255)); }
OPERATION lanes odd_bytes(lanes bytes) { return _mm512_srli_epi16(bytes, 8); }

OPERATION parts prepare(int kind, lanes low, lanes high) {
    return kind == BYTES_L2 ? (parts){even_bytes(low), odd_bytes(low)} : (parts){low, high};
}

// Adds what LANES bytes of a code give.
OPERATION lanes add(int kind, lanes sum, lanes code, parts query) {
    switch (kind) {
    case SCALAR8: return _mm512_dpbusd_epi32(sum, code, query.first);
    case SCALAR4: {
        const lanes low_half = _mm512_set1_epi8(15);
        sum = _mm512_dpbusd_epi32(sum, _mm512_and_si512(code, low_half), query.first);
        return _mm512_dpbusd_epi32(sum, _mm512_and_si512(_mm512_srli_epi16(code, 4), low_half), query.second);
    }
    default: {
        const lanes even = _mm512_sub_epi16(query.first, even_bytes(code)), odd = _mm512_sub_epi16(query.second, odd_bytes(code));
        return _mm512_dpwssd_epi32(_mm512_dpwssd_epi32(sum, even, even), odd, odd);
    }
    }
}

// The sums of the lanes of four.
OPERATION __m128i four_sums(const lanes of[4]) {
    const __m512i first = _mm512_add_epi32(_mm512_unpacklo_epi32(of[0], of[1]), _mm512_unpackhi_epi32(of[0], of[1]));
    const __m512i second = _mm512_add_epi32(_mm512_unpacklo_epi32(of[2], of[3]), _mm512_unpackhi_epi32(of[2], of[3]));
    const __m512i all = _mm512_add_epi32(_mm512_unpacklo_epi64(first, second), _mm512_unpackhi_epi64(first, second));
    const __m256i halves = _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
    return _mm_add_epi32(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1));
}

#include "GraphDistanceLoops.h"
#endif
