/* The powers that one or two instructions give: a template, included by dtype.h for floating dtypes.
 *
 * They are what pow promises, its special cases included. The square and the reciprocal are ops of their own.
 */
#define ROOT(x) ((x) == -(T)INFINITY ? (T)INFINITY : MATH(sqrt)(x) + 0) /* of -0, 0 */
LOOP_1(OF_DTYPE(root), ROOT, T, T)
#undef ROOT

/* A float's in double, where the square is exact, so that only the last rounding counts. */
#define CUBE(x) ((T)((double)(x) * (x) * (x)))
LOOP_1(OF_DTYPE(cube), CUBE, T, T)
#undef CUBE
