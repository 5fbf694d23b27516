"""Pairs of recorded ops that the walk differentiates in one step: softmax followed by a cross-entropy on it.

A softmax output remembers its logits (`origin`), so a cross-entropy on it is computed from the logits, stably, and its
gradient for them, p - target, in the same pass. The record stays on the probabilities; the walk goes from the loss to
the logits at once, whatever else uses the probabilities: gradients add up. Where the gradient of the probabilities
themselves is asked for, or an outer tape looks on, the two plain rules apply.
"""
from collections.abc import Sequence
from typing import NamedTuple

import cyops
from cyops import Record, Strided

# Ops recorded on probabilities whose params hold `saved_gradient`, the gradient for the logits of the softmax.
ON_PROBABILITIES = {"cross_entropy_of_softmax"}


class FusedStep(NamedTuple):
    """The gradient of the loss record goes straight to `x`, the input of the softmax."""

    x: Strided
    loss: Record

    def gradient(self, d: Strided) -> Strided:
        """(n...,) -> (n..., c): the loss's gradient, weighted per sample."""
        saved: Strided = self.loss.params["saved_gradient"]
        return cyops.expand_dims(d, -1) * saved


def fused_steps(records: Sequence[Record], named: set[int]) -> dict[int, FusedStep]:
    """The records, by position, whose gradient passes over the softmax before them; `named` are the identities of the
    tensors whose own gradient is asked for."""
    steps = {}
    for i, record in enumerate(records):
        if record.op in ON_PROBABILITIES and not cyops.is_recording():      # an outer tape must see the plain rules
            probabilities = record.inputs[0]
            softmax = _maker(records, probabilities, i)
            if softmax is not None and id(probabilities) not in named:
                steps[i] = FusedStep(softmax.inputs[0], record)
    return steps


def _maker(records: Sequence[Record], probabilities: Strided, before: int) -> Record | None:
    """The softmax record whose output `probabilities` is, None where another op made it or it was not recorded."""
    for i in range(before - 1, -1, -1):
        if records[i].output is probabilities:
            return records[i] if records[i].op == "softmax" else None
    return None
