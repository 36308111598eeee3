// Walking and pruning a graph of near neighbours whose nodes are records of fixed size.
//
// A record holds, at fixed offsets, the vector in the form that walks compare (its code), a few floats about it, and the
// links: nodes plus one, so that zero ends the list. Links are read as atomics: walks run beside the threads that write them.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// What a code is.
enum {
    KITH_CODE_FULL = 0,     // the stored row itself
    KITH_CODE_SCALAR8 = 1,  // a byte a component, between the least and the greatest of its vector
    KITH_CODE_SCALAR4 = 2,  // half a byte a component, likewise
    KITH_CODES = 3,
};

// What is known of a code beside its bytes. Scalar codes stand for lowest + step * byte.
typedef struct {
    float lowest;
    float step;
    float total;   // step times the sum of the bytes
    float square;  // squared length of what the code stands for; for full codes and metrics but dot, the scale of a query
} kith_node_factors;

// A query, ready to be compared with codes. For scalar codes it stands for middle + step * signed byte.
typedef struct {
    const void *_Null_unspecified vector;  // full: a row; scalar: a signed byte a component
    float scale;         // full only
    float middle;
    float step;
    float sum;     // of the components it stands for
    float square;  // squared length of what it stands for
} kith_node_query;

typedef struct kith_records kith_records;

// Distances from a query to the codes of `count` nodes, which are fetched already or soon will be.
typedef void (*kith_node_function)(const kith_records *records, const kith_node_query *query, const uint32_t *nodes,
                                   size_t count, float *out);

// Where records lie and how they are compared.
struct kith_records {
    uint8_t *base;
    size_t stride;
    uint32_t code_bytes;
    uint32_t factors_offset;
    uint8_t *links;  // of node 0
    size_t links_stride;
    uint32_t link_capacity;
    int32_t links_file;  // where walks read links, at the offsets they have from `links`; -1: in memory
    uint32_t capacity;   // records there is space for
    uint32_t dimension;
    uint8_t code;
    uint8_t metric;
    // Set by `kith_records_bind`.
    uint32_t compared_bytes;  // of a record, from its start: what comparing reads
    kith_node_function _Nullable distances;
    float (*_Nullable distance)(const void *query, const void *row, size_t dimension, float scale);
};

// Chooses the functions that compare: false where the metric does not compare the element type, or its codes.
// `distance` compares full codes, where not as the metric does.
bool kith_records_bind(kith_records *records, uint8_t element,
                       float (*_Nullable distance)(const void *query, const void *row, size_t dimension, float scale));
// Likewise, of one instruction set.
bool kith_records_bind_at(uint8_t level, kith_records *records, uint8_t element,
                          float (*_Nullable distance)(const void *query, const void *row, size_t dimension, float scale));

// Bytes of a code, and of the signed bytes of a query.
size_t kith_node_bytes(uint8_t code, uint8_t element, size_t dimension);
size_t kith_node_query_bytes(uint8_t code, size_t dimension);

// Writes the code and the factors of a row. `components` has room for `dimension` floats.
void kith_node_encode(const kith_records *records, uint8_t element, const void *row, float *components, uint8_t *code,
                      kith_node_factors *factors);

// Makes a query of a row; `bytes` has room for `kith_node_query_bytes` and must live as long as the query.
kith_node_query kith_node_query_of_row(const kith_records *records, uint8_t element, const void *row, float *components,
                                       int8_t *bytes);

// Makes a query of a stored node, likewise.
kith_node_query kith_node_query_of_node(const kith_records *records, uint32_t node, int8_t *bytes);

// Up to where a distance from a query may be the rounding of codes alone.
float kith_node_rounding(const kith_records *records, const kith_node_query *query);

// Lowers distances from the query to scalar codes by what rounding both can have added: no row is nearer than that.
void kith_node_least_distances(const kith_records *records, const kith_node_query *query, const uint32_t *nodes, size_t count,
                               float *distances);

// How far a walk goes: at most `window` ranks; and, where `ratio` is finite, none farther than `ratio` times the distance of
// rank `top`: what is left then cannot lead to much.
typedef struct {
    uint32_t window;
    uint32_t top;
    float ratio;
} kith_walk_bounds;

