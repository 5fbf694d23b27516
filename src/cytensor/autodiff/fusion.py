"""Pairs of recorded ops that the walk differentiates in one step: softmax followed by a cross-entropy on it.

A softmax output remembers its logits (`origin`), so a cross-entropy on it is computed from the logits, stably, and its
gradient for them, p - target, in the same pass. The record stays on the probabilities; the walk goes from the loss to
the logits at once, whatever else uses the probabilities: gradients add up. Where the gradient of the probabilities
themselves is asked for, or an outer tape looks on, the two plain rules apply.
"""
from collections.abc import Sequence

import cyops
from cyops import Record, Strided
from cytensor.autodiff.rules import Shortcut


def past_softmax(records: Sequence[Record | None], i: int, named: Sequence[Strided]) -> Shortcut | None:
    """From record i, a loss on probabilities whose params hold `saved_gradient`, to the logits of the softmax.

    The gradient: (n...,) -> (n..., c), the saved one weighted by that of each sample's loss.
    """
    loss = records[i]
    assert loss is not None
    probabilities = loss.inputs[0]
    softmax = _maker(records, probabilities, i)
    if softmax is None or any(x is probabilities for x in named):
        return None
    saved: Strided = loss.params["saved_gradient"]
    return Shortcut(softmax.inputs[0], lambda d: cyops.expand_dims(d, -1) * saved)


def _maker(records: Sequence[Record | None], probabilities: Strided, before: int) -> Record | None:
    """The softmax record whose output `probabilities` is, None where another op made it or it was not recorded."""
    for i in range(before - 1, -1, -1):
        record = records[i]
        if record is not None and record.output is probabilities:
            return record if record.op == "softmax" else None
    return None
