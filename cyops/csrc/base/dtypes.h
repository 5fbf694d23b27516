/* The table of dtypes: one row a dtype, said once.
 *
 *     DTYPE(CODE, name, C type, kind, computes as, letter, name in files)
 *
 * The code is CYOPS_CODE; the name is NumPy's, by which users call it. A dtype computes as itself or as the one whose
 * loops it borrows: a half is widened, computed with and rounded once. The letter is that of the buffer protocol (PEP
 * 3118), the name in files that of safetensors. Rows are in no order that anything may rely on: what a dtype is, its
 * kind and size say. Text has no fixed size; its rows stand apart.
 *
 * To add a dtype, add a row here and its loops: casts in elementwise/cast_loops.h, others where it computes as itself.
 * Read by C, by Cython (dtypes.pxi) and through it by Python. Functions here are for every extension, so they are in
 * the header.
 */
#ifndef CYOPS_DTYPES_H
#define CYOPS_DTYPES_H

#include <stddef.h>
#include <stdint.h>

/* clang-format off */
#define CYOPS_NUMERIC_DTYPES(DTYPE)                                 \
    DTYPE(BOOL,    bool,    uint8_t,  BOOLEAN,  BOOL,    '?', BOOL) \
    DTYPE(INT8,    int8,    int8_t,   SIGNED,   INT8,    'b', I8)   \
    DTYPE(INT16,   int16,   int16_t,  SIGNED,   INT16,   'h', I16)  \
    DTYPE(INT32,   int32,   int32_t,  SIGNED,   INT32,   'i', I32)  \
    DTYPE(INT64,   int64,   int64_t,  SIGNED,   INT64,   'q', I64)  \
    DTYPE(UINT8,   uint8,   uint8_t,  UNSIGNED, UINT8,   'B', U8)   \
    DTYPE(UINT16,  uint16,  uint16_t, UNSIGNED, UINT16,  'H', U16)  \
    DTYPE(UINT32,  uint32,  uint32_t, UNSIGNED, UINT32,  'I', U32)  \
    DTYPE(UINT64,  uint64,  uint64_t, UNSIGNED, UINT64,  'Q', U64)  \
    DTYPE(FLOAT16, float16, uint16_t, FLOATING, FLOAT32, 'e', F16)  \
    DTYPE(FLOAT32, float32, float,    FLOATING, FLOAT32, 'f', F32)  \
    DTYPE(FLOAT64, float64, double,   FLOATING, FLOAT64, 'd', F64)
/* clang-format on */

typedef enum {
    CYOPS_KIND_BOOLEAN,
    CYOPS_KIND_SIGNED,
    CYOPS_KIND_UNSIGNED,
    CYOPS_KIND_FLOATING,
    CYOPS_KIND_TEXT,
} cyops_kind;

#define CYOPS_DTYPE_CODE(CODE, ...) CYOPS_##CODE,
typedef enum {
    CYOPS_NUMERIC_DTYPES(CYOPS_DTYPE_CODE)
    CYOPS_BYTES, /* fixed width, NumPy's "S" */
    CYOPS_STR,   /* fixed width, four bytes a character, NumPy's "U" */
    CYOPS_DTYPE_COUNT
} cyops_dtype;
#undef CYOPS_DTYPE_CODE

typedef struct {
    const char *name; /* NULL for text */
    const char *file_name;
    unsigned char kind, itemsize, computing;
    char letter;
} cyops_dtype_row;

#define CYOPS_DTYPE_ROW(CODE, name, type, kind, computing, letter, file_name) \
    [CYOPS_##CODE] = {#name, #file_name, CYOPS_KIND_##kind, sizeof(type), CYOPS_##computing, letter},
static const cyops_dtype_row cyops_dtypes[CYOPS_DTYPE_COUNT] = {
    CYOPS_NUMERIC_DTYPES(CYOPS_DTYPE_ROW)
    [CYOPS_BYTES] = {NULL, NULL, CYOPS_KIND_TEXT, 1, CYOPS_BYTES, 's'},
    [CYOPS_STR] = {NULL, NULL, CYOPS_KIND_TEXT, 4, CYOPS_STR, 'w'},
};
#undef CYOPS_DTYPE_ROW

static inline int cyops_is_text(int dtype) { return cyops_dtypes[dtype].kind == CYOPS_KIND_TEXT; }
static inline int cyops_is_floating(int dtype) { return cyops_dtypes[dtype].kind == CYOPS_KIND_FLOATING; }
static inline int cyops_is_signed(int dtype) { return cyops_dtypes[dtype].kind == CYOPS_KIND_SIGNED; }
static inline int cyops_is_unsigned(int dtype) { return cyops_dtypes[dtype].kind == CYOPS_KIND_UNSIGNED; }
static inline int cyops_is_integer(int dtype) { return cyops_is_signed(dtype) || cyops_is_unsigned(dtype); }

/* The dtype whose loops compute with elements of `dtype`. */
static inline int cyops_computing(int dtype) { return cyops_dtypes[dtype].computing; }

/* Bytes of an element; of text, of a character. */
static inline ptrdiff_t cyops_itemsize(int dtype) { return cyops_dtypes[dtype].itemsize; }

/* The dtype of a kind and size, or -1. */
static inline int cyops_dtype_of(int kind, ptrdiff_t itemsize) {
    for (int dtype = 0; dtype < CYOPS_DTYPE_COUNT; dtype++)
        if (cyops_dtypes[dtype].kind == kind && cyops_dtypes[dtype].itemsize == itemsize) return dtype;
    return -1;
}

/* What an operation on `a` and `b` gives: the table of the Array API standard, where a bool yields to every number and an
 * integer to a floating one; -1 for text beside another dtype. uint64 beside a signed integer has no integer dtype that
 * holds both and gives float64, as in NumPy. */
static inline int cyops_promote(int a, int b) {
    if (a == b) return a;
    const cyops_dtype_row *x = &cyops_dtypes[a], *y = &cyops_dtypes[b];
    if (x->kind == CYOPS_KIND_TEXT || y->kind == CYOPS_KIND_TEXT) return -1;
    if (x->kind == y->kind) {
        if (x->itemsize == y->itemsize) return CYOPS_FLOAT32; /* two kinds of half */
        return x->itemsize > y->itemsize ? a : b;
    }
    if (x->kind > y->kind) return cyops_promote(b, a);
    if (x->kind != CYOPS_KIND_SIGNED || y->kind != CYOPS_KIND_UNSIGNED) return b;
    if (x->itemsize > y->itemsize) return a;
    const int wider = cyops_dtype_of(CYOPS_KIND_SIGNED, 2 * y->itemsize);
    return wider < 0 ? CYOPS_FLOAT64 : wider;
}

#endif
