"""Rows in the order of an epoch, a window of them in memory, the next one read in the background."""
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np

from cytensor.data.row_sources import ArraySource, TableSource
from cytensor.types import Array

T = TypeVar("T")
BLOCKS = 16                            # of a window, from as many places of the files: what a shuffle mixes


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items, each made on another thread while the one before it is used."""
    with ThreadPoolExecutor(1, "cytensor-read") as pool:
        pending = pool.submit(next, items, None)
        while (item := pending.result()) is not None:
            pending = pool.submit(next, items, None)
            yield item


class Stream:
    """The rows of a source from `first` to `stop`, each once: `take` them in the order of an epoch.

    random: shuffles blocks over the whole stream, then the rows of each window. rows: of a window, at least a block.
    """
    source: ArraySource | TableSource
    random: np.random.Generator

    def __init__(self, source: ArraySource | TableSource, first: int, stop: int, rows: int,
                 random: np.random.Generator) -> None:
        self.source, self.random = source, random
        self._blocks = _blocks(source, first, stop, max(1, rows // BLOCKS))
        self._windows = ahead(self._read(max(1, rows)))
        self._window: list[Array] = []
        self._order: Array = np.empty(0, np.int64)
        self._at = 0

    def _read(self, rows: int) -> Iterator[tuple[list[Array], Array]]:
        """(the parts of each window, the order of its rows)."""
        order, waiting = self.random.permutation(len(self._blocks)), []
        size = 0
        lengths = [self._blocks[number][1] - self._blocks[number][0] for number in order]
        for number, following in zip(order, [*lengths[1:], rows], strict=False):       # the last always ends a window
            start, stop = self._blocks[number]
            waiting.append(self.source.read(start, stop))
            size += stop - start
            if size + following > rows:
                parts = [np.concatenate(one) if len(one) > 1 else one[0] for one in zip(*waiting, strict=True)]
                waiting = []
                yield parts, self.random.permutation(size)
                size = 0

    def take(self, count: int) -> list[Array]:
        """The next `count` rows of each part; there must be as many."""
        pieces = []
        while count:
            if self._at == len(self._order):
                self._window = []                      # before the next one comes
                self._window, self._order = next(self._windows)
                self._at = 0
            rows = self._order[self._at:self._at + count]
            pieces.append([np.take(part, rows, axis=0) for part in self._window])
            self._at += len(rows)
            count -= len(rows)
        return [np.concatenate(parts) if len(parts) > 1 else parts[0] for parts in zip(*pieces, strict=True)]

    def close(self) -> None:
        """Let the reading thread end."""
        close: Any = getattr(self._windows, "close", None)
        close()


def _blocks(source: ArraySource | TableSource, first: int, stop: int, rows: int) -> list[tuple[int, int]]:
    """(first row, row behind the last) of each block between two rows."""
    if source.block_edges is None:
        edges = list(range(first, stop, rows))
    else:
        edges = [first, *(edge for edge in source.block_edges if first < edge < stop)]
    return [(start, end) for start, end in zip(edges, [*edges[1:], stop], strict=True) if end > start]
