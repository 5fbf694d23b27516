/* The bounds of formulas.h: see bounds.h. */
#include "math/bounds.h"

/* e^x rounds to 0 and to infinity, e^x - 1 to -1, tanh and erf to 1, sinh to infinity, and 2^x to 0 and infinity. */
const cyops_math_bounds_f32 cyops_bounds_f32 = {.exp_lowest = -104.0f,
                                                .exp_highest = 89.0f,
                                                .expm1_lowest = -18.0f,
                                                .tanh_highest = 10.0f,
                                                .erf_highest = 4.0f,
                                                .sinh_highest = 90.0f};
const cyops_math_bounds_f64 cyops_bounds_f64 = {.exp_lowest = -746.0,
                                                .exp_highest = 710.0,
                                                .expm1_lowest = -38.0,
                                                .tanh_highest = 20.0,
                                                .erf_highest = 6.0,
                                                .sinh_highest = 711.0,
                                                .pow_lowest = -1100.0,
                                                .pow_highest = 1100.0,
                                                .float_pow_lowest = -200.0,
                                                .float_pow_highest = 200.0};
