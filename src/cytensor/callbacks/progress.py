"""The progress bar of `fit`, `evaluate` and `predict`, in Keras's form, drawn by tqdm; in a notebook by notebook.py.

On a terminal a line that is redrawn at most ten times a second, cut where the terminal ends, and
shown in full when it is done; anywhere else one plain line an epoch, also where a bar was asked for. Colour only on a
terminal, and never where NO_COLOR is set.
"""
import contextlib
import functools
import math
import os
import shutil
import sys
import time
from collections.abc import Iterable
from typing import Any, TextIO

from cytensor import notebook
from cytensor.callbacks.base import Callback
from cytensor.checks import arguments
from cytensor.data.batch_size import BATCH
from cytensor.parallel import is_follower
from cytensor.printing import can_show, printable, say
from cytensor.types import Logs

INTERVAL = 0.1           # seconds between redraws


def resolve_verbose(verbose: int | str, file: Any = None) -> int:
    """0 (silent), 1 (bar) or 2 (one line an epoch) for the argument `verbose` of fit; "auto" looks at the output.

    Of several processes only the first shows progress.
    """
    if is_follower():
        return 0
    if verbose == "auto":
        return 1 if _redraws(file or sys.stdout) else 2
    return int(verbose)


def _redraws(file: Any) -> bool:
    """Whether a line that was printed can be drawn over."""
    return _is_terminal(file) or notebook.is_notebook()


def _is_terminal(file: Any) -> bool:
    try:
        return bool(file.isatty())
    except (AttributeError, ValueError):
        return False


def format_logs(logs: Logs) -> str:
    """` - accuracy: 0.9885 - loss: 0.0390`."""
    return "".join(f" - {name}: {format_value(value)}" for name, value in logs.items())


def format_value(value: Any) -> str:
    """Four digits, in scientific notation where four decimals would hide them."""
    if isinstance(value, list):
        return "[" + ", ".join(map(format_value, value)) + "]"
    return f"{value:.4f}" if value == 0 or abs(value) > 1e-3 or value != value else f"{value:.4e}"


def format_clock(seconds: float) -> str:
    """`3s`, `1:05` or `2:00:07`."""
    seconds = int(seconds)
    if seconds < 60:
        return f"{seconds}s"
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def format_pace(pace: float, unit: str = "step") -> str:
    """`2ms/step` for seconds a step; seconds or microseconds where those fit better."""
    if pace >= 1 or pace == 0:
        return f"{pace:.0f}s/{unit}"
    return f"{pace * 1e3:.0f}ms/{unit}" if pace >= 1e-3 else f"{pace * 1e6:.0f}us/{unit}"


@functools.cache
def _bar_class() -> Any:
    """The tqdm class with Keras's fields; made on first use so that importing this module stays cheap."""
    from tqdm import tqdm  # type: ignore[import-untyped]

    class Bar(tqdm):
        monitor_interval = 0           # no thread: the batches themselves redraw
        count = state = ""             # what stands before and behind the bar
        finished = False

        def display(self, *args: Any, **options: Any) -> None:
            if not self.finished:                  # close would draw once more
                try:
                    super().display(*args, **options)
                except (OSError, ValueError):      # nobody reads any longer, or the output is closed
                    self.finished = True

        @property
        def format_dict(self) -> dict[str, Any]:
            return {**super().format_dict, "count": self.count, "state": self.state}

    return Bar


_bars: list[Any] = []    # those that are being drawn, from the outermost run to the innermost
WITH_BAR, WITHOUT_BAR = "{{count}} {{bar:{width}}} {{state}}", "{count} {state}"


def _open_bar(total: int | None, file: Any, width: int) -> Any:
    drawn = notebook.bar(total) if file is sys.stdout else None
    if drawn is not None:
        return drawn
    size = shutil.get_terminal_size((120, 24))                   # also where a terminal says that it has none
    return _bar_class()(total=total, file=file, ncols=size.columns, nrows=size.lines, mininterval=0, leave=True,
                        ascii="─━" if can_show("─━", file) else "-=", colour="green" if _wants_colour(file) else None,
                        bar_format=WITH_BAR.format(width=width) if total else WITHOUT_BAR,
                        delay=1e-9, position=0)                  # drawn by us, and never below another


