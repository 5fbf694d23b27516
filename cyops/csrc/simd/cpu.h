/* What the drivers ask of the CPU beside kernels: instructions that every CPU of a platform has. */
#ifndef CYOPS_CPU_H
#define CYOPS_CPU_H

#include "base/system.h"

/* Puts stores past the caches before what follows, as other threads see it. */
static inline void cyops_end_streams(void) {
#ifdef CYOPS_X86_64
    _mm_sfence();
#endif
}

/* From the first to the second, denormals count as zero, read and written; what is returned goes to the second. */
static inline unsigned cyops_ignore_denormals(void) {
#ifdef CYOPS_X86_64
    const unsigned flush_to_zero = 0x8000, denormals_are_zero = 0x0040, before = _mm_getcsr();
    _mm_setcsr(before | flush_to_zero | denormals_are_zero);
    return before;
#else
    return 0;
#endif
}

static inline void cyops_heed_denormals(unsigned before) {
#ifdef CYOPS_X86_64
    _mm_setcsr(before);
#else
    (void)before;
#endif
}

/* Lets the other thread of a core go on while this one waits. */
static inline void cyops_pause(void) {
#if defined(CYOPS_X86_64)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
