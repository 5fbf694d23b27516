# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False, binding=True
"""Contractions: matmul, dot, tensordot and dense, for every rank, on views as they lie in memory.

Each function only decides which axis of an operand plays which part. A contraction is then three views with the same
axes (batch..., row, column), stride 0 where an operand has no such axis, and one call of csrc/gemm/gemm.c, which merges
what can be merged, loops over the rest and copies no operand whole. May be imported by everything above cyops.strided.
"""
from libc.string cimport memcpy, memset

from cyops.ids cimport *
from cyops.strided cimport (
    CYOPS_BFLOAT16, CYOPS_MAX_NDIM, Strided, alias, api, begin_write, cast_to, check, checked_out, computing_dtype,
    contiguous, cyops_api, cyops_fusion, cyops_view, dtype_object, empty, is_c_contiguous, is_floating, is_long,
    itemsize_of, matrix_transposed, normalize_axis, operand_beside, overlaps, promote, read_integer, record, recording,
    require_real, result_class, shape_of,
)

from cyops.strided import set_matmul


cdef struct Plan:
    # The views of one call, and the shape of its result: the call's axes without those that only vectors lack.
    cyops_view a, b, out
    int ndim
    Py_ssize_t shape[CYOPS_MAX_NDIM]


# -- parts shared by all ----------------------------------------------------------------------------------------------
cdef inline void add_axis(cyops_view *x, Py_ssize_t length, Py_ssize_t stride) noexcept:
    x.shape[x.ndim] = length
    x.strides[x.ndim] = stride if length > 1 else 0
    x.ndim += 1


cdef inline void begin_view(cyops_view *x, const cyops_view *source) noexcept:
    x.data = source.data
    x.dtype = source.dtype
    x.itemsize = source.itemsize
    x.ndim = 0


cdef inline void add_result_axis(Plan *plan, Py_ssize_t length) noexcept:
    plan.shape[plan.ndim] = length
    plan.ndim += 1


cdef int check_rank(str op, int ndim) except -1:
    if ndim > CYOPS_MAX_NDIM:
        raise ValueError(f"{op}: the result has {ndim} axes; at most {CYOPS_MAX_NDIM} are possible")
    return 0


cdef int common_dtype(str op, Strided a, Strided b) except -1:
    require_real(op, a.v.dtype, a.v.itemsize)
    require_real(op, b.v.dtype, b.v.itemsize)
    return a.v.dtype if a.v.dtype == b.v.dtype else promote(a.v.dtype, b.v.dtype)


cdef Strided ready(Strided x, int dtype):
    """`x` as the kernels take it for a product of `dtype`: bfloat16 as it is, all else in what `dtype` computes in."""
    return x if x.v.dtype == CYOPS_BFLOAT16 and dtype == CYOPS_BFLOAT16 else cast_to(x, computing_dtype(dtype))


cdef void lay_out(Plan *plan, Strided out, const int *axes) noexcept:
    """The call's view of `out`: call axis i is out's axis axes[i], or one of length 1 that out lacks (-1)."""
    cdef int i
    begin_view(&plan.out, &out.v)
    plan.out.size = out.v.size
    for i in range(plan.a.ndim):
        if axes[i] < 0:
            add_axis(&plan.out, 1, 0)
        else:
            add_axis(&plan.out, out.v.shape[axes[i]], out.v.strides[axes[i]])


cdef inline cyops_fusion no_fusion() noexcept:
    cdef cyops_fusion fusion
    memset(&fusion, 0, sizeof(fusion))
    return fusion


cdef int run(str op, const Plan *plan, const cyops_fusion *fusion) except -1:
    cdef int status
    cdef const cyops_api *functions = api()
    cdef Py_ssize_t depth = plan.a.shape[plan.a.ndim - 1]
    if not is_long(0.04 * plan.out.size * depth):
        status = functions.matmul(&plan.out, &plan.a, &plan.b, fusion)
    else:
        with nogil:
            status = functions.matmul(&plan.out, &plan.a, &plan.b, fusion)
    return check(op, status)


