/* Packing an operand times the gradient of relu: the prologue of the products that go back through a layer. */
#include "gemm/problem.h"

#define DEPTH 16 /* rows of the mask packed at a time: 2 KB, which stay in L1 */

static void keep_where_positive(const cyops_gemm_type *type, char *x, char *mask, ptrdiff_t count) {
    const ptrdiff_t inner[3] = {1, 1, 1}, outer[3] = {0, 0, 0};
    const int dtype = type->itemsize == sizeof(float) ? CYOPS_FLOAT32 : CYOPS_FLOAT64;
    char *const data[3] = {x, x, mask};
    cyops_active->elementwise->loops[CYOPS_OP_relu_gradient][dtype](data, inner, outer, count, 1);
}

void cyops_gemm_pack_masked(const cyops_gemm_type *type, ptrdiff_t width, ptrdiff_t stored, ptrdiff_t depth,
                            const char *x, ptrdiff_t ws, ptrdiff_t ks, const char *y, ptrdiff_t ws_y, ptrdiff_t ks_y,
                            char *out) {
    _Alignas(64) char mask[DEPTH * CYOPS_GEMM_MAX_NR * sizeof(double) + 64];
    const ptrdiff_t itemsize = type->itemsize;
    type->pack(width, stored, depth, x, ws, ks, out);
    for (ptrdiff_t k = 0; k < depth; k += DEPTH) {
        ptrdiff_t rows = gemm_least(DEPTH, depth - k);
        type->pack(width, stored, rows, y + k * ks_y * itemsize, ws_y, ks_y, mask);
        keep_where_positive(type, out + k * stored * itemsize, mask, rows * stored);
    }
}

void cyops_gemm_pack_walked(const cyops_gemm_type *type, const gemm_operand *x, const char *data,
                            const gemm_operand *of_mask, const char *mask, ptrdiff_t first, ptrdiff_t width,
                            ptrdiff_t stored, ptrdiff_t k, ptrdiff_t depth, char *out) {
    _Alignas(64) char packed_mask[DEPTH * CYOPS_GEMM_MAX_NR * sizeof(double) + 64];
    gemm_lanes lanes;
    cyops_gemm_find_lanes(x, first, width, &lanes);
    cyops_gemm_pack_lanes(type, x, data, &lanes, stored, k, depth, out);
    if (of_mask == NULL) return;
    cyops_gemm_find_lanes(of_mask, first, width, &lanes);
    for (ptrdiff_t end = k + depth; k < end; k += DEPTH) {
        ptrdiff_t rows = gemm_least(DEPTH, end - k);
        cyops_gemm_pack_lanes(type, of_mask, mask, &lanes, stored, k, rows, packed_mask);
        keep_where_positive(type, out, packed_mask, rows * stored);
        out += rows * stored * type->itemsize;
    }
}
