// The choice of a node's links among candidates.
#include "CVectorKernels.h"
#include <math.h>

static inline void fetch_codes(const kith_records *records, const uint32_t *nodes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const uint8_t *code = records->base + (size_t)nodes[i] * records->stride;
        for (size_t at = 0; at < records->compared_bytes; at += 64) __builtin_prefetch(code + at);
    }
}

static inline float square_of(const kith_records *records, uint32_t node) {
    const uint8_t *record = records->base + (size_t)node * records->stride;
    return ((const kith_node_factors *)(record + records->factors_offset))->square;
}

// How many times farther the candidate is from the node than from a chosen one. What is not above `same` is none: copies of
// one vector do not stand in each other's way.
static inline float ratio_of(float from_node, float from_chosen, float same) {
    if (from_node <= same) return 1;
    return from_chosen > same ? from_node / from_chosen : INFINITY;
}

float kith_node_rounding(const kith_records *records, const kith_node_query *query) {
    if (records->code == KITH_CODE_FULL) return 0;
    return 1e-6f * (records->metric == KITH_COSINE ? 1 : query->square);
}

size_t kith_prune_links(kith_prune *room, const kith_records *records, const uint64_t *ranks, size_t count, size_t kept,
                        size_t limit, float alpha, float square, uint32_t *out) {
    // Products have an order but no ratios, and the longest vectors would stand before all others: of them directions are judged
    // by squared L2.
    const bool products = records->metric == KITH_DOT;
    size_t chosen = 0;
    for (size_t i = 0; i < count; i++) {
        room->nodes[i] = kith_rank_node(ranks[i]);
        room->ratios[i] = 0;
    }
    fetch_codes(records, room->nodes, count);
    for (float allowed = 1;; allowed = alpha) {
        for (size_t i = 0; i < count && chosen < limit; i++) {
            // Those kept are all chosen in the first round.
            if (i < kept ? allowed > 1 : room->ratios[i] > allowed) continue;
            out[chosen++] = (uint32_t)i;
            room->ratios[i] = INFINITY;
            size_t left = 0;
            for (size_t j = i < kept ? kept : i + 1; j < count; j++) {
                if (room->ratios[j] > alpha) continue;
                room->left[left] = room->nodes[j];
                room->places[left++] = (uint32_t)j;
            }
            if (left == 0 || chosen == limit) continue;
            const kith_node_query query = kith_node_query_of_node(records, room->nodes[i], room->bytes);
            records->distances(records, &query, room->left, left, room->distances);
            const float same = kith_node_rounding(records, &query);
            for (size_t k = 0; k < left; k++) {
                const size_t place = room->places[k];
                float from_node = kith_rank_distance(ranks[place]), from_chosen = room->distances[k];
                if (products) {
                    const float own = square_of(records, room->left[k]);
                    from_node = square + own + 2 * from_node;
                    from_chosen = query.square + own + 2 * from_chosen;
                }
                const float ratio = ratio_of(from_node, from_chosen, same);
                if (ratio > room->ratios[place]) room->ratios[place] = ratio;
            }
        }
        if (chosen == limit || allowed >= alpha) return chosen;
    }
}
