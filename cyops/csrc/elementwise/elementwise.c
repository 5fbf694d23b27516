/* Runs elementwise ops and conversions: classifies the views, packs what a loop cannot read, calls the loop.
 *
 * Loops take vectors and scalars only. In a tile where an operand has another inner stride, blocks of it are copied to
 * a contiguous scratch that stays in the first cache, by the copy loops, which know how to transpose. So every op runs
 * its vector loop for every striding, and the result has the same bits for a view as for its copy.
 */
#include "elementwise/elementwise.h"
#include "runtime/caches.h"
#include "runtime/dispatch.h"
#include "elementwise/plan.h"
#include "elementwise/strings.h"
#include "base/system.h"
#include "simd/cpu.h"

#define WITHOUT_PARENTHESES(...) __VA_ARGS__
#define OP_ROW(name, inputs, parameters, domain, cost, ulps, formula, formula_text, doc, arguments, result) \
    {#name,        inputs, #parameters, #domain, CYOPS_COST_##cost, {WITHOUT_PARENTHESES ulps},             \
     formula_text, doc,    arguments,   result},
const cyops_op_row cyops_elementwise_ops[CYOPS_OP_COUNT] = {CYOPS_ELEMENTWISE_OPS(OP_ROW)};

/* Elements of one block of scratch: with float64, 16 KB an operand; fewer where results are stored past the caches. */
#define BLOCK 2048
#define STREAMED_BLOCK 1024
#define BLOCK_WIDTH 64

typedef struct {
    cyops_loop loop;
    unsigned packed; /* bit k: operand k goes through scratch */
    int streams;     /* the output is stored past the caches */
    ptrdiff_t block; /* elements of one block of scratch */
} elementwise_work;

/* The operands whose inner stride the loop does not take: see cyops_loop. */
static unsigned find_packed(const cyops_plan *plan) {
    unsigned packed = 0, scalars = 0;
    for (int k = 0; k < plan->operands; k++) {
        const ptrdiff_t step = plan->strides[k][0];
        if (step == 0 && k > 0)
            scalars |= 1u << k;
        else if (step != 1)
            packed |= 1u << k;
    }
    /* The first input may be a scalar beside one vector only. */
    if ((scalars & 2) && (plan->operands != 3 || (scalars & 4))) packed |= 2;
    return packed;
}

/* Whether stores go past the caches. Where the third-level cache is known, from twice its size of traffic on; elsewhere
 * by the size of the result. Measured: docs/kernels.md, Stores past the caches. */
#define STREAM_RESULT_BYTES ((ptrdiff_t)32 << 20)
#define STREAM_COPY_BYTES ((ptrdiff_t)16 << 20)
#define STREAM_TRANSPOSED_BYTES ((ptrdiff_t)8 << 20)

static int should_stream(ptrdiff_t result_bytes, ptrdiff_t traffic_bytes, ptrdiff_t least_result) {
    if (result_bytes < STREAM_TRANSPOSED_BYTES) return 0; /* the least of all */
    const ptrdiff_t cache = cyops_third_level_cache();
    return cache > 0 ? traffic_bytes >= 2 * cache : result_bytes >= least_result;
}

static cyops_copy_loop copy_of_width(ptrdiff_t itemsize, int streams) {
    const int width = itemsize == 16 ? 4 : itemsize == 8 ? 3 : itemsize == 4 ? 2 : itemsize == 2 ? 1 : 0;
    return streams ? cyops_active->elementwise->streams[width] : cyops_active->elementwise->copies[width];
}

/* One block through scratch: copy in, compute, copy out. Where all operands are then runs, they are one row. */
static void run_block(const elementwise_work *work, const cyops_plan *plan, char *const *data, ptrdiff_t n_inner,
                      ptrdiff_t n_outer) {
    _Alignas(64) char scratch[CYOPS_MAX_OPERANDS][BLOCK * 8];
    char *operands[CYOPS_MAX_OPERANDS];
    ptrdiff_t inner[CYOPS_MAX_OPERANDS], outer[CYOPS_MAX_OPERANDS];
    for (int k = 0; k < plan->operands; k++) {
        const int is_packed = work->packed >> k & 1;
        const ptrdiff_t strides[2] = {plan->strides[k][0], plan->strides[k][1]}, dense[2] = {1, n_inner};
        operands[k] = is_packed ? scratch[k] : data[k];
        inner[k] = is_packed ? 1 : strides[0];
        outer[k] = is_packed ? n_inner : strides[1];
        if (is_packed && k > 0)
            copy_of_width(plan->itemsize[k], 0)(scratch[k], data[k], dense, strides, n_inner, n_outer);
    }
    work->loop(operands, inner, outer, n_inner, n_outer);
    if (work->packed & 1) {
        const ptrdiff_t strides[2] = {plan->strides[0][0], plan->strides[0][1]}, dense[2] = {1, n_inner};
        copy_of_width(plan->itemsize[0], work->streams)(data[0], scratch[0], strides, dense, n_inner, n_outer);
    }
}

