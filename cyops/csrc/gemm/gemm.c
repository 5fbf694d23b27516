/* Matrix products of views: brings any strides and any batch axes into the form the drivers want. See gemm.h. */
#include "gemm/problem.h"
#include "runtime/pool.h"
#include "runtime/scratch.h"

#include <string.h>

/* One product of a batch below this many operations is computed by one thread, and several at a time. */
#define SMALL_PRODUCT 4e6
#define BEGINNING 1e4 /* operations that take as long as beginning a product, 50 ns */

typedef struct {
    gemm_problem problem; /* of the first product */
    int one_column; /* of each product as the caller sees it: another order of summation, whatever the strides */
    ptrdiff_t count, chunk;
    _Atomic int status;
    int ndim; /* the batch axes in which b differs */
    ptrdiff_t shape[CYOPS_MAX_NDIM];
    ptrdiff_t strides_a[CYOPS_MAX_NDIM], strides_b[CYOPS_MAX_NDIM], strides_c[CYOPS_MAX_NDIM];
} gemm_batch;

/* A batch axis along which b repeats is more rows of a and c where their strides allow it, else one more axis of items.
 * Called from the innermost axis outward. */
static void add_shared_axis(gemm_problem *p, ptrdiff_t length, ptrdiff_t stride_a, ptrdiff_t stride_c) {
    if (p->items == 1 && p->m == 1) {
        p->rs_a = stride_a;
        p->rs_c = stride_c;
        p->m = length;
    } else if (p->items == 1 && stride_a == p->m * p->rs_a && stride_c == p->m * p->rs_c) {
        p->m *= length;
    } else {
        memmove(p->shape + 1, p->shape, p->ndim * sizeof *p->shape);
        memmove(p->strides_a + 1, p->strides_a, p->ndim * sizeof *p->strides_a);
        memmove(p->strides_c + 1, p->strides_c, p->ndim * sizeof *p->strides_c);
        p->shape[0] = length;
        p->strides_a[0] = stride_a;
        p->strides_c[0] = stride_c;
        p->ndim++;
        p->items *= length;
    }
}

/* A batch axis along which a repeats is more columns of b and c where they lie side by side. */
static int add_columns(gemm_problem *p, const gemm_batch *batch, ptrdiff_t length, ptrdiff_t stride_b,
                       ptrdiff_t stride_c) {
    if (batch->one_column || batch->ndim > 0 || p->bias != NULL) return 0;
    if (stride_b != p->n * p->cs_b || stride_c != p->n) return 0;
    p->n *= length;
    return 1;
}

/* The problem of the last two axes, and the batch axes sorted into those b has and those it has not. */
static void describe(gemm_batch *batch, const cyops_view *out, const cyops_view *a, const cyops_view *b) {
    int row = out->ndim - 2, column = out->ndim - 1;
    gemm_problem *p = &batch->problem;
    p->m = out->shape[row];
    p->n = out->shape[column];
    p->k = a->shape[column];
    p->a = a->data;
    p->b = b->data;
    p->c = out->data;
    p->rs_a = a->strides[row];
    p->cs_a = a->strides[column];
    p->rs_b = b->strides[row];
    p->cs_b = p->n == 1 ? 1 : b->strides[column];
    p->rs_c = out->strides[row];
    p->items = 1;
    batch->one_column = p->n == 1;
    batch->count = 1;
    for (int axis = row - 1; axis >= 0; axis--) {
        ptrdiff_t length = out->shape[axis];
        if (length == 1) continue;
        if (b->strides[axis] == 0) {
            add_shared_axis(p, length, a->strides[axis], out->strides[axis]);
            continue;
        }
        if (a->strides[axis] == 0 && add_columns(p, batch, length, b->strides[axis], out->strides[axis])) continue;
        int last = CYOPS_MAX_NDIM - 1 - batch->ndim++;
        batch->shape[last] = length;
        batch->strides_a[last] = a->strides[axis];
        batch->strides_b[last] = b->strides[axis];
        batch->strides_c[last] = out->strides[axis];
        batch->count *= length;
    }
}

