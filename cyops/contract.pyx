# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False, binding=True
"""Contractions: contract, matmul, dot, tensordot and dense, for every rank, on views as they lie in memory.

Each function only says which part an axis of an operand plays: batch, row, column or summed. One call of
csrc/gemm/gemm.h does the rest: it merges what can be merged, and packs panels of an operand from where they lie, so no
operand is copied whole. May be imported by everything above cyops.strided.
"""
from cyops.ids cimport *
from cyops.strided cimport (
    CYOPS_BATCH, CYOPS_BFLOAT16, CYOPS_COLUMN, CYOPS_CONTRACTION_AXES, CYOPS_MAX_NDIM, CYOPS_MOST_WINDOWS,
    CYOPS_NO_WINDOW, CYOPS_ROW, CYOPS_SUMMED, Strided, alias, api, begin_write, cast_to, check, checked_out,
    computing_dtype, cyops_api, cyops_contraction_axis, cyops_part, cyops_view, dtype_object, empty,
    is_c_contiguous, is_complex, is_floating, is_long, is_text, itemsize_of,
    normalize_axis, operand_beside, overlaps, promote,
    read_integer, record, recording, require_real, result_class, shape_of, write_result,
)

import numpy

from cyops.strided import set_matmul


# -- parts shared by all ----------------------------------------------------------------------------------------------
cdef void begin_plan(Plan *plan, Strided a, Strided b) noexcept:
    plan.ndim = 0
    plan.call.dtype = plan.call.dtype_mask = computing_dtype(a.v.dtype)     # bfloat16 computes in float32
    plan.call.dtype_a = a.v.dtype
    plan.call.dtype_b = b.v.dtype
    plan.call.ndim = plan.call.windows = 0
    plan.call.activation = CYOPS_ACTIVATION_NONE
    plan.call.accumulate = plan.call.is_mask_of_b = plan.call.pairs = False
    plan.call.a = a.v.data
    plan.call.b = b.v.data
    plan.call.mask = plan.call.bias = NULL
    plan.call.out = plan.call.sums = NULL


cdef inline cyops_contraction_axis *add_axis(Plan *plan, cyops_part part, Py_ssize_t length, Py_ssize_t a,
                                             Py_ssize_t b) noexcept:
    cdef cyops_contraction_axis *axis = &plan.call.axes[plan.call.ndim]
    plan.out_axis[plan.call.ndim] = -1
    plan.call.ndim += 1
    axis.part = part
    axis.window = CYOPS_NO_WINDOW
    axis.length = length
    axis.a = a
    axis.b = b
    axis.out = axis.mask = axis.bias = axis.sums = axis.step = 0
    return axis


cdef inline int add_result_axis(str op, Plan *plan, Py_ssize_t length) except -1:
    """The axis of the call that was added last is the result's next."""
    if plan.ndim == CYOPS_MAX_NDIM:
        raise ValueError(f"{op}: the result has more than {CYOPS_MAX_NDIM} axes")
    plan.out_axis[plan.call.ndim - 1] = plan.ndim
    plan.shape[plan.ndim] = length
    plan.ndim += 1
    return 0


cdef cyops_contraction_axis *add_batch(str op, Plan *plan, Py_ssize_t length, Py_ssize_t stride_a,
                                       Py_ssize_t stride_b) except NULL:
    cdef cyops_contraction_axis *axis = add_axis(plan, CYOPS_BATCH, length, stride_a, stride_b)
    add_result_axis(op, plan, length)
    return axis


cdef cyops_contraction_axis *add_row(str op, Plan *plan, Py_ssize_t length, Py_ssize_t stride_a) except NULL:
    cdef cyops_contraction_axis *axis = add_axis(plan, CYOPS_ROW, length, stride_a, 0)
    add_result_axis(op, plan, length)
    return axis


cdef cyops_contraction_axis *add_column(str op, Plan *plan, Py_ssize_t length, Py_ssize_t stride_b) except NULL:
    cdef cyops_contraction_axis *axis = add_axis(plan, CYOPS_COLUMN, length, 0, stride_b)
    add_result_axis(op, plan, length)
    return axis


cdef cyops_contraction_axis *add_summed(Plan *plan, Py_ssize_t length, Py_ssize_t stride_a,
                                        Py_ssize_t stride_b) noexcept:
    return add_axis(plan, CYOPS_SUMMED, length, stride_a, stride_b)


cdef int common_dtype(str op, Strided a, Strided b) except -1:
    require_real(op, a.v.dtype, a.v.itemsize)
    require_real(op, b.v.dtype, b.v.itemsize)
    return a.v.dtype if a.v.dtype == b.v.dtype else promote(a.v.dtype, b.v.dtype)


cdef Strided complex_product(str op, object function, Strided x, Strided y, dict options, object out):
    """NumPy's product of complex numbers, on the same memory; no tape records it."""
    for one in (x, y):
        if is_text((<Strided> one).v.dtype):
            require_real(op, (<Strided> one).v.dtype, (<Strided> one).v.itemsize)
    with numpy.errstate(all="ignore"):
        result = operand_beside(op, numpy.asarray(function(numpy.asarray(x), numpy.asarray(y), **options)), None)
    return write_result(op, alias(result_class(x, y), result), out)


cdef Strided ready(Strided x, int dtype):
    """`x` as the kernels take it for a product of `dtype`: bfloat16 as it is, all else in what `dtype` computes in."""
    return x if x.v.dtype == CYOPS_BFLOAT16 and dtype == CYOPS_BFLOAT16 else cast_to(x, computing_dtype(dtype))


