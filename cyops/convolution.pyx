# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False, binding=True
"""Convolutions over one, two or three spatial axes, their transposes, and their gradients.

A convolution is a contraction over windows of its input: out[n, o, f] is the sum over taps k and channels c of
x[n, o * stride + k * dilation - before, c] * kernel[k, c, f]. The gradient by the input and that by the kernel are sums
of the same products over other indices, so the three are one family, closed under taking gradients; a transposed
convolution is the gradient by the input of another one. This file checks arguments and finds shapes;
convolution_sums.pxi says who computes the sums.
"""
from libc.string cimport memset

from cyops.contract cimport Plan, add_batch, add_column, add_row, add_summed, begin_plan, run
from cyops.ids cimport *
from cyops.strided cimport (
    CYOPS_BFLOAT16, CYOPS_MAX_NDIM, CYOPS_MOST_TAPS, Strided, alias, api, cast_to, check, computing_dtype,
    count_elements, cyops_contraction_axis, cyops_conv_axis, cyops_depthwise_call, cyops_staged_call, cyops_view,
    dtype_object, empty, is_floating, itemsize_of, operand_beside, promote, read_shape, record, recording, require_real,
    result_class, shape_of,
)

from cyops.elementwise import relu_gradient
from cyops.reduce import sum as sum_over

include "spatial.pxi"


# What the three tensors of one convolution have in common: x (samples, lengths..., channels), kernel (taps..., channels
# / groups, filters) and out (samples, positions..., filters), the channels after the samples where they come first.
ctypedef struct Shapes:
    Window window
    Py_ssize_t samples, channels, filters, groups
    Py_ssize_t[5] x, kernel, out


cdef inline const Py_ssize_t *spatial_strides(const Shapes *shapes, Strided x) noexcept:
    return &x.v.strides[first_spatial(&shapes.window)]


cdef inline Py_ssize_t channel_stride(const Shapes *shapes, Strided x) noexcept:
    return x.v.strides[channel_axis(&shapes.window)]


include "convolution_arguments.pxi"
include "convolution_phases.pxi"
include "convolution_depthwise.pxi"
include "convolution_staged.pxi"
include "convolution_taps.pxi"
include "convolution_sums.pxi"


# -- forward ----------------------------------------------------------------------------------------------------------
def conv(x, kernel, bias=None, *, strides=1, padding="valid", dilation_rate=1, groups=1, data_format="channels_last",
         activation=None):
    """Convolution over one, two or three spatial axes, with bias and relu in the same pass.

    x: (n, s..., c), or (n, c, s...) where data_format is "channels_first"; kernel: (k..., c / groups, f), in either
    case; bias: (f,) or None. Result: (n, o..., f), or (n, f, o...), in the promoted dtype, which is floating; float16
    is summed in float32. As in all deep learning the kernel is not reversed.

    strides, dilation_rate: steps between positions and between taps, an integer or one for each spatial axis. padding:
    "valid", o = floor((s - dilation_rate * (k - 1) - 1) / strides) + 1; "same", o = ceil(s / strides), an odd zero
    going after; "causal" for one axis, all zeros before; an integer; or for each axis an integer or a pair (before,
    after). Padding contributes nothing, even where the kernel is infinite or NaN. groups: channels and filters in so
    many parts that do not meet. activation: None or "relu". Any strides in memory; the input is not padded or unfolded
    in memory. A fresh tensor.

    ValueError where the shapes do not agree, a kernel has no room, channels or filters do not divide into groups, or an
    argument has another value; TypeError where no operand is floating.

    Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning" (2016).

    >>> import cyops
    >>> cyops.conv([[[1.], [2.], [3.], [4.]]], [[[1.]], [[10.]]]).tolist()
    [[[21.0], [32.0], [43.0]]]
    >>> cyops.conv(cyops.ones((1, 28, 28, 3)), cyops.ones((3, 3, 3, 8)), strides=2, padding="same").shape
    (1, 14, 14, 8)
    """
    cdef Strided a = operand_beside("conv", x, kernel)
    cdef Strided b = operand_beside("conv", kernel, x)
    cdef Strided c = None if bias is None else operand_beside("conv", bias, x)
    cdef Shapes shapes
    cdef int relu = read_activation("conv", activation)
    read_rank("conv", a.v.ndim, &shapes.window)
    read_data_format("conv", data_format, &shapes.window)
    read_operands("conv", &shapes, a, b, groups)
    read_strides("conv", strides, dilation_rate, &shapes.window)
    read_padding("conv", padding, &shapes.window)
    require_room("conv", "kernel", &shapes.window)
    set_out_shape(&shapes)
    check_bias("conv", c, shapes.filters, b)
    return convolved(&shapes, a, b, c, relu)


cdef Strided convolved(const Shapes *shapes, Strided x, Strided kernel, Strided bias, int relu):
    """The convolution itself, recorded."""
    cdef int dtype = floating_dtype("conv", x, kernel, bias)
    cdef int computing = computing_dtype(dtype)
    cdef Strided out = fresh("conv", result_class(x, kernel), computing, x.v.ndim, shapes.out)
    sum_forward(shapes, out, ready(x, dtype, shapes), ready(kernel, dtype, shapes), cast_or_none(bias, computing), relu)
    out = cast_to(out, dtype)
    if recording():
        record("conv", (x, kernel, bias), out, {"window": window_tuple(shapes), "activation": "relu" if relu else None})
    return out


