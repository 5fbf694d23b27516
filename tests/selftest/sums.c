/* Products, reductions, softmax and cross-entropy. */
#include "selftest.h"

static char memory[6][2 * MOST * 8];

static void one_product(int dtype, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, int layout, int relu, int accumulate) {
    const ptrdiff_t of_a[2] = {m, k}, of_b[2] = {k, n}, of_out[2] = {m, n}, of_bias[1] = {n};
    const cyops_view a = view_of(memory[0], dtype, 2, of_a, layout), b = view_of(memory[1], dtype, 2, of_b, layout / 2);
    const cyops_view out = view_of(memory[2], dtype, 2, of_out, layout % 2),
                     bias = view_of(memory[3], dtype, 1, of_bias, 0);
    const cyops_view before = view_of(memory[4], dtype, 2, of_out, layout % 2);
    const int is_floating = cyops_is_floating(dtype);
    fill(&a, is_floating ? 1 : 9, 0);
    fill(&b, is_floating ? 1 : 9, 0);
    fill(&out, is_floating ? 1 : 9, 0);
    fill(&bias, 1, 0);
    memcpy(memory[4], memory[2], sizeof memory[4]);
    const cyops_contraction call = {
        .dtype = dtype,
        .dtype_a = dtype,
        .dtype_b = dtype,
        .dtype_mask = dtype,
        .ndim = 3,
        .activation = relu ? CYOPS_ACTIVATION_RELU : CYOPS_ACTIVATION_NONE,
        .accumulate = accumulate,
        .a = a.data,
        .b = b.data,
        .out = out.data,
        .bias = relu ? bias.data : NULL,
        .axes = {
            {CYOPS_ROW, CYOPS_NO_WINDOW, 0, m, a.strides[0], 0, out.strides[0], 0, 0, 0},
            {CYOPS_COLUMN, CYOPS_NO_WINDOW, 0, n, 0, b.strides[1], out.strides[1], 0, relu ? bias.strides[0] : 0, 0},
            {CYOPS_SUMMED, CYOPS_NO_WINDOW, 0, k, a.strides[1], b.strides[0], 0, 0, 0, 0}}};
    expect_status(cyops_contract(&call), "product");
    for (ptrdiff_t i = 0; i < m; i++)
        for (ptrdiff_t j = 0; j < n; j++) {
            double sum = 0;
            for (ptrdiff_t l = 0; l < k; l++)
                sum += value_at(&a, i * a.strides[0] + l * a.strides[1]) *
                       value_at(&b, l * b.strides[0] + j * b.strides[1]);
            const ptrdiff_t place = i * out.strides[0] + j * out.strides[1];
            if (accumulate) sum += value_at(&before, place);
            if (relu) sum = fmax(sum + value_at(&bias, j * bias.strides[0]), 0);
            expect(value_at(&out, place), sum, 4 * tolerance_of(dtype), "product", i * n + j);
        }
}

void test_products(void) {
    const ptrdiff_t shapes[][3] = {{1, 1, 1},    {1, 40, 30}, {3, 5, 7},   {17, 33, 19},
                                   {40, 50, 60}, {30, 1, 40}, {14, 8, 100}};
    for (int s = 0; s < 7; s++)
        for (int layout = 0; layout < 4; layout++)
            for (int how = 0; how < 3; how++) {
                const ptrdiff_t m = shapes[s][0], n = shapes[s][1], k = shapes[s][2];
                one_product(CYOPS_FLOAT32, m, n, k, layout, how == 1, how == 2);
                one_product(CYOPS_FLOAT64, m, n, k, layout, how == 1, how == 2);
                if (how == 0) one_product(CYOPS_INT32, m, n, k, layout, 0, 0);
            }
}

/* -- reductions ---------------------------------------------------------------------------------------------------- */
static double reduced(int reduction, const double *x, ptrdiff_t n) {
    double sum = 0, product = 1, largest = x[0], smallest = x[0], squares = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        sum += x[i];
        product *= x[i];
        largest = x[i] > largest ? x[i] : largest;
        smallest = x[i] < smallest ? x[i] : smallest;
    }
    for (ptrdiff_t i = 0; i < n; i++) squares += (x[i] - sum / (double)n) * (x[i] - sum / (double)n);
    const double all[] = {sum, sum / (double)n, product, largest, smallest, squares / (double)n};
    return all[reduction];
}

