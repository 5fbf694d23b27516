/* The conversion loops between all pairs of numeric dtypes: a template, included by loops.h.
 *
 * A loop is a unary elementwise loop, cast_<from>_to_<to>. cast_formulas.h has the conversions that are not C's own.
 */
#define IDENTITY(x) (x)
#define IS_NONZERO(x) ((x) != 0)
#define REAL_PART(x) ((float)(x))
#define FROM_HALF(x) ISA_NAME(half_to_f32)(x)
#define INTEGER_TO_HALF(x) ISA_NAME(f32_to_half)((float)(x))
#define F32_TO_HALF(x) ISA_NAME(f32_to_half)(x)
#define F64_TO_HALF(x) ISA_NAME(f64_to_half)(x)
#define F32_TO_INT32(x) ISA_NAME(f32_to_int32)(x)
#define F32_TO_INT64(x) ISA_NAME(f32_to_int64)(x)
#define F32_TO_UINT64(x) ISA_NAME(f32_to_uint64)(x)
#define F64_TO_INT32(x) ISA_NAME(f64_to_int32)(x)
#define F64_TO_INT64(x) ISA_NAME(f64_to_int64)(x)
#define F64_TO_UINT64(x) ISA_NAME(f64_to_uint64)(x)
#define NUMBER_TO_BFLOAT(x) ISA_NAME(f64_to_bfloat)((double)(x))
#define F32_TO_BFLOAT(x) ISA_NAME(f32_to_bfloat)(x)
#define FROM_BFLOAT(x) ISA_NAME(bfloat_to_f32)(x)
#define HALF_TO_BFLOAT(x) F32_TO_BFLOAT(FROM_HALF(x))
#define BFLOAT_TO_HALF(x) F32_TO_HALF(FROM_BFLOAT(x))
#define BFLOAT_TO_INT32(x) F32_TO_INT32(FROM_BFLOAT(x))
#define BFLOAT_TO_INT64(x) F32_TO_INT64(FROM_BFLOAT(x))
#define BFLOAT_TO_UINT64(x) F32_TO_UINT64(FROM_BFLOAT(x))
#define REAL_TO_HALF(x) F32_TO_HALF(REAL_PART(x))
#define REAL_TO_BFLOAT(x) F32_TO_BFLOAT(REAL_PART(x))
#define REAL_TO_INT32(x) F32_TO_INT32(REAL_PART(x))
#define REAL_TO_INT64(x) F32_TO_INT64(REAL_PART(x))
#define REAL_TO_UINT64(x) F32_TO_UINT64(REAL_PART(x))
#define DOUBLE_PART(x) ((double)(x))
#define DOUBLE_TO_HALF(x) F64_TO_HALF(DOUBLE_PART(x))
#define DOUBLE_TO_BFLOAT(x) NUMBER_TO_BFLOAT(DOUBLE_PART(x))
#define DOUBLE_TO_INT32(x) F64_TO_INT32(DOUBLE_PART(x))
#define DOUBLE_TO_INT64(x) F64_TO_INT64(DOUBLE_PART(x))
#define DOUBLE_TO_UINT64(x) F64_TO_UINT64(DOUBLE_PART(x))
#define HALF_TO_BOOL(x) (((x) & 0x7fff) != 0)
#define HALF_TO_INT32(x) F32_TO_INT32(FROM_HALF(x))
#define HALF_TO_INT64(x) F32_TO_INT64(FROM_HALF(x))
#define HALF_TO_UINT64(x) F32_TO_UINT64(FROM_HALF(x))

