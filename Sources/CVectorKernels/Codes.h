// What the code kernels of all instruction sets and their dispatcher share.
#pragma once

#include "CVectorKernels.h"

typedef kith_code_kernel kith_code_table[KITH_CODES_FORMS];

extern const kith_code_table kith_codes_scalar;
#if defined(__x86_64__)
extern const kith_code_table kith_codes_avx2;
extern const kith_code_table kith_codes_avx512;
#endif

// Parts whose 4-bit lookups fit one 64-byte line of codes; the lookup of so many takes 128 bytes.
enum { LOOKUP_PARTS = 4, LOOKUP_BYTES = 128 };

// 16-bit lanes are emptied after this many such lines: 2 lookups of at most 255 a line and lane.
enum { LOOKUP_LINES = 128 };
