// Counting bits a word at a time, for instruction sets without a wider way. Wants TARGET.

#include "Elements.h"

static inline __attribute__((always_inline)) TARGET uint64_t combine_bits(int operation, uint64_t a, uint64_t b) {
    switch (operation) {
    case BITS_DIFFERING: return a ^ b;
    case BITS_IN_BOTH: return a & b;
    default: return a | b;
    }
}

static inline __attribute__((always_inline)) TARGET uint64_t count_word_bits(
    int operation, const uint8_t *query, const uint8_t *row, size_t bytes) {
    uint64_t count = 0;
    for (; bytes >= 8; bytes -= 8, query += 8, row += 8) {
        count += (uint64_t)__builtin_popcountll(combine_bits(operation, read_u64(query), read_u64(row)));
    }
    for (; bytes > 0; bytes--, query++, row++) {
        count += (uint64_t)__builtin_popcountll(combine_bits(operation, *query, *row));
    }
    return count;
}
