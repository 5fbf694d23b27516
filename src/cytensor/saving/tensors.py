"""save and load: named tensors in a file, without a model. Bytes and names of files are the business of files.py."""
from collections.abc import Mapping
from typing import Any

import numpy as np

from cytensor.saving.files import FORMAT, read_file, write_file
from cytensor.tensor import Tensor, asarray
from cytensor.types import ArrayLike, Path

ALONE = "tensor"                 # the name of one that has none


def save(tensors: ArrayLike | Mapping[str, ArrayLike], filepath: Path, overwrite: bool = True) -> None:
    """Write a dictionary of tensors, or one tensor, to a safetensors file; `load` gives it back.

    tensors: {name: array-like} of any shapes, strides and numeric dtypes, bfloat16 and complex64 too. The file appears
    complete or not at all, and the same tensors give the same bytes. Other programs read it with safetensors.

    TypeError for names that are no strings, for text, and for what is no tensor; FileExistsError where a file is there
    and `overwrite` is False; FileNotFoundError for a folder that is not there.

    >>> import cytensor as ct, os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "pair.safetensors")
    >>> ct.save({"w": ct.ones((2, 3)), "b": ct.zeros(3, "bfloat16")}, path)
    >>> {name: (x.shape, x.dtype.name) for name, x in ct.load(path).items()}
    {'b': ((3,), 'bfloat16'), 'w': ((2, 3), 'float32')}
    """
    if isinstance(tensors, (str, bytes)) or hasattr(tensors, "__fspath__"):
        raise TypeError(f"save: the tensors come first, then the path; got {tensors!r}")
    named: Mapping[Any, Any] = tensors if isinstance(tensors, Mapping) else {ALONE: tensors}
    stored = {_checked_name(name): _stored(name, value) for name, value in named.items()}
    write_file(filepath, stored, {"kind": "tensors" if named is tensors else ALONE}, overwrite)


def load(filepath: Path) -> Any:
    """The dictionary of tensors, or the one tensor, that `save` wrote.

    Of any other safetensors file, say one of PyTorch's or of `Model.save_weights`, the dictionary of its tensors by
    name. Fresh tensors. ValueError for a file that is damaged or of another format, FileNotFoundError where there is
    none. Nothing in a file is ever run.
    """
    found, metadata = read_file(filepath)
    tensors = {name: asarray(value) for name, value in sorted(found.items())}
    if metadata.get("format") == FORMAT and metadata.get("kind") == ALONE and list(tensors) == [ALONE]:
        return tensors[ALONE]
    return tensors


def _checked_name(name: object) -> str:
    if not isinstance(name, str) or not name:
        raise TypeError(f"save: the names of tensors must be strings of at least one character; got {name!r}")
    if name == "__metadata__":
        raise ValueError(f"save: the name {name!r} stands for something else in a safetensors file; choose another")
    return name


def _stored(name: object, value: Any) -> Any:
    """What files.write_file takes for a tensor."""
    if isinstance(value, Mapping):
        raise TypeError(f"save: each name must have one tensor; got a dictionary for {name!r}; give its tensors names "
                        f"of their own, such as '{name}/{next(iter(value), 'x')}'")
    try:
        tensor: Tensor = asarray(value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"save: {name!r} must be a tensor; {error}") from None
    if tensor.dtype.kind not in "biufc":
        raise TypeError(f"save: {name!r} must hold numbers; got dtype {tensor.dtype}")
    return tensor if tensor.dtype == "bfloat16" else np.asarray(tensor, order="C")
