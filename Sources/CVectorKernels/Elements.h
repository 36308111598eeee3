// Single components of every element type: the conversions that the loops, the checks and the narrowing share.
#pragma once

#include "CVectorKernels.h"
#include <string.h>

static inline uint16_t read_u16(const void *at) { uint16_t value; memcpy(&value, at, sizeof value); return value; }
static inline uint32_t read_u32(const void *at) { uint32_t value; memcpy(&value, at, sizeof value); return value; }
static inline uint64_t read_u64(const void *at) { uint64_t value; memcpy(&value, at, sizeof value); return value; }
static inline float read_float(const void *at) { float value; memcpy(&value, at, sizeof value); return value; }
static inline float float_of_bits(uint32_t bits) { float value; memcpy(&value, &bits, sizeof value); return value; }
static inline uint32_t bits_of_float(float value) { uint32_t bits; memcpy(&bits, &value, sizeof bits); return bits; }

static inline float float_of_bfloat16(uint16_t half) { return float_of_bits((uint32_t)half << 16); }

static inline float float_of_float16(uint16_t half) {
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16, magnitude = half & 0x7fff;
    // The product moves the exponent's bias from 15 to 127, and makes subnormals normal on the way.
    uint32_t bits = bits_of_float(float_of_bits(magnitude << 13) * 0x1p112f);
    if (magnitude >= 0x7c00) bits |= 0x7f800000;
    return float_of_bits(sign | bits);
}

static inline uint16_t bfloat16_of_float(float value) {
    const uint32_t bits = bits_of_float(value);
    if ((bits & 0x7fffffff) > 0x7f800000) return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static inline uint16_t float16_of_float(float value) {
    const uint32_t bits = bits_of_float(value), magnitude = bits & 0x7fffffff;
    const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    if (magnitude > 0x7f800000) return sign | 0x7e00;
    if (magnitude >= 0x477ff000) return sign | 0x7c00;  // from 65,520 on, the nearest is infinity
    if (magnitude < 0x38800000) {
        // Below 2^-14 results are subnormal: the unit in the last place of 0.5 is theirs, so this addition rounds for us.
        return sign | (uint16_t)(bits_of_float(float_of_bits(magnitude) + 0.5f) - 0x3f000000);
    }
    return sign | (uint16_t)((magnitude + 0xfff + (magnitude >> 13 & 1) - 0x38000000) >> 13);
}

// Bytes of a component; binary vectors have none of their own.
static inline size_t element_size(int element) {
    switch (element) {
    case KITH_FLOAT32: return 4;
    case KITH_FLOAT16: case KITH_BFLOAT16: return 2;
    default: return 1;
    }
}

static inline size_t vector_size(int element, size_t dimension) {
    return element == KITH_BINARY ? (dimension + 7) / 8 : dimension * element_size(element);
}

// Component `index` of a vector, exactly.
static inline float component(int element, const void *vector, size_t index) {
    const uint8_t *bytes = vector;
    switch (element) {
    case KITH_FLOAT32: return read_float(bytes + 4 * index);
    case KITH_FLOAT16: return float_of_float16(read_u16(bytes + 2 * index));
    case KITH_BFLOAT16: return float_of_bfloat16(read_u16(bytes + 2 * index));
    case KITH_INT8: return (float)(int8_t)bytes[index];
    case KITH_UINT8: return (float)bytes[index];
    default: return (float)(bytes[index / 8] >> (index % 8) & 1);
    }
}
