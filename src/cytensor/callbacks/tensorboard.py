"""TensorBoard: the logs of training as event files, which the program of that name shows. Needs no TensorFlow.

The folders, tags and steps are those that Keras writes, so that runs of both can be compared in one window.
"""
import itertools
import os
import socket
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cytensor.callbacks.base import Callback
from cytensor.checks.arguments import Rule
from cytensor.checks.schema import COUNT
from cytensor.layers.naming import named_weights
from cytensor.types import Array, Logs, Path

if TYPE_CHECKING:
    from types import SimpleNamespace

_numbers = itertools.count()           # tells apart the files that one process opens within a second


class TensorBoard(Callback):
    """Writes losses and metrics for TensorBoard, into `log_dir`/train and `log_dir`/validation.

    update_freq: "epoch", or "batch" or a number of batches after which the values of the batch are written too.
    histogram_freq: every how many epochs to write histograms of the weights; 0 for never. write_steps_per_second: also
    the speed. write_graph is accepted and changes nothing: there is no graph. Images of weights, embeddings and
    profiles are not written; asking for them is a ValueError. ImportError without the package tensorboard.

    Written: epoch_loss and so on over the epochs (and epoch_learning_rate), batch_loss and so on over the batches,
    evaluation_loss_vs_iterations and so on over the optimizer's steps. Values of epochs and evaluations are always
    written; Keras leaves them out where the number of batches is no multiple of `update_freq`.
    """
    writes: bool = True
    state_rules: tuple[tuple[str, Rule], ...] = (("batch", COUNT),)
    log_dir: str
    histogram_freq: int
    update_freq: str | int
    batch: int
    training: bool
    batch_start: float
    epoch_start: float
    steps_before: int

    def __init__(self, log_dir: Path = "logs", histogram_freq: int = 0, write_graph: bool = True,
                 write_images: bool = False, write_steps_per_second: bool = False, update_freq: str | int = "epoch",
                 profile_batch: int | Sequence[int] = 0, embeddings_freq: int = 0,
                 embeddings_metadata: Any = None) -> None:
        refused = {"write_images": write_images, "profile_batch": profile_batch, "embeddings_freq": embeddings_freq,
                   "embeddings_metadata": embeddings_metadata}
        for name, value in refused.items():
            if value:
                raise ValueError(f"TensorBoard: {name} is not supported, only scalars and histograms are; "
                                 f"got {value!r}")
        whole = isinstance(update_freq, int) and not isinstance(update_freq, bool) and update_freq > 0
        if update_freq not in ("epoch", "batch") and not whole:
            raise ValueError(f"TensorBoard: update_freq must be 'epoch', 'batch' or a positive int; "
                             f"got {update_freq!r}")
        _load_tensorboard()
        self.log_dir, self.histogram_freq = os.fspath(log_dir), histogram_freq
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self.write_steps_per_second = write_steps_per_second
        self.files: dict[str, EventFile] = {}      # "train" or "validation" -> EventFile
        self.batch = 0                 # batches of this fit
        self.training = False
        self.batch_start = self.epoch_start = 0.0
        self.steps_before = 0

    # -- training -----------------------------------------------------------------------------------------------------
    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.batch, self.training = 0, True

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch_start, self.steps_before = time.perf_counter(), self.model.optimizer.iterations

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self.batch_start = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.batch += 1
        if isinstance(self.update_freq, str) or self.batch % self.update_freq:         # "epoch", or not yet
            return
        values = dict(logs or {})
        if self.write_steps_per_second:
            values["steps_per_second"] = 1.0 / max(time.perf_counter() - self.batch_start, 1e-9)
        self._write("train", "batch_{}", values, self.batch)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = logs or {}
        values = {name: value for name, value in logs.items() if not name.startswith("val_")}
        optimizer = self.model.optimizer
        values["learning_rate"] = float(optimizer.learning_rate)
        if self.write_steps_per_second:
            elapsed = max(time.perf_counter() - self.epoch_start, 1e-9)
            values["steps_per_second"] = (optimizer.iterations - self.steps_before) / elapsed
        self._write("train", "epoch_{}", values, epoch)
        seen = {name.removeprefix("val_"): value for name, value in logs.items() if name.startswith("val_")}
        if seen:
            self._write("validation", "epoch_{}", seen, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            for path, variable in named_weights(self.model):
                self._file("train").histogram(f"{self.model.name}/{path}/histogram", variable.numpy(), epoch)
        for file in self.files.values():
            file.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        self.training = False
        self._close()

    # -- evaluation ---------------------------------------------------------------------------------------------------
    def on_test_end(self, logs: Logs | None = None) -> None:
        self._write("validation", "evaluation_{}_vs_iterations", logs or {}, self.model.optimizer.iterations)
        if not self.training:
            self._close()

    # -- files --------------------------------------------------------------------------------------------------------
    def _write(self, part: str, tag: str, values: Logs, step: int) -> None:
        """Write scalars; those of a metric with several values are numbered."""
        for name, value in values.items():
            if isinstance(value, (list, tuple)):
                for i, item in enumerate(value):
                    self._file(part).scalar(tag.format(f"{name}_{i}"), item, step)
            else:
                self._file(part).scalar(tag.format(name), value, step)

    def _file(self, part: str) -> "EventFile":
        if part not in self.files:
            self.files[part] = EventFile(os.path.join(self.log_dir, part))
        return self.files[part]

    def _close(self) -> None:
        for file in self.files.values():
            file.close()
        self.files = {}


class EventFile:
    """A new file of events in a folder, which is made where it does not exist."""
    tensorboard: "SimpleNamespace"

    def __init__(self, folder: str) -> None:
        self.tensorboard = _load_tensorboard()
        os.makedirs(folder, exist_ok=True)
        now = time.time()
        name = f"events.out.tfevents.{int(now):010d}.{socket.gethostname()}.{os.getpid()}.{next(_numbers)}.v2"
        self.records: Any = self.tensorboard.RecordWriter(open(os.path.join(folder, name), "wb"))  # noqa: SIM115 - by close
        self._add(wall_time=now, file_version="brain.Event:2")

    def _add(self, **fields: Any) -> None:
        self.records.write(self.tensorboard.Event(**fields).SerializeToString())

    def scalar(self, tag: str, value: float, step: int) -> None:
        """Write a number."""
        self._add(wall_time=time.time(), step=step, summary=self.tensorboard.scalar_pb(tag, float(value)))

    def histogram(self, tag: str, values: Array, step: int) -> None:
        """Write how the values of an array are distributed."""
        self._add(wall_time=time.time(), step=step, summary=self.tensorboard.histogram_pb(tag, values))

    def flush(self) -> None:
        """Let what is written be seen by others."""
        self.records.flush()

    def close(self) -> None:
        """Write what is left."""
        self.records.close()


def _load_tensorboard() -> "SimpleNamespace":
    """What is used of the package, as attributes. None of it loads TensorFlow, even where that is installed."""
    try:
        from types import SimpleNamespace

        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.plugins.histogram.summary_v2 import histogram_pb
        from tensorboard.plugins.scalar.summary_v2 import scalar_pb
        from tensorboard.summary.writer.record_writer import RecordWriter
    except ImportError as error:
        raise ImportError('TensorBoard: writing its logs needs the package tensorboard, which is not installed; '
                          'install it with: pip install "cytensor[tensorboard]"') from error
    return SimpleNamespace(Event=Event, RecordWriter=RecordWriter, scalar_pb=scalar_pb, histogram_pb=histogram_pb)
