// Greedy search over records: best first, with one sorted list for what is found and what is to be expanded.
#include "GraphKernels.h"
#include <math.h>
#include <string.h>

// Bytes of a record that are fetched ahead at most; the hardware follows on.
enum { BYTES_AHEAD = 1024 };
enum { LINE = 64 };
// Entries of a sorted list from which on places are searched by halving.
enum { LINEAR_SEARCH = 64 };
// Nodes compared between fetching codes: as many as kernels compare at a time.
enum { NODES_AT_ONCE = 4 };
// Of so many beacons one is compared at first, where that is not too many.
enum { BEACONS_PER_ENTRY = 32 };

static inline const uint32_t *links_in_memory(const kith_records *records, uint32_t node) {
    return (const uint32_t *)(records->links + (size_t)node * records->links_stride);
}

static inline const uint32_t *links_of(kith_walk *walk, const kith_records *records, uint32_t node) {
    return records->links_file < 0 ? links_in_memory(records, node) : kith_read_links(walk, records, node);
}

static inline void fetch_code(const kith_records *records, uint32_t node) {
    const uint8_t *code = records->base + (size_t)node * records->stride;
    const size_t bytes = records->compared_bytes < BYTES_AHEAD ? records->compared_bytes : BYTES_AHEAD;
    for (size_t at = 0; at < bytes; at += LINE) __builtin_prefetch(code + at);
}

static inline void fetch_links(const kith_records *records, uint32_t node) {
    if (records->links_file >= 0) return;
    const uint8_t *links = (const uint8_t *)links_in_memory(records, node);
    for (size_t at = 0; at < records->link_capacity * sizeof(uint32_t); at += LINE) __builtin_prefetch(links + at);
}

// Whether a node was seen before; may forget, never makes up. What comes twice is told apart when it is kept.
static inline bool seen_before(kith_walk *walk, uint32_t node) {
    const uint32_t hash = (node * 2654435769u >> 12) ^ node;
    uint32_t *place = walk->seen + (hash & walk->seen_mask);
    const bool seen = *place == node + 1;
    *place = node + 1;
    return seen;
}

// The index of the first rank behind `rank`, whose bit 0 is set: nobody else's differs in that bit alone.
static inline uint32_t place_of(const uint64_t *ranks, uint32_t count, uint64_t rank) {
    uint32_t low = 0;
    while (count - low > LINEAR_SEARCH) {
        const uint32_t middle = (low + count) / 2;
        if (ranks[middle] > rank) count = middle; else low = middle;
    }
    while (count > low && ranks[count - 1] > rank) count--;
    return count;
}

// The last rank within bounds, as far as is known.
static inline uint64_t bound_by(const kith_walk *walk, const kith_walk_bounds *bounds) {
    uint64_t bound = walk->count >= bounds->window ? walk->ranks[bounds->window - 1] : UINT64_MAX;
    if (walk->count >= bounds->top && isfinite(bounds->ratio)) {
        const float distance = kith_rank_distance(walk->ranks[bounds->top - 1]);
        const uint64_t nearer = kith_rank(distance + (bounds->ratio - 1) * fabsf(distance), 0x7fffffff);
        if (nearer < bound) bound = nearer;
    }
    return bound;
}

// Keeps a rank below the bound; answers its index, or `count` where it was there already.
static inline uint32_t keep(kith_walk *walk, uint64_t rank) {
    uint64_t *ranks = walk->ranks;
    const uint32_t place = place_of(ranks, walk->count, rank | 1);
    if (place > 0 && (ranks[place - 1] | 1) == (rank | 1)) return walk->count;
    if (walk->count < walk->kept.window) walk->count++;
    memmove(ranks + place + 1, ranks + place, (walk->count - 1 - place) * sizeof *ranks);
    ranks[place] = rank;

    const uint64_t bound = bound_by(walk, &walk->kept);
    if (bound < walk->bound) walk->bound = bound;
    while (walk->count > walk->kept.top && ranks[walk->count - 1] > walk->bound) walk->count--;
    return place;
}

static inline uint32_t next_open(const kith_walk *walk, uint32_t from) {
    while (from < walk->count && (walk->ranks[from] & 1)) from++;
    return from;
}

