"""Callbacks that write the logs somewhere."""
import csv
import os

from cytensor.callbacks.base import Callback
from cytensor.checks.arguments import TEXT
from cytensor.checks.schema import COUNT, list_of, or_none


class CSVLogger(Callback):
    """Writes a line of values for each epoch to a CSV file; `append` goes on with an existing one.

    The columns are those of the first epoch, sorted, and for later validation the same with "val_"; "NA" where a value
    is missing. Resumed training goes on behind the epoch that it continues from.
    """
    state_rules = (("columns", or_none(list_of(TEXT, "strings"))), ("written", or_none(COUNT)))

    def __init__(self, filename, separator=",", append=False):
        self.filename, self.separator, self.append = os.fspath(filename), separator, append
        self.columns = None
        self.written = None            # bytes that belong to this run and what it continues

    def check_state(self, state, key):
        super().check_state(state, key)
        size = os.path.getsize(self.filename) if os.path.exists(self.filename) else 0
        if (state["written"] or 0) > size:         # the file would be filled up to there
            raise ValueError(f"{key}.written must be at most the {size} bytes of '{self.filename}'; "
                             f"got {state['written']}")

    def on_train_begin(self, logs=None):
        self.columns = self.written = None
        with self._open():             # a path that cannot be written is an error at once
            pass

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        if self.written is None:
            self.written = os.path.getsize(self.filename) if self.append else 0
        with self._open() as file:
            file.truncate(self.written)            # what an interrupted run wrote after its checkpoint goes
            writer = csv.writer(file, delimiter=self.separator)
            if self.columns is None:
                self.columns = sorted(logs)
                if not any(name.startswith("val_") for name in logs):
                    self.columns += [f"val_{name}" for name in self.columns]
                if self.written == 0:
                    writer.writerow(["epoch", *self.columns])
            writer.writerow([epoch, *(_cell(logs.get(name, "NA")) for name in self.columns)])
        self.written = os.path.getsize(self.filename)

    def _open(self):
        return open(self.filename, "a", newline="", encoding="utf-8")


def _cell(value):
    """A list in brackets and quotation marks, as Keras writes it; anything else as it is."""
    return f'"[{", ".join(map(str, value))}]"' if isinstance(value, (list, tuple)) else value
