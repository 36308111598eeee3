// Codes: their layout, lookup tables, and which level's kernels run.
#include "Codes.h"
#include "Elements.h"
#include <math.h>

const kith_code_kernel *kith_code_kernel_at(uint8_t level, uint8_t form) {
    if (form >= KITH_CODES_FORMS || !kith_simd_supported(level)) return NULL;
#if defined(__x86_64__)
    if (level == KITH_SIMD_AVX2) return &kith_codes_avx2[form];
    if (level == KITH_SIMD_AVX512) return &kith_codes_avx512[form];
#endif
    return &kith_codes_scalar[form];
}

const kith_code_kernel *kith_code_kernel_for(uint8_t form) { return kith_code_kernel_at(kith_simd_active(), form); }

// MARK: Packed numbers

// Where component i of a group lies in a plane of `width` bits.
static size_t plane_byte(size_t width, size_t i) { return width == 1 ? i / 8 : i % (8 * width); }
static size_t plane_bit(size_t width, size_t i) { return width == 1 ? i % 8 : i / (8 * width) * width; }

void kith_codes_pack(const uint8_t *numbers, size_t count, size_t bits, void *payload) {
    uint8_t *plane = payload;
    memset(payload, 0, count / 8 * bits);
    for (size_t group = 0; group < count; group += KITH_CODES_GROUP) {
        size_t left = bits;
        for (size_t width = 8; width > 0; width /= 2) {
            if (!(bits & width)) continue;
            left -= width;
            for (size_t i = 0; i < KITH_CODES_GROUP; i++) {
                const unsigned part = (unsigned)numbers[group + i] >> left & ((1u << width) - 1);
                plane[plane_byte(width, i)] |= (uint8_t)(part << plane_bit(width, i));
            }
            plane += 8 * width;
        }
    }
}

void kith_codes_unpack(const void *payload, size_t count, size_t bits, uint8_t *numbers) {
    const uint8_t *plane = payload;
    for (size_t group = 0; group < count; group += KITH_CODES_GROUP) {
        size_t left = bits;
        memset(numbers + group, 0, KITH_CODES_GROUP);
        for (size_t width = 8; width > 0; width /= 2) {
            if (!(bits & width)) continue;
            left -= width;
            for (size_t i = 0; i < KITH_CODES_GROUP; i++) {
                const unsigned part = plane[plane_byte(width, i)] >> plane_bit(width, i) & ((1u << width) - 1);
                numbers[group + i] |= (uint8_t)(part << left);
            }
            plane += 8 * width;
        }
    }
}

// MARK: Blocks

void kith_codes_store_in_block(const void *code, size_t factors, size_t payload_bytes, size_t index, void *block) {
    const uint8_t *from = code;
    uint8_t *to = block;
    for (size_t factor = 0; factor < factors; factor++, from += 4, to += 4 * KITH_CODES_BLOCK) memcpy(to + 4 * index, from, 4);
    for (size_t i = 0; i < payload_bytes; i++) to[i * KITH_CODES_BLOCK + index] = from[i];
}

void kith_codes_load_from_block(const void *block, size_t factors, size_t payload_bytes, size_t index, void *code) {
    const uint8_t *from = block;
    uint8_t *to = code;
    for (size_t factor = 0; factor < factors; factor++, to += 4, from += 4 * KITH_CODES_BLOCK) memcpy(to, from + 4 * index, 4);
    for (size_t i = 0; i < payload_bytes; i++) to[i] = from[i * KITH_CODES_BLOCK + index];
}

size_t kith_codes_lookup_bytes(size_t parts) { return (parts + LOOKUP_PARTS - 1) / LOOKUP_PARTS * LOOKUP_BYTES; }

void kith_codes_lookup(const float *tables, size_t parts, uint8_t *lookup, float *unit, float *offset) {
    float widest = 0, sum = 0;
    for (size_t part = 0; part < parts; part++) {
        float least = tables[16 * part], most = least;
        for (size_t i = 1; i < 16; i++) {
            least = fminf(least, tables[16 * part + i]);
            most = fmaxf(most, tables[16 * part + i]);
        }
        widest = fmaxf(widest, most - least);
        sum += least;
    }
    *unit = widest / 255;
    *offset = sum;
    memset(lookup, 0, kith_codes_lookup_bytes(parts));
    const float inverse = widest > 0 ? 255 / widest : 0;
    for (size_t part = 0; part < parts; part++) {
        float least = tables[16 * part];
        for (size_t i = 1; i < 16; i++) least = fminf(least, tables[16 * part + i]);
        // In 128 bytes the tables of four parts, twice each: 0 0 2 2 1 1 3 3. A line of codes holds parts 0 and 1, then 2 and 3.
        uint8_t *to = lookup + part / 4 * LOOKUP_BYTES + (part % 2) * 64 + (part % 4) / 2 * 32;
        for (size_t i = 0; i < 16; i++) {
            const float scaled = (tables[16 * part + i] - least) * inverse;
            // A table of infinities or NaN says nothing: any byte will do, as long as it is one.
            to[i] = to[16 + i] = scaled >= 0 && scaled <= 255 ? (uint8_t)(scaled + 0.5f) : 255;
        }
    }
}

// MARK: Rounding

float kith_codes_round_query(const float *values, size_t count, int8_t *rounded) {
    float greatest = 0;
    for (size_t i = 0; i < count; i++) greatest = fmaxf(greatest, fabsf(values[i]));
    // Also where a product overflowed: what is no number gives no answer, but must not break a conversion.
    if (!(greatest > 0 && greatest < INFINITY)) {
        memset(rounded, 0, count);
        return 0;
    }
    const float inverse = 127 / greatest;
    for (size_t i = 0; i < count; i++) {
        const float scaled = values[i] * inverse;
        rounded[i] = (int8_t)(int)(scaled + (scaled < 0 ? -0.5f : 0.5f));
    }
    return greatest / 127;
}

void kith_codes_round(const float *values, size_t count, size_t bits, float step, uint8_t *numbers, float *product, float *square) {
    const float inverse = step > 0 ? 1 / step : 0, half = (float)(1 << (bits - 1)), greatest = 2 * half - 1, middle = half - 0.5f;
    float products[8] = {0}, squares[8] = {0};
    for (size_t first = 0; first < count; first += 8) {
        for (size_t i = 0; i < 8 && first + i < count; i++) {
            float place = values[first + i] * inverse + half;
            // Written so that NaN becomes a number.
            place = place > 0 ? place : 0;
            place = place < greatest ? place : greatest;
            const int number = (int)place;
            const float centred = (float)number - middle;
            numbers[first + i] = (uint8_t)number;
            products[i] += values[first + i] * centred;
            squares[i] += centred * centred;
        }
    }
    *product = *square = 0;
    for (size_t i = 0; i < 8; i++) {
        *product += products[i];
        *square += squares[i];
    }
}

// MARK: Rotation

void kith_hadamard(float *values, size_t count) {
    for (size_t half = 1; half < count; half *= 2) {
        for (size_t first = 0; first < count; first += 2 * half) {
            float *a = values + first, *b = a + half;
            for (size_t i = 0; i < half; i++) {
                const float x = a[i], y = b[i];
                a[i] = x + y;
                b[i] = x - y;
            }
        }
    }
    const float scale = 1 / sqrtf((float)count);
    for (size_t i = 0; i < count; i++) values[i] *= scale;
}
