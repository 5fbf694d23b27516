"""`show_images`: a grid of pictures, each with its label and what was predicted for it; wrong predictions stand out."""
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cytensor.plots import figures
from cytensor.plots.labels import class_numbers
from cytensor.types import Array, ArrayLike, Path

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

CHANNELS = (1, 3, 4)           # grey, colours, and colours with what they cover
SIDE = 1.15                    # of the longer side of one picture, in inches
CAPTION = 0.14                 # for one line of text


def show_images(images: ArrayLike, labels: ArrayLike | None = None, predictions: ArrayLike | None = None,
                class_names: Sequence[str] | None = None, *, columns: int | None = None, count: int = 25,
                title: str | None = None, cmap: str = "gray", path: Path | None = None) -> "Figure":
    """Draw pictures side by side; returns the figure.

    images: one picture (height, width) or (height, width, 1 or 3), many of them (n, ...), or rows of square ones
    such as (n, 784). Bytes run from 0 to 255, other grey values from their smallest to their largest, other colours
    from 0 to 1. labels, predictions: class numbers (n,), or one-hot rows or probabilities (n, classes); with both,
    what was predicted wrongly has a red frame and says what it is. class_names: what to write for each class.
    columns: pictures in a row. count: draw the first ones only. path: a file to write as well.
    Raises ValueError for arrays that are no pictures or of another length, ImportError without matplotlib.
    """
    op = "show_images"
    pictures = as_pictures(op, images, labels if labels is not None else predictions)
    names = captions(op, len(pictures), labels, predictions, class_names)
    shown = min(len(pictures), _whole(op, "count", count))
    pictures, names = pictures[:shown], names[:shown]
    columns = min(shown, _whole(op, "columns", columns or (shown if shown <= 6 else 5 if shown <= 25 else 10)))
    figure = figures.new_figure(op, *grid_size(pictures, names, columns))
    draw_images(figure, pictures, names, columns, cmap)
    figures.enlarge(figure, figures.headline(figure, title))
    return figures.save(op, figure, path)


def grid_size(pictures: Array, names: Sequence[tuple[str, bool]], columns: int) -> tuple[float, float]:
    """Width and height in inches of the pictures with their captions."""
    height, width = pictures.shape[1:3]
    longest = max(len(line) for text, _ in names for line in text.split("\n"))
    lines = max(text.count("\n") + bool(text) for text, _ in names)
    wide = max(SIDE * min(1, width / height), 0.07 * longest, 0.3) + 0.06
    tall = max(SIDE * min(1, height / width), 0.1) + lines * CAPTION + 0.08
    return max(columns * wide, 1.5), math.ceil(len(pictures) / columns) * tall


def draw_images(figure: "Figure | SubFigure", pictures: Array, names: Sequence[tuple[str, bool]], columns: int,
                cmap: str = "gray") -> None:
    """The grid, on an empty figure or part of one."""
    rows = math.ceil(len(pictures) / columns)
    layout: Any = figure.get_layout_engine()           # the constrained one
    layout.set(w_pad=0.03, h_pad=0.03, wspace=0, hspace=0)
    low, high = (0, 255) if pictures.dtype == np.uint8 else _limits(pictures)
    if pictures.ndim == 4 and pictures.dtype != np.uint8:
        pictures = np.clip(pictures / (255.0 if high > 1 else 1.0), 0.0, 1.0)
    for place, picture in enumerate(pictures):
        axes = figure.add_subplot(rows, columns, place + 1)
        axes.imshow(picture, cmap=cmap, vmin=low, vmax=high, interpolation="nearest")
        axes.set_xticks([])
        axes.set_yticks([])
        text, wrong = names[place]
        colour: dict[str, Any] = {"color": figures.RED} if wrong else {}
        axes.set_title(text, fontsize=figures.SMALL, pad=2.5, linespacing=1.0, parse_math=False, **colour)
        axes.spines[:].set(linewidth=2.0 if wrong else 0.4, color=figures.RED if wrong else figures.GREY)


def as_pictures(op: str, images: ArrayLike, labels: ArrayLike | None = None) -> Array:
    """`images` as one array (n, height, width) or (n, height, width, 3 or 4)."""
    images = np.asarray(images)
    if images.dtype.kind not in "biuf" or images.size == 0 or not 1 <= images.ndim <= 4:
        raise ValueError(f"{op}: images must be numbers (n, height, width), (n, height, width, 1, 3 or 4) or "
                         f"(n, height*height); got {images.dtype} {images.shape}")
    if images.dtype.kind == "b":
        images = images.astype(np.float32)
    samples = None if labels is None else np.shape(labels)[:1]
    side = math.isqrt(images.shape[-1])
    flat = side * side == images.shape[-1] and side > 1
    if images.ndim == 1 or (images.ndim == 2 and flat
                            and (samples == images.shape[:1] or images.shape[0] != images.shape[1])):
        if not flat:
            raise ValueError(f"{op}: rows must be square pictures, such as (n, 784); got {images.shape}")
        return images.reshape(-1, side, side)
    if images.ndim == 2 or (images.ndim == 3 and images.shape[-1] in (1, 3) and samples != images.shape[:1]):
        images = images[np.newaxis]
    if images.ndim == 4:
        if images.shape[-1] not in CHANNELS:
            raise ValueError(f"{op}: the last axis of four must be 1, 3 or 4 colours; got {images.shape}")
        images = images[..., 0] if images.shape[-1] == 1 else images
    return images


def captions(op: str, samples: int, labels: ArrayLike | None, predictions: ArrayLike | None,
             class_names: Sequence[str] | None) -> list[tuple[str, bool]]:
    """(text, whether it marks a mistake) for each picture."""
    given = {}
    for name, values in (("labels", labels), ("predictions", predictions)):
        if values is not None:
            given[name] = class_numbers(op, name, np.atleast_1d(np.asarray(values)))
            if len(given[name]) != samples:
                raise ValueError(f"{op}: there must be one of {name} for each picture; got {len(given[name])} for "
                                 f"{samples}")
    if not given:
        return [("", False)] * samples
    names = class_texts(op, max(int(part.max()) for part in given.values()) + 1, class_names)
    if "predictions" not in given:
        return [(names[label], False) for label in given["labels"]]
    shares = np.asarray(predictions)
    sure = shares.max(axis=1) if shares.ndim == 2 and shares.shape[1] > 1 and shares.dtype.kind == "f" else None
    texts = [names[guess] + ("" if sure is None else f" ({sure[i]:.0%})")
             for i, guess in enumerate(given["predictions"])]
    if "labels" not in given:
        return [(text, False) for text in texts]
    wrong = given["labels"] != given["predictions"]
    # Where anything is wrong every caption has a second line, so that the grid stays even.
    return [(f"{text}\nis {names[label]}", True) if bad else (text, False)
            for text, label, bad in zip(texts, given["labels"], wrong, strict=True)]


def class_texts(op: str, classes: int, class_names: Sequence[str] | None, longest: int = 18) -> list[str]:
    """What to write for each of the classes: their names, shortened, or their numbers."""
    if class_names is None:
        return [str(number) for number in range(classes)]
    if len(class_names) < classes:
        raise ValueError(f"{op}: class_names must name all {classes} classes; got {len(class_names)}")
    return [figures.shorten(name, longest) for name in class_names]


def _limits(pictures: Array) -> tuple[float, float]:
    finite = pictures[np.isfinite(pictures)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)


def _whole(op: str, name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"{op}: {name} must be a positive int; got {value!r}")
    return int(value)