#define CAST(from, X, to, R, convert)                                      \
    CYOPS_INLINE R ISA_NAME(from##_as_##to)(X x) { return (R)convert(x); } \
    LOOP_1(ISA_NAME(cast_##from##_to_##to), ISA_NAME(from##_as_##to), R, X)

/* One row: how X becomes bool, a half, a bfloat, an integer of up to 32 bits, uint32 or int64, uint64, a floating one,
 * a complex one. */
#define CASTS(from, X, to_bool, to_half, to_bfloat, to_int, to_long, to_unsigned_long, to_floating, to_complex) \
    CAST(from, X, bool, uint8_t, to_bool)                                                                       \
    CAST(from, X, int8, int8_t, to_int)                                                                         \
    CAST(from, X, int16, int16_t, to_int)                                                                       \
    CAST(from, X, int32, int32_t, to_int)                                                                       \
    CAST(from, X, int64, int64_t, to_long)                                                                      \
    CAST(from, X, uint8, uint8_t, to_int)                                                                       \
    CAST(from, X, uint16, uint16_t, to_int)                                                                     \
    CAST(from, X, uint32, uint32_t, to_long)                                                                    \
    CAST(from, X, uint64, uint64_t, to_unsigned_long)                                                           \
    CAST(from, X, float16, uint16_t, to_half)                                                                   \
    CAST(from, X, bfloat16, uint16_t, to_bfloat)                                                                \
    CAST(from, X, float32, float, to_floating)                                                                  \
    CAST(from, X, float64, double, to_floating)                                                                 \
    CAST(from, X, complex64, float _Complex, to_complex)                                                        \
    CAST(from, X, complex128, double _Complex, to_complex)
#define CASTS_OF_INTEGER(from, X) \
    CASTS(from, X, IS_NONZERO, INTEGER_TO_HALF, NUMBER_TO_BFLOAT, IDENTITY, IDENTITY, IDENTITY, IDENTITY, IDENTITY)

CASTS_OF_INTEGER(bool, uint8_t)
CASTS_OF_INTEGER(int8, int8_t)
CASTS_OF_INTEGER(int16, int16_t)
CASTS_OF_INTEGER(int32, int32_t)
CASTS_OF_INTEGER(int64, int64_t)
CASTS_OF_INTEGER(uint8, uint8_t)
CASTS_OF_INTEGER(uint16, uint16_t)
CASTS_OF_INTEGER(uint32, uint32_t)
CASTS_OF_INTEGER(uint64, uint64_t)
CASTS(float16, uint16_t, HALF_TO_BOOL, IDENTITY, HALF_TO_BFLOAT, HALF_TO_INT32, HALF_TO_INT64, HALF_TO_UINT64,
      FROM_HALF, FROM_HALF)
CASTS(bfloat16, uint16_t, HALF_TO_BOOL, BFLOAT_TO_HALF, IDENTITY, BFLOAT_TO_INT32, BFLOAT_TO_INT64, BFLOAT_TO_UINT64,
      FROM_BFLOAT, FROM_BFLOAT)
CASTS(float32, float, IS_NONZERO, F32_TO_HALF, F32_TO_BFLOAT, F32_TO_INT32, F32_TO_INT64, F32_TO_UINT64, IDENTITY,
      IDENTITY)
CASTS(float64, double, IS_NONZERO, F64_TO_HALF, NUMBER_TO_BFLOAT, F64_TO_INT32, F64_TO_INT64, F64_TO_UINT64, IDENTITY,
      IDENTITY)
CASTS(complex64, float _Complex, IS_NONZERO, REAL_TO_HALF, REAL_TO_BFLOAT, REAL_TO_INT32, REAL_TO_INT64, REAL_TO_UINT64,
      REAL_PART, IDENTITY)
CASTS(complex128, double _Complex, IS_NONZERO, DOUBLE_TO_HALF, DOUBLE_TO_BFLOAT, DOUBLE_TO_INT32, DOUBLE_TO_INT64,
      DOUBLE_TO_UINT64, DOUBLE_PART, IDENTITY)

/* clang-format off */
#define CAST_TO(id, to)                                         \
    [id] = {                                                    \
        [CYOPS_BOOL] = ISA_NAME(cast_bool_to_##to),             \
        [CYOPS_INT8] = ISA_NAME(cast_int8_to_##to),             \
        [CYOPS_INT16] = ISA_NAME(cast_int16_to_##to),           \
        [CYOPS_INT32] = ISA_NAME(cast_int32_to_##to),           \
        [CYOPS_INT64] = ISA_NAME(cast_int64_to_##to),           \
        [CYOPS_UINT8] = ISA_NAME(cast_uint8_to_##to),           \
        [CYOPS_UINT16] = ISA_NAME(cast_uint16_to_##to),         \
        [CYOPS_UINT32] = ISA_NAME(cast_uint32_to_##to),         \
        [CYOPS_UINT64] = ISA_NAME(cast_uint64_to_##to),         \
        [CYOPS_FLOAT16] = ISA_NAME(cast_float16_to_##to),       \
        [CYOPS_BFLOAT16] = ISA_NAME(cast_bfloat16_to_##to),     \
        [CYOPS_FLOAT32] = ISA_NAME(cast_float32_to_##to),       \
        [CYOPS_FLOAT64] = ISA_NAME(cast_float64_to_##to),       \
        [CYOPS_COMPLEX64] = ISA_NAME(cast_complex64_to_##to),   \
        [CYOPS_COMPLEX128] = ISA_NAME(cast_complex128_to_##to), \
    },
#define CAST_TABLE                            \
    {                                         \
        CAST_TO(CYOPS_BOOL, bool)             \
        CAST_TO(CYOPS_INT8, int8)             \
        CAST_TO(CYOPS_INT16, int16)           \
        CAST_TO(CYOPS_INT32, int32)           \
        CAST_TO(CYOPS_INT64, int64)           \
        CAST_TO(CYOPS_UINT8, uint8)           \
        CAST_TO(CYOPS_UINT16, uint16)         \
        CAST_TO(CYOPS_UINT32, uint32)         \
        CAST_TO(CYOPS_UINT64, uint64)         \
        CAST_TO(CYOPS_FLOAT16, float16)       \
        CAST_TO(CYOPS_BFLOAT16, bfloat16)     \
        CAST_TO(CYOPS_FLOAT32, float32)       \
        CAST_TO(CYOPS_FLOAT64, float64)       \
        CAST_TO(CYOPS_COMPLEX64, complex64)   \
        CAST_TO(CYOPS_COMPLEX128, complex128) \
    }
/* clang-format on */
