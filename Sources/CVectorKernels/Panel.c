// Panels of queries: what surrounds their loops.
#include "Elements.h"
#include "Kernels.h"
#include <float.h>
#include <math.h>

// Twice the bound on the relative rounding of a sum of `dimension` products, and some for what is done with it.
static float slack(size_t dimension) { return ((float)dimension + 32) * FLT_EPSILON; }

// Squares outside these bounds have lost digits, and so has what they are part of.
static bool is_accurate(float square) { return square > 1e-30f && square < 1e30f; }

const kith_panel_kernel *kith_panel_kernel_at(uint8_t level) {
    if (!kith_simd_supported(level)) return NULL;
    switch (level) {
#if defined(__x86_64__)
    case KITH_SIMD_AVX512: return &kith_panel_avx512;
    case KITH_SIMD_AVX2: return &kith_panel_avx2;
#endif
    default: return &kith_panel_scalar;
    }
}

bool kith_panel_can_compare(uint8_t element, uint8_t metric) {
    return element != KITH_BINARY && (metric == KITH_COSINE || metric == KITH_DOT || metric == KITH_L2);
}

// The square of a vector's length.
static float square_of(uint8_t element, const void *vector, size_t dimension) {
    const kith_kernel *dot = kith_kernel_for(element, KITH_DOT);
    return dot == NULL ? 0 : -dot->distance(vector, vector, dimension, 1);
}

void kith_panel_place(uint8_t element, uint8_t metric, const void *query, size_t dimension, size_t width, size_t place,
                      float *components, float *bias) {
    const float square = square_of(element, query, dimension);
    float factor = 1;
    switch (metric) {
    case KITH_COSINE:
        factor = kith_query_scale(element, metric, query, dimension);
        bias[place] = 1 - slack(dimension);
        break;
    case KITH_L2:
        factor = 2;
        bias[place] = square * (1 - slack(dimension));
        break;
    default: bias[place] = -slack(dimension) * square / 2;
    }
    if (!is_accurate(square)) bias[place] = -INFINITY;
    for (size_t i = 0; i < dimension; i++) components[i * width + place] = factor * component(element, query, i);
}

kith_panel_rows kith_panel_ready(uint8_t element, uint8_t metric, const void *first, size_t stride, size_t count,
                                 size_t dimension, float *widened, float *bias, float *scale) {
    const bool widens = element != KITH_FLOAT32;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *row = (const uint8_t *)first + i * stride;
        const float square = square_of(element, row, dimension);
        scale[i] = metric == KITH_COSINE ? 1 / sqrtf(square) : 1;
        bias[i] = metric == KITH_COSINE ? 0 : metric == KITH_L2 ? square * (1 - slack(dimension)) : -slack(dimension) * square / 2;
        if (!is_accurate(square)) {
            bias[i] = -INFINITY;
            scale[i] = 1;
        }
        if (widens) kith_vector_widen(element, row, dimension, widened + i * dimension);
    }
    return (kith_panel_rows){
        .first = widens ? widened : first,
        .stride = widens ? dimension * sizeof(float) : stride,
        .ahead = widens ? 0 : count * stride,
        .bias = bias,
        .scale = scale,
        .count = count,
    };
}
