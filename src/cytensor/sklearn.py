"""Estimators for scikit-learn: dense networks that fit, predict and score as its own do.

Needs the extra `sklearn`; loaded when `ct.sklearn` is first named. What lies between scikit-learn's arrays and
`model.fit` is here: classes as numbers, weights with a mean of one, one seed for everything random. Training itself is
training/'s.
"""
import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from cytensor import layers, optimizers, random, regularizers
from cytensor.callbacks import Callback, EarlyStopping
from cytensor.checks import arguments
from cytensor.models import Model, Sequential
from cytensor.optimizers.schedules import RateLike
from cytensor.types import Array, ArrayLike, DTypeLike, Identifier

__all__ = ["CyTensorClassifier", "CyTensorRegressor"]


def __dir__() -> list[str]:
    return [*__all__]


class _Estimator(BaseEstimator):
    """What classifier and regressor share: their parameters, making the model, and training it.

    Subclasses define `_head` (units and activation of the last layer), `_loss` and `_targets`.
    """
    _seed: int                         # of everything random in the model that is being trained
    _random: Any                       # where its random numbers stand
    n_iter_: int
    model_: Model
    loss_curve_: list[float]

    def __init__(self, model: Model | Callable[..., Model] | None = None, *,
                 model_args: Mapping[str, Any] | None = None, hidden_layer_sizes: int | Sequence[int] = (100,),
                 activation: Identifier = "relu", optimizer: Identifier | optimizers.Optimizer = "adam",
                 learning_rate: RateLike = 0.001, alpha: float = 0.0, loss: Identifier = None,
                 dtype: DTypeLike | None = None, batch_size: int = 32, epochs: int = 100, shuffle: bool = True,
                 early_stopping: bool = False, validation_fraction: float = 0.1, n_iter_no_change: int = 10,
                 tol: float = 1e-4, callbacks: Sequence[Callback] | None = None, warm_start: bool = False,
                 verbose: int | str = 0, random_state: Any = None) -> None:
        self.model = model
        self.model_args = model_args
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.alpha = alpha
        self.loss = loss
        self.dtype = dtype
        self.batch_size = batch_size
        self.epochs = epochs
        self.shuffle = shuffle
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state

    # -- the model ----------------------------------------------------------------------------------------------------
    def _make_model(self, X: Array, y: Array) -> Model:
        """A new compiled model: the network that the parameters describe, or the user's."""
        if self.model is None:
            return self._make_network(X, y)
        is_model = isinstance(self.model, Model)
        if not is_model and not callable(self.model):
            raise TypeError(f"{type(self).__name__}: model must be a compiled Model or a function that returns one; "
                            f"got {self.model!r}")
        model = copy.deepcopy(self.model) if is_model else self.model(X, y, **(self.model_args or {}))
        if not isinstance(model, Model) or not model.compiled:
            raise TypeError(f"{type(self).__name__}: model must be, or return, a Model that was compiled; "
                            f"got {model!r}")
        return model

    def _make_network(self, X: Array, y: Array) -> Sequential:
        sizes = self.hidden_layer_sizes
        sizes = [sizes] if isinstance(sizes, (int, np.integer)) else list(sizes)
        penalty = regularizers.L2(self.alpha) if self.alpha else None
        pairs = [*((size, self.activation) for size in sizes), self._head(y)]
        network = Sequential([layers.Input(X.shape[1:], dtype=X.dtype)])
        for units, activation in pairs:
            network.add(layers.Dense(units, activation, kernel_regularizer=penalty, dtype=X.dtype))
        network.compile(self._make_optimizer(), copy.deepcopy(self.loss) if self.loss is not None else self._loss)
        return network

    def _make_optimizer(self) -> Identifier | optimizers.Optimizer:
        if not isinstance(self.optimizer, str):
            return copy.deepcopy(self.optimizer)
        optimizer = optimizers.get(self.optimizer)
        optimizer.learning_rate = copy.deepcopy(self.learning_rate)
        return optimizer

    # -- training -----------------------------------------------------------------------------------------------------
    def _validated(self, X: Any, y: Any = "no_validation", *, reset: bool, **options: Any) -> Any:
        """X, or X and y, checked; a user's model may take integers, and samples that are no vectors."""
        if self.model is None:
            options["dtype"] = [np.float64, np.float32] if self.dtype is None else np.dtype(self.dtype)
        else:
            options |= {"dtype": "numeric", "allow_nd": True}
        return validate_data(self, X, y, reset=reset, **options)

    def _train(self, X: Array, y: Array, sample_weight: ArrayLike | None, epochs: int, fresh: bool) -> Self:
        """Train a new model, or go on with the one there is; the numbers drawn outside are not moved."""
        if fresh:
            self._seed = int(check_random_state(self.random_state).randint(2**31 - 1))
            self.n_iter_ = 0
            self.history_: dict[str, list[Any]] = {}
        with random.scope(self._seed):
            if fresh:
                self.model_ = self._make_model(X, y)
            else:
                random.set_state(self._random)
            self._fit_model(X, self._targets(X, y), _mean_one(sample_weight, X), epochs)
            self._random = random.get_state()
        return self

    def _fit_model(self, X: Array, targets: Array, weights: Array | None, epochs: int) -> None:
        if weights is not None:                    # a weight of zero is as good as no sample
            kept = np.flatnonzero(weights)
            X, targets, weights = X[kept], targets[kept], weights[kept]
        callbacks, held_out = [*(self.callbacks or ())], None
        if self.early_stopping:
            X, targets, weights, held_out = self._hold_out(X, targets, weights)
            callbacks.append(EarlyStopping("val_loss", self.tol, self.n_iter_no_change, restore_best_weights=True))
        arguments.check_value(type(self).__name__, "epochs", epochs)
        history = self.model_.fit(X, targets, self.batch_size, self.n_iter_ + epochs, self.verbose, callbacks,
                                  initial_epoch=self.n_iter_, shuffle=self.shuffle, validation_data=held_out,
                                  sample_weight=weights)
        self.n_iter_ += len(history.epoch)
        for name, values in history.history.items():
            self.history_.setdefault(name, []).extend(values)
        self.loss_curve_ = self.history_["loss"]

    def _hold_out(self, X: Array, targets: Array,
                  weights: Array | None) -> tuple[Array, Array, Array | None, tuple[Array, ...]]:
        """(X, targets, weights) to train on, and as one the same that early stopping watches."""
        rows, held = train_test_split(np.arange(len(X)), test_size=self.validation_fraction, random_state=self._seed,
                                      stratify=self._strata(targets))
        if weights is None:
            return X[rows], targets[rows], None, (X[held], targets[held])
        return X[rows], targets[rows], weights[rows], (X[held], targets[held], weights[held])

    def _predict(self, X: Any) -> Array:
        check_is_fitted(self, "model_")
        outputs: Array = self.model_.predict(self._validated(X, reset=False), batch_size=1024, verbose=0)
        return outputs


