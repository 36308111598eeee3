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

float kith_node_rounding(const kith_records *records, const kith_node_query *query) {
    if (records->code == KITH_CODE_FULL) return 0;
    return 1e-6f * (records->metric == KITH_COSINE ? 1 : query->square);
}

// Lists all candidates as open.
static void open_all(kith_prune *room, const kith_records *records, const uint64_t *ranks, size_t count, float square) {
    for (size_t i = 0; i < count; i++) {
        room->nodes[i] = kith_rank_node(ranks[i]);
        room->places[i] = (uint32_t)i;
        room->from_node[i] = kith_rank_distance(ranks[i]);
        room->ratios[i] = 0;
    }
    fetch_codes(records, room->nodes, count);
    // Products have an order but no ratios, and the longest vectors would stand before all others: of them directions are judged
    // by squared L2.
    if (records->metric != KITH_DOT) return;
    for (size_t i = 0; i < count; i++) {
        room->from_node[i] = square + square_of(records, room->nodes[i]) + 2 * room->from_node[i];
    }
}

static inline void keep(kith_prune *room, size_t from, size_t to) {
    room->nodes[to] = room->nodes[from];
    room->places[to] = room->places[from];
    room->from_node[to] = room->from_node[from];
    room->ratios[to] = room->ratios[from];
}

// Notes how many times farther each of the open ones from `first` on is from the node than from the chosen one.
static void note_ratios(kith_prune *room, const kith_records *records, uint32_t chosen, size_t first, size_t open) {
    const uint32_t *nodes = room->nodes + first;
    const float *from_node = room->from_node + first;
    float *from_chosen = room->distances, *ratios = room->ratios + first;
    const size_t count = open - first;
    const kith_node_query query = kith_node_query_of_node(records, chosen, room->bytes);
    records->distances(records, &query, nodes, count, from_chosen);
    if (records->metric == KITH_DOT) {
        for (size_t i = 0; i < count; i++) {
            from_chosen[i] = query.square + square_of(records, nodes[i]) + 2 * from_chosen[i];
        }
    }
    // What is not above `same` is no distance: copies of one vector do not stand in each other's way.
    const float same = kith_node_rounding(records, &query);
    for (size_t i = 0; i < count; i++) {
        const float apart = from_chosen[i] > same ? from_node[i] / from_chosen[i] : INFINITY;
        const float ratio = from_node[i] > same ? apart : 1;
        ratios[i] = ratio > ratios[i] ? ratio : ratios[i];
    }
}

// Drops those of the open ones from `first` on that no round can choose, without a branch, which nothing could foresee; answers
// how many stay.
static size_t drop_hopeless(kith_prune *room, size_t first, size_t open, float alpha) {
    size_t end = first;
    for (size_t i = first; i < open; i++) {
        const bool stays = room->ratios[i] <= alpha;
        keep(room, i, end);
        end += stays;
    }
    return end;
}

size_t kith_prune_links(kith_prune *room, const kith_records *records, const uint64_t *ranks, size_t count, size_t kept,
                        size_t limit, float alpha, float square, uint32_t *out) {
    size_t chosen = 0, open = count;
    open_all(room, records, ranks, count, square);
    for (float allowed = 1;; allowed = alpha) {
        size_t passed_over = 0;
        for (size_t next = 0; next < open && chosen < limit; next++) {
            const uint32_t place = room->places[next];
            // Those kept are all chosen in the first round.
            if (place >= kept && room->ratios[next] > allowed) {
                keep(room, next, passed_over++);
                continue;
            }
            out[chosen++] = place;
            const size_t first = next + 1 > kept || allowed > 1 ? next + 1 : kept;
            if (first >= open || chosen == limit) continue;
            note_ratios(room, records, room->nodes[next], first, open);
            open = drop_hopeless(room, first, open, alpha);
        }
        if (chosen == limit || allowed >= alpha) return chosen;
        open = passed_over;
    }
}
