# contract_dense: a fully connected layer forward and backward, each as products with everything else fused into them.
# Included by contract.pyx.

def dense(x, kernel, bias=None, activation=None):
    """A fully connected layer in one pass: activation(x kernel + bias).

    x: (..., k); kernel: (k, n); bias: (n,) or None; the result is (..., n). Floating dtypes, or integers beside them;
    the result has the promoted one. activation: None or "relu". Bias and activation are applied while the product is
    still in registers. Any strides; a fresh tensor.

    ValueError where the lengths do not agree or the activation is unknown; TypeError where no operand is floating.

    >>> import cyops
    >>> cyops.dense([[1., 2.]], [[1., -1.], [1., -1.]], [0.5, 0.5], activation="relu").tolist()
    [[3.5, 0.0]]
    """
    cdef Strided a = operand_beside("dense", x, kernel)
    cdef Strided b = operand_beside("dense", kernel, x)
    cdef Strided c = None if bias is None else operand_beside("dense", bias, x)
    cdef Strided result, cast_a, cast_b
    cdef Strided cast_c = None
    cdef Plan plan
    check_dense(a, b, c, activation)
    cdef int dtype = common_dtype("dense", a, b)
    if c is not None:
        dtype = promote(dtype, c.v.dtype)
        cast_c = cast_to(c, computing_dtype(dtype))
    if not is_floating(dtype):
        raise TypeError(f"dense: needs floating operands; got x {a.dtype}, kernel {b.dtype}")
    cast_a = ready(a, dtype)
    cast_b = ready(b, dtype)
    plan_matmul("dense", &plan, cast_a, cast_b)
    plan.call.activation = CYOPS_ACTIVATION_RELU if activation is not None else CYOPS_ACTIVATION_NONE
    if cast_c is not None:
        plan.call.bias = cast_c.v.data
        plan.call.axes[plan.call.ndim - 1].bias = cast_c.v.strides[0]
    result = compute("dense", result_class(a, b), &plan, cast_a, cast_b, dtype, None, cast_c)
    if recording():
        record("dense", (a, b, c), result, {"activation": activation})
    return result


cdef int check_dense(Strided x, Strided kernel, Strided bias, object activation) except -1:
    if activation is not None and activation != "relu":
        raise ValueError(f'dense: activation must be None or "relu"; got {activation!r}; apply another one to the '
                         "result")
    if kernel.v.ndim != 2:
        raise ValueError(f"dense: kernel must have two axes (k, n); got kernel {shape_of(kernel)}")
    if x.v.ndim == 0 or x.v.shape[x.v.ndim - 1] != kernel.v.shape[0]:
        raise ValueError(f"dense: last axis of x must equal first axis of kernel; got x {shape_of(x)}, "
                         f"kernel {shape_of(kernel)}")
    if bias is not None and (bias.v.ndim != 1 or bias.v.shape[0] != kernel.v.shape[1]):
        raise ValueError(f"dense: bias must have one element per column of kernel; got kernel {shape_of(kernel)}, "
                         f"bias {shape_of(bias)}")
    return 0


def dense_backward(d, x=None, kernel=None, y=None, *, bint bias=True, Strided kernel_gradient=None):
    """The gradients of a layer y = dense(x, kernel, bias) from the gradient d of its result: (dx, dkernel, dbias).

    Of d count the elements where y > 0 (the layer had relu), or all where y is None: let z be those, and 0 elsewhere.
    dx = z kernel.T where a kernel is given, dkernel = x.T z where an x is, dbias = the sum of z over all but its last
    axis where `bias` is true; the others are None. z is never in memory: the mask is applied and the columns are summed
    while operands are packed. d, y: (..., n); x: (..., k); kernel: (k, n); floating; any strides. The gradients are
    fresh tensors of the promoted dtype (float32 for halves), or dkernel is added to `kernel_gradient`, a C-ordered
    tensor (k, n) of that dtype which overlaps none of the others. Not recorded.

    ValueError where shapes do not agree, TypeError where d is not floating.

    >>> import cyops
    >>> dx, dkernel, dbias = cyops.dense_backward([[1., 1.]], [[2., 3.]], [[1., 2.], [3., 4.]], y=[[5., 0.]])
    >>> dx.tolist(), dkernel.tolist(), dbias.tolist()
    ([[1.0, 3.0]], [[2.0, 0.0], [3.0, 0.0]], [1.0, 0.0])
    """
    cdef Strided a = None if x is None else operand_beside("dense_backward", x, d)
    cdef Strided b = None if kernel is None else operand_beside("dense_backward", kernel, d)
    cdef Strided z = operand_beside("dense_backward", d, x)
    cdef Strided mask = None if y is None else operand_beside("dense_backward", y, d)
    cdef Strided dx = None
    cdef Strided dkernel = None
    cdef Strided dbias = None
    cdef Py_ssize_t shape[CYOPS_MAX_NDIM]
    check_backward(z, a, b, mask)
    cdef type cls = result_class(z, a)
    cdef int last = z.v.ndim - 1
    cdef int dtype = z.v.dtype
    if a is not None:
        dtype = common_dtype("dense_backward", a, z)
    if b is not None:
        dtype = promote(dtype, common_dtype("dense_backward", z, b))
    cdef int computing = computing_dtype(dtype)
    z = ready(z, dtype)
    mask = None if mask is None else ready(mask, dtype)
    if b is not None:
        dx = masked_times_kernel(cls, z, mask, ready(b, dtype), computing)
    if bias:
        dbias = empty("dense_backward", cls, computing, itemsize_of(computing), 1, z.v.shape + last)
    if a is not None:
        a = ready(a, dtype)
        dkernel = target_of(kernel_gradient, cls, a, z, computing)
        rows_times_masked(dkernel, a, z, mask, dbias, kernel_gradient is not None)
    elif bias:
        shape[0], shape[1] = 0, z.v.shape[last]         # the sums beside a product without rows
        dkernel = empty("dense_backward", Strided, computing, itemsize_of(computing), 2, shape)
        rows_times_masked(dkernel, None, z, mask, dbias, False)
        dkernel = None
    return dx, dkernel, dbias


