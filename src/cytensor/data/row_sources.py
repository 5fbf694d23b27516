"""The rows of many files as one: x, and where they are y and weights, in blocks that are read at a time."""
import bisect
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from cytensor.data.array_files import ArrayFile, of_memmap, of_npy, of_safetensors
from cytensor.data.table_files import TableFile
from cytensor.types import Array

SUFFIXES = {".npy": "npy", ".safetensors": "safetensors", ".parquet": "parquet", ".arrow": "arrow", ".feather": "arrow",
            ".ipc": "arrow"}


def paths_in(given: Any, name: str) -> list[Any]:
    """The files, and memory-mapped arrays, that an argument names: one, a folder of them by their names, or a list."""
    if isinstance(given, np.memmap):
        return [given]
    if isinstance(given, (str, os.PathLike)):
        path = os.fspath(given)
        if not os.path.isdir(path):
            return [path]
        found = sorted(os.path.join(path, entry) for entry in os.listdir(path)
                       if os.path.splitext(entry)[1] in SUFFIXES)
        if not found:
            raise ValueError(f"dataset_from_files: {name} must have files in the folder '{path}' that end with "
                             f"{', '.join(SUFFIXES)}; it has none")
        return found
    if isinstance(given, (list, tuple)) and given and not isinstance(given[0], (int, float)):
        return [path for one in given for path in paths_in(one, name)]
    raise TypeError(f"dataset_from_files: {name} must be a file, a folder, a memory-mapped array, or a list of such; "
                    f"got {type(given).__name__}")


class ArraySource:
    """Files of arrays: for each part, x, y, weights, the same number of files with the same numbers of rows."""
    rows: int
    row_bytes: int
    block_edges: list[int] | None = None       # blocks are as one likes
    parts: list[list[ArrayFile]]

    def __init__(self, parts: Sequence[Sequence[ArrayFile]]) -> None:
        self.parts = [list(part) for part in parts]
        lengths = [[file.rows for file in part] for part in self.parts]
        if any(one != lengths[0] for one in lengths):
            raise ValueError(f"dataset_from_files: x, y and sample_weight must have files with the same numbers of "
                             f"rows; got {', '.join(str(one) for one in lengths)}")
        for part in self.parts:
            kinds = {(file.shape[1:], file.dtype) for file in part}
            if len(kinds) > 1:
                wrong = ", ".join(f"{file.shape[1:]} {file.dtype} in '{file.path}'" for file in part[:4])
                raise ValueError(f"dataset_from_files: all files must have rows of one shape and dtype; got {wrong}")
        self.edges: list[int] = [0, *np.cumsum(lengths[0]).tolist()]
        self.rows = self.edges[-1]
        self.row_bytes = sum(part[0].row_bytes for part in self.parts)

    def read(self, start: int, stop: int) -> list[Array]:
        """The rows from `start` to `stop` of each part."""
        found = [np.empty((stop - start, *part[0].shape[1:]), part[0].dtype) for part in self.parts]
        at = start
        while at < stop:
            number = bisect.bisect_right(self.edges, at) - 1
            until = min(stop, self.edges[number + 1])
            for part, out in zip(self.parts, found, strict=True):
                part[number].read_into(at - self.edges[number], out[at - start:until - start])
            at = until
        return found