def conv_transpose(x, kernel, bias=None, *, strides=1, padding="valid", output_padding=None, dilation_rate=1,
                   data_format="channels_last", activation=None):
    """Transposed convolution: the gradient of `conv` by its input, as a layer that makes the spatial axes longer.

    x: (n, s..., c), or (n, c, s...) where data_format is "channels_first"; kernel: (k..., f, c), in either case;
    bias: (f,) or None. Result: (n, o..., f), or (n, f, o...), in the promoted dtype, which is floating.

    With e = dilation_rate * (k - 1) + 1, the length o is, for padding "valid", (s - 1) * strides + max(e, strides), and
    for "same", s * strides. Where output_padding is given, an integer or one for each spatial axis, each below its
    stride, it is (s - 1) * strides + e + output_padding for "valid" and (s - 1) * strides + e % 2 + output_padding for
    "same". Other arguments as in `conv`; the result is computed in parts, one for each remainder of o by the stride,
    and no input with zeros between its elements is made. A fresh tensor.

    ValueError where the shapes do not agree or an argument has another value; TypeError where no operand is floating.
    As `keras.ops.conv_transpose`. Source: Zeiler, Krishnan, Taylor, Fergus, "Deconvolutional networks" (2010).

    >>> import cyops
    >>> cyops.conv_transpose([[[1.], [2.]]], [[[1.]], [[10.]]]).tolist()
    [[[1.0], [12.0], [20.0]]]
    >>> cyops.conv_transpose(cyops.ones((1, 7, 7, 4)), cyops.ones((3, 3, 2, 4)), strides=2, padding="same").shape
    (1, 14, 14, 2)
    """
    cdef Strided a = operand_beside("conv_transpose", x, kernel)
    cdef Strided b = operand_beside("conv_transpose", kernel, x)
    cdef Strided c = None if bias is None else operand_beside("conv_transpose", bias, x)
    cdef Shapes shapes
    cdef int relu = read_activation("conv_transpose", activation)
    read_rank("conv_transpose", a.v.ndim, &shapes.window)
    read_data_format("conv_transpose", data_format, &shapes.window)
    read_transposed_operands(&shapes, a, b)
    read_strides("conv_transpose", strides, dilation_rate, &shapes.window)
    read_output_padding(padding, output_padding, &shapes.window)
    set_x_shape(&shapes)
    check_bias("conv_transpose", c, shapes.channels, b)
    return transposed(&shapes, a, b, c, relu)


cdef Strided transposed(const Shapes *shapes, Strided d, Strided kernel, Strided bias, int relu):
    """The gradient by the input for the gradient `d` of the result, recorded as what it is as an op of its own."""
    cdef int dtype = floating_dtype("conv_transpose", d, kernel, bias)
    cdef int computing = computing_dtype(dtype)
    cdef Strided out = fresh("conv_transpose", result_class(d, kernel), computing, d.v.ndim, shapes.x)
    sum_by_input(shapes, out, ready(d, dtype, shapes), ready(kernel, dtype, shapes), cast_or_none(bias, computing),
                 relu)
    out = cast_to(out, dtype)
    if recording():
        record("conv_transpose", (d, kernel, bias), out,
               {"window": window_tuple(shapes), "activation": "relu" if relu else None})
    return out


# -- what gradient rules are made of ----------------------------------------------------------------------------------
def conv_with_shape(x, kernel, shape, window):
    """`conv` where the shape of the result is given instead of the padding: positions outside the input count as 0.

    window: (strides, before, dilation_rate, groups, data_format), the first three a tuple of one for each spatial axis;
    tap k of position o lies at o * strides + k * dilation_rate - before. Recorded as `conv`.

    >>> import cyops
    >>> cyops.conv_with_shape([[[1.], [2.]]], [[[1.]]], (1, 3, 1), ((1,), (1,), (1,), 1, "channels_last")).tolist()
    [[[0.0], [1.0], [2.0]]]
    """
    cdef Strided a = operand_beside("conv_with_shape", x, kernel)
    cdef Strided b = operand_beside("conv_with_shape", kernel, x)
    cdef Shapes shapes
    read_window("conv_with_shape", window, &shapes)
    read_given("conv_with_shape", &shapes, shape_of(a), shape_of(b), shape)
    return convolved(&shapes, a, b, None, False)


def conv_input_gradient(d, kernel, x_shape, window):
    """The gradient of `conv` by its input, of shape `x_shape`, from the gradient d of its result.

    window: as in `conv_with_shape`. Recorded as `conv_transpose`, which it is. A fresh tensor.

    >>> import cyops
    >>> window = ((1,), (0,), (1,), 1, "channels_last")
    >>> cyops.conv_input_gradient([[[1.], [2.]]], [[[1.]], [[10.]]], (1, 3, 1), window).tolist()
    [[[1.0], [12.0], [20.0]]]
    """
    cdef Strided a = operand_beside("conv_input_gradient", d, kernel)
    cdef Strided b = operand_beside("conv_input_gradient", kernel, d)
    cdef Shapes shapes
    read_window("conv_input_gradient", window, &shapes)
    read_given("conv_input_gradient", &shapes, x_shape, shape_of(b), shape_of(a))
    return transposed(&shapes, a, b, None, False)


