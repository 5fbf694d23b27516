"""Callbacks that steer training by what they see: stopping, changing the learning rate."""
import inspect
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cytensor.callbacks.base import Callback
from cytensor.callbacks.monitor import Monitor
from cytensor.checks.arguments import Rule
from cytensor.checks.schema import ARRAY, COUNT, REAL, check_like, list_of, or_none
from cytensor.printing import say
from cytensor.types import Array, Logs

if TYPE_CHECKING:
    from cytensor.optimizers import Optimizer


class EarlyStopping(Monitor):
    """Stops training when the watched value has not improved for `patience` epochs.

    baseline: a value to beat from the start. restore_best_weights: end with the weights of the best epoch.
    start_from_epoch: epochs before it are not looked at.
    """
    state_rules: tuple[tuple[str, Rule], ...] = (
        ("wait", COUNT), ("stopped_epoch", COUNT), ("best", or_none(REAL)), ("best_epoch", COUNT),
        ("best_weights", or_none(list_of(ARRAY, "arrays"))))
    patience: int
    verbose: int
    baseline: float | None
    restore_best_weights: bool
    start_from_epoch: int
    wait: int
    stopped_epoch: int
    best_epoch: int

    def __init__(self, monitor: str = "val_loss", min_delta: float = 0, patience: int = 0, verbose: int = 0,
                 mode: str = "auto", baseline: float | None = None, restore_best_weights: bool = False,
                 start_from_epoch: int = 0) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience, self.verbose, self.baseline = patience, verbose, baseline
        self.restore_best_weights, self.start_from_epoch = restore_best_weights, start_from_epoch
        self.reset()

    def reset(self) -> None:
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best: float | None = None
        self.best_weights: list[Array] | None = None

    def check_state(self, state: dict[str, Any], key: str) -> None:
        super().check_state(state, key)
        if state["best_weights"] is not None:
            present = self.model.get_weights() if self.model.built else state["best_weights"]
            check_like(state["best_weights"], present, f"{key}.best_weights")

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.reset()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        value = self.current(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch
        self.wait += 1
        if self.is_better(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.is_better(value, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:       # as in Keras, never after the very first epoch
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.stopped_epoch and self.verbose:
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                say(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)


class ReduceLROnPlateau(Monitor):
    """Multiplies the learning rate by `factor` when the watched value has not improved for `patience` epochs.

    cooldown: how many epochs after a change do not count. min_lr: the learning rate never falls below it.
    """
    state_rules: tuple[tuple[str, Rule], ...] = (("wait", COUNT), ("resting", COUNT), ("best", or_none(REAL)))
    factor: float
    patience: int
    verbose: int
    cooldown: int
    min_lr: float
    wait: int
    resting: int

    def __init__(self, monitor: str = "val_loss", factor: float = 0.1, patience: int = 10, verbose: int = 0,
                 mode: str = "auto", min_delta: float = 1e-4, cooldown: int = 0, min_lr: float = 0.0) -> None:
        super().__init__(monitor, mode, min_delta)
        if not 0 < factor < 1:
            raise ValueError(f"ReduceLROnPlateau: factor must be between 0 and 1; got {factor}")
        self.factor, self.patience, self.verbose = factor, patience, verbose
        self.cooldown, self.min_lr = cooldown, min_lr
        self.reset()

    def reset(self) -> None:
        self.wait = self.resting = 0
        self.best: float | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.reset()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        optimizer = self.model.optimizer
        if logs is not None:
            logs["learning_rate"] = float(optimizer.learning_rate)
        value = self.current(logs)
        if value is None:
            return
        rests = self.in_cooldown()
        if rests:
            self.resting -= 1
        if self.is_better(value, self.best):
            self.best, self.wait = value, 0
        elif not rests:
            self.wait += 1
            if self.wait >= self.patience:
                self.reduce(epoch, optimizer)

    def in_cooldown(self) -> bool:
        """Whether it rests after a change."""
        return self.resting > 0

    def reduce(self, epoch: int, optimizer: "Optimizer") -> None:
        """Lower the learning rate once, and rest."""
        if optimizer.learning_rate > self.min_lr:
            optimizer.learning_rate = max(optimizer.learning_rate * self.factor, self.min_lr)
            if self.verbose:
                say(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {optimizer.learning_rate}.")
            self.resting, self.wait = self.cooldown, 0


class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch to schedule(epoch, learning_rate), or schedule(epoch)."""
    schedule: Callable[..., float]
    verbose: int

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        optimizer = self.model.optimizer
        given = (epoch, optimizer.learning_rate)
        value = self.schedule(*given[:1] if _takes_one(self.schedule) else given)
        try:
            value = float(value)
        except (TypeError, ValueError):
            raise TypeError(f"LearningRateScheduler: schedule must return a number; got {value!r} for epoch "
                            f"{epoch}") from None
        optimizer.learning_rate = value
        if self.verbose:
            say(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {optimizer.learning_rate}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


def _takes_one(schedule: Callable[..., float]) -> bool:
    """Whether a schedule is a function of the epoch alone."""
    try:
        signature = inspect.signature(schedule)
        signature.bind(0, 0.0)
    except TypeError:
        return True
    except ValueError:                 # of a compiled function nothing is known
        return False
    return False


class TerminateOnNaN(Callback):
    """Stops training at the first batch whose loss is NaN or infinite; with raise_error by a RuntimeError."""

    def __init__(self, raise_error: bool = False) -> None:
        self.raise_error = raise_error

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is not None and not math.isfinite(loss):
            if self.raise_error:
                raise RuntimeError(f"TerminateOnNaN: the loss must be finite; got {loss} at batch {batch}")
            say(f"Batch {batch}: Invalid loss, terminating training")
            self.model.stop_training = True
