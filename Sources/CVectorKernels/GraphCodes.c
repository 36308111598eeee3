// What records hold of a vector: the row itself, or a scale of its own with 8 or 4 bits a component (locally adaptive
// quantization, Aguerrebere et al., arXiv 2304.04759, without the centring).
#include "CVectorKernels.h"
#include "Elements.h"
#include "Kernels.h"
#include <math.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Signed bytes of a query reach from -127 to 127; bytes of codes from 0 to 255, or 15.
enum { QUERY_LEVELS = 254, QUERY_MIDDLE = 127, NODE_MIDDLE = 128 };
// Query bytes are padded to whole vectors, so that no code needs a masked tail on the query's side.
enum { PADDING = 64 };

static inline const uint8_t *code_of(const kith_records *records, uint32_t node) {
    return records->base + (size_t)node * records->stride;
}

static inline const kith_node_factors *factors_of(const kith_records *records, uint32_t node) {
    return (const kith_node_factors *)(code_of(records, node) + records->factors_offset);
}

size_t kith_node_bytes(uint8_t code, uint8_t element, size_t dimension) {
    switch (code) {
    case KITH_CODE_SCALAR8: return dimension;
    case KITH_CODE_SCALAR4: return (dimension + 1) / 2;
    default: return vector_size(element, dimension);
    }
}

size_t kith_node_query_bytes(uint8_t code, size_t dimension) {
    return code == KITH_CODE_FULL ? 0 : (dimension + 1 + PADDING) / PADDING * PADDING + PADDING;
}

// MARK: Comparing

static void full_distances(const kith_records *records, const kith_node_query *query, const uint32_t *nodes, size_t count,
                           float *out) {
    for (size_t i = 0; i < count; i++) {
        out[i] = records->distance(query->vector, code_of(records, nodes[i]), records->dimension, query->scale);
    }
}

// The distance that the sum of byte products means.
static inline float scalar_distance(uint8_t metric, const kith_node_query *query, const kith_node_factors *factors, int32_t sum) {
    const float dot = factors->lowest * query->sum + factors->total * query->middle + factors->step * query->step * (float)sum;
    switch (metric) {
    case KITH_L2: return query->square + factors->square - 2 * dot;
    case KITH_COSINE: return 1 - dot;
    default: return -dot;
    }
}

// A query for 4-bit codes has the components of the low halves first, then those of the high halves.
static inline size_t half(size_t dimension) { return (dimension + 1) / 2; }

static inline __attribute__((always_inline)) int32_t plain_sum8(const int8_t *query, const uint8_t *code, size_t dimension) {
    int32_t sum = 0;
    for (size_t i = 0; i < dimension; i++) sum += query[i] * code[i];
    return sum;
}

static inline __attribute__((always_inline)) int32_t plain_sum4(const int8_t *query, const uint8_t *code, size_t dimension) {
    int32_t sum = 0;
    const size_t bytes = half(dimension);
    for (size_t i = 0; i < bytes; i++) sum += query[i] * (code[i] & 15) + query[bytes + i] * (code[i] >> 4);
    return sum;
}

#define DEFINE_DISTANCES(name, attributes, product) \
    static attributes void name(const kith_records *records, const kith_node_query *query, const uint32_t *nodes, size_t count, \
                                float *out) { \
        for (size_t i = 0; i < count; i++) { \
            const int32_t sum = product(query->vector, code_of(records, nodes[i]), records->dimension); \
            out[i] = scalar_distance(records->metric, query, factors_of(records, nodes[i]), sum); \
        } \
    }

DEFINE_DISTANCES(scalar8_plain, , plain_sum8)
DEFINE_DISTANCES(scalar4_plain, , plain_sum4)

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2,fma")))
#define AVX512 __attribute__((target("avx2,fma,bmi2,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))

DEFINE_DISTANCES(scalar8_avx2, AVX2, plain_sum8)
DEFINE_DISTANCES(scalar4_avx2, AVX2, plain_sum4)

// Of four lanes as many as are left.
static inline __attribute__((always_inline)) __mmask8 first_lanes(size_t left) {
    return left < 4 ? (__mmask8)((1u << left) - 1) : 0xF;
}

// The sums of the lanes of four.
static inline __attribute__((always_inline)) AVX512 __m128i four_sums(const __m512i of[4]) {
    const __m512i first = _mm512_add_epi32(_mm512_unpacklo_epi32(of[0], of[1]), _mm512_unpackhi_epi32(of[0], of[1]));
    const __m512i second = _mm512_add_epi32(_mm512_unpacklo_epi32(of[2], of[3]), _mm512_unpackhi_epi32(of[2], of[3]));
    const __m512i all = _mm512_add_epi32(_mm512_unpacklo_epi64(first, second), _mm512_unpackhi_epi64(first, second));
    const __m256i halves = _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
    return _mm_add_epi32(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1));
}

