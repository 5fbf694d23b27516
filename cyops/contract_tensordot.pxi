# contract_tensordot: dot and tensordot, as matrix products of merged axes. Included by contract.pyx.

def dot(a, b, *, out=None):
    """Sum of products over the last axis of a and the second-last of b (its only one for a vector).

    a: (..., k); b: (k,) or (..., k, n): every combination of their other axes, a's first, as in `numpy.dot`:
    (n,)(n,) -> (), (a, b, c, d)(d,) -> (a, b, c), (a, b, c, d)(d, e) -> (a, b, c, e), (p, k)(q, k, n) -> (p, q, n).
    Where one operand is a scalar, their product. Dtypes, strides and `out` as in `matmul`.

    ValueError where the lengths summed over differ or the result would have more than 16 axes; TypeError for strings.

    >>> import cyops
    >>> cyops.dot([1., 2., 3.], [4., 5., 6.]).item()
    32.0
    >>> cyops.dot(cyops.ones((2, 3, 4, 5)), cyops.ones((5, 6))).shape
    (2, 3, 4, 6)
    """
    cdef Strided x = operand_beside("dot", a, b)
    cdef Strided y = operand_beside("dot", b, a)
    cdef Strided result
    cdef int axes[CYOPS_MAX_NDIM + 2]
    cdef Plan plan
    cdef int dtype = common_dtype("dot", x, y)
    if x.v.ndim == 0 or y.v.ndim == 0:
        contracted_x, contracted_y = (), ()
    else:
        check_inner("dot", x, y)
        contracted_x, contracted_y = (x.v.ndim - 1,), (max(y.v.ndim - 2, 0),)
    cdef Strided cast_x = ready(x, dtype)
    cdef Strided cast_y = ready(y, dtype)
    plan_tensordot("dot", &plan, axes, cast_x, cast_y, contracted_x, contracted_y)
    result = compute("dot", result_class(x, y), &plan, axes, dtype, out)
    if recording():
        record("dot", (x, y), result, None)
    return result


