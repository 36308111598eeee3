#define _GNU_SOURCE
#include "CMemory.h"
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

void kith_set_thread_niceness(int niceness) { setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), niceness); }
