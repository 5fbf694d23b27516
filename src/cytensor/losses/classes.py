"""Losses as classes: a loss function, its settings, and how its per-sample values become one number.

The functions themselves (per-sample values) are in functions.py and offered here under their names too.
"""
from collections.abc import Callable, Mapping
from typing import Any

from cytensor import masks, ops, registry
from cytensor.dtypes import as_dtype
from cytensor.losses import agreement
from cytensor.losses.functions import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    cosine_similarity,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from cytensor.masks import MaskedTensor
from cytensor.tensor import Tensor, asarray, operand
from cytensor.types import ArrayLike, DTypeLike, Identifier

__all__ = ["BinaryCrossentropy", "BinaryFocalCrossentropy", "CategoricalCrossentropy", "CategoricalFocalCrossentropy",
           "CategoricalHinge", "CosineSimilarity", "Hinge", "Huber", "KLDivergence", "LogCosh", "Loss",
           "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError", "MeanSquaredLogarithmicError",
           "Poisson", "SparseCategoricalCrossentropy", "SquaredHinge", "binary_crossentropy",
           "binary_focal_crossentropy", "categorical_crossentropy", "categorical_focal_crossentropy",
           "categorical_hinge", "cosine_similarity", "get", "hinge", "huber", "kl_divergence", "log_cosh",
           "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error",
           "mean_squared_logarithmic_error", "poisson", "sparse_categorical_crossentropy", "squared_hinge"]

REDUCTIONS = ("sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none")


class Loss(registry.Configurable):
    """Base class: subclasses define `call(y_true, y_pred)` -> per-sample values; calling the loss reduces them.

    `call` gets tensors; targets (n,) and predictions (n, 1), either way round, both as (n, 1), other shapes as they
    are. Targets that have the predictions' shape have their dtype too.

    reduction: "sum_over_batch_size" or "mean" (the mean of the weighted values), "mean_with_sample_weight" (divided by
    the sum of the weights), "sum", or "none" (no reduction). Of no values, or weights that sum to 0, the mean is 0.
    dtype: what to compute in, and of the result; None for that of the predictions. Halves are computed in float32, and
    are the result's dtype only where `dtype` says so.

    >>> class Largest(Loss):
    ...     def call(self, y_true, y_pred):
    ...         return ops.max(ops.abs(y_true - y_pred), axis=-1)
    >>> float(Largest()([1., 2.], [[1.], [4.]]))
    1.0
    """
    from_logits: bool = False          # whether `call` takes predictions for logits
    agrees: bool = False               # whether `call` itself brings targets and predictions together

    def __init_subclass__(cls, **options: Any) -> None:
        """A `call` that replaces another does not bring shapes together unless its class says so itself."""
        super().__init_subclass__(**options)
        if "call" in vars(cls):
            cls.agrees = vars(cls).get("agrees", False)

    def __init__(self, name: str | None = None, reduction: str | None = "sum_over_batch_size",
                 dtype: DTypeLike | None = None) -> None:
        reduction = "none" if reduction is None else reduction
        if reduction not in REDUCTIONS:
            raise registry.unknown("reduction", reduction, REDUCTIONS)
        self.name: str = name or registry.snake_case(type(self).__name__)
        self.reduction = reduction
        self.dtype: Any = None if dtype is None else as_dtype(type(self).__name__, dtype, "f")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__}: a loss must define call(self, y_true, y_pred)")

    def mask(self, y_true: Any) -> Tensor | None:
        """1 where a value counts and 0 where it does not; None where all count."""

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """The per-sample values of any targets and predictions: `call` of what it may be given."""
        dtype = self.dtype
        if dtype is not None and dtype.itemsize == 2:
            dtype = agreement.WIDE
        if not self.agrees:
            return agreement.call_agreed(self.name, self.call, y_true, y_pred, dtype)
        if dtype is not None:
            y_pred = operand(self.name, y_pred)
            y_pred = y_pred if y_pred.dtype == dtype else y_pred.astype(dtype)
        return self.call(y_true, y_pred)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: ArrayLike | None = None) -> Tensor:
        """The reduced loss, a scalar; with `reduction="none"` the per-sample values."""
        values, mask = self.values(y_true, y_pred), self.mask(y_true)
        if type(y_pred) is MaskedTensor:
            values, mask = _left_out(self.name, values, y_pred, mask)
        loss = reduce_weighted(self.name, values, sample_weight, mask, self.reduction)
        return loss if self.dtype is None or loss.dtype == self.dtype else loss.astype(self.dtype)


