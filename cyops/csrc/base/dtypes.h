/* The table of dtypes: one row a dtype, said once.
 *
 *     DTYPE(CODE, name, C type, kind, computes as, letter, name in files)
 *
 * The code is CYOPS_CODE; the name is NumPy's, by which users call it. A dtype computes as itself or as the one whose
 * loops it borrows: a half is widened, computed with and rounded once. The letter is NumPy's character for it, 0 where
 * it has none; the buffer protocol (PEP 3118) has the same but for complex numbers. The name in files is safetensors'.
 * Rows are in no order that anything may rely on: what a dtype is, its kind and size say. Text has no fixed size; its
 * rows stand apart.
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
#define CYOPS_NUMERIC_DTYPES(DTYPE)                                                 \
    DTYPE(BOOL,       bool,       uint8_t,         BOOLEAN,  BOOL,       '?', BOOL) \
    DTYPE(INT8,       int8,       int8_t,          SIGNED,   INT8,       'b', I8)   \
    DTYPE(INT16,      int16,      int16_t,         SIGNED,   INT16,      'h', I16)  \
    DTYPE(INT32,      int32,      int32_t,         SIGNED,   INT32,      'i', I32)  \
    DTYPE(INT64,      int64,      int64_t,         SIGNED,   INT64,      'q', I64)  \
    DTYPE(UINT8,      uint8,      uint8_t,         UNSIGNED, UINT8,      'B', U8)   \
    DTYPE(UINT16,     uint16,     uint16_t,        UNSIGNED, UINT16,     'H', U16)  \
    DTYPE(UINT32,     uint32,     uint32_t,        UNSIGNED, UINT32,     'I', U32)  \
    DTYPE(UINT64,     uint64,     uint64_t,        UNSIGNED, UINT64,     'Q', U64)  \
    DTYPE(FLOAT16,    float16,    uint16_t,        FLOATING, FLOAT32,    'e', F16)  \
    DTYPE(BFLOAT16,   bfloat16,   uint16_t,        FLOATING, FLOAT32,    0,   BF16) \
    DTYPE(FLOAT32,    float32,    float,           FLOATING, FLOAT32,    'f', F32)  \
    DTYPE(FLOAT64,    float64,    double,          FLOATING, FLOAT64,    'd', F64)  \
    DTYPE(COMPLEX64,  complex64,  float _Complex,  COMPLEX,  COMPLEX64,  'F', C64)  \
    DTYPE(COMPLEX128, complex128, double _Complex, COMPLEX,  COMPLEX128, 'D', C128)
/* clang-format on */

typedef enum {
    CYOPS_KIND_BOOLEAN, /* each can be held by those below it, but for text */
    CYOPS_KIND_UNSIGNED,
    CYOPS_KIND_SIGNED,
    CYOPS_KIND_FLOATING,
    CYOPS_KIND_COMPLEX,
    CYOPS_KIND_TEXT,
} cyops_kind;

#define CYOPS_DTYPE_CODE(CODE, ...) CYOPS_##CODE,
typedef enum {
    CYOPS_NUMERIC_DTYPES(CYOPS_DTYPE_CODE) CYOPS_BYTES, /* fixed width, NumPy's "S" */
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
    CYOPS_NUMERIC_DTYPES(CYOPS_DTYPE_ROW)[CYOPS_BYTES] = {NULL, NULL, CYOPS_KIND_TEXT, 1, CYOPS_BYTES, 's'},
    [CYOPS_STR] = {NULL, NULL, CYOPS_KIND_TEXT, 4, CYOPS_STR, 'w'},
};
#undef CYOPS_DTYPE_ROW

static inline int cyops_is_text(int dtype) { return cyops_dtypes[dtype].kind == CYOPS_KIND_TEXT; }
static inline int cyops_is_floating(int dtype) { return cyops_dtypes[dtype].kind == CYOPS_KIND_FLOATING; }
static inline int cyops_is_complex(int dtype) { return cyops_dtypes[dtype].kind == CYOPS_KIND_COMPLEX; }
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

/* Whether out= of dtype `to` takes results of `dtype`: not where the kind would be lost (NumPy's same_kind). */
static inline int cyops_can_hold(int to, int dtype) {
    const int held = cyops_dtypes[dtype].kind, holding = cyops_dtypes[to].kind;
    return holding == CYOPS_KIND_TEXT || held == CYOPS_KIND_TEXT ? to == dtype : holding >= held;
}

/* What an operation on `a` and `b` gives: the table of the Array API standard, where a bool yields to every number, an
 * integer to a floating one. uint64 beside a signed integer has no integer dtype that holds both and gives float64, as
 * in NumPy; float16 beside bfloat16 gives float32. -1 for text beside another dtype, and where there is no dtype. */
static inline int cyops_promote(int a, int b) {
    if (a == b) return a;
    const int kind_a = cyops_dtypes[a].kind, kind_b = cyops_dtypes[b].kind;
    const ptrdiff_t size_a = cyops_itemsize(a), size_b = cyops_itemsize(b);
    if (kind_a > kind_b) return cyops_promote(b, a);
    if (kind_b == CYOPS_KIND_TEXT) return -1;
    if (kind_a == kind_b) return size_a == size_b ? CYOPS_FLOAT32 : size_a > size_b ? a : b;
    if (kind_a == CYOPS_KIND_UNSIGNED && kind_b == CYOPS_KIND_SIGNED && size_a >= size_b) {
        const int wider = cyops_dtype_of(CYOPS_KIND_SIGNED, 2 * size_a);
        return wider < 0 ? CYOPS_FLOAT64 : wider;
    }
    if (kind_a == CYOPS_KIND_FLOATING && 2 * size_a > size_b) return cyops_dtype_of(CYOPS_KIND_COMPLEX, 2 * size_a);
    return b;
}

#endif
