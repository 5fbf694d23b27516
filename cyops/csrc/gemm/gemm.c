/* Contractions: chooses the driver of each product, and shares a batch of small ones between threads. See gemm.h. */
#include "gemm/describe.h"
#include "runtime/pool.h"
#include "runtime/scratch.h"

/* One product of a batch below this many operations is computed by one thread, and several at a time. */
#define SMALL_PRODUCT 4e6
#define BEGINNING 1e4 /* operations that take as long as beginning a product, 50 ns */

typedef struct {
    const gemm_batch *batch;
    ptrdiff_t chunk;
    _Atomic int status;
} gemm_job;

/* Few rows, and a B that does not fit the second-level cache beside the rest: docs/kernels.md, Matrix products.
 * The bits are the same. */
static int is_skinny(const gemm_problem *p) {
    if (p->mask_a.data != NULL || p->mask_b.data != NULL || p->column_sums != NULL) return 0;
    if (!gemm_is_plain(p) || p->row_bias != NULL) return 0;
    const ptrdiff_t large = p->m <= 6 ? 1 << 20 : 2 << 20;
    return p->m <= 32 && p->items == 1 && p->cs_b == 1 && p->k >= 64 && p->n * p->k * p->type->itemsize > large;
}

static int multiply(const gemm_batch *batch, const gemm_problem *p) {
    if (batch->has_one_column && p->mask_a.data == NULL) return cyops_gemm_dot(p);
    if (is_skinny(p)) return cyops_gemm_skinny(p);
    if (cyops_gemm_suits_narrow(p)) return cyops_gemm_narrow(p);
    return cyops_gemm_blocked(p);
}

/* The product beside a bias that does not lie side by side: with a copy of it that does. */
static int multiply_with_strided_bias(const gemm_batch *batch, gemm_problem *p) {
    const char **bias = p->bias != NULL ? &p->bias : &p->row_bias;
    ptrdiff_t itemsize = p->type->itemsize, count = batch->bias.count;
    char *copy = cyops_take_scratch((size_t)(count * itemsize));
    if (copy == NULL) return CYOPS_NO_MEMORY;
    for (ptrdiff_t i = 0, offset; i < count; i++) {
        cyops_gemm_offsets(&batch->bias, i, 1, &offset);
        if (itemsize == sizeof(float))
            ((float *)copy)[i] = ((const float *)*bias)[offset];
        else
            ((double *)copy)[i] = ((const double *)*bias)[offset];
    }
    *bias = copy;
    int status = multiply(batch, p);
    cyops_give_scratch(copy);
    return status;
}

static void move(const char **data, ptrdiff_t bytes) {
    if (*data != NULL) *data += bytes;
}

static int multiply_nth(const gemm_batch *batch, ptrdiff_t index) {
    gemm_problem p = batch->problem;
    ptrdiff_t itemsize = p.type->itemsize;
    for (int i = 0; i < batch->ndim; i++) {
        const gemm_batch_axis *axis = &batch->axes[i];
        ptrdiff_t steps = index % axis->length * itemsize;
        index /= axis->length;
        p.a += steps * axis->a;
        p.b += steps * axis->b;
        p.c += steps * axis->c;
        move(&p.bias, steps * axis->bias);
        move(&p.row_bias, steps * axis->bias);
        move(p.mask_a.data != NULL ? &p.mask_a.data : &p.mask_b.data, steps * axis->mask);
        if (p.column_sums != NULL) p.column_sums += steps * axis->sums;
    }
    return batch->must_copy_bias ? multiply_with_strided_bias(batch, &p) : multiply(batch, &p);
}

static void multiply_chunk(void *context, ptrdiff_t tile) {
    gemm_job *job = context;
    ptrdiff_t end = gemm_least((tile + 1) * job->chunk, job->batch->count);
    for (ptrdiff_t i = tile * job->chunk; i < end; i++) {
        int status = multiply_nth(job->batch, i);
        if (status != CYOPS_OK) job->status = status;
    }
}

static int multiply_all(const gemm_batch *batch) {
    const gemm_problem *p = &batch->problem;
    double each = BEGINNING + 2.0 * p->m * p->n * p->k * p->items;
    int status = CYOPS_OK;
    if (batch->count > 1 && each < SMALL_PRODUCT && gemm_is_worth_sharing(each * batch->count)) {
        gemm_job job = {.batch = batch, .chunk = (ptrdiff_t)(SMALL_PRODUCT / 4 / each) + 1, .status = CYOPS_OK};
        cyops_parallel(gemm_ceil_div(batch->count, job.chunk), multiply_chunk, &job);
        return job.status;
    }
    for (ptrdiff_t i = 0; i < batch->count && status == CYOPS_OK; i++) status = multiply_nth(batch, i);
    return status;
}

/* Whether nothing is computed: the result has no element, and neither have the sums over b. */
static int is_empty(const cyops_contraction *x) {
    for (int i = 0; i < x->ndim; i++)
        if (x->axes[i].length == 0 && x->axes[i].part != CYOPS_SUMMED)
            if (x->sums == NULL || x->axes[i].part != CYOPS_ROW) return 1;
    return 0;
}

int cyops_contract(const cyops_contraction *x) {
    gemm_batch batch;
    if (is_empty(x)) return CYOPS_OK;
    if (!x->pairs && x->dtype == CYOPS_FLOAT32 &&
        (x->dtype_a != x->dtype || x->dtype_b != x->dtype || x->dtype_mask != x->dtype))
        return cyops_contract_bfloat16(x);
    if (x->dtype != CYOPS_FLOAT32 && x->dtype != CYOPS_FLOAT64) {
        int is_plain = x->bias == NULL && x->mask == NULL && x->sums == NULL && !x->accumulate && !x->activation;
        return is_plain ? cyops_contract_integer(x) : CYOPS_NO_KERNEL;
    }
    batch.problem = (gemm_problem){
        .type = x->pairs                    ? cyops_active->gemm->pairs->type
                : x->dtype == CYOPS_FLOAT32 ? cyops_active->gemm->f32
                                            : cyops_active->gemm->f64,
        .flags = (x->accumulate ? CYOPS_GEMM_ADD : 0) | (x->activation == CYOPS_ACTIVATION_RELU ? CYOPS_GEMM_RELU : 0),
    };
    batch.must_copy_bias = 0;
    cyops_gemm_describe(&batch, x);
    return batch.ndim == 0 && !batch.must_copy_bias ? multiply(&batch, &batch.problem) : multiply_all(&batch);
}