def _left_out(op: str, values: Tensor, y_pred: MaskedTensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """(values with 0 where the predictions are masked, what counts)."""
    own = masks.fitting(op, y_pred, values)
    return ops.where(own, values, 0), own if mask is None else ops.logical_and(own, asarray(mask).reshape(own.shape))


def reduce_weighted(op: str, values: Tensor, sample_weight: ArrayLike | None = None, mask: ArrayLike | None = None,
                    reduction: str | None = "sum_over_batch_size") -> Tensor:
    """Per-sample `values` weighted and reduced as `Loss` says."""
    if values.dtype.kind != "f" or values.dtype.itemsize == 2:
        values = values.astype(agreement.WIDE)
    weights = None
    if sample_weight is not None:
        weights = aligned_weights(op, sample_weight, values)
        values = values * weights
    if reduction == "none":
        return values
    if reduction == "sum" or values.size == 0:
        return ops.sum(values)
    divisor = weights if reduction == "mean_with_sample_weight" else None
    if mask is not None:
        counted = asarray(mask).astype(values.dtype).reshape(values.shape)
        divisor = counted if divisor is None else divisor * counted
    if divisor is None:
        return ops.mean(values)
    total = ops.sum(ops.broadcast_to(divisor, values.shape))
    return ops.sum(values) / ops.where(ops.equal(total, 0.0), 1.0, total)


def aligned_weights(op: str, sample_weight: ArrayLike, values: Tensor) -> Tensor:
    """sample_weight in the dtype of values, with trailing axes of length 1 so that it multiplies along the samples.

    Raises ValueError unless its shape is the leading part of the shape of values.
    """
    weights = operand(op, sample_weight)
    if weights.dtype != values.dtype:
        weights = weights.astype(values.dtype)
    shape = weights.shape
    if shape in ((), values.shape):
        return weights
    if shape == (*values.shape, 1):
        return weights.reshape(values.shape)
    stem = shape[:-1] if shape[-1:] == (1,) and len(shape) == values.ndim else shape
    if stem != values.shape[:len(stem)]:
        raise ValueError(f"{op}: sample_weight must have the shape of the per-sample values or of their leading axes; "
                         f"got sample_weight {shape}, values {values.shape}")
    return weights.reshape((*stem, *(1,) * (values.ndim - len(stem))))


class _FunctionLoss(Loss):
    """A Loss that is one function with settings; the subclass names the function."""
    function: Callable[..., Tensor]
    settings: dict[str, Any]
    agrees = True

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__(name or type(self).function.__name__, reduction, dtype)
        self.settings = {}

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        y_true, y_pred = agreement.one_a_sample(self.name, y_true, y_pred)
        return type(self).function(y_true, y_pred, **self.settings)


class WrappedFunction(Loss):
    """Any function (y_true, y_pred) -> per-sample values as a Loss."""

    def __init__(self, function: Callable[..., Any], name: str | None = None,
                 reduction: str | None = "sum_over_batch_size", dtype: DTypeLike | None = None) -> None:
        super().__init__(name or getattr(function, "__name__", "loss"), reduction, dtype)
        self.wrapped = function

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.wrapped(y_true, y_pred)


# -- cross-entropies --------------------------------------------------------------------------------------------------
class SparseCategoricalCrossentropy(Loss):
    """-log of the predicted probability of each integer label. See `sparse_categorical_crossentropy`.

    >>> round(float(SparseCategoricalCrossentropy()([1, 0], [[0.5, 0.5], [1., 0.]])), 4)
    0.3466
    """
    from_logits: bool
    ignore_class: int | None
    axis: int

    def __init__(self, from_logits: bool = False, ignore_class: int | None = None,
                 reduction: str | None = "sum_over_batch_size", axis: int = -1,
                 name: str | None = "sparse_categorical_crossentropy", dtype: DTypeLike | None = None) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits, self.ignore_class, self.axis = from_logits, ignore_class, axis

    agrees = True

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        return sparse_categorical_crossentropy(y_true, y_pred, self.from_logits, self.ignore_class, self.axis)

    def mask(self, y_true: Any) -> Tensor | None:
        return None if self.ignore_class is None else ops.not_equal(operand(self.name, y_true), self.ignore_class)


class CategoricalCrossentropy(Loss):
    """Cross-entropy against one-hot or soft targets. See `categorical_crossentropy`."""
    from_logits: bool
    axis: int

    def __init__(self, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1,
                 reduction: str | None = "sum_over_batch_size", name: str | None = "categorical_crossentropy",
                 dtype: DTypeLike | None = None) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits, self.axis = from_logits, axis
        self.label_smoothing = label_smoothing

    agrees = True

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        return categorical_crossentropy(y_true, y_pred, self.from_logits, self.label_smoothing, self.axis)


class BinaryCrossentropy(_FunctionLoss):
    """Cross-entropy of independent yes-or-no targets. See `binary_crossentropy`."""
    function: Callable[..., Tensor] = staticmethod(binary_crossentropy)

    def __init__(self, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1,
                 reduction: str | None = "sum_over_batch_size", name: str | None = "binary_crossentropy",
                 dtype: DTypeLike | None = None) -> None:
        super().__init__(reduction, name, dtype)
        self.from_logits = from_logits
        self.settings.update(from_logits=from_logits, axis=axis, label_smoothing=label_smoothing)


class ChosenCrossentropy(Loss):
    """What compile's "crossentropy" means: the binary, sparse or categorical one, as the shapes of a batch ask for."""

    agrees = True
    by_kind: Mapping[str, BinaryCrossentropy | SparseCategoricalCrossentropy | CategoricalCrossentropy]

    def __init__(self, name: str | None = "crossentropy", reduction: str | None = "sum_over_batch_size",
                 dtype: DTypeLike | None = None, from_logits: bool = False) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits = from_logits
        self.by_kind = {kind: cls(from_logits=from_logits) for kind, cls in (
            ("binary", BinaryCrossentropy), ("sparse", SparseCategoricalCrossentropy),
            ("categorical", CategoricalCrossentropy))}

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        y_true, y_pred = operand(self.name, y_true), agreement.as_floating(self.name, y_pred)
        return self.by_kind[agreement.kind_of_targets(y_true.shape, y_pred.shape)].call(y_true, y_pred)


class BinaryFocalCrossentropy(_FunctionLoss):
    """Binary cross-entropy that hard samples dominate. See `binary_focal_crossentropy`."""
    function: Callable[..., Tensor] = staticmethod(binary_focal_crossentropy)

    def __init__(self, apply_class_balancing: bool = False, alpha: float = 0.25, gamma: float = 2.0,
                 from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1,
                 reduction: str | None = "sum_over_batch_size", name: str | None = "binary_focal_crossentropy",
                 dtype: DTypeLike | None = None) -> None:
        super().__init__(reduction, name, dtype)
        self.from_logits = from_logits
        self.settings.update(apply_class_balancing=apply_class_balancing, alpha=alpha, gamma=gamma,
                             from_logits=from_logits, axis=axis, label_smoothing=label_smoothing)


class CategoricalFocalCrossentropy(_FunctionLoss):
    """Cross-entropy that hard samples dominate. See `categorical_focal_crossentropy`."""
    function: Callable[..., Tensor] = staticmethod(categorical_focal_crossentropy)

    def __init__(self, alpha: float = 0.25, gamma: float = 2.0, from_logits: bool = False, label_smoothing: float = 0.0,
                 axis: int = -1, reduction: str | None = "sum_over_batch_size",
                 name: str | None = "categorical_focal_crossentropy", dtype: DTypeLike | None = None) -> None:
        super().__init__(reduction, name, dtype)
        self.from_logits = from_logits
        self.settings.update(alpha=registry.fresh(alpha), gamma=gamma, from_logits=from_logits, axis=axis,
                             label_smoothing=label_smoothing)


# -- the others -------------------------------------------------------------------------------------------------------
class MeanSquaredError(_FunctionLoss):
    """mean((y_true - y_pred)^2)."""
    function: Callable[..., Tensor] = staticmethod(mean_squared_error)


class MeanAbsoluteError(_FunctionLoss):
    """mean(|y_true - y_pred|)."""
    function: Callable[..., Tensor] = staticmethod(mean_absolute_error)


class MeanAbsolutePercentageError(_FunctionLoss):
    """100 * mean(|y_true - y_pred| / |y_true|)."""
    function: Callable[..., Tensor] = staticmethod(mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(_FunctionLoss):
    """mean((log(1 + y_true) - log(1 + y_pred))^2)."""
    function: Callable[..., Tensor] = staticmethod(mean_squared_logarithmic_error)


class Huber(_FunctionLoss):
    """Quadratic up to |error| = delta, linear beyond."""
    function: Callable[..., Tensor] = staticmethod(huber)

    def __init__(self, delta: float = 1.0, reduction: str | None = "sum_over_batch_size",
                 name: str | None = "huber_loss", dtype: DTypeLike | None = None) -> None:
        super().__init__(reduction, name, dtype)
        self.settings["delta"] = delta


class LogCosh(_FunctionLoss):
    """mean(log(cosh(y_pred - y_true)))."""
    function: Callable[..., Tensor] = staticmethod(log_cosh)


class Hinge(_FunctionLoss):
    """mean(max(1 - y_true * y_pred, 0))."""
    function: Callable[..., Tensor] = staticmethod(hinge)


class SquaredHinge(_FunctionLoss):
    """mean(max(1 - y_true * y_pred, 0)^2)."""
    function: Callable[..., Tensor] = staticmethod(squared_hinge)


class CategoricalHinge(_FunctionLoss):
    """max(largest score of a wrong class - score of the right one + 1, 0)."""
    function: Callable[..., Tensor] = staticmethod(categorical_hinge)


class KLDivergence(_FunctionLoss):
    """sum(y_true * log(y_true / y_pred))."""
    function: Callable[..., Tensor] = staticmethod(kl_divergence)


class Poisson(_FunctionLoss):
    """mean(y_pred - y_true * log(y_pred))."""
    function: Callable[..., Tensor] = staticmethod(poisson)


class CosineSimilarity(_FunctionLoss):
    """Minus the cosine of the angle between y_true and y_pred."""
    function: Callable[..., Tensor] = staticmethod(cosine_similarity)

    def __init__(self, axis: int = -1, reduction: str | None = "sum_over_batch_size",
                 name: str | None = "cosine_similarity", dtype: DTypeLike | None = None) -> None:
        super().__init__(reduction, name, dtype)
        self.settings["axis"] = axis


_CLASSES = (BinaryFocalCrossentropy, CategoricalFocalCrossentropy, SparseCategoricalCrossentropy,
            CategoricalCrossentropy, BinaryCrossentropy, MeanSquaredError, MeanAbsoluteError,
            MeanAbsolutePercentageError, MeanSquaredLogarithmicError, Huber, LogCosh, Hinge, SquaredHinge,
            CategoricalHinge, KLDivergence, Poisson, CosineSimilarity)
registry.register("losses", *_CLASSES)
registry.register_for_files("losses", ChosenCrossentropy, WrappedFunction)
registry.register("losses", *(entry for entry in map(globals().get, __all__)
                              if callable(entry) and not isinstance(entry, type)))
for _cls, _names in ((MeanSquaredError, ("mse",)), (MeanAbsoluteError, ("mae",)), (KLDivergence, ("kld",)),
                     (MeanAbsolutePercentageError, ("mape",)), (MeanSquaredLogarithmicError, ("msle",)),
                     (BinaryCrossentropy, ("bce",)), (Huber, ("huber_loss",))):
    registry.register_alias("losses", _cls, *_names)


def get(identifier: Identifier) -> Any:
    """The Loss or function that a name, configuration, class, instance or function means, as in Keras.

    The name of a function, "mse" or "mean_squared_error", means the function, which gives per-sample values; the name
    of a class, "MeanSquaredError", an instance. "crossentropy" and "ce" mean the cross-entropy that fits the shapes of
    targets and predictions. ValueError for an unknown name.

    >>> get("mse")([[0., 2.], [0., 0.]], [[0., 0.], [0., 0.]]).tolist()
    [2.0, 0.0]
    """
    loss = compiled(identifier, wraps=False)
    is_named = isinstance(identifier, str) and identifier not in _CLASS_NAMES
    return _FUNCTIONS[type(loss)] if is_named and type(loss) in _FUNCTIONS else loss


def compiled(identifier: Identifier, wraps: bool = True) -> Any:
    """The Loss that `compile` makes of what `get` takes; a function is wrapped in one."""
    if isinstance(identifier, str) and identifier.lower() in ("crossentropy", "ce"):
        return ChosenCrossentropy(name=identifier)
    loss = registry.lookup("losses", identifier, Loss)
    return loss if loss is None or isinstance(loss, Loss) or not wraps else WrappedFunction(loss)


_CLASS_NAMES = {cls.__name__ for cls in _CLASSES}
_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    **{cls: vars(cls)["function"].__func__ for cls in _CLASSES if "function" in vars(cls)},
    SparseCategoricalCrossentropy: sparse_categorical_crossentropy, CategoricalCrossentropy: categorical_crossentropy}
