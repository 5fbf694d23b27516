"""Callbacks that write the logs somewhere."""
import csv
import io
import os
from typing import Any, TextIO

from cytensor.callbacks.base import Callback
from cytensor.checks.arguments import TEXT, Rule
from cytensor.checks.schema import COUNT, list_of, or_none
from cytensor.saving.files import write_bytes
from cytensor.types import Logs, Path


class CSVLogger(Callback):
    """Writes a line of values for each epoch to a CSV file; `append` goes on with an existing one.

    The columns are those of the file that is appended to, or the sorted names of the first epoch's logs. Names that
    come later, such as those of a validation that is not of every epoch, become columns behind them; "NA" stands where
    a value is missing. Resumed training goes on behind the epoch that it continues from.
    """
    writes: bool = True
    state_rules: tuple[tuple[str, Rule], ...] = (
        ("columns", or_none(list_of(TEXT, "strings"))), ("rows", or_none(COUNT)))
    filename: str
    separator: str
    append: bool

    def __init__(self, filename: Path, separator: str = ",", append: bool = False) -> None:
        self.filename, self.separator, self.append = os.fspath(filename), separator, append
        self.columns: list[str] | None = None      # without "epoch"
        self.rows: int | None = None               # of this run and what it continues, the titles among them
        self.size: int | None = None               # bytes of the file as this run has left it

    def check_state(self, state: dict[str, Any], key: str) -> None:
        super().check_state(state, key)
        count = len(self._read())
        if (state["rows"] or 0) > count:           # those between would be missing
            raise ValueError(f"{key}.rows must be at most the {count} rows of '{self.filename}'; got {state['rows']}")

    def set_state(self, state: dict[str, Any]) -> None:
        super().set_state(state)
        self.size = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.columns = self.rows = self.size = None
        with self._open():             # a path that cannot be written is an error at once
            pass

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = logs or {}
        before = None if self.size == self._size() else self._read()
        if self.columns is None or self.rows is None:
            before = before if before and self.append else []
            self.columns = before[0][1:] if _is_titled(before) else sorted(logs) if before else []
            self.rows = len(before)
        added = sorted(logs.keys() - set(self.columns))
        if added or before is not None:
            self._rewrite(self._read() if before is None else before, self.columns, added)
        with self._open() as file:
            self._writer(file).writerow([epoch, *(_cell(logs.get(name, "NA")) for name in self.columns)])
        self.rows, self.size = self.rows + 1, self._size()

    def _rewrite(self, before: list[list[str]], columns: list[str], added: list[str]) -> None:
        """Let the file have the rows of this run, with columns for what is added. What an interrupted run wrote after
        its checkpoint goes, rows and columns.
        """
        rows, width = before[:self.rows], len(columns) + 1
        self.columns = [*columns, *added]
        if not rows or _is_titled(rows):
            rows = [["epoch", *self.columns], *([*row[:width], *["NA"] * len(added)] for row in rows[1:])]
        self.rows = len(rows)
        text = io.StringIO(newline="")
        self._writer(text).writerows(rows)
        if rows != before:
            write_bytes(self.filename, text.getvalue().encode())

    def _read(self) -> list[list[str]]:
        if not os.path.exists(self.filename):
            return []
        with open(self.filename, newline="", encoding="utf-8") as file:
            return list(csv.reader(file, delimiter=self.separator))

    def _open(self) -> TextIO:
        return open(self.filename, "a", newline="", encoding="utf-8")

    def _writer(self, file: TextIO) -> Any:
        return csv.writer(file, delimiter=self.separator)

    def _size(self) -> int:
        return os.path.getsize(self.filename)


def _is_titled(rows: list[list[str]]) -> bool:
    return rows[:1] != [] and rows[0][:1] == ["epoch"]


def _cell(value: Any) -> Any:
    """A list in brackets and quotation marks, as Keras writes it; anything else as it is."""
    return f'"[{", ".join(map(str, value))}]"' if isinstance(value, (list, tuple)) else value
