"""Callback, and the simplest ones: History and LambdaCallback. callback_list.py calls them."""
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

from cytensor.checks import arguments
from cytensor.checks.arguments import Rule
from cytensor.checks.schema import EPOCHS, VALUE, check_fields, dictionary_of, list_of
from cytensor.types import Logs, Path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cytensor.models import Model

HOOKS = ("on_train_begin", "on_train_end", "on_epoch_begin", "on_epoch_end", "on_train_batch_begin",
         "on_train_batch_end", "on_test_begin", "on_test_end", "on_test_batch_begin", "on_test_batch_end",
         "on_predict_begin", "on_predict_end", "on_predict_batch_begin", "on_predict_batch_end")
OLDER_HOOKS = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}


class Callback:
    """Base class: define the methods wanted; each is called by `fit`, `evaluate` and `predict` at its time.

    `self.model` is the model, `self.params` a dictionary with "epochs", "steps" and "verbose". `logs` holds floats
    and must not be kept without copying.
    """
    model: "Model" = None              # type: ignore[assignment]   # until a run begins, as params
    params: dict[str, Any] = None      # type: ignore[assignment]
    writes: bool = False               # whether it writes files or text: on several processes, rank 0 alone calls it
    _arguments: tuple[tuple[Any, ...], dict[str, Any]]         # that it was made with
    state_rules: tuple[tuple[str, arguments.Rule], ...] = ()   # attributes to go on from; what each must be

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        arguments.check(cls, args, kwargs)
        self = super().__new__(cls)
        self._arguments = (args, kwargs)
        return self

    def __repr__(self) -> str:
        return arguments.shown(type(self), *self._arguments)

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params

    def set_model(self, model: "Model") -> None:
        self.model = model

    def get_state(self) -> dict[str, Any]:
        """What must be known to go on after an interruption: a dictionary of numbers, strings, lists and arrays."""
        return {name: getattr(self, name) for name, _ in self.state_rules}

    def check_state(self, state: dict[str, Any], key: str) -> None:
        """Raise ValueError, with `key` in it, where `state` is nothing that `get_state` returns."""
        if type(self).get_state is Callback.get_state:
            check_fields(state, dict(self.state_rules), f"{key}.")

    def set_state(self, state: dict[str, Any]) -> None:
        """Take back what `get_state` returned."""
        for name, value in state.items():
            setattr(self, name, value)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Before the first epoch."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """After the last epoch."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Before each epoch; the first is 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """After each epoch and its validation."""

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """The older name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """The older name of `on_train_batch_end`."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before each batch of training; the first of an epoch is 0."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After each batch of training."""
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Before `evaluate` and before validation."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """After them."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before each of their batches."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After each of their batches."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Before `predict`."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """After it."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before each of its batches."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After each of its batches."""


class History(Callback):
    """Collects the logs of every epoch: `epoch` numbers them, `history` has a list of floats for each name."""
    state_rules: tuple[tuple[str, Rule], ...] = (
        ("epoch", EPOCHS), ("history", dictionary_of(list_of(VALUE, "numbers"), "lists of numbers")),
        ("_epochs", dictionary_of(EPOCHS, "lists of integers")))

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[Any]] = {}
        self._epochs: dict[str, list[int]] = {}              # the epochs of the values: not every epoch is validated

    def __repr__(self) -> str:
        """The number of epochs, and each value of the last."""
        last = "".join(f", {name} {values[-1]:.4g}" if isinstance(values[-1], (int, float)) else f", {name}"
                       for name, values in self.history.items() if values)
        return f"<History of {len(self.epoch)} epoch{'s' * (len(self.epoch) != 1)}{last}>"

    def on_train_begin(self, logs: Logs | None = None) -> None:
        History.__init__(self)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
            self._epochs.setdefault(name, []).append(epoch)

    def epochs_of(self, name: str) -> list[int]:
        """The epochs (from 0) whose logs had a value of that name."""
        return list(self._epochs[name])

    def plot(self, path: Path | None = None, quantities: str | Sequence[str] | None = None,
             title: str | None = None) -> "Figure":
        """Draw the learning curves and return the figure; see `cytensor.plots.plot_history`.

        path: a file to write as well. quantities: the names to draw, by default all. Needs matplotlib.
        """
        from cytensor.plots import plot_history
        return plot_history(self, path, quantities, title)


class LambdaCallback(Callback):
    """A callback made of functions: LambdaCallback(on_epoch_end=lambda epoch, logs: print(logs))."""

    def __init__(self, **functions: Callable[..., Any] | None) -> None:
        for hook, function in functions.items():
            if hook not in HOOKS and hook not in OLDER_HOOKS.values():
                raise TypeError(f"LambdaCallback: unknown hook {hook!r}; known are {', '.join(HOOKS)}")
            if function is not None and not callable(function):
                raise TypeError(f"LambdaCallback: {hook} must be a function; got {function!r}")
            if function is not None:
                setattr(self, hook, function)
