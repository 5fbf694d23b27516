/* Matrix products of integers and bools: plain loops over any strides.
 *
 * Sums are taken in 64 bits and cut to the result's dtype, which gives what adding in that dtype modulo 2^bits gives;
 * bool is "or" of "and". A block of a row of C is kept in an array while k runs, so that B is read along its rows.
 */
#include "gemm/problem.h"

#define COLUMNS 256 /* 2 KB of sums: small beside L1, long beside the loop's overhead */

#define ROW_PRODUCT(T, name)                                                                               \
    static void row_product_##name(ptrdiff_t n, ptrdiff_t k, const char *a, ptrdiff_t cs_a, const char *b, \
                                   ptrdiff_t rs_b, ptrdiff_t cs_b, char *c, ptrdiff_t cs_c) {              \
        uint64_t sums[COLUMNS] = {0};                                                                      \
        for (ptrdiff_t p = 0; p < k; p++) {                                                                \
            uint64_t x = (uint64_t)((const T *)a)[p * cs_a];                                               \
            const T *row = (const T *)b + p * rs_b;                                                        \
            if (cs_b == 1)                                                                                 \
                for (ptrdiff_t j = 0; j < n; j++) sums[j] += x * (uint64_t)row[j];                         \
            else                                                                                           \
                for (ptrdiff_t j = 0; j < n; j++) sums[j] += x * (uint64_t)row[j * cs_b];                  \
        }                                                                                                  \
        for (ptrdiff_t j = 0; j < n; j++) ((T *)c)[j * cs_c] = RESULT(T, sums[j]);                         \
    }

#define RESULT(T, sum) ((T)(sum))
ROW_PRODUCT(int8_t, int8)
ROW_PRODUCT(int16_t, int16)
ROW_PRODUCT(int32_t, int32)
ROW_PRODUCT(int64_t, int64)
ROW_PRODUCT(uint8_t, uint8)
ROW_PRODUCT(uint16_t, uint16)
ROW_PRODUCT(uint32_t, uint32)
ROW_PRODUCT(uint64_t, uint64)
#undef RESULT
#define RESULT(T, sum) ((sum) != 0)
ROW_PRODUCT(uint8_t, bool)

typedef void (*row_product)(ptrdiff_t n, ptrdiff_t k, const char *a, ptrdiff_t cs_a, const char *b, ptrdiff_t rs_b,
                            ptrdiff_t cs_b, char *c, ptrdiff_t cs_c);

static const row_product row_products[] = {
    [CYOPS_BOOL] = row_product_bool,     [CYOPS_INT8] = row_product_int8,     [CYOPS_INT16] = row_product_int16,
    [CYOPS_INT32] = row_product_int32,   [CYOPS_INT64] = row_product_int64,   [CYOPS_UINT8] = row_product_uint8,
    [CYOPS_UINT16] = row_product_uint16, [CYOPS_UINT32] = row_product_uint32, [CYOPS_UINT64] = row_product_uint64,
};

int cyops_matmul_integer(const cyops_view *out, const cyops_view *a, const cyops_view *b) {
    if (!cyops_is_integer(out->dtype) && out->dtype != CYOPS_BOOL) return CYOPS_NO_KERNEL;
    int row = out->ndim - 2, column = out->ndim - 1;
    ptrdiff_t m = out->shape[row], n = out->shape[column], k = a->shape[column], itemsize = out->itemsize;
    ptrdiff_t cs_b = b->strides[column], cs_c = out->strides[column];
    for (ptrdiff_t item = 0, items = out->size / (m * n); item < items; item++) {
        const char *item_a = a->data + gemm_offset(row, a->shape, a->strides, item) * itemsize;
        const char *item_b = b->data + gemm_offset(row, b->shape, b->strides, item) * itemsize;
        char *item_c = out->data + gemm_offset(row, out->shape, out->strides, item) * itemsize;
        for (ptrdiff_t j = 0; j < n; j += COLUMNS)
            for (ptrdiff_t i = 0; i < m; i++)
                row_products[out->dtype](gemm_least(COLUMNS, n - j), k, item_a + i * a->strides[row] * itemsize,
                                         a->strides[column], item_b + j * cs_b * itemsize, b->strides[row], cs_b,
                                         item_c + (i * out->strides[row] + j * cs_c) * itemsize, cs_c);
    }
    return CYOPS_OK;
}
