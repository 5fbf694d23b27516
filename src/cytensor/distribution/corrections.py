"""Losses that are no mean over the batch's rows: what a shard's is multiplied by.

The loss of a batch is the sum of its shards' losses, each times the share of the rows that the shard has. That is exact
for a mean over rows. A sum, and a mean that is divided by the sum of the weights or by the number of labels that count,
have another share; the correction is the ratio of the two.
"""
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cytensor import nested
from cytensor.data.parts import unpack_x_y_sample_weight
from cytensor.losses import Loss
from cytensor.parallel import Part
from cytensor.types import Array

if TYPE_CHECKING:
    from cytensor.training.trainer import Trainer


def corrections(model: "Trainer", parts: Sequence[tuple[Part, Any]],
                gather: Callable[[Sequence[tuple[Part, Array]]], Array]) -> list[list[float]] | None:
    """For each of this rank's parts and each output a factor; None where all are 1.

    gather: gives the numbers of each of all shards, (shards, n), from those of this rank's.
    """
    losses = losses_of(model)
    if all(loss is None or not (_is_sum(loss) or _has_divisor(loss)) for loss in losses):
        return None
    divisors = np.array([[_divisor(loss, part, data, place, model) for place, loss in enumerate(losses)]
                         for part, data in parts])
    if any(loss is not None and _has_divisor(loss) for loss in losses):
        totals = gather([(part, row) for (part, _), row in zip(parts, divisors, strict=True)]).sum(axis=0)
    else:
        totals = np.ones(len(losses))
    found = []
    for (part, _), row in zip(parts, divisors, strict=True):
        share = part.weight or 1.0
        found.append([1.0 if loss is None or not (_is_sum(loss) or _has_divisor(loss)) else 1.0 / share
                      if _is_sum(loss) else float(own / total / share) if total else 1.0
                      for loss, own, total in zip(losses, row, totals, strict=True)])
    return found


def losses_of(model: "Trainer") -> list[Loss | None]:
    """The compiled losses, one for each output."""
    output = model._compiled.output
    many = getattr(output, "losses", None)
    return [output.loss] if many is None else list(many)


def _is_sum(loss: Loss) -> bool:
    return loss.reduction == "sum"


def _has_divisor(loss: Loss) -> bool:
    """Whether the loss is divided by more than a number of rows."""
    if loss.reduction in ("sum", "none"):
        return False
    masks = type(loss).mask is not Loss.mask and getattr(loss, "ignore_class", 0) is not None
    return masks or loss.reduction == "mean_with_sample_weight"


def _divisor(loss: Loss | None, part: Part, data: Any, place: int, model: "Trainer") -> float:
    """What the mean of one shard is divided by, but for a number that is the same for all shards."""
    if loss is None or not _has_divisor(loss) or not part.weight:
        return 0.0
    _, y, sample_weight = unpack_x_y_sample_weight(data)
    output: Any = model._compiled.output
    if getattr(output, "losses", None) is not None:
        y, sample_weight = (getattr(output, method)(output.layout, given)[place]
                            for method, given in (("targets", y), ("sample_weights", sample_weight)))
    else:
        y, sample_weight = (nested.flatten(given)[0] if given is not None else None for given in (y, sample_weight))
    mask = loss.mask(y)
    counted = np.ones(part.count) if mask is None else np.asarray(mask, np.float64)
    if sample_weight is not None and loss.reduction == "mean_with_sample_weight":
        weights = np.asarray(sample_weight, np.float64)
        weights = weights.reshape(weights.shape[:1]) if weights.size == len(weights) else weights
        counted, weights = _aligned(counted, weights)
        counted = counted * weights
    return float(counted.sum())


def _aligned(one: Any, other: Any) -> tuple[Any, Any]:
    """Two arrays with axes of length 1 behind them, that they broadcast along the rows."""
    ndim = max(one.ndim, other.ndim)
    return tuple(x.reshape(*x.shape, *(1,) * (ndim - x.ndim)) for x in (one, other))
