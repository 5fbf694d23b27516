"""Monitor: the callbacks that watch one value of the logs."""
import math

from cytensor.callbacks.base import Callback
from cytensor.types import Logs
from cytensor.user_warnings import warn

RISING = ("acc", "auc", "precision", "recall", "f1", "score", "similarity")    # in the names of what should rise


class Monitor(Callback):
    """Watches one value of the logs and knows which way is better.

    mode: "min", "max", or "auto", which asks the compiled metric of that name, and where there is none the name:
    a loss or an error should fall, an accuracy, score or similarity should rise.
    """

    def __init__(self, monitor: str = "val_loss", mode: str = "auto", min_delta: float = 0.0) -> None:
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"{type(self).__name__}: mode must be 'auto', 'min' or 'max'; got {mode!r}")
        self.monitor: str = monitor
        self.mode: str = mode
        self.min_delta: float = abs(min_delta)
        self.warned: bool = False

    def current(self, logs: Logs | None) -> float | None:
        """The watched value, or None with one warning where the logs lack it."""
        value = (logs or {}).get(self.monitor)
        if value is None and not self.warned:
            self.warned = True
            warn(f"{type(self).__name__}: the logs have no {self.monitor!r}; known are "
                 f"{', '.join(logs or ())}")
        if isinstance(value, list):
            raise ValueError(f"{type(self).__name__}: {self.monitor!r} must be one number; got {len(value)}")
        return value

    def is_better(self, value: float, best: float | None) -> bool:
        """Whether `value` improves on `best` by more than min_delta; on None every number does."""
        if best is None:
            return not math.isnan(value)
        if self.direction() == "min":
            return value < best - self.min_delta
        return value > best + self.min_delta

    def direction(self) -> str:
        """"min" or "max", whichever is better."""
        if self.mode != "auto":
            return self.mode
        name = self.monitor.removeprefix("val_")
        for metric in getattr(self.model, "metrics", ()):
            direction: str | None = metric.direction
            if metric.name == name and direction is not None:
                return direction
        if "loss" in name or "error" in name:
            return "min"
        if any(word in name.lower() for word in RISING):
            return "max"
        raise ValueError(f"{type(self).__name__}: whether {self.monitor!r} should fall or rise is not known; "
                         f"give mode='min' or mode='max'")
