"""The shape and dtype that a call gives, without data: by a rule for elementwise ops, and else by trying.

A call is tried on zeros of stride 0, which take no memory, once with 2 for every length that is not known and once
with 3: what differs in the results is not known either. (Keras does the same with other numbers.)
"""
import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any

import cyops
from cytensor import nested
from cytensor.autodiff.tape import _checking
from cytensor.checks import budget
from cytensor.checks.shapes import broadcast
from cytensor.ops import FUNCTIONS
from cytensor.symbolic.nodes import replaced, symbolic_in
from cytensor.symbolic.tensors import KerasTensor
from cytensor.tensor import Tensor, as_tensor
from cytensor.types import Nested, Shape

LENGTHS = (2, 3)
ELEMENTWISE = {FUNCTIONS[name] for name, op in cyops.OPS.items()
               if op.kernel.__module__ == "cyops"}        # the rows of csrc/elementwise/ops.h


def outputs_of(what: str, call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Nested:
    """KerasTensors of the shapes and dtypes that `call(*args, **kwargs)` gives, in its structure.

    what: the name of what is called. ValueError, naming it and the shapes, where the call refuses them.
    """
    if call in ELEMENTWISE and not kwargs and all(_is_plain(arg) for arg in args):
        return _elementwise(what, call, args)
    shapes = ", ".join(str(tensor.shape) for tensor in symbolic_in((args, kwargs)))
    for tensor in symbolic_in((args, kwargs)):
        budget.spend(what, tensor.shape[1:])
    with _unrecorded():
        try:
            first, second = (call(*replaced(args, _zeros(length)), **replaced(kwargs, _zeros(length)))
                             for length in LENGTHS)
        except Exception as error:
            error.add_note(f"in '{what}' on symbolic tensors of shape {shapes}, tried with zeros, and with 2 and 3 for "
                           f"the lengths that are not known")
            raise
    return _compared(what, first, second)


def _is_plain(arg: Any) -> bool:
    return type(arg) is KerasTensor or isinstance(arg, (bool, int, float, Tensor))


def _elementwise(what: str, call: Callable[..., Any], args: tuple[Any, ...]) -> KerasTensor:
    shape = broadcast(what, [arg.shape for arg in args if hasattr(arg, "shape")])
    probes = [as_tensor(cyops.zeros((1,) * arg.ndim, arg.dtype)) if hasattr(arg, "shape") else arg for arg in args]
    with _unrecorded():
        return KerasTensor(shape, call(*probes).dtype)


def _zeros(length: int) -> Callable[[KerasTensor], Tensor]:
    """What stands in for a KerasTensor: zeros that share one element, with `length` where none is known."""
    def stand_in(tensor: KerasTensor) -> Tensor:
        shape = tuple(length if n is None else n for n in tensor.shape)
        return as_tensor(cyops.broadcast_to(cyops.zeros((), tensor.dtype), shape))
    return stand_in


@contextlib.contextmanager
def _unrecorded() -> Iterator[None]:
    """A block that no tape of this thread records."""
    recorders = [tape._recorder for tape in _checking.tapes]
    for recorder in recorders:
        recorder.pause()
    try:
        yield
    finally:
        for recorder in recorders:
            recorder.resume()


def _compared(what: str, first: Any, second: Any) -> Nested:
    """KerasTensors for two results of one call, with None where their lengths differ."""
    if isinstance(first, (list, tuple)) and len(first) == len(second):
        return nested.rebuilt(first, [_compared(what, *pair) for pair in zip(first, second, strict=True)])
    if isinstance(first, dict) and first.keys() == second.keys():
        return nested.rebuilt(first, [_compared(what, value, second[key]) for key, value in first.items()])
    if not isinstance(first, cyops.Strided):
        raise TypeError(f"{what}: a model that is a graph is made of tensors; got {type(first).__name__}")
    if len(first.shape) != len(second.shape):
        raise ValueError(f"{what}: the number of axes must not depend on the number of samples; got {first.shape} and "
                         f"{second.shape} for 2 and 3")
    shape: Shape = tuple(n if n == m else None for n, m in zip(first.shape, second.shape, strict=True))
    return KerasTensor(shape, first.dtype)


def spend_numbers(what: str, structure: Any) -> None:
    """Take what integers among the arguments of a call in a file may ask for out of the budget."""
    numbers = [abs(leaf) for leaf in nested.flatten(structure) if type(leaf) is int and leaf]
    budget.spend(what, (math.prod(numbers),))
