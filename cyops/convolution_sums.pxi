# convolution_sums: the sums of a convolution and of its gradients as contractions over windows, each one call of
# csrc/gemm. Convolutions of each channel by itself go to csrc/conv. Included by convolution.pyx.
#
# Rows, columns and summed axes of the three (operand a is read through windows; groups are a batch axis):
#
#     forward       a = x   rows samples, positions   summed taps, channels       b = kernel  columns filters
#     by the input  a = d   rows samples, places      summed taps, filters        b = kernel  columns channels
#     by the kernel a = x   rows taps, channels       summed samples, positions   b = d       columns filters

cdef void open_window(Plan *plan, int i, Strided a, Py_ssize_t stride, Py_ssize_t first, Py_ssize_t length) noexcept:
    """Window i of a, whose place is `first` where all its axes are at 0; a's pointer goes there, inside or not."""
    plan.call.windows = max(plan.call.windows, i + 1)
    plan.call.window[i].first = first
    plan.call.window[i].length = length
    plan.call.a += first * stride * a.v.itemsize


cdef inline void put_into_window(cyops_contraction_axis *axis, int i, Py_ssize_t step) noexcept:
    axis.window = i
    axis.step = step


cdef void set_epilogue(Plan *plan, Strided bias, int relu) noexcept:
    plan.call.activation = CYOPS_ACTIVATION_RELU if relu else CYOPS_ACTIVATION_NONE
    if bias is not None:
        plan.call.bias = bias.v.data


