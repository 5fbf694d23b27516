/* Every elementwise, cast and copy loop of one instruction set, and the table of them: a template (see simd/kernels.h).
 *
 * The loops are plain C that compilers vectorise. Each operand is a vector (inner stride 1) or a scalar (0), and which
 * ones are scalars is decided outside the loop, so the compiler sees constants; elementwise.c packs all others.
 *
 * The widest vectors there are, no unrolling, no prefetching: docs/kernels.md, Vectors.
 */
#include "elementwise/cast_formulas.h"
#include "elementwise/kernels.h"
#include "math/formulas.h"

/* An element is read and written at the same index only, so no iteration depends on another one, in place too. */
#if defined(__clang__)
#define VECTORISE _Pragma("clang loop vectorize(assume_safety)")
#else
#define VECTORISE _Pragma("GCC ivdep")
#endif

#define LOOP_HEAD(loop_name)                                                                                    \
    static void loop_name(char *const *data, const ptrdiff_t *inner, const ptrdiff_t *outer, ptrdiff_t n_inner, \
                          ptrdiff_t n_outer)
#define ROW(T, k) ((T *)data[k] + row * outer[k])
#define EACH_ROW for (ptrdiff_t row = 0; row < n_outer; row++)
#define EACH_ELEMENT VECTORISE for (ptrdiff_t i = 0; i < n_inner; i++)

#define LOOP_1(loop_name, element, R, X)         \
    LOOP_HEAD(loop_name) {                       \
        (void)inner;                             \
        EACH_ROW {                               \
            R *out = ROW(R, 0);                  \
            const X *x = ROW(const X, 1);        \
            EACH_ELEMENT out[i] = element(x[i]); \
        }                                        \
    }

#define ROWS_2(element, R, T, at_a, at_b)                   \
    EACH_ROW {                                              \
        R *out = ROW(R, 0);                                 \
        const T *a = ROW(const T, 1), *b = ROW(const T, 2); \
        const T first_a = a[0], first_b = b[0];             \
        (void)first_a, (void)first_b;                       \
        EACH_ELEMENT out[i] = element(at_a, at_b);          \
    }
#define LOOP_2(loop_name, element, R, T)         \
    LOOP_HEAD(loop_name) {                       \
        if (inner[1] == 0)                       \
            ROWS_2(element, R, T, first_a, b[i]) \
        else if (inner[2] == 0)                  \
            ROWS_2(element, R, T, a[i], first_b) \
        else                                     \
            ROWS_2(element, R, T, a[i], b[i])    \
    }

#define ROWS_3(element, R, A, T, at_b, at_c)                \
    EACH_ROW {                                              \
        R *out = ROW(R, 0);                                 \
        const A *a = ROW(const A, 1);                       \
        const T *b = ROW(const T, 2), *c = ROW(const T, 3); \
        const T first_b = b[0], first_c = c[0];             \
        (void)first_b, (void)first_c;                       \
        EACH_ELEMENT out[i] = element(a[i], at_b, at_c);    \
    }
#define LOOP_3(loop_name, element, R, A, T)            \
    LOOP_HEAD(loop_name) {                             \
        if (inner[2] == 0 && inner[3] == 0)            \
            ROWS_3(element, R, A, T, first_b, first_c) \
        else if (inner[2] == 0)                        \
            ROWS_3(element, R, A, T, first_b, c[i])    \
        else if (inner[3] == 0)                        \
            ROWS_3(element, R, A, T, b[i], first_c)    \
        else                                           \
            ROWS_3(element, R, A, T, b[i], c[i])       \
    }

#define DTYPE float32
#define T float
#define WRAPPED float
#define KIND KIND_FLOATING
#define MATH_SUFFIX f32
#include "elementwise/dtype.h"

#define DTYPE float64
#define T double
#define WRAPPED double
#define KIND KIND_FLOATING
#define MATH_SUFFIX f64
#include "elementwise/dtype.h"

#define DTYPE bool
#define T uint8_t
#define WRAPPED uint32_t
#define KIND KIND_BOOLEAN
#include "elementwise/dtype.h"

#define DTYPE int8
#define UNSIGNED uint8_t
#define WIDE uint16_t
#define QUOTIENT float
#define T int8_t
#define WRAPPED uint32_t
#define KIND KIND_INTEGER
#include "elementwise/dtype.h"

#define DTYPE int16
#define UNSIGNED uint16_t
#define WIDE uint32_t
#define QUOTIENT float
#define T int16_t
#define WRAPPED uint32_t
#define KIND KIND_INTEGER
#include "elementwise/dtype.h"

#define DTYPE int32
#define UNSIGNED uint32_t
#define WIDE uint64_t
#define QUOTIENT double
#define T int32_t
#define WRAPPED uint32_t
#define KIND KIND_INTEGER
#include "elementwise/dtype.h"

#define DTYPE int64
#define UNSIGNED uint64_t
#define T int64_t
#define WRAPPED uint64_t
#define KIND KIND_INTEGER
#include "elementwise/dtype.h"

#define DTYPE uint8
#define UNSIGNED uint8_t
#define WIDE uint16_t
#define QUOTIENT float
#define T uint8_t
#define WRAPPED uint32_t
#define KIND KIND_INTEGER
#include "elementwise/dtype.h"

