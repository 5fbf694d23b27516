"""validation_split: which samples are trained on, and which are held out."""
import math
import warnings

import numpy as np

from cytensor import nested
from cytensor.data.batches import as_inputs, as_source, count_samples, is_iterator, named_inputs


def split_tail(op, x, y, sample_weight, share, several=False):
    """((x, y, w) of the head, (x, y, w) of the last `share` of the samples), unshuffled, as Keras does."""
    if is_iterator(x):
        raise ValueError(f"{op}: validation_split needs arrays; x yields batches; use validation_data")
    if x is None:
        raise ValueError(f"{op}: x must be given; got None")
    x = as_inputs(op, x, several)
    parts = [None if value is None else as_source(op, name, value)
             for name, value in (("y", y), ("sample_weight", sample_weight))]
    samples = count_samples(x)
    at = math.floor(samples * (1 - share))
    if not 0 < at < samples:
        raise ValueError(f"{op}: validation_split must leave samples on both sides; got {share} of {samples}")
    leaves = [part for _, part in named_inputs(x)]
    if any(len(part) != samples for part in leaves + parts if part is not None):
        named = [*named_inputs(x), *zip(("y", "sample_weight"), parts, strict=True)]
        lengths = ", ".join(f"{name} {len(part)}" for name, part in named if part is not None)
        raise ValueError(f"{op}: all data must have the same number of samples; got {lengths}")
    head, tail = ([nested.pack_like(x, [leaf[kept] for leaf in leaves]),
                   *(None if part is None else part[kept] for part in parts)]
                  for kept in (slice(at), slice(at, None)))
    if y is not None and parts[0].dtype.kind in "iub" and parts[0].ndim == 1:
        missing = np.setdiff1d(head[1].numpy(), tail[1].numpy())
        if len(missing):
            warnings.warn(f"{op}: validation_split takes the last {samples - at} samples, which lack the classes "
                          f"{missing[:10].tolist()}; shuffle the data first", stacklevel=3)
    return head, tail
