/* Every system header the kernel templates use, included before a target region begins. */
#ifndef CYOPS_SYSTEM_H
#define CYOPS_SYSTEM_H

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#define CYOPS_X86_64 1
#include <immintrin.h>
#elif defined(__aarch64__)
#define CYOPS_AARCH64 1
#include <arm_neon.h>
#endif

#endif
