"""Kernels in Cython and C on strided storage: usable without cytensor, on anything with the buffer protocol.

>>> import cyops
>>> cyops.matmul([[1., 2.]], [[3.], [4.]]).tolist()
[[11.0]]

The map of the package; each line may import only from those above it:

    interpreters  which the extensions run in
    storage       Storage: one-dimensional memory, owned or borrowed
    bfloat16      the dtype object that NumPy lacks
    strided       Strided: offset, shape, strides and dtype onto a Storage; operators, indexing, the recorder
    config        the instruction set in use
    threads       how many threads the kernels use
    threadpool    the same for threadpoolctl, where the program uses that
    derived       Derived: a function of cyops under the name of another package
    elementwise   one function per row of csrc/elementwise/ops.h; astype, copy
    creation      zeros, ones, full, arange, ...: fresh tensors
    reshaping     reshape, view, expand_dims, squeeze: a view wherever strides can express it
    views         permute_dims, flip, windows, ...: the same storage, never a copy
    contract      contract, matmul, dot, tensordot, dense
    convolution   convolutions, their transposes and gradients
    reduce        sum, mean, max, argmax, var, ...
    equation      einsum's equations read into labels; the order of many operands
    einstein      einsum
    pooling       max_pool, average_pool
    resizing      resize
    padding       pad, roll
    normalization batch normalization and its gradients
    rows          softmax, log_softmax, softmax cross-entropy
    gather        take, scatter_add, one_hot, concat, stack
    update        optimizer steps, one pass over memory each
    backward      the walk back over what a Recorder kept, by rules that it is given
    csrc/         the C behind them: plans, kernels for each instruction set, thread pool, allocator
"""
from typing import NamedTuple

from cyops import interpreters  # isort: skip - refuses an interpreter before an extension is loaded into it
from cyops.config import available_isas, isa  # isort: skip - picks the kernels before anything can call one
from cyops import contract as contractions
from cyops import (
    convolution,
    creation,
    einstein,
    elementwise,
    gather,
    padding,
    pooling,
    reduce,
    reshaping,
    resizing,
    rows,
    threadpool,
    views,
)
from cyops.backward import StaleValueError, lead_back, look_up, separate, walk_back
from cyops.bfloat16 import bfloat16
from cyops.contract import add_matmul, contract, dense_backward
from cyops.convolution import conv_backward, conv_input_gradient, conv_kernel_gradient, conv_with_shape
from cyops.creation import arange, empty, eye, full, linspace, ones, zeros
from cyops.derived import Derived, defer
from cyops.einstein import contract_labels
from cyops.gather import gather_rows, put, scatter_view, take_gradient
from cyops.normalization import batch_normalize, batch_normalize_gradients
from cyops.padding import padded_positions
from cyops.pooling import average_pool_gradient, average_pool_like, max_pool_chosen, max_pool_gradient
from cyops.resizing import resize_gradient
from cyops.rows import log_softmax_gradient, logits_behind, softmax_cross_entropy_with_gradient, softmax_gradient
from cyops.storage import Storage, empty_cache, memory_stats, set_cache_limit
from cyops.strided import (
    Record,
    Recorder,
    Strided,
    as_class,
    asarray,
    assign,
    assign_add,
    assign_sub,
    detach,
    dtype_rows,
    from_dlpack,
    is_recorded,
    is_recording,
    is_trainable,
    record_op,
    set_tensor_class,
    set_trainable,
    view_geometry,
)
from cyops.threads import get_num_threads, set_num_threads
from cyops.update import adam_step, momentum_step, rmsprop_step, sgd_step
from cyops.views import shares_memory, shares_storage


class Op(NamedTuple):
    """A row of the op table: what the public functions, stubs, tests and benchmarks are derived from."""

    parameters: tuple[str, ...]
    kernel: object
    doc: str


def _parameters(kernel):
    """The names of a kernel's parameters; `inspect` would say the same, 5 ms later."""
    code = getattr(kernel, "__code__", None)
    if code is None:
        return (*kernel.parameters, "out")
    return tuple(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


# Every differentiable or derived function of the package, by name.
OPS = {
    kernel.__name__: Op(_parameters(kernel), kernel, kernel.__doc__)
    for area in (elementwise, reshaping, views, contractions, convolution, pooling, resizing, padding, reduce,
                 einstein, rows, gather)
    for kernel in area.FUNCTIONS
}
globals().update({name: op.kernel for name, op in OPS.items()})

# Functions that are no differentiable op of their own, but what rules, batches and optimizers are made of.
HELPERS = (
    "defer",
    "adam_step", "add_matmul", "arange", "as_class", "asarray", "assign", "assign_add", "assign_sub",
    "available_isas", "average_pool_gradient", "average_pool_like", "batch_normalize", "batch_normalize_gradients",
    "contract", "contract_labels", "conv_backward", "conv_input_gradient", "conv_kernel_gradient",
    "conv_with_shape", "dense_backward", "detach", "dtype_rows", "empty", "empty_cache", "eye",
    "from_dlpack", "full", "gather_rows", "get_num_threads", "is_recorded", "is_recording", "is_trainable", "lead_back",
    "linspace",
    "log_softmax_gradient", "logits_behind", "look_up", "max_pool_chosen", "max_pool_gradient",
    "memory_stats", "momentum_step", "ones", "padded_positions", "put", "record_op", "resize_gradient",
    "rmsprop_step", "scatter_view", "separate", "set_cache_limit", "set_num_threads", "set_tensor_class",
    "set_trainable", "sgd_step", "shares_memory", "shares_storage", "softmax_cross_entropy_with_gradient",
    "softmax_gradient", "take_gradient", "view_geometry", "walk_back", "zeros",
)
__all__ = [
    "OPS", "Derived", "Op", "Record", "Recorder", "StaleValueError", "Storage", "Strided", "bfloat16", "isa", *HELPERS,
    *OPS,
]
interpreters.refuse_without_lock()
