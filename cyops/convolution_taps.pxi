# convolution_taps: convolutions whose padding might meet infinities or NaN, tap by tap. Included by convolution.pyx.
#
# Padding contributes nothing, whatever it would be multiplied by, as in TensorFlow and PyTorch. The other ways of
# computing may multiply its zeros, which comes to the same unless a factor is infinite or NaN. Here each tap is a
# contraction of its own, over the positions for which it lies inside.

# The positions [first, first + count) along an axis for which a tap lies inside, and the place of the first of them.
ctypedef struct Inside:
    Py_ssize_t first, count, place


cdef Inside positions_inside(const Axis *axis, Py_ssize_t tap) noexcept:
    cdef Py_ssize_t place = tap * axis.dilation - axis.before               # of position 0
    cdef Py_ssize_t low = 0 if place >= 0 else (axis.stride - 1 - place) // axis.stride
    cdef Py_ssize_t high = 0 if place >= axis.length else (axis.length - 1 - place) // axis.stride + 1
    cdef Inside inside
    inside.first = low
    inside.count = max(min(high, axis.positions) - low, 0)
    inside.place = place + low * axis.stride
    return inside


cdef bint reaches_padding(const Shapes *shapes) noexcept:
    """Whether a tap of a position lies outside."""
    cdef int i
    cdef const Axis *axis
    for i in range(shapes.window.count):
        axis = &shapes.window.axes[i]
        if axis.before > 0 or (axis.positions - 1) * axis.stride + extent_of(axis) - axis.before > axis.length:
            return True
    return False


cdef bint covers_all(const Shapes *shapes) noexcept:
    """Whether every place of the input is met by each tap, so that its gradient meets no padding."""
    cdef int i
    for i in range(shapes.window.count):
        if shapes.window.axes[i].taps > 1 or shapes.window.axes[i].stride > 1:
            return False
    return not reaches_padding(shapes)


cdef bint is_finite_throughout(Strided x) except -1:
    return api().is_finite(&x.v)


# Which of the three tensors of a convolution is written; the others are read.
ctypedef enum Sought:
    RESULT, BY_INPUT, BY_KERNEL

# What an axis is of: all three tensors, x and out, x and the kernel, or the kernel and out.
ctypedef enum Shared:
    GROUPS, POSITIONS, CHANNELS, FILTERS


cdef int put_axis(Plan *plan, Sought sought, Shared shared, Py_ssize_t length, Py_ssize_t x, Py_ssize_t kernel,
                  Py_ssize_t out) except -1:
    """An axis by its strides in the three. Operand a is x, or out by the input; b is the kernel, or out by it."""
    cdef Py_ssize_t a = out if sought == BY_INPUT else x
    cdef Py_ssize_t b = out if sought == BY_KERNEL else kernel
    cdef cyops_contraction_axis *axis
    if shared == (CHANNELS if sought == RESULT else FILTERS if sought == BY_INPUT else POSITIONS):
        add_summed(plan, length, a, b)
        return 0
    if shared == GROUPS:
        axis = add_batch("conv", plan, length, a, b)
    elif shared == (CHANNELS if sought == BY_INPUT else FILTERS):
        axis = add_column("conv", plan, length, b)
    else:
        axis = add_row("conv", plan, length, a)
    axis.out = out if sought == RESULT else x if sought == BY_INPUT else kernel
    return 0


cdef int sum_taps(const Shapes *shapes, Sought sought, Strided x, Strided kernel, Strided out) except -1:
    """Of the three the one that is sought is written, the others are read."""
    cdef Strided written = out if sought == RESULT else x if sought == BY_INPUT else kernel
    cdef Py_ssize_t[MOST_SPATIAL] taps
    cdef Py_ssize_t number, left, count = 1
    cdef int i
    cdef int n = shapes.window.count
    memset(written.v.data, 0, written.v.size * written.v.itemsize)
    for i in range(n):
        count *= shapes.window.axes[i].taps
    for number in range(count):
        left = number
        for i in range(n - 1, -1, -1):
            taps[i] = left % shapes.window.axes[i].taps
            left //= shapes.window.axes[i].taps
        sum_tap(shapes, sought, taps, x, kernel, out)
    return 0


cdef int sum_tap(const Shapes *shapes, Sought sought, const Py_ssize_t *taps, Strided x, Strided kernel,
                 Strided out) except -1:
    """Adds the products of a tap: a and b are the two that are read, the third is written."""
    cdef int i
    cdef int n = shapes.window.count
    cdef Py_ssize_t channels = shapes.channels // shapes.groups
    cdef Py_ssize_t filters = shapes.filters // shapes.groups
    cdef Py_ssize_t of_x = channel_stride(shapes, x)
    cdef Py_ssize_t of_out = channel_stride(shapes, out)
    cdef Py_ssize_t to_x = 0, to_out = 0, to_kernel = 0
    cdef Inside[MOST_SPATIAL] inside
    cdef Plan plan
    for i in range(n):
        inside[i] = positions_inside(&shapes.window.axes[i], taps[i])
        if inside[i].count == 0:
            return 0
        to_x += inside[i].place * spatial_strides(shapes, x)[i]
        to_out += inside[i].first * spatial_strides(shapes, out)[i]
        to_kernel += taps[i] * kernel.v.strides[i]
    begin_plan(&plan, out if sought == BY_INPUT else x, out if sought == BY_KERNEL else kernel)
    plan.call.accumulate = True
    cdef char *of_taps = kernel.v.data + to_kernel * kernel.v.itemsize
    cdef char *of_places = x.v.data + to_x * x.v.itemsize
    cdef char *of_positions = out.v.data + to_out * out.v.itemsize
    plan.call.a = of_positions if sought == BY_INPUT else of_places
    plan.call.b = of_positions if sought == BY_KERNEL else of_taps
    plan.call.out = of_positions if sought == RESULT else of_places if sought == BY_INPUT else of_taps
    put_axis(&plan, sought, GROUPS, shapes.groups, of_x * channels, kernel.v.strides[n + 1] * filters, of_out * filters)
    put_axis(&plan, sought, POSITIONS, shapes.samples, x.v.strides[0], 0, out.v.strides[0])
    for i in range(n):
        put_axis(&plan, sought, POSITIONS, inside[i].count,
                 spatial_strides(shapes, x)[i] * shapes.window.axes[i].stride, 0, spatial_strides(shapes, out)[i])
    put_axis(&plan, sought, CHANNELS, channels, of_x, kernel.v.strides[n], 0)
    put_axis(&plan, sought, FILTERS, filters, 0, kernel.v.strides[n + 1], of_out)
    return run("conv", &plan)


cdef int finish_taps(const Shapes *shapes, Strided out, Strided bias, int relu) except -1:
    """out = activation(out + bias), for which a sum tap by tap has no pass of its own."""
    cdef cyops_view repeated = out.v
    cdef const cyops_view *inputs[2]
    cdef int i
    inputs[0] = &out.v
    if bias is not None:
        for i in range(out.v.ndim):
            repeated.strides[i] = 0
        repeated.strides[channel_axis(&shapes.window)] = bias.v.strides[0]
        repeated.data = bias.v.data
        inputs[1] = &repeated
        check("conv", api().elementwise(CYOPS_OP_add, &out.v, inputs))
    return check("conv", api().elementwise(CYOPS_OP_relu, &out.v, inputs)) if relu else 0
