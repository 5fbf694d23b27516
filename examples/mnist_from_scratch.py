"""The digit classifier without a ready-made layer, model or optimizer: only variables, a tape and a matrix product.

What Dense, Sequential and fit do for you is written out here in its plainest form: layers that hold their variables, a
model that calls them in turn, batches cut from the data in order, and a training step that follows the gradient
downhill. The start is deliberately crude (all weights positive, plain gradient descent), so this network learns far
slower than examples/mnist.py; compare the two test accuracies.
"""

import argparse
import math
import time

import numpy as np

import cytensor as ct
from cytensor.datasets import mnist

LEARNING_RATE = 1e-3
REPORT_EVERY = 100


class Dense:
    """activation(x @ weights + bias) for a batch x (n, inputs); the result is (n, outputs)."""

    def __init__(self, inputs, outputs, activation):
        self.activation = activation
        self.weights = ct.Variable(ct.random.uniform((inputs, outputs), minval=0.0, maxval=0.1))
        self.bias = ct.Variable(ct.zeros((outputs,)))

    def __call__(self, x):
        return self.activation(ct.matmul(x, self.weights) + self.bias)

    @property
    def variables(self):
        return [self.weights, self.bias]


class Sequential:
    """Layers called one after the other."""

    def __init__(self, layers):
        self.layers = layers

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    @property
    def variables(self):
        return [variable for layer in self.layers for variable in layer.variables]


class BatchGenerator:
    """Iterates over images and labels in batches of `batch_size`; the last batch may be smaller."""

    def __init__(self, images, labels, batch_size):
        self.images, self.labels, self.batch_size = images, labels, batch_size

    def __len__(self):
        return math.ceil(len(self.images) / self.batch_size)

    def __iter__(self):
        for start in range(0, len(self.images), self.batch_size):
            stop = start + self.batch_size
            yield self.images[start:stop], self.labels[start:stop]


def training_step(model, images, labels):
    """One step downhill on one batch; returns the mean loss before the step."""
    with ct.GradientTape() as tape:
        probabilities = model(images)
        losses = ct.losses.sparse_categorical_crossentropy(labels, probabilities)
        loss = ct.reduce_mean(losses)
    gradients = tape.gradient(loss, model.variables)
    for variable, gradient in zip(model.variables, gradients, strict=True):
        variable.assign_sub(LEARNING_RATE * gradient)
    return loss


def fit(model, images, labels, epochs, batch_size):
    """Train for `epochs` passes over the data, printing the loss on the way."""
    losses: list[float] = []
    for epoch in range(epochs):
        print(f"epoch {epoch + 1} of {epochs}")
        losses.clear()
        for step, batch in enumerate(BatchGenerator(images, labels, batch_size)):
            losses.append(training_step(model, *batch).item())
            if step % REPORT_EVERY == 0:
                print(f"  loss at batch {step}: {losses[-1]:.2f}")
    print(f"mean loss of the last epoch: {np.mean(losses):.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=10, help="passes over the training images (10)")
    parser.add_argument("--samples", type=int, default=60000, help="training images to use (60000)")
    parser.add_argument("--batch-size", type=int, default=128, help="images a step (128)")
    parser.add_argument("--seed", type=int, default=0, help="start of the random numbers (0)")
    options = parser.parse_args()

    ct.set_seed(options.seed)
    (images, y_train), (test_images, y_test) = mnist.load_data()
    x_train = ct.asarray(images[: options.samples].reshape(-1, 28 * 28).astype("float32") / 255)
    x_test = ct.asarray(test_images.reshape(-1, 28 * 28).astype("float32") / 255)

    model = Sequential([Dense(28 * 28, 512, ct.nn.relu), Dense(512, 10, ct.nn.softmax)])
    start = time.perf_counter()
    fit(model, x_train, y_train[: options.samples], options.epochs, options.batch_size)
    print(f"trained in {time.perf_counter() - start:.1f} s")

    predicted = np.argmax(model(x_test).numpy(), axis=1)
    print(f"test accuracy: {np.mean(predicted == y_test):.4f}")


if __name__ == "__main__":
    main()
