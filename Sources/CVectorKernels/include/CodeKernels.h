// Distances estimated from codes: what quantizers leave of a vector, a fixed number of bytes a row.
//
// A code is two or three float32 factors (add, scale, and for some the error of the estimate), then a payload. Of the payload and
// the query a kernel makes a number, the estimated inner product of the coded vector and the query; then
//
//   estimate = bias + add + scale * product
//
// where bias is the query's. Codes may lie anywhere, unaligned. Nothing is allocated or kept.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// How a payload is read.
enum {
    // Whole numbers of 1 to 8 bits a component, against an int8 query: product = unit * sum(query * number) + offset.
    // 64 components are a group of 8 * bits bytes: planes of 4, 2 and 1 bits (those that bits has), highest first. In a plane of
    // w bits, component i is in byte i % (8 * w), from bit i / (8 * w) * w on; in the plane of one bit, bit i % 8 of byte i / 8.
    KITH_CODES_PACKED = 0,
    // A number of 4 bits a part, lower half of a byte first: product = the sum of table[part][number], 16 float32 a part.
    KITH_CODES_TABLE4 = 1,
    // A number of 8 bits a part, likewise with 256 float32 a part.
    KITH_CODES_TABLE8 = 2,
    // A bit a component against the query's bits: product = unit * table[bits that differ].
    KITH_CODES_SIGNS = 3,
    KITH_CODES_FORMS = 4,
};

enum {
    KITH_CODES_GROUP = 64,  // components of a packed or sign payload come in groups of this many
    KITH_CODES_BLOCK = 32,  // codes of a block
};

// A query made ready for the codes of one quantizer.
typedef struct {
    const void *_Nullable data;       // int8 components, tables of float32, or bits
    const float *_Nullable table;     // signs: products by differing bits, of unit vectors
    const uint8_t *_Nullable lookup;  // blocks: made by kith_codes_lookup
    size_t count;                     // components, with padding, or parts
    size_t bits;                      // packed: of a component
    size_t factors;                   // 2 or 3
    float bias;
    float unit;
    float offset;
    float lookup_unit;    // blocks: product = lookup_unit * sum + lookup_offset
    float lookup_offset;
} kith_code_query;

// Estimates of `count` codes that follow each other, into `out`.
typedef void (*kith_code_scan_function)(const kith_code_query *query, const void *first, size_t stride, size_t count, float *out);

// Estimates of the codes `base + slots[i] * stride`, prefetched ahead, into `out`.
typedef void (*kith_code_gather_function)(const kith_code_query *query, const void *base, size_t stride, const uint32_t *slots,
                                          size_t count, float *out);

// Estimates of all 32 codes of each of `count` blocks (see kith_codes_store_in_block), into `out`. Codes that were never stored give
// any number. QuickADC and FastScan: Andre, Kermarrec and Le Scouarnec, arXiv 1704.07355.
typedef void (*kith_code_blocks_function)(const kith_code_query *query, const void *first, size_t stride, size_t count, float *out);

typedef struct {
    kith_code_scan_function scan;
    kith_code_gather_function gather;
    kith_code_blocks_function _Nullable blocks;  // null where the form has none
} kith_code_kernel;

// The active level's kernel of a form; null for a form that is not there.
const kith_code_kernel *_Nullable kith_code_kernel_for(uint8_t form);

// A given level's; null also when the level is not supported here.
const kith_code_kernel *_Nullable kith_code_kernel_at(uint8_t level, uint8_t form);

// Packs `count` numbers below 2^bits, `count` a multiple of 64, into count / 8 * bits bytes.
void kith_codes_pack(const uint8_t *numbers, size_t count, size_t bits, void *payload);

// The inverse.
void kith_codes_unpack(const void *payload, size_t count, size_t bits, uint8_t *numbers);

// Stores a code of 4-bit parts, or of one bit a component, as number `index` of a block: the factors one after another for all 32 codes,
// then byte i of all payloads for each i. A block takes 32 * (4 * factors + payload_bytes) bytes. Touches no byte of another code.
void kith_codes_store_in_block(const void *code, size_t factors, size_t payload_bytes, size_t index, void *block);

// Reads a code back from a block.
void kith_codes_load_from_block(const void *block, size_t factors, size_t payload_bytes, size_t index, void *code);

// Bytes of a lookup table for a number of 4-bit parts.
size_t kith_codes_lookup_bytes(size_t parts);

// Rounds float32 tables (16 a part) to bytes, for blocks: product = unit * sum + offset.
void kith_codes_lookup(const float *tables, size_t parts, uint8_t *lookup, float *unit, float *offset);

// Rounds numbers to int8, the greatest to 127; answers the unit: value = unit * rounded.
float kith_codes_round_query(const float *values, size_t count, int8_t *rounded);

// Rounds values to 2^bits numbers, (number - (2^bits - 1) / 2) * step each, those beyond the ends to the ends.
// `product` is the sum of value * (number - (2^bits - 1) / 2), `square` the sum of the squares of the latter.
void kith_codes_round(const float *values, size_t count, size_t bits, float step, uint8_t *numbers, float *product, float *square);

// In place, the Walsh-Hadamard transform of `count` numbers, a power of two from 8 on, scaled to keep lengths.
void kith_hadamard(float *values, size_t count);

#pragma clang assume_nonnull end