cdef Strided compute(str op, type cls, Plan *plan, const int *axes, int dtype, object out, Strided bias=None,
                     int activation=CYOPS_ACTIVATION_NONE):
    """Runs the call into a fresh tensor, or into `out` where it may be written as the call goes."""
    cdef int computing = computing_dtype(dtype)
    cdef cyops_fusion fusion = no_fusion()
    cdef Strided given = None
    cdef Strided result
    if out is not None:
        given = checked_out(op, out, plan.ndim, plan.shape, dtype)
        begin_write(op, given)
    if given is not None and given.v.dtype == computing and not overlaps(&given.v, &plan.a) and (
            not overlaps(&given.v, &plan.b)) and (bias is None or not overlaps(&given.v, &bias.v)):
        result = given
    else:
        result = empty(op, cls, computing, itemsize_of(computing), plan.ndim, plan.shape)
    lay_out(plan, result, axes)
    fusion.bias = &bias.v if bias is not None else NULL
    fusion.activation = activation
    run(op, plan, &fusion)
    if given is None:
        return cast_to(result, dtype)
    if result is not given:
        check(op, api().cast(&given.v, &result.v))
    return given


# -- matmul --------------------------------------------------------------------------------------------------------
cdef int plan_matmul(str op, Plan *plan, int *axes, const cyops_view *a, const cyops_view *b) except -1:
    """NumPy's rule: a vector is one row of a or one column of b, and the axes before the last two broadcast."""
    cdef int batch_a = max(a.ndim - 2, 0)
    cdef int batch_b = max(b.ndim - 2, 0)
    cdef int batch = max(batch_a, batch_b)
    cdef int i, axis_a, axis_b
    cdef Py_ssize_t length_a, length_b, length
    begin_view(&plan.a, a)
    begin_view(&plan.b, b)
    plan.ndim = 0
    for i in range(batch):
        axis_a = i - batch + batch_a
        axis_b = i - batch + batch_b
        length_a = a.shape[axis_a] if axis_a >= 0 else 1
        length_b = b.shape[axis_b] if axis_b >= 0 else 1
        if length_a != length_b and length_a != 1 and length_b != 1:
            raise ValueError(f"{op}: the axes before the last two must broadcast; got a {shape_of_view(a)}, "
                             f"b {shape_of_view(b)}")
        length = length_b if length_a == 1 else length_a
        add_axis(&plan.a, length, a.strides[axis_a] if length_a > 1 else 0)
        add_axis(&plan.b, length, b.strides[axis_b] if length_b > 1 else 0)
        axes[i] = i
        add_result_axis(plan, length)
    plan_last_axes(plan, axes + batch, a, b)
    return 0


cdef void plan_last_axes(Plan *plan, int *axes, const cyops_view *a, const cyops_view *b) noexcept:
    """Adds (row, k) to a and (k, column) to b, whose lengths agree; a vector gets the other axis with length 1."""
    cdef int last_a = a.ndim - 1
    cdef int last_b = max(b.ndim - 2, 0)
    axes[0] = plan.ndim if a.ndim > 1 else -1
    if a.ndim > 1:
        add_axis(&plan.a, a.shape[last_a - 1], a.strides[last_a - 1])
        add_result_axis(plan, a.shape[last_a - 1])
    else:
        add_axis(&plan.a, 1, 0)
    add_axis(&plan.a, a.shape[last_a], a.strides[last_a])
    add_axis(&plan.b, b.shape[last_b], b.strides[last_b])
    axes[1] = plan.ndim if b.ndim > 1 else -1
    if b.ndim > 1:
        add_axis(&plan.b, b.shape[last_b + 1], b.strides[last_b + 1])
        add_result_axis(plan, b.shape[last_b + 1])
    else:
        add_axis(&plan.b, 1, 0)


cdef tuple shape_of_view(const cyops_view *x):
    return tuple([x.shape[i] for i in range(x.ndim)])


cdef int check_inner(str op, Strided a, Strided b) except -1:
    """The lengths that are summed over must agree; a scalar has none."""
    cdef Py_ssize_t inner
    if a.v.ndim == 0 or b.v.ndim == 0:
        raise ValueError(f"{op}: both operands need at least one axis; got a {shape_of(a)}, b {shape_of(b)}; "
                         "use multiply for a scalar")
    inner = b.v.shape[max(b.v.ndim - 2, 0)]
    if a.v.shape[a.v.ndim - 1] != inner:
        place = "second-last axis" if b.v.ndim > 1 else "only axis"
        raise ValueError(f"{op}: last axis of a must equal {place} of b; got a {shape_of(a)}, b {shape_of(b)}")
    return 0