# -- forward ----------------------------------------------------------------------------------------------------------
cdef int sum_forward(const Shapes *shapes, Strided out, Strided x, Strided kernel, Strided bias, int relu) except -1:
    """out = activation(conv(x, kernel) + bias)."""
    cdef int i
    cdef int n = shapes.window.count
    cdef const Axis *axis
    cdef const Py_ssize_t *of_x = spatial_strides(shapes, x)
    cdef const Py_ssize_t *of_out = spatial_strides(shapes, out)
    cdef Py_ssize_t of_bias = bias.v.strides[0] if bias is not None else 0
    cdef Py_ssize_t filters = shapes.filters // shapes.groups
    cdef Plan plan
    cdef cyops_contraction_axis *added
    if out.v.size == 0:
        return 0
    if reaches_padding(shapes) and not is_finite_throughout(kernel):
        sum_taps(shapes, RESULT, x, kernel, out)
        return finish_taps(shapes, out, bias, relu)
    if is_depthwise(shapes):
        return depthwise_forward(shapes, out, x, kernel, bias, relu)
    if suits_staged(shapes, out, x, shapes.channels, shapes.filters, bias):
        return staged_forward(shapes, out, x, kernel, bias, relu)
    begin_plan(&plan, x, kernel)
    plan.call.out = out.v.data
    set_epilogue(&plan, bias, relu)
    add_groups(&plan, shapes, channel_stride(shapes, x) * (shapes.channels // shapes.groups),
               kernel.v.strides[n + 1] * filters, channel_stride(shapes, out) * filters, of_bias * filters)
    added = add_row("conv", &plan, shapes.samples, x.v.strides[0])
    added.out = out.v.strides[0]
    for i in range(n):
        axis = &shapes.window.axes[i]
        added = add_row("conv", &plan, axis.positions, of_x[i] * axis.stride)
        added.out = of_out[i]
        put_into_window(added, i, axis.stride)
        open_window(&plan, i, x, of_x[i], -axis.before, axis.length)
    for i in range(n):
        axis = &shapes.window.axes[i]
        added = add_summed(&plan, axis.taps, of_x[i] * axis.dilation, kernel.v.strides[i])
        put_into_window(added, i, axis.dilation)
    add_summed(&plan, shapes.channels // shapes.groups, channel_stride(shapes, x), kernel.v.strides[n])
    added = add_column("conv", &plan, filters, kernel.v.strides[n + 1])
    added.out, added.bias = channel_stride(shapes, out), of_bias
    return run("conv", &plan)


cdef int add_groups(Plan *plan, const Shapes *shapes, Py_ssize_t a, Py_ssize_t b, Py_ssize_t out,
                    Py_ssize_t bias) except -1:
    """The batch axis of the groups, where there are several."""
    cdef cyops_contraction_axis *added
    if shapes.groups > 1:
        added = add_batch("conv", plan, shapes.groups, a, b)
        added.out, added.bias = out, bias
    return 0


# -- by the input -----------------------------------------------------------------------------------------------------
cdef int sum_by_input(const Shapes *shapes, Strided dx, Strided d, Strided kernel, Strided bias, int relu) except -1:
    """dx = activation(the gradient by the input + bias), phase after phase."""
    cdef Phase[MOST_SPATIAL] phases
    cdef Py_ssize_t number, left
    cdef Py_ssize_t count = 1
    cdef int i
    cdef int n = shapes.window.count
    if dx.v.size == 0:
        return 0
    if not covers_all(shapes) and not is_finite_throughout(kernel):
        sum_taps(shapes, BY_INPUT, dx, kernel, d)
        return finish_taps(shapes, dx, bias, relu)
    for i in range(n):
        count *= count_phases(&shapes.window.axes[i])
    for number in range(count):
        left = number
        for i in range(n):
            set_phase(&phases[i], &shapes.window.axes[i], left % count_phases(&shapes.window.axes[i]))
            left //= count_phases(&shapes.window.axes[i])
        if is_depthwise(shapes):
            depthwise_phase(shapes, phases, dx, d, kernel, bias, relu)
        elif has_taps(shapes, phases) and suits_staged(shapes, dx, d, shapes.filters, shapes.channels, bias,
                                                       shapes.window.axes[n - 1].stride):
            staged_phase(shapes, phases, dx, d, kernel, bias, relu)
        else:
            sum_phase(shapes, phases, dx, d, kernel, bias, relu)
    return 0


cdef int sum_phase(const Shapes *shapes, const Phase *phases, Strided dx, Strided d, Strided kernel, Strided bias,
                   int relu) except -1:
    cdef int i
    cdef int n = shapes.window.count
    cdef const Py_ssize_t *of_d = spatial_strides(shapes, d)
    cdef const Py_ssize_t *of_dx = spatial_strides(shapes, dx)
    cdef Py_ssize_t filters = shapes.filters // shapes.groups
    cdef Py_ssize_t of_bias = bias.v.strides[0] if bias is not None else 0
    cdef Plan plan
    cdef cyops_contraction_axis *added
    begin_plan(&plan, d, kernel)
    plan.call.out = dx.v.data
    set_epilogue(&plan, bias, relu)
    if shapes.groups > 1:
        added = add_batch("conv_input_gradient", &plan, shapes.groups, channel_stride(shapes, d) * filters,
                          kernel.v.strides[n + 1] * filters)
        added.out = channel_stride(shapes, dx) * (shapes.channels // shapes.groups)
        added.bias = of_bias * (shapes.channels // shapes.groups)
    added = add_row("conv_input_gradient", &plan, shapes.samples, d.v.strides[0])
    added.out = dx.v.strides[0]
    for i in range(n):
        added = add_row("conv_input_gradient", &plan, phases[i].places, of_d[i])
        added.out = of_dx[i] * shapes.window.axes[i].stride
        put_into_window(added, i, 1)
        open_window(&plan, i, d, of_d[i], phases[i].first, shapes.window.axes[i].positions)
        plan.call.out += of_dx[i] * phases[i].first_place * dx.v.itemsize
        plan.call.b += kernel.v.strides[i] * phases[i].tap * kernel.v.itemsize
    for i in range(n):
        added = add_summed(&plan, phases[i].taps, of_d[i] * phases[i].tap_step,
                           kernel.v.strides[i] * phases[i].kernel_step)
        put_into_window(added, i, max(phases[i].tap_step, 1))
    add_summed(&plan, filters, channel_stride(shapes, d), kernel.v.strides[n + 1])
    added = add_column("conv_input_gradient", &plan, shapes.channels // shapes.groups, kernel.v.strides[n])
    added.out, added.bias = channel_stride(shapes, dx), of_bias
    return run("conv_input_gradient", &plan)


# -- by the kernel ----------------------------------------------------------------------------------------------------
cdef int sum_by_kernel(const Shapes *shapes, Strided dkernel, Strided x, Strided d, Strided dbias) except -1:
    """The gradient by the kernel and, where there is a dbias, that by the bias."""
    sum_windows_by_kernel(shapes, dkernel, x, d, dbias)
    if reaches_padding(shapes) and not is_finite_throughout(dkernel):       # perhaps by zeros times infinities of d
        sum_taps(shapes, BY_KERNEL, x, dkernel, d)
    return 0


cdef int sum_windows_by_kernel(const Shapes *shapes, Strided dkernel, Strided x, Strided d, Strided dbias) except -1:
    cdef int i
    cdef int n = shapes.window.count
    cdef const Axis *axis
    cdef const Py_ssize_t *of_x = spatial_strides(shapes, x)
    cdef const Py_ssize_t *of_d = spatial_strides(shapes, d)
    cdef Py_ssize_t filters = shapes.filters // shapes.groups
    cdef Py_ssize_t of_bias = dbias.v.strides[0] if dbias is not None else 0
    cdef Plan plan
    cdef cyops_contraction_axis *added
    if is_depthwise(shapes):
        depthwise_by_kernel(shapes, dkernel, x, d)
        return 0 if dbias is None else sum_filters(shapes, dbias, d)
    if suits_staged_by_kernel(shapes, x, d, dbias):
        return staged_by_kernel(shapes, dkernel, x, d, dbias)
    begin_plan(&plan, x, d)
    plan.call.out = dkernel.v.data
    if dbias is not None:
        plan.call.sums = dbias.v.data
    if shapes.groups > 1:
        added = add_batch("conv_kernel_gradient", &plan, shapes.groups,
                          channel_stride(shapes, x) * (shapes.channels // shapes.groups),
                          channel_stride(shapes, d) * filters)
        added.out, added.sums = dkernel.v.strides[n + 1] * filters, of_bias * filters
    for i in range(n):
        axis = &shapes.window.axes[i]
        added = add_row("conv_kernel_gradient", &plan, axis.taps, of_x[i] * axis.dilation)
        added.out = dkernel.v.strides[i]
        put_into_window(added, i, axis.dilation)
        open_window(&plan, i, x, of_x[i], -axis.before, axis.length)
    added = add_row("conv_kernel_gradient", &plan, shapes.channels // shapes.groups, channel_stride(shapes, x))
    added.out = dkernel.v.strides[n]
    add_summed(&plan, shapes.samples, x.v.strides[0], d.v.strides[0])
    for i in range(n):
        axis = &shapes.window.axes[i]
        added = add_summed(&plan, axis.positions, of_x[i] * axis.stride, of_d[i])
        put_into_window(added, i, axis.stride)
    added = add_column("conv_kernel_gradient", &plan, filters, channel_stride(shapes, d))
    added.out, added.sums = dkernel.v.strides[n + 1], of_bias
    return run("conv_kernel_gradient", &plan)


# -- without a contraction --------------------------------------------------------------------------------------------
cdef int sum_filters(const Shapes *shapes, Strided dbias, Strided d) except -1:
    """dbias = the sum of d over all but its filters."""
    cdef int channels = channel_axis(&shapes.window)
    cdef tuple others = tuple([axis for axis in range(d.v.ndim) if axis != channels])
    cdef Strided sums = sum_over(alias(Strided, d), axis=others)
    return check("conv_backward", api().cast(&dbias.v, &sums.v))
