"""Callbacks that save the model while it trains."""
import os

from cytensor.callbacks.base import Callback
from cytensor.callbacks.monitor import Monitor
from cytensor.checks.arguments import Rule
from cytensor.checks.schema import COUNT, REAL, or_none
from cytensor.printing import say
from cytensor.saving import files
from cytensor.saving.models import describable
from cytensor.types import Logs, Path
from cytensor.user_warnings import warn


def _check_save_freq(name: str, save_freq: str | int) -> None:
    if save_freq != "epoch" and (not isinstance(save_freq, int) or isinstance(save_freq, bool) or save_freq < 1):
        raise ValueError(f"{name}: save_freq must be 'epoch' or a positive int; got {save_freq!r}")


class BackupAndRestore(Callback):
    """Makes `fit` go on after an interruption: the same as `fit(..., resume=path)`, the file removed when fit is done.

    backup_dir: the folder of the file, made where it does not exist. save_freq: "epoch", or a number of batches after
    which the file is written too, also in the middle of an epoch. delete_checkpoint: whether the file goes when
    training ends. double_checkpoint: accepted for Keras's sake; the file is always replaced in one step.
    """
    writes: bool = True
    folder: str
    save_freq: str | int
    delete_checkpoint: bool
    path: str

    def __init__(self, backup_dir: Path, save_freq: str | int = "epoch", double_checkpoint: bool = False,
                 delete_checkpoint: bool = True) -> None:
        _check_save_freq("BackupAndRestore", save_freq)
        if not os.fspath(backup_dir):
            raise ValueError("BackupAndRestore: backup_dir must name a folder; got an empty string")
        self.folder, self.save_freq, self.delete_checkpoint = os.fspath(backup_dir), save_freq, delete_checkpoint
        self.path = os.path.join(self.folder, "latest.safetensors")

    def on_train_begin(self, logs: Logs | None = None) -> None:
        os.makedirs(self.folder, exist_ok=True)

    def on_train_end(self, logs: Logs | None = None) -> None:
        if not self.delete_checkpoint:
            return
        if os.path.exists(self.path):
            os.remove(self.path)
        files.remove_unfinished(self.path)         # of processes that were killed while they wrote
        if not os.listdir(self.folder):
            os.rmdir(self.folder)


class ModelCheckpoint(Monitor):
    """Saves the model, or its weights, after each epoch or every `save_freq` batches.

    filepath: may name values of the logs, as in "m-{epoch:02d}-{val_loss:.2f}.safetensors"; epochs and batches count
    from 1. Its folder is made where it does not exist. save_best_only: only when the watched value improved, and where
    the logs lack it; initial_value_threshold: the value to beat at first.
    """
    writes: bool = True
    state_rules: tuple[tuple[str, Rule], ...] = (("best", or_none(REAL)), ("batches", COUNT))
    filepath: str
    verbose: int
    save_freq: str | int
    save_best_only: bool
    save_weights_only: bool
    epoch: int
    batches: int                       # since the last that saved

    def __init__(self, filepath: Path, monitor: str = "val_loss", verbose: int = 0, save_best_only: bool = False,
                 save_weights_only: bool = False, mode: str = "auto", save_freq: str | int = "epoch",
                 initial_value_threshold: float | None = None) -> None:
        super().__init__(monitor, mode)
        _check_save_freq("ModelCheckpoint", save_freq)
        self.filepath, self.verbose, self.save_freq = os.fspath(filepath), verbose, save_freq
        self.save_best_only, self.save_weights_only = save_best_only, save_weights_only
        self.best = initial_value_threshold
        self.epoch = self.batches = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Say now what would otherwise be found out after an epoch."""
        if "{" not in self.filepath:
            os.makedirs(os.path.dirname(self.filepath) or ".", exist_ok=True)
            files.check_target(self.filepath)
        if self.save_weights_only or not getattr(self.model, "compiled", False):
            return
        _, reason = describable(self.model)
        if reason:
            warn(f"ModelCheckpoint: each '{self.filepath}' {reason}")

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if isinstance(self.save_freq, str):        # "epoch"
            return
        self.batches += getattr(self.model, "steps_per_execution", 1)
        if self.batches >= self.save_freq:
            self.batches = 0
            self.save({"batch": batch + 1, **(logs or {})})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.save_freq == "epoch":
            self.save(logs or {})

    def save(self, logs: Logs) -> None:
        """Write the file now, unless only the best is wanted and this is not it."""
        path = self._path(logs)
        tell = say if self.verbose else lambda text: None
        reason = ""
        if self.save_best_only and (value := self.current(logs)) is not None:
            best = "None" if self.best is None else f"{self.best:.5f}"
            if not self.is_better(value, self.best):
                tell(f"\nEpoch {self.epoch + 1}: {self.monitor} did not improve from {best}")
                return
            reason = f"{self.monitor} improved from {best} to {value:.5f}, "
            self.best = value
        tell(f"\nEpoch {self.epoch + 1}: {reason}saving model to {path}")
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)

    def _path(self, logs: Logs) -> str:
        try:
            return self.filepath.format(**{**logs, "epoch": self.epoch + 1})
        except KeyError as error:
            raise KeyError(f"ModelCheckpoint: filepath names {error}, which the logs lack; known are epoch, "
                           f"{', '.join(logs)}") from None
