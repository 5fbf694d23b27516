"""Memory that a convolution or a contraction takes beside operands and result, in bytes, printed.

python -m benchmarks.programs.working_memory cytensor|torch|numpy WORK

The peak of resident memory during one call, without what was resident before and without the result's bytes. A small
call before it starts threads and loads kernels. At least a page.
"""

import math
import sys

import numpy as np

# Work: the shapes of the operands at a scale of 1 and small; what it is stands in `call`.
SHAPES = {
    "conv": [(32, 56, 56, 32), (3, 3, 32, 32)],
    "conv_first": [(32, 32, 56, 56), (3, 3, 32, 32)],
    "contract": [(48, 40, 48, 40), (40, 40, 64, 48)],
}
SMALL = {
    "conv": [(1, 8, 8, 32), (3, 3, 32, 32)],
    "conv_first": [(1, 32, 8, 8), (3, 3, 32, 32)],
    "contract": [(4, 4, 4, 4), (4, 4, 8, 4)],
}
EQUATION = "abcd,dbea->ce"


def in_cytensor(work, arrays):
    import cytensor as ct

    a, b = map(ct.asarray, arrays)
    if work == "contract":
        return lambda: ct.einsum(EQUATION, a, b)
    layout = "channels_first" if work == "conv_first" else "channels_last"
    return lambda: ct.conv(a, b, data_format=layout)


def in_pytorch(work, arrays):
    import torch

    a, b = map(torch.from_numpy, arrays)
    if work == "contract":
        return lambda: torch.einsum(EQUATION, a, b)
    b = b.permute(3, 2, 0, 1).contiguous()
    if work == "conv":
        a, b = a.permute(0, 3, 1, 2), b.contiguous(memory_format=torch.channels_last)
    return lambda: torch.nn.functional.conv2d(a, b)


def in_numpy(work, arrays):
    return lambda: np.einsum(EQUATION, *arrays, optimize=True)


def resident(field):
    """VmRSS, resident now, or VmHWM, the peak; in bytes."""
    with open("/proc/self/status") as status:
        return 1024 * int(next(line for line in status if field in line).split()[1])


def main(library, work):
    call_of = {"cytensor": in_cytensor, "torch": in_pytorch, "numpy": in_numpy}[library]
    rng = np.random.default_rng(0)
    small, large = (
        [rng.normal(size=shape).astype(np.float32) for shape in shapes[work]] for shapes in (SMALL, SHAPES)
    )
    call_of(work, small)()
    call = call_of(work, large)
    before = resident("VmRSS")
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak starts anew
    result = call()
    print(max(4096, resident("VmHWM") - before - 4 * math.prod(result.shape)))


if __name__ == "__main__":
    main(*sys.argv[1:])
