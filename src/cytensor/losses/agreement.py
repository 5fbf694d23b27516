"""How targets and predictions meet: one shape, one floating dtype, labels that are classes. For losses and metrics.

Targets (n,) and predictions (n, 1), either way round, are brought together; nothing else is reshaped and nothing
broadcasts. float16 is computed in float32. What the caller wrote himself is called through `call_agreed`, which also
notices where samples were broadcast against samples.
"""
from collections.abc import Callable
from typing import Any

import numpy as np

import cyops
from cytensor import ops
from cytensor.halves import SINGLE, widened
from cytensor.tensor import Tensor, asarray, operand
from cytensor.types import Array, ArrayLike, DTypeLike
from cytensor.user_warnings import warn

WIDE = SINGLE          # what halves, integers and bools are computed in


# -- dtypes and shapes ------------------------------------------------------------------------------------------------
def as_floating(op: str, y_pred: ArrayLike) -> Tensor:
    """y_pred as a floating tensor of at least float32; a softmax of halves stays, for it remembers its logits."""
    y_pred = operand(op, y_pred)
    if y_pred.dtype.kind == "f" and (y_pred.dtype.itemsize > 2 or cyops.logits_behind(y_pred) is not None):
        return y_pred
    return y_pred.astype(WIDE)


def agree(op: str, y_true: ArrayLike, y_pred: ArrayLike, keeps_softmax: bool = False) -> tuple[Tensor, Tensor]:
    """(y_true, y_pred) as tensors of one floating dtype and one shape; raises ValueError where shapes differ.

    keeps_softmax: leave a softmax of halves as it is, as `as_floating` does.
    """
    y_pred = as_floating(op, y_pred)
    if y_pred.dtype.itemsize == 2 and not keeps_softmax:
        y_pred = y_pred.astype(WIDE)
    y_true = operand(op, y_true)
    dtype = WIDE if y_pred.dtype.itemsize == 2 else y_pred.dtype
    if y_true.dtype != dtype:
        y_true = y_true.astype(dtype)
    return same_shape(op, y_true, y_pred)


