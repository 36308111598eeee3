// Distances to four nodes at a time: the query is loaded, and lanes are summed, once for all.
//
// Included once by the file of each instruction set, which defines TARGET, OPERATION, KERNELS, `lanes` (LANES bytes), `parts`, and the operations on them.
// `kind` is a constant wherever it is passed.

// What sums of byte products mean, of four scalar codes.
OPERATION __m128 four_distances(uint8_t metric, const kith_node_query *query, const kith_node_factors *const factors[4],
                                __m128i sums) {
    __m128 lowest = _mm_loadu_ps(&factors[0]->lowest), step = _mm_loadu_ps(&factors[1]->lowest);
    __m128 total = _mm_loadu_ps(&factors[2]->lowest), square = _mm_loadu_ps(&factors[3]->lowest);
    _MM_TRANSPOSE4_PS(lowest, step, total, square);
    const __m128 constant = _mm_fmadd_ps(lowest, _mm_set1_ps(query->sum), _mm_mul_ps(total, _mm_set1_ps(query->middle)));
    const __m128 dot = _mm_fmadd_ps(_mm_mul_ps(step, _mm_set1_ps(query->step)), _mm_cvtepi32_ps(sums), constant);
    switch (metric) {
    case KITH_L2: return _mm_fnmadd_ps(_mm_set1_ps(2), dot, _mm_add_ps(_mm_set1_ps(query->square), square));
    case KITH_COSINE: return _mm_sub_ps(_mm_set1_ps(1), dot);
    default: return _mm_sub_ps(_mm_setzero_ps(), dot);
    }
}

OPERATION void store_some(float *out, __m128 four, size_t left) {
    if (left >= 4) return _mm_storeu_ps(out, four);
    _mm_maskstore_ps(out, _mm_cmpgt_epi32(_mm_set1_epi32((int)left), _mm_setr_epi32(0, 1, 2, 3)), four);
}

OPERATION void node_distances(int kind, const kith_records *records, const kith_node_query *query, const uint32_t *nodes,
                              size_t count, float *out) {
    const size_t bytes = kind == SCALAR4 ? half(records->dimension) : records->dimension, rest = bytes % LANES;
    const uint8_t *low = query->vector, *high = low + (kind == SCALAR4 ? bytes : 0);
    for (size_t i = 0; i < count; i += 4) {
        const uint8_t *codes[4];
        lanes sums[4];
        // The last node stands in for those that lack.
        for (size_t k = 0; k < 4; k++) {
            codes[k] = code_of(records, nodes[i + k < count ? i + k : count - 1]);
            sums[k] = zero();
        }
        size_t at = 0;
        for (; at + LANES <= bytes; at += LANES) {
            const parts with = prepare(kind, load(low + at), load(high + at));
            for (size_t k = 0; k < 4; k++) sums[k] = add(kind, sums[k], load(codes[k] + at), with);
        }
        if (rest != 0) {
            // Queries of scalar codes are padded, rows are not.
            const lanes last = kind == BYTES_L2 ? load_some(low + at, rest) : load(low + at);
            const parts with = prepare(kind, last, kind == BYTES_L2 ? last : load(high + at));
            for (size_t k = 0; k < 4; k++) sums[k] = add(kind, sums[k], load_some(codes[k] + at, rest), with);
        }
        const __m128i totals = four_sums(sums);
        if (kind == BYTES_L2) {
            store_some(out + i, _mm_cvtepi32_ps(totals), count - i);
        } else {
            const kith_node_factors *factors[4];
            for (size_t k = 0; k < 4; k++) factors[k] = (const kith_node_factors *)(codes[k] + records->factors_offset);
            store_some(out + i, four_distances(records->metric, query, factors, totals), count - i);
        }
    }
}

#define DEFINE_DISTANCES(name, kind) \
    static TARGET void name(const kith_records *records, const kith_node_query *query, const uint32_t *nodes, size_t count, \
                            float *out) { \
        node_distances(kind, records, query, nodes, count, out); \
    }

DEFINE_DISTANCES(scalar8_distances, SCALAR8)
DEFINE_DISTANCES(scalar4_distances, SCALAR4)
DEFINE_DISTANCES(bytes_l2_distances, BYTES_L2)

const kith_node_kernels KERNELS = {
    .scalar8 = scalar8_distances, .scalar4 = scalar4_distances, .bytes_l2 = bytes_l2_distances};