// Lists a beacon to be compared, unless it is none or was seen; its node goes into `nodes`.
static inline void list_beacon(kith_walk *walk, const kith_records *records, const kith_beacons *beacons, uint32_t index) {
    const uint32_t beacon = 1u << 31;  // apart from nodes, which are seen by the same table
    const uint32_t word = __atomic_load_n(beacons->nodes + index, __ATOMIC_ACQUIRE);
    if (word == 0 || seen_before(walk, index | beacon)) return;
    fetch_code(records, word - 1);
    walk->nodes[walk->listed] = word - 1;
    walk->list[walk->listed++] = index;
}

// Compares the beacons listed and keeps the nearest.
static void compare_beacons(kith_walk *walk, const kith_records *records, const kith_node_query *query) {
    records->distances(records, query, walk->nodes, walk->listed, walk->distances);
    walk->compared += walk->listed;
    for (uint32_t i = 0; i < walk->listed; i++) {
        const uint64_t rank = kith_rank(walk->distances[i], walk->list[i]);
        if (rank < walk->bound) keep(walk, rank);
    }
    walk->listed = 0;
}

static void set_bounds(kith_walk *walk, kith_walk_bounds bounds) {
    walk->count = 0;
    walk->kept = bounds;
    walk->bound = UINT64_MAX;
    walk->reach = UINT64_MAX;
    walk->has_stages = false;
}

// Leaves the nearest beacons as ranks: a walk over them alone, from some of them that stand for all.
static void find_beacons(kith_walk *walk, const kith_records *records, const kith_node_query *query,
                         const kith_beacons *beacons) {
    const uint32_t count = __atomic_load_n(&beacons->count, __ATOMIC_ACQUIRE);
    const uint32_t spread = (count + KITH_BEACON_ENTRIES - 1) / KITH_BEACON_ENTRIES;
    const uint32_t step = spread < BEACONS_PER_ENTRY ? BEACONS_PER_ENTRY : spread;
    set_bounds(walk, (kith_walk_bounds){KITH_BEACON_BEAM, 1, INFINITY});
    for (uint32_t i = 0; i < count; i += step) list_beacon(walk, records, beacons, i);
    // Those that stand for all may have gone.
    for (uint32_t i = 0; i < count && walk->listed == 0; i++) list_beacon(walk, records, beacons, i);
    compare_beacons(walk, records, query);
    for (uint32_t at = 0; (at = next_open(walk, at)) < walk->count; at = 0) {
        const uint32_t *links = beacons->links + (size_t)kith_rank_node(walk->ranks[at]) * KITH_BEACON_LINKS;
        walk->ranks[at] |= 1;
        for (uint32_t i = 0; i < KITH_BEACON_LINKS; i++) {
            const uint32_t other = __atomic_load_n(links + i, __ATOMIC_ACQUIRE) - 1;
            if (other >= count) break;
            list_beacon(walk, records, beacons, other);
        }
        compare_beacons(walk, records, query);
    }
}

void kith_walk_begin(kith_walk *walk, const kith_records *records, const kith_node_query *query, const kith_beacons *beacons,
                     kith_walk_bounds bounds) {
    walk->next = 0;
    walk->waiting = 0;
    walk->listed = 0;
    walk->compared = 0;
    walk->failure = 0;
    memset(walk->seen, 0, ((size_t)walk->seen_mask + 1) * sizeof *walk->seen);
    find_beacons(walk, records, query, beacons);
    uint32_t starts = 0;
    for (uint32_t i = 0; i < walk->count; i++) {
        const uint32_t word = __atomic_load_n(beacons->nodes + kith_rank_node(walk->ranks[i]), __ATOMIC_ACQUIRE);
        if (word != 0) walk->nodes[starts++] = word - 1;
    }
    set_bounds(walk, bounds);
    // Again: a beacon may have become another node.
    records->distances(records, query, walk->nodes, starts, walk->distances);
    walk->compared += starts;
    for (uint32_t i = 0; i < starts; i++) {
        const uint64_t rank = kith_rank(walk->distances[i], walk->nodes[i]);
        seen_before(walk, walk->nodes[i]);
        if (rank < walk->bound) keep(walk, rank);
    }
}

