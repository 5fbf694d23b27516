"""Softmax cross-entropy and its gradient in one go, as each training step needs them."""

import numpy as np
import pytest

import cyops
import cytensor as ct

from .peers import torch


def cross_entropy_in_numpy(logits, labels):
    """Mean loss and its gradient by the logits, as one writes it with NumPy."""
    rows = np.arange(len(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    sums = exponentials.sum(axis=1, keepdims=True)
    loss = (np.log(sums[:, 0]) - shifted[rows, labels]).mean()
    gradient = exponentials / sums
    gradient[rows, labels] -= 1
    return loss, gradient / np.float32(len(labels))


def cross_entropy_in_pytorch(logits, labels):
    logits = logits.detach().requires_grad_()
    loss = torch.nn.functional.cross_entropy(logits, labels)
    loss.backward()
    return loss, logits.grad


def cross_entropy_with_a_tape(logits, labels):
    with ct.GradientTape() as tape:
        tape.watch(logits)
        loss = ct.softmax_cross_entropy(logits, labels).mean()
    return loss, tape.gradient(loss, logits)


def cross_entropy_in_one_call(logits, labels):
    losses, gradient = cyops.softmax_cross_entropy_with_gradient(logits, labels, 1 / len(labels))
    return cyops.mean(losses), gradient


WAYS = {"one call": cross_entropy_in_one_call, "with a tape": cross_entropy_with_a_tape}


@pytest.mark.parametrize("shape", [(128, 10), (4096, 1000)], ids=str)
@pytest.mark.parametrize("way", WAYS)
def test_cross_entropy_with_gradient(compare, way, shape):
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=shape).astype(np.float32), rng.integers(0, shape[1], shape[0])
    x, y = ct.asarray(logits), ct.asarray(labels)
    function = WAYS[way]
    np.testing.assert_allclose(function(x, y)[1], cross_entropy_in_numpy(logits, labels)[1], rtol=1e-4, atol=1e-7)
    theirs = {"NumPy": lambda: cross_entropy_in_numpy(logits, labels), "PyTorch": None}
    if torch:
        p, q = torch.from_numpy(logits), torch.from_numpy(labels)
        theirs["PyTorch"] = lambda: cross_entropy_in_pytorch(p, q)
    compare(
        "Softmax cross-entropy, mean, with its gradient",
        f"{shape}, {way}",
        lambda: function(x, y),
        theirs,
    )
