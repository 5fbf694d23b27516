/* Matrix products of bfloat16, summed in float32.
 *
 * Where the instruction set multiplies pairs (AVX-512 BF16: x0 y0 + x1 y1 added to a float32), an operand becomes a view
 * of half the depth whose elements are pairs of neighbours along k, 4 bytes each, and the product is that of float32
 * with another multiply-add: every driver, cut and strided path serves as it is. An operand whose k runs along memory
 * holds pairs already and is read in place; another is interleaved into scratch, and so is one with a mask. An odd depth
 * is filled up with zeros. Elsewhere the operands are widened to float32 in scratch. What both promise: docs/accuracy.md.
 */
#include "base/axes.h"
#include "elementwise/elementwise.h"
#include "gemm/problem.h"
#include "runtime/pool.h"
#include "runtime/scratch.h"

#define TILE 16384 /* pairs made at a time: about 5 us */
#define NANOSECONDS_A_PAIR 0.3

/* An operand on its way to pairs. Tensors of the walk: x, its mask, the pairs. */
typedef struct {
    const cyops_gemm_pairs *kernels;
    cyops_axes axes;
    const uint16_t *x, *mask; /* without a mask NULL */
    uint32_t *out;
    ptrdiff_t high, high_mask; /* from an element to the other of its pair, of x and of the mask */
    int is_half; /* only the low one is there */
} pairing;

static int is_bfloat16(const cyops_view *x) { return x == NULL || x->dtype == CYOPS_BFLOAT16; }

int cyops_gemm_has_bfloat16(const cyops_view *a, const cyops_view *b, const cyops_fusion *fusion) {
    return a->dtype == CYOPS_BFLOAT16 || b->dtype == CYOPS_BFLOAT16 ||
           (fusion->mask_a != NULL && is_bfloat16(fusion->mask_a)) ||
           (fusion->mask_b != NULL && is_bfloat16(fusion->mask_b));
}

/* x where y > 0, else 0: a NaN is not. */
static uint16_t keep_where_positive(uint16_t x, uint16_t y) { return (uint16_t)(y - 1) < 0x7f80 ? x : 0; }

/* The pairs of one run. */
static void pair_run(const pairing *job, const cyops_place *place, ptrdiff_t n) {
    const int has_axis = job->axes.ndim > 0;
    const ptrdiff_t stride = has_axis ? job->axes.strides[0][0] : 0;
    const ptrdiff_t mask_stride = has_axis ? job->axes.strides[1][0] : 0;
    const ptrdiff_t out_stride = has_axis ? job->axes.strides[2][0] : 0; /* 1, but where an odd depth is in between */
    const uint16_t *x = job->x + place->offset[0];
    const uint16_t *mask = job->mask == NULL ? NULL : job->mask + place->offset[1];
    uint32_t *out = job->out + place->offset[2];
    if (mask == NULL && !job->is_half && out_stride <= 1) {
        job->kernels->pair(n, x, stride, job->high, out);
        return;
    }
    for (ptrdiff_t i = 0; i < n; i++) {
        uint16_t low = x[i * stride], high = job->is_half ? 0 : x[i * stride + job->high];
        if (mask != NULL) {
            low = keep_where_positive(low, mask[i * mask_stride]);
            high = job->is_half ? 0 : keep_where_positive(high, mask[i * mask_stride + job->high_mask]);
        }
        out[i * out_stride] = low | (uint32_t)high << 16;
    }
}

static void pair_tile(void *context, ptrdiff_t tile) {
    const pairing *job = context;
    ptrdiff_t left = gemm_least(TILE, job->axes.count - tile * TILE);
    cyops_place place;
    cyops_walk_to(&job->axes, &place, tile * TILE);
    while (left > 0) {
        ptrdiff_t n = gemm_least(left, cyops_walk_run(&job->axes, &place));
        pair_run(job, &place, n);
        cyops_walk_on(&job->axes, &place, n);
        left -= n;
    }
}

static void make_pairs(pairing *job) {
    ptrdiff_t tiles = gemm_ceil_div(job->axes.count, TILE);
    if (cyops_is_worth_sharing(job->axes.count * NANOSECONDS_A_PAIR)) {
        cyops_parallel(tiles, pair_tile, job);
    } else {
        for (ptrdiff_t tile = 0; tile < tiles; tile++) pair_tile(job, tile);
    }
}

static ptrdiff_t size_of_stride(ptrdiff_t stride) { return stride < 0 ? -stride : stride; }

/* Gives the pairs of x, whose axis `k` is halved, their strides in scratch: in the order of x's in memory, which is
 * listed, innermost first. An axis that x repeats along is repeated along. Returns how many pairs there are. */