// `scalar_distance` of four.
static inline __attribute__((always_inline)) AVX512 __m128 four_distances(
    uint8_t metric, const kith_node_query *query, const kith_node_factors *const factors[4], __m128i sums) {
    __m128 lowest = _mm_loadu_ps(&factors[0]->lowest), step = _mm_loadu_ps(&factors[1]->lowest);
    __m128 total = _mm_loadu_ps(&factors[2]->lowest), square = _mm_loadu_ps(&factors[3]->lowest);
    _MM_TRANSPOSE4_PS(lowest, step, total, square);
    const __m128 constant = _mm_fmadd_ps(lowest, _mm_set1_ps(query->sum), _mm_mul_ps(total, _mm_set1_ps(query->middle)));
    const __m128 dot = _mm_fmadd_ps(_mm_mul_ps(step, _mm_set1_ps(query->step)), _mm_cvtepi32_ps(sums), constant);
    switch (metric) {
    case KITH_L2: return _mm_fnmadd_ps(_mm_set1_ps(2), dot, _mm_add_ps(_mm_set1_ps(query->square), square));
    case KITH_COSINE: return _mm_sub_ps(_mm_set1_ps(1), dot);
    default: return _mm_sub_ps(_mm_setzero_ps(), dot);
    }
}

// Adds what 64 bytes of a code give. Where a byte is two components, `high` is the query's part for the high halves.
static inline __attribute__((always_inline)) AVX512 __m512i add_products(__m512i sum, __m512i code, __m512i low, __m512i high,
                                                                         bool halves) {
    if (!halves) return _mm512_dpbusd_epi32(sum, code, low);
    const __m512i low_half = _mm512_set1_epi8(15);
    sum = _mm512_dpbusd_epi32(sum, _mm512_and_si512(code, low_half), low);
    return _mm512_dpbusd_epi32(sum, _mm512_and_si512(_mm512_srli_epi16(code, 4), low_half), high);
}

// Four nodes at a time: the query is loaded, and lanes are summed, once for all. The last node stands in for those that lack.
static inline __attribute__((always_inline)) AVX512 void vnni_distances(
    const kith_records *records, const kith_node_query *query, const uint32_t *nodes, size_t count, float *out, bool halves) {
    const size_t bytes = halves ? half(records->dimension) : records->dimension;
    const __mmask64 rest = _bzhi_u64(~0ULL, (uint32_t)(bytes % 64));
    const int8_t *low = query->vector, *high = low + (halves ? bytes : 0);
    for (size_t i = 0; i < count; i += 4) {
        const uint8_t *codes[4];
        const kith_node_factors *factors[4];
        __m512i sums[4];
        for (size_t k = 0; k < 4; k++) {
            const uint32_t node = nodes[i + k < count ? i + k : count - 1];
            codes[k] = code_of(records, node);
            factors[k] = factors_of(records, node);
            sums[k] = _mm512_setzero_si512();
        }
        size_t at = 0;
        for (; at + 64 <= bytes; at += 64) {
            const __m512i a = _mm512_loadu_si512(low + at), b = _mm512_loadu_si512(high + at);
            for (size_t k = 0; k < 4; k++) sums[k] = add_products(sums[k], _mm512_loadu_si512(codes[k] + at), a, b, halves);
        }
        if (rest != 0) {
            const __m512i a = _mm512_loadu_si512(low + at), b = _mm512_loadu_si512(high + at);
            for (size_t k = 0; k < 4; k++) {
                sums[k] = add_products(sums[k], _mm512_maskz_loadu_epi8(rest, codes[k] + at), a, b, halves);
            }
        }
        const __m128 distances = four_distances(records->metric, query, factors, four_sums(sums));
        _mm_mask_storeu_ps(out + i, first_lanes(count - i), distances);
    }
}

static AVX512 void scalar8_avx512(const kith_records *records, const kith_node_query *query, const uint32_t *nodes, size_t count,
                                  float *out) {
    vnni_distances(records, query, nodes, count, out, false);
}

static AVX512 void scalar4_avx512(const kith_records *records, const kith_node_query *query, const uint32_t *nodes, size_t count,
                                  float *out) {
    vnni_distances(records, query, nodes, count, out, true);
}

