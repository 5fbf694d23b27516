"""Strided: a view (offset, shape, strides, dtype) onto a Storage, and the C functions the other extensions share.

The other extensions of cyops cimport from here and are never imported by it.
"""
from libc.stdint cimport int64_t

from cyops.storage cimport Storage


cdef extern from "csrc/base/dtypes.h":
    enum:                                    # those that code names; the table has more
        CYOPS_BOOL, CYOPS_INT8, CYOPS_INT64, CYOPS_UINT8, CYOPS_UINT64, CYOPS_BFLOAT16, CYOPS_FLOAT32
        CYOPS_FLOAT64, CYOPS_COMPLEX64, CYOPS_COMPLEX128, CYOPS_BYTES, CYOPS_STR, CYOPS_DTYPE_COUNT
        CYOPS_KIND_UNSIGNED
    ctypedef struct cyops_dtype_row:
        const char *name
        const char *file_name
        unsigned char itemsize
        unsigned char computing
        char letter
    const cyops_dtype_row *cyops_dtypes
    int cyops_promote(int a, int b) noexcept nogil
    int cyops_dtype_of(int kind, Py_ssize_t itemsize) noexcept nogil
    bint can_hold "cyops_can_hold"(int to, int dtype) noexcept nogil
    bint is_text "cyops_is_text"(int dtype) noexcept nogil
    bint is_floating "cyops_is_floating"(int dtype) noexcept nogil
    bint is_complex "cyops_is_complex"(int dtype) noexcept nogil
    bint is_integer "cyops_is_integer"(int dtype) noexcept nogil
    bint is_unsigned "cyops_is_unsigned"(int dtype) noexcept nogil
    int computing_dtype "cyops_computing"(int dtype) noexcept nogil       # whose loops compute with such elements
    Py_ssize_t itemsize_of "cyops_itemsize"(int dtype) noexcept nogil     # of text, a character's

cdef extern from "csrc/base/cyops.h":
    enum: CYOPS_MAX_NDIM
    ctypedef enum cyops_status:
        CYOPS_OK, CYOPS_NO_MEMORY, CYOPS_NO_KERNEL, CYOPS_OUT_OF_RANGE
    ctypedef struct cyops_view:
        char *data
        Py_ssize_t size
        Py_ssize_t itemsize
        int dtype
        int ndim
        Py_ssize_t shape[CYOPS_MAX_NDIM]
        Py_ssize_t strides[CYOPS_MAX_NDIM]

cdef extern from "csrc/gemm/gemm.h":
    enum: CYOPS_CONTRACTION_AXES, CYOPS_MOST_WINDOWS, CYOPS_NO_WINDOW
    ctypedef enum cyops_part:
        CYOPS_BATCH, CYOPS_ROW, CYOPS_COLUMN, CYOPS_SUMMED
    ctypedef struct cyops_contraction_axis:
        cyops_part part
        int window
        Py_ssize_t step
        Py_ssize_t length
        Py_ssize_t a
        Py_ssize_t b
        Py_ssize_t out
        Py_ssize_t mask
        Py_ssize_t bias
        Py_ssize_t sums
    ctypedef struct cyops_window:
        Py_ssize_t first
        Py_ssize_t length
    ctypedef struct cyops_contraction:
        int dtype
        int dtype_a
        int dtype_b
        int dtype_mask
        int ndim
        int windows
        int activation
        int accumulate
        int is_mask_of_b
        int pairs
        const char *a
        const char *b
        const char *mask
        const char *bias
        char *out
        char *sums
        cyops_window window[CYOPS_MOST_WINDOWS]
        cyops_contraction_axis axes[CYOPS_CONTRACTION_AXES]

cdef extern from "csrc/conv/conv.h":
    enum: CYOPS_MOST_TAPS
    ctypedef struct cyops_conv_axis:
        Py_ssize_t length, positions, taps, first, step, tap_step
        Py_ssize_t x, kernel, out
    ctypedef struct cyops_depthwise_call:
        int dtype, relu
        Py_ssize_t samples, channels, multiplier, depth
        cyops_conv_axis axes[3]
        char *x
        char *kernel
        char *out
        const char *bias
        Py_ssize_t x_sample, x_channel, x_depth
        Py_ssize_t kernel_channel, kernel_further
        Py_ssize_t out_sample, out_channel, out_multiplier
        Py_ssize_t bias_channel, bias_multiplier
    ctypedef struct cyops_staged_call:
        int dtype, relu
        Py_ssize_t samples, channels, filters
        cyops_conv_axis axes[3]
        const char *x
        const char *bias
        char *kernel
        char *out
        char *sums
        Py_ssize_t x_sample, x_channel, kernel_channel, kernel_filter, out_sample, out_channel

