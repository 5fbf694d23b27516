# convolution_staged: convolutions of some channels to some filters by blocks that stay in a cache, through csrc/conv.
# Included by convolution.pyx. The bits are those of the contraction that other shapes and layouts go by.

cdef enum:
    LEAST_CHANNELS = 1          # docs/kernels.md, Convolutions
    LEAST_FILTERS = 16
    LEAST_CHANNELS_BY_KERNEL = 24
    MOST_CHANNELS = 768         # and filters
    MOST_WEIGHTS = 1 << 20


cdef inline bint is_side_by_side(const Shapes *shapes, Strided x, Py_ssize_t step) noexcept:
    """Whether the channels lie side by side, or every step-th place along the last axis."""
    cdef Py_ssize_t place = spatial_strides(shapes, x)[shapes.window.count - 1] * step
    return x.v.strides[channel_axis(&shapes.window)] == 1 or place == 1


cdef Py_ssize_t count_taps(const Shapes *shapes) noexcept:
    cdef int i
    cdef Py_ssize_t taps = 1
    for i in range(shapes.window.count):
        taps *= shapes.window.axes[i].taps
    return taps


cdef bint suits_size(const Shapes *shapes, int dtype, Py_ssize_t channels, Py_ssize_t filters) noexcept:
    """Whether a copy of a block pays: one tap alone packs nothing twice, and is a matrix product."""
    cdef Py_ssize_t taps = count_taps(shapes)
    if taps == 1 or taps > CYOPS_MOST_TAPS or shapes.groups > 1 or dtype == CYOPS_BFLOAT16:
        return False
    if channels < LEAST_CHANNELS or filters < LEAST_FILTERS:
        return False
    return channels <= MOST_CHANNELS and filters <= MOST_CHANNELS and channels * filters * taps <= MOST_WEIGHTS


cdef bint suits_staged(const Shapes *shapes, Strided out, Strided x, Py_ssize_t channels, Py_ssize_t filters,
                       Strided bias, Py_ssize_t step=1) noexcept:
    """step: from place to place of `out` along the last axis."""
    if not suits_size(shapes, x.v.dtype, channels, filters) or (bias is not None and bias.v.strides[0] != 1):
        return False
    return is_side_by_side(shapes, x, 1) and is_side_by_side(shapes, out, step)


cdef bint suits_staged_by_kernel(const Shapes *shapes, Strided x, Strided d, Strided dbias) noexcept:
    if not suits_size(shapes, x.v.dtype, shapes.channels, shapes.filters) or d.v.size == 0:
        return False
    if shapes.channels < LEAST_CHANNELS_BY_KERNEL or (dbias is not None and dbias.v.strides[0] != 1):
        return False
    return is_side_by_side(shapes, x, 1)


cdef int run_staged(str op, int (*function)(const cyops_staged_call *) noexcept nogil,
                    const cyops_staged_call *call) except -1:
    cdef int status
    with nogil:
        status = function(call)
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
    if x.v.shape[channel_axis(&shapes.window)] == 1:
        call.x_channel = 1                          # side by side by itself
    call.out_sample, call.out_channel = out.v.strides[0], out.v.strides[channel_axis(&shapes.window)]
    for i in range(3 - shapes.window.count):
        call.axes[i].length = call.axes[i].positions = call.axes[i].taps = call.axes[i].step = 1


cdef void set_axes(const Shapes *shapes, cyops_staged_call *call, Strided x, Strided kernel, Strided out) noexcept:
    """The axes as they are forward, and by the kernel."""
    cdef cyops_conv_axis *its
    cdef const Axis *axis
    cdef int i, place
    cdef int n = shapes.window.count
    call.channels, call.filters = shapes.channels, shapes.filters
    call.kernel_channel, call.kernel_filter = kernel.v.strides[n], kernel.v.strides[n + 1]
    for i in range(n):
        axis = &shapes.window.axes[i]
        place = first_spatial(&shapes.window) + i
        its = &call.axes[3 - n + i]
        its.length, its.positions, its.taps = axis.length, axis.positions, axis.taps
        its.first, its.step, its.tap_step = -axis.before, axis.stride, axis.dilation
        its.x, its.out, its.kernel = x.v.strides[place], out.v.strides[place], kernel.v.strides[i]


cdef int staged_forward(const Shapes *shapes, Strided out, Strided x, Strided kernel, Strided bias,
                        int relu) except -1:
    cdef cyops_staged_call call
    begin_staged(shapes, &call, out, x, kernel, bias, relu)
    set_axes(shapes, &call, x, kernel, out)
    return run_staged("conv", api().conv_staged, &call)


cdef int staged_by_kernel(const Shapes *shapes, Strided dkernel, Strided x, Strided d, Strided dbias) except -1:
    cdef cyops_staged_call call
    begin_staged(shapes, &call, d, x, dkernel, None, False)
    set_axes(shapes, &call, x, dkernel, d)
    call.sums = dbias.v.data if dbias is not None else NULL
    return run_staged("conv_kernel_gradient", api().conv_staged_by_kernel, &call)


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
    return run_staged("conv_input_gradient", api().conv_staged, &call)