// Squared L2 of bytes, the row itself, four at a time: differences as 16 bits, squared and added in pairs.
static AVX512 void bytes_l2_avx512(const kith_records *records, const kith_node_query *query, const uint32_t *nodes, size_t count,
                                   float *out) {
    const size_t dimension = records->dimension;
    const uint8_t *with = query->vector;
    for (size_t i = 0; i < count; i += 4) {
        const uint8_t *rows[4];
        __m512i sums[4];
        for (size_t k = 0; k < 4; k++) {
            rows[k] = code_of(records, nodes[i + k < count ? i + k : count - 1]);
            sums[k] = _mm512_setzero_si512();
        }
        for (size_t at = 0; at < dimension; at += 32) {
            const __m512i part = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const void *)(with + at)));
            for (size_t k = 0; k < 4; k++) {
                const __m512i row = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const void *)(rows[k] + at)));
                const __m512i difference = _mm512_sub_epi16(part, row);
                sums[k] = _mm512_dpwssd_epi32(sums[k], difference, difference);
            }
        }
        _mm_mask_storeu_ps(out + i, first_lanes(count - i), _mm_cvtepi32_ps(four_sums(sums)));
    }
}
#endif

bool kith_records_bind(kith_records *records, uint8_t element,
                       float (*distance)(const void *query, const void *row, size_t dimension, float scale)) {
    const kith_kernel *kernel = kith_kernel_for(element, records->metric);
    if (kernel == NULL) return false;
    const uint8_t level = kith_simd_active();
    records->distance = distance == NULL ? kernel->distance : distance;
    records->compared_bytes = records->code_bytes;
    if (records->code == KITH_CODE_FULL) {
        records->distances = full_distances;
#if defined(__x86_64__)
        // Longer ones would overflow 32 bits.
        const bool whole = distance == NULL && records->dimension % 64 == 0 && records->dimension <= 16384;
        if (level == KITH_SIMD_AVX512 && element == KITH_UINT8 && records->metric == KITH_L2 && whole) {
            records->distances = bytes_l2_avx512;
        }
#endif
        return true;
    }
    if (element == KITH_BINARY || (records->metric != KITH_L2 && records->metric != KITH_COSINE && records->metric != KITH_DOT)) {
        return false;
    }
    records->compared_bytes = records->factors_offset + (uint32_t)sizeof(kith_node_factors);
    const bool eight = records->code == KITH_CODE_SCALAR8;
    records->distances = eight ? scalar8_plain : scalar4_plain;
#if defined(__x86_64__)
    if (level == KITH_SIMD_AVX2) records->distances = eight ? scalar8_avx2 : scalar4_avx2;
    if (level == KITH_SIMD_AVX512) records->distances = eight ? scalar8_avx512 : scalar4_avx512;
#endif
    return true;
}

// MARK: Making

// The components, of length one for cosine.
static void take_components(const kith_records *records, uint8_t element, const void *row, float *components) {
    if (element == KITH_FLOAT32) memcpy(components, row, records->dimension * sizeof(float));
    else kith_vector_widen(element, row, records->dimension, components);
    if (records->metric != KITH_COSINE) return;
    const float scale = kith_query_scale(element, KITH_COSINE, row, records->dimension);
    for (size_t i = 0; i < records->dimension; i++) components[i] *= scale;
}

// Least and greatest, in lanes that the compiler keeps in one register.
static void find_range(const float *components, size_t dimension, float *lowest, float *highest) {
    enum { LANES = 16 };
    float low[LANES], high[LANES];
    for (int lane = 0; lane < LANES; lane++) low[lane] = high[lane] = components[0];
    size_t i = 0;
    for (; i + LANES <= dimension; i += LANES) {
        for (int lane = 0; lane < LANES; lane++) {
            const float value = components[i + lane];
            low[lane] = value < low[lane] ? value : low[lane];
            high[lane] = value > high[lane] ? value : high[lane];
        }
    }
    for (; i < dimension; i++) {
        low[0] = components[i] < low[0] ? components[i] : low[0];
        high[0] = components[i] > high[0] ? components[i] : high[0];
    }
    for (int lane = 1; lane < LANES; lane++) {
        low[0] = low[lane] < low[0] ? low[lane] : low[0];
        high[0] = high[lane] > high[0] ? high[lane] : high[0];
    }
    *lowest = low[0];
    *highest = high[0];
}

// The nearest level of 0 ... levels. Written so that NaN, which an overflowing range brings, is zero.
static inline int level_of(float component, float lowest, float inverse, float levels) {
    float scaled = (component - lowest) * inverse;
    scaled = scaled > 0 ? scaled : 0;
    scaled = scaled < levels ? scaled : levels;
    return (int)(scaled + 0.5f);
}

