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
    "matrix product of sliced operands / cytensor, contiguous": (
        "Every second column of B is 3.2 MB to read and 1.6 MB to write, 47 us alone on one thread and 26 us for the "
        "reading, whatever the order or prefetch; the contiguous B is read in place, behind the arithmetic. Tried: "
        "vector loads that pick every second element, prefetching 8 to 24 rows ahead. With two threads runs vary from "
        "0.67x to 0.79x."
    ),
    "sum, 1e3 to 3e7 elements / NumPy, PyTorch": (
        "Reading the second-level and third-level caches bounds it, for PyTorch as well. Tried: sixteen blocks a call, "
        "no prefetch, other distances."
    ),
    "sigmoid, 1e6 elements / NumPy, PyTorch": (
        "The exponential is three quarters of it, then a division. PyTorch gives 0 below -88, ours numbers down to the "
        "smallest denormal, which takes a second scaling."
    ),
    "fit, an epoch of MNIST / Keras on JAX": (
        "A step touches 5 MB of weights, gradient and RMSprop's mean, more than the second-level caches hold: where "
        "others use the third-level cache of this machine, RMSprop's step takes 190 us where it takes 42 when they do "
        "not, and an epoch 0.37 s where it takes 0.26, with the same code within minutes."
    ),
    "convolution, gradient by the kernel / cytensor, matrix product": (
        "Each thread copies what a part of the sum meets for itself, and packs its filters: with one thread it runs at "
        "0.99 to 1.1 of our product (docs/kernels.md, Convolutions), with two the small ones lose a fifth by it."
    ),
    "matrix product (2048, 2048) x (2048, 2048) / NumPy, PyTorch": (
        "Not found yet: runs lie between 0.93x and 0.96x."
    ),
    "contraction cad,dcb->ab / NumPy": (
        "210 GFLOP/s on one thread, as our own matrix product: NumPy loses by its transposes a third of its time."
    ),
    "contraction aebf,dfce->abcd / NumPy": (
        "Not found yet: both operands have summed axes that lie apart."
    ),
    "softmax cross-entropy by a tape, (128, 10) / PyTorch": (
        "8 us, of which the kernels are 3, the tape and its records 2, the walk back 2; 10.4 us before the walk was "
        "compiled."
    ),
    "matrix product (1, 784) x (784, 512), 1 thread / NumPy, PyTorch": (
        "1.6 MB of B are read once, at 101 GB/s: the third-level cache bounds it, for NumPy as well."
    ),
    "matrix product (128, 512) x (512, 10), 1 thread / NumPy, PyTorch": (
        "10 of the 16 lanes of a vector are in use. Not tried: vectors along the rows, by transposing A."
    ),
    "tanh, 1e6 elements, 1 thread / NumPy, PyTorch": (
        "Reading and writing 8 MB takes 146 us at 55 GB/s, and so does NumPy: memory bounds it."
    ),
    "predict, 1 row, 1 thread / PyTorch, no_grad": (
        "Half of it is reading the first kernel's 1.6 MB, which PyTorch reads as fast."
    ),
    "training step: Conv 32, pool, Conv 64, pool, Conv 128, Flatten, Dense 10 on 64 x 28 x 28 x 1 / "
    "PyTorch, PyTorch, channels_last, Keras on JAX": (
        "Runs of one round lie between 1.85x and 2.10x; of channels_last, 32 filters are furthest from our product."
    ),
    "training step: Conv 32 + BN, Separable 64 + BN, pool, Conv 128, global mean on 64 x 32 x 32 x 3 / "
    "PyTorch, PyTorch, channels_last, Keras on JAX": (
        "Runs of one round lie between 1.73x and 1.87x; the value of batch normalization alone takes longer than "
        "PyTorch's."
    ),
    "contraction ea,ebcd->abcd / NumPy": (
        "Runs of one round lie between 1.34x and 1.60x."
    ),
    "sum (4096, 2048), last axis / NumPy, PyTorch": (
        "33 MB are as much as the third-level cache holds, which others share: 1.33x in a run two hours before."
    ),
}
