"""einops on tensors: the backend that `einops.rearrange(tensor, ...)` finds, with the gradient kept.

einops asks the subclasses of its AbstractBackend which of them knows a tensor. Ours is made when einops is imported,
whichever of the packages comes first, and einops is not imported for it: a finder waits for its one module, adds the
class and leaves.
"""
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from cytensor.dtypes import bfloat16
from cytensor.ops import FUNCTIONS
from cytensor.tensor import Tensor, asarray

MODULE = "einops._backends"


def define(module: ModuleType) -> None:
    """Add our backend to those of einops's `module`."""
    class CytensorBackend(module.AbstractBackend):  # type: ignore[misc, name-defined]
        """What einops asks of a library."""
        framework_name = "cytensor"

        def is_appropriate_type(self, tensor: Any) -> bool:
            return isinstance(tensor, Tensor)

        def from_numpy(self, x: Any) -> Tensor:
            return asarray(x)

        def to_numpy(self, x: Tensor) -> Any:
            return x.numpy()

        def arange(self, start: int, stop: int) -> Any:
            return FUNCTIONS["arange"](start, stop)

        def stack_on_zeroth_dimension(self, tensors: Sequence[Tensor]) -> Any:
            return FUNCTIONS["stack"](tensors)

        def add_axis(self, x: Tensor, new_position: int) -> Any:
            return FUNCTIONS["expand_dims"](x, new_position)

        def tile(self, x: Tensor, repeats: Sequence[int]) -> Any:
            return FUNCTIONS["tile"](x, repeats)

        def concat(self, tensors: Sequence[Tensor], axis: int) -> Any:
            return FUNCTIONS["concat"](tensors, axis)

        def is_float_type(self, x: Tensor) -> bool:
            return x.dtype.kind == "f" or x.dtype == bfloat16

        def einsum(self, pattern: str, *x: Tensor) -> Any:
            return FUNCTIONS["einsum"](pattern, *x)

    module.CytensorBackend = CytensorBackend  # type: ignore[attr-defined]  # einops finds subclasses that are alive


class _Waiting:
    """A finder that lets another one find MODULE, and adds our backend when it was loaded."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name != MODULE or self not in sys.meta_path:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_and_define(module: ModuleType) -> None:
                load(module)
                define(module)
            spec.loader.exec_module = load_and_define  # type: ignore[method-assign]
        return spec


if MODULE in sys.modules:
    define(sys.modules[MODULE])
else:
    sys.meta_path.insert(0, _Waiting())
