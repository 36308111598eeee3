// Counting bits 64 bytes at a time by looking up half bytes (Mula, Kurz and Lemire, arXiv 1611.07612): Cascade Lake has
// no VPOPCNTDQ, and where there is one, memory bounds both. Wants OPERATION.

#include <immintrin.h>

// The bits set in each 64-bit lane.
OPERATION __m512i count_lane_bits(__m512i bits) {
    const __m512i half_byte = _mm512_set1_epi8(15);
    const __m512i counts = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    const __m512i low = _mm512_shuffle_epi8(counts, _mm512_and_si512(bits, half_byte));
    const __m512i high = _mm512_shuffle_epi8(counts, _mm512_and_si512(_mm512_srli_epi16(bits, 4), half_byte));
    return _mm512_sad_epu8(_mm512_add_epi8(low, high), _mm512_setzero_si512());
}