/* Few rows, and a B that does not fit the second-level cache beside the rest: docs/kernels.md, Matrix products.
 * The bits are the same. */
static int is_skinny(const gemm_problem *p) {
    if (p->mask_a.data != NULL || p->mask_b.data != NULL || p->column_sums != NULL) return 0;
    const ptrdiff_t large = p->m <= 6 ? 1 << 20 : 2 << 20;
    return p->m <= 32 && p->items == 1 && p->cs_b == 1 && p->k >= 64 && p->n * p->k * p->type->itemsize > large;
}

static int multiply_nth(const gemm_batch *batch, ptrdiff_t index) {
    gemm_problem p = batch->problem;
    int first = CYOPS_MAX_NDIM - batch->ndim;
    const ptrdiff_t *shape = batch->shape + first;
    p.a += gemm_offset(batch->ndim, shape, batch->strides_a + first, index) * p.type->itemsize;
    p.b += gemm_offset(batch->ndim, shape, batch->strides_b + first, index) * p.type->itemsize;
    p.c += gemm_offset(batch->ndim, shape, batch->strides_c + first, index) * p.type->itemsize;
    if (batch->one_column && p.mask_a.data == NULL) return cyops_gemm_dot(&p);
    if (is_skinny(&p)) return cyops_gemm_skinny(&p);
    if (cyops_gemm_suits_narrow(&p)) return cyops_gemm_narrow(&p);
    return cyops_gemm_blocked(&p);
}

static void multiply_chunk(void *context, ptrdiff_t tile) {
    gemm_batch *batch = context;
    ptrdiff_t end = gemm_least((tile + 1) * batch->chunk, batch->count);
    for (ptrdiff_t i = tile * batch->chunk; i < end; i++) {
        int status = multiply_nth(batch, i);
        if (status != CYOPS_OK) batch->status = status;
    }
}

static int multiply_all(gemm_batch *batch) {
    const gemm_problem *p = &batch->problem;
    double each = BEGINNING + 2.0 * p->m * p->n * p->k * p->items;
    int status = CYOPS_OK;
    if (batch->count > 1 && each < SMALL_PRODUCT && gemm_is_worth_sharing(each * batch->count)) {
        batch->chunk = (ptrdiff_t)(SMALL_PRODUCT / 4 / each) + 1;
        cyops_parallel(gemm_ceil_div(batch->count, batch->chunk), multiply_chunk, batch);
        return batch->status;
    }
    for (ptrdiff_t i = 0; i < batch->count && status == CYOPS_OK; i++) status = multiply_nth(batch, i);
    return status;
}

/* Copies between two views of one shape and of items of 4 or 8 bytes. */
static void copy_view(const cyops_view *to, const cyops_view *from) {
    int ndim = to->ndim - 1;
    ptrdiff_t columns = to->shape[ndim], stride_to = to->strides[ndim], stride_from = from->strides[ndim];
    for (ptrdiff_t row = 0, rows = to->size / columns; row < rows; row++) {
        char *q = to->data + gemm_offset(ndim, to->shape, to->strides, row) * to->itemsize;
        const char *p = from->data + gemm_offset(ndim, from->shape, from->strides, row) * to->itemsize;
        if (to->itemsize == sizeof(float))
            for (ptrdiff_t j = 0; j < columns; j++) ((float *)q)[j * stride_to] = ((const float *)p)[j * stride_from];
        else
            for (ptrdiff_t j = 0; j < columns; j++) ((double *)q)[j * stride_to] = ((const double *)p)[j * stride_from];
    }
}

/* A product whose result has no axis of unit stride where it is needed: computed in scratch, then copied. */
static int multiply_through_copy(const cyops_view *out, const cyops_view *a, const cyops_view *b,
                                 const cyops_fusion *fusion) {
    cyops_view copy = *out;
    ptrdiff_t stride = 1;
    for (int axis = out->ndim - 1; axis >= 0; axis--) {
        copy.strides[axis] = out->shape[axis] > 1 ? stride : 0;
        stride *= out->shape[axis];
    }
    copy.data = cyops_take_scratch(out->size * out->itemsize);
    if (copy.data == NULL) return CYOPS_NO_MEMORY;
    if (fusion->accumulate) copy_view(&copy, out);
    int status = cyops_matmul(&copy, a, b, fusion);
    if (status == CYOPS_OK) copy_view(out, &copy);
    cyops_give_scratch(copy.data);
    return status;
}

