# contract_tensordot: dot and tensordot. Included by contract.pyx.

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
    cdef Plan plan
    if is_complex(x.v.dtype) or is_complex(y.v.dtype):
        if x.v.ndim > 0 and y.v.ndim > 0:
            check_inner("dot", x, y)
        return complex_product("dot", numpy.dot, x, y, {}, out)
    cdef int dtype = common_dtype("dot", x, y)
    if x.v.ndim == 0 or y.v.ndim == 0:
        contracted_x, contracted_y = (), ()
    else:
        check_inner("dot", x, y)
        contracted_x, contracted_y = (x.v.ndim - 1,), (max(y.v.ndim - 2, 0),)
    cdef Strided cast_x = ready(x, dtype)
    cdef Strided cast_y = ready(y, dtype)
    plan_tensordot("dot", &plan, cast_x, cast_y, contracted_x, contracted_y)
    result = compute("dot", result_class(x, y), &plan, cast_x, cast_y, dtype, out)
    if recording():
        record("dot", (x, y), result, None)
    return result


def tensordot(a, b, axes=2):
    """Sum of products over several axes at once; the result has a's other axes, then b's.

    axes: how many of the last axes of a are summed against as many first axes of b; or a pair of sequences, the axes
    of a and those of b that go together (negative ones count from the end). Sums run in the order in which the axes
    are given. Dtypes and strides as in `matmul`; no operand is copied. A fresh tensor.

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
    cdef Plan plan
    contracted_x, contracted_y = read_axes(x, y, axes)
    if is_complex(x.v.dtype) or is_complex(y.v.dtype):
        return complex_product("tensordot", numpy.tensordot, x, y, {"axes": (contracted_x, contracted_y)}, None)
    cdef int dtype = common_dtype("tensordot", x, y)
    cdef Strided cast_x = ready(x, dtype)
    cdef Strided cast_y = ready(y, dtype)
    plan_tensordot("tensordot", &plan, cast_x, cast_y, contracted_x, contracted_y)
    result = compute("tensordot", result_class(x, y), &plan, cast_x, cast_y, dtype, None)
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


cdef int plan_tensordot(str op, Plan *plan, Strided a, Strided b, tuple of_a, tuple of_b) except -1:
    """Rows are a's axes that are not summed over, columns b's."""
    cdef int i, ndim = a.v.ndim + b.v.ndim - 2 * len(of_a)
    if ndim > CYOPS_MAX_NDIM:
        raise ValueError(f"{op}: the result has {ndim} axes; at most {CYOPS_MAX_NDIM} are possible")
    begin_plan(plan, a, b)
    for i in range(a.v.ndim):
        if i not in of_a:
            add_row(op, plan, a.v.shape[i], a.v.strides[i])
    for i in range(b.v.ndim):
        if i not in of_b:
            add_column(op, plan, b.v.shape[i], b.v.strides[i])
    for axis_a, axis_b in zip(of_a, of_b):
        add_summed(plan, a.v.shape[<int> axis_a], a.v.strides[<int> axis_a], b.v.strides[<int> axis_b])
    return 0


set_matmul(matmul)