/* Whether what is packed lies closer together along the outer axis than along the inner one. */
static int is_turned(const elementwise_work *work, const cyops_plan *plan) {
    for (int k = 0; k < plan->operands; k++) {
        const ptrdiff_t inner = plan->strides[k][0], outer = plan->strides[k][1];
        if ((work->packed >> k & 1) && outer != 0 && llabs(outer) < llabs(inner)) return 1;
    }
    return 0;
}

static void run_tile(const void *context, const cyops_plan *plan, char *const *data, ptrdiff_t n_inner,
                     ptrdiff_t n_outer) {
    const elementwise_work *work = context;
    if (!work->packed) {
        ptrdiff_t inner[CYOPS_MAX_OPERANDS], outer[CYOPS_MAX_OPERANDS];
        for (int k = 0; k < plan->operands; k++) {
            inner[k] = plan->strides[k][0];
            outer[k] = plan->strides[k][1];
        }
        work->loop(data, inner, outer, n_inner, n_outer);
        return;
    }
    const ptrdiff_t widest = is_turned(work, plan) && n_outer > 1 ? BLOCK_WIDTH : work->block;
    const ptrdiff_t width = n_inner < widest ? n_inner : widest, height = work->block / width;
    for (ptrdiff_t row = 0; row < n_outer; row += height)
        for (ptrdiff_t column = 0; column < n_inner; column += width) {
            char *corner[CYOPS_MAX_OPERANDS];
            for (int k = 0; k < plan->operands; k++)
                corner[k] = data[k] + (row * plan->strides[k][1] + column * plan->strides[k][0]) * plan->itemsize[k];
            run_block(work, plan, corner, n_inner - column < width ? n_inner - column : width,
                      n_outer - row < height ? n_outer - row : height);
        }
    /* Once a tile, not once a block: docs/kernels.md, Stores past the caches. */
    if (work->streams) cyops_end_streams();
}

/* What can skip the plan: the view is one run in C order (1), one element repeated (0), or neither (-1). */
static int flat_stride(const cyops_view *view) {
    ptrdiff_t expected = 1;
    int is_run = 1, is_scalar = 1;
    for (int axis = view->ndim - 1; axis >= 0; axis--) {
        if (view->shape[axis] == 1) continue;
        is_run &= view->strides[axis] == expected;
        is_scalar &= view->strides[axis] == 0;
        expected *= view->shape[axis];
    }
    return is_run ? 1 : is_scalar ? 0 : -1;
}

/* Memory traffic in bytes. */
static ptrdiff_t traffic(int operands, const cyops_view *const *views) {
    ptrdiff_t bytes = 0;
    for (int k = 0; k < operands; k++) bytes += views[k]->itemsize;
    return bytes;
}

/* The arithmetic of one element as bytes of traffic that take as long, for the decision to share the work. See
 * docs/kernels.md, Threads. Integers are divided by one number by way of its reciprocal. */
static ptrdiff_t arithmetic(int op, const cyops_view *last) {
    switch (cyops_elementwise_ops[op].cost) {
        case CYOPS_COST_MEMORY: return 0;
        case CYOPS_COST_FUNCTION: return 32;
        case CYOPS_COST_DIVISION: return !cyops_is_floating(last->dtype) && flat_stride(last) == 0 ? 0 : 96;
        case CYOPS_COST_POWER: return 96;
    }
    return 0;
}

/* The plan of views that each are one run, inputs perhaps one element: one row. Returns 0 where they are not. */
static int make_flat(cyops_plan *plan, int operands, const cyops_view *const *views) {
    plan->operands = operands;
    plan->ndim = 2;
    plan->size = plan->shape[0] = views[0]->size;
    plan->shape[1] = 1;
    for (int k = 0; k < operands; k++) {
        plan->strides[k][0] = flat_stride(views[k]);
        plan->strides[k][1] = 0;
        plan->data[k] = views[k]->data;
        plan->itemsize[k] = views[k]->itemsize;
        if (plan->strides[k][0] < 0 || (k == 0 && plan->strides[k][0] == 0)) return 0;
    }
    return 1;
}

