/* Packing an operand times the gradient of relu: the prologue of the products that go back through a layer. */
#include "gemm/problem.h"

#define DEPTH 16 /* rows of the mask packed at a time: 2 KB, which stay in L1 */

void cyops_gemm_pack_masked(const cyops_gemm_type *type, ptrdiff_t width, ptrdiff_t stored, ptrdiff_t depth,
                            const char *x, ptrdiff_t ws, ptrdiff_t ks, const char *y, ptrdiff_t ws_y, ptrdiff_t ks_y,
                            char *out) {
    _Alignas(64) char mask[DEPTH * CYOPS_GEMM_MAX_NR * sizeof(double) + 64];
    const ptrdiff_t itemsize = type->itemsize, inner[3] = {1, 1, 1}, outer[3] = {0, 0, 0};
    const int dtype = itemsize == sizeof(float) ? CYOPS_FLOAT32 : CYOPS_FLOAT64;
    const cyops_loop keep_where_positive = cyops_active->elementwise->loops[CYOPS_OP_relu_gradient][dtype];
    type->pack(width, stored, depth, x, ws, ks, out);
    for (ptrdiff_t k = 0; k < depth; k += DEPTH) {
        ptrdiff_t rows = gemm_least(DEPTH, depth - k);
        char *part = out + k * stored * itemsize, *const data[3] = {part, part, mask};
        type->pack(width, stored, rows, y + k * ks_y * itemsize, ws_y, ks_y, mask);
        keep_where_positive(data, inner, outer, rows * stored, 1);
    }
}