// One walk: memory that is kept from one to the next, and how far it is.
typedef struct {
    uint64_t *_Null_unspecified ranks;  // nearest first: distance (ordered bits), node, and in bit 0 whether it is expanded
    uint32_t count;
    uint32_t next;  // the nearest that is not expanded
    kith_walk_bounds kept;
    uint64_t bound;  // ranks from here on are not kept
    kith_walk_bounds stage;
    uint64_t reach;  // ranks beyond are not expanded
    bool has_stages;
    uint32_t *_Null_unspecified seen;  // nodes plus one, by hash; a slot that is taken forgets who had it
    uint32_t seen_mask;
    uint32_t compared;
    // Each with room for the links of a node and of a beacon, and for KITH_BEACON_ENTRIES.
    uint32_t *_Null_unspecified nodes;  // to be compared: `waiting` of them, whose codes are being fetched
    uint32_t *_Null_unspecified list;   // those of the node expanded after: `listed`
    float *_Null_unspecified distances;
    uint32_t waiting;
    uint32_t listed;
    uint32_t *_Null_unspecified links;  // room for the links of a node that are read from a file
    int32_t failure;  // the errno of a read that failed; the walk ended there
} kith_walk;

enum {
    KITH_BEACON_LINKS = 24,
    KITH_BEACON_ENTRIES = 128,  // beacons that a walk compares first, at most
    KITH_BEACON_BEAM = 6,       // beacons that it goes on from, and at which it begins
};

// Nodes at which walks may begin, linked with one another.
typedef struct {
    const uint32_t *nodes;  // by beacon: its node plus one; zero: none
    const uint32_t *links;  // by beacon: beacons plus one, KITH_BEACON_LINKS of them; zero ends the list
    uint32_t count;
} kith_beacons;

// Begins at the nearest beacons, and keeps what the bounds say. `ranks` has room for the window and for KITH_BEACON_BEAM;
// `seen_mask` is set by the caller, a power of two less one.
void kith_walk_begin(kith_walk *walk, const kith_records *records, const kith_node_query *query, const kith_beacons *beacons,
                     kith_walk_bounds bounds);

// Lets the walk go no farther than one of these bounds, which are within its own, would have gone: best first, all walks for
// one query take the same steps, of which the narrower take fewer.
void kith_walk_begin_stage(kith_walk *walk, kith_walk_bounds bounds);

// How many of the ranks, from the nearest on, the walk of its stage would have kept.
uint32_t kith_walk_stage_count(const kith_walk *walk);

// The links of a node, read from their file. Where they are not cached, those of the next candidates are requested first, so
// that several reads are under way at once (the beam of DiskANN).
const uint32_t *kith_read_links(kith_walk *walk, const kith_records *records, uint32_t node);

// Expands at most `expansions` nodes; true when nothing is left to expand.
bool kith_walk_advance(kith_walk *walk, const kith_records *records, const kith_node_query *query, uint32_t expansions);

// Room for pruning up to `capacity` candidates.
typedef struct {
    uint32_t *nodes;
    uint32_t *places;
    float *from_node;
    float *ratios;
    float *distances;
    int8_t *bytes;
} kith_prune;

// Chooses at most `limit` of `count` candidates (ranks, nearest first, none twice) for a node's links, so that they point in
// many directions: one is left out if it is `alpha` times nearer to a chosen one than to the node (RobustPrune of DiskANN,
// Subramanya et al. 2019: the strict round first). `alpha` is a ratio of distances as the metric gives them. Writes the places
// of those chosen. The first `kept` are chosen whatever the others are, and need no order. `square` is the squared length of the
// node's vector, as its query has it.
size_t kith_prune_links(kith_prune *room, const kith_records *records, const uint64_t *ranks, size_t count, size_t kept,
                        size_t limit, float alpha, float square, uint32_t *out);

// A rank as walks keep them, and back.
static inline uint64_t kith_rank(float distance, uint32_t node) {
    uint32_t bits;
    const float positive = distance + 0;  // -0 equals +0
    __builtin_memcpy(&bits, &positive, sizeof bits);
    bits = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
    return (uint64_t)bits << 32 | (uint64_t)node << 1;
}

static inline float kith_rank_distance(uint64_t rank) {
    const uint32_t ordered = (uint32_t)(rank >> 32);
    const uint32_t bits = ordered & 0x80000000u ? ordered & 0x7fffffffu : ~ordered;
    float distance;
    __builtin_memcpy(&distance, &bits, sizeof distance);
    return distance;
}

static inline uint32_t kith_rank_node(uint64_t rank) { return (uint32_t)rank >> 1; }

#pragma clang assume_nonnull end
