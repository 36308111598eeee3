// The level every machine has: portable vector types, which the compiler maps to SSE2, NEON or plain registers.
#include "Elements.h"
#include "Kernels.h"

#define TARGET
#define TABLE kith_kernels_scalar

typedef float floats __attribute__((vector_size(16)));
typedef int16_t shorts __attribute__((vector_size(8)));
typedef int32_t sums __attribute__((vector_size(16)));
enum { FLOATS = 4, SHORTS = 4 };

static inline floats load_floats(int element, const uint8_t *at) {
    floats result;
    if (element == KITH_FLOAT32) {
        memcpy(&result, at, sizeof result);
        return result;
    }
    for (int i = 0; i < FLOATS; i++) result[i] = component(element, at, (size_t)i);
    return result;
}

static inline floats load_some_floats(int element, const uint8_t *at, size_t count) {
    floats result = {0};
    for (size_t i = 0; i < FLOATS && i < count; i++) result[i] = component(element, at, i);
    return result;
}

static inline float sum_floats(floats v) { return (v[0] + v[1]) + (v[2] + v[3]); }

static inline shorts load_shorts(int element, const uint8_t *at) {
    shorts result;
    for (int i = 0; i < SHORTS; i++) result[i] = element == KITH_INT8 ? (int8_t)at[i] : at[i];
    return result;
}

static inline shorts load_some_shorts(int element, const uint8_t *at, size_t count) {
    shorts result = {0};
    for (size_t i = 0; i < SHORTS && i < count; i++) result[i] = element == KITH_INT8 ? (int8_t)at[i] : at[i];
    return result;
}

static inline sums multiply_add(sums sum, shorts a, shorts b) {
    return sum + __builtin_convertvector(a, sums) * __builtin_convertvector(b, sums);
}

static inline int64_t total_sums(sums v) {
    return (int64_t)v[0] + v[1] + v[2] + v[3];
}

#define count_bits count_word_bits
#include "BitCount.h"
#include "Loops.h"

#define PANEL kith_panel_scalar
enum { PANEL_ROWS = 4 };

static inline uint32_t lanes_not_above(floats a, floats limit) {
    uint32_t lanes = 0;
    for (int i = 0; i < FLOATS; i++) lanes |= (uint32_t)!(a[i] > limit[i]) << i;
    return lanes;
}

#include "PanelLoops.h"