def same_shape(op: str, y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
    """The two with (n,) reshaped to (n, 1) where the other one is that; raises ValueError for any other difference."""
    a, b = y_true.shape, y_pred.shape
    if a == b:
        return y_true, y_pred
    shape = _common(a, b)
    if shape is None:
        raise ValueError(f"{op}: y_true and y_pred must have the same shape; got y_true {a}, y_pred {b}"
                         f"{_hint_for(a, b)}")
    return y_true.reshape(shape), y_pred.reshape(shape)


def one_a_sample(op: str, y_true: ArrayLike, y_pred: ArrayLike) -> tuple[ArrayLike, ArrayLike]:
    """(y_true, y_pred), where both are (n,), as (n, 1): the last axis, which is averaged, must not be the samples."""
    y_pred = operand(op, y_pred)
    if y_pred.ndim == 1:
        y_true = operand(op, y_true)
        if y_true.shape == y_pred.shape:           # others are refused with the shapes that were given
            return y_true.reshape((*y_true.shape, 1)), y_pred.reshape((*y_pred.shape, 1))
    return y_true, y_pred


def _common(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...] | None:
    """The shape that (n,) and (n, 1) share; None for any other two."""
    longer, shorter = (a, b) if len(a) > len(b) else (b, a)
    return longer if len(shorter) == 1 and longer == (shorter[0], 1) else None


def _hint_for(a: tuple[int, ...], b: tuple[int, ...]) -> str:
    if len(a) <= 2 and len(b) > 2 and a[:1] == b[:1]:
        return _flatten_hint(b)
    if a in (b[:-1], (*b[:-1], 1)):
        return "; integer class labels go with sparse_categorical_crossentropy and sparse_categorical_accuracy"
    return ""


def _flatten_hint(shape: tuple[int, ...]) -> str:
    return (f"; the predictions still have the axes {shape[1:]} of each sample: is a Flatten layer missing before the "
            f"Dense layers?")


def kind_of_targets(true_shape: tuple[int, ...], pred_shape: tuple[int, ...]) -> str:
    """"binary", "sparse" or "categorical": what "accuracy" and "crossentropy" mean for targets and predictions.

    Binary for one prediction a sample; sparse for targets with an axis less, or a last axis of 1; else categorical.
    """
    if len(pred_shape) < 2 or pred_shape[-1] == 1:
        return "binary"
    return "sparse" if len(true_shape) < len(pred_shape) or true_shape[-1] == 1 else "categorical"


# -- labels -----------------------------------------------------------------------------------------------------------
def as_labels(op: str, y_true: ArrayLike, y_pred: Tensor) -> Tensor:
    """y_true as integer labels of y_pred's shape without its last axis, which (n, 1) loses."""
    y_true = operand(op, y_true)
    expected = y_pred.shape[:-1]
    if y_pred.ndim < 2:
        raise ValueError(f"{op}: y_pred must have a last axis of classes; got y_true {y_true.shape}, "
                         f"y_pred {y_pred.shape}; one probability per sample goes with binary_crossentropy")
    if y_true.shape != expected:
        if y_true.shape != (*expected, 1):
            hint = ""
            if y_true.shape == y_pred.shape:
                hint = "; one-hot targets go with categorical_crossentropy"
            elif y_pred.ndim > 2 and y_true.shape in (y_pred.shape[:1], (*y_pred.shape[:1], 1)):
                hint = _flatten_hint(y_pred.shape)
            raise ValueError(f"{op}: y_true must have the shape of y_pred without its last axis; "
                             f"got y_true {y_true.shape}, y_pred {y_pred.shape}{hint}")
        y_true = y_true.reshape(expected)
    if y_true.dtype.kind in "iu":
        return y_true
    if y_true.dtype.kind not in "bf":
        raise TypeError(f"{op}: labels must be integers; got dtype {y_true.dtype}")
    values = y_true.numpy()
    if values.dtype.kind == "f":
        wrong = ~((values == np.rint(values)) & (np.abs(values) < 2.0 ** 63))
        if wrong.any():
            raise TypeError(f"{op}: labels must be integers; got {_first(values, wrong)}")
    return y_true.astype("int64")


def check_classes(op: str, labels: Tensor, classes: int) -> None:
    """Raise ValueError for an integer label outside [0, classes)."""
    if labels.size and not (int(ops.min(labels)) >= 0 and int(ops.max(labels)) < classes):
        values = labels.numpy()
        raise ValueError(f"{op}: labels must be in [0, {classes}); got "
                         f"{_first(values, (values < 0) | (values >= classes))}")


def check_shares(op: str, y_true: Tensor,
                 hint: str = "labels of -1 and 1 go with hinge, those of several classes with "
                             "sparse_categorical_crossentropy") -> None:
    """Raise ValueError for a target outside [0, 1], NaN included: targets 0 and 1, or soft ones between."""
    if y_true.size and not (ops.min(y_true).item() >= 0 and ops.max(y_true).item() <= 1):
        values = y_true.numpy()
        raise ValueError(f"{op}: targets must be between 0 and 1; got "
                         f"{_first(values, ~((values >= 0) & (values <= 1)))}; {hint}")


def check_probabilities(op: str, scores: Tensor, hint: str = "") -> None:
    """Raise ValueError for a prediction outside [0, 1], NaN included."""
    if scores.size and not (ops.min(scores).item() >= 0 and ops.max(scores).item() <= 1):
        values = scores.numpy()
        raise ValueError(f"{op}: predictions must be between 0 and 1; got "
                         f"{_first(values, ~((values >= 0) & (values <= 1)))}{hint}")


def _first(values: Array, wrong: Array) -> str:
    """`1.5 at position 3`: the first of the values that are wrong."""
    place = tuple(np.argwhere(wrong)[0].tolist())
    is_column = len(place) == 1 or values.shape[1:] == (1,)
    return f"{values[place]!s} at position {place[0] if is_column else place}"


# -- predictions that cannot be meant ---------------------------------------------------------------------------------
def warn_of_softmax(op: str, y_pred: Tensor, from_logits: bool) -> None:
    """Warn where a softmax is known to be of one value, or is given as logits."""
    if cyops.logits_behind(y_pred) is None:
        return
    if from_logits:
        warn(f"{op}: the predictions are a softmax and from_logits=True takes them for logits; leave out the "
             f"softmax or from_logits")
    elif y_pred.shape[-1] == 1:
        warn(f"{op}: the predictions are a softmax over one value, which is always 1; "
             f"activation='sigmoid' is meant")


# -- functions of the caller's ----------------------------------------------------------------------------------------
def as_one_shape(op: str, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """(y_true, y_pred) as tensors, (n,) and (n, 1) of one shape; halves as float32. Structures stay as they are.

    Where the shapes differ otherwise, as those of labels (n,) and predictions (n, c) do, they are left alone.
    """
    if _is_structure(y_true) or _is_structure(y_pred):
        return y_true, y_pred
    y_true, y_pred = _widened(operand(op, y_true)), _widened(operand(op, y_pred))
    shape = _common(y_true.shape, y_pred.shape)
    return (y_true, y_pred) if shape is None else (y_true.reshape(shape), y_pred.reshape(shape))


def _is_structure(value: object) -> bool:
    return value is None or isinstance(value, (str, bytes, dict)) or (
        isinstance(value, (list, tuple)) and any(isinstance(item, (dict, Tensor, np.ndarray)) for item in value))


def _widened(x: Tensor) -> Tensor:
    return widened(x) if cyops.logits_behind(x) is None else x


def call_agreed(op: str, function: Callable[..., Any], y_true: Any, y_pred: Any, dtype: DTypeLike | None = None) -> Any:
    """function(y_true, y_pred) as a tensor, the two brought to one shape by `as_one_shape`; for others' functions.

    Targets of the predictions' shape have their dtype too, as in Keras. dtype: to compute in, or None.
    ValueError where the function broadcasts samples against samples, (n,) against (n, 1).
    """
    given = getattr(y_true, "shape", None), getattr(y_pred, "shape", None)
    y_true, y_pred = as_one_shape(op, y_true, y_pred)
    if not isinstance(y_true, Tensor) or not isinstance(y_pred, Tensor):
        return _as_values(function(y_true, y_pred))
    if y_pred.dtype.kind != "f":
        y_pred = y_pred.astype(dtype or WIDE)
    elif dtype is not None and y_pred.dtype != dtype:
        y_pred = y_pred.astype(dtype)
    a, b = y_true.shape, y_pred.shape
    if a == b and y_true.dtype != y_pred.dtype and y_true.dtype.kind in "biuf":
        y_true = y_true.astype(y_pred.dtype)
    may_cross = given != (a, b) or (len(a) != len(b) and _broadcast(a, b))
    values = (_call_watched(op, function, y_true, y_pred) if may_cross and 0 not in (len(a), len(b))
              else _as_values(function(y_true, y_pred)))
    samples, shape = b[0] if b else 0, values.shape
    if samples > 1 and len(shape) > 1 and shape[0] == samples and samples in shape[1:] and samples not in (
            *a[1:], *b[1:]):
        raise _crossing(op, a, b, shape)
    return values


def _as_values(values: Any) -> Any:
    return values if hasattr(values, "astype") and hasattr(values, "shape") else asarray(values)


def _broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return all(n == m or 1 in (n, m) for n, m in zip(a[::-1], b[::-1], strict=False))


def _crossing(op: str, a: tuple[int, ...], b: tuple[int, ...], shape: tuple[int, ...]) -> ValueError:
    return ValueError(f"{op}: the function must keep samples apart, but broadcasts targets against predictions; got "
                      f"y_true {a}, y_pred {b}, together {shape}; (n,) and (n, 1) come as (n, 1), so no axis need be "
                      f"added or taken away")


def _call_watched(op: str, function: Callable[..., Any], y_true: Tensor, y_pred: Tensor) -> Any:
    """The function's values; ValueError where an op of it has samples of the targets against those of predictions."""
    recorders = of_true, of_pred = cyops.Recorder(False), cyops.Recorder(False)
    of_pred.watch(y_pred)
    if y_true.dtype.kind == "f":
        of_true.watch(y_true)
    for recorder in recorders:
        recorder.start()
    try:
        values = _as_values(function(y_true, y_pred))
    except ValueError:                   # it may have been the recorders, which let nothing be overwritten
        values = None
    finally:
        for recorder in reversed(recorders):
            recorder.stop()
    if values is None:
        return _as_values(function(y_true, y_pred))
    samples = y_pred.shape[0]
    for record in of_pred.records:
        if len(record.inputs) == 2 and _crosses(record, samples, y_true, of_true, of_pred):
            raise _crossing(op, y_true.shape, y_pred.shape, record.output.shape)
    return values


def _crosses(record: cyops.Record, samples: int, y_true: Tensor, of_true: cyops.Recorder,
             of_pred: cyops.Recorder) -> bool:
    """Whether an op has samples of something made of targets along another axis than those of predictions."""
    one, other = record.inputs
    if one is None or other is None or one.shape == other.shape or samples < 2:
        return False
    if not of_pred.tracks(other):
        one, other = other, one
    if not of_pred.tracks(other) or not (one is y_true or of_true.tracks(one)) or not _broadcast(
            one.shape, other.shape):
        return False
    shape = record.output.shape
    if len(shape) != max(one.ndim, other.ndim):
        return False
    is_flat = (samples,) in (one.shape, other.shape) and shape[-1:] == (samples,)
    return is_flat or shape.count(samples) > max(one.shape.count(samples), other.shape.count(samples))
