// What is to go wrong, as the test says by the control file, and the ends of the process between any two of its steps.
#define _GNU_SOURCE
#include "Control.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct KithFaultControl *control;

void control_open(void) {
    const char *const path = getenv("KITH_FAULT_CONTROL");
    // Not by `open`, which is watched.
    const int descriptor = path == NULL ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    if (descriptor >= 0) {
        void *const page = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
        control = page == MAP_FAILED ? NULL : page;
        syscall(SYS_close, descriptor);
    }
}

int control_is_full(void) { return control != NULL && __atomic_load_n(&control->is_full, __ATOMIC_RELAXED) != 0; }

static int is_counted(enum KithFaultStep kind) {
    return control != NULL && __atomic_load_n(&control->steps[kind], __ATOMIC_RELAXED) > 0;
}

int step_begin(enum KithFaultStep kind) {
    if (!is_counted(kind) || __atomic_fetch_sub(&control->steps[kind], 1, __ATOMIC_RELAXED) != 1) {
        return 0;
    }
    step_end(!control->dies_after);
    return 1;
}

void step_end(int is_last) {
    if (is_last) {
        kill(getpid(), SIGKILL);
        for (;;) {
            pause();
        }
    }
}

/// librdkafka's threads that talk to brokers are called so.
static int talks_to_broker(void) {
    char name[16];
    return pthread_getname_np(pthread_self(), name, sizeof name) == 0 && strncmp(name, "rdk:broker", 10) == 0;
}

ssize_t sendmsg(int descriptor, const struct msghdr *message, int flags) {
    const int is_last = is_counted(KITH_STEP_BROKER) && talks_to_broker() && step_begin(KITH_STEP_BROKER);
    const ssize_t sent = syscall(SYS_sendmsg, descriptor, message, flags);
    const int error = errno;
    step_end(is_last);
    errno = error;
    return sent;
}
