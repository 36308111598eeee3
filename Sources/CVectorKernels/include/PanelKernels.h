// Many queries against the same rows at once, as a product of matrices: a row is read once for all queries of a panel.
//
// Products in float32 round otherwise than the distances of `kith_kernel`, so a panel only tells which pairs may be near enough: it
// answers lower bounds, by a worst-case bound on the rounding of sums (Higham, Accuracy and Stability of Numerical Algorithms, 3.1),
// and whoever asks compares those pairs by the kernel. Nothing is allocated or kept.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// Queries side by side. Places beyond the last query are zero and may be answered as pairs too.
typedef struct {
    size_t dimension;
    const float *components;  // by component, then by query
    const float *bias;        // by query
    const float *limit;       // by query: the largest distance that is wanted
} kith_panel;

// Rows made ready for panels.
typedef struct {
    const void *first;  // float32 components
    size_t stride;      // bytes from one row to the next
    size_t ahead;       // bytes to the rows that come next, to fetch them early
    const float *bias;  // by row
    const float *scale;
    size_t count;
} kith_panel_rows;

typedef struct {
    uint32_t row;
    uint32_t query;
} kith_panel_pair;

// The pairs whose lower bound, bias[query] + bias[row] - scale[row] * product, is not above the query's limit, row by row;
// answers how many. There must be room for count * width.
typedef size_t (*kith_panel_scan_function)(const kith_panel *panel, const kith_panel_rows *rows, kith_panel_pair *pairs);

typedef struct {
    size_t width;  // queries of a panel
    kith_panel_scan_function scan;
} kith_panel_kernel;

// A level's; null when it is not supported here.
const kith_panel_kernel *_Nullable kith_panel_kernel_at(uint8_t level);

// Whether a metric is a function of products: cosine, dot and L2 of vectors that have numbers.
bool kith_panel_can_compare(uint8_t element, uint8_t metric);

// Writes query number `place` of a panel: `dimension` components, `width` apart, and its bias.
void kith_panel_place(uint8_t element, uint8_t metric, const void *query, size_t dimension, size_t width, size_t place,
                      float *components, float *bias);

// Bias and scale of `count` rows, and, where they are not float32 yet, their components in `widened` (count * dimension).
kith_panel_rows kith_panel_ready(uint8_t element, uint8_t metric, const void *first, size_t stride, size_t count,
                                 size_t dimension, float *widened, float *bias, float *scale);

#pragma clang assume_nonnull end
