"""Metrics. base.py has the Metric class and the means; the other files have a family each."""
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from cytensor import registry
from cytensor.absent import explain
from cytensor.configurations import deserializer, serialize
from cytensor.losses.functions import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
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
from cytensor.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    ChosenAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from cytensor.metrics.auc import AUC
from cytensor.metrics.base import Mean, MeanMetricWrapper, Metric, Sum
from cytensor.metrics.confusion import (
    F1Score,
    FalseNegatives,
    FalsePositives,
    FBetaScore,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from cytensor.metrics.iou import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from cytensor.metrics.means import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    ChosenCrossentropy,
    CosineSimilarity,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    R2Score,
    RootMeanSquaredError,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from cytensor.types import Identifier

if TYPE_CHECKING:
    from cytensor.losses.classes import Loss

_CLASSES = (Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy, TopKCategoricalAccuracy,
            SparseTopKCategoricalAccuracy, Mean, Sum, MeanSquaredError, RootMeanSquaredError, MeanAbsoluteError,
            MeanAbsolutePercentageError, MeanSquaredLogarithmicError, LogCoshError, CosineSimilarity, KLDivergence,
            Poisson, R2Score, Hinge, SquaredHinge, CategoricalHinge, BinaryCrossentropy, CategoricalCrossentropy,
            SparseCategoricalCrossentropy, AUC, F1Score, FBetaScore, FalseNegatives, FalsePositives, Precision,
            Recall, TrueNegatives, TruePositives, BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU)
_FUNCTIONS = (binary_accuracy, categorical_accuracy, sparse_categorical_accuracy, top_k_categorical_accuracy,
              sparse_top_k_categorical_accuracy)
# Keras has the functions of the losses here too. Where a class above takes the mean of one, its string means the class.
_LOSSES = (binary_crossentropy, binary_focal_crossentropy, categorical_crossentropy, categorical_focal_crossentropy,
           categorical_hinge, hinge, huber, kl_divergence, log_cosh, mean_absolute_error,
           mean_absolute_percentage_error, mean_squared_error, mean_squared_logarithmic_error, poisson,
           sparse_categorical_crossentropy, squared_hinge)

__all__ = ["deserialize", "serialize",
           "Metric", "MeanMetricWrapper", "get", *(entry.__name__ for entry in (*_CLASSES, *_FUNCTIONS, *_LOSSES))]


def __dir__() -> list[str]:
    return [*__all__]


registry.register("metrics", *_CLASSES, *_FUNCTIONS, binary_focal_crossentropy, categorical_focal_crossentropy, huber)
registry.register_for_files("metrics", ChosenAccuracy, ChosenCrossentropy, MeanMetricWrapper)
for _cls, _names in ((MeanSquaredError, ("mse",)), (MeanAbsoluteError, ("mae",)), (RootMeanSquaredError, ("rmse",)),
                     (MeanAbsolutePercentageError, ("mape",)), (MeanSquaredLogarithmicError, ("msle",)),
                     (KLDivergence, ("kld",)), (BinaryCrossentropy, ("bce",)), (LogCoshError, ("log_cosh",))):
    registry.register_alias("metrics", _cls, *_names)


def get(identifier: Identifier) -> Metric | None:
    """The Metric that a name, configuration, class, instance or function means; a function's mean is taken.

    The string given stays the metric's name: get("mse").name is "mse". "accuracy" and "acc" mean the accuracy that
    fits the shapes of targets and predictions, "crossentropy" and "ce" the cross-entropy.
    """
    if isinstance(identifier, str) and identifier.lower() in ("accuracy", "acc"):
        return ChosenAccuracy(name=identifier)
    if isinstance(identifier, str) and identifier.lower() in ("crossentropy", "ce"):
        return ChosenCrossentropy(name=identifier)
    found = registry.lookup("metrics", identifier, Metric)
    if found is None:
        return None
    metric = found if isinstance(found, Metric) else MeanMetricWrapper(found)
    if isinstance(identifier, str):
        metric.name = identifier
    return metric


def compiled(plain: Sequence[Identifier], weighted: Sequence[Identifier],
             loss: "Loss | None" = None) -> list[tuple[Metric, bool]]:
    """The metrics of `compile` as pairs (Metric, whether it takes sample weights), renamed where names repeat.

    As in Keras: a weighted "accuracy" beside a plain one is "weighted_accuracy", a second plain one "accuracy_1".
    loss: the compiled Loss; where it takes logits, so do the metrics that strings mean.
    """
    pairs = [(_beside(loss, item), False) for item in plain] + [(_beside(loss, item), True) for item in weighted]
    taken = {"loss": 0}
    for metric, takes_weights in pairs:
        name = metric.name
        if name in taken and takes_weights:
            name = f"weighted_{name}"
        metric.name = registry.unused_name(name, taken)
    return pairs


def _beside(loss: "Loss | None", item: Identifier) -> Any:
    """The Metric that an entry of `compile` means; one given as a string reads predictions as the loss does."""
    metric: Any = get(item)
    if not isinstance(item, str) or loss is None:
        return metric
    if loss.from_logits:
        if hasattr(metric, "from_logits"):             # the chosen accuracy, AUC
            metric.from_logits = True
        elif "from_logits" in getattr(metric, "settings", {}):
            metric.settings["from_logits"] = True
        elif isinstance(metric, BinaryAccuracy):
            metric.settings["threshold"] = 0.0         # a probability of one half
    if hasattr(metric, "ignore_class"):
        metric.ignore_class = getattr(loss, "ignore_class", None)
    return metric


deserialize: Callable[..., Any] = deserializer("metrics")
explain(__name__)
