"""Rows of tables in files: Parquet and Arrow (IPC, Feather), read a group of rows at a time. Needs pyarrow."""
from collections.abc import Sequence
from typing import Any

import numpy as np

from cytensor.types import Array


def pyarrow() -> Any:
    """The library; ImportError that says what to install."""
    try:
        import pyarrow
        import pyarrow.ipc
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError("dataset_from_files: Parquet and Arrow files need pyarrow: pip install 'cytensor[arrow]'"
                          ) from error
    return pyarrow


class TableFile:
    """A file of columns in groups of rows. `edges`: where the groups begin, and the number of all rows."""
    path: str
    edges: list[int]
    columns: list[str]
    is_parquet: bool

    def __init__(self, path: str, is_parquet: bool) -> None:
        self.path, self.is_parquet, arrow = path, is_parquet, pyarrow()
        try:
            if is_parquet:
                with arrow.parquet.ParquetFile(path) as file:
                    lengths = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
                    self.columns = list(file.schema_arrow.names)
            else:
                with arrow.OSFile(path) as source, arrow.ipc.open_file(source) as file:
                    lengths = [file.get_batch(i).num_rows for i in range(file.num_record_batches)]
                    self.columns = list(file.schema.names)
        except arrow.ArrowInvalid as error:
            kind = "a Parquet" if is_parquet else "an Arrow"
            raise ValueError(f"dataset_from_files: '{path}' must be {kind} file; {error}") from None
        self.edges = [0, *np.cumsum(lengths).tolist()]

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self.edges[-1]

    def read(self, group: int, columns: Sequence[str]) -> list[Array]:
        """The columns of one group of rows."""
        arrow = pyarrow()
        try:
            if self.is_parquet:
                with arrow.parquet.ParquetFile(self.path) as file:
                    table = file.read_row_group(group, columns=list(columns), use_threads=False)
            else:
                with arrow.OSFile(self.path) as source, arrow.ipc.open_file(source) as file:
                    table = file.get_batch(group).select(list(columns))
        except (arrow.ArrowInvalid, OSError) as error:
            raise OSError(f"dataset_from_files: '{self.path}' cannot be read at row {self.edges[group]}; it may have "
                          f"changed while it was read ({error})") from error
        return [self._numbers(name, table.column(name)) for name in columns]

    def _numbers(self, name: str, column: Any) -> Array:
        """A column as an array (rows,), or of lists of one length (rows, length)."""
        arrow = pyarrow()
        if column.null_count:
            raise ValueError(f"dataset_from_files: '{self.path}' must have no missing values; column '{name}' has "
                             f"{column.null_count}")
        chunks = column.chunks if hasattr(column, "chunks") else [column]
        is_list = arrow.types.is_fixed_size_list(column.type) or arrow.types.is_list(column.type)
        arrays = [(chunk.flatten() if is_list else chunk).to_numpy(zero_copy_only=False) for chunk in chunks]
        values = np.concatenate(arrays) if arrays else np.empty(0)
        if values.dtype.kind not in "fiub":
            raise TypeError(f"dataset_from_files: '{self.path}' must hold numbers; column '{name}' is {column.type}")
        if is_list and (len(values) % max(1, len(column))):
            raise ValueError(f"dataset_from_files: '{self.path}' must have lists of one length in column '{name}'")
        return values.reshape(len(column), -1) if is_list else values
