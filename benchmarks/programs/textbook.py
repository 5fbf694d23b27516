"""The training loop of the textbooks, by hand, on MNIST, 784-512-10, batches of 128: one turn is one epoch.

python -m benchmarks.programs.textbook cytensor|tensorflow|torch

Ours is examples/mnist_from_scratch.py, TensorFlow's is tests/listings/from_scratch.py, which runs eagerly as it does in
the books; PyTorch's, below, does the same.
"""

import runpy
import sys
from pathlib import Path

from benchmarks.programs import turns
from cytensor.datasets import mnist

ROOT = Path(__file__).parent.parent.parent
BATCH, RATE = 128, 1e-3


def ours(x, y):
    import cytensor as ct

    example = runpy.run_path(str(ROOT / "examples" / "mnist_from_scratch.py"))
    layer = example["Dense"]
    model = example["Sequential"]([layer(784, 512, ct.nn.relu), layer(512, 10, ct.nn.softmax)])
    x = ct.asarray(x)
    return lambda: example["fit"](model, x, y, 1, BATCH)


def in_tensorflow(x, y):
    """The listing up to where it reads its data."""
    import tensorflow as tf

    names: dict = {}
    listing = (ROOT / "tests" / "listings" / "from_scratch.py").read_text()
    exec(listing[: listing.index("(train_images")], names)
    layer = names["NaiveDense"]
    model = names["NaiveSequential"]([layer(784, 512, tf.nn.relu), layer(512, 10, tf.nn.softmax)])
    return lambda: names["fit"](model, x, y, 1, BATCH)


def in_pytorch(x, y):
    import torch

    x, y = torch.from_numpy(x), torch.from_numpy(y.astype("int64"))
    sizes = [(784, 512), (512,), (512, 10), (10,)]
    weights = [(0.1 * torch.rand(size) if len(size) > 1 else torch.zeros(size)).requires_grad_() for size in sizes]

    def step(images, labels):
        w1, b1, w2, b2 = weights
        probabilities = torch.softmax(torch.relu(images @ w1 + b1) @ w2 + b2, dim=1)
        loss = torch.nn.functional.nll_loss(torch.log(probabilities + 1e-7), labels)
        gradients = torch.autograd.grad(loss, weights)
        with torch.no_grad():
            for weight, gradient in zip(weights, gradients, strict=True):
                weight -= RATE * gradient
        return loss

    def epoch():
        return [step(x[i : i + BATCH], y[i : i + BATCH]).item() for i in range(0, len(x), BATCH)]

    return epoch


def main(library):
    (x, y), _ = mnist.load_data()
    x = x.reshape(len(x), 784).astype("float32") / 255
    turns.serve({"cytensor": ours, "tensorflow": in_tensorflow, "torch": in_pytorch}[library](x, y))


if __name__ == "__main__":
    main(*sys.argv[1:])
