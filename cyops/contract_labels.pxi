# contract_labels: the contraction whose axes are named by labels. Included by contract.pyx.

cdef struct Labels:
    # The label of each axis of one tensor, as the caller's numbers.
    int ndim
    Py_ssize_t of_axis[CYOPS_MAX_NDIM]


cdef tuple as_labels(str what, object given):
    try:
        return tuple(given)
    except TypeError:
        raise TypeError(f"contract: {what} must be a sequence of integers; got {given!r}") from None


cdef int read_labels(str what, tuple numbers, int ndim, Labels *labels) except -1:
    """Fills `labels` from as many different integers as there are axes (any number where ndim is -1)."""
    cdef int i, j
    if ndim >= 0 and len(numbers) != ndim:
        raise ValueError(f"contract: {what} must have a label for each axis; got {what} {numbers} for {ndim} axes")
    if len(numbers) > CYOPS_MAX_NDIM:
        raise ValueError(f"contract: at most {CYOPS_MAX_NDIM} axes are possible; got {what} {numbers}")
    labels.ndim = len(numbers)
    for i in range(labels.ndim):
        labels.of_axis[i] = read_integer("contract", what, numbers[i])
        for j in range(i):
            if labels.of_axis[j] == labels.of_axis[i]:
                raise ValueError(f"contract: {what} names label {labels.of_axis[i]} twice; take a diagonal first")
    return 0


cdef int find_label(const Labels *labels, Py_ssize_t label) noexcept:
    """The axis of that label, or -1."""
    cdef int i
    for i in range(labels.ndim):
        if labels.of_axis[i] == label:
            return i
    return -1


cdef int plan_labels(Plan *plan, Strided a, Strided b, const Labels *in_a, const Labels *in_b,
                     const Labels *in_out, Py_ssize_t *labels) except -1:
    """The result's axes in their order, then the summed ones; `labels` receives that of each axis of the call."""
    cdef int i, of_a, of_b
    begin_plan(plan, a, b)
    for i in range(in_out.ndim):
        labels[i] = in_out.of_axis[i]
        of_a, of_b = find_label(in_a, in_out.of_axis[i]), find_label(in_b, in_out.of_axis[i])
        if of_a < 0 and of_b < 0:
            raise ValueError(f"contract: axes_out names label {in_out.of_axis[i]}, which neither a nor b has")
        if of_a >= 0 and of_b >= 0:
            add_batch("contract", plan, a.v.shape[of_a], a.v.strides[of_a], b.v.strides[of_b])
        elif of_a >= 0:
            add_row("contract", plan, a.v.shape[of_a], a.v.strides[of_a])
        else:
            add_column("contract", plan, b.v.shape[of_b], b.v.strides[of_b])
    plan_summed(plan, a, b, in_a, in_b, in_out, labels)
    return 0


cdef int plan_summed(Plan *plan, Strided a, Strided b, const Labels *in_a, const Labels *in_b,
                     const Labels *in_out, Py_ssize_t *labels) except -1:
    """The axes that the result lacks, in ascending order of their labels."""
    cdef int order[CYOPS_MAX_NDIM]
    cdef int count = 0
    cdef int i, j, of_b
    for i in range(in_b.ndim):
        if find_label(in_a, in_b.of_axis[i]) < 0 and find_label(in_out, in_b.of_axis[i]) < 0:
            raise ValueError(f"contract: only b has label {in_b.of_axis[i]}; sum over that axis first")
    for i in range(in_a.ndim):
        of_b = find_label(in_b, in_a.of_axis[i])
        if of_b >= 0 and a.v.shape[i] != b.v.shape[of_b]:
            raise ValueError(f"contract: axes of one label must have one length; label {in_a.of_axis[i]} has "
                             f"{a.v.shape[i]} in a {shape_of(a)} and {b.v.shape[of_b]} in b {shape_of(b)}")
        if find_label(in_out, in_a.of_axis[i]) >= 0:
            continue
        if of_b < 0:
            raise ValueError(f"contract: only a has label {in_a.of_axis[i]}; sum over that axis first")
        j = count
        while j > 0 and in_a.of_axis[order[j - 1]] > in_a.of_axis[i]:
            order[j] = order[j - 1]
            j -= 1
        order[j] = i
        count += 1
    for j in range(count):
        i = order[j]
        labels[plan.call.ndim] = in_a.of_axis[i]
        add_summed(plan, a.v.shape[i], a.v.strides[i], b.v.strides[find_label(in_b, in_a.of_axis[i])])
    return 0


