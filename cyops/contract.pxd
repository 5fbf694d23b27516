"""Contractions in C, for the extensions that are written with them: convolutions and their gradients.

A Plan is one call of csrc/gemm/gemm.h: `begin_plan`, an axis of the call for each `add_*`, then `compute`, which makes
the result, or `run`, for a result that is there already.
"""
from cyops.strided cimport CYOPS_CONTRACTION_AXES, CYOPS_MAX_NDIM, Strided, cyops_contraction, cyops_contraction_axis

cdef struct Plan:
    cyops_contraction call
    int out_axis[CYOPS_CONTRACTION_AXES]    # the result's axis that an axis of the call is; -1 for none
    int ndim                                # of the result
    Py_ssize_t shape[CYOPS_MAX_NDIM]

# Operands of one dtype, or of bfloat16 and float32; the pointers may be moved afterwards.
cdef void begin_plan(Plan *plan, Strided a, Strided b) noexcept
# One more axis of the call, and of the result but for the last. The returned axis may be given windows and further
# strides. ValueError, naming `op`, where the result would have too many axes.
cdef cyops_contraction_axis *add_batch(str op, Plan *plan, Py_ssize_t length, Py_ssize_t stride_a,
                                       Py_ssize_t stride_b) except NULL
cdef cyops_contraction_axis *add_row(str op, Plan *plan, Py_ssize_t length, Py_ssize_t stride_a) except NULL
cdef cyops_contraction_axis *add_column(str op, Plan *plan, Py_ssize_t length, Py_ssize_t stride_b) except NULL
cdef cyops_contraction_axis *add_summed(Plan *plan, Py_ssize_t length, Py_ssize_t stride_a,
                                        Py_ssize_t stride_b) noexcept
# Runs the call into a fresh tensor of the plan's shape, or into `out` where it may be written as the call goes. The
# operands, and a bias where there is one, are named for the sake of what `out` overlaps. `dtype` is the result's.
cdef Strided compute(str op, type cls, Plan *plan, Strided a, Strided b, int dtype, object out, Strided bias=*)
# Says that the result goes to `out`: axis i of the plan's result is its axis order[i], or i where `order` is NULL.
cdef void lay_out(Plan *plan, Strided out, const int *order) noexcept
# Runs a call that is complete.
cdef int run(str op, const Plan *plan) except -1