def tensordot(a, b, axes=2):
    """Sum of products over several axes at once; the result has a's other axes, then b's.

    axes: how many of the last axes of a are summed against as many first axes of b; or a pair of sequences, the axes
    of a and those of b that go together (negative ones count from the end). Sums run in the order in which the axes
    are given. Dtypes and strides as in `matmul`; an operand is copied only where one stride does not lead along the
    axes summed over, or where its other axes would make many small products. A fresh tensor.

    ValueError where the lengths differ, an axis is named twice or the result would have more than 16 axes; IndexError
    for an axis out of range; TypeError for strings. As `numpy.tensordot`.

    >>> import cyops
    >>> cyops.tensordot(cyops.ones((2, 3, 4)), cyops.ones((3, 4, 5))).shape
    (2, 5)
    >>> cyops.tensordot(cyops.ones((2, 3, 4)), cyops.ones((4, 5, 2)), axes=([0, 2], [2, 0])).shape
    (3, 5)
    """
    cdef Strided x = operand_beside("tensordot", a, b)
    cdef Strided y = operand_beside("tensordot", b, a)
    cdef Strided result
    cdef int call_axes[CYOPS_MAX_NDIM + 2]
    cdef Plan plan
    contracted_x, contracted_y = read_axes(x, y, axes)
    cdef int dtype = common_dtype("tensordot", x, y)
    cdef Py_ssize_t depth = length_of(x, contracted_x)
    cdef Strided cast_x = with_merged_axes(ready(x, dtype), contracted_x, y.v.size // max(depth, 1))
    cdef Strided cast_y = with_merged_axes(ready(y, dtype), contracted_y, x.v.size // max(depth, 1))
    plan_tensordot("tensordot", &plan, call_axes, cast_x, cast_y, contracted_x, contracted_y)
    result = compute("tensordot", result_class(x, y), &plan, call_axes, dtype, None)
    if recording():
        record("tensordot", (x, y), result, {"axes": (contracted_x, contracted_y)})
    return result


cdef tuple read_axes(Strided a, Strided b, object axes):
    """The axes summed over as two tuples of equal length, checked."""
    cdef Py_ssize_t count
    if hasattr(axes, "__index__"):
        count = read_integer("tensordot", "axes", axes)
        if count < 0 or count > a.v.ndim or count > b.v.ndim:
            raise ValueError(f"tensordot: axes must lie between 0 and the number of axes of both; got axes {axes}, "
                             f"a {shape_of(a)}, b {shape_of(b)}")
        of_a, of_b = tuple(range(a.v.ndim - count, a.v.ndim)), tuple(range(count))
    else:
        try:
            of_a, of_b = axes
        except (TypeError, ValueError):
            raise ValueError(f"tensordot: axes must be an integer or a pair of sequences; got {axes!r}") from None
        of_a = (of_a,) if hasattr(of_a, "__index__") else tuple(of_a)
        of_b = (of_b,) if hasattr(of_b, "__index__") else tuple(of_b)
        of_a = tuple([normalize_axis("tensordot", axis, a.v.ndim) for axis in of_a])
        of_b = tuple([normalize_axis("tensordot", axis, b.v.ndim) for axis in of_b])
        if len(set(of_a)) != len(of_a) or len(set(of_b)) != len(of_b):
            raise ValueError(f"tensordot: an axis is named twice; got axes {axes!r}")
    lengths_a = tuple([a.v.shape[axis] for axis in of_a])
    lengths_b = tuple([b.v.shape[axis] for axis in of_b])
    if lengths_a != lengths_b:
        raise ValueError(f"tensordot: the axes summed over must have equal lengths; got {lengths_a} of a {shape_of(a)} "
                         f"and {lengths_b} of b {shape_of(b)}")
    return of_a, of_b


cdef bint merge_axes(const cyops_view *x, tuple axes, Py_ssize_t *length, Py_ssize_t *stride) except -1:
    """Whether one stride walks `axes` in this order, the last one fastest; if so, its length and that stride."""
    cdef int i, axis
    length[0] = 1
    stride[0] = 0
    for i in range(len(axes) - 1, -1, -1):
        axis = axes[i]
        if x.shape[axis] == 1:
            continue
        if length[0] == 1:
            stride[0] = x.strides[axis]
        elif x.strides[axis] != stride[0] * length[0]:
            return False
        length[0] *= x.shape[axis]
    return True


cdef Py_ssize_t length_of(Strided x, tuple axes):
    cdef Py_ssize_t length = 1
    for axis in axes:
        length *= x.v.shape[axis]
    return length


# An operand whose other axes do not merge takes part in many products, each as wide as the last of them. Measured at
# (2000, 300)(100, 300, 3), summed over 300: 19.3 ms in place, 2.9 ms from a copy; at (512, 64)(8, 64, 64)
# 0.36 and 0.25.
cdef enum:
    WIDE = 128                      # products of this width and more lose little
    FEW_USES = 32                   # of each element: the copy would cost as much as it saves


cdef Strided with_merged_axes(Strided x, tuple axes, Py_ssize_t uses):
    """`x`, each of whose elements goes into `uses` sums over `axes`, or a copy of it in a better order.

    In the copy's memory `axes` come last, so one stride leads along them and another along all others. A table of
    offsets along `axes`, followed while the operand is packed, took 11.6 ms where the copy takes 4.8, at (32, 24,
    32, 24)(24, 32, 24, 32) summed over alternating axes, because then the other axes make many small products too.
    """
    cdef Py_ssize_t length, stride
    cdef Strided moved, copy
    cdef int i, axis
    cdef tuple others = tuple([axis for axis in range(x.v.ndim) if axis not in axes])
    cdef bint is_wide = merge_axes(&x.v, others, &length, &stride) or length >= WIDE or uses < FEW_USES
    if is_wide and merge_axes(&x.v, axes, &length, &stride):
        return x
    order = [*others, *axes]
    moved = alias(Strided, x)
    for i, axis in enumerate(order):
        moved.v.shape[i] = x.v.shape[axis]
        moved.v.strides[i] = x.v.strides[axis]
    moved = contiguous(moved)
    copy = alias(Strided, moved)
    for i, axis in enumerate(order):
        copy.v.shape[axis] = moved.v.shape[i]
        copy.v.strides[axis] = moved.v.strides[i]
    return copy


cdef int plan_tensordot(str op, Plan *plan, int *axes, Strided a, Strided b, tuple of_a, tuple of_b) except -1:
    """The call's axes are a's free ones but the last, b's free ones but the last, then those two as row and column."""
    cdef Py_ssize_t length, stride_a, stride_b
    cdef list free_a = [axis for axis in range(a.v.ndim) if axis not in of_a]
    cdef list free_b = [axis for axis in range(b.v.ndim) if axis not in of_b]
    cdef int count_a = len(free_a)
    cdef int count_b = len(free_b)
    cdef int i, call_axis = 0
    # The call has up to two axes more than the result, where an operand has no free axis.
    check_rank(op, max(count_a, 1) + max(count_b, 1))
    merge_axes(&a.v, of_a, &length, &stride_a)
    merge_axes(&b.v, of_b, &length, &stride_b)
    begin_view(&plan.a, &a.v)
    begin_view(&plan.b, &b.v)
    plan.ndim = 0
    for axis in free_a:
        add_result_axis(plan, a.v.shape[axis])
    for axis in free_b:
        add_result_axis(plan, b.v.shape[axis])
    for i in range(count_a - 1):
        add_axis(&plan.a, a.v.shape[free_a[i]], a.v.strides[free_a[i]])
        add_axis(&plan.b, a.v.shape[free_a[i]], 0)
        axes[call_axis] = i
        call_axis += 1
    for i in range(count_b - 1):
        add_axis(&plan.a, b.v.shape[free_b[i]], 0)
        add_axis(&plan.b, b.v.shape[free_b[i]], b.v.strides[free_b[i]])
        axes[call_axis] = count_a + i
        call_axis += 1
    axes[call_axis] = count_a - 1
    axes[call_axis + 1] = count_a + count_b - 1 if count_b > 0 else -1
    add_axis(&plan.a, a.v.shape[free_a[count_a - 1]] if count_a > 0 else 1,
             a.v.strides[free_a[count_a - 1]] if count_a > 0 else 0)
    add_axis(&plan.a, length, stride_a)
    add_axis(&plan.b, length, stride_b)
    add_axis(&plan.b, b.v.shape[free_b[count_b - 1]] if count_b > 0 else 1,
             b.v.strides[free_b[count_b - 1]] if count_b > 0 else 0)
    return 0


set_matmul(matmul)
