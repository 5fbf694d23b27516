# convolution_depthwise: convolutions with a group for each channel, through csrc/conv. Included by convolution.pyx.

cdef inline bint is_depthwise(const Shapes *shapes) noexcept:
    return shapes.groups == shapes.channels and shapes.groups > 1


cdef void begin_depthwise(const Shapes *shapes, cyops_depthwise_call *call, Strided kernel) noexcept:
    """What x, kernel and out have in common whichever of them is computed; axes that are not there have length 1."""
    cdef int i
    cdef int n = shapes.window.count
    memset(call, 0, sizeof(cyops_depthwise_call))
    call.dtype = kernel.v.dtype
    call.samples, call.channels = shapes.samples, shapes.channels
    call.multiplier = call.depth = 1
    call.kernel = kernel.v.data
    for i in range(3 - n):
        call.axes[i].length = call.axes[i].positions = call.axes[i].taps = call.axes[i].step = 1
    call.kernel_channel = kernel.v.strides[n + 1] * (shapes.filters // shapes.channels)
    call.kernel_further = kernel.v.strides[n + 1]


cdef void set_forward(const Shapes *shapes, cyops_depthwise_call *call, Strided out, Strided x,
                      Strided kernel) noexcept:
    cdef const Axis *axis
    cdef cyops_conv_axis *its
    cdef int i
    cdef int n = shapes.window.count
    cdef int channels = channel_axis(&shapes.window)
    begin_depthwise(shapes, call, kernel)
    call.multiplier = shapes.filters // shapes.channels
    call.x, call.out = x.v.data, out.v.data
    call.x_sample, call.x_channel = x.v.strides[0], x.v.strides[channels]
    call.out_sample = out.v.strides[0]
    call.out_channel = out.v.strides[channels] * call.multiplier
    call.out_multiplier = out.v.strides[channels]
    for i in range(n):
        axis = &shapes.window.axes[i]
        its = &call.axes[3 - n + i]
        its.length, its.positions, its.taps = axis.length, axis.positions, axis.taps
        its.first, its.step, its.tap_step = -axis.before, axis.stride, axis.dilation
        its.x = x.v.strides[first_spatial(&shapes.window) + i]
        its.out = out.v.strides[first_spatial(&shapes.window) + i]
        its.kernel = kernel.v.strides[i]


cdef int run_depthwise(str op, int (*function)(const cyops_depthwise_call *) noexcept nogil,
                       const cyops_depthwise_call *call) except -1:
    cdef int status
    with nogil:
        status = function(call)
    return check(op, status)


cdef int depthwise_forward(const Shapes *shapes, Strided out, Strided x, Strided kernel, Strided bias,
                           int relu) except -1:
    cdef cyops_depthwise_call call
    set_forward(shapes, &call, out, x, kernel)
    call.relu = relu
    if bias is not None:
        call.bias = bias.v.data
        call.bias_multiplier = bias.v.strides[0]
        call.bias_channel = bias.v.strides[0] * call.multiplier
    return run_depthwise("conv", api().depthwise, &call)


cdef int depthwise_by_kernel(const Shapes *shapes, Strided dkernel, Strided x, Strided d) except -1:
    cdef cyops_depthwise_call call
    set_forward(shapes, &call, d, x, dkernel)
    return run_depthwise("conv_kernel_gradient", api().depthwise_by_kernel, &call)


cdef int depthwise_phase(const Shapes *shapes, const Phase *phases, Strided dx, Strided d, Strided kernel,
                         Strided bias, int relu) except -1:
    """One phase of the gradient by the input: d takes the place of x, and dx of the result."""
    cdef cyops_depthwise_call call
    cdef cyops_conv_axis *its
    cdef int i, axis
    cdef int n = shapes.window.count
    cdef int channels = channel_axis(&shapes.window)
    begin_depthwise(shapes, &call, kernel)
    call.depth = shapes.filters // shapes.channels
    call.relu = relu
    call.x, call.out = d.v.data, dx.v.data
    call.x_sample, call.x_channel, call.x_depth = (d.v.strides[0], d.v.strides[channels] * call.depth,
                                                   d.v.strides[channels])
    call.out_sample, call.out_channel = dx.v.strides[0], dx.v.strides[channels]
    if bias is not None:
        call.bias, call.bias_channel = bias.v.data, bias.v.strides[0]
    for i in range(n):
        axis = first_spatial(&shapes.window) + i
        its = &call.axes[3 - n + i]
        its.length, its.positions, its.taps = shapes.window.axes[i].positions, phases[i].places, phases[i].taps
        its.first, its.step, its.tap_step = phases[i].first, 1, phases[i].tap_step
        its.x = d.v.strides[axis]
        its.out = dx.v.strides[axis] * shapes.window.axes[i].stride
        its.kernel = kernel.v.strides[i] * phases[i].kernel_step
        call.out += dx.v.strides[axis] * phases[i].first_place * dx.v.itemsize
        call.kernel += kernel.v.strides[i] * phases[i].tap * kernel.v.itemsize
    return run_depthwise("conv_input_gradient", api().depthwise, &call)