static void one_reduction(int reduction, int dtype, int axis, int layout) {
    static double row[MOST];
    const ptrdiff_t shape[2] = {19, 37}, kept[1] = {axis == 0 ? 37 : 19};
    const cyops_view x = view_of(memory[0], dtype, 2, shape, layout), out = view_of(memory[1], dtype, 1, kept, 0);
    const cyops_view at = view_of(memory[2], CYOPS_INT64, 1, kept, 0);
    const char flags[2] = {axis == 0, axis == 1};
    fill(&x, cyops_is_floating(dtype) ? 1 : 5, cyops_is_floating(dtype) && reduction == CYOPS_REDUCE_PROD ? 1.5 : 0);
    expect_status(cyops_reduce(reduction, &out, &x, flags, 0), "reduction");
    const int has_place = reduction == CYOPS_REDUCE_MAX || reduction == CYOPS_REDUCE_MIN;
    if (has_place) expect_status(cyops_arg_reduce(reduction, &at, &x, flags), "position");
    for (ptrdiff_t j = 0; j < kept[0]; j++) {
        for (ptrdiff_t i = 0; i < shape[axis]; i++)
            row[i] = value_at(&x, i * x.strides[axis] + j * x.strides[1 - axis]);
        const double wanted = reduced(reduction, row, shape[axis]);
        expect(value_at(&out, j), wanted, 8 * tolerance_of(dtype), "reduction", j);
        if (has_place) expect(row[(ptrdiff_t)value_at(&at, j)], wanted, 0, "position", j);
    }
}

void test_reductions(void) {
    for (int reduction = 0; reduction < CYOPS_REDUCE_COUNT; reduction++)
        for (int axis = 0; axis < 2; axis++)
            for (int layout = 0; layout < 4; layout++) {
                one_reduction(reduction, CYOPS_FLOAT32, axis, layout);
                one_reduction(reduction, CYOPS_FLOAT64, axis, layout);
                if (reduction != CYOPS_REDUCE_MEAN && reduction != CYOPS_REDUCE_VAR && reduction != CYOPS_REDUCE_PROD)
                    one_reduction(reduction, CYOPS_INT64, axis, layout);
            }
}

/* -- rows ---------------------------------------------------------------------------------------------------------- */
static void one_softmax(int dtype, ptrdiff_t classes, int layout) {
    const ptrdiff_t shape[2] = {9, classes}, of_losses[1] = {9};
    const cyops_view x = view_of(memory[0], dtype, 2, shape, layout), d = view_of(memory[1], dtype, 2, shape, layout);
    const cyops_view y = view_of(memory[2], dtype, 2, shape, 0), g = view_of(memory[3], dtype, 2, shape, 0);
    const cyops_view losses = view_of(memory[4], dtype, 1, of_losses, 0),
                     labels = view_of(memory[5], CYOPS_INT64, 1, of_losses, 0);
    const cyops_view *of_x[] = {&x}, *of_gradient[] = {&d, &y};
    const double tolerance = 8 * tolerance_of(dtype);
    ptrdiff_t bad;
    fill(&x, 5, 0);
    fill(&d, 1, 0);
    for (ptrdiff_t i = 0; i < 9; i++) set_value(&labels, i, (double)(i * 7 % classes));
    for (int is_log = 0; is_log < 2; is_log++) {
        expect_status(cyops_rows(is_log ? CYOPS_ROWS_LOG_SOFTMAX : CYOPS_ROWS_SOFTMAX, &y, of_x, 1), "softmax");
        expect_status(
            cyops_rows(is_log ? CYOPS_ROWS_LOG_SOFTMAX_GRADIENT : CYOPS_ROWS_SOFTMAX_GRADIENT, &g, of_gradient, 1),
            "softmax gradient");
        for (ptrdiff_t i = 0; i < 9; i++) {
            double sum = 0, product = 0, of_d = 0;
            for (ptrdiff_t j = 0; j < classes; j++) sum += exp(value_at(&x, offset_of(&x, i * classes + j)));
            for (ptrdiff_t j = 0; j < classes; j++) {
                const double p = exp(value_at(&x, offset_of(&x, i * classes + j))) / sum,
                             dj = value_at(&d, offset_of(&d, i * classes + j));
                product += p * dj;
                of_d += dj;
            }
            for (ptrdiff_t j = 0; j < classes; j++) {
                const ptrdiff_t at = i * classes + j;
                const double p = exp(value_at(&x, offset_of(&x, at))) / sum, dj = value_at(&d, offset_of(&d, at));
                expect(value_at(&y, at), is_log ? log(p) : p, tolerance, "softmax", at);
                expect(value_at(&g, at), is_log ? dj - p * of_d : p * (dj - product), tolerance, "softmax gradient",
                       at);
            }
        }
    }
    expect_status(cyops_cross_entropy(&losses, &g, &x, &labels, 0.5, &bad), "cross-entropy");
    for (ptrdiff_t i = 0; i < 9; i++) {
        const ptrdiff_t label = (ptrdiff_t)value_at(&labels, i);
        expect(value_at(&losses, i), -value_at(&y, i * classes + label), tolerance, "cross-entropy", i);
        for (ptrdiff_t j = 0; j < classes; j++)
            expect(value_at(&g, i * classes + j), 0.5 * (exp(value_at(&y, i * classes + j)) - (j == label)), tolerance,
                   "cross-entropy gradient", i * classes + j);
    }
}

void test_rows(void) {
    const ptrdiff_t classes[] = {1, 3, 10, 33, 200};
    for (int c = 0; c < 5; c++)
        for (int layout = 0; layout < 4; layout++) {
            one_softmax(CYOPS_FLOAT32, classes[c], layout);
            one_softmax(CYOPS_FLOAT64, classes[c], layout);
        }
}
