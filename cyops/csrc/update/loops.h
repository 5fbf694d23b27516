/* The optimizer steps of one instruction set, made from the table in ops.h. A template: no include guard. */

/* Scalars are hoisted by name, slots loaded and stored by number. */
#define SCALARS(...) \
    SCALAR_COUNT(__VA_ARGS__, SCALARS_6, SCALARS_5, SCALARS_4, SCALARS_3, SCALARS_2, SCALARS_1)(__VA_ARGS__)
#define SCALAR_COUNT(a, b, c, d, e, f, chosen, ...) chosen
#define SCALARS_1(a) const T a = (T)*scalars++;
#define SCALARS_2(a, ...) SCALARS_1(a) SCALARS_1(__VA_ARGS__)
#define SCALARS_3(a, ...) SCALARS_1(a) SCALARS_2(__VA_ARGS__)
#define SCALARS_4(a, ...) SCALARS_1(a) SCALARS_3(__VA_ARGS__)
#define SCALARS_5(a, ...) SCALARS_1(a) SCALARS_4(__VA_ARGS__)
#define SCALARS_6(a, ...) SCALARS_1(a) SCALARS_5(__VA_ARGS__)
#define LOAD_0
#define LOAD_1 T a = a_data[i];
#define LOAD_2 LOAD_1 T b = b_data[i];
#define LOAD_3 LOAD_2 T c = c_data[i];
#define SAVE_0
#define SAVE_1 a_data[i] = a;
#define SAVE_2 SAVE_1 b_data[i] = b;
#define SAVE_3 SAVE_2 c_data[i] = c;

#define UPDATE_LOOP(name, slot_count, scalar_names, ...)                                                             \
    static void ISA_NAME(CYOPS_JOIN(step_##name, SUFFIX))(void *parameter, const void *gradient,                     \
                                                          void *const slots[CYOPS_MAX_SLOTS], const double *scalars, \
                                                          cyops_step_factors factors, ptrdiff_t n) {                 \
        T *restrict w_data = parameter, *restrict a_data = slots[0], *restrict b_data = slots[1],                    \
                    *restrict c_data = slots[2];                                                                     \
        const T *restrict g_data = gradient;                                                                         \
        const T w_factor = (T)factors.parameter, g_factor = (T)factors.gradient;                                     \
        (void)a_data, (void)b_data, (void)c_data;                                                                    \
        SCALARS scalar_names for (ptrdiff_t i = 0; i < n; i++) {                                                     \
            const T g = g_data[i] * g_factor;                                                                        \
            T w = w_data[i] * w_factor;                                                                              \
            LOAD_##slot_count __VA_ARGS__;                                                                           \
            w_data[i] = w;                                                                                           \
            SAVE_##slot_count                                                                                        \
        }                                                                                                            \
    }

#define T float
#define SUFFIX f32
#define SQRT __builtin_sqrtf
CYOPS_UPDATE_STEPS(UPDATE_LOOP)
#undef T
#undef SUFFIX
#undef SQRT

#define T double
#define SUFFIX f64
#define SQRT __builtin_sqrt
CYOPS_UPDATE_STEPS(UPDATE_LOOP)
#undef T
#undef SUFFIX
#undef SQRT

#define UPDATE_ROW(name, ...) \
    [CYOPS_STEP_##name] = {ISA_NAME(CYOPS_JOIN(step_##name, f32)), ISA_NAME(CYOPS_JOIN(step_##name, f64))},

static const cyops_update_kernels ISA_NAME(cyops_update_kernels) = {.loops = {CYOPS_UPDATE_STEPS(UPDATE_ROW)}};
