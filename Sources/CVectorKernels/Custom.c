// Distance functions that are registered while the process runs: each gets the forms that the built-in ones have.
#include "Kernels.h"
#include "Elements.h"

static kith_distance_function functions[KITH_CUSTOM_KERNELS];
static int taken;
static char lock;

// Rows fetched ahead, and at most this many bytes of each.
enum { ROWS_AHEAD = 4, BYTES_AHEAD = 512 };

static void scan(kith_distance_function distance, const void *query, const uint8_t *first, size_t stride, size_t count,
                 size_t dimension, float scale, float *out) {
    for (size_t i = 0; i < count; i++) out[i] = distance(query, first + i * stride, dimension, scale);
}

static void gather(kith_distance_function distance, const void *query, const uint8_t *base, size_t stride, const uint32_t *slots,
                   size_t count, size_t dimension, float scale, float *out) {
    const size_t bytes = stride < BYTES_AHEAD ? stride : BYTES_AHEAD;
    for (size_t i = 0; i < count; i++) {
        if (i + ROWS_AHEAD < count) {
            for (size_t at = 0; at < bytes; at += 64) __builtin_prefetch(base + slots[i + ROWS_AHEAD] * stride + at);
        }
        out[i] = distance(query, base + slots[i] * stride, dimension, scale);
    }
}

// C functions carry nothing with them: one set for each place.
#define PLACES(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define DEFINE(n) \
    static float distance##n(const void *query, const void *row, size_t dimension, float scale) { \
        return functions[n](query, row, dimension, scale); \
    } \
    static void gather##n(const void *query, const void *base, size_t stride, const uint32_t *slots, size_t count, \
                          size_t dimension, float scale, float *out) { \
        gather(functions[n], query, base, stride, slots, count, dimension, scale, out); \
    } \
    static void scan##n(const void *query, const void *first, size_t stride, size_t count, size_t dimension, float scale, \
                        float *out) { \
        scan(functions[n], query, first, stride, count, dimension, scale, out); \
    }
PLACES(DEFINE)

#define ENTRY(n) {distance##n, gather##n, scan##n},
static const kith_kernel kernels[KITH_CUSTOM_KERNELS] = {PLACES(ENTRY)};

const kith_kernel *kith_kernel_custom(kith_distance_function distance) {
    while (__atomic_test_and_set(&lock, __ATOMIC_ACQUIRE)) {}
    int place = 0;
    while (place < taken && functions[place] != distance) place++;
    if (place == taken && taken < KITH_CUSTOM_KERNELS) functions[taken++] = distance;
    const kith_kernel *kernel = place < taken ? &kernels[place] : NULL;
    __atomic_clear(&lock, __ATOMIC_RELEASE);
    return kernel;
}
