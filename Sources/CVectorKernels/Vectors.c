// Single vectors: norms, checks, and conversion from and to float32.
#include "Elements.h"
#include "Kernels.h"
#include <math.h>

static double dot_product(int element, const void *a, const void *b, size_t dimension) {
    double sum = 0;
    for (size_t i = 0; i < dimension; i++) sum += (double)component(element, a, i) * (double)component(element, b, i);
    return sum;
}

float kith_cosine_careful(int element, const void *query, const void *row, size_t dimension) {
    const double norms = sqrt(dot_product(element, query, query, dimension)) * sqrt(dot_product(element, row, row, dimension));
    if (norms == 0) return 1;
    const double distance = 1 - dot_product(element, query, row, dimension) / norms;
    return distance == distance ? (float)distance : INFINITY;
}

float kith_query_scale(uint8_t element, uint8_t metric, const void *query, size_t dimension) {
    if (metric != KITH_COSINE) return 1;
    // -dot of a vector with itself, by the fast kernel; the careful way where that leaves float32's range.
    const kith_kernel *dot = kith_kernel_for(element, KITH_DOT);
    const float square = dot == NULL ? 0 : -dot->distance(query, query, dimension, 1);
    if (square > 1e-30f && square < 1e30f) return 1 / sqrtf(square);
    const double norm = sqrt(dot_product(element, query, query, dimension));
    return norm == 0 ? 0 : (float)(1 / norm);
}

// Which components of `dimension` bit patterns have all exponent bits, and which have any but the sign.
#define CHECK(type, exponent, magnitude) \
    do { \
        type any = 0, bad = 0; \
        for (size_t i = 0; i < dimension; i++) { \
            type bits; \
            memcpy(&bits, bytes + i * sizeof bits, sizeof bits); \
            any |= bits & (magnitude); \
            bad |= (bits & (exponent)) == (exponent); \
        } \
        return (bad ? KITH_VECTOR_NON_FINITE : 0) | (any ? 0 : KITH_VECTOR_ZERO); \
    } while (0)

uint32_t kith_vector_check(uint8_t element, const void *data, size_t dimension) {
    const uint8_t *bytes = data;
    switch (element) {
    case KITH_FLOAT32: CHECK(uint32_t, 0x7f800000u, 0x7fffffffu);
    case KITH_FLOAT16: CHECK(uint16_t, 0x7c00, 0x7fff);
    case KITH_BFLOAT16: CHECK(uint16_t, 0x7f80, 0x7fff);
    default: break;
    }
    const size_t whole = element == KITH_BINARY ? dimension / 8 : dimension;
    uint8_t any = 0;
    for (size_t i = 0; i < whole; i++) any |= bytes[i];
    if (element == KITH_BINARY && dimension % 8 > 0) any |= bytes[whole] & ((1 << dimension % 8) - 1);
    return any ? 0 : KITH_VECTOR_ZERO;
}

static size_t narrow_to_bytes(const uint8_t *in, size_t dimension, float lowest, float highest, uint8_t *out) {
    for (size_t i = 0; i < dimension; i++) {
        const float value = read_float(in + 4 * i);
        // Written so that NaN fails too.
        if (!(value >= lowest && value <= highest && value == truncf(value))) return i;
        out[i] = (uint8_t)(int)value;
    }
    return dimension;
}

static size_t narrow_to_bits(const uint8_t *in, size_t dimension, uint8_t *out) {
    memset(out, 0, (dimension + 7) / 8);
    for (size_t i = 0; i < dimension; i++) {
        const float value = read_float(in + 4 * i);
        if (value != 0 && value != 1) return i;
        if (value == 1) out[i / 8] |= (uint8_t)(1 << i % 8);
    }
    return dimension;
}

size_t kith_vector_narrow(uint8_t element, const void *float32, size_t dimension, void *out) {
    const uint8_t *in = float32;
    uint8_t *to = out;
    switch (element) {
    case KITH_FLOAT32:
        memcpy(out, float32, dimension * 4);
        return dimension;
    case KITH_FLOAT16:
    case KITH_BFLOAT16:
        for (size_t i = 0; i < dimension; i++) {
            const float value = read_float(in + 4 * i);
            const uint16_t half = element == KITH_FLOAT16 ? float16_of_float(value) : bfloat16_of_float(value);
            memcpy(to + 2 * i, &half, sizeof half);
        }
        return dimension;
    case KITH_INT8: return narrow_to_bytes(in, dimension, -128, 127, to);
    case KITH_UINT8: return narrow_to_bytes(in, dimension, 0, 255, to);
    case KITH_BINARY: return narrow_to_bits(in, dimension, to);
    default: return 0;
    }
}

#define WIDEN(element) \
    do { \
        for (size_t i = 0; i < dimension; i++) out[i] = component(element, data, i); \
        return; \
    } while (0)

void kith_vector_widen(uint8_t element, const void *data, size_t dimension, float *out) {
    switch (element) {  // once, not for each component
    case KITH_FLOAT32: memcpy(out, data, dimension * sizeof *out); return;
    case KITH_FLOAT16: WIDEN(KITH_FLOAT16);
    case KITH_BFLOAT16: WIDEN(KITH_BFLOAT16);
    case KITH_INT8: WIDEN(KITH_INT8);
    case KITH_UINT8: WIDEN(KITH_UINT8);
    default: WIDEN(KITH_BINARY);
    }
}
