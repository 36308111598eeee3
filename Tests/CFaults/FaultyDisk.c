// Wraps the calls by which RocksDB and Kith change files. A lock holds each change and its record together, so that the journal has them in the
// order in which they happened.
#define _GNU_SOURCE
#include "Control.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAX_DESCRIPTORS 65536

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static char root[PATH_MAX];
static size_t root_size;
static int journal = -1;
static uint64_t next_number = 1;
/// Handles by descriptor; 0 where the file is none of ours.
static uint64_t handles[MAX_DESCRIPTORS];

#define REAL(name) ((__typeof__(&name))real_##name)
#define FIND(name) real_##name = dlsym(RTLD_NEXT, #name)

static void *real_open, *real_close, *real_write, *real_pwrite, *real_pwritev, *real_ftruncate, *real_fallocate;
static void *real_fsync, *real_fdatasync, *real_rename, *real_unlink, *real_mkdir, *real_rmdir;

static void begin(void) {
    FIND(open);
    FIND(close);
    FIND(write);
    FIND(pwrite);
    FIND(pwritev);
    FIND(ftruncate);
    FIND(fallocate);
    FIND(fsync);
    FIND(fdatasync);
    FIND(rename);
    FIND(unlink);
    FIND(mkdir);
    FIND(rmdir);
    const char *const where = getenv("KITH_FAULT_ROOT");
    if (where == NULL || strlen(where) >= sizeof root) {
        return;
    }
    strcpy(root, where);
    root_size = strlen(root);
    const char *const path = getenv("KITH_FAULT_JOURNAL");
    if (path != NULL) {
        journal = REAL(open)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
    control_open();
}

static int is_ours(const char *path) {
    return root_size > 0 && strncmp(path, root, root_size) == 0 && (path[root_size] == '/' || path[root_size] == 0);
}

static uint64_t handle_of(int descriptor) {
    return descriptor >= 0 && descriptor < MAX_DESCRIPTORS ? handles[descriptor] : 0;
}

/// Writes all of a record: a journal with a hole is none.
static void record(struct KithFaultRecord header, const char *path, const struct iovec *pieces, int count) {
    if (journal < 0) {
        return;
    }
    header.path_size = path == NULL ? 0 : (uint32_t)strlen(path);
    struct iovec all[2 + IOV_MAX];
    all[0] = (struct iovec){&header, sizeof header};
    all[1] = (struct iovec){(void *)path, header.path_size};
    uint64_t left = header.kind == KITH_FAULT_WRITE || header.kind == KITH_FAULT_RENAME ? header.size : 0;
    int used = 2;
    for (int index = 0; index < count && left > 0; ++index) {
        const size_t part = pieces[index].iov_len < left ? pieces[index].iov_len : (size_t)left;
        all[used++] = (struct iovec){pieces[index].iov_base, part};
        left -= part;
    }
    for (int index = 0; index < used; ++index) {
        const char *bytes = all[index].iov_base;
        size_t size = all[index].iov_len;
        while (size > 0) {
            const ssize_t written = REAL(write)(journal, bytes, size);
            if (written <= 0) {
                abort();
            }
            bytes += written;
            size -= (size_t)written;
        }
    }
}

static void record_write(uint64_t handle, off_t offset, ssize_t size, const struct iovec *pieces, int count) {
    record((struct KithFaultRecord){KITH_FAULT_WRITE, 0, handle, (uint64_t)offset, (uint64_t)size}, NULL, pieces, count);
}

static int no_space(void) {
    errno = ENOSPC;
    return -1;
}

// MARK: Opening and closing

static int opened(int descriptor, const char *path, int flags, int existed) {
    if (descriptor < 0 || descriptor >= MAX_DESCRIPTORS) {
        return descriptor;
    }
    handles[descriptor] = 0;
    if (is_ours(path)) {
        handles[descriptor] = next_number++;
        record((struct KithFaultRecord){KITH_FAULT_OPEN, 0, handles[descriptor], !existed, 0}, path, NULL, 0);
        if ((flags & O_TRUNC) != 0 && existed) {
            record((struct KithFaultRecord){KITH_FAULT_TRUNCATE, 0, handles[descriptor], 0, 0}, NULL, NULL, 0);
        }
    }
    return descriptor;
}

static int open_path(const char *path, int flags, mode_t mode) {
    pthread_once(&once, begin);
    if (!is_ours(path)) {
        const int descriptor = REAL(open)(path, flags, mode);
        if (descriptor >= 0 && descriptor < MAX_DESCRIPTORS) {
            handles[descriptor] = 0;
        }
        return descriptor;
    }
    pthread_mutex_lock(&lock);
    struct stat status;
    const int existed = stat(path, &status) == 0;
    const int result = !existed && control_is_full() && (flags & O_CREAT) != 0
                           ? no_space()
                           : opened(REAL(open)(path, flags, mode), path, flags, existed);
    pthread_mutex_unlock(&lock);
    return result;
}

int open(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return open_path(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return open_path(path, flags, mode);
}

int __open_2(const char *path, int flags) { return open_path(path, flags, 0); }
int __open64_2(const char *path, int flags) { return open_path(path, flags, 0); }

int close(int descriptor) {
    pthread_once(&once, begin);
    if (descriptor >= 0 && descriptor < MAX_DESCRIPTORS) {
        handles[descriptor] = 0;
    }
    return REAL(close)(descriptor);
}

// MARK: Changing

ssize_t write(int descriptor, const void *bytes, size_t size) {
    pthread_once(&once, begin);
    const uint64_t handle = handle_of(descriptor);
    if (handle == 0) {
        return REAL(write)(descriptor, bytes, size);
    }
    if (control_is_full()) {
        return no_space();
    }
    pthread_mutex_lock(&lock);
    const int is_last = step_begin(KITH_STEP_DISK);
    const ssize_t written = REAL(write)(descriptor, bytes, size);
    step_end(is_last);
    if (written > 0) {
        // Also where the file is appended to: the place moves behind what was written.
        const off_t end = lseek(descriptor, 0, SEEK_CUR);
        const struct iovec piece = {(void *)bytes, (size_t)written};
        record_write(handle, end - written, written, &piece, 1);
    }
    pthread_mutex_unlock(&lock);
    return written;
}

ssize_t pwrite(int descriptor, const void *bytes, size_t size, off_t offset) {
    pthread_once(&once, begin);
    const uint64_t handle = handle_of(descriptor);
    if (handle == 0) {
        return REAL(pwrite)(descriptor, bytes, size, offset);
    }
    if (control_is_full()) {
        return no_space();
    }
    pthread_mutex_lock(&lock);
    const int is_last = step_begin(KITH_STEP_DISK);
    const ssize_t written = REAL(pwrite)(descriptor, bytes, size, offset);
    step_end(is_last);
    if (written > 0) {
        const struct iovec piece = {(void *)bytes, (size_t)written};
        record_write(handle, offset, written, &piece, 1);
    }
    pthread_mutex_unlock(&lock);
    return written;
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t size, off64_t offset) {
    return pwrite(descriptor, bytes, size, offset);
}

ssize_t pwritev(int descriptor, const struct iovec *pieces, int count, off_t offset) {
    pthread_once(&once, begin);
    const uint64_t handle = handle_of(descriptor);
    if (handle == 0) {
        return REAL(pwritev)(descriptor, pieces, count, offset);
    }
    if (control_is_full()) {
        return no_space();
    }
    pthread_mutex_lock(&lock);
    const int is_last = step_begin(KITH_STEP_DISK);
    const ssize_t written = REAL(pwritev)(descriptor, pieces, count, offset);
    step_end(is_last);
    if (written > 0) {
        record_write(handle, offset, written, pieces, count);
    }
    pthread_mutex_unlock(&lock);
    return written;
}

ssize_t pwritev64(int descriptor, const struct iovec *pieces, int count, off64_t offset) {
    return pwritev(descriptor, pieces, count, offset);
}

int ftruncate(int descriptor, off_t size) {
    pthread_once(&once, begin);
    const uint64_t handle = handle_of(descriptor);
    if (handle == 0) {
        return REAL(ftruncate)(descriptor, size);
    }
    pthread_mutex_lock(&lock);
    const int is_last = step_begin(KITH_STEP_DISK);
    const int result = REAL(ftruncate)(descriptor, size);
    step_end(is_last);
    if (result == 0) {
        record((struct KithFaultRecord){KITH_FAULT_TRUNCATE, 0, handle, (uint64_t)size, 0}, NULL, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate64(int descriptor, off64_t size) { return ftruncate(descriptor, size); }

int fallocate(int descriptor, int mode, off_t offset, off_t size) {
    pthread_once(&once, begin);
    const uint64_t handle = handle_of(descriptor);
    if (handle == 0) {
        return REAL(fallocate)(descriptor, mode, offset, size);
    }
    const int makes_hole = (mode & FALLOC_FL_PUNCH_HOLE) != 0;
    if (control_is_full() && !makes_hole) {
        return no_space();
    }
    pthread_mutex_lock(&lock);
    const int result = REAL(fallocate)(descriptor, mode, offset, size);
    struct stat status;
    if (result == 0 && makes_hole) {
        record((struct KithFaultRecord){KITH_FAULT_HOLE, 0, handle, (uint64_t)offset, (uint64_t)size}, NULL, NULL, 0);
    } else if (result == 0 && (mode & FALLOC_FL_KEEP_SIZE) == 0 && fstat(descriptor, &status) == 0) {
        record((struct KithFaultRecord){KITH_FAULT_TRUNCATE, 0, handle, (uint64_t)status.st_size, 0}, NULL, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

int fallocate64(int descriptor, int mode, off64_t offset, off64_t size) { return fallocate(descriptor, mode, offset, size); }

// MARK: Syncing

/// What was recorded before the call began is on disk when it has returned, and nothing after that is promised.
static int synced(int descriptor, int (*sync)(int)) {
    const uint64_t handle = handle_of(descriptor);
    if (handle == 0) {
        return sync(descriptor);
    }
    pthread_mutex_lock(&lock);
    const uint64_t number = next_number++;
    record((struct KithFaultRecord){KITH_FAULT_SYNC_BEGIN, 0, handle, number, 0}, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
    const int is_last = step_begin(KITH_STEP_DISK);
    const int result = sync(descriptor);
    step_end(is_last);
    if (result == 0) {
        pthread_mutex_lock(&lock);
        record((struct KithFaultRecord){KITH_FAULT_SYNC_END, 0, handle, number, 0}, NULL, NULL, 0);
        pthread_mutex_unlock(&lock);
    }
    return result;
}

int fsync(int descriptor) {
    pthread_once(&once, begin);
    return synced(descriptor, REAL(fsync));
}

int fdatasync(int descriptor) {
    pthread_once(&once, begin);
    return synced(descriptor, REAL(fdatasync));
}

// MARK: Names

static void record_name(uint32_t kind, const char *path) { record((struct KithFaultRecord){kind, 0, 0, 0, 0}, path, NULL, 0); }

int rename(const char *path, const char *new_path) {
    pthread_once(&once, begin);
    if (!is_ours(path)) {
        return REAL(rename)(path, new_path);
    }
    pthread_mutex_lock(&lock);
    const int is_last = step_begin(KITH_STEP_DISK);
    const int result = REAL(rename)(path, new_path);
    step_end(is_last);
    if (result == 0) {
        const struct iovec piece = {(void *)new_path, strlen(new_path)};
        record((struct KithFaultRecord){KITH_FAULT_RENAME, 0, 0, 0, piece.iov_len}, path, &piece, 1);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

/// Calls that take a path away, or make one.
#define NAMED(call, kind)                                                                                                     \
    pthread_once(&once, begin);                                                                                               \
    if (!is_ours(path)) {                                                                                                     \
        return call;                                                                                                          \
    }                                                                                                                         \
    pthread_mutex_lock(&lock);                                                                                                \
    const int is_last = step_begin(KITH_STEP_DISK);                                                                           \
    const int result = call;                                                                                                  \
    step_end(is_last);                                                                                                        \
    if (result == 0) {                                                                                                        \
        record_name(kind, path);                                                                                              \
    }                                                                                                                         \
    pthread_mutex_unlock(&lock);                                                                                              \
    return result;

int unlink(const char *path) { NAMED(REAL(unlink)(path), KITH_FAULT_UNLINK) }
int rmdir(const char *path) { NAMED(REAL(rmdir)(path), KITH_FAULT_REMOVE_DIRECTORY) }
int mkdir(const char *path, mode_t mode) { NAMED(REAL(mkdir)(path, mode), KITH_FAULT_MAKE_DIRECTORY) }
