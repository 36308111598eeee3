// What the thread sanitizer does not see by itself, told to it: sanitize.sh preloads this into the tests.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

// Absent in other processes that tests start.
__attribute__((weak)) void __tsan_acquire(void *address);
__attribute__((weak)) void __tsan_release(void *address);

// C11 threads, which librdkafka starts: the sanitizer knows those of POSIX only, and fails in a thread that it has not seen begin.

struct Start {
    thrd_start_t body;
    void *argument;
};

static void *run(void *argument) {
    const struct Start start = *(struct Start *)argument;
    free(argument);
    return (void *)(intptr_t)start.body(start.argument);
}

int thrd_create(thrd_t *thread, thrd_start_t body, void *argument) {
    struct Start *const start = malloc(sizeof *start);
    if (!start) return thrd_nomem;
    *start = (struct Start){body, argument};
    if (pthread_create(thread, NULL, run, start) == 0) return thrd_success;
    free(start);
    return thrd_error;
}

int thrd_join(thrd_t thread, int *result) {
    void *value;
    if (pthread_join(thread, &value) != 0) return thrd_error;
    if (result) *result = (int)(intptr_t)value;
    return thrd_success;
}

// C11 mutexes, by which librdkafka hands a message's receiver to the thread that reports of it.

#define NEXT(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))

int mtx_lock(mtx_t *mutex) {
    const int result = NEXT(mtx_lock)(mutex);
    if (__tsan_acquire) __tsan_acquire(mutex);
    return result;
}

int mtx_unlock(mtx_t *mutex) {
    if (__tsan_release) __tsan_release(mutex);
    return NEXT(mtx_unlock)(mutex);
}

int cnd_wait(cnd_t *condition, mtx_t *mutex) {
    if (__tsan_release) __tsan_release(mutex);
    const int result = NEXT(cnd_wait)(condition, mutex);
    if (__tsan_acquire) __tsan_acquire(mutex);
    return result;
}

int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict until) {
    if (__tsan_release) __tsan_release(mutex);
    const int result = NEXT(cnd_timedwait)(condition, mutex, until);
    if (__tsan_acquire) __tsan_acquire(mutex);
    return result;
}

// Swift's Mutex where two threads want it: the kernel hands it over then, in code that is not instrumented. `self` is the address of its
// one word, whose atomic operations in the fast path the sanitizer sees.

#define SELF __attribute__((swift_context)) void *self
#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

__attribute__((swiftcall)) void lockSlow(uint32_t thread, SELF) __asm__(LOCK);
__attribute__((swiftcall)) void unlockSlow(SELF) __asm__(UNLOCK);

__attribute__((swiftcall)) void lockSlow(uint32_t thread, SELF) {
    __attribute__((swiftcall)) void (*const next)(uint32_t, SELF) = dlsym(RTLD_NEXT, LOCK);
    next(thread, self);
    if (__tsan_acquire) __tsan_acquire(self);
}

__attribute__((swiftcall)) void unlockSlow(SELF) {
    __attribute__((swiftcall)) void (*const next)(SELF) = dlsym(RTLD_NEXT, UNLOCK);
    if (__tsan_release) __tsan_release(self);
    next(self);
}
