"""Train 784-512-10 on MNIST for one epoch and print the peak of this process's resident memory, in bytes.

python -m benchmarks.programs.peak_memory cytensor|torch|numpy

Ours is `cytensor train`; the others do the same as their users write it, and take the images from our package, as
arrays of bytes.
"""

import sys

RATE, RHO, EPSILON, BATCH = 1e-3, 0.9, 1e-7, 128


def ours():
    from cytensor.cli import main

    main(["train", "--epochs", "1"])


def in_pytorch():
    import torch

    from cytensor.datasets import mnist

    (x, y), _ = mnist.load_data()
    x = torch.from_numpy(x.reshape(60000, 784).astype("float32") / 255)
    y = torch.from_numpy(y.astype("int64"))
    model = torch.nn.Sequential(torch.nn.Linear(784, 512), torch.nn.ReLU(), torch.nn.Linear(512, 10))
    optimizer = torch.optim.RMSprop(model.parameters(), RATE, alpha=RHO, eps=EPSILON)
    for rows in torch.randperm(60000).split(BATCH):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
        optimizer.step()


def in_numpy():
    import numpy as np

    from cytensor.datasets import mnist

    rng = np.random.default_rng(0)
    (images, labels), _ = mnist.load_data()
    images = images.reshape(60000, 784).astype(np.float32) / 255
    weights = [rng.normal(0, 0.05, size).astype(np.float32) for size in ((784, 512), (512, 10))]
    weights += [np.zeros(size, np.float32) for size in (512, 10)]
    squares = [np.zeros_like(weight) for weight in weights]
    order = rng.permutation(60000)
    for start in range(0, 60000, BATCH):
        rows = order[start : start + BATCH]
        x, y = images[rows], labels[rows]
        w1, w2, b1, b2 = weights
        hidden = np.maximum(x @ w1 + b1, 0)
        logits = hidden @ w2 + b2
        d_logits = np.exp(logits - logits.max(axis=1, keepdims=True))
        d_logits /= d_logits.sum(axis=1, keepdims=True)
        d_logits[np.arange(len(y)), y] -= 1
        d_logits /= len(y)
        d_hidden = d_logits @ w2.T * (hidden > 0)
        gradients = x.T @ d_hidden, hidden.T @ d_logits, d_hidden.sum(axis=0), d_logits.sum(axis=0)
        for weight, square, gradient in zip(weights, squares, gradients, strict=True):
            square *= RHO
            square += (1 - RHO) * gradient * gradient
            weight -= RATE * gradient / (np.sqrt(square) + EPSILON)


def main(library):
    {"cytensor": ours, "torch": in_pytorch, "numpy": in_numpy}[library]()
    # Not getrusage: its maximum goes back to before the program was started, to the process that started it.
    with open("/proc/self/status") as status:
        kibibytes = next(line for line in status if "VmHWM" in line).split()[1]
    print(int(kibibytes) * 1024)


if __name__ == "__main__":
    main(*sys.argv[1:])
