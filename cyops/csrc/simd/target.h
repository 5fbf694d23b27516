/* Target regions: the functions between CYOPS_TARGET_BEGIN and CYOPS_TARGET_END may use the instruction set named.
 *
 * In-file regions instead of per-file compiler flags: every file of the extension is compiled with the same command,
 * so plain setuptools builds it, and an ordinary build of the interpreter's own headers stays outside the region.
 */
#ifndef CYOPS_TARGET_H
#define CYOPS_TARGET_H

#define CYOPS_PRAGMA(text) _Pragma(#text)

#if defined(__clang__)
#define CYOPS_TARGET_BEGIN(features) \
    CYOPS_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define CYOPS_TARGET_END CYOPS_PRAGMA(clang attribute pop)
#elif defined(__GNUC__)
#define CYOPS_TARGET_BEGIN(features) \
    CYOPS_PRAGMA(GCC push_options)   \
    CYOPS_PRAGMA(GCC target(features))
#define CYOPS_TARGET_END CYOPS_PRAGMA(GCC pop_options)
#endif

#define CYOPS_JOIN_(a, b) a##_##b
#define CYOPS_JOIN(a, b) CYOPS_JOIN_(a, b)

/* ISA_NAME(f) is f_generic, f_avx2 or f_avx512, after the file that includes the template. */
#define ISA_NAME(name) CYOPS_JOIN(name, CYOPS_ISA)

#define CYOPS_INLINE static inline __attribute__((always_inline))

#endif
