/* The body of isa_generic.c, isa_neon.c, isa_avx2.c and isa_avx512.c: every kernel template, then the table of what they made.
 *
 * Included once per instruction set, inside its target region, so it has no include guard. Macros are not undefined,
 * but for the parameters of a template, by whoever gave them: their names differ from area to area, and a template that
 * is included for several dtypes says its macros again in the same words, which C allows.
 */
#include "runtime/dispatch.h"

#include "simd/vector.h"

#include "conv/loops.h"
#include "elementwise/loops.h"
#include "gemm/loops.h"
#include "normalize/loops.h"
#include "pool/loops.h"
#include "reduce/loops.h"
#include "rows/loops.h"
#include "update/loops.h"

#define CYOPS_AREA_KERNELS(area) .area = &ISA_NAME(cyops_##area##_kernels),
const cyops_kernels ISA_NAME(cyops_kernels) = {CYOPS_AREAS(CYOPS_AREA_KERNELS)};