void kith_node_encode(const kith_records *records, uint8_t element, const void *row, float *components, uint8_t *code,
                      kith_node_factors *factors) {
    const size_t dimension = records->dimension;
    if (records->code == KITH_CODE_FULL) {
        memcpy(code, row, records->code_bytes);
        *factors = (kith_node_factors){0, 0, 0, kith_query_scale(element, records->metric, row, dimension)};
        if (records->metric == KITH_DOT) factors->square = -records->distance(row, row, dimension, 1);
        return;
    }
    take_components(records, element, row, components);
    const int levels = records->code == KITH_CODE_SCALAR8 ? 255 : 15;
    float lowest, highest;
    find_range(components, dimension, &lowest, &highest);
    const float step = (highest - lowest) / (float)levels, inverse = step > 0 ? 1 / step : 0;
    // Of 65,536 components both stay below 2^32.
    uint32_t total = 0, squares = 0;
    if (levels == 15) memset(code, 0, half(dimension));
    for (size_t i = 0; i < dimension; i++) {
        const uint32_t level = (uint32_t)level_of(components[i], lowest, inverse, (float)levels);
        if (levels == 255) code[i] = (uint8_t)level;
        else code[i < half(dimension) ? i : i - half(dimension)] |= (uint8_t)(i < half(dimension) ? level : level << 4);
        total += level;
        squares += level * level;
    }
    factors->lowest = lowest;
    factors->step = step;
    factors->total = step * (float)total;
    factors->square = (float)((double)dimension * lowest * lowest + 2.0 * lowest * step * (double)total +
                              (double)step * step * (double)squares);
}

kith_node_query kith_node_query_of_row(const kith_records *records, uint8_t element, const void *row, float *components,
                                       int8_t *bytes) {
    const size_t dimension = records->dimension;
    if (records->code == KITH_CODE_FULL) {
        return (kith_node_query){.vector = row, .scale = kith_query_scale(element, records->metric, row, dimension)};
    }
    take_components(records, element, row, components);
    float lowest, highest;
    find_range(components, dimension, &lowest, &highest);
    const float step = (highest - lowest) / QUERY_LEVELS, inverse = step > 0 ? 1 / step : 0;
    const float middle = lowest + QUERY_MIDDLE * step;
    const size_t room = kith_node_query_bytes(records->code, dimension);
    memset(bytes + dimension, 0, room - dimension);
    int32_t total = 0, squares = 0;
    for (size_t i = 0; i < dimension; i++) {
        const int32_t level = level_of(components[i], lowest, inverse, QUERY_LEVELS) - QUERY_MIDDLE;
        bytes[i] = (int8_t)level;
        total += level;
        squares += level * level;
    }
    return (kith_node_query){
        .vector = bytes, .middle = middle, .step = step, .sum = (float)((double)dimension * middle + (double)step * (double)total),
        .square = (float)((double)dimension * middle * middle + 2.0 * middle * step * (double)total +
                          (double)step * step * (double)squares)};
}

kith_node_query kith_node_query_of_node(const kith_records *records, uint32_t node, int8_t *bytes) {
    const uint8_t *code = code_of(records, node);
    const kith_node_factors *factors = factors_of(records, node);
    const size_t dimension = records->dimension;
    if (records->code == KITH_CODE_FULL) {
        return (kith_node_query){.vector = code, .scale = factors->square, .square = factors->square};
    }
    kith_node_query query = {
        .vector = bytes, .middle = factors->lowest, .step = factors->step,
        .sum = (float)dimension * factors->lowest + factors->total, .square = factors->square};
    if (records->code == KITH_CODE_SCALAR8) {
        for (size_t i = 0; i < dimension; i++) bytes[i] = (int8_t)(code[i] ^ 0x80);
        query.middle += NODE_MIDDLE * factors->step;
    } else {
        const size_t count = half(dimension);
        for (size_t i = 0; i < count; i++) {
            bytes[i] = (int8_t)(code[i] & 15);
            bytes[count + i] = (int8_t)(code[i] >> 4);
        }
    }
    return query;
}

// MARK: Bounds

// A vector and what its code stands for are at most this far apart: half a step in every component.
static inline float farthest_rounded(float step, size_t dimension) { return 0.5f * step * sqrtf((float)dimension); }

void kith_node_least_distances(const kith_records *records, const kith_node_query *query, const uint32_t *nodes, size_t count,
                               float *distances) {
    // Of the squares that a distance is the difference of, in float32.
    const float precision = 4e-6f;
    const float query_error = farthest_rounded(query->step, records->dimension), query_length = sqrtf(query->square);
    for (size_t i = 0; i < count; i++) {
        const kith_node_factors *factors = factors_of(records, nodes[i]);
        const float error = farthest_rounded(factors->step, records->dimension), length = sqrtf(factors->square);
        if (records->metric == KITH_L2) {
            const float least = sqrtf(distances[i] > 0 ? distances[i] : 0) - (error + query_error);
            distances[i] = (least > 0 ? least * least : 0) - precision * (query->square + factors->square);
        } else {
            const float lengths = query_length * length;
            distances[i] -= (query_length + query_error) * error + length * query_error + precision * lengths;
        }
    }
}
