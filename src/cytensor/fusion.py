"""Pairs of recorded ops that the walk differentiates in one step: softmax followed by a cross-entropy on it.

A softmax output remembers its logits (`origin`), so a cross-entropy on it is computed from the logits, stably, and its
gradient for them, p - target, in the same pass. The record stays on the probabilities. Where nothing else uses them,
the walk goes from the loss to the logits at once; otherwise the two plain rules apply.
"""
from typing import NamedTuple

import cyops
from cyops import Record, Strided

# Ops recorded on probabilities whose params hold `saved_gradient`, the gradient for the logits of the softmax.
ON_PROBABILITIES = {"cross_entropy_of_softmax"}


class FusedStep(NamedTuple):
    """The gradient of the loss record goes straight to `x`, the input of the softmax."""

    x: Strided
    loss: Record

    def gradient(self, d):
        """(n...,) -> (n..., c): the loss's gradient, weighted per sample."""
        return cyops.expand_dims(d, -1) * self.loss.params["saved_gradient"]


def fused_steps(records, targets, sources):
    """The records, by position, whose gradient passes over the softmax before them."""
    losses = [i for i, record in enumerate(records) if record.op in ON_PROBABILITIES]
    if not losses or cyops.is_recording():  # an outer tape must see the plain rules
        return {}
    named = {id(x) for x in (*targets, *sources)}
    uses = {}
    softmaxes = {}
    for record in records:
        for x in record.inputs:
            uses[id(x)] = uses.get(id(x), 0) + 1
        if record.op == "softmax":
            softmaxes[id(record.output)] = record
    steps = {}
    for i in losses:
        probabilities = records[i].inputs[0]
        softmax = softmaxes.get(id(probabilities))
        if softmax is not None and uses[id(probabilities)] == 1 and id(probabilities) not in named:
            steps[i] = FusedStep(softmax.inputs[0], records[i])
    return steps
