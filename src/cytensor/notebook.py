"""What notebooks show of tensors, models and training: HTML for `_repr_html_`, and a bar that is drawn anew in place.

Colours and the look of tables are left to the notebook's theme. Imports nothing of the package, and IPython only where
it runs already.
"""
import contextlib
import sys
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from cytensor.types import Array

ROWS, COLUMNS = 12, 12             # of a table of values; what is in the middle of longer axes is left out
LEFT_OUT = "…"


def is_notebook() -> bool:
    """Whether this runs in the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return type(shell).__name__ == "ZMQInteractiveShell"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """A table of texts; the columns numbered in `right` stand at the right."""
    def cells(texts: Sequence[str], tag: str) -> str:
        return "".join(f'<{tag} style="text-align: {"right" if place in right else "left"}">{escape(text)}</{tag}>'
                       for place, text in enumerate(texts))

    top = f"<thead><tr>{cells(head, 'th')}</tr></thead>" if head else ""
    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    return f"<table>{top}<tbody>{body}</tbody></table>"


def values_table(values: Array, title: str, text: str) -> str:
    """A title, and the values of an array as a table: one row for a vector; `text` for more axes than two."""
    head = f"<div><code>{escape(title)}</code></div>"
    if not 0 < values.ndim < 3 or not values.size:
        return f"{head}<pre>{escape(text)}</pre>"
    rows = values[None] if values.ndim == 1 else values
    places = [_ends(length, most) for length, most in zip(rows.shape, (ROWS, COLUMNS), strict=True)]
    shown = rows[np.ix_(*(kept for kept, _ in places))]
    texts = np.array(_texts(shown), object).reshape(shown.shape).tolist()
    (_, row_gap), (_, column_gap) = places
    if column_gap:
        texts = [[*row[:column_gap], LEFT_OUT, *row[column_gap:]] for row in texts]
    if row_gap:
        texts.insert(row_gap, [LEFT_OUT] * len(texts[0]))
    return head + table((), texts, right=range(len(texts[0])))


def _ends(length: int, most: int) -> tuple[list[int], int]:
    """(the places of an axis that are shown, after how many of them some are left out): all, or those at both ends."""
    if length <= most:
        return list(range(length)), 0
    half = most // 2
    return [*range(half), *range(length - half, length)], half


def _texts(values: Array) -> list[str]:
    """Each value as NumPy prints it among the others."""
    if values.dtype.kind not in "biufc":
        return [str(value) for value in values.ravel()]
    text = np.array2string(values.ravel(), separator="\n", threshold=values.size + 1, max_line_width=sys.maxsize)
    return [line.strip() for line in text[1:-1].split("\n")]


class Bar:
    """A line of text behind a bar, which `refresh` draws in place; the same words as tqdm's, with which it is drawn."""
    total: int | None
    n: int = 0
    count: str = ""
    state: str = ""
    finished: bool = False
    bar_format: str = ""
    ncols: int | None = None

    def __init__(self, total: int | None, display: Any) -> None:
        self.total, self._display, self._handle = total, display, None

    def _repr_html_(self) -> str:
        share = f' value="{self.n}" max="{self.total}"' if self.total else ""
        drawn = f'<progress{share} aria-label="progress"></progress> ' if self.total else ""
        return f'<div style="font-family: monospace">{drawn}{escape(self.count)} {escape(self.state)}</div>'

    def __repr__(self) -> str:
        return f"{self.count} {self.state}"

    def refresh(self) -> None:
        """Show the present state where the last one was shown."""
        if self.finished:
            return
        with contextlib.suppress(OSError, ValueError):
            if self._handle is None:
                self._handle = self._display(self, display_id=True)
            else:
                self._handle.update(self)

    def close(self) -> None:
        """Nothing: what was shown last stays."""


def bar(total: int | None) -> Bar | None:
    """A bar for the notebook that runs this; None where there is none."""
    if not is_notebook():
        return None
    try:
        from IPython.display import display
    except ImportError:
        return None
    return Bar(total, display)
