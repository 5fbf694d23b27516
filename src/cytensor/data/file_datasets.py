"""Data sets that lie in files and need not fit into memory: what `fit`, `evaluate` and `predict` read batches of.

    array_files.py   .npy, memory-mapped arrays and safetensors
    table_files.py   Parquet and Arrow
    row_sources.py   many files as the rows of one
    windows.py       the order of an epoch, and reading ahead
"""
import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from cytensor import random
from cytensor.data.cutting import Cut
from cytensor.data.row_sources import ArraySource, TableSource, source_of
from cytensor.data.windows import Stream, ahead
from cytensor.parallel import Part
from cytensor.types import Array

UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
# Of the limit, a window is this part: one is used, the next is read, its blocks and then they joined; and the batch.
SHARE = 4


class FileDataset:
    """What `dataset_from_files` gives: batches of rows in files, for any number of epochs.

    `len(dataset)` is the number of batches of an epoch, `rows` that of the rows, `window_rows` how many a shuffle mixes
    at once.
    """
    source: ArraySource | TableSource
    rows: int
    batch_size: int
    shuffle: bool
    window_rows: int
    seed: int | None
    epoch: int

    def __init__(self, source: ArraySource | TableSource, batch_size: int, shuffle: bool, seed: int | None,
                 memory_limit: int) -> None:
        self.source, self.rows = source, source.rows
        self.batch_size, self.shuffle, self.seed = batch_size, shuffle, seed
        self.epoch = 0
        self.window_rows = memory_limit // SHARE // max(1, source.row_bytes)
        edges = source.block_edges
        longest = max((stop - start for start, stop in itertools.pairwise(edges)), default=1) if edges else 1
        least = SHARE * source.row_bytes * max(longest, batch_size)
        if memory_limit < least:
            raise ValueError(f"dataset_from_files: memory_limit must be at least {least} bytes for batches of "
                             f"{batch_size} rows of {source.row_bytes} bytes, and groups of up to {longest} rows that "
                             f"are read as a whole; got {memory_limit}")

    def __repr__(self) -> str:
        return f"<FileDataset of {self.rows} rows, {len(self)} batches of {self.batch_size}>"

    def __len__(self) -> int:
        return -(-self.rows // self.batch_size)

    def set_epoch(self, epoch: int) -> None:
        """Let the next pass have the order of this epoch; `fit` calls it, so that resumed training meets the same."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[Any]:
        """The batches of an epoch: (x,), (x, y) or (x, y, sample_weight), NumPy arrays."""
        for parts in self.read(Cut(0, 1, 1)):
            yield parts[0][1]

    def read(self, cut: Cut) -> Iterator[list[tuple[Part, Any]]]:
        """The batches of an epoch as one rank's parts of them: it reads no other rows.

        Shuffled, each shard goes through rows of its own, so that what it reads depends on the number of shards alone.
        """
        if self.shuffle and self.batch_size < cut.shards:
            raise ValueError(f"dataset_from_files: batch_size must be at least the number of shards, {cut.shards}, so "
                             f"that each has rows; got {self.batch_size}")
        yield from self._shuffled(cut) if self.shuffle else ahead(self._in_order(cut))

    def _totals(self) -> list[int]:
        """The number of rows of each batch."""
        full, rest = divmod(self.rows, self.batch_size)
        return [self.batch_size] * full + [rest] * (rest > 0)

    def _shuffled(self, cut: Cut) -> Iterator[list[tuple[Part, Any]]]:
        full, rest = divmod(self.rows, self.batch_size)
        lengths = [full * one + other for one, other in zip(cut.counts(self.batch_size), cut.counts(rest), strict=True)]
        edges = [0, *np.cumsum(lengths).tolist()]
        seed = random.seeding()[-1] if self.seed is None else self.seed
        rows = self.window_rows // (cut.shards if cut.is_fixed else 1)        # the same whoever holds the shards
        streams = {index: Stream(self.source, edges[index], edges[index + 1], rows,
                                 random.generator(seed, f"files/{self.epoch}", index)) for index in cut.mine}
        spare: list[Array] | None = None
        try:
            for total in self._totals():
                parts = []
                for part in cut.parts(total):
                    if part.weight:
                        data = streams[part.index].take(part.count)
                        spare = [one[:1] for one in data]
                    else:
                        data = spare = self.source.read(0, 1) if spare is None else spare
                    parts.append((part, tuple(data)))
                yield parts
        finally:
            for stream in streams.values():
                stream.close()

    def _in_order(self, cut: Cut) -> Iterator[list[tuple[Part, Any]]]:
        start = 0
        for total in self._totals():
            yield [(part, tuple(self.source.read(start + part.start, start + part.stop))) for part in cut.parts(total)]
            start += total


def dataset_from_files(x: Any, y: Any = None, sample_weight: Any = None, *, features: Sequence[str] | None = None,
                       label: str | None = None, weight: str | None = None, batch_size: int = 32, shuffle: bool = True,
                       seed: int | None = None, memory_limit: int | str = "256MB") -> FileDataset:
    """Batches for `fit`, `evaluate` and `predict` of rows in files, which need not fit into memory.

    x: a file, a folder of files (by their names), a memory-mapped array, or a list of such; all of one kind:
    `.npy` and memory-mapped arrays, with `y` and `sample_weight` files likewise, of the same numbers of rows;
    `.safetensors`, where `features`, `label` and `weight` name the tensors; `.parquet`, `.arrow` and `.feather` (needs
    the extra `arrow`), where they name columns, and x are those of `features` side by side, by default all others.

    shuffle: whether each epoch has the rows in another order: blocks from all over the files in any order, and the
    rows of as many as fit into a window in any order. seed: of that order; None for that of the process. memory_limit:
    bytes, or as in "500MB": what is held of the data at most. A window is read while the one before it is used. Under
    a `distribution` each process reads the rows of its own shards alone.

    TypeError and ValueError for files that are no numbers, damaged, or do not belong together; OSError for those that
    vanish or are truncated while they are read.

    >>> import numpy, os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     numpy.save(os.path.join(folder, "x.npy"), numpy.arange(12.).reshape(6, 2))
    ...     dataset = dataset_from_files(os.path.join(folder, "x.npy"), batch_size=4, shuffle=False)
    ...     print(len(dataset), [batch[0].shape for batch in dataset])
    2 [(4, 2), (2, 2)]
    """
    limit = _bytes(memory_limit)
    if isinstance(batch_size, bool) or not isinstance(batch_size, (int, np.integer)):
        raise TypeError(f"dataset_from_files: batch_size must be a positive integer; got {batch_size!r}")
    if batch_size < 1:
        raise ValueError(f"dataset_from_files: batch_size must be a positive integer; got {batch_size!r}")
    source = source_of(x, y, sample_weight, features, label, weight)
    if not source.rows:
        raise ValueError("dataset_from_files: there must be at least one row; the files have none")
    return FileDataset(source, int(batch_size), bool(shuffle), seed, limit)


def _bytes(limit: Any) -> int:
    """A number of bytes from one, or from text such as "500MB"."""
    if isinstance(limit, str):
        match = re.fullmatch(r"\s*([0-9.]+)\s*([KMG]?i?B)\s*", limit, re.IGNORECASE)
        if match and match[1].count(".") < 2:
            return int(float(match[1]) * UNITS[match[2].upper()])
    elif not isinstance(limit, bool) and isinstance(limit, (int, np.integer)) and limit > 0:
        return int(limit)
    raise ValueError(f"dataset_from_files: memory_limit must be a number of bytes, or one as in '500MB'; got {limit!r}")
