// What the instruction set files and the dispatcher share.
#pragma once

#include "CVectorKernels.h"

// How `count_bits` combines two bit vectors.
enum { BITS_DIFFERING, BITS_IN_BOTH, BITS_IN_EITHER };

typedef kith_kernel kith_kernel_table[KITH_ELEMENTS][KITH_METRICS];

extern const kith_kernel_table kith_kernels_scalar;
extern const kith_panel_kernel kith_panel_scalar;
#if defined(__x86_64__)
extern const kith_kernel_table kith_kernels_avx2;
extern const kith_kernel_table kith_kernels_avx512;
extern const kith_panel_kernel kith_panel_avx2;
extern const kith_panel_kernel kith_panel_avx512;
#endif

// 1 - cosine in double precision: for norms whose squares leave the range of float32, and for zero vectors (distance 1).
float kith_cosine_careful(int element, const void *query, const void *row, size_t dimension);

// Every kernel there is: X(name, element, metric).
#define KITH_KERNELS(X) \
    X(float32_cosine, KITH_FLOAT32, KITH_COSINE) \
    X(float32_dot, KITH_FLOAT32, KITH_DOT) \
    X(float32_l2, KITH_FLOAT32, KITH_L2) \
    X(float32_l1, KITH_FLOAT32, KITH_L1) \
    X(float16_cosine, KITH_FLOAT16, KITH_COSINE) \
    X(float16_dot, KITH_FLOAT16, KITH_DOT) \
    X(float16_l2, KITH_FLOAT16, KITH_L2) \
    X(float16_l1, KITH_FLOAT16, KITH_L1) \
    X(bfloat16_cosine, KITH_BFLOAT16, KITH_COSINE) \
    X(bfloat16_dot, KITH_BFLOAT16, KITH_DOT) \
    X(bfloat16_l2, KITH_BFLOAT16, KITH_L2) \
    X(bfloat16_l1, KITH_BFLOAT16, KITH_L1) \
    X(int8_cosine, KITH_INT8, KITH_COSINE) \
    X(int8_dot, KITH_INT8, KITH_DOT) \
    X(int8_l2, KITH_INT8, KITH_L2) \
    X(int8_l1, KITH_INT8, KITH_L1) \
    X(uint8_cosine, KITH_UINT8, KITH_COSINE) \
    X(uint8_dot, KITH_UINT8, KITH_DOT) \
    X(uint8_l2, KITH_UINT8, KITH_L2) \
    X(uint8_l1, KITH_UINT8, KITH_L1) \
    X(binary_hamming, KITH_BINARY, KITH_HAMMING) \
    X(binary_jaccard, KITH_BINARY, KITH_JACCARD)