static ptrdiff_t lay_out_pairs(const cyops_view *x, cyops_view *pairs, int order[CYOPS_MAX_NDIM]) {
    for (int axis = 0; axis < x->ndim; axis++) {
        int place = axis;
        for (; place > 0; place--) {
            if (size_of_stride(x->strides[order[place - 1]]) <= size_of_stride(x->strides[axis])) break;
            order[place] = order[place - 1];
        }
        order[place] = axis;
    }
    ptrdiff_t stride = 1;
    for (int place = 0; place < x->ndim; place++) {
        int axis = order[place];
        int is_one = pairs->shape[axis] == 1 || x->strides[axis] == 0;
        pairs->strides[axis] = is_one ? 0 : stride;
        if (!is_one) stride *= pairs->shape[axis];
    }
    return stride;
}

/* The axes of the walk over whole pairs, or over what an odd depth leaves. */
static void list_axes(pairing *job, const cyops_view *x, const cyops_view *mask, const cyops_view *pairs, int k,
                      const int *order) {
    cyops_axes_begin(&job->axes, 3);
    for (int place = 0; place < x->ndim; place++) {
        int axis = order[place], step = axis == k ? 2 : 1;
        if (pairs->strides[axis] == 0 || (axis == k && job->is_half)) continue;
        const ptrdiff_t strides[3] = {step * x->strides[axis], mask == NULL ? 0 : step * mask->strides[axis],
                                      pairs->strides[axis]};
        cyops_axes_add(&job->axes, axis == k ? x->shape[k] / 2 : x->shape[axis], strides);
    }
    cyops_axes_merge(&job->axes);
}

/* Whether two neighbours along k lie side by side everywhere, aligned as pairs are. */
static int holds_pairs(const cyops_view *x, int k) {
    if (x->shape[k] % 2 != 0 || x->strides[k] != 1 || (uintptr_t)x->data % sizeof(uint32_t) != 0) return 0;
    for (int axis = 0; axis < x->ndim; axis++)
        if (axis != k && x->strides[axis] % 2 != 0) return 0;
    return 1;
}

/* `pairs` becomes x with its axis k in pairs, an element 0 where its mask is not positive; *scratch what is to be given
 * back. */
static int pair_operand(const cyops_view *x, const cyops_view *mask, int k, cyops_view *pairs, char **scratch) {
    *scratch = NULL;
    *pairs = *x;
    pairs->dtype = CYOPS_FLOAT32;
    pairs->itemsize = sizeof(uint32_t);
    pairs->shape[k] = gemm_ceil_div(x->shape[k], 2);
    if (mask == NULL && holds_pairs(x, k)) {
        for (int axis = 0; axis < x->ndim; axis++)
            pairs->strides[axis] = pairs->shape[axis] == 1 ? 0 : axis == k ? 1 : x->strides[axis] / 2;
        return CYOPS_OK;
    }
    cyops_view source = *x; /* repeats where pairs do: not where a mask differs or the last pair is half a one */
    if (x->shape[k] % 2 != 0 && x->strides[k] == 0) source.strides[k] = 1;
    for (int axis = 0; mask != NULL && axis < x->ndim; axis++)
        if (mask->strides[axis] != 0 && x->strides[axis] == 0) source.strides[axis] = mask->strides[axis];
    int order[CYOPS_MAX_NDIM];
    ptrdiff_t count = lay_out_pairs(&source, pairs, order);
    *scratch = cyops_take_scratch((size_t)count * sizeof(uint32_t));
    if (*scratch == NULL) return CYOPS_NO_MEMORY;
    pairs->data = *scratch;
    pairing job = {
        .kernels = cyops_active->gemm->pairs,
        .x = (const uint16_t *)x->data,
        .mask = mask == NULL ? NULL : (const uint16_t *)mask->data,
        .out = (uint32_t *)*scratch,
        .high = x->strides[k],
        .high_mask = mask == NULL ? 0 : mask->strides[k],
    };
    list_axes(&job, x, mask, pairs, k, order);
    if (x->shape[k] > 1) make_pairs(&job);
    if (x->shape[k] % 2 == 0) return CYOPS_OK;
    const ptrdiff_t last = x->shape[k] - 1;
    job.is_half = 1;
    job.x += last * x->strides[k];
    job.mask = mask == NULL ? NULL : job.mask + last * mask->strides[k];
    job.out += last / 2 * pairs->strides[k];
    list_axes(&job, x, mask, pairs, k, order);
    make_pairs(&job);
    return CYOPS_OK;
}

