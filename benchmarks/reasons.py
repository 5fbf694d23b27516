"""Why a target is not reached: from a target's key (see targets.py; report.py prints it) to one sentence.

What bounds the work, and what was tried. report.py warns when a target that is missed has no reason here, and when a
reason is left over.
"""

REASONS = {
    "fit with everything on, at most 10 % over its steps / the bare steps": (
        "Validation takes 20 ms, nearly all of it products, and the checkpoint 5 to 6 ms, half of it flushing and "
        "renaming: together 9 % of the bare steps. Beside the steps and a bare pass over the test images it is within "
        "the limit (see the table). Tried: larger batches in the validation, 20 instead of 21 ms."
    ),
    "matrix product of transposed operands / cytensor, contiguous": (
        "B is transposed into panels first, about a tenth of the work at (128, 784) x (784, 512), where the contiguous "
        "B is read in place. Tried: prefetching in the packs, packing in the order of rows."
    ),
    "matrix product of sliced operands / cytensor, contiguous": (
        "Every second column of B is 3.2 MB to read and 1.6 MB to write, 47 us alone on one thread and 26 us for the "
        "reading, whatever the order or prefetch; the contiguous B is read in place, behind the arithmetic. Tried: "
        "vector loads that pick every second element, prefetching 8 to 24 rows ahead. With two threads runs vary from "
        "0.67x to 0.79x."
    ),
    "matrix product of reversed operands / cytensor, contiguous": (
        "B is packed, by vector loads with reversed lanes, where the contiguous B is read in place."
    ),
    "sum, 1e3 to 3e7 elements / NumPy, PyTorch": (
        "Reading the second-level and third-level caches bounds it, for PyTorch as well. Tried: sixteen blocks a call, "
        "no prefetch, other distances."
    ),
    "sigmoid, 1e6 elements / NumPy, PyTorch": (
        "The exponential is three quarters of it, then a division. PyTorch gives 0 below -88, ours numbers down to the "
        "smallest denormal, which takes a second scaling."
    ),
}
