/* Equality of complex numbers, which is all that is computed with them in C: a template, included by loops.h. */
#define IS_EQUAL(a, b) ((a) == (b))
#define DIFFERS(a, b) ((a) != (b))
LOOP_2(ISA_NAME(equal_complex64), IS_EQUAL, uint8_t, float _Complex)
LOOP_2(ISA_NAME(not_equal_complex64), DIFFERS, uint8_t, float _Complex)
LOOP_2(ISA_NAME(equal_complex128), IS_EQUAL, uint8_t, double _Complex)
LOOP_2(ISA_NAME(not_equal_complex128), DIFFERS, uint8_t, double _Complex)