cdef extern from "csrc/pool/pool.h":
    ctypedef struct cyops_pool_window:
        Py_ssize_t first
        Py_ssize_t taps
        Py_ssize_t number
        Py_ssize_t run
        const double *weights
    ctypedef struct cyops_pool_axis:
        const cyops_pool_window *windows
        Py_ssize_t step
        Py_ssize_t advance
        Py_ssize_t number_step
        Py_ssize_t numbers

cdef extern from "csrc/base/api.h":
    ctypedef struct cyops_step_factors:
        double parameter
        double gradient
    ctypedef struct cyops_parameter:
        const cyops_view *parameter
        const cyops_view *gradient
        const cyops_view *slots[3]
        cyops_step_factors factors
    ctypedef struct cyops_api:
        int (*elementwise)(int op, const cyops_view *out, const cyops_view *const *inputs) noexcept nogil
        int (*power)(const cyops_view *out, const cyops_view *const *inputs) noexcept nogil
        int (*cast)(const cyops_view *out, const cyops_view *x) noexcept nogil
        int (*contract)(const cyops_contraction *contraction) noexcept nogil

        int (*conv_staged)(const cyops_staged_call *call) noexcept nogil
        int (*conv_staged_by_kernel)(const cyops_staged_call *call) noexcept nogil
        int (*depthwise)(const cyops_depthwise_call *call) noexcept nogil
        int (*depthwise_by_kernel)(const cyops_depthwise_call *call) noexcept nogil
        int (*is_finite)(const cyops_view *x) noexcept nogil

        int (*reduce)(int reduction, const cyops_view *out, const cyops_view *x, const char *reduced,
                      double correction) noexcept nogil
        int (*arg_reduce)(int reduction, const cyops_view *out, const cyops_view *x,
                          const char *reduced) noexcept nogil

        int (*rows)(int op, const cyops_view *out, const cyops_view *const *inputs, int axis) noexcept nogil
        int (*cross_entropy)(const cyops_view *losses, const cyops_view *gradient, const cyops_view *logits,
                             const cyops_view *labels, double scale, Py_ssize_t *position) noexcept nogil
        int (*cross_entropy_targets)(const cyops_view *losses, const cyops_view *gradient, const cyops_view *logits,
                                     const cyops_view *targets, double scale) noexcept nogil

        int (*wrap_positions)(int64_t *positions, Py_ssize_t n, Py_ssize_t length, Py_ssize_t *bad) noexcept nogil
        int (*take)(const cyops_view *out, const cyops_view *x, int axis, const int64_t *positions,
                    Py_ssize_t count) noexcept nogil
        int (*scatter)(const cyops_view *target, const cyops_view *updates, int axis, const int64_t *positions,
                       Py_ssize_t count) noexcept nogil
        int (*scatter_add)(const cyops_view *target, const cyops_view *updates, int axis, const int64_t *positions,
                           Py_ssize_t count) noexcept nogil
        int (*accumulate)(const cyops_view *target, const cyops_view *updates) noexcept nogil
        int (*gather_rows)(const cyops_view *out, const cyops_view *x, const int64_t *positions, Py_ssize_t count,
                           double scale) noexcept nogil

        int (*update)(int step, const cyops_parameter *parameters, Py_ssize_t count,
                      const double *scalars) noexcept nogil

        void (*pooling_windows)(cyops_pool_window *windows, Py_ssize_t places, Py_ssize_t length, Py_ssize_t size,
                                Py_ssize_t stride, Py_ssize_t before) noexcept nogil
        void (*pooling_windows_back)(cyops_pool_window *windows, double *weights, Py_ssize_t places, Py_ssize_t length,
                                     Py_ssize_t size, Py_ssize_t stride, Py_ssize_t before) noexcept nogil
        void (*find_runs)(cyops_pool_window *windows, Py_ssize_t places, Py_ssize_t step,
                          Py_ssize_t advance) noexcept nogil
        int (*fold_windows)(int op, const cyops_view *out, const cyops_view *x, const cyops_view *indices,
                            const cyops_pool_axis *axes) noexcept nogil

        int (*channel_moments)(const cyops_view *x, int axis, double *mean, double *variance) noexcept nogil
        int (*channel_sums)(const cyops_view *d, const cyops_view *x, int axis, const double *mean, double *of_d,
                            double *of_products) noexcept nogil
        int (*channel_normalize)(const cyops_view *out, const cyops_view *x, const cyops_view *d, int axis,
                                 const double *mean, const double *slope, const double *factor,
                                 const double *offset) noexcept nogil

        const char *(*select_isa)(const char *limit) noexcept
        int (*available_isas)(const char **names) noexcept

        int (*get_num_threads)() noexcept nogil
        void (*set_num_threads)(int count) noexcept nogil
        int (*count_workers)() noexcept nogil
        Py_ssize_t (*peak_scratch)(int reset) noexcept nogil


