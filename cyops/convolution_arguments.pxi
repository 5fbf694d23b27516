# convolution_arguments: the arguments and shapes of a convolution, read and checked. Included by convolution.pyx.

cdef int read_activation(str op, object activation) except -1:
    if activation is not None and activation != "relu":
        raise ValueError(f'{op}: activation must be None or "relu"; got {activation!r}; apply another one to the '
                         "result")
    return activation is not None


cdef int read_groups(str op, object groups, Shapes *shapes) except -1:
    cdef Py_ssize_t count = read_integer(op, "groups", groups)
    if not 1 <= count <= LARGEST:
        raise ValueError(f"{op}: groups must be an integer of at least 1; got {groups!r}")
    shapes.groups = count
    return 0


cdef int check_kernel_rank(str op, Strided x, Strided kernel) except -1:
    if kernel.v.ndim != x.v.ndim:
        raise ValueError(f"{op}: kernel must have as many axes as x: one for each spatial axis, then two of channels; "
                         f"got x {shape_of(x)}, kernel {shape_of(kernel)}")
    for i in range(kernel.v.ndim - 2):
        if not 1 <= kernel.v.shape[i] <= LARGEST:
            raise ValueError(f"{op}: kernel must have a tap or more along each spatial axis; got kernel "
                             f"{shape_of(kernel)}")
    return 0


cdef int read_operands(str op, Shapes *shapes, Strided x, Strided kernel, object groups) except -1:
    """Lengths, taps and channels of x and kernel, which must agree."""
    cdef Window *window = &shapes.window
    cdef int i
    cdef int n = window.count
    check_kernel_rank(op, x, kernel)
    read_groups(op, groups, shapes)
    shapes.samples = x.v.shape[0]
    shapes.channels = x.v.shape[channel_axis(window)]
    shapes.filters = kernel.v.shape[n + 1]
    for i in range(n):
        window.axes[i].length = x.v.shape[first_spatial(window) + i]
        window.axes[i].taps = kernel.v.shape[i]
    for i in range(n + 2):
        shapes.x[i], shapes.kernel[i] = x.v.shape[i], kernel.v.shape[i]
    return check_channels(op, shapes, shape_of(x), shape_of(kernel))


cdef int check_channels(str op, const Shapes *shapes, tuple x, tuple kernel) except -1:
    cdef Py_ssize_t of_kernel = shapes.kernel[shapes.window.count]
    cdef Py_ssize_t groups = shapes.groups
    if shapes.channels % groups or shapes.filters % groups:
        raise ValueError(f"{op}: channels and filters must divide into groups; got groups {groups}, {shapes.channels} "
                         f"channels of x {x}, {shapes.filters} filters of kernel {kernel}")
    if of_kernel != shapes.channels // groups:
        each = f" / {groups} groups" if groups > 1 else ""
        raise ValueError(f"{op}: second-last axis of kernel must equal the channels of x{each}; got x {x}, kernel "
                         f"{kernel}, data_format {format_name(&shapes.window)!r}")
    return 0


cdef int read_transposed_operands(Shapes *shapes, Strided d, Strided kernel) except -1:
    """The same for a transposed convolution, whose input has the shape of a convolution's result."""
    cdef Window *window = &shapes.window
    cdef int i
    cdef int n = window.count
    check_kernel_rank("conv_transpose", d, kernel)
    shapes.groups = 1
    shapes.samples = d.v.shape[0]
    shapes.filters = d.v.shape[channel_axis(window)]
    shapes.channels = kernel.v.shape[n]
    if kernel.v.shape[n + 1] != shapes.filters:
        raise ValueError(f"conv_transpose: last axis of kernel must equal the channels of x; got x {shape_of(d)}, "
                         f"kernel {shape_of(kernel)}, data_format {format_name(window)!r}")
    for i in range(n):
        window.axes[i].positions = d.v.shape[first_spatial(window) + i]
        window.axes[i].taps = kernel.v.shape[i]
    for i in range(n + 2):
        shapes.out[i], shapes.kernel[i] = d.v.shape[i], kernel.v.shape[i]
    return 0