def _wants_colour(file: Any) -> bool:
    """Whether to colour: on terminals that can, unless NO_COLOR (https://no-color.org) is set to anything."""
    return _is_terminal(file) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class Progress(Callback):
    """The callback that `fit`, `evaluate` and `predict` add for verbose 1 and 2."""
    writes: bool = True
    width: int = 20
    interval: float = INTERVAL
    unit: str = "step"
    is_run = True                      # whether it is closed for certain
    in_lines = False                   # where no bar can be drawn, whether a line is printed each time in its place
    bar: Any                           # tqdm's, which has no types; None where none is open
    epochs: int | None
    file: TextIO
    verbose: int
    started: float
    due: float
    done: int

    def __init__(self, verbose: int, steps: int | None = None, epochs: int | None = None, file: Any = None) -> None:
        self.steps, self.epochs = steps, epochs
        self.file = file or sys.stdout
        self.verbose = 2 if verbose == 1 and not _redraws(self.file) else verbose    # a bar in a file is unreadable
        self.bar = None
        self.started = self.due = 0.0  # the times of the start and of the next redraw
        self.done = 0
        self.first: tuple[float, int] | None = None              # (time, steps done) at the end of the first step

    # -- one run over the batches -------------------------------------------------------------------------------------
    def begin(self) -> None:
        """Start counting batches."""
        self.started, self.done, self.due, self.first = time.perf_counter(), 0, 0.0, None
        if self.verbose == 1:
            if _bars and _bars[-1].count:          # a run that a callback of another began has a line of its own
                say("", self.file)
            self.bar = _open_bar(self.steps, self.file, self.width)
            if self.is_run:
                _bars.append(self.bar)

    def step(self, batch: int, logs: Logs | None) -> None:
        """Count a batch; redraw if the last time is long enough ago."""
        now = time.perf_counter()
        done = batch + 1 if self.steps is None else min(batch + 1, self.steps)   # an execution's number may lie beyond
        if self.is_due(done, now):
            self.draw(dict(sorted((logs or {}).items())), now)

    def is_due(self, done: int, now: float) -> bool:
        """Note how many steps are done; whether the last drawing is long enough ago for the next."""
        self.done = done
        self.first = self.first or (now, done)
        if (self.bar is None and not self.in_lines) or now < self.due:
            return False
        self.due = now + self.interval
        return True

    def pace(self, now: float) -> float:
        """Seconds a step; the first one, which also warms up, counts only while there is no other."""
        since, before = self.first or (self.started, 0)
        if self.done == before:
            since, before = self.started, 0
        return (now - since) / (self.done - before) if self.done else 0.0

    def draw(self, logs: Logs | None, now: float) -> None:
        """Show the present state, with the time that is left, or where that is not known, that has passed."""
        pace = self.pace(now)
        digits = len(str(self.steps or ""))
        count = f"{self.done:{digits}}/{self.steps}" if self.steps else f"{self.done:7}/Unknown"
        clock = pace * (self.steps - self.done) if self.steps and self.steps > self.done else now - self.started
        state = f"{format_clock(clock)} {format_pace(pace, self.unit)}{format_logs(logs or {})}"
        if self.bar is None:
            say(f"{count.strip()} - {state}", self.file)
            return
        self.bar.n, self.bar.count, self.bar.state = self.done, count, printable(state, self.file)
        self.bar.refresh()

    def end(self, logs: Logs | None, title: str = "") -> None:
        """Show the final state and leave the line."""
        now = time.perf_counter()
        self.steps = self.done
        if self.bar is not None:
            self.bar.total = self.done
            self.bar.bar_format = WITH_BAR.format(width=self.width)
            self.bar.ncols = None                                # in full, over several lines if need be
            self.draw(logs, now)
            self.close()
        elif self.verbose == 2:
            say(f"{title}{self.done}/{self.done} - {format_clock(now - self.started)} - "
                f"{format_pace(self.pace(now), self.unit)}{format_logs(logs or {})}", self.file)

    def close(self) -> None:
        """Leave the terminal in order, also after an exception."""
        if self.bar is not None:
            bar, self.bar = self.bar, None
            _bars[:] = [other for other in _bars if other is not bar]          # to tqdm all bars are equal
            bar.finished = True
            with contextlib.suppress(OSError, ValueError):
                bar.close()
                self.file.flush()