def matmul(a, b, *, out=None):
    """Matrix product, over batches: out[..., i, j] = sum over k of a[..., i, k] * b[..., k, j].

    a: (..., m, k) or (k,); b: (..., k, n) or (k,). A vector is one row of a or one column of b, and that axis is
    missing in the result: (k,)(k,) -> (), (m, k)(k,) -> (m,), (k,)(k, n) -> (n,). The axes before the last two
    broadcast: (b, c, m, k)(k, n) -> (b, c, m, n). Any numeric dtypes; the result has the promoted one: integers wrap
    around, bools are combined by "and" and "or", float16 and bfloat16 are summed in float32 and rounded once, or not at
    all where `out` is float32. Any strides, without copying an operand. The result is a fresh tensor, or `out`, which
    may overlap the operands.

    ValueError where the lengths summed over differ, the batch axes do not broadcast, an operand is a scalar or out has
    another shape; TypeError for strings. As `numpy.matmul` and the Array API's `matmul`.

    >>> import cyops
    >>> cyops.matmul([[1., 2.], [3., 4.]], [[1., 0.], [1., 1.]]).tolist()
    [[3.0, 2.0], [7.0, 4.0]]
    >>> cyops.matmul([[1., 2.], [3., 4.]], [1., 10.]).tolist()
    [21.0, 43.0]
    """
    cdef Strided x = operand_beside("matmul", a, b)
    cdef Strided y = operand_beside("matmul", b, a)
    cdef Strided result
    cdef int axes[CYOPS_MAX_NDIM + 2]
    cdef Plan plan
    check_inner("matmul", x, y)
    cdef int dtype = common_dtype("matmul", x, y)
    cdef Strided cast_x = ready(x, dtype)
    cdef Strided cast_y = ready(y, dtype)
    plan_matmul("matmul", &plan, axes, &cast_x.v, &cast_y.v)
    result = compute("matmul", result_class(x, y), &plan, axes, dtype, out)
    if recording():
        record("matmul", (x, y), result, None)
    return result


def add_matmul(out, a, b):
    """Adds the matrix product of a and b to `out` in one pass, without a tensor for the product; returns `out`.

    a: (..., m, k) or (k,); b: (..., k, n) or (k,); out: a tensor of the product's shape, of any strides, which a and b
    must not overlap. All three of one dtype, float32 or float64. Not recorded: made for adding up gradients.

    ValueError where the shapes do not fit or a or b overlaps out; TypeError for other dtypes.

    >>> import cyops
    >>> from cyops.contract import add_matmul
    >>> add_matmul(cyops.ones((1, 2)), [[1., 2.]], [[1., 0.], [0., 10.]]).tolist()
    [[2.0, 21.0]]
    """
    cdef Strided x = operand_beside("add_matmul", a, b)
    cdef Strided y = operand_beside("add_matmul", b, a)
    cdef Strided given
    cdef int axes[CYOPS_MAX_NDIM + 2]
    cdef Plan plan
    cdef cyops_fusion fusion = no_fusion()
    check_inner("add_matmul", x, y)
    plan_matmul("add_matmul", &plan, axes, &x.v, &y.v)
    given = checked_out("add_matmul", out, plan.ndim, plan.shape, x.v.dtype)
    if not is_floating(x.v.dtype) or computing_dtype(x.v.dtype) != x.v.dtype or x.v.dtype != y.v.dtype or (
            x.v.dtype != given.v.dtype):
        raise TypeError(f"add_matmul: out, a and b must all be float32 or all float64; got out {given.dtype}, "
                        f"a {x.dtype}, b {y.dtype}")
    if overlaps(&given.v, &x.v) or overlaps(&given.v, &y.v):
        raise ValueError("add_matmul: out must not overlap a or b; add their matmul instead")
    begin_write("add_matmul", given)
    lay_out(&plan, given, axes)
    fusion.accumulate = True
    run("add_matmul", &plan, &fusion)
    return given


include "contract_dense.pxi"
include "contract_tensordot.pxi"

FUNCTIONS = (matmul, dot, tensordot, dense)
