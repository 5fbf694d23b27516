"""Convolutions of 32 channels and more, 3 x 3: forward and each gradient, in either layout.

Beside PyTorch on the same layout, and beside our own matrix product of the same size, contiguous: what the convolution
would take at best, were its windows a matrix. Each gradient alone, by a tape that has recorded the forward pass.
"""

from typing import NamedTuple

import numpy as np
import pytest

import cytensor as ct

from .peers import torch

TABLE = "Convolution 3 x 3, float32"
MATMUL = "cytensor, matrix product"
LAYOUTS = ("channels_last", "channels_first")
WAYS = ("forward", "gradient by the input", "gradient by the kernel")
TAPS = 3


class Work(NamedTuple):
    """A convolution of (n, size, size, channels) to `filters` channels."""

    n: int
    size: int
    channels: int
    filters: int
    padding: str

    def __str__(self):
        return f"({self.n}, {self.size}, {self.size}, {self.channels}) to {self.filters}, {self.padding}"

    @property
    def out(self):
        """The length of an output's side."""
        return self.size if self.padding == "same" else self.size - TAPS + 1


# The second and third of the convnet, and two of larger networks.
WORKS = [Work(64, 13, 32, 64, "valid"), Work(64, 5, 64, 128, "valid"), Work(8, 32, 64, 64, "same"),
         Work(8, 56, 32, 32, "same")]  # fmt: skip


def shown(work, way, layout):
    return f"{way}, {work}, {layout}"


def arrays(work):
    """Input and kernel, channels last, and what the output's gradient is."""
    rng = np.random.default_rng(0)
    shapes = [(work.n, work.size, work.size, work.channels), (TAPS, TAPS, work.channels, work.filters),
              (work.n, work.out, work.out, work.filters)]  # fmt: skip
    return [rng.normal(size=shape).astype(np.float32) for shape in shapes]


def laid_out(array, layout):
    return array if layout == "channels_last" else np.ascontiguousarray(np.moveaxis(array, -1, 1))


def product(work, way):
    """Our product of as many multiplications, of contiguous matrices."""
    rows, inputs, taps = work.n * work.out**2, work.n * work.size**2, TAPS**2
    m, k, n = {
        "forward": (rows, taps * work.channels, work.filters),
        "gradient by the input": (inputs, taps * work.filters, work.channels),
        "gradient by the kernel": (taps * work.channels, rows, work.filters),
    }[way]
    rng = np.random.default_rng(0)
    a, b = (ct.asarray(rng.normal(size=shape).astype(np.float32)) for shape in ((m, k), (k, n)))
    return lambda: a @ b


def in_cytensor(work, way, layout):
    x, kernel, d = arrays(work)
    x, d, kernel = ct.asarray(laid_out(x, layout)), ct.asarray(laid_out(d, layout)), ct.asarray(kernel)
    with ct.GradientTape(persistent=True) as tape:
        tape.watch((x, kernel))
        y = ct.conv(x, kernel, padding=work.padding, data_format=layout)
    return {
        "forward": lambda: ct.conv(x, kernel, padding=work.padding, data_format=layout),
        "gradient by the input": lambda: tape.gradient(y, x, output_gradients=d),
        "gradient by the kernel": lambda: tape.gradient(y, kernel, output_gradients=d),
    }[way]


def in_pytorch(work, way, layout):
    if torch is None:
        return None
    x, kernel, d = (torch.from_numpy(array) for array in arrays(work))
    form = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    x, d = (array.permute(0, 3, 1, 2).contiguous(memory_format=form) for array in (x, d))
    kernel = kernel.permute(3, 2, 0, 1).contiguous(memory_format=form)
    around = TAPS // 2 if work.padding == "same" else 0

    def gradient(*mask):
        backward = torch.ops.aten.convolution_backward
        return backward(d, x, kernel, None, [1, 1], [around, around], [1, 1], False, [0, 0], 1, mask)

    return {
        "forward": lambda: torch.nn.functional.conv2d(x, kernel, padding=around),
        "gradient by the input": lambda: gradient(True, False, False),
        "gradient by the kernel": lambda: gradient(False, True, False),
    }[way]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("work", WORKS, ids=str)
def test_convolution(compare, work, way, layout):
    theirs = {MATMUL: product(work, way), "PyTorch": in_pytorch(work, way, layout)}
    compare(TABLE, shown(work, way, layout), in_cytensor(work, way, layout), theirs)


@pytest.mark.parametrize("work", WORKS, ids=str)
def test_convolution_of_bfloat16(compare, work):
    """Forward, channels last: beside our own of float32 and PyTorch's of bfloat16."""
    x, kernel, _ = map(ct.asarray, arrays(work))
    p, q = ct.astype(x, "bfloat16"), ct.astype(kernel, "bfloat16")
    theirs = {"cytensor, float32": lambda: ct.ops.conv(x, kernel, padding=work.padding), "PyTorch": None}
    if torch:
        moved = torch.from_dlpack(p).permute(0, 3, 1, 2), torch.from_dlpack(q).permute(3, 2, 0, 1).contiguous(
            memory_format=torch.channels_last)
        theirs["PyTorch"] = lambda: torch.nn.functional.conv2d(*moved, padding=work.padding)
    compare("Convolution 3 x 3, bfloat16", f"forward, {work}", lambda: ct.ops.conv(p, q, padding=work.padding), theirs)
