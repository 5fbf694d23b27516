"""Callbacks that steer training by what they see: stopping, saving, changing the learning rate."""
import math
import os
import warnings

from cytensor.callbacks.base import Callback


class _Monitor(Callback):
    """Watches one value of the logs and knows which way is better.

    mode: "min", "max", or "auto", which means "max" for names with acc, auc, precision, recall, f1 or similarity.
    """

    def __init__(self, monitor="val_loss", mode="auto", min_delta=0.0):
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"{type(self).__name__}: mode must be 'auto', 'min' or 'max'; got {mode!r}")
        if mode == "auto":
            rising = ("acc", "auc", "precision", "recall", "f1", "similarity")
            mode = "max" if any(word in monitor.lower() for word in rising) else "min"
        self.monitor, self.mode, self.min_delta = monitor, mode, abs(min_delta)
        self.warned = False

    def current(self, logs):
        """The watched value, or None with one warning where the logs lack it."""
        value = (logs or {}).get(self.monitor)
        if value is None and not self.warned:
            self.warned = True
            warnings.warn(f"{type(self).__name__}: the logs have no {self.monitor!r}; known are "
                          f"{', '.join(logs or ())}", stacklevel=2)
        return value

    def is_better(self, value, best):
        if best is None:
            return not math.isnan(value)
        return value < best - self.min_delta if self.mode == "min" else value > best + self.min_delta


class EarlyStopping(_Monitor):
    """Stops training when the watched value has not improved for `patience` epochs.

    baseline: a value to beat from the start. restore_best_weights: end with the weights of the best epoch.
    start_from_epoch: epochs before it are not looked at.
    """

    def __init__(self, monitor="val_loss", min_delta=0, patience=0, verbose=0, mode="auto", baseline=None,
                 restore_best_weights=False, start_from_epoch=0):
        super().__init__(monitor, mode, min_delta)
        self.patience, self.verbose, self.baseline = patience, verbose, baseline
        self.restore_best_weights, self.start_from_epoch = restore_best_weights, start_from_epoch
        self.reset()

    def reset(self):
        self.wait, self.stopped_epoch, self.best, self.best_epoch, self.best_weights = 0, 0, None, 0, None

    def get_state(self):
        return {name: getattr(self, name) for name in ("wait", "stopped_epoch", "best", "best_epoch", "best_weights")}

    def on_train_begin(self, logs=None):
        self.reset()

    def on_epoch_end(self, epoch, logs=None):
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
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        if self.stopped_epoch and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                print(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)


