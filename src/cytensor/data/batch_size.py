"""How much `predict` computes at once where the caller named no batch_size.

A batch of 32, Keras's default, leaves a matrix product short of work: 784-512-10 on 10000 rows took 74 ms in batches of
32, 39 ms in batches of 512 and 31 ms in batches of 2048 (two threads, AVX-512). Where all that runs is of this package,
nobody can tell how many samples a layer was given, so batches are computed together.
"""
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cytensor.layers.base import Layer
    from cytensor.models import Model
    from cytensor.tensor import Tensor

BATCH = 32                           # Keras's default batch_size, in which progress is counted
WIDEST = 1 << 21                     # elements of the widest tensor of a pass: 8 MB of float32


def batches_together(model: "Model", x: "Tensor") -> int:
    """How many batches of 32 samples of x (samples, ...) `predict` computes as one."""
    if not all(map(_is_ours, model.flattened())):
        return 1
    width: int = max([x.size // x.shape[0], *(weight.shape[-1] for weight in model.weights if weight.ndim)])
    most = max(1, WIDEST // (max(width, 1) * BATCH))
    batches = -(-x.shape[0] // BATCH)
    return -(-batches // -(-batches // most))           # of even size


def _is_ours(layer: "Layer") -> bool:
    """Whether a layer is of this package and was given no function from outside it."""
    functions = [value for value in vars(layer).values() if callable(value)]
    return all(_module_of(value).startswith("cytensor.") for value in (type(layer), *functions))


def _module_of(value: object) -> str:
    return getattr(value, "__module__", None) or ""
