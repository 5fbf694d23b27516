/* Elementwise ops and casts. */
#include "selftest.h"

static double sign_of(double x) { return x > 0 ? 1 : x < 0 ? -1 : x == 0 ? 0 : x; }
static double remainder_of(double a, double b) {
    const double r = fmod(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

/* What an op gives for its operands, in double precision. */
static double reference(int op, double a, double b, double c) {
    switch (op) {
        case CYOPS_OP_add: return a + b;
        case CYOPS_OP_subtract: return a - b;
        case CYOPS_OP_multiply: return a * b;
        case CYOPS_OP_divide: return a / b;
        case CYOPS_OP_floor_divide: return floor(a / b);
        case CYOPS_OP_remainder: return remainder_of(a, b);
        case CYOPS_OP_pow: return pow(a, b);
        case CYOPS_OP_maximum: return a > b ? a : b;
        case CYOPS_OP_minimum: return a < b ? a : b;
        case CYOPS_OP_negative: return -a;
        case CYOPS_OP_abs: return fabs(a);
        case CYOPS_OP_sign: return sign_of(a);
        case CYOPS_OP_square: return a * a;
        case CYOPS_OP_reciprocal: return 1 / a;
        case CYOPS_OP_floor: return floor(a);
        case CYOPS_OP_ceil: return ceil(a);
        case CYOPS_OP_round: return nearbyint(a);
        case CYOPS_OP_relu: return a > 0 ? a : 0;
        case CYOPS_OP_relu_gradient: return b > 0 ? a : 0;
        case CYOPS_OP_clip: return a < b ? b : a > c ? c : a;
        case CYOPS_OP_exp: return exp(a);
        case CYOPS_OP_expm1: return expm1(a);
        case CYOPS_OP_log: return log(a);
        case CYOPS_OP_log1p: return log1p(a);
        case CYOPS_OP_sqrt: return sqrt(a);
        case CYOPS_OP_tanh: return tanh(a);
        case CYOPS_OP_sigmoid: return 1 / (1 + exp(-a));
        case CYOPS_OP_erf: return erf(a);
        case CYOPS_OP_sin: return sin(a);
        case CYOPS_OP_cos: return cos(a);
        case CYOPS_OP_tan: return tan(a);
        case CYOPS_OP_asin: return asin(a);
        case CYOPS_OP_acos: return acos(a);
        case CYOPS_OP_atan: return atan(a);
        case CYOPS_OP_atan2: return atan2(a, b);
        case CYOPS_OP_sinh: return sinh(a);
        case CYOPS_OP_cosh: return cosh(a);
        case CYOPS_OP_asinh: return asinh(a);
        case CYOPS_OP_acosh: return acosh(a);
        case CYOPS_OP_atanh: return atanh(a);
        case CYOPS_OP_equal: return a == b;
        case CYOPS_OP_not_equal: return a != b;
        case CYOPS_OP_less: return a < b;
        case CYOPS_OP_less_equal: return a <= b;
        case CYOPS_OP_greater: return a > b;
        case CYOPS_OP_greater_equal: return a >= b;
        case CYOPS_OP_isnan: return isnan(a);
        case CYOPS_OP_isfinite: return isfinite(a);
        case CYOPS_OP_isinf: return isinf(a) != 0;
        case CYOPS_OP_logical_not: return a == 0;
        case CYOPS_OP_logical_and: return a != 0 && b != 0;
        case CYOPS_OP_logical_or: return a != 0 || b != 0;
        default: return a != 0 ? b : c; /* where */
    }
}

static int gives_bools(int op) {
    const char *domain = cyops_elementwise_ops[op].domain;
    return !strcmp(domain, "PREDICATE") || !strcmp(domain, "COMPARISON") || !strcmp(domain, "LOGICAL");
}

static void one_op(int op, int dtype, int layout, ptrdiff_t n) {
    static char memory[4][2 * MOST * 8];
    const cyops_op_row *row = &cyops_elementwise_ops[op];
    const ptrdiff_t shape[2] = {3, n};
    const cyops_view out = view_of(memory[3], gives_bools(op) ? CYOPS_BOOL : dtype, 2, shape, 0);
    cyops_view inputs[3];
    const cyops_view *given[3];
    if (!strcmp(row->domain, "LOGICAL")) dtype = CYOPS_BOOL; /* which its operands become before */
    const int is_floating = cyops_is_floating(dtype), is_choice = op == CYOPS_OP_where;
    for (int k = 0; k < row->inputs; k++) {
        inputs[k] = view_of(memory[k], is_choice && k == 0 ? CYOPS_BOOL : dtype, 2, shape, k == 1 ? 0 : layout);
        fill(&inputs[k], is_floating ? 3 : 20, op == CYOPS_OP_acosh || op == CYOPS_OP_pow ? 4 : is_floating ? 0 : 25);
        if (op == CYOPS_OP_clip && k > 0) fill(&inputs[k], 0.4, k == 1 ? -1 : 1);
        if (k == 1 && layout == 1) inputs[k].strides[0] = inputs[k].strides[1] = 0; /* one number */
        given[k] = &inputs[k];
    }
    expect_status(cyops_elementwise(op, &out, given), row->name);
    const double ulps = row->ulps[dtype == CYOPS_FLOAT64] + row->ulps[2 + (dtype == CYOPS_FLOAT64)] + 1;
    const double tolerance = is_floating ? ulps * (dtype == CYOPS_FLOAT64 ? 0x1p-52 : 0x1p-23) : 0;
    for (ptrdiff_t i = 0; i < out.size; i++) {
        double x[3] = {0};
        for (int k = 0; k < row->inputs; k++) x[k] = value_at(&inputs[k], offset_of(&inputs[k], i));
        expect(value_at(&out, offset_of(&out, i)), reference(op, x[0], x[1], x[2]), tolerance, row->name, i);
    }
}

void test_elementwise(void) {
    const ptrdiff_t lengths[] = {1, 3, 8, 17, 200};
    for (int op = 0; op < CYOPS_OP_COUNT; op++)
        for (int layout = 0; layout < 4; layout++)
            for (int l = 0; l < 5; l++) {
                one_op(op, CYOPS_FLOAT32, layout, lengths[l]);
                one_op(op, CYOPS_FLOAT64, layout, lengths[l]);
            }
    const int of_integers[] = {CYOPS_OP_add,     CYOPS_OP_subtract,     CYOPS_OP_multiply,
                               CYOPS_OP_maximum, CYOPS_OP_minimum,      CYOPS_OP_less,
                               CYOPS_OP_equal,   CYOPS_OP_floor_divide, CYOPS_OP_remainder};
    for (int k = 0; k < 9; k++)
        for (int layout = 0; layout < 4; layout++) {
            one_op(of_integers[k], CYOPS_INT32, layout, 33);
            one_op(of_integers[k], CYOPS_INT64, layout, 33);
        }
}

/* Whole numbers that every dtype holds, and halves through float32. */
void test_casts(void) {
    static char from[2 * MOST * 16], to[2 * MOST * 16], back[2 * MOST * 16];
    const ptrdiff_t shape[2] = {3, 43};
    for (int a = 0; a < CYOPS_BYTES; a++)
        for (int b = 0; b < CYOPS_BYTES; b++) {
            if (a == CYOPS_BOOL || b == CYOPS_BOOL || cyops_is_complex(a) || cyops_is_complex(b)) continue;
            const cyops_view x = view_of(from, CYOPS_FLOAT64, 2, shape, 0), y = view_of(to, a, 2, shape, b % 4);
            const cyops_view z = view_of(back, b, 2, shape, a % 4);
            for (ptrdiff_t i = 0; i < x.size; i++) set_value(&x, i, (double)(i % 100));
            expect_status(cyops_cast(&y, &x) || cyops_cast(&z, &y) || cyops_cast(&x, &z), cyops_dtypes[a].name);
            for (ptrdiff_t i = 0; i < x.size; i++)
                expect(value_at(&x, i), (double)(i % 100), 0, cyops_dtypes[b].name, i);
        }
}
