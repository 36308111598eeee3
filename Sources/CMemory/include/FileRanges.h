// Files and disk blocks under ranges of them: calls that only GNU headers declare. All give -1 and errno where they fail.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Makes a file without a name in a folder and opens it: gone once closed, whatever happens to the process. Answers its descriptor.
int kith_file_make_unnamed(const char *_Nonnull directory);

/// Reserves blocks for a range; what it holds stays, and so does the length of the file.
int kith_file_reserve(int descriptor, int64_t offset, int64_t length);
/// Gives back the blocks wholly inside a range, which reads as zero from then on.
int kith_file_punch_hole(int descriptor, int64_t offset, int64_t length);
/// Has the kernel begin to write a range back, without waiting.
int kith_file_start_writeback(int descriptor, int64_t offset, int64_t length);

/// One piece of a file to be read.
typedef struct {
    int descriptor;
    int64_t offset;
    void *_Nonnull into;
} kith_file_piece;

/// Reads `count` pieces of `length` bytes. Those that are not cached are all requested before one is waited for, so that the disk has
/// many to do at once. The pieces are put in another order. A file that ends early is EIO.
int kith_file_read_pieces(kith_file_piece *_Nonnull pieces, size_t count, size_t length);