#define DTYPE uint16
#define UNSIGNED uint16_t
#define WIDE uint32_t
#define QUOTIENT float
#define T uint16_t
#define WRAPPED uint32_t
#define KIND KIND_INTEGER
#include "elementwise/dtype.h"

#define DTYPE uint32
#define UNSIGNED uint32_t
#define WIDE uint64_t
#define QUOTIENT double
#define T uint32_t
#define WRAPPED uint32_t
#define KIND KIND_INTEGER
#include "elementwise/dtype.h"

#define DTYPE uint64
#define UNSIGNED uint64_t
#define T uint64_t
#define WRAPPED uint64_t
#define KIND KIND_INTEGER
#include "elementwise/dtype.h"

#include "elementwise/powers.h"
#include "elementwise/cast_loops.h"
#if HAS_HALVES
#include "elementwise/cast_half.h"
#endif
#include "elementwise/complex_loops.h"
#include "elementwise/copy_loops.h"
#ifdef CYOPS_POW_BY_TABLES
#include CYOPS_POW_BY_TABLES
#endif

/* The loops that take the place of those made from the formulas, which they call for what they do not cover; those of
 * the table below do so as well. */
#if HAS_HALVES
#define cast_float16_to_float32 widen_halves
#define cast_float32_to_float16 narrow_to_halves
#endif

/* clang-format off */
/* The table. A row lists the dtypes of the op's domain. */
#define AT(dtype_id, name, dtype) [dtype_id] = ISA_NAME(name##_##dtype),
#define BOOL_ROW(name) AT(CYOPS_BOOL, name, bool)
#define INTEGER_ROW(name)                                                                                      \
    AT(CYOPS_INT8, name, int8) AT(CYOPS_INT16, name, int16) AT(CYOPS_INT32, name, int32)                       \
    AT(CYOPS_INT64, name, int64) AT(CYOPS_UINT8, name, uint8) AT(CYOPS_UINT16, name, uint16)                   \
    AT(CYOPS_UINT32, name, uint32) AT(CYOPS_UINT64, name, uint64)
#define FLOATING_ROW(name) AT(CYOPS_FLOAT32, name, float32) AT(CYOPS_FLOAT64, name, float64)
#define COMPLEX_ROW(name) AT(CYOPS_COMPLEX64, name, complex64) AT(CYOPS_COMPLEX128, name, complex128)
#define ROW_ANY(name) BOOL_ROW(name) INTEGER_ROW(name) FLOATING_ROW(name)
#define ROW_NUMBER(name) INTEGER_ROW(name) FLOATING_ROW(name)
#define ROW_SIGNED ROW_NUMBER
#define ROW_FLOATING FLOATING_ROW
#define ROW_PREDICATE FLOATING_ROW
#define ROW_COMPARISON ROW_ANY
#define ROW_CHOICE ROW_ANY
#define ROW_LOGICAL BOOL_ROW
#ifdef CYOPS_POW_BY_TABLES
#define ROW_OF_POW AT(CYOPS_FLOAT32, pow_by_tables, float32) AT(CYOPS_FLOAT64, pow, float64)
#else
#define ROW_OF_POW FLOATING_ROW(pow)
#endif
#define TABLE_ROW(name, inputs, parameters, domain, ...) [CYOPS_OP_##name] = {ROW_##domain(name)},

/* The last rows are meant to take the place of those made from the table of ops. */
_Pragma("GCC diagnostic push")
#ifdef __clang__
_Pragma("GCC diagnostic ignored \"-Winitializer-overrides\"")
#else
_Pragma("GCC diagnostic ignored \"-Woverride-init\"")
#endif
static const cyops_elementwise_kernels ISA_NAME(cyops_elementwise_kernels) = {
    .loops = {
        CYOPS_ELEMENTWISE_OPS(TABLE_ROW)
        [CYOPS_OP_equal] = {ROW_COMPARISON(equal) COMPLEX_ROW(equal)},
        [CYOPS_OP_not_equal] = {ROW_COMPARISON(not_equal) COMPLEX_ROW(not_equal)},
        [CYOPS_OP_floor_divide] = {INTEGER_ROW(floor_divide_by_scalar) FLOATING_ROW(floor_divide)},
        [CYOPS_OP_remainder] = {INTEGER_ROW(remainder_by_scalar) FLOATING_ROW(remainder_by_chunks)},
        [CYOPS_OP_pow] = {INTEGER_ROW(pow) ROW_OF_POW},
        [CYOPS_OP_sin] = {FLOATING_ROW(sin_by_chunks)},
        [CYOPS_OP_cos] = {FLOATING_ROW(cos_by_chunks)},
        [CYOPS_OP_tan] = {FLOATING_ROW(tan_by_chunks)},
    },
    .roots = {ISA_NAME(root_float32), ISA_NAME(root_float64)},
    .cube = ISA_NAME(cube_float32),
    .casts = CAST_TABLE,
    .copies = {ISA_NAME(copy_1), ISA_NAME(copy_2), ISA_NAME(copy_4), ISA_NAME(copy_8), ISA_NAME(copy_16)},
    .streams = {ISA_NAME(stream_1), ISA_NAME(stream_2), ISA_NAME(stream_4), ISA_NAME(stream_8), ISA_NAME(stream_16)},
};
_Pragma("GCC diagnostic pop")
/* clang-format on */

#undef cast_float16_to_float32
#undef cast_float32_to_float16
