/* Gathering, pooling, depthwise convolution, normalization, optimizer steps. */
#include "selftest.h"

static char memory[6][2 * MOST * 8];
static const int DTYPES[2] = {CYOPS_FLOAT32, CYOPS_FLOAT64};

void test_gathering(void) {
    const ptrdiff_t of_x[2] = {11, 23}, of_rows[2] = {7, 23};
    const int64_t positions[7] = {3, 3, 10, 0, 5, 3, 9};
    for (int t = 0; t < 2; t++)
        for (int layout = 0; layout < 4; layout++) {
            const cyops_view x = view_of(memory[0], DTYPES[t], 2, of_x, layout);
            const cyops_view rows = view_of(memory[1], DTYPES[t], 2, of_rows, 0),
                             sums = view_of(memory[2], DTYPES[t], 2, of_x, layout);
            fill(&x, 1, 0);
            memset(memory[2], 0, sizeof memory[2]);
            expect_status(cyops_take(&rows, &x, 0, positions, 7), "take");
            expect_status(cyops_scatter_add(&sums, &rows, 0, positions, 7), "scatter_add");
            for (ptrdiff_t j = 0; j < 23; j++) {
                double wanted[11] = {0};
                for (int i = 0; i < 7; i++) {
                    const double at = value_at(&x, positions[i] * x.strides[0] + j * x.strides[1]);
                    expect(value_at(&rows, i * 23 + j), at, 0, "take", i * 23 + j);
                    wanted[positions[i]] += at;
                }
                for (ptrdiff_t i = 0; i < 11; i++)
                    expect(value_at(&sums, i * sums.strides[0] + j * sums.strides[1]), wanted[i],
                           tolerance_of(DTYPES[t]), "scatter_add", i);
            }
        }
}

/* -- windows ------------------------------------------------------------------------------------------------------- */
static void one_pool(int dtype, int is_mean, int layout) {
    const ptrdiff_t of_x[2] = {29, 13}, of_out[2] = {10, 13}, size = 4, stride = 3, before = 1;
    const cyops_view x = view_of(memory[0], dtype, 2, of_x, layout), out = view_of(memory[1], dtype, 2, of_out, 0);
    cyops_pool_window windows[10];
    cyops_pool_axis axes[2] = {{.windows = windows, .number_step = 1, .numbers = size}, {0}};
    fill(&x, 1, 0);
    cyops_pooling_windows(windows, 10, 29, size, stride, before);
    axes[0].step = 1;
    axes[0].advance = stride;
    cyops_find_runs(windows, 10, 1, stride);
    expect_status(cyops_fold_windows(is_mean ? CYOPS_POOL_MEAN : CYOPS_POOL_LARGEST, &out, &x, NULL, axes), "pool");
    for (ptrdiff_t i = 0; i < 10; i++)
        for (ptrdiff_t j = 0; j < 13; j++) {
            double sum = 0, largest = -INFINITY;
            int count = 0;
            for (ptrdiff_t k = i * stride - before; k < i * stride - before + size; k++)
                if (k >= 0 && k < 29) {
                    const double at = value_at(&x, k * x.strides[0] + j * x.strides[1]);
                    sum += at;
                    largest = at > largest ? at : largest;
                    count++;
                }
            expect(value_at(&out, i * 13 + j), is_mean ? sum / count : largest, tolerance_of(dtype), "pool",
                   i * 13 + j);
        }
}

static void one_depthwise(int dtype) {
    const ptrdiff_t of_x[2] = {25, 17}, of_kernel[2] = {3, 17}, of_out[2] = {25, 17};
    const cyops_view x = view_of(memory[0], dtype, 2, of_x, 0), kernel = view_of(memory[1], dtype, 2, of_kernel, 0);
    const cyops_view out = view_of(memory[2], dtype, 2, of_out, 0);
    fill(&x, 1, 0);
    fill(&kernel, 1, 0);
    const cyops_conv_axis one = {.length = 1, .positions = 1, .taps = 1, .step = 1, .tap_step = 1};
    const cyops_depthwise_call call = {.dtype = dtype,
                                       .samples = 1,
                                       .channels = 17,
                                       .multiplier = 1,
                                       .depth = 1,
                                       .axes = {one, one, {25, 25, 3, -1, 1, 1, 17, 17, 17}},
                                       .x = x.data,
                                       .kernel = kernel.data,
                                       .out = out.data,
                                       .x_channel = 1,
                                       .kernel_channel = 1,
                                       .out_channel = 1};
    expect_status(cyops_depthwise(&call), "depthwise");
    for (ptrdiff_t o = 0; o < 25; o++)
        for (ptrdiff_t c = 0; c < 17; c++) {
            double sum = 0;
            for (ptrdiff_t k = 0; k < 3; k++)
                if (o + k >= 1 && o + k - 1 < 25)
                    sum += value_at(&x, (o + k - 1) * 17 + c) * value_at(&kernel, k * 17 + c);
            expect(value_at(&out, o * 17 + c), sum, tolerance_of(dtype), "depthwise", o * 17 + c);
        }
}

