# convolution_staged: convolutions of some channels to some filters by blocks that stay in a cache, through csrc/conv.
# Included by convolution.pyx. The bits are those of the contraction that other shapes and layouts go by.

cdef enum:
    LEAST_CHANNELS = 16         # docs/kernels.md, Convolutions
    LEAST_FILTERS = 16
    MOST_FILTERS = 768
    MOST_WEIGHTS = 1 << 20


cdef inline bint is_side_by_side(const Shapes *shapes, Strided x, Py_ssize_t step) noexcept:
    """Whether the channels lie side by side, or every step-th place along the last axis."""
    cdef Py_ssize_t place = spatial_strides(shapes, x)[shapes.window.count - 1] * step
    return x.v.strides[channel_axis(&shapes.window)] == 1 or place == 1


cdef bint suits_staged(const Shapes *shapes, Strided out, Strided x, Py_ssize_t summed, Py_ssize_t filters,
                       Strided bias, Py_ssize_t step=1) noexcept:
    """Whether a copy of a block pays: one tap alone packs nothing twice, and is a matrix product.

    step: from place to place of `out` along the last axis.
    """
    cdef int i
    cdef Py_ssize_t taps = 1
    for i in range(shapes.window.count):
        taps *= shapes.window.axes[i].taps
    if taps == 1 or taps > CYOPS_MOST_TAPS or shapes.groups > 1 or x.v.dtype == CYOPS_BFLOAT16:
        return False
    if summed < LEAST_CHANNELS or filters < LEAST_FILTERS or filters > MOST_FILTERS:
        return False
    if summed * filters * taps > MOST_WEIGHTS or (bias is not None and bias.v.strides[0] != 1):
        return False
    return is_side_by_side(shapes, x, 1) and is_side_by_side(shapes, out, step)


cdef int run_staged(str op, const cyops_staged_call *call) except -1:
    cdef int status
    cdef const cyops_api *functions = api()
    with nogil:
        status = functions.conv_staged(call)
    return check(op, status)


cdef void begin_staged(const Shapes *shapes, cyops_staged_call *call, Strided out, Strided x, Strided kernel,
                       Strided bias, int relu) noexcept:
    """What is the same forward and by the input: `x` is what is read, `out` what is written."""
    cdef int i
    memset(call, 0, sizeof(cyops_staged_call))
    call.dtype, call.relu, call.samples = out.v.dtype, relu, shapes.samples
    call.x, call.kernel, call.out = x.v.data, kernel.v.data, out.v.data
    call.bias = bias.v.data if bias is not None else NULL
    call.x_sample, call.x_channel = x.v.strides[0], x.v.strides[channel_axis(&shapes.window)]
    call.out_sample, call.out_channel = out.v.strides[0], out.v.strides[channel_axis(&shapes.window)]
    for i in range(3 - shapes.window.count):
        call.axes[i].length = call.axes[i].positions = call.axes[i].taps = call.axes[i].step = 1


cdef int staged_forward(const Shapes *shapes, Strided out, Strided x, Strided kernel, Strided bias,
                        int relu) except -1:
    cdef cyops_staged_call call
    cdef cyops_conv_axis *its
    cdef const Axis *axis
    cdef int i, place
    cdef int n = shapes.window.count
    begin_staged(shapes, &call, out, x, kernel, bias, relu)
    call.channels, call.filters = shapes.channels, shapes.filters
    call.kernel_channel, call.kernel_filter = kernel.v.strides[n], kernel.v.strides[n + 1]
    for i in range(n):
        axis = &shapes.window.axes[i]
        place = first_spatial(&shapes.window) + i
        its = &call.axes[3 - n + i]
        its.length, its.positions, its.taps = axis.length, axis.positions, axis.taps
        its.first, its.step, its.tap_step = -axis.before, axis.stride, axis.dilation
        its.x, its.out, its.kernel = x.v.strides[place], out.v.strides[place], kernel.v.strides[i]
    return run_staged("conv", &call)


cdef int staged_phase(const Shapes *shapes, const Phase *phases, Strided dx, Strided d, Strided kernel, Strided bias,
                      int relu) except -1:
    """One phase of the gradient by the input: what is read is d, and channels are the filters."""
    cdef cyops_staged_call call
    cdef cyops_conv_axis *its
    cdef int i, place
    cdef int n = shapes.window.count
    begin_staged(shapes, &call, dx, d, kernel, bias, relu)
    call.channels, call.filters = shapes.filters, shapes.channels
    call.kernel_channel, call.kernel_filter = kernel.v.strides[n + 1], kernel.v.strides[n]
    for i in range(n):
        place = first_spatial(&shapes.window) + i
        its = &call.axes[3 - n + i]
        its.length, its.positions, its.taps = shapes.window.axes[i].positions, phases[i].places, phases[i].taps
        its.first, its.step, its.tap_step = phases[i].first, 1, phases[i].tap_step
        its.x, its.out = d.v.strides[place], dx.v.strides[place] * shapes.window.axes[i].stride
        its.kernel = kernel.v.strides[i] * phases[i].kernel_step
        call.out += dx.v.strides[place] * phases[i].first_place * dx.v.itemsize
        call.kernel += kernel.v.strides[i] * phases[i].tap * kernel.v.itemsize
    return run_staged("conv_input_gradient", &call)
