#define _GNU_SOURCE
#include "CMemory.h"
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void kith_set_thread_niceness(int niceness) { setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), niceness); }

void kith_set_thread_name(const char *name) { prctl(PR_SET_NAME, name); }

void kith_release_freed_memory(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

static _Thread_local uint64_t helpers_time;

uint64_t kith_thread_time(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec + helpers_time;
}

void kith_add_thread_time(uint64_t nanoseconds) { helpers_time += nanoseconds; }