def conv_kernel_gradient(x, d, kernel_shape, window):
    """The gradient of `conv` by its kernel, of shape `kernel_shape`, from its input and the gradient d of its result.

    window: as in `conv_with_shape`. A fresh tensor.

    >>> import cyops
    >>> window = ((1,), (0,), (1,), 1, "channels_last")
    >>> cyops.conv_kernel_gradient([[[1.], [2.], [3.]]], [[[1.], [1.]]], (2, 1, 1), window).tolist()
    [[[3.0]], [[5.0]]]
    """
    cdef Strided a = operand_beside("conv_kernel_gradient", x, d)
    cdef Strided b = operand_beside("conv_kernel_gradient", d, x)
    cdef Shapes shapes
    read_window("conv_kernel_gradient", window, &shapes)
    read_given("conv_kernel_gradient", &shapes, shape_of(a), kernel_shape, shape_of(b))
    cdef int dtype = floating_dtype("conv_kernel_gradient", a, b, None)
    cdef int computing = computing_dtype(dtype)
    cdef Strided out = fresh("conv_kernel_gradient", result_class(a, b), computing, a.v.ndim, shapes.kernel)
    sum_by_kernel(&shapes, out, ready(a, dtype, &shapes), ready(b, dtype, &shapes), None)
    out = cast_to(out, dtype)
    if recording():
        record("conv_kernel_gradient", (a, b), out, {"window": window_tuple(&shapes)})
    return out


def conv_backward(d, x_shape, kernel_shape, window, *, x=None, kernel=None, y=None, bint bias=True):
    """The gradients of a layer y = conv(x, kernel, bias) from the gradient d of its result: (dx, dkernel, dbias).

    Of d count the elements where y > 0 (the layer had relu), or all where y is None. dx is computed where a kernel is
    given, dkernel where an x is, dbias where `bias` is true; the others are None. window: as in `conv_with_shape`. The
    gradients are fresh tensors of the promoted dtype (float32 for halves). Not recorded.

    >>> import cyops
    >>> window = ((1,), (0,), (1,), 1, "channels_last")
    >>> x, kernel, y = [[[1.], [2.], [3.]]], [[[1.]], [[10.]]], [[[0.], [1.]]]
    >>> dx, dkernel, dbias = cyops.conv_backward([[[5.], [1.]]], (1, 3, 1), (2, 1, 1), window, x=x, kernel=kernel, y=y)
    >>> dx.tolist(), dkernel.tolist(), dbias.tolist()
    ([[[0.0], [1.0], [10.0]]], [[[2.0]], [[3.0]]], [1.0])
    """
    cdef Strided z = operand_beside("conv_backward", d, x)
    cdef Strided a = None if x is None else operand_beside("conv_backward", x, d)
    cdef Strided b = None if kernel is None else operand_beside("conv_backward", kernel, d)
    cdef Strided mask = None if y is None else operand_beside("conv_backward", y, d)
    cdef Strided dx = None
    cdef Strided dkernel = None
    cdef Strided dbias = None
    cdef Shapes shapes
    cdef int dtype = floating_dtype("conv_backward", z, a, b)
    cdef int computing = computing_dtype(dtype)
    cdef type cls = result_class(z, a)
    read_window("conv_backward", window, &shapes)
    read_given("conv_backward", &shapes, x_shape, kernel_shape, shape_of(z))
    if mask is not None and shape_of(mask) != shape_of(z):
        raise ValueError(f"conv_backward: y must have the shape of d; got d {shape_of(z)}, y {shape_of(mask)}")
    check_given("conv_backward", "x", a, shapes.x, z.v.ndim)
    check_given("conv_backward", "kernel", b, shapes.kernel, z.v.ndim)
    z = ready(z, dtype, &shapes)
    if mask is not None:
        # Once, and not while packing, which meets an element once for each tap: docs/kernels.md, Convolutions.
        z = relu_gradient(alias(Strided, z), alias(Strided, ready(mask, dtype, &shapes)))
    if b is not None:
        dx = fresh("conv_backward", cls, computing, z.v.ndim, shapes.x)
        sum_by_input(&shapes, dx, z, ready(b, dtype, &shapes), None, False)
    if bias:
        dbias = fresh("conv_backward", cls, computing, 1, &shapes.filters)
    if a is not None:
        dkernel = fresh("conv_backward", cls, computing, z.v.ndim, shapes.kernel)
        sum_by_kernel(&shapes, dkernel, ready(a, dtype, &shapes), z, dbias)
    elif bias:
        sum_filters(&shapes, dbias, cast_to(z, computing))
    return dx, dkernel, dbias


FUNCTIONS = (conv, conv_transpose)