def _mean_one(sample_weight: ArrayLike | None, X: Array) -> Array | None:
    """sample_weight divided by its mean: then the loss, a mean over samples, is a mean by weight."""
    if sample_weight is None:
        return None
    weights: Array = _check_sample_weight(sample_weight, X, dtype=np.float64)
    if weights.min() < 0 or weights.sum() == 0:
        raise ValueError(f"sample_weight: must not be negative, nor zero everywhere; got values from {weights.min()} "
                         f"to {weights.max()}")
    scaled: Array = weights / weights[weights > 0].mean()
    return scaled


class CyTensorClassifier(ClassifierMixin, _Estimator):
    """A neural network that classifies, as a scikit-learn estimator.

    model: a compiled `Model`, which is copied and trained from the weights it has, or a function (X, y, **model_args)
        that returns one; None for dense layers as the arguments up to `loss` say, ended by a softmax. A model may end
        in probabilities or, if its loss has from_logits=True, in logits, of every class or of the second of two.
    hidden_layer_sizes, activation: the dense layers before the last. dtype: of their weights; None means X's, so that
        float32 data trains in float32, which is faster. optimizer: a name or an Optimizer.
    learning_rate: of an optimizer given by name; a float or a schedule. alpha: adds alpha * sum(kernel**2) to the loss.
    batch_size, epochs, shuffle, callbacks, verbose: as in `fit`.
    early_stopping: holds validation_fraction of the samples out, stops when their loss has not fallen by tol for
        n_iter_no_change epochs, and keeps the best weights.
    warm_start: `fit` goes on from the model of the last `fit`.
    random_state: the same int gives the same bits. class_weight: {class: weight} or "balanced".

    After `fit`: classes_, model_ (the trained model), n_iter_ (epochs run), loss_curve_, history_ (all that was logged,
    a list for each name), n_features_in_.

    >>> import numpy as np
    >>> X = np.array([[0., 0.], [0., 1.], [1., 0.], [1., 1.]] * 20)
    >>> y = np.where(X[:, 0] == X[:, 1], "equal", "different")
    >>> CyTensorClassifier(hidden_layer_sizes=(16,), learning_rate=0.02, random_state=0).fit(X, y).score(X, y)
    1.0
    """
    _loss = "sparse_categorical_crossentropy"
    classes_: Array

    def __init__(self, model: Model | Callable[..., Model] | None = None, *,
                 model_args: Mapping[str, Any] | None = None, hidden_layer_sizes: int | Sequence[int] = (100,),
                 activation: Identifier = "relu", optimizer: Identifier | optimizers.Optimizer = "adam",
                 learning_rate: RateLike = 0.001, alpha: float = 0.0, loss: Identifier = None,
                 dtype: DTypeLike | None = None, batch_size: int = 32, epochs: int = 100, shuffle: bool = True,
                 early_stopping: bool = False, validation_fraction: float = 0.1, n_iter_no_change: int = 10,
                 tol: float = 1e-4, callbacks: Sequence[Callback] | None = None, warm_start: bool = False,
                 verbose: int | str = 0, random_state: Any = None,
                 class_weight: Mapping[Any, float] | str | None = None) -> None:
        super().__init__(
            model, model_args=model_args, hidden_layer_sizes=hidden_layer_sizes, activation=activation,
            optimizer=optimizer, learning_rate=learning_rate, alpha=alpha, loss=loss, dtype=dtype,
            batch_size=batch_size, epochs=epochs, shuffle=shuffle, early_stopping=early_stopping,
            validation_fraction=validation_fraction, n_iter_no_change=n_iter_no_change, tol=tol, callbacks=callbacks,
            warm_start=warm_start, verbose=verbose, random_state=random_state)
        self.class_weight = class_weight

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Train on X (n, features) and labels y (n,) of any type; sample_weight (n,) counts samples more or less."""
        X, y = self._checked(X, y, reset=True)
        fresh = not (self.warm_start and hasattr(self, "model_"))
        if fresh:
            self.classes_ = np.unique(y)
        return self._train_classes(X, y, sample_weight, self.epochs, fresh)

    def partial_fit(self, X: Any, y: Any, classes: ArrayLike | None = None,
                    sample_weight: ArrayLike | None = None) -> Self:
        """Train one epoch more; the first call needs `classes`, every label there will be, unless y has them all."""
        fresh = not hasattr(self, "model_")
        X, y = self._checked(X, y, reset=fresh)
        if fresh:
            self.classes_ = np.unique(y if classes is None else classes)
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(f"partial_fit: classes must stay the same; got {classes}, before {self.classes_}")
        return self._train_classes(X, y, sample_weight, 1, fresh)

    def predict(self, X: Any) -> Array:
        """The likeliest class of each sample."""
        probabilities = self.predict_proba(X)
        labels: Array = self.classes_[probabilities.argmax(axis=1)]
        return labels

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, (n, classes), in the order of `classes_`."""
        outputs = self._predict(X)
        if _is_from_logits(self.model_.loss):
            outputs = _sigmoid(outputs) if outputs.shape[1] == 1 else _softmax(outputs)
        return outputs if outputs.shape[1] > 1 else np.hstack([1 - outputs, outputs])

    # -- on the way to the model --------------------------------------------------------------------------------------
    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[Array, Array]:
        X, y = self._validated(X, y, reset=reset)
        check_classification_targets(y)
        return X, y

    def _train_classes(self, X: Array, y: Array, sample_weight: ArrayLike | None, epochs: int, fresh: bool) -> Self:
        if len(self.classes_) < 2:
            raise ValueError(f"{type(self).__name__}: y must have at least two classes; got one class, "
                             f"{self.classes_.tolist()}")
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(f"{type(self).__name__}: y must hold the classes known from the start, "
                             f"{self.classes_.tolist()}; got also {unknown.tolist()}")
        if self.class_weight is not None:
            by_class = compute_sample_weight(self.class_weight, y)
            sample_weight = by_class if sample_weight is None else by_class * _check_sample_weight(sample_weight, X)
        return self._train(X, np.searchsorted(self.classes_, y), sample_weight, epochs, fresh)

    def _head(self, y: Array) -> tuple[int, str]:
        return len(self.classes_), "softmax"

    def _targets(self, X: Array, y: Array) -> Array:
        """Numbers of classes, or one-hot rows, or 0.0 and 1.0: whatever the model's loss takes."""
        loss = self.model_.loss
        if loss is None or loss.name.startswith("sparse"):
            return y
        units = self.model_.predict_on_batch(X[:1]).shape[-1]
        return y.astype(np.float32) if units == 1 else np.eye(len(self.classes_), dtype=np.float32)[y]

    def _strata(self, targets: Array) -> Array:
        return targets if targets.ndim == 1 else targets.argmax(axis=1)


