# convolution_phases: the gradient by the input, cut by the stride. Included by convolution.pyx.
#
# Place p of the input meets tap k of position o where p = o * stride + k * dilation - before. So the places that leave
# one remainder after p + before is divided by the stride, a phase, meet every step-th tap alone, at positions that are
# neighbours: a phase is a convolution of stride 1 of the result's gradient with part of the kernel, turned around.

# A phase along one axis. Its places are first_place, first_place + stride, ...; tap k of place q of the phase is at
# position first + q + k * tap_step, and is tap `tap` + k * kernel_step of the kernel.
ctypedef struct Phase:
    Py_ssize_t first_place, places, taps, tap, kernel_step, first, tap_step


cdef Py_ssize_t greatest_common_divisor(Py_ssize_t a, Py_ssize_t b) noexcept:
    while b:
        a, b = b, a % b
    return a


cdef Py_ssize_t count_phases(const Axis *axis) noexcept:
    """As many as there are places to begin at."""
    return min(axis.stride, axis.length)


cdef void set_phase(Phase *phase, const Axis *axis, Py_ssize_t first_place) noexcept:
    """The phase that begins at a place below the stride; it has no taps where none reaches it."""
    cdef Py_ssize_t common = greatest_common_divisor(axis.stride, axis.dilation)
    cdef Py_ssize_t step = axis.stride // common
    cdef Py_ssize_t reached = first_place + axis.before
    cdef Py_ssize_t first_tap = 0
    memset(phase, 0, sizeof(Phase))
    phase.first_place = first_place
    phase.places = (axis.length - first_place + axis.stride - 1) // axis.stride
    while first_tap < axis.taps and first_tap < step and (reached - first_tap * axis.dilation) % axis.stride != 0:
        first_tap += 1
    if first_tap >= axis.taps or first_tap >= step:
        return
    phase.taps = (axis.taps - first_tap + step - 1) // step
    phase.tap = first_tap + (phase.taps - 1) * step         # the last one first, so that positions ascend
    phase.kernel_step = -step
    phase.tap_step = axis.dilation // common
    phase.first = (reached - first_tap * axis.dilation) // axis.stride - (phase.taps - 1) * phase.tap_step


cdef bint has_taps(const Shapes *shapes, const Phase *phases) noexcept:
    cdef int i
    for i in range(shapes.window.count):
        if phases[i].taps == 0:
            return False
    return True
