// The loops of every metric, written once. An instruction set file defines the following, then includes this file:
//
//   TARGET                       the function attribute that selects the instruction set
//   TABLE                        the name of its kernel table
//   floats, FLOATS               a vector of float32, and its lanes
//   load_floats(element, at)     FLOATS components; load_some_floats(element, at, count): fewer, then zeros
//   sum_floats(vector)
//   shorts, SHORTS               a vector of int16, and its lanes
//   load_shorts, load_some_shorts
//   sums                         a vector of int32
//   multiply_add(sums, a, b)     adds products of int16 lanes into int32 lanes, each product once
//   total_sums(vector)           an int64
//   count_bits(operation, query, row, bytes)
//
// `element` and `metric` are constants wherever these functions are inlined, so every switch on them folds away.

#include <math.h>

#define INLINE static inline __attribute__((always_inline)) TARGET

// Components after which int32 lanes are emptied: no lane can overflow before, as 255 * 255 * 65,536 / 4 < 2^31.
enum { BLOCK = 65536 };

// Gathered rows are fetched this many rows ahead, and at most this many bytes of each; the hardware follows on.
enum { ROWS_AHEAD = 8, BYTES_AHEAD = 1024 };

// MARK: Floating point

INLINE floats add_floats(int metric, floats sum, floats query, floats row) {
    if (metric == KITH_DOT) return query * row + sum;
    const floats difference = query - row;
    return metric == KITH_L2 ? difference * difference + sum : sum + __builtin_elementwise_abs(difference);
}

// The sum of a metric's terms, in four chains that hide the latency of addition.
INLINE float sum_terms(int element, int metric, const uint8_t *query, const uint8_t *row, size_t dimension) {
    const size_t step = FLOATS * element_size(element);
    floats a = {0}, b = {0}, c = {0}, d = {0};
    for (; dimension >= 4 * FLOATS; dimension -= 4 * FLOATS, query += 4 * step, row += 4 * step) {
        a = add_floats(metric, a, load_floats(element, query), load_floats(element, row));
        b = add_floats(metric, b, load_floats(element, query + step), load_floats(element, row + step));
        c = add_floats(metric, c, load_floats(element, query + 2 * step), load_floats(element, row + 2 * step));
        d = add_floats(metric, d, load_floats(element, query + 3 * step), load_floats(element, row + 3 * step));
    }
    for (; dimension >= FLOATS; dimension -= FLOATS, query += step, row += step) {
        a = add_floats(metric, a, load_floats(element, query), load_floats(element, row));
    }
    if (dimension > 0) {
        b = add_floats(metric, b, load_some_floats(element, query, dimension), load_some_floats(element, row, dimension));
    }
    return sum_floats((a + b) + (c + d));
}

INLINE float float_cosine(int element, const uint8_t *query, const uint8_t *row, size_t dimension, float scale) {
    const size_t step = FLOATS * element_size(element);
    const uint8_t *q = query, *r = row;
    size_t left = dimension;
    floats dot = {0}, dot2 = {0}, norm = {0}, norm2 = {0};
    for (; left >= 2 * FLOATS; left -= 2 * FLOATS, q += 2 * step, r += 2 * step) {
        const floats first = load_floats(element, r), second = load_floats(element, r + step);
        dot = load_floats(element, q) * first + dot;
        dot2 = load_floats(element, q + step) * second + dot2;
        norm = first * first + norm;
        norm2 = second * second + norm2;
    }
    for (; left > 0; q += step, r += step) {
        const size_t count = left < FLOATS ? left : FLOATS;
        const floats first = load_some_floats(element, r, count);
        dot = load_some_floats(element, q, count) * first + dot;
        norm = first * first + norm;
        left -= count;
    }
    const float square = sum_floats(norm + norm2);
    // Inside these bounds neither the square nor the product can have overflowed or lost its digits.
    if (square > 1e-30f && square < 1e30f && scale > 1e-15f && scale < 1e15f) {
        return 1 - sum_floats(dot + dot2) * scale / sqrtf(square);
    }
    return kith_cosine_careful(element, query, row, dimension);
}

INLINE float float_distance(int element, int metric, const uint8_t *query, const uint8_t *row, size_t dimension, float scale) {
    if (metric == KITH_COSINE) return float_cosine(element, query, row, dimension, scale);
    const float sum = sum_terms(element, metric, query, row, dimension);
    const float distance = metric == KITH_DOT ? -sum : sum;
    return distance == distance ? distance : INFINITY;
}

// MARK: Whole numbers

INLINE sums add_shorts(int metric, sums sum, shorts query, shorts row) {
    if (metric == KITH_DOT) return multiply_add(sum, query, row);
    const shorts difference = query - row;
    if (metric == KITH_L2) return multiply_add(sum, difference, difference);
    return multiply_add(sum, __builtin_elementwise_abs(difference), (shorts){0} + 1);
}

