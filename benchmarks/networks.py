"""Convolutional networks and one step of their training, in three libraries. No benchmark: others time these.

What is written for Keras runs in cytensor as it stands, so both are one function; PyTorch's modules say the same. Each
network ends in logits; a step is forward, loss, backward and an update by Adam, and gives the loss as a float.
"""

import numpy as np

CLASSES, RATE = 10, 1e-3


def convnet(keras):
    """The network of digit textbooks: 28 x 28 x 1 -> 10."""
    layers = keras.layers
    return keras.Sequential([
        layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(128, 3, activation="relu"), layers.Flatten(), layers.Dense(CLASSES),
    ])  # fmt: skip


def separable(keras):
    """Batch normalization and a separable convolution: 32 x 32 x 3 -> 10."""
    layers = keras.layers
    return keras.Sequential([
        layers.Conv2D(32, 3, padding="same", use_bias=False), layers.BatchNormalization(), layers.ReLU(),
        layers.SeparableConv2D(64, 3, padding="same", use_bias=False), layers.BatchNormalization(), layers.ReLU(),
        layers.MaxPooling2D(2), layers.Conv2D(128, 3, padding="same", activation="relu"),
        layers.GlobalAveragePooling2D(), layers.Dense(CLASSES),
    ])  # fmt: skip


def series(keras):
    """One convolution over a time series of 14 quantities: 120 x 14 -> 10."""
    layers = keras.layers
    return keras.Sequential([
        layers.Conv1D(32, 5, activation="relu"), layers.GlobalAveragePooling1D(), layers.Dense(CLASSES),
    ])  # fmt: skip


# Name: the network, and the shape of a batch.
NETWORKS = {
    "convnet": (convnet, (64, 28, 28, 1)),
    "separable": (separable, (64, 32, 32, 3)),
    "series": (series, (256, 120, 14)),
}


def batch(name):
    """Inputs, channels last, and labels."""
    rng = np.random.default_rng(0)
    shape = NETWORKS[name][1]
    return rng.random(shape, np.float32), rng.integers(0, CLASSES, shape[0])


def step_as_keras(keras, name, **options):
    """A step by `train_on_batch`, NumPy arrays in; `options` are of `compile`."""
    x, y = batch(name)
    model = NETWORKS[name][0](keras)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(RATE), loss=loss, **options)
    return lambda: model.train_on_batch(x, y)


# PyTorch


def module(torch, name):
    nn = torch.nn
    return nn.Sequential(*{
        "convnet": lambda: (
            nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(64, 128, 3), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 3 * 128, CLASSES),
        ),
        "separable": lambda: (
            nn.Conv2d(3, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
            nn.Conv2d(32, 32, 3, padding=1, groups=32, bias=False), nn.Conv2d(32, 64, 1, bias=False),
            nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(64, 128, 3, padding=1), nn.ReLU(),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, CLASSES),
        ),
        "series": lambda: (
            nn.Conv1d(14, 32, 5), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(32, CLASSES),
        ),
    }[name]())  # fmt: skip


def step_in_pytorch(torch, name, channels_last=False):
    """A step with Adam's foreach implementation; channels_last: the memory format of images and kernels."""
    x, y = batch(name)
    x = torch.from_numpy(np.ascontiguousarray(np.moveaxis(x, -1, 1)))
    y = torch.from_numpy(y)
    model = module(torch, name)
    if channels_last:
        x, model = x.to(memory_format=torch.channels_last), model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), RATE, foreach=True)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step