void test_windows(void) {
    for (int t = 0; t < 2; t++) {
        for (int layout = 0; layout < 4; layout++) {
            one_pool(DTYPES[t], 0, layout);
            one_pool(DTYPES[t], 1, layout);
        }
        one_depthwise(DTYPES[t]);
    }
}

/* -- normalization ------------------------------------------------------------------------------------------------- */
void test_normalization(void) {
    const ptrdiff_t shape[2] = {31, 19};
    double mean[19], variance[19], slope[19], offset[19];
    for (int t = 0; t < 2; t++) {
        const cyops_view x = view_of(memory[0], DTYPES[t], 2, shape, 0),
                         out = view_of(memory[1], DTYPES[t], 2, shape, 0);
        fill(&x, 2, 1);
        expect_status(cyops_channel_moments(&x, 1, mean, variance), "moments");
        for (ptrdiff_t c = 0; c < 19; c++) {
            double sum = 0, squares = 0;
            for (ptrdiff_t i = 0; i < 31; i++) sum += value_at(&x, i * 19 + c);
            for (ptrdiff_t i = 0; i < 31; i++) squares += pow(value_at(&x, i * 19 + c) - sum / 31, 2);
            expect(mean[c], sum / 31, tolerance_of(DTYPES[t]), "mean", c);
            expect(variance[c], squares / 31, tolerance_of(DTYPES[t]), "variance", c);
            slope[c] = 1 / sqrt(variance[c] + 1e-3);
            offset[c] = 0.1 * (double)c;
        }
        expect_status(cyops_channel_normalize(&out, &x, NULL, 1, mean, slope, NULL, offset), "normalize");
        for (ptrdiff_t i = 0; i < x.size; i++)
            expect(value_at(&out, i), (value_at(&x, i) - mean[i % 19]) * slope[i % 19] + offset[i % 19],
                   4 * tolerance_of(DTYPES[t]), "normalize", i);
    }
}

/* -- optimizer steps ----------------------------------------------------------------------------------------------- */
void test_steps(void) {
    const ptrdiff_t shape[1] = {301};
    const double rate = 0.1, rest_1 = 0.1, rest_2 = 0.001, epsilon = 1e-7;
    for (int t = 0; t < 2; t++)
        for (int is_adam = 0; is_adam < 2; is_adam++) {
            cyops_view v[4];
            double before[4][301];
            for (int k = 0; k < 4; k++) {
                v[k] = view_of(memory[k], DTYPES[t], 1, shape, k);
                fill(&v[k], 1, k == 3 ? 1.5 : 0);
                for (ptrdiff_t i = 0; i < 301; i++) before[k][i] = value_at(&v[k], offset_of(&v[k], i));
            }
            const cyops_parameter parameter = {&v[0], &v[1], {&v[2], &v[3], NULL}, {1, 1}};
            const double of_adam[] = {rate, rest_1, rest_2, epsilon};
            expect_status(cyops_update(is_adam ? CYOPS_STEP_adam : CYOPS_STEP_sgd, &parameter, 1, of_adam), "step");
            for (ptrdiff_t i = 0; i < 301; i++) {
                const double g = before[1][i], a = before[2][i] + (g - before[2][i]) * rest_1;
                const double b = before[3][i] + (g * g - before[3][i]) * rest_2;
                const double wanted = before[0][i] - (is_adam ? a * rate / (sqrt(b) + epsilon) : g * rate);
                expect(value_at(&v[0], offset_of(&v[0], i)), wanted, 2 * tolerance_of(DTYPES[t]), "step", i);
            }
        }
}
