# convolution_sums: interim, by taps and tensordot.
from cyops.contract import tensordot


cdef list tap_places(const Shapes *shapes):
    """(tap, slices of x, slices of out) for each tap that meets the input."""
    import itertools
    cdef int i
    axes = []
    for i in range(shapes.window.count):
        a = shapes.window.axes[i]
        per = []
        for k in range(a.taps):
            shift = k * a.dilation - a.before
            lo = max(0, -(shift // a.stride) if shift < 0 else 0)
            while lo * a.stride + shift < 0:
                lo += 1
            hi = a.positions
            while hi > lo and (hi - 1) * a.stride + shift >= a.length:
                hi -= 1
            if hi > lo:
                per.append((k, slice(lo * a.stride + shift, (hi - 1) * a.stride + shift + 1, a.stride), slice(lo, hi)))
        axes.append(per)
    return [tuple(zip(*one)) for one in itertools.product(*axes)]


cdef Strided plain(Strided x):
    return None if x is None else alias(Strided, x)


cdef object channels_last_view(const Shapes *shapes, Strided x):
    from cyops.views import permute_dims
    n = shapes.window.count
    return permute_dims(plain(x), (0, *range(2, n + 2), 1)) if shapes.window.channels_first else plain(x)


cdef object masked(Strided d, Strided mask):
    from cyops.elementwise import relu_gradient
    return d if mask is None else relu_gradient(plain(d), plain(mask))


cdef int sum_forward(const Shapes *shapes, Strided out, Strided x, Strided kernel, Strided bias, int relu) except -1:
    from cyops.elementwise import maximum
    n = shapes.window.count
    a, b, c = channels_last_view(shapes, x), plain(kernel), channels_last_view(shapes, out)
    cg, fg = shapes.channels // shapes.groups, shapes.filters // shapes.groups
    c[...] = 0. if bias is None else plain(bias)
    for taps, places, positions in tap_places(shapes):
        for g in range(shapes.groups):
            view = c[(slice(None), *positions, slice(g * fg, (g + 1) * fg))]
            view += tensordot(a[(slice(None), *places, slice(g * cg, (g + 1) * cg))],
                              b[(*taps, slice(None), slice(g * fg, (g + 1) * fg))], 1)
    if relu:
        c[...] = maximum(c, 0.)
    return 0


cdef int sum_by_input(const Shapes *shapes, Strided dx, Strided d, Strided kernel, Strided bias, int relu,
                      Strided mask) except -1:
    from cyops.elementwise import maximum
    a, b, c = channels_last_view(shapes, dx), plain(kernel), channels_last_view(shapes, masked(d, mask))
    cg, fg = shapes.channels // shapes.groups, shapes.filters // shapes.groups
    a[...] = 0. if bias is None else plain(bias)
    for taps, places, positions in tap_places(shapes):
        for g in range(shapes.groups):
            view = a[(slice(None), *places, slice(g * cg, (g + 1) * cg))]
            k = b[(*taps, slice(None), slice(g * fg, (g + 1) * fg))]
            d_view = c[(slice(None), *positions, slice(g * fg, (g + 1) * fg))]
            view += tensordot(d_view, k, ([shapes.window.count + 1], [1]))
    if relu:
        a[...] = maximum(a, 0.)
    return 0


cdef int sum_by_kernel(const Shapes *shapes, Strided dkernel, Strided x, Strided d, Strided mask,
                       Strided dbias) except -1:
    d = masked(d, mask)
    a, b, c = channels_last_view(shapes, x), plain(dkernel), channels_last_view(shapes, d)
    cg, fg = shapes.channels // shapes.groups, shapes.filters // shapes.groups
    b[...] = 0.
    axes = list(range(shapes.window.count + 1))
    for taps, places, positions in tap_places(shapes):
        for g in range(shapes.groups):
            b[(*taps, slice(None), slice(g * fg, (g + 1) * fg))] = tensordot(
                a[(slice(None), *places, slice(g * cg, (g + 1) * cg))],
                c[(slice(None), *positions, slice(g * fg, (g + 1) * fg))], (axes, axes))
    if dbias is not None:
        sum_filters(shapes, dbias, d, None)
    return 0


cdef int sum_filters(const Shapes *shapes, Strided dbias, Strided d, Strided mask) except -1:
    from cyops.reduce import sum as sum_over
    d = channels_last_view(shapes, masked(d, mask))
    plain(dbias)[...] = sum_over(d, axis=tuple(range(d.ndim - 1)))
    return 0