class ReduceLROnPlateau(_Monitor):
    """Multiplies the learning rate by `factor` when the watched value has not improved for `patience` epochs.

    cooldown: epochs to wait after a change. min_lr: the learning rate never falls below it.
    """

    def __init__(self, monitor="val_loss", factor=0.1, patience=10, verbose=0, mode="auto", min_delta=1e-4,
                 cooldown=0, min_lr=0.0):
        super().__init__(monitor, mode, min_delta)
        if not 0 < factor < 1:
            raise ValueError(f"ReduceLROnPlateau: factor must be between 0 and 1; got {factor}")
        self.factor, self.patience, self.verbose = factor, patience, verbose
        self.cooldown, self.min_lr = cooldown, min_lr
        self.reset()

    def reset(self):
        self.wait, self.resting, self.best = 0, 0, None

    def get_state(self):
        return {"wait": self.wait, "resting": self.resting, "best": self.best}

    def on_train_begin(self, logs=None):
        self.reset()

    def on_epoch_end(self, epoch, logs=None):
        optimizer = self.model.optimizer
        if logs is not None:
            logs["learning_rate"] = float(optimizer.learning_rate)
        value = self.current(logs)
        if value is None:
            return
        if self.resting:
            self.resting -= 1
            self.wait = 0
        if self.is_better(value, self.best):
            self.best, self.wait = value, 0
        elif not self.resting:
            self.wait += 1
            if self.wait >= self.patience:
                self.reduce(epoch, optimizer)

    def reduce(self, epoch, optimizer):
        """Lower the learning rate once, and rest."""
        if optimizer.learning_rate > self.min_lr:
            optimizer.learning_rate = max(optimizer.learning_rate * self.factor, self.min_lr)
            if self.verbose:
                print(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {optimizer.learning_rate}.")
            self.resting, self.wait = self.cooldown, 0


class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch to schedule(epoch, learning_rate), or schedule(epoch)."""

    def __init__(self, schedule, verbose=0):
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch, logs=None):
        optimizer = self.model.optimizer
        try:
            value = self.schedule(epoch, optimizer.learning_rate)
        except TypeError:              # a schedule of the epoch alone
            value = self.schedule(epoch)
        optimizer.learning_rate = float(value)
        if self.verbose:
            print(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {optimizer.learning_rate}.")

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


class TerminateOnNaN(Callback):
    """Stops training at the first batch whose loss is NaN or infinite."""

    def on_train_batch_end(self, batch, logs=None):
        loss = (logs or {}).get("loss")
        if loss is not None and not math.isfinite(loss):
            print(f"Batch {batch}: invalid loss, terminating training")
            self.model.stop_training = True


class BackupAndRestore(Callback):
    """Makes `fit` go on after an interruption: the same as `fit(..., resume=path)`, the file removed when fit is done.

    backup_dir: the folder of the file, made where it does not exist.
    """

    def __init__(self, backup_dir, save_freq="epoch", delete_checkpoint=True):
        if save_freq != "epoch":
            raise ValueError(f"BackupAndRestore: save_freq must be 'epoch'; got {save_freq!r}")
        self.folder, self.delete_checkpoint = os.fspath(backup_dir), delete_checkpoint
        self.path = os.path.join(self.folder, "latest.safetensors")

    def on_train_begin(self, logs=None):
        os.makedirs(self.folder, exist_ok=True)

    def on_train_end(self, logs=None):
        if self.delete_checkpoint and os.path.exists(self.path):
            os.remove(self.path)


class ModelCheckpoint(_Monitor):
    """Saves the model, or its weights, after each epoch or every `save_freq` batches.

    filepath: may name values of the logs, as in "m-{epoch:02d}-{val_loss:.2f}.safetensors"; epochs count from 1.
    save_best_only: only when the watched value improved; initial_value_threshold: the value to beat at first.
    """

    def __init__(self, filepath, monitor="val_loss", verbose=0, save_best_only=False, save_weights_only=False,
                 mode="auto", save_freq="epoch", initial_value_threshold=None):
        super().__init__(monitor, mode)
        if save_freq != "epoch" and (not isinstance(save_freq, int) or save_freq < 1):
            raise ValueError(f"ModelCheckpoint: save_freq must be 'epoch' or a positive int; got {save_freq!r}")
        self.filepath, self.verbose, self.save_freq = str(filepath), verbose, save_freq
        self.save_best_only, self.save_weights_only = save_best_only, save_weights_only
        self.best = initial_value_threshold
        self.epoch = self.batches = 0

    def get_state(self):
        return {"best": self.best, "batches": self.batches}

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.save_freq == "epoch":
            return
        self.batches += 1
        if self.batches % self.save_freq == 0:
            self.save(logs, batch)

    def on_epoch_end(self, epoch, logs=None):
        if self.save_freq == "epoch":
            self.save(logs)

    def save(self, logs, batch=None):
        """Write the file now, unless only the best is wanted and this is not it."""
        logs = dict(logs or {})
        if self.save_best_only:
            value = self.current(logs)
            if value is None or not self.is_better(value, self.best):
                return
            self.best = value
        if batch is not None:
            logs["batch"] = batch + 1
        try:
            path = self.filepath.format(**{**logs, "epoch": self.epoch + 1})
        except KeyError as error:
            raise KeyError(f"ModelCheckpoint: filepath names {error}, which the logs lack; known are epoch, "
                           f"{', '.join(logs)}") from None
        if self.verbose:
            print(f"\nEpoch {self.epoch + 1}: saving model to {path}")
        if self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)
