"""CSV and two-dimensional .npy files: numbers in columns and one column of labels; faults are named by line and column.

In CSV a first row of names is told from data by what stands below it. Quotation marks are those of spreadsheets; the
separator is a comma, semicolon, tab or bar, whichever the first line has most of.
"""
import csv
from collections.abc import Sequence
from typing import Any

import numpy as np

from cytensor.checks import arguments
from cytensor.types import Array, Path

LABEL_NAMES = ("label", "labels", "target", "class", "y")       # of the column of labels, where none is named
MISSING = {"", "na", "n/a", "nan", "null", "none", "?", "-"}
SEPARATORS = ",;\t|"


class Columns:
    """A table of numbers: an array (n, columns)."""
    names: list[str] | None = None
    path: str
    cells: Any                         # rows of numbers in an array, or of text in lists

    def __init__(self, path: Path, cells: Any) -> None:
        self.path, self.cells = str(path), cells

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.cells[0])

    def at(self, row: int, column: int) -> str:
        """Where a cell stands, for a message."""
        return f"{self.path}, row {row}, column {column + 1}"

    def label_column(self, label: str | None = None) -> int:
        """The place of the labels: a name, a number from 1 or, from the end, below 0; by default the usual names, or
        the last."""
        folded = [name.lower() for name in self.names or ()]
        if label is None:
            return next((folded.index(name) for name in LABEL_NAMES if name in folded), self.width - 1)
        if self.names and label in self.names:
            return self.names.index(label)
        if label.lstrip("-").isdigit() and 1 <= abs(int(label)) <= self.width:
            return int(label) - 1 if int(label) > 0 else self.width + int(label)
        known = ", ".join(self.names) if self.names else f"1 to {self.width}"
        raise ValueError(f"--label: {self.path} has no column {label!r}; known are {known}"
                         f"{arguments.nearest(label, self.names or ())}")

    def features(self, without: int | None = None) -> Array:
        """The numbers (n, columns), without the column of labels."""
        kept = np.delete(self.cells, without, axis=1) if without is not None else self.cells
        finite = np.isfinite(kept)
        if not finite.all():
            row, column = np.argwhere(~finite)[0]
            raise ValueError(f"{self.at(row, column + (without is not None and column >= without))}: features must be "
                             f"finite numbers; got {kept[row, column]}")
        return np.asarray(kept)

    def labels(self, column: int) -> tuple[Array, list[str] | None]:
        """(labels, what they are called): whole numbers from 0, and None for their own names."""
        return self._whole(self.cells[:, column], column), None

    def _whole(self, values: Array, column: int) -> Array:
        whole = np.isfinite(values) & (values >= 0) & (values == np.floor(values)) & (values < 2**31)
        if not whole.all():
            row = int(np.argmin(whole))
            raise ValueError(f"{self.at(row, column)}: labels must be whole numbers from 0, or words in CSV; got "
                             f"{values[row]}; --label names another column")
        return values.astype(np.int64)


class Table(Columns):
    """A CSV file: rows of text, the line that each ends at, and the names of the columns or None."""

    def __init__(self, path: Path, rows: list[list[str]], lines: list[int], names: list[str] | None) -> None:
        super().__init__(path, rows)
        self.lines = lines
        self.names = names

    def at(self, row: int, column: int) -> str:
        return f"{self.path}, line {self.lines[row]}, " + (f"column '{self.names[column]}'" if self.names else
                                                           f"column {column + 1}")

    def features(self, without: int | None = None) -> Array:
        columns = [column for column in range(self.width) if column != without]
        values: Array | None
        try:
            values = np.array([np.array(row[:without] + row[without + 1:] if without is not None else row, np.float64)
                               for row in self.cells])
        except ValueError:
            values = None
        if values is not None and np.isfinite(values).all():
            return values.astype(np.float32)
        raise self._bad_cell(columns)

    def _bad_cell(self, columns: Sequence[int]) -> ValueError:
        """The error for the first cell that is no finite number."""
        for i, row in enumerate(self.cells):
            for column in columns:
                self._refuse_missing(row[column], i, column, "value")
                if not _is_number(row[column]) or not np.isfinite(float(row[column])):
                    return ValueError(f"{self.at(i, column)}: features must be finite numbers; got {row[column]!r}")
        raise AssertionError("every cell is a finite number")

    def _refuse_missing(self, cell: str, row: int, column: int, what: str) -> None:
        if cell.strip().lower() in MISSING:
            raise ValueError(f"{self.at(row, column)}: the {what} is missing; fill it in, or leave the row out")

    def labels(self, column: int) -> tuple[Array, list[str] | None]:
        """Words are numbered in the order of the alphabet, and their names are returned too."""
        cells = [row[column].strip() for row in self.cells]
        for i, cell in enumerate(cells):
            self._refuse_missing(cell, i, column, "label")
        if not all(map(_is_number, cells)):
            names, places = np.unique(cells, return_inverse=True)
            return places.astype(np.int64), names.tolist()
        return self._whole(np.array(cells, np.float64), column), None


def read(path: Path) -> Table:
    """The Table in a CSV file; ValueError where it is no such text, has no data, or rows of different lengths."""
    try:
        rows, lines = _rows(path)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"cannot read {path} as CSV text in UTF-8: {error}") from None
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(rows[0]):
            raise ValueError(f"{path}, line {line}: rows must have as many values as the first, {len(rows[0])}; "
                             f"got {len(row)}")
    names = None
    if rows and _is_header(rows):
        names, rows, lines = [name.strip() for name in rows[0]], rows[1:], lines[1:]
    if not rows:
        raise ValueError(f"{path}: there must be a row of data; got none")
    if names and not names[0] and len(names) > 1:          # the numbers of the rows, as pandas writes them
        names, rows = names[1:], [row[1:] for row in rows]
    return Table(path, rows, lines, names)


def _rows(path: Path) -> tuple[list[list[str]], list[int]]:
    with open(path, newline="", encoding="utf-8-sig") as file:
        first = file.readline()
        file.seek(0)
        reader = csv.reader(file, delimiter=max(SEPARATORS, key=first.count), skipinitialspace=True)
        found = [(row, reader.line_num) for row in reader if row]
    return [row for row, _ in found], [line for _, line in found]


def _is_header(rows: list[list[str]]) -> bool:
    """Whether the first row has names: nothing but text, or text above a number."""
    first = [_is_number(cell) for cell in rows[0]]
    if len(rows) == 1 or not any(first):
        return not any(first)
    return any(not here and cell.strip() and _is_number(below)
               for here, cell, below in zip(first, rows[0], rows[1], strict=True))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
