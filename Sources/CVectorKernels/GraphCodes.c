// What records hold of a vector: the row itself, or a scale of its own with 8 or 4 bits a component (locally adaptive
// quantization, Aguerrebere et al., arXiv 2304.04759, without the centring).
#include "Elements.h"
#include "GraphDistances.h"
#include "Kernels.h"
#include <math.h>
#include <string.h>

// Signed bytes of a query reach from -127 to 127; bytes of codes from 0 to 255, or 15.
enum { QUERY_LEVELS = 254, QUERY_MIDDLE = 127, NODE_MIDDLE = 128 };
// Query bytes are padded to whole vectors, so that no code needs a masked tail on the query's side.
enum { PADDING = 64 };
// Longer rows would overflow the 32 bits of a sum of squares.
enum { BYTES_L2_DIMENSIONS = 16384 };

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

bool kith_records_bind_at(uint8_t level, kith_records *records, uint8_t element,
                          float (*distance)(const void *query, const void *row, size_t dimension, float scale)) {
    const kith_kernel *kernel = kith_kernel_at(level, element, records->metric);
    if (kernel == NULL) return false;
    const kith_node_kernels *kernels = kith_node_kernels_at(level);
    records->distance = distance == NULL ? kernel->distance : distance;
    records->compared_bytes = records->code_bytes;
    if (records->code == KITH_CODE_FULL) {
        const bool l2 = distance == NULL && element == KITH_UINT8 && records->metric == KITH_L2;
        records->distances = l2 && records->dimension <= BYTES_L2_DIMENSIONS ? kernels->bytes_l2 : kith_full_distances;
        return true;
    }
    if (element == KITH_BINARY || (records->metric != KITH_L2 && records->metric != KITH_COSINE && records->metric != KITH_DOT)) {
        return false;
    }
    records->compared_bytes = records->factors_offset + (uint32_t)sizeof(kith_node_factors);
    records->distances = records->code == KITH_CODE_SCALAR8 ? kernels->scalar8 : kernels->scalar4;
    return true;
}

bool kith_records_bind(kith_records *records, uint8_t element,
                       float (*distance)(const void *query, const void *row, size_t dimension, float scale)) {
    return kith_records_bind_at(kith_simd_active(), records, element, distance);
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