// The exact sum of a metric's terms, and of the squares of the row for cosine.
INLINE int64_t sum_whole_terms(int element, int metric, const uint8_t *query, const uint8_t *row, size_t dimension, int64_t *square) {
    const int term = metric == KITH_COSINE ? KITH_DOT : metric;
    int64_t total = 0;
    while (dimension > 0) {
        size_t left = dimension < BLOCK ? dimension : BLOCK;
        dimension -= left;
        sums a = {0}, b = {0}, norm = {0}, norm2 = {0};
        for (; left >= 2 * SHORTS; left -= 2 * SHORTS, query += 2 * SHORTS, row += 2 * SHORTS) {
            const shorts first = load_shorts(element, row), second = load_shorts(element, row + SHORTS);
            a = add_shorts(term, a, load_shorts(element, query), first);
            b = add_shorts(term, b, load_shorts(element, query + SHORTS), second);
            if (metric == KITH_COSINE) {
                norm = multiply_add(norm, first, first);
                norm2 = multiply_add(norm2, second, second);
            }
        }
        while (left > 0) {
            const size_t count = left < SHORTS ? left : SHORTS;
            const shorts first = load_some_shorts(element, row, count);
            a = add_shorts(term, a, load_some_shorts(element, query, count), first);
            if (metric == KITH_COSINE) norm = multiply_add(norm, first, first);
            left -= count;
            query += count;
            row += count;
        }
        total += total_sums(a) + total_sums(b);
        if (metric == KITH_COSINE) *square += total_sums(norm) + total_sums(norm2);
    }
    return total;
}

INLINE float whole_distance(int element, int metric, const uint8_t *query, const uint8_t *row, size_t dimension, float scale) {
    int64_t square = 0;
    const int64_t total = sum_whole_terms(element, metric, query, row, dimension, &square);
    switch (metric) {
    case KITH_COSINE: return square == 0 ? 1 : 1 - (float)total * scale / sqrtf((float)square);
    case KITH_DOT: return (float)-total;
    default: return (float)total;
    }
}

// MARK: Bits

// `count_bits` over whole bytes, plus the used bits of the last one.
INLINE uint64_t count_all_bits(int operation, const uint8_t *query, const uint8_t *row, size_t bits) {
    const size_t bytes = bits / 8, rest = bits % 8;
    uint64_t count = count_bits(operation, query, row, bytes);
    if (rest > 0) {
        const uint8_t mask = (uint8_t)((1 << rest) - 1), a = query[bytes] & mask, b = row[bytes] & mask;
        count += count_bits(operation, &a, &b, 1);
    }
    return count;
}

INLINE float binary_distance(int metric, const uint8_t *query, const uint8_t *row, size_t bits) {
    if (metric == KITH_HAMMING) return (float)count_all_bits(BITS_DIFFERING, query, row, bits);
    const uint64_t either = count_all_bits(BITS_IN_EITHER, query, row, bits);
    if (either == 0) return 0;
    return 1 - (float)count_all_bits(BITS_IN_BOTH, query, row, bits) / (float)either;
}

// MARK: The three forms

INLINE float distance(int element, int metric, const void *query, const void *row, size_t dimension, float scale) {
    switch (element) {
    case KITH_FLOAT32: case KITH_FLOAT16: case KITH_BFLOAT16:
        return float_distance(element, metric, query, row, dimension, scale);
    case KITH_INT8: case KITH_UINT8:
        return whole_distance(element, metric, query, row, dimension, scale);
    default:
        return binary_distance(metric, query, row, dimension);
    }
}

INLINE void fetch(const uint8_t *row, size_t bytes) {
    for (size_t at = 0; at < bytes; at += 64) __builtin_prefetch(row + at);
}

INLINE void gather(int element, int metric, const void *query, const uint8_t *base, size_t stride, const uint32_t *slots,
                   size_t count, size_t dimension, float scale, float *out) {
    const size_t size = vector_size(element, dimension), bytes = size < BYTES_AHEAD ? size : BYTES_AHEAD;
    for (size_t i = 0; i < count && i < ROWS_AHEAD; i++) fetch(base + slots[i] * stride, bytes);
    for (size_t i = 0; i < count; i++) {
        if (i + ROWS_AHEAD < count) fetch(base + slots[i + ROWS_AHEAD] * stride, bytes);
        out[i] = distance(element, metric, query, base + slots[i] * stride, dimension, scale);
    }
}

INLINE void scan(int element, int metric, const void *query, const uint8_t *first, size_t stride, size_t count,
                 size_t dimension, float scale, float *out) {
    for (size_t i = 0; i < count; i++) out[i] = distance(element, metric, query, first + i * stride, dimension, scale);
}

#define DEFINE(name, element, metric) \
    static TARGET float name##_distance(const void *query, const void *row, size_t dimension, float scale) { \
        return distance(element, metric, query, row, dimension, scale); \
    } \
    static TARGET void name##_gather(const void *query, const void *base, size_t stride, const uint32_t *slots, \
                                     size_t count, size_t dimension, float scale, float *out) { \
        gather(element, metric, query, base, stride, slots, count, dimension, scale, out); \
    } \
    static TARGET void name##_scan(const void *query, const void *first, size_t stride, size_t count, \
                                   size_t dimension, float scale, float *out) { \
        scan(element, metric, query, first, stride, count, dimension, scale, out); \
    }
KITH_KERNELS(DEFINE)

#define ENTRY(name, element, metric) [element][metric] = {name##_distance, name##_gather, name##_scan},
const kith_kernel_table TABLE = {KITH_KERNELS(ENTRY)};
