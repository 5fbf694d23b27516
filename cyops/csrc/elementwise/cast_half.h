/* float16 to float32 and back by the instructions for it: a template, included by loops.h where HAS_HALVES.
 *
 * The loops of the formulas (cast_formulas.h) convert what is left over of each row, to the same bits.
 */
#define T float
#define SUFFIX f32

#define WIDEN_VECTOR(from, to) V(store)(to, V(load_halves)(from))
#define NARROW_VECTOR(from, to) V(store_halves)(to, V(load)(from))

#define CONVERT_ROWS(R, X, convert_vector, convert_rest)                                 \
    {                                                                                    \
        const ptrdiff_t whole = n_inner / LANES * LANES;                                 \
        EACH_ROW {                                                                       \
            R *out = ROW(R, 0);                                                          \
            const X *x = ROW(const X, 1);                                                \
            for (ptrdiff_t i = 0; i < whole; i += LANES) convert_vector(x + i, out + i); \
        }                                                                                \
        char *const rest[] = {data[0] + whole * sizeof(R), data[1] + whole * sizeof(X)}; \
        convert_rest(rest, inner, outer, n_inner - whole, n_outer);                      \
    }

/* clang-format off */
LOOP_HEAD(ISA_NAME(widen_halves)) CONVERT_ROWS(float, uint16_t, WIDEN_VECTOR, ISA_NAME(cast_float16_to_float32))
LOOP_HEAD(ISA_NAME(narrow_to_halves)) CONVERT_ROWS(uint16_t, float, NARROW_VECTOR, ISA_NAME(cast_float32_to_float16))
/* clang-format on */

#undef T
#undef SUFFIX
