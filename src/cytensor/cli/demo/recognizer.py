"""What a network makes of a drawing: the picture it gets, in the form of MNIST, probabilities, hidden layers."""
import base64
import threading
from typing import Any

import numpy as np

import cytensor as ct
from cytensor import layers
from cytensor.cli import photos
from cytensor.types import Array

SIDE = 112                         # of the drawing that the page sends, in pixels: bytes, 0 paper and 255 ink
FAINT = 32                         # below this a pixel counts as paper
UNSEEN = (layers.Rescaling, layers.Normalization, layers.Flatten, layers.Reshape, layers.Dropout, layers.InputLayer)
MOST_MAPS = 128                    # what is shown of a layer: so many maps, or so many units
MOST_UNITS = 512


class Recognizer:
    """A model of pictures and, where it is a graph, the model of what its hidden layers give.

    ValueError for a model that takes no pictures or does not give one probability for each class.
    """
    model: ct.Model
    lock: "threading.Lock"
    shown: list[layers.Layer]
    inner: ct.Model | None

    def __init__(self, model: ct.Model) -> None:
        height, width, _ = photos.size_of(model)
        given = model.predict(photos.samples_of(np.zeros((1, height, width), np.uint8), model), verbose=0)
        if not hasattr(given, "shape") or len(given.shape) != 2 or given.shape[1] < 2:
            what = getattr(given, "shape", f"a {type(given).__name__}")
            raise ValueError(f"the model must give a probability for each class, (n, classes); got {what}")
        self.model, self.lock = model, threading.Lock()
        hidden = getattr(model, "layers", [])[:-1]
        self.shown = [layer for layer in hidden if not isinstance(layer, UNSEEN)] if _is_graph(model) else []
        outputs = [*(layer.output for layer in self.shown), model.outputs[0]] if self.shown else None
        self.inner = ct.Model(model.inputs, outputs) if outputs else None

    def recognize(self, ink: Array) -> dict[str, Any]:
        """What the page shows of a drawing, bytes (SIDE, SIDE).

        "probabilities" (none for a drawing without ink), "seen": the picture that the network gets, and "layers": of
        each hidden one its name and either its "maps" or its "units", as pictures scaled to bytes by `_as_picture`.
        """
        height, width, _ = photos.size_of(self.model)
        picture = centred(ink, height, width)
        if picture is None:
            return {"probabilities": [], "seen": None, "layers": []}
        samples = photos.samples_of(picture[None], self.model)
        with self.lock:                                                    # one drawing at a time
            if self.inner is None:
                results = [self.model.predict(samples, verbose=0)]
            else:
                results = self.inner.predict(samples, verbose=0)
        *hidden, probabilities = (np.asarray(result, np.float64)[0] for result in results)
        return {"probabilities": [round(float(p), 6) if np.isfinite(p) else 0.0 for p in probabilities],
                "seen": _as_picture(picture[None]),
                "layers": [_described(layer, values) for layer, values in zip(self.shown, hidden, strict=True)]}


def centred(ink: Array, height: int, width: int) -> Array | None:
    """A drawing as MNIST has its digits: 20 of 28 pixels long, the centre of mass in the middle; None without ink."""
    rows, columns = (np.flatnonzero((ink > FAINT).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    cut = ink[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1].astype(np.float32)
    scale = photos.FILLED * min(height, width) / max(cut.shape)
    size = [max(1, round(length * scale)) for length in cut.shape]
    small = np.asarray(ct.resize(cut[..., None], size, antialias=True))[..., 0]
    small = np.clip(small * (255 / max(small.max(), 1.0)), 0, 255)
    picture = np.zeros((height, width), np.uint8)
    start = []
    for axis, length in enumerate((height, width)):
        mass = small.sum(axis=1 - axis)
        centre = float(np.average(np.arange(size[axis]) + 0.5, weights=mass))
        start.append(min(max(round(length / 2 - centre), 0), length - size[axis]))
    picture[start[0]:start[0] + size[0], start[1]:start[1] + size[1]] = small.round()
    return picture


def _is_graph(model: ct.Model) -> bool:
    try:
        return len(model.inputs) == 1 and len(model.outputs) == 1
    except AttributeError:             # a subclass, whose `call` says all
        return False


def _described(layer: layers.Layer, values: Array) -> dict[str, Any]:
    found: dict[str, Any] = {"name": layer.name, "kind": type(layer).__name__, "shape": list(values.shape)}
    if values.ndim == 3:               # (height, width, maps)
        return found | {"maps": _as_picture(np.moveaxis(values, -1, 0)[:MOST_MAPS])}
    return found | {"units": _as_picture(values.reshape(1, 1, -1)[..., :MOST_UNITS])}


def _as_picture(values: Array) -> dict[str, Any]:
    """Pictures (count, height, width) as one string: from the smallest value, or 0, to the largest in 255 steps."""
    values = np.nan_to_num(np.asarray(values, np.float64), posinf=0.0, neginf=0.0)
    low, high = min(values.min(), 0.0), values.max()
    steps = np.round((values - low) * (255 / (high - low or 1.0))).astype(np.uint8)
    count, height, width = values.shape
    return {"count": count, "height": height, "width": width, "bytes": base64.b64encode(steps.tobytes()).decode()}
