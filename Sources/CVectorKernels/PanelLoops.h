// The loop over a panel, written once. An instruction set file defines TARGET, INLINE, floats, FLOATS and load_floats, and
//
//   PANEL                          the name of its panel kernel
//   PANEL_ROWS                     rows whose sums fit the registers: 2 * PANEL_ROWS vectors, beside 3 more
//   lanes_not_above(a, limit)      a bit a lane: not a > limit, so set for NaN
//
// then includes this file.

enum { PANEL_WIDTH = 2 * FLOATS };

// The products of PANEL_ROWS rows with all queries of a panel. Each query has its lane: nothing is summed across lanes.
// The rows that come next are `ahead` bytes further, and are fetched while these are multiplied.
INLINE void panel_products(const kith_panel *panel, const uint8_t *const rows[PANEL_ROWS], size_t ahead, floats sums[PANEL_ROWS][2]) {
    floats low[PANEL_ROWS] = {{0}}, high[PANEL_ROWS] = {{0}};
    const float *queries = panel->components;
    for (size_t i = 0; i < panel->dimension; i++, queries += PANEL_WIDTH) {
        const floats a = load_floats(KITH_FLOAT32, (const uint8_t *)queries);
        const floats b = load_floats(KITH_FLOAT32, (const uint8_t *)(queries + FLOATS));
        if (i % (64 / sizeof(float)) == 0) {
            for (int row = 0; row < PANEL_ROWS; row++) __builtin_prefetch(rows[row] + ahead + 4 * i, 0, 2);
        }
#pragma clang loop unroll(full)
        for (int row = 0; row < PANEL_ROWS; row++) {
            const float value = read_float(rows[row] + 4 * i);
            low[row] = value * a + low[row];
            high[row] = value * b + high[row];
        }
    }
    for (int row = 0; row < PANEL_ROWS; row++) {
        sums[row][0] = low[row];
        sums[row][1] = high[row];
    }
}

static TARGET size_t panel_scan(const kith_panel *panel, const kith_panel_rows *rows, kith_panel_pair *pairs) {
    size_t found = 0;
    for (size_t first = 0; first < rows->count; first += PANEL_ROWS) {
        const uint8_t *some[PANEL_ROWS];
        for (size_t row = 0; row < PANEL_ROWS; row++) {
            const size_t number = first + row < rows->count ? first + row : rows->count - 1;
            some[row] = (const uint8_t *)rows->first + number * rows->stride;
        }
        floats sums[PANEL_ROWS][2];
        panel_products(panel, some, rows->ahead, sums);
        for (size_t row = 0; row < PANEL_ROWS && first + row < rows->count; row++) {
            for (size_t half = 0; half < 2; half++) {
                const floats bias = load_floats(KITH_FLOAT32, (const uint8_t *)(panel->bias + half * FLOATS));
                const floats limit = load_floats(KITH_FLOAT32, (const uint8_t *)(panel->limit + half * FLOATS));
                const floats bound = bias + rows->bias[first + row] - rows->scale[first + row] * sums[row][half];
                for (uint32_t lanes = lanes_not_above(bound, limit); lanes != 0; lanes &= lanes - 1) {
                    pairs[found++] = (kith_panel_pair){
                        (uint32_t)(first + row), (uint32_t)(half * FLOATS) + (uint32_t)__builtin_ctz(lanes)};
                }
            }
        }
    }
    return found;
}

const kith_panel_kernel PANEL = {PANEL_WIDTH, panel_scan};
