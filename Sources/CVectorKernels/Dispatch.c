// Which level runs: decided once, from the processor and the environment.
#include "Kernels.h"
#include <stdlib.h>
#include <string.h>

static const char *const names[KITH_SIMD_LEVELS] = {"scalar", "avx2", "avx512"};

bool kith_simd_supported(uint8_t level) {
    switch (level) {
    case KITH_SIMD_SCALAR: return true;
#if defined(__x86_64__)
    case KITH_SIMD_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c") &&
               __builtin_cpu_supports("popcnt");
    case KITH_SIMD_AVX512:
        return kith_simd_supported(KITH_SIMD_AVX2) && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512vnni");
#endif
    default: return false;
    }
}

static uint8_t choose_level(void) {
    int level = KITH_SIMD_LEVELS - 1;
    const char *wanted = getenv("KITH_SIMD");
    for (int i = 0; wanted != NULL && i < KITH_SIMD_LEVELS; i++) {
        if (strcmp(wanted, names[i]) == 0) level = i;
    }
    while (!kith_simd_supported((uint8_t)level)) level--;
    return (uint8_t)level;
}

uint8_t kith_simd_active(void) {
    // Threads that meet here first all reach the same answer, so the race is harmless.
    static int decided = -1;
    int level = __atomic_load_n(&decided, __ATOMIC_RELAXED);
    if (level < 0) {
        level = choose_level();
        __atomic_store_n(&decided, level, __ATOMIC_RELAXED);
    }
    return (uint8_t)level;
}

const char *kith_simd_name(uint8_t level) { return level < KITH_SIMD_LEVELS ? names[level] : "unknown"; }

const kith_kernel *kith_kernel_at(uint8_t level, uint8_t element, uint8_t metric) {
    if (element >= KITH_ELEMENTS || metric >= KITH_METRICS || !kith_simd_supported(level)) return NULL;
    const kith_kernel *kernel = &kith_kernels_scalar[element][metric];
#if defined(__x86_64__)
    if (level == KITH_SIMD_AVX2) kernel = &kith_kernels_avx2[element][metric];
    if (level == KITH_SIMD_AVX512) kernel = &kith_kernels_avx512[element][metric];
#endif
    return kernel->distance == NULL ? NULL : kernel;
}

const kith_kernel *kith_kernel_for(uint8_t element, uint8_t metric) {
    return kith_kernel_at(kith_simd_active(), element, metric);
}