class TableSource:
    """Files of tables: x of the columns `features` side by side, y and weights of one column each."""
    rows: int
    row_bytes: int
    block_edges: list[int]
    files: list[TableFile]
    features: list[str]
    others: list[str]

    def __init__(self, files: Sequence[TableFile], features: Sequence[str] | None, others: Sequence[str]) -> None:
        self.files = list(files)
        names = self.files[0].columns
        features = [name for name in names if name not in others] if features is None else list(features)
        for file in self.files:
            missing = [name for name in (*features, *others) if name not in file.columns]
            if missing:
                raise ValueError(f"dataset_from_files: '{file.path}' must have the columns {', '.join(missing)}; it "
                                 f"has {', '.join(file.columns)}")
        self.features, self.others = features, list(others)
        self.edges: list[int] = [0, *np.cumsum([file.rows for file in self.files]).tolist()]
        self.rows = self.edges[-1]
        self.block_edges = [0, *(self.edges[i] + edge for i, file in enumerate(self.files) for edge in file.edges[1:])]
        first = next(((file, 0) for file in self.files if file.rows), None)
        self.row_bytes = 1 if first is None else sum(
            part[:1].nbytes for part in self._parts(first[0].read(0, [*features, *others])))

    def read(self, start: int, stop: int) -> list[Array]:
        """The rows from `start` to `stop` of x, y and weights."""
        pieces = []
        at = start
        while at < stop:
            number = bisect.bisect_right(self.edges, at) - 1
            file, before = self.files[number], self.edges[number]
            group = bisect.bisect_right(file.edges, at - before) - 1
            until = min(stop, before + file.edges[group + 1])
            skipped = before + file.edges[group]
            pieces.append([part[at - skipped:until - skipped] for part in
                           self._parts(file.read(group, [*self.features, *self.others]))])
            at = until
        return [np.concatenate(parts) if len(parts) > 1 else parts[0] for parts in zip(*pieces, strict=True)]

    def _parts(self, columns: list[Array]) -> list[Array]:
        """x, a matrix, and the other columns."""
        count = len(self.features)
        if count == 1 and columns[0].ndim > 1:
            return columns
        return [np.column_stack(columns[:count]), *columns[count:]]


def source_of(x: Any, y: Any, sample_weight: Any, features: Sequence[str] | None, label: str | None,
              weight: str | None) -> ArraySource | TableSource:
    """The rows that the arguments of `dataset_from_files` name."""
    paths = paths_in(x, "x")
    kinds = {_kind(path) for path in paths}
    if len(kinds) > 1:
        raise ValueError(f"dataset_from_files: x must have files of one kind; got {', '.join(sorted(kinds))}")
    kind = kinds.pop()
    if kind in ("npy", "memmap"):
        if features or label or weight:
            raise ValueError("dataset_from_files: features, label and weight name columns or tensors of other files; "
                             "give the .npy files of y and sample_weight")
        given = [paths, *(paths_in(one, name) for one, name in ((y, "y"), (sample_weight, "sample_weight"))
                          if one is not None)]
        return ArraySource([[of_memmap(path) if isinstance(path, np.memmap) else of_npy(path) for path in part]
                            for part in given])
    if y is not None or sample_weight is not None:
        raise ValueError(f"dataset_from_files: y and sample_weight are in the {kind} files; name them with label and "
                         f"weight")
    others = [name for name in (label, weight) if name is not None]
    if weight is not None and label is None:
        raise ValueError("dataset_from_files: weight needs label")
    if kind == "safetensors":
        return _of_safetensors(paths, features, others)
    return TableSource([TableFile(path, kind == "parquet") for path in paths], features, others)


def _of_safetensors(paths: Sequence[str], features: Sequence[str] | None, others: Sequence[str]) -> ArraySource:
    files = [of_safetensors(path) for path in paths]
    if features is None:
        features = [name for name in files[0] if name not in others]
    if len(features) != 1:
        raise ValueError(f"dataset_from_files: features must name the one tensor of '{paths[0]}' that is x; it has "
                         f"{', '.join(files[0])}")
    names = [*features, *others]
    for path, tensors in zip(paths, files, strict=True):
        missing = [name for name in names if name not in tensors]
        if missing:
            raise ValueError(f"dataset_from_files: '{path}' must have the tensors {', '.join(missing)}; it has "
                             f"{', '.join(tensors)}")
    return ArraySource([[tensors[name] for tensors in files] for name in names])


def _kind(path: Any) -> str:
    if isinstance(path, np.memmap):
        return "memmap"
    if not os.path.exists(path):
        raise FileNotFoundError(f"dataset_from_files: there is no file '{path}'")
    suffix = os.path.splitext(path)[1]
    if suffix not in SUFFIXES:
        raise ValueError(f"dataset_from_files: '{path}' must end with {', '.join(SUFFIXES)}")
    return SUFFIXES[suffix]