cdef class Strided:
    cdef cyops_view v                     # what C sees
    cdef Storage base                     # public as .storage
    cdef unsigned long long id            # 0 until a recorder first sees it; never reused
    cdef bint trainable                   # watched by every recorder
    cdef bint awaits_init                 # `__new__` has set the data, and `__init__` was not called yet
    cdef readonly object origin           # what a softmax output remembers of its logits; None otherwise


# One op that a recorder saw (recorder.pxi).
cdef class Record:
    cdef readonly str op
    cdef readonly tuple inputs
    cdef readonly Strided output
    cdef readonly dict params
    cdef readonly tuple versions
    cdef readonly unsigned long long output_version


# Whether a kernel of about so many nanoseconds gives up the interpreter's lock: in a shorter time no other thread gains
# what that costs.
cdef inline bint is_long(double nanoseconds) noexcept:
    return nanoseconds > 20_000


# The C functions of every kernel area, for the other extensions.
cdef const cyops_api *api() noexcept

# -- making tensors ---------------------------------------------------------------------------------------------------
# A fresh C-ordered tensor with undefined contents.
cdef Strided empty(str op, type cls, int dtype, Py_ssize_t itemsize, int ndim, const Py_ssize_t *shape)
# The same shape as `like`, its axes in memory in the order of like's strides (NumPy's order="K").
cdef Strided empty_like(str op, type cls, int dtype, Py_ssize_t itemsize, Strided like)
# Gives a fresh tensor the axis order of `like`'s strides, outermost the largest; ties keep C order.
cdef void order_like(cyops_view *out, const cyops_view *like) noexcept
# A second view of the same storage, identical to `x`; the caller edits its geometry.
cdef Strided alias(type cls, Strided x)
# Views with the axes reversed, and with the last two swapped.
cdef Strided reversed_dims(Strided x)
cdef Strided matrix_transposed(Strided x)
# Anything array-like as a Strided: a Strided itself (no copy), a buffer (no copy), a scalar or nested list.
cdef Strided coerce(object x)
# The same in a given dtype: Python's numbers are not rounded on the way.
cdef Strided coerce_as(object x, int dtype, Py_ssize_t itemsize)
# The same as an operand of `op`, whose name a refusal has; and beside another, whose dtype Python's numbers may take.
cdef Strided operand(str op, object x)
cdef Strided operand_beside(str op, object x, object other)
# A copy in memory of its own, in the order of x's strides; not recorded.
cdef Strided fresh_copy(Strided x)
# `x`, or a contiguous copy of it where its strides are not those of a fresh C-ordered tensor.
cdef Strided contiguous(Strided x)
# `x` in another dtype (x itself when it has it already).
cdef Strided cast_to(Strided x, int dtype)
# `x` itself; where NumPy lacks its dtype, the same memory as unsigned integers.
cdef Strided as_bits(Strided x)
# Strided for plain Strideds; the class registered by set_tensor_class as soon as one operand is of a subclass.
cdef type result_class(object a, object b)

# -- dtypes -----------------------------------------------------------------------------------------------------------
cdef int dtype_code(str op, object dtype, Py_ssize_t *itemsize) except -1
cdef object dtype_object(int dtype, Py_ssize_t itemsize)
cdef int require_real(str op, int dtype, Py_ssize_t itemsize) except -1      # TypeError for text and complex numbers
cdef int promote(int a, int b) except -1          # cyops_promote, with TypeError for text beside something else

cdef inline bint same_shape(const cyops_view *a, const cyops_view *b) noexcept:
    cdef int i
    if a.ndim != b.ndim:
        return False
    for i in range(a.ndim):
        if a.shape[i] != b.shape[i]:
            return False
    return True


