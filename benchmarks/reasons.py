"""Why a target is not reached: from a target's key (see targets.py; report.py prints it) to one sentence.

What bounds the work, and what was tried. report.py warns when a target that is missed has no reason here, and when a
reason is left over.
"""

AFTER_A_PAUSE = "a batch is a few calls after a pause, so waking the second thread is in the figure"

REASONS = {
    "training step 784-512-10, batch 128, RMSprop / JAX (jit)": (
        "Products are about half of it; the rest is RMSprop's square roots and divisions, and Python between the ops; "
        f"{AFTER_A_PAUSE}. Tried: one call for a layer's gradients, workers that spin through a step."
    ),
    "fit, an epoch of MNIST / Keras on TensorFlow, Keras on TensorFlow (XLA)": (
        "Reached beside TensorFlow's defaults, not beside XLA with 32 steps a call."
    ),
    "fit with everything on, at most 10 % over its steps / the bare steps": (
        "The validation's own products are most of the difference: beside the steps and a bare pass over the test "
        "images it is within the limit (see the table)."
    ),
    "matrix product (128, 512) x (512, 10) / NumPy, PyTorch": (
        f"With two threads {AFTER_A_PAUSE}, which takes longer than the product; runs differ by a factor of two."
    ),
    "matrix product (1, 784) x (784, 512) / NumPy, PyTorch": "Reading B bounds it, here and in the peers.",
    "matrix product of sliced operands / cytensor, contiguous": (
        "Every second column is twice the memory to read, and is packed where the contiguous operand is read in place."
    ),
    "matrix product of reversed operands / cytensor, contiguous": (
        "B is packed where the contiguous operand is read in place. Vector loads with reversed lanes were not tried."
    ),
    "predict, 10000 rows / PyTorch, no_grad": (
        "The first product is nearly all of it, at about three fifths of the machine's peak. Tried: many batches in "
        "one product, results written in place."
    ),
}
