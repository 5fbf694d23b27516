"""Callbacks that write the logs somewhere."""
import csv
import os

from cytensor.callbacks.base import Callback


class CSVLogger(Callback):
    """Writes a line of values for each epoch to a CSV file; `append` goes on with an existing one."""

    def __init__(self, filename, separator=",", append=False):
        self.filename, self.separator, self.append = os.fspath(filename), separator, append
        self.file = self.writer = None

    def on_train_begin(self, logs=None):
        self.writer = None
        self.has_header = self.append and os.path.exists(self.filename) and os.path.getsize(self.filename) > 0
        mode = "a" if self.append else "w"
        self.file = open(self.filename, mode, newline="", encoding="utf-8")  # noqa: SIM115 - open until training ends

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        if self.writer is None:
            self.writer = csv.DictWriter(self.file, ["epoch", *logs], delimiter=self.separator, restval="NA",
                                         extrasaction="ignore")
            if not self.has_header:
                self.writer.writeheader()
        self.writer.writerow({"epoch": epoch, **logs})
        self.file.flush()

    def on_train_end(self, logs=None):
        self.file.close()
        self.file = self.writer = None
