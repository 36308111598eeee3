// Distances between vectors, for every element type, metric and instruction set that Kith knows.
//
// All pointers may be unaligned, every dimension from 1 is allowed, and nothing is allocated or kept.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "CodeKernels.h"
#include "GraphKernels.h"
#include "PanelKernels.h"

#pragma clang assume_nonnull begin

// Element types; the values are those of the wire and of files. A binary vector has a bit a component, lowest bit first.
enum {
    KITH_FLOAT32 = 1,
    KITH_FLOAT16 = 2,
    KITH_BFLOAT16 = 3,
    KITH_INT8 = 4,
    KITH_UINT8 = 5,
    KITH_BINARY = 6,
    KITH_ELEMENTS = 7,
};

// Metrics; every distance is smaller for nearer vectors:
// 1 - cosine, -dot, squared L2, L1, differing bits, 1 - intersection / union (0 when both are empty).
enum {
    KITH_COSINE = 1,
    KITH_DOT = 2,
    KITH_L2 = 3,
    KITH_L1 = 4,
    KITH_HAMMING = 5,
    KITH_JACCARD = 6,
    KITH_METRICS = 7,
};

// Instruction sets, each containing those before it.
enum {
    KITH_SIMD_SCALAR = 0,  // plain C, at the compiler's baseline
    KITH_SIMD_AVX2 = 1,    // AVX2, FMA, F16C, POPCNT
    KITH_SIMD_AVX512 = 2,  // AVX-512 F, BW, DQ, VL, VNNI (Cascade Lake, Zen 4 and later)
    KITH_SIMD_LEVELS = 3,
};

// `scale` is what `kith_query_scale` answers for the query. A result is never NaN: overflow gives plus infinity.
typedef float (*kith_distance_function)(const void *query, const void *row, size_t dimension, float scale);

// Distances to the rows `base + slots[i] * stride`, prefetched ahead, into `out[0 ..< count]`.
typedef void (*kith_gather_function)(const void *query, const void *base, size_t stride, const uint32_t *slots,
                                     size_t count, size_t dimension, float scale, float *out);

// Distances to `count` rows that follow each other from `first`, into `out[0 ..< count]`.
typedef void (*kith_scan_function)(const void *query, const void *first, size_t stride, size_t count,
                                   size_t dimension, float scale, float *out);

typedef struct {
    kith_distance_function distance;
    kith_gather_function gather;
    kith_scan_function scan;
} kith_kernel;

// The best level of this processor, or the one the environment's KITH_SIMD (scalar, avx2, avx512) names, lowered to what
// the processor has. Decided once.
uint8_t kith_simd_active(void);

// Whether this processor (and this build) can run a level.
bool kith_simd_supported(uint8_t level);

// "scalar", "avx2", "avx512".
const char *kith_simd_name(uint8_t level);

// The active level's kernel; null when the metric does not compare that element type.
const kith_kernel *_Nullable kith_kernel_for(uint8_t element, uint8_t metric);

// A given level's kernel; null also when the level is not supported here.
const kith_kernel *_Nullable kith_kernel_at(uint8_t level, uint8_t element, uint8_t metric);

enum { KITH_CUSTOM_KERNELS = 16 };

// A kernel of a distance function of one's own; the same for the same function, null when there are KITH_CUSTOM_KERNELS already. The function
// gets `scale` as `kith_query_scale` answers it for the metric that the space names, must never answer NaN, and lasts for ever.
const kith_kernel *_Nullable kith_kernel_custom(kith_distance_function distance);

// What a kernel wants to know of its query: the inverse norm for cosine (0 for a zero vector), else 1.
float kith_query_scale(uint8_t element, uint8_t metric, const void *query, size_t dimension);

enum {
    KITH_VECTOR_NON_FINITE = 1,  // a NaN or an infinity
    KITH_VECTOR_ZERO = 2,        // every component is zero
};

// The flags above that hold for a vector.
uint32_t kith_vector_check(uint8_t element, const void *data, size_t dimension);

// Writes float32 components as another element type. Floating-point types round to nearest, ties to even, and may overflow to
// infinity; int8 and uint8 want whole numbers in range; binary wants 0 or 1.
// Answers `dimension`, or the index of the first component that has no such form (`out` is then half written).
size_t kith_vector_narrow(uint8_t element, const void *float32, size_t dimension, void *out);

// The components of a vector as float32; exact.
void kith_vector_widen(uint8_t element, const void *data, size_t dimension, float *out);

#pragma clang assume_nonnull end
