"""What one call costs when there is next to nothing to compute: tensors of ten elements."""

from typing import Any

import numpy as np
import pytest

import cytensor as ct

from .peers import torch

ARRAY = np.arange(10, dtype=np.float32)
NAMES: dict[str, Any] = {
    "a": ct.asarray(ARRAY),
    "b": ct.asarray(ARRAY[::-1].copy()),
    "m": ct.asarray(ARRAY.reshape(2, 5)),
    "na": ARRAY.copy(),
    "nb": ARRAY[::-1].copy(),
    "nm": ARRAY.reshape(2, 5).copy(),
    "ct": ct,
}
if torch:
    NAMES |= {"ta": torch.tensor(ARRAY), "tb": torch.tensor(ARRAY[::-1].copy()), "tm": torch.tensor(NAMES["nm"])}

# Work, ours, NumPy's, PyTorch's
WORK = [
    ("a + b", "a + b", "na + nb", "ta + tb"),
    ("a + 1.0", "a + 1.0", "na + 1.0", "ta + 1.0"),
    ("a * a", "a * a", "na * na", "ta * ta"),
    ("sum", "a.sum()", "na.sum()", "ta.sum()"),
    ("2 x 5 times 5 x 2", "m @ m.T", "nm @ nm.T", "tm @ tm.T"),
    ("slice", "a[2:8]", "na[2:8]", "ta[2:8]"),
    ("one element", "a[3]", "na[3]", "ta[3]"),
    ("transpose", "m.T", "nm.T", "tm.T"),
    ("reshape", "a.reshape((2, 5))", "na.reshape(2, 5)", "ta.reshape(2, 5)"),
    ("float of one element", "float(a[3])", "float(na[3])", "float(ta[3])"),
]
ADDS = 100


@pytest.mark.parametrize(("work", "ours", "numpy", "pytorch"), WORK, ids=[row[0] for row in WORK])
def test_small(compare, work, ours, numpy, pytorch):
    theirs = {"NumPy": numpy, "PyTorch": pytorch if torch else None}
    compare("Ten elements", work, ours, theirs, names=NAMES)


def recorded_adds():
    """A tape, ADDS additions that it records, and its end."""
    a, b = NAMES["a"], NAMES["b"]
    with ct.GradientTape() as tape:
        tape.watch(a)
        for _ in range(ADDS):
            a + b


def recorded_adds_in_pytorch():
    a, b = torch.tensor(ARRAY, requires_grad=True), NAMES["tb"]
    for _ in range(ADDS):
        a + b


def test_recorded(compare):
    compare(
        "Ten elements",
        f"a + b, {ADDS} times, recorded for the gradient",
        recorded_adds,
        {"PyTorch": recorded_adds_in_pytorch if torch else None},
    )
