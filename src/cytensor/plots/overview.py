"""What `cytensor predict --plot` draws: the first pictures with what was predicted, beside the confusion matrix."""
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from cytensor.plots import figures, images
from cytensor.plots.confusion import draw_confusion, edge_of, side_of
from cytensor.plots.labels import confusion_matrix
from cytensor.types import Array, Path

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_predictions(x: Array, labels: Array | None, probabilities: Array, count: int, path: Path | None) -> "Figure":
    """Write one figure: pictures where x has images, the confusion matrix where there are labels.

    x: images are (n, height, width), or (n, height, width, 1, 3 or 4). labels: class numbers (n,) or None.
    probabilities: (n, classes). count: pictures to draw. Returns the figure. Raises ValueError where there is neither.
    """
    op = "plot_predictions"
    # (width, height, function that draws on a part of the figure)
    parts: list[tuple[float, float, Callable[[Any], None]]] = []
    if np.ndim(x) == 3 or (np.ndim(x) == 4 and np.shape(x)[-1] in images.CHANNELS):
        some = None if labels is None else labels[:count]
        pictures = images.as_pictures(op, x[:count], some)
        names = images.captions(op, len(pictures), some, probabilities[:count], None)
        columns = math.ceil(math.sqrt(len(pictures)))      # a square, like the matrix beside it
        parts.append((*images.grid_size(pictures, names, columns),
                      lambda figure: images.draw_images(figure, pictures, names, columns)))
    if labels is not None:
        matrix = confusion_matrix(labels, probabilities)
        names_of_classes = images.class_texts(op, len(matrix), None)
        size = side_of(matrix) + edge_of(names_of_classes)
        parts.append((size + 1.6, size + 0.9, lambda figure: draw_confusion(figure, matrix, names_of_classes)))
    if not parts:
        raise ValueError(f"{op}: the samples must be images (n, height, width), or have labels; "
                         f"got samples of shape {np.shape(x)} without labels")
    widths = [width for width, _, _ in parts]
    figure = figures.new_figure(op, sum(widths) + 0.3, max(height for _, height, _ in parts))
    places = figure.subfigures(1, len(parts), width_ratios=widths, squeeze=False)[0]
    for place, (_, _, draw) in zip(places, parts, strict=True):
        draw(place)
    return figures.save(op, figure, path)
