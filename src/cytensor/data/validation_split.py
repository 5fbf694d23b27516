"""validation_split: which samples are trained on, and which are held out."""
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from cytensor import nested
from cytensor.data.batches import as_inputs, count_samples, is_iterator, named_inputs
from cytensor.data.sources import as_targets, as_weights
from cytensor.tensor import Tensor
from cytensor.user_warnings import warn


def split_tail(op: str, x: Any, y: Any, sample_weight: Any, share: float,
               several: bool = False, outputs: Sequence[str] | None = ()) -> tuple[list[Any], list[Any]]:
    """((x, y, w) of the head, (x, y, w) of the last `share` of the samples), unshuffled, as Keras does."""
    if is_iterator(x):
        raise ValueError(f"{op}: validation_split needs arrays; x yields batches; use validation_data")
    if x is None:
        raise ValueError(f"{op}: x must be given; got None")
    x = as_inputs(op, x, several)
    samples = count_samples(x)
    parts = [x, None if y is None else as_targets(op, y, outputs),
             None if sample_weight is None else as_weights(op, sample_weight, samples)]
    at = math.floor(samples * (1 - share))
    if not 0 < at < samples:
        raise ValueError(f"{op}: validation_split must leave samples on both sides; got {share} of {samples}")
    named = [one for name, part in zip(("x", "y", "sample_weight"), parts, strict=True)
             for one in named_inputs(part, name) if one[1] is not None]
    if any(len(part) != samples for _, part in named):
        lengths = ", ".join(f"{name} {len(part)}" for name, part in named)
        raise ValueError(f"{op}: all data must have the same number of samples; got {lengths}")
    head, tail = ([nested.pack_like(part, [None if leaf is None else leaf[kept] for leaf in nested.flatten(part)])
                   for part in parts] for kept in (slice(at), slice(at, None)))
    labels = parts[1]
    if isinstance(labels, Tensor) and labels.dtype.kind in "iub" and labels.ndim == 1:
        missing = np.setdiff1d(head[1].numpy(), tail[1].numpy())
        if len(missing):
            warn(f"{op}: validation_split takes the last {samples - at} samples, which lack the classes "
                 f"{missing[:10].tolist()}; shuffle the data first")
    return head, tail