void kith_walk_begin_stage(kith_walk *walk, kith_walk_bounds bounds) {
    walk->stage = bounds;
    walk->has_stages = true;
    walk->reach = bound_by(walk, &walk->stage);
}

uint32_t kith_walk_stage_count(const kith_walk *walk) {
    uint32_t count = place_of(walk->ranks, walk->count, walk->reach | 1);
    return count < walk->stage.window ? count : walk->stage.window;
}

static inline bool has_next(const kith_walk *walk) {
    return walk->next < walk->count && walk->ranks[walk->next] <= walk->reach;
}

// Lists the links of the next node that were not seen before.
static void expand_next(kith_walk *walk, const kith_records *records) {
    walk->listed = 0;
    if (!has_next(walk)) return;
    const uint32_t node = kith_rank_node(walk->ranks[walk->next]);
    walk->ranks[walk->next] |= 1;
    walk->next = next_open(walk, walk->next + 1);
    const uint32_t *links = links_of(walk, records, node);
    for (uint32_t i = 0; i < records->link_capacity; i++) {
        const uint32_t other = __atomic_load_n(links + i, __ATOMIC_ACQUIRE) - 1;
        // Zero, the end of the list; or what a failing disk made up, where links lie in a file.
        if (other >= records->capacity) break;
        // Without a branch, which nothing could foresee.
        walk->list[walk->listed] = other;
        walk->listed += !seen_before(walk, other);
    }
}

// Fetches the codes of the nodes listed, in between comparing those that wait: asked for all at once, they would be more than
// the processor can await, and it would do nothing else meanwhile.
static void compare_and_fetch(kith_walk *walk, const kith_records *records, const kith_node_query *query) {
    uint32_t fetched = 0;
    for (uint32_t i = 0; i < walk->waiting; i += NODES_AT_ONCE) {
        for (uint32_t k = 0; k < NODES_AT_ONCE && fetched < walk->listed; k++) fetch_code(records, walk->list[fetched++]);
        const uint32_t left = walk->waiting - i;
        records->distances(records, query, walk->nodes + i, left < NODES_AT_ONCE ? left : NODES_AT_ONCE, walk->distances + i);
    }
    while (fetched < walk->listed) fetch_code(records, walk->list[fetched++]);
    walk->compared += walk->waiting;
}

// Of the nodes compared keeps those near enough, and fetches the links of the two that are nearest now.
static void keep_near(kith_walk *walk, const kith_records *records) {
    uint32_t *nodes = walk->nodes;
    float *distances = walk->distances;
    uint32_t near = 0;
    for (uint32_t i = 0; i < walk->waiting; i++) {
        const bool is_near = kith_rank(distances[i], nodes[i]) < walk->bound;
        nodes[near] = nodes[i];
        distances[near] = distances[i];
        near += is_near;
    }
    for (uint32_t i = 0; i < near; i++) {
        const uint64_t rank = kith_rank(distances[i], nodes[i]);
        if (rank >= walk->bound) continue;
        const uint32_t place = keep(walk, rank);
        if (place < walk->next) walk->next = place;
    }
    walk->next = next_open(walk, walk->next);
    if (walk->has_stages) walk->reach = bound_by(walk, &walk->stage);
    if (walk->next >= walk->count) return;
    fetch_links(records, kith_rank_node(walk->ranks[walk->next]));
    const uint32_t after = next_open(walk, walk->next + 1);
    if (after < walk->count) fetch_links(records, kith_rank_node(walk->ranks[after]));
}

bool kith_walk_advance(kith_walk *walk, const kith_records *records, const kith_node_query *query, uint32_t expansions) {
    for (; walk->waiting > 0 || has_next(walk); expansions--) {
        if (expansions == 0) return false;
        // The codes of one node's links come from memory while those of the one before are compared.
        expand_next(walk, records);
        compare_and_fetch(walk, records, query);
        keep_near(walk, records);
        uint32_t *list = walk->nodes;
        walk->nodes = walk->list;
        walk->list = list;
        walk->waiting = walk->listed;
    }
    return true;
}
