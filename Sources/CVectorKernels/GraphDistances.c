// Distances to nodes' codes one at a time, without an instruction set.
#include "GraphDistances.h"
#include "Kernels.h"

void kith_full_distances(const kith_records *records, const kith_node_query *query, const uint32_t *nodes, size_t count,
                         float *out) {
    for (size_t i = 0; i < count; i++) {
        out[i] = records->distance(query->vector, code_of(records, nodes[i]), records->dimension, query->scale);
    }
}

// The distance that the sum of byte products means.
static float scalar_distance(uint8_t metric, const kith_node_query *query, const kith_node_factors *factors, int32_t sum) {
    const float dot = factors->lowest * query->sum + factors->total * query->middle + factors->step * query->step * (float)sum;
    switch (metric) {
    case KITH_L2: return query->square + factors->square - 2 * dot;
    case KITH_COSINE: return 1 - dot;
    default: return -dot;
    }
}

static void scalar8_distances(const kith_records *records, const kith_node_query *query, const uint32_t *nodes, size_t count,
                              float *out) {
    const int8_t *components = query->vector;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *code = code_of(records, nodes[i]);
        int32_t sum = 0;
        for (size_t j = 0; j < records->dimension; j++) sum += components[j] * code[j];
        out[i] = scalar_distance(records->metric, query, factors_of(records, nodes[i]), sum);
    }
}

static void scalar4_distances(const kith_records *records, const kith_node_query *query, const uint32_t *nodes, size_t count,
                              float *out) {
    const size_t bytes = half(records->dimension);
    const int8_t *low = query->vector, *high = low + bytes;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *code = code_of(records, nodes[i]);
        int32_t sum = 0;
        for (size_t j = 0; j < bytes; j++) sum += low[j] * (code[j] & 15) + high[j] * (code[j] >> 4);
        out[i] = scalar_distance(records->metric, query, factors_of(records, nodes[i]), sum);
    }
}

const kith_node_kernels kith_node_kernels_plain = {
    .scalar8 = scalar8_distances, .scalar4 = scalar4_distances, .bytes_l2 = kith_full_distances};

const kith_node_kernels *kith_node_kernels_at(uint8_t level) {
#if defined(__x86_64__)
    if (level == KITH_SIMD_AVX2) return &kith_node_kernels_avx2;
    if (level == KITH_SIMD_AVX512) return &kith_node_kernels_avx512;
#else
    (void)level;
#endif
    return &kith_node_kernels_plain;
}
