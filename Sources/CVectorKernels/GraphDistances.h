// Distances from a query to nodes' codes: what the instruction sets share.
#pragma once

#include "CVectorKernels.h"

typedef struct {
    kith_node_function scalar8;
    kith_node_function scalar4;
    kith_node_function bytes_l2;  // rows of unsigned bytes, squared L2
} kith_node_kernels;

// What the bytes of a code are.
enum { SCALAR8, SCALAR4, BYTES_L2 };

extern const kith_node_kernels kith_node_kernels_plain;
#if defined(__x86_64__)
extern const kith_node_kernels kith_node_kernels_avx2;
extern const kith_node_kernels kith_node_kernels_avx512;
#endif

// Those of an instruction set that is supported.
const kith_node_kernels *kith_node_kernels_at(uint8_t level);

// Rows, by the record's own function.
void kith_full_distances(const kith_records *records, const kith_node_query *query, const uint32_t *nodes, size_t count,
                         float *out);

static inline const uint8_t *code_of(const kith_records *records, uint32_t node) {
    return records->base + (size_t)node * records->stride;
}

static inline const kith_node_factors *factors_of(const kith_records *records, uint32_t node) {
    return (const kith_node_factors *)(code_of(records, node) + records->factors_offset);
}

// A query for 4-bit codes has the components of the low halves first, then those of the high halves.
static inline size_t half(size_t dimension) { return (dimension + 1) / 2; }