class CyTensorRegressor(RegressorMixin, _Estimator):
    """A neural network that predicts numbers, one or several a sample, as a scikit-learn estimator.

    The arguments and attributes are `CyTensorClassifier`'s; loss is the mean squared error unless given, and a last
    layer without activation is added for y (n,) or (n, outputs). Targets are not rescaled: where they are far from the
    order of one, put the estimator into a `TransformedTargetRegressor`.

    >>> import numpy as np
    >>> X = np.linspace(-1, 1, 80)[:, None]
    >>> model = CyTensorRegressor(learning_rate=0.01, random_state=0).fit(X, np.abs(X[:, 0]))
    >>> bool(model.score(X, np.abs(X[:, 0])) > 0.99)
    True
    """
    _loss = "mean_squared_error"

    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Train on X (n, features) and targets y, (n,) or (n, outputs); sample_weight (n,)."""
        return self._fit(X, y, sample_weight, self.epochs, not (self.warm_start and hasattr(self, "model_")))

    def partial_fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Train one epoch more."""
        return self._fit(X, y, sample_weight, 1, not hasattr(self, "model_"))

    def predict(self, X: Any) -> Array:
        """The predicted targets, in the shape that y had."""
        outputs = self._predict(X)
        return outputs.reshape(len(outputs), *self._target_shape)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _fit(self, X: Any, y: Any, sample_weight: ArrayLike | None, epochs: int, fresh: bool) -> Self:
        X, y = self._validated(X, y, reset=fresh, multi_output=True, y_numeric=True)
        self._target_shape = y.shape[1:]
        return self._train(X, y.astype(np.float64), sample_weight, epochs, fresh)

    def _head(self, y: Array) -> tuple[int, str]:
        return int(np.prod(y.shape[1:])), "linear"

    def _targets(self, X: Array, y: Array) -> Array:
        return y

    def _strata(self, targets: Array) -> None:
        """Numbers have no classes to keep in proportion."""


# -- outputs as probabilities -----------------------------------------------------------------------------------------
def _is_from_logits(loss: Any) -> bool:
    return bool(getattr(loss, "from_logits", False) or getattr(loss, "settings", {}).get("from_logits", False))


def _sigmoid(x: Array) -> Array:
    return (0.5 * np.tanh(0.5 * x) + 0.5).astype(x.dtype)


def _softmax(x: Array) -> Array:
    powers: Array = np.exp(x - x.max(axis=1, keepdims=True))
    shares: Array = powers / powers.sum(axis=1, keepdims=True)
    return shares
