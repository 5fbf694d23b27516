"""Pictures of one's own as samples for a model: gray, of its size, light ink on black ground as in MNIST.

Read with Pillow, the extra `image`. A picture is made square with its own background; where the ink fills little of it,
the square is cut so that it fills as much as in MNIST.
"""
import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cytensor import layers
from cytensor.checks import formats
from cytensor.types import Array

if TYPE_CHECKING:
    from cytensor.models import Model

LEAST = 64                                              # pixels of a picture that a model takes as one row
FILLED, SMALL = 20 / 28, 0.6                            # what the ink has of a side in MNIST, and below what is cut
SCALING = (layers.Rescaling, layers.Normalization)      # a model with one of these takes bytes


def read(paths: Sequence[str], model: "Model") -> tuple[Array, Array]:
    """(samples, pictures): of the shape that the model takes, and as gray bytes (n, height, width), from files.

    The samples are bytes, or numbers from 0 to 1 where the model scales nothing itself.
    """
    height, width, _ = size_of(model)
    pictures = np.stack([_picture(path, height, width) for path in paths])
    return samples_of(pictures, model), pictures


def samples_of(pictures: Array, model: "Model") -> Array:
    """Gray bytes (n, height, width) as the model takes them: bytes, or from 0 to 1 where it scales nothing itself."""
    channels = size_of(model)[2]
    samples = np.repeat(pictures[..., None], channels, axis=-1).reshape(len(pictures), *model.build_shape[1:])
    if not any(isinstance(layer, SCALING) for layer in model.flattened()):
        samples = samples.astype(np.float32) / 255
    return samples


def size_of(model: "Model") -> tuple[int, int, int]:
    """(height, width, channels) of the pictures that a model takes; ValueError where it takes none."""
    shape = model.build_shape
    if not isinstance(shape, tuple) or not all(isinstance(length, int) for length in shape[1:]):
        raise ValueError(f"the model must take one picture of known size; it takes {shape}")
    features = shape[1:]
    if len(features) == 1 and math.isqrt(features[0]) ** 2 == features[0] >= LEAST:
        return (math.isqrt(features[0]),) * 2 + (1,)
    if len(features) == 2:
        return (*features, 1)
    if len(features) == 3 and features[2] in (1, 3):
        return features
    raise ValueError(f"the model takes samples of shape {features}, which are no pictures")


def _picture(path: str, height: int, width: int) -> Array:
    """One picture, bytes (height, width)."""
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError as error:
        raise ImportError(f"reading {path} needs Pillow, which is not installed; "
                          f'install it with: pip install "cytensor[image]"') from error
    if os.path.isdir(path) or not os.path.exists(path):
        raise FileNotFoundError(f"there is no picture {path}")
    try:
        with Image.open(path) as file:
            image = ImageOps.exif_transpose(file)
            pixels = _on_black(_as_bytes(image))
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        what = formats.named(path) or str(error)
        raise ValueError(f"{path} is no picture that can be read: {what}; data is named by --data") from None
    square = _cut_to_ink(_squared(pixels))
    way = Image.Resampling.BOX if len(square) > max(height, width) else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(square).resize((width, height), way))


def _as_bytes(image: Any) -> Array:
    """The picture in gray, what is transparent in the colour of paper: white, or black under light ink."""
    if image.mode.startswith(("I", "F")):                   # 16 bits and more
        values = np.asarray(image, np.float64)
        top = 65535 if values.max() > 255 else 255
        return np.clip(values * (255 / top), 0, 255).astype(np.uint8)
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("LA")
        gray, alpha = (np.asarray(band, np.float64) for band in image.split())
        light = alpha.sum() > 0 and np.average(gray, weights=alpha) > 127
        gray = gray * (alpha / 255) + (0 if light else 255) * (1 - alpha / 255)
        return gray.round().astype(np.uint8)
    return np.asarray(image.convert("L"))


def _border(pixels: Array) -> Array:
    return np.concatenate([pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1]])


def _on_black(pixels: Array) -> Array:
    """Inverted where the background, which is what the border has most of, is light; then from black to white."""
    if np.median(_border(pixels)) > 127:
        pixels = 255 - pixels
    ground, top = float(np.median(_border(pixels))), float(pixels.max())
    if top <= ground:
        return pixels
    return np.clip((pixels - ground) * (255 / (top - ground)), 0, 255).round().astype(np.uint8)


def _squared(pixels: Array) -> Array:
    """The picture in the middle of a black square."""
    side = max(pixels.shape)
    top, left = ((side_of - side) // 2 for side_of in pixels.shape)
    return _window(pixels, top, left, side)


def _cut_to_ink(square: Array) -> Array:
    """The square around the centre of the ink's mass, as in MNIST, where there is little of it."""
    spans = [np.flatnonzero((square > 127).any(axis=axis)) for axis in (1, 0)]
    if not len(spans[0]):
        return square
    longest = max(int(span[-1] - span[0]) + 1 for span in spans)
    if longest >= SMALL * len(square):
        return square
    side = round(longest / FILLED)
    mass = square.astype(np.float64)
    centres = [float(np.average(np.arange(len(square)) + 0.5, weights=mass.sum(axis=axis))) for axis in (1, 0)]
    top, left = (round(centre - side / 2) for centre in centres)
    return _window(square, top, left, side)


def _window(pixels: Array, top: int, left: int, side: int) -> Array:
    """A square of the picture, black where it reaches beyond."""
    found = np.zeros((side, side), np.uint8)
    height, width = pixels.shape
    rows, columns = slice(max(top, 0), min(top + side, height)), slice(max(left, 0), min(left + side, width))
    found[rows.start - top:rows.stop - top, columns.start - left:columns.stop - left] = pixels[rows, columns]
    return found