static cyops_view transposed(const cyops_view *x) {
    cyops_view t = *x;
    int row = x->ndim - 2, column = x->ndim - 1;
    t.shape[row] = x->shape[column];
    t.shape[column] = x->shape[row];
    t.strides[row] = x->strides[column];
    t.strides[column] = x->strides[row];
    return t;
}

static gemm_mask mask_of(const cyops_view *mask) {
    if (mask == NULL) return (gemm_mask){NULL, 0, 0};
    return (gemm_mask){mask->data, mask->strides[mask->ndim - 2], mask->strides[mask->ndim - 1]};
}

/* As cyops_matmul, for an out whose columns lie side by side and a bias that does. */
static int multiply_to_rows(const cyops_view *out, const cyops_view *a, const cyops_view *b,
                            const cyops_fusion *fusion) {
    gemm_batch batch = {0};
    gemm_problem *p = &batch.problem;
    p->type = out->dtype == CYOPS_FLOAT32 ? cyops_active->gemm->f32 : cyops_active->gemm->f64;
    if (fusion->pairs) p->type = cyops_active->gemm->pairs->type;
    if (fusion->accumulate) p->flags |= CYOPS_GEMM_ADD;
    if (fusion->activation == CYOPS_ACTIVATION_RELU) p->flags |= CYOPS_GEMM_RELU;
    p->bias = fusion->bias == NULL ? NULL : fusion->bias->data;
    p->mask_a = mask_of(fusion->mask_a);
    p->mask_b = mask_of(fusion->mask_b);
    p->column_sums = fusion->column_sums == NULL ? NULL : fusion->column_sums->data;
    describe(&batch, out, a, b);
    return multiply_all(&batch);
}

static int multiply_with_strided_bias(const cyops_view *out, const cyops_view *a, const cyops_view *b,
                                      const cyops_fusion *fusion) {
    cyops_view copy = *fusion->bias;
    cyops_fusion with_copy = *fusion;
    with_copy.bias = &copy;
    copy.strides[0] = 1;
    copy.data = cyops_take_scratch(copy.size * copy.itemsize);
    if (copy.data == NULL) return CYOPS_NO_MEMORY;
    copy_view(&copy, fusion->bias);
    int status = multiply_to_rows(out, a, b, &with_copy);
    cyops_give_scratch(copy.data);
    return status;
}

int cyops_matmul(const cyops_view *out, const cyops_view *a, const cyops_view *b, const cyops_fusion *fusion) {
    int row = out->ndim - 2, column = out->ndim - 1;
    const cyops_view *bias = fusion->bias, *sums = fusion->column_sums;
    if (cyops_gemm_has_bfloat16(a, b, fusion)) return cyops_matmul_bfloat16(out, a, b, fusion);
    if (out->size == 0 && (sums == NULL || sums->size == 0)) return CYOPS_OK;
    if (out->dtype != CYOPS_FLOAT32 && out->dtype != CYOPS_FLOAT64) {
        int is_plain = bias == NULL && sums == NULL && !fusion->accumulate && !fusion->activation;
        return is_plain ? cyops_matmul_integer(out, a, b) : CYOPS_NO_KERNEL;
    }
    if (out->shape[column] == 1 || out->strides[column] == 1) {
        if (bias != NULL && bias->shape[0] > 1 && bias->strides[0] != 1)
            return multiply_with_strided_bias(out, a, b, fusion);
        return multiply_to_rows(out, a, b, fusion);
    }
    if (bias == NULL && out->strides[row] == 1) {
        cyops_view out_t = transposed(out), a_t = transposed(a), b_t = transposed(b);
        return multiply_to_rows(&out_t, &b_t, &a_t, fusion);
    }
    return multiply_through_copy(out, a, b, fusion);
}