class TrainProgress(Progress):
    """Progress of `fit`: a line for each epoch, its validation at the end of the same line."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        if self.verbose == 1 and (self.epochs or 1) > 1:
            say(f"Epoch {epoch + 1}/{self.epochs}", self.file)
        self.begin()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.step(batch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.end(logs, f"Epoch {epoch + 1}/{self.epochs} - ")


class EvaluateProgress(Progress):
    """Progress of `evaluate`."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        self.begin()

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.step(batch, logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        self.end(logs)


class PredictProgress(Progress):
    """Progress of `predict`; without values. Where batches are computed together, those of the default size count."""

    def __init__(self, verbose: int, steps: int | None, samples: int | None = None, file: Any = None) -> None:
        super().__init__(verbose, steps if samples is None else math.ceil(samples / BATCH), file=file)
        self.together = self.steps / steps if steps and self.steps else 1

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self.begin()

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.step(round((batch + 1) * self.together) - 1, None)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self.end(None)


class Progbar:
    """A bar for loops of one's own; `keras.utils.Progbar`.

    target: the number of steps, None where it is not known. width: of the bar in characters. verbose: 0 silent, 1 a
    bar, 2 one line at the end. interval: the least seconds between redraws, each of which is a line where the output is
    no terminal. Values are averaged over the steps but for
    those named in stateful_metrics; with stateless_metrics those named there alone are. unit_name: of a step.

    >>> bar = Progbar(3, verbose=0)
    >>> for loss in (4., 2., 3.):
    ...     bar.add(1, values=[("loss", loss)])
    """
    target: int | None
    width: int
    verbose: int
    interval: float
    stateful_metrics: set[str]
    stateless_metrics: set[str] | None

    def __init__(self, target: int | None, width: int = 20, verbose: int = 1, interval: float = 0.05,
                 stateful_metrics: Iterable[str] | None = None, stateless_metrics: Iterable[str] | None = None,
                 unit_name: str = "step") -> None:
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(f"Progbar: give either stateful_metrics or stateless_metrics; got {stateful_metrics} and "
                             f"{stateless_metrics}")
        if target is not None:
            arguments.check_value("Progbar", "target", target)
        self.target, self.width, self.verbose, self.interval = target, width, verbose, interval
        self.unit_name = unit_name
        self.stateful_metrics = set(stateful_metrics or ())
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self._seen = 0
        self._sums: dict[str, tuple[float, int]] = {}                # name -> (sum of the values, of how many steps)
        self._progress = Progress(verbose, target)
        self._progress.width, self._progress.interval, self._progress.unit = width, interval, unit_name
        self._progress.in_lines, self._progress.is_run = verbose == 1, False
        self._progress.begin()

    def update(self, current: int, values: Iterable[tuple[str, float]] | None = None,
               finalize: bool | None = None) -> None:
        """Say that `current` steps are done, with pairs (name, value) of the last; `finalize` ends the bar.

        finalize: by default where `current` reaches the target. The last values are shown as they are, as in Keras.
        """
        ends = finalize if finalize is not None else self.target is not None and current >= self.target
        for name, value in values or ():
            steps = 1 if ends or self._is_stateful(name) else max(current - self._seen, 1)
            total, count = (0.0, 0) if ends or self._is_stateful(name) else self._sums.get(name, (0.0, 0))
            self._sums[name] = (total + float(value) * steps, count + steps)
        self._seen = current
        shown = {name: total / count for name, (total, count) in self._sums.items()}
        now = time.perf_counter()
        is_due = self._progress.is_due(current, now)
        if ends:
            self._progress.end(shown)
        elif is_due:
            self._progress.draw(shown, now)

    def add(self, n: int, values: Iterable[tuple[str, float]] | None = None) -> None:
        """Say that `n` more steps are done."""
        self.update(self._seen + n, values)

    def _is_stateful(self, name: str) -> bool:
        return name in self.stateful_metrics if self.stateless_metrics is None else name not in self.stateless_metrics