/* The sums over the rows of b (k, n), in ascending k. */
static void sum_columns(const cyops_view *sums, const cyops_view *b, const cyops_view *mask) {
    float *out = (float *)sums->data;
    for (ptrdiff_t j = 0; j < b->shape[1]; j++) out[j] = 0;
    for (ptrdiff_t k = 0; k < b->shape[0]; k++) {
        const uint16_t *x = (const uint16_t *)b->data + k * b->strides[0];
        const uint16_t *y = mask == NULL ? NULL : (const uint16_t *)mask->data + k * mask->strides[0];
        for (ptrdiff_t j = 0; j < b->shape[1]; j++) {
            const uint16_t kept = y == NULL ? x[j * b->strides[1]]
                                            : keep_where_positive(x[j * b->strides[1]], y[j * mask->strides[1]]);
            const union {
                uint32_t bits;
                float number;
            } widened = {(uint32_t)kept << 16};
            out[j] += widened.number;
        }
    }
}

static int multiply_pairs(const cyops_view *out, const cyops_view *a, const cyops_view *b, const cyops_fusion *fusion) {
    cyops_fusion rest = *fusion;
    cyops_view pairs_a, pairs_b;
    char *scratch_a = NULL, *scratch_b = NULL;
    if (fusion->column_sums != NULL) sum_columns(fusion->column_sums, b, fusion->mask_b);
    if (out->size == 0) return CYOPS_OK;
    rest.mask_a = rest.mask_b = rest.column_sums = NULL;
    rest.pairs = 1;
    int status = pair_operand(a, fusion->mask_a, a->ndim - 1, &pairs_a, &scratch_a);
    if (status == CYOPS_OK) status = pair_operand(b, fusion->mask_b, b->ndim - 2, &pairs_b, &scratch_b);
    if (status == CYOPS_OK) status = cyops_matmul(out, &pairs_a, &pairs_b, &rest);
    cyops_give_scratch(scratch_b);
    cyops_give_scratch(scratch_a);
    return status;
}

/* `wide` becomes x in float32; *scratch what is to be given back. */
static int widen(const cyops_view *x, cyops_view *wide, char **scratch) {
    *scratch = NULL;
    if (x->dtype != CYOPS_BFLOAT16) {
        *wide = *x;
        return CYOPS_OK;
    }
    cyops_view source = *x;
    int order[CYOPS_MAX_NDIM];
    *wide = *x;
    wide->dtype = CYOPS_FLOAT32;
    wide->itemsize = sizeof(float);
    source.size = wide->size = lay_out_pairs(x, wide, order);
    for (int axis = 0; axis < x->ndim; axis++)
        if (x->shape[axis] == 0) return CYOPS_OK;
    *scratch = cyops_take_scratch((size_t)wide->size * sizeof(float));
    if (*scratch == NULL) return CYOPS_NO_MEMORY;
    wide->data = *scratch;
    cyops_view target = *wide;
    for (int axis = 0; axis < x->ndim; axis++)
        if (x->strides[axis] == 0) source.shape[axis] = target.shape[axis] = 1;
    return cyops_cast(&target, &source);
}

static int multiply_widened(const cyops_view *out, const cyops_view *a, const cyops_view *b,
                            const cyops_fusion *fusion) {
    enum { A, B, MASK_A, MASK_B, COUNT };
    const cyops_view *given[COUNT] = {a, b, fusion->mask_a, fusion->mask_b};
    cyops_view wide[COUNT];
    char *scratch[COUNT] = {NULL};
    cyops_fusion rest = *fusion;
    int status = CYOPS_OK;
    for (int i = 0; i < COUNT && status == CYOPS_OK; i++)
        if (given[i] != NULL) status = widen(given[i], &wide[i], &scratch[i]);
    if (fusion->mask_a != NULL) rest.mask_a = &wide[MASK_A];
    if (fusion->mask_b != NULL) rest.mask_b = &wide[MASK_B];
    if (status == CYOPS_OK) status = cyops_matmul(out, &wide[A], &wide[B], &rest);
    for (int i = COUNT - 1; i >= 0; i--) cyops_give_scratch(scratch[i]);
    return status;
}

int cyops_matmul_bfloat16(const cyops_view *out, const cyops_view *a, const cyops_view *b, const cyops_fusion *fusion) {
    int all_are = is_bfloat16(a) && is_bfloat16(b) && is_bfloat16(fusion->mask_a) && is_bfloat16(fusion->mask_b);
    if (out->dtype != CYOPS_FLOAT32) return CYOPS_NO_KERNEL;
    if (all_are && cyops_active->gemm->pairs != NULL) return multiply_pairs(out, a, b, fusion);
    return multiply_widened(out, a, b, fusion);
}