# -- shapes -----------------------------------------------------------------------------------------------------------
cdef tuple shape_of(Strided x)
cdef tuple tuple_of(const Py_ssize_t *numbers, int count)
# Fills `lengths` from an int or a sequence of ints; returns how many. It does not refuse negative lengths.
cdef int read_shape(str op, object shape, Py_ssize_t *lengths) except -1
# The same for strides and window lengths; one integer. Each is asked for its value once; one beyond a machine word
# becomes the largest or smallest there is. `what` names the argument in the TypeError.
cdef int read_integers(str op, str what, object given, Py_ssize_t *numbers) except -1
cdef Py_ssize_t read_integer(str op, str what, object number) except? -1
# The number of elements of a shape; raises where a length is negative or the bytes overflow.
cdef Py_ssize_t count_elements(str op, int ndim, const Py_ssize_t *shape, Py_ssize_t itemsize) except -1
# After editing the geometry of `out`, a view of `x`: counts its elements and normalises the strides of short axes.
cdef void finish_geometry(Strided x, Strided out) noexcept
cdef int normalize_axis(str op, object axis, int ndim) except -1
# Fills `flags` (one per axis) with 1 where reduced; None means all axes. Raises on repeats and out of range.
cdef int normalize_axes(str op, object axis, int ndim, char *flags) except -1
# The broadcast shape of two views into `shape`; returns its ndim; raises naming op and the shapes.
cdef int broadcast_shapes(str op, const cyops_view *a, const cyops_view *b, Py_ssize_t *shape) except -1
# Sets `out` to `x` with stride 0 where it is stretched to `shape`; the caller has checked that it broadcasts.
cdef void broadcast_view(const cyops_view *x, int ndim, const Py_ssize_t *shape, cyops_view *out) noexcept
cdef bint is_c_contiguous(const cyops_view *x) noexcept
# The strides of a fresh C-ordered tensor of the shape and size that `x` has.
cdef void set_c_strides(cyops_view *x) noexcept
cdef bint repeats_elements(const cyops_view *v) noexcept      # whether some share one place in memory
cdef bint overlaps(const cyops_view *a, const cyops_view *b) noexcept   # by extent, not exact

# -- the one door -----------------------------------------------------------------------------------------------------
# Call before writing into x: refuses read-only, stride-0 and recorded storage, then raises the version.
cdef int begin_write(str op, Strided x) except -1
# The same for what may be written while a tape records (Variable.assign, optimizer steps): a record that saved the old
# value raises at `gradient` instead.
cdef int begin_assign(str op, Strided x) except -1
# Whether any recorder is active in this thread. Test it before building the arguments of record().
cdef bint recording() noexcept
# Appends (op, inputs, output, params) to every active recorder that tracks one of the inputs. `inputs` is a tuple of
# Strided (None for an optional one left out); `params` a dict of what else the gradient rule may name, or None.
cdef int record(str op, tuple inputs, Strided out, dict params) except -1
# The same for an op whose gradient asks for the values of its inputs: those that code outside may write unseen are
# copied (what a recorder follows is not, nor are the operands of a product, for which that would take too long).
cdef int record_values(str op, tuple inputs, Strided out, dict params) except -1
# Gives x an identity, which no other tensor has, where it has none.
cdef void identify(Strided x) noexcept
# Turns a cyops_status that is not CYOPS_OK into MemoryError or TypeError.
cdef int check(str op, int status) except -1

# -- out= -------------------------------------------------------------------------------------------------------------
# `out` as a tensor, where it has the shape and can hold the dtype of the result; TypeError or ValueError elsewhere.
cdef Strided checked_out(str op, object out, int ndim, const Py_ssize_t *shape, int dtype)
# `result` itself where `out` is None; otherwise `out`, checked, with the result copied into it.
cdef Strided write_result(str op, Strided result, object out)

# -- elementwise calls ------------------------------------------------------------------------------------------------
# One op of csrc/elementwise/ops.h on any operands: tensors, array-likes, Python scalars (which are weak). `out` is a
# tensor of the result's shape or None. NotImplemented where an operand is nothing an op takes.
cdef object unary(int op, object x, Strided out)
cdef object binary(int op, object a, object b, Strided out)
cdef object ternary(int op, object a, object b, object c, Strided out)
