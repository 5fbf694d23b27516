/* Whether numbers are finite: a product with 0 is NaN where one is not. Template: see simd/vector.h. */
static int CONV_NAME(is_finite)(ptrdiff_t n, const void *given) {
    const T *x = given;
    const VEC zero = V(zero)();
    VEC acc[4] = {zero, zero, zero, zero};
    for (; n >= 4 * LANES; n -= 4 * LANES, x += 4 * LANES)
        for (int i = 0; i < 4; i++) acc[i] = V(fma)(V(load)(x + i * LANES), zero, acc[i]);
    T sum = V(sum)((acc[0] + acc[1]) + (acc[2] + acc[3]));
    for (; n > 0; n--, x++) sum += *x * 0;
    return sum == 0;
}
