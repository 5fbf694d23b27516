"""Images as text, for terminals. Used by the command line; knows nothing of models."""

from collections.abc import Sequence

import numpy as np

from cytensor.types import Array

WIDTH, HEIGHT = 14, 7
PER_ROW = 5
SHADES = " .:-=+*#%@"


def as_text(image: Array) -> list[str]:
    """Lines of at most WIDTH characters for an image (height, width), brightest values darkest: ink on paper."""
    image = np.asarray(image, dtype=np.float64)
    means = block_sums(image) / block_sums(np.ones_like(image))
    low, top = means.min(), means.max()
    levels = (means - low) / (top - low or 1.0) * (len(SHADES) - 1)
    return ["".join(SHADES[round(level)] for level in row) for row in levels]


def block_sums(image: Array) -> Array:
    """Sums over the blocks that one character stands for; those at the lower and right edge may be smaller."""
    height, width = image.shape
    tall, wide = -(-height // HEIGHT), -(-width // WIDTH)
    return np.add.reduceat(np.add.reduceat(image, range(0, height, tall), axis=0), range(0, width, wide), axis=1)


def gallery(images: Array, captions: Sequence[str]) -> str:
    """Images (n, height, width) side by side, a caption under each, PER_ROW in a row; one string."""
    blocks = []
    for start in range(0, len(images), PER_ROW):
        chosen = range(start, min(start + PER_ROW, len(images)))
        texts = [as_text(images[i]) for i in chosen]
        lines = [" ".join(f"{line:{WIDTH}}" for line in lines).rstrip() for lines in zip(*texts, strict=True)]
        lines.append(" ".join(f"{captions[i]:{WIDTH}}" for i in chosen).rstrip())
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)