def contract(a, axes_a, b, axes_b, axes_out, *, out=None):
    """Sum of products over axes named by labels: what `einsum` does with two operands, with integers for letters.

    axes_a, axes_b, axes_out: an integer for each axis of a, of b and of the result. A label of all three goes on along
    all (a batch); one that only the result and one operand have is an axis of that operand; one that the result lacks
    is summed over. Sums run in ascending order of their labels, the last one fastest, whatever the strides: labels and
    lengths alone decide the bits, and it is fastest where the last labels are those of the last axes. Dtypes, strides
    and `out` as in `matmul`. Nothing is copied but panels of the operands.

    ValueError where a label is named twice for one operand, only one operand and not the result has it, lengths differ,
    or out has another shape; TypeError for strings and complex numbers.

    >>> import cyops
    >>> cyops.contract([[1., 2.], [3., 4.]], (0, 1), [[1., 0.], [1., 1.]], (1, 2), (2, 0)).tolist()
    [[3.0, 7.0], [2.0, 4.0]]
    """
    cdef Strided x = operand_beside("contract", a, b)
    cdef Strided y = operand_beside("contract", b, a)
    cdef Strided cast_x, cast_y, result
    cdef Labels in_a, in_b, in_out
    cdef Py_ssize_t labels[CYOPS_CONTRACTION_AXES]
    cdef Plan plan
    cdef int dtype = common_dtype("contract", x, y)
    axes_a, axes_b, axes_out = as_labels("axes_a", axes_a), as_labels("axes_b", axes_b), as_labels("axes_out", axes_out)
    read_labels("axes_a", axes_a, x.v.ndim, &in_a)
    read_labels("axes_b", axes_b, y.v.ndim, &in_b)
    read_labels("axes_out", axes_out, -1, &in_out)
    cast_x = ready(x, dtype)
    cast_y = ready(y, dtype)
    plan_labels(&plan, cast_x, cast_y, &in_a, &in_b, &in_out, labels)
    result = compute("contract", result_class(x, y), &plan, cast_x, cast_y, dtype, out)
    if recording():
        record("contract", (x, y), result, {"axes_a": axes_a, "axes_b": axes_b, "axes_out": axes_out})
    return result


def contract_windows(a, axes_a, b, axes_b, axes_out, windows):
    """`contract` with windows that slide along axes of a, read where they lie: what convolutions are made of.

    Each window is (axis, label, stride, dilation, before, after): that axis of a has the label of the taps in `axes_a`,
    `label` names the positions, and the tap k of position o is the element o * stride + k * dilation - before. Beyond
    either end of the axis, where `before` and `after` allow for as much padding, it counts as 0. Neither label may be a
    batch's. a and b: both float32, float64 or bfloat16, or of one integer dtype. A fresh tensor; not recorded. What
    code in C does with windows, for tests of it and for trying things out.

    >>> import cyops
    >>> from cyops.contract import contract_windows
    >>> contract_windows([1., 2., 3.], (1,), [1., 10.], (1,), (0,), [(0, 0, 1, 1, 1, 0)]).tolist()
    [10.0, 21.0, 32.0]
    """
    cdef Strided x = operand_beside("contract_windows", a, b)
    cdef Strided y = operand_beside("contract_windows", b, a)
    cdef Strided view = alias(Strided, x)
    cdef Labels in_a, in_b, in_out
    cdef Py_ssize_t labels[CYOPS_CONTRACTION_AXES]
    cdef Plan plan
    cdef Py_ssize_t taps, positions, span
    cdef int i, axis
    axes_a, axes_b, axes_out, windows = tuple(axes_a), tuple(axes_b), tuple(axes_out), tuple(windows)
    cdef bint has_kernel = computing_dtype(x.v.dtype) == x.v.dtype or x.v.dtype == CYOPS_BFLOAT16
    if x.v.dtype != y.v.dtype or not has_kernel or len(windows) > CYOPS_MOST_WINDOWS:
        raise ValueError("contract_windows: needs operands of one dtype that kernels compute in, and at most "
                         f"{CYOPS_MOST_WINDOWS} windows; got {x.dtype}, {y.dtype} and {len(windows)} windows")
    read_labels("axes_b", axes_b, y.v.ndim, &in_b)
    read_labels("axes_out", axes_out, -1, &in_out)
    for i, (axis, label, stride, dilation, before, after) in enumerate(windows):
        taps = y.v.shape[axes_b.index(axes_a[axis])]
        span = x.v.shape[axis] + before + after - (taps - 1) * dilation - 1
        positions = span // stride + 1 if span >= 0 else 0
        view.v.data -= before * x.v.strides[axis] * x.v.itemsize
        view.v.shape[axis] = taps
        view.v.strides[axis] = x.v.strides[axis] * dilation
        view.v.shape[view.v.ndim] = positions
        view.v.strides[view.v.ndim] = x.v.strides[axis] * stride
        view.v.ndim += 1
        axes_a += (label,)
    read_labels("axes_a", axes_a, view.v.ndim, &in_a)
    plan_labels(&plan, view, y, &in_a, &in_b, &in_out, labels)
    plan.call.windows = len(windows)
    for i, (axis, label, stride, dilation, before, after) in enumerate(windows):
        plan.call.window[i].first = -before
        plan.call.window[i].length = x.v.shape[axis]
        set_window(&plan, labels, in_a.of_axis[axis], i, dilation)
        set_window(&plan, labels, label, i, stride)
    return compute("contract_windows", result_class(x, y), &plan, x, y, x.v.dtype, None)


cdef int set_window(Plan *plan, const Py_ssize_t *labels, Py_ssize_t label, int window, Py_ssize_t step) except -1:
    """The axis of the call that has that label moves the window's place by `step`."""
    cdef int i
    for i in range(plan.call.ndim):
        if labels[i] == label:
            plan.call.axes[i].window = window
            plan.call.axes[i].step = step
            return 0
    raise ValueError(f"contract_windows: no axis has label {label}")