cdef int read_output_padding(object padding, object output_padding, Window *window) except -1:
    """Sets `length` and `before` of every axis of a transposed convolution, by the rule of Keras."""
    cdef int i
    cdef Axis *axis
    cdef Py_ssize_t extent, total
    cdef Py_ssize_t[MOST_SPATIAL] more
    name = padding.lower() if isinstance(padding, str) else padding
    if name != "valid" and name != "same":
        raise ValueError(f'conv_transpose: padding must be "valid" or "same"; got {padding!r}')
    if output_padding is not None:
        read_spatial("conv_transpose", "output_padding", output_padding, window.count, more, 0)
    for i in range(window.count):
        axis = &window.axes[i]
        extent = extent_of(axis)
        if output_padding is not None and more[i] >= axis.stride:
            raise ValueError(f"conv_transpose: output_padding must be less than strides; got output_padding "
                             f"{output_padding!r}, stride {axis.stride} of spatial axis {i}")
        if name == "valid":
            more[i] = max(extent, axis.stride) - extent if output_padding is None else more[i]
            axis.before = 0
            axis.length = (axis.positions - 1) * axis.stride + extent + more[i]
        else:
            total = axis.stride + extent - 2 if output_padding is None else extent + extent % 2 - 2 + more[i]
            axis.before = extent - 1 - min(total // 2 + total % 2, extent - 1)
            axis.length = (axis.positions - 1) * axis.stride + 2 + total - extent
        axis.length = axis.length if axis.positions > 0 and axis.length > 0 else 0
    return 0


# -- shapes given as a whole ------------------------------------------------------------------------------------------
cdef int read_window(str op, object window, Shapes *shapes) except -1:
    """(strides, before, dilation_rate, groups, data_format), as gradient rules keep them."""
    cdef int i
    cdef Py_ssize_t[MOST_SPATIAL] numbers
    try:
        strides, before, dilation_rate, groups, data_format = window
        shapes.window.count = len(strides)
    except (TypeError, ValueError):
        raise ValueError(f"{op}: window must be (strides, before, dilation_rate, groups, data_format); "
                         f"got {window!r}") from None
    read_rank(op, shapes.window.count + 2, &shapes.window)
    read_data_format(op, data_format, &shapes.window)
    read_strides(op, strides, dilation_rate, &shapes.window)
    read_spatial(op, "before", before, shapes.window.count, numbers, -LARGEST)
    for i in range(shapes.window.count):
        shapes.window.axes[i].before = numbers[i]
    return read_groups(op, groups, shapes)


cdef int read_given(str op, Shapes *shapes, object x, object kernel, object out) except -1:
    """The shapes of all three tensors, which must agree but for lengths and positions, which need not."""
    cdef Window *window = &shapes.window
    cdef int i
    cdef int n = window.count
    read_lengths(op, "x", x, n + 2, shapes.x)
    read_lengths(op, "kernel", kernel, n + 2, shapes.kernel)
    read_lengths(op, "out", out, n + 2, shapes.out)
    shapes.samples = shapes.x[0]
    shapes.channels = shapes.x[channel_axis(window)]
    shapes.filters = shapes.kernel[n + 1]
    if shapes.out[0] != shapes.samples or shapes.out[channel_axis(window)] != shapes.filters:
        raise ValueError(f"{op}: samples and filters must agree; got x {tuple(x)}, kernel {tuple(kernel)}, result "
                         f"{tuple(out)}")
    for i in range(n):
        window.axes[i].length = shapes.x[first_spatial(window) + i]
        window.axes[i].positions = shapes.out[first_spatial(window) + i]
        window.axes[i].taps = shapes.kernel[i]
        if not 1 <= window.axes[i].taps <= LARGEST:
            raise ValueError(f"{op}: kernel must have a tap or more along each spatial axis; got kernel "
                             f"{tuple(kernel)}")
    return check_channels(op, shapes, tuple(x), tuple(kernel))


cdef int read_lengths(str op, str what, object shape, int ndim, Py_ssize_t *lengths) except -1:
    cdef Py_ssize_t[CYOPS_MAX_NDIM] read
    cdef int i
    if read_shape(op, shape, read) != ndim:
        raise ValueError(f"{op}: {what} must have {ndim} axes; got {shape!r}")
    count_elements(op, ndim, read, sizeof(double))
    for i in range(ndim):
        lengths[i] = read[i]
    return 0


cdef int check_given(str op, str what, Strided x, const Py_ssize_t *shape, int ndim) except -1:
    if x is not None and shape_of(x) != tuple_of(shape, ndim):
        raise ValueError(f"{op}: {what} must have the shape given; got {shape_of(x)}, {what}_shape "
                         f"{tuple_of(shape, ndim)}")
    return 0


# -- results ----------------------------------------------------------------------------------------------------------
cdef void set_out_shape(Shapes *shapes) noexcept:
    cdef int i
    shapes.out[0] = shapes.samples
    shapes.out[channel_axis(&shapes.window)] = shapes.filters
    for i in range(shapes.window.count):
        shapes.out[first_spatial(&shapes.window) + i] = shapes.window.axes[i].positions


cdef void set_x_shape(Shapes *shapes) noexcept:
    cdef int i
    shapes.x[0] = shapes.samples
    shapes.x[channel_axis(&shapes.window)] = shapes.channels
    for i in range(shapes.window.count):
        shapes.x[first_spatial(&shapes.window) + i] = shapes.window.axes[i].length


cdef str format_name(const Window *window):
    return "channels_first" if window.channels_first else "channels_last"


cdef tuple window_tuple(const Shapes *shapes):
    """The window as `conv_with_shape` takes it."""
    cdef int n = shapes.window.count
    cdef int i
    return (tuple([shapes.window.axes[i].stride for i in range(n)]),
            tuple([shapes.window.axes[i].before for i in range(n)]),
            tuple([shapes.window.axes[i].dilation for i in range(n)]), shapes.groups, format_name(&shapes.window))


cdef int check_bias(str op, Strided bias, Py_ssize_t filters, Strided kernel) except -1:
    if bias is not None and (bias.v.ndim != 1 or bias.v.shape[0] != filters):
        raise ValueError(f"{op}: bias must have one element for each of {filters} filters; got bias {shape_of(bias)}, "
                         f"kernel {shape_of(kernel)}")
    return 0


cdef int floating_dtype(str op, Strided x, Strided y, Strided z) except -1:
    """What all of them promote to, without those that are None; floating."""
    cdef Strided one
    cdef int dtype = -1
    for one in (x, y, z):
        if one is not None:
            require_real(op, one.v.dtype, one.v.itemsize)
            dtype = one.v.dtype if dtype < 0 or dtype == one.v.dtype else promote(dtype, one.v.dtype)
    if not is_floating(dtype):
        raise TypeError(f"{op}: needs floating operands; got {dtype_object(dtype, 0)}")
    return dtype


cdef inline Strided ready(Strided x, int dtype, const Shapes *shapes):
    """`x` as the sums of a convolution of `dtype` take it: bfloat16 as it is where they are contractions, all else in
    what `dtype` computes in."""
    if x.v.dtype == CYOPS_BFLOAT16 and dtype == CYOPS_BFLOAT16 and not is_depthwise(shapes):
        return x
    return cast_to(x, computing_dtype(dtype))


cdef inline Strided cast_or_none(Strided x, int dtype):
    return None if x is None else cast_to(x, dtype)


cdef inline Strided fresh(str op, type cls, int dtype, int ndim, const Py_ssize_t *shape):
    return empty(op, cls, dtype, itemsize_of(dtype), ndim, shape)