/* `spreads`: a scalar operand is repeated in scratch, so that the loop sees vectors only. */
static void run(cyops_loop loop, int operands, const cyops_view *const *views, ptrdiff_t cost, int spreads) {
    elementwise_work work = {loop, 0, 0, BLOCK};
    cyops_plan plan;
    plan.strides[0][0] = 0; /* both fill it, which GCC 12 does not see */
    if (!make_flat(&plan, operands, views)) cyops_plan_make(&plan, operands, views);
    work.packed = find_packed(&plan);
    for (int k = 1; spreads && k < operands; k++)
        if (plan.strides[k][0] == 0) work.packed |= 1 << k;
    const ptrdiff_t result_bytes = views[0]->size * views[0]->itemsize;
    const ptrdiff_t traffic_bytes = views[0]->size * traffic(operands, views);
    work.streams = plan.strides[0][0] == 1 && should_stream(result_bytes, traffic_bytes, STREAM_RESULT_BYTES);
    if (work.streams) { /* computed in scratch, then streamed out */
        work.packed |= 1;
        work.block = STREAMED_BLOCK;
    }
    for (int k = 0; k < operands; k++)
        if (views[k]->itemsize > 8 && work.block > STREAMED_BLOCK)
            work.block = BLOCK / 2; /* scratch has 8 bytes each */
    cyops_plan_walk(&plan, cost, run_tile, &work);
}

int cyops_elementwise(int op, const cyops_view *out, const cyops_view *const *inputs) {
    const cyops_view *views[CYOPS_MAX_OPERANDS] = {out};
    const int count = cyops_elementwise_ops[op].inputs;
    for (int k = 0; k < count; k++) views[k + 1] = inputs[k];
    const int dtype = inputs[count - 1]->dtype;
    if (cyops_is_text(dtype)) return cyops_compare_strings(op, out, inputs);
    const cyops_loop loop = cyops_active->elementwise->loops[op][dtype];
    if (loop == NULL) return CYOPS_NO_KERNEL;
    /* GCC 12 does not vectorise the loop of pow over a scalar: docs/kernels.md, Vectors. */
    const ptrdiff_t cost = traffic(count + 1, views) + arithmetic(op, inputs[count - 1]);
    if (out->size > 0) run(loop, count + 1, views, cost, op == CYOPS_OP_pow);
    return CYOPS_OK;
}

static cyops_loop loop_of_exponent(int dtype, const char *exponent) {
    const cyops_elementwise_kernels *kernels = cyops_active->elementwise;
    if (dtype != CYOPS_FLOAT32 && dtype != CYOPS_FLOAT64) return NULL;
    const double value = dtype == CYOPS_FLOAT32 ? *(const float *)exponent : *(const double *)exponent;
    if (value == 2) return kernels->loops[CYOPS_OP_square][dtype];
    if (value == -1) return kernels->loops[CYOPS_OP_reciprocal][dtype];
    if (value == 0.5) return kernels->roots[dtype == CYOPS_FLOAT64];
    return value == 3 && dtype == CYOPS_FLOAT32 ? kernels->cube : NULL;
}

int cyops_power(const cyops_view *out, const cyops_view *const *inputs) {
    if (out->size == 0) return CYOPS_OK;
    const cyops_loop loop = loop_of_exponent(inputs[1]->dtype, inputs[1]->data);
    if (loop == NULL) return cyops_elementwise(CYOPS_OP_pow, out, inputs);
    const cyops_view *views[2] = {out, inputs[0]};
    run(loop, 2, views, traffic(2, views), 0);
    return CYOPS_OK;
}

typedef struct {
    cyops_copy_loop loop;
    int streams;
} copy_work;

static void copy_tile(const void *context, const cyops_plan *plan, char *const *data, ptrdiff_t n_inner,
                      ptrdiff_t n_outer) {
    const copy_work *work = context;
    const ptrdiff_t to_strides[2] = {plan->strides[0][0], plan->strides[0][1]};
    const ptrdiff_t from_strides[2] = {plan->strides[1][0], plan->strides[1][1]};
    work->loop(data[0], data[1], to_strides, from_strides, n_inner, n_outer);
    if (work->streams) cyops_end_streams();
}

int cyops_cast(const cyops_view *out, const cyops_view *in) {
    if (out->size == 0) return CYOPS_OK;
    if (cyops_is_text(out->dtype) || cyops_is_text(in->dtype)) return cyops_copy_strings(out, in);
    const cyops_view *views[2] = {out, in};
    if (out->dtype != in->dtype) {
        run(cyops_active->elementwise->casts[out->dtype][in->dtype], 2, views, traffic(2, views), 0);
        return CYOPS_OK;
    }
    cyops_plan plan;
    cyops_plan_make(&plan, 2, views);
    const int is_transposed = plan.strides[1][0] != 1 && plan.strides[1][1] == 1;
    const ptrdiff_t least = is_transposed ? STREAM_TRANSPOSED_BYTES : STREAM_COPY_BYTES;
    const ptrdiff_t bytes = out->size * out->itemsize;
    copy_work copy = {NULL, should_stream(bytes, 2 * bytes, least)};
    copy.loop = copy_of_width(out->itemsize, copy.streams);
    cyops_plan_walk(&plan, traffic(2, views), copy_tile, &copy);
    return CYOPS_OK;
}