cdef void lay_out(Plan *plan, Strided out, const int *order) noexcept:
    cdef int i, axis
    plan.call.out = out.v.data
    for i in range(plan.call.ndim):
        axis = plan.out_axis[i]
        if axis >= 0:
            plan.call.axes[i].out = out.v.strides[axis if order == NULL else order[axis]]


cdef int run(str op, const Plan *plan) except -1:
    cdef int i, status
    cdef double multiplications = 1
    cdef const cyops_api *functions = api()
    for i in range(plan.call.ndim):
        multiplications *= plan.call.axes[i].length
    if not is_long(0.04 * multiplications):
        status = functions.contract(&plan.call)
    else:
        with nogil:
            status = functions.contract(&plan.call)
    return check(op, status)


cdef Strided compute(str op, type cls, Plan *plan, Strided a, Strided b, int dtype, object out, Strided bias=None):
    cdef int computing = computing_dtype(dtype)
    cdef Strided given = None
    cdef Strided result
    if out is not None:
        given = checked_out(op, out, plan.ndim, plan.shape, dtype)
        begin_write(op, given)
    if given is not None and given.v.dtype == computing and not overlaps(&given.v, &a.v) and (
            not overlaps(&given.v, &b.v)) and (bias is None or not overlaps(&given.v, &bias.v)):
        result = given
    else:
        result = empty(op, cls, computing, itemsize_of(computing), plan.ndim, plan.shape)
    lay_out(plan, result, NULL)
    run(op, plan)
    if given is None:
        return cast_to(result, dtype)
    if result is not given:
        check(op, api().cast(&given.v, &result.v))
    return given


# -- matmul --------------------------------------------------------------------------------------------------------
cdef int plan_matmul(str op, Plan *plan, Strided x, Strided y) except -1:
    """NumPy's rule: a vector is one row of a or one column of b, and the axes before the last two broadcast."""
    cdef const cyops_view *a = &x.v
    cdef const cyops_view *b = &y.v
    cdef int batch_a = max(a.ndim - 2, 0)
    cdef int batch_b = max(b.ndim - 2, 0)
    cdef int batch = max(batch_a, batch_b)
    cdef int last_a = a.ndim - 1
    cdef int last_b = max(b.ndim - 2, 0)
    cdef int i, axis_a, axis_b
    cdef Py_ssize_t length_a, length_b
    begin_plan(plan, x, y)
    for i in range(batch):
        axis_a = i - batch + batch_a
        axis_b = i - batch + batch_b
        length_a = a.shape[axis_a] if axis_a >= 0 else 1
        length_b = b.shape[axis_b] if axis_b >= 0 else 1
        if length_a != length_b and length_a != 1 and length_b != 1:
            raise ValueError(f"{op}: the axes before the last two must broadcast; got a {shape_of(x)}, "
                             f"b {shape_of(y)}")
        add_batch(op, plan, length_b if length_a == 1 else length_a, a.strides[axis_a] if length_a > 1 else 0,
                  b.strides[axis_b] if length_b > 1 else 0)
    if a.ndim > 1:
        add_row(op, plan, a.shape[last_a - 1], a.strides[last_a - 1])
    add_summed(plan, a.shape[last_a], a.strides[last_a], b.strides[last_b])
    if b.ndim > 1:
        add_column(op, plan, b.shape[last_b + 1], b.strides[last_b + 1])
    return 0


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
    cdef Plan plan
    check_inner("matmul", x, y)
    if is_complex(x.v.dtype) or is_complex(y.v.dtype):
        return complex_product("matmul", numpy.matmul, x, y, {}, out)
    cdef int dtype = common_dtype("matmul", x, y)
    cdef Strided cast_x = ready(x, dtype)
    cdef Strided cast_y = ready(y, dtype)
    plan_matmul("matmul", &plan, cast_x, cast_y)
    result = compute("matmul", result_class(x, y), &plan, cast_x, cast_y, dtype, out)
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
    cdef Plan plan
    check_inner("add_matmul", x, y)
    plan_matmul("add_matmul", &plan, x, y)
    given = checked_out("add_matmul", out, plan.ndim, plan.shape, x.v.dtype)
    if not is_floating(x.v.dtype) or computing_dtype(x.v.dtype) != x.v.dtype or x.v.dtype != y.v.dtype or (
            x.v.dtype != given.v.dtype):
        raise TypeError(f"add_matmul: out, a and b must all be float32 or all float64; got out {given.dtype}, "
                        f"a {x.dtype}, b {y.dtype}")
    if overlaps(&given.v, &x.v) or overlaps(&given.v, &y.v):
        raise ValueError("add_matmul: out must not overlap a or b; add their matmul instead")
    begin_write("add_matmul", given)
    lay_out(&plan, given, NULL)
    plan.call.accumulate = True
    run("add_matmul", &plan)
    return given


def peak_scratch(bint reset=False):
    """The most bytes of working memory that kernels had at one time since the last call with `reset`; for tests.

    >>> from cyops.contract import peak_scratch
    >>> peak_scratch() >= 0
    True
    """
    return api().peak_scratch(reset)


include "contract_dense.pxi"
include "contract_tensordot.pxi"
include "contract_labels.pxi"

FUNCTIONS = (matmul, dot, tensordot, dense)