cdef Strided masked_times_kernel(type cls, Strided d, Strided mask, Strided kernel, int dtype):
    """d kernel.T over the last axes, d counting where the mask is positive."""
    cdef Plan plan
    cdef cyops_contraction_axis *axis
    cdef int i, last = d.v.ndim - 1
    begin_plan(&plan, d, kernel)
    for i in range(last):
        axis = add_row("dense_backward", &plan, d.v.shape[i], d.v.strides[i])
        axis.mask = 0 if mask is None else mask.v.strides[i]
    axis = add_summed(&plan, d.v.shape[last], d.v.strides[last], kernel.v.strides[1])
    axis.mask = 0 if mask is None else mask.v.strides[last]
    add_column("dense_backward", &plan, kernel.v.shape[0], kernel.v.strides[0])
    set_mask(&plan, mask)
    return compute("dense_backward", cls, &plan, d, kernel, dtype, None)


cdef void set_mask(Plan *plan, Strided mask) noexcept:
    if mask is not None:
        plan.call.mask = mask.v.data
        plan.call.dtype_mask = mask.v.dtype


cdef int rows_times_masked(Strided out, Strided x, Strided d, Strided mask, Strided sums, bint accumulate) except -1:
    """x.T d over all axes but the last into `out`, d counting where the mask is positive, and the sums of d likewise.
    An x that is None has no columns."""
    cdef Plan plan
    cdef cyops_contraction_axis *axis
    cdef int i, last = d.v.ndim - 1
    begin_plan(&plan, d if x is None else x, d)
    add_row("dense_backward", &plan, out.v.shape[0], 0 if x is None else x.v.strides[last])
    for i in range(last):
        axis = add_summed(&plan, d.v.shape[i], 0 if x is None else x.v.strides[i], d.v.strides[i])
        axis.mask = 0 if mask is None else mask.v.strides[i]
    axis = add_column("dense_backward", &plan, d.v.shape[last], d.v.strides[last])
    axis.mask = 0 if mask is None else mask.v.strides[last]
    set_mask(&plan, mask)
    plan.call.is_mask_of_b = True
    plan.call.sums = NULL if sums is None else sums.v.data
    plan.call.accumulate = accumulate
    lay_out(&plan, out, NULL)
    return run("dense_backward", &plan)


cdef int check_backward(Strided d, Strided x, Strided kernel, Strided y) except -1:
    cdef int last = d.v.ndim - 1
    if d.v.ndim == 0 or not is_floating(d.v.dtype):
        raise TypeError(f"dense_backward: d must be floating, with an axis or more; got d {shape_of(d)} {d.dtype}")
    if y is not None and shape_of(y) != shape_of(d):
        raise ValueError(f"dense_backward: y must have the shape of d; got d {shape_of(d)}, y {shape_of(y)}")
    if x is not None and (x.v.ndim != d.v.ndim or shape_of(x)[:last] != shape_of(d)[:last]):
        raise ValueError("dense_backward: all axes but the last of x must equal those of d; got "
                         f"d {shape_of(d)}, x {shape_of(x)}")
    if kernel is not None and (kernel.v.ndim != 2 or kernel.v.shape[1] != d.v.shape[last]):
        raise ValueError("dense_backward: kernel must have two axes, the last as long as that of d; got "
                         f"d {shape_of(d)}, kernel {shape_of(kernel)}")
    return 0


cdef Strided target_of(Strided known, type cls, Strided x, Strided d, int dtype):
    """Where dkernel goes: a fresh tensor, or the one that is added to."""
    cdef Py_ssize_t[2] shape = [x.v.shape[x.v.ndim - 1], d.v.shape[d.v.ndim - 1]]
    if known is None:
        return empty("dense_backward", cls, dtype, itemsize_of(dtype), 2, shape)
    if known.v.dtype != dtype or shape_of(known) != (shape[0], shape[1]) or not is_c_contiguous(&known.v):
        raise ValueError("dense_backward: kernel_gradient must be C-ordered, with the shape and dtype of the gradient; "
                         f"got kernel_gradient {shape_of(known)} {known.dtype}, gradient {(shape[0], shape[1])} "
                         f"{dtype_object(dtype, 0)}")
    if overlaps(&known.v, &x.v) or overlaps(&known.v, &d.v):
        raise ValueError("dense_backward: kernel_gradient must not overlap d or x; add to it afterwards")
    begin_write("dense_backward", known)
    return known
