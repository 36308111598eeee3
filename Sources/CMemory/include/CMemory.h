// Atomic access to plain memory (mapped rows, graph links), which Swift's own Atomic cannot address.
#pragma once
#include <stdint.h>

#include "FileRanges.h"

static inline uint64_t kith_load_acquire_u64(const uint64_t *_Nonnull at) { return __atomic_load_n(at, __ATOMIC_ACQUIRE); }
static inline void kith_store_release_u64(uint64_t *_Nonnull at, uint64_t value) { __atomic_store_n(at, value, __ATOMIC_RELEASE); }
static inline uint64_t kith_load_relaxed_u64(const uint64_t *_Nonnull at) { return __atomic_load_n(at, __ATOMIC_RELAXED); }
static inline uint32_t kith_load_acquire_u32(const uint32_t *_Nonnull at) { return __atomic_load_n(at, __ATOMIC_ACQUIRE); }
static inline uint32_t kith_load_relaxed_u32(const uint32_t *_Nonnull at) { return __atomic_load_n(at, __ATOMIC_RELAXED); }
static inline void kith_store_release_u32(uint32_t *_Nonnull at, uint32_t value) { __atomic_store_n(at, value, __ATOMIC_RELEASE); }
static inline void kith_store_relaxed_u32(uint32_t *_Nonnull at, uint32_t value) { __atomic_store_n(at, value, __ATOMIC_RELAXED); }

/// Begins to bring what lies there into the cache, without waiting.
static inline void kith_prefetch(const void *_Nonnull at) { __builtin_prefetch(at); }

/// Makes the calling thread gentler than others (nice, 0 to 19). Linux keeps a niceness for each thread, which libc offers for processes only.
void kith_set_thread_niceness(int niceness);

/// Names the calling thread, as top and debuggers show it: the first 15 bytes.
void kith_set_thread_name(const char *_Nonnull name);

/// Gives freed memory that the allocator has kept back to the system. Milliseconds; other threads wait for memory meanwhile.
void kith_release_freed_memory(void);

/// Nanoseconds of processor time that the calling thread has used, and those that have worked for it (see kith_add_thread_time).
uint64_t kith_thread_time(void);
/// Counts the processor time of a thread that has worked for the calling one.
void kith_add_thread_time(uint64_t nanoseconds);
