/* The folds of one dtype. A template: no include guard.
 *
 * Expects T, TYPE_NAME (the suffix of its kernels), LOWEST and HIGHEST (the identities of max and min), IS_NAN(x),
 * WIDE, the type in which sums wrap around, and POSITION, an integer type of the width of T or the next that holds a
 * position in a block; undefines them. SUFFIX, where T has vectors, is theirs.
 */
#define FOLD_NAME(f) ISA_NAME(CYOPS_JOIN(CYOPS_JOIN(fold_sum, f), TYPE_NAME))
#ifdef SUFFIX
#define SUM_OF_VECTOR
#endif
#define FOLD_IDENTITY 0
#define FILLER FOLD_IDENTITY
#define FOLD_BLOCK CYOPS_ROW_BLOCK
#define TERM(x, i) (x)
#define MERGE(a, b) (T)((WIDE)(a) + (WIDE)(b))
#include "reduce/fold.h"

#define FOLD_NAME(f) ISA_NAME(CYOPS_JOIN(CYOPS_JOIN(fold_prod, f), TYPE_NAME))
#define FOLD_IDENTITY 1
#define FILLER FOLD_IDENTITY
#define FOLD_BLOCK CYOPS_ROW_BLOCK
#define TERM(x, i) (x)
#define MERGE(a, b) (T)((WIDE)(a) * (WIDE)(b))
#include "reduce/fold.h"

/* The comparison keeps a NaN that is there already; one that arrives is let in by the second step, which does not wait
 * for what is there. Written as one expression of conditions, these would become jumps. */
CYOPS_INLINE T ISA_NAME(CYOPS_JOIN(larger, TYPE_NAME))(T a, T b) {
    const T larger = b > a ? b : a;
    return IS_NAN(b) ? b : larger;
}

CYOPS_INLINE T ISA_NAME(CYOPS_JOIN(smaller, TYPE_NAME))(T a, T b) {
    const T smaller = b < a ? b : a;
    return IS_NAN(b) ? b : smaller;
}

#define FOLD_NAME(f) ISA_NAME(CYOPS_JOIN(CYOPS_JOIN(fold_max, f), TYPE_NAME))
#define FOLD_IDENTITY LOWEST
#define FILLER FOLD_IDENTITY
#define FOLD_BLOCK CYOPS_EXTREME_BLOCK
#define TERM(x, i) (x)
#define MERGE(a, b) ISA_NAME(CYOPS_JOIN(larger, TYPE_NAME))(a, b)
#include "reduce/fold.h"

#define FOLD_NAME(f) ISA_NAME(CYOPS_JOIN(CYOPS_JOIN(fold_min, f), TYPE_NAME))
#define FOLD_IDENTITY HIGHEST
#define FILLER FOLD_IDENTITY
#define FOLD_BLOCK CYOPS_EXTREME_BLOCK
#define TERM(x, i) (x)
#define MERGE(a, b) ISA_NAME(CYOPS_JOIN(smaller, TYPE_NAME))(a, b)
#include "reduce/fold.h"

#define FOLD_NAME(f) ISA_NAME(CYOPS_JOIN(CYOPS_JOIN(fold_squares, f), TYPE_NAME))
#ifdef SUFFIX
#define SUM_OF_VECTOR
#endif
#define FOLD_IDENTITY 0
#define FILLER center[0]
#define FOLD_BLOCK CYOPS_ROW_BLOCK
#define TERM(x, i) (T)((WIDE)((x) - center[i]) * (WIDE)((x) - center[i]))
#define MERGE(a, b) (T)((WIDE)(a) + (WIDE)(b))
#include "reduce/fold.h"

#define FOLD_NAME(f) ISA_NAME(CYOPS_JOIN(CYOPS_JOIN(arg_max, f), TYPE_NAME))
#define FOLD_VALUE ISA_NAME(CYOPS_JOIN(larger, TYPE_NAME))
#define LOSES(a, b) (a) <= (b)
#include "reduce/extreme.h"

#define FOLD_NAME(f) ISA_NAME(CYOPS_JOIN(CYOPS_JOIN(arg_min, f), TYPE_NAME))
#define FOLD_VALUE ISA_NAME(CYOPS_JOIN(smaller, TYPE_NAME))
#define LOSES(a, b) (a) >= (b)
#include "reduce/extreme.h"

#undef T
#undef WIDE
#undef POSITION
#undef TYPE_NAME
#undef SUFFIX
#undef LOWEST
#undef HIGHEST
#undef IS_NAN
