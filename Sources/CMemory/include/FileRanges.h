// Disk blocks under a range of an open file: calls that only GNU headers declare. All give 0, or -1 and errno.
#pragma once
#include <stdint.h>

/// Reserves blocks for a range; what it holds stays, and so does the length of the file.
int kith_file_reserve(int descriptor, int64_t offset, int64_t length);
/// Gives back the blocks wholly inside a range, which reads as zero from then on.
int kith_file_punch_hole(int descriptor, int64_t offset, int64_t length);
/// Has the kernel begin to write a range back, without waiting.
int kith_file_start_writeback(int descriptor, int64_t offset, int64_t length);
