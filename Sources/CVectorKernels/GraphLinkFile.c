// Links that lie in a file: read, not mapped, so that those of a graph larger than memory take none of the process.
#define _GNU_SOURCE
#include "GraphKernels.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

// Candidates whose links are on their way while one is waited for.
enum { BEAM = 8 };

static off_t offset_of(const kith_records *records, uint32_t node) { return (off_t)node * (off_t)records->links_stride; }

static size_t bytes_of(const kith_records *records) { return records->link_capacity * sizeof(uint32_t); }

// Has the kernel fetch the links of the nearest candidates that are not expanded yet.
static void request_ahead(const kith_walk *walk, const kith_records *records) {
    int requested = 0;
    for (uint32_t i = walk->next; i < walk->count && requested < BEAM; i++) {
        if (walk->ranks[i] & 1) continue;
        posix_fadvise(records->links_file, offset_of(records, kith_rank_node(walk->ranks[i])), (off_t)bytes_of(records),
                      POSIX_FADV_WILLNEED);
        requested++;
    }
}

static ssize_t read_waiting(int file, void *into, size_t bytes, off_t offset) {
    ssize_t count;
    do count = pread(file, into, bytes, offset); while (count < 0 && errno == EINTR);
    return count;
}

const uint32_t *kith_read_links(kith_walk *walk, const kith_records *records, uint32_t node) {
    const struct iovec room = {walk->links, bytes_of(records)};
    const off_t offset = offset_of(records, node);
    ssize_t count = preadv2(records->links_file, &room, 1, offset, RWF_NOWAIT);
    if (count != (ssize_t)room.iov_len) {
        request_ahead(walk, records);
        count = read_waiting(records->links_file, walk->links, room.iov_len, offset);
    }
    if (count < 0) walk->failure = errno;
    // Past the end of the file are no links.
    const size_t words = count < 0 ? 0 : (size_t)count / sizeof(uint32_t);
    memset(walk->links + words, 0, room.iov_len - words * sizeof(uint32_t));
    return walk->links;
}
