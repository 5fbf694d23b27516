/* The powers that one or two instructions give: a template, included by loops.h.
 *
 * They are what pow promises, its special cases included. The square and the reciprocal are ops of their own.
 */
#define ROOT_f32(x) ((x) == -(float)INFINITY ? (float)INFINITY : ISA_NAME(sqrt_f32)(x) + 0) /* of -0, 0 */
#define ROOT_f64(x) ((x) == -(double)INFINITY ? (double)INFINITY : ISA_NAME(sqrt_f64)(x) + 0)
LOOP_1(ISA_NAME(root_float32), ROOT_f32, float, float)
LOOP_1(ISA_NAME(root_float64), ROOT_f64, double, double)

/* A float's in double, where the square is exact, so that only the last rounding counts; double has no such type. */
#define CUBE(x) ((float)((double)(x) * (x) * (x)))
LOOP_1(ISA_NAME(cube_float32), CUBE, float, float)
