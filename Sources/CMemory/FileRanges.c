#define _GNU_SOURCE
#include "FileRanges.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

int kith_file_make_unnamed(const char *directory) {
    const int file = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return file;
    // A file system that knows only files with names.
    char path[4096];
    if (snprintf(path, sizeof path, "%s/unnamed.XXXXXX", directory) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    const int named = mkostemp(path, O_CLOEXEC);
    if (named >= 0) unlink(path);
    return named;
}

int kith_file_reserve(int descriptor, int64_t offset, int64_t length) {
    return fallocate(descriptor, FALLOC_FL_KEEP_SIZE, offset, length);
}

int kith_file_punch_hole(int descriptor, int64_t offset, int64_t length) {
    return fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
}

int kith_file_start_writeback(int descriptor, int64_t offset, int64_t length) {
    return sync_file_range(descriptor, offset, length, SYNC_FILE_RANGE_WRITE);
}

static int read_whole(const kith_file_piece *piece, size_t length) {
    for (size_t done = 0; done < length;) {
        const ssize_t count = pread(piece->descriptor, (char *)piece->into + done, length - done, piece->offset + (off_t)done);
        if (count < 0 && errno == EINTR) continue;
        if (count == 0) errno = EIO;
        if (count <= 0) return -1;
        done += (size_t)count;
    }
    return 0;
}

int kith_file_read_pieces(kith_file_piece *pieces, size_t count, size_t length) {
    size_t missing = 0;
    for (size_t i = 0; i < count; i++) {
        const struct iovec into = {pieces[i].into, length};
        if (preadv2(pieces[i].descriptor, &into, 1, pieces[i].offset, RWF_NOWAIT) == (ssize_t)length) continue;
        posix_fadvise(pieces[i].descriptor, pieces[i].offset, (off_t)length, POSIX_FADV_WILLNEED);
        pieces[missing++] = pieces[i];
    }
    for (size_t i = 0; i < missing; i++) {
        if (read_whole(&pieces[i], length) != 0) return -1;
    }
    return 0;
}
