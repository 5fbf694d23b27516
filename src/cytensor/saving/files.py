"""Safetensors files on the disk: whole or not there, the same bytes for the same content, and not trusted when read.

A file is written under a temporary name beside its own, flushed to the disk and then renamed: whoever looks sees the
old file or the new one, never a part, wherever the writing was interrupted. What a killed process left is removed by
the next that writes a file of that name.
"""
import contextlib
import glob
import itertools
import json
import os
from typing import Any

import numpy as np

from cytensor.checks import arguments, formats
from cytensor.saving import bits
from cytensor.types import Path
from cytensor.user_warnings import warn

FORMAT = "cytensor"
VERSION = 1
_numbers = itertools.count()
_unfinished: set[str] = set()          # temporary names that this process writes under
_told: set[str] = set()                # endings of names that a warning was given for


# -- writing ----------------------------------------------------------------------------------------------------------
def write_file(filepath: Path, tensors: dict[str, Any], metadata: dict[str, str], overwrite: bool = True) -> None:
    """Write named arrays, or bfloat16 tensors, and a dictionary of strings; the file appears complete or not at all.

    The same content gives the same bytes.
    """
    from safetensors.numpy import save

    path = check_target(filepath)
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"save: '{path}' exists; allow it to be replaced with overwrite=True")
    narrow = {name for name, value in tensors.items() if value.dtype == "bfloat16"}
    arrays = {name: bits.bits_of(value) if name in narrow else value for name, value in tensors.items()}
    try:
        content = save(arrays, {"format": FORMAT, "version": str(VERSION), **metadata})
    except Exception as error:
        if not any(value.dtype.kind == "c" for value in arrays.values()):
            raise
        held = next(value.dtype for value in arrays.values() if value.dtype.kind == "c")
        raise TypeError(f"save: the installed safetensors cannot hold {held}: {error}; save the parts with ct.real and "
                        "ct.imag") from None
    write_bytes(path, *_in_order(content, narrow))


def check_target(filepath: Path) -> str:
    """The path as a string; raises where no file can be written under it: before the work, not after it."""
    arguments.check_value("save", "filepath", filepath)
    path = os.fspath(filepath)
    if os.path.exists(path) and not os.path.isfile(path):
        raise ValueError(f"save: '{path}' must be the name of a file; it is a folder or a device")
    folder = os.path.dirname(os.path.realpath(path))
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"save: there is no folder '{folder}'")
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"save: the folder '{folder}' must allow to write; it does not")
    return path


def tell_format(filepath: Path) -> None:
    """Warn once of each ending that promises another format; listings name their files as Keras does."""
    path = os.fspath(filepath)
    promised, suffix = formats.other_suffix(path), os.path.splitext(path)[1]
    if promised is not None and suffix not in _told:
        _told.add(suffix)
        warn(f"save: '{path}' was written as safetensors, whatever its ending, and not in the format that {suffix} "
             f"stands for ({promised}); load_model and load_weights read it all the same, other programs by the "
             f"ending .safetensors")


def _in_order(content: bytes, narrow: set[str]) -> tuple[bytes, memoryview]:
    """The bytes of a safetensors file in two pieces, its header sorted: the library writes metadata in random order.

    narrow: the tensors whose uint16 are the bits of bfloat16.
    """
    end = 8 + int.from_bytes(content[:8], "little")
    fields = json.loads(content[8:end])
    for name in narrow:
        fields[name]["dtype"] = bits.FILE_NAME
    header = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header, memoryview(content)[end:]


def write_bytes(path: Path, *pieces: bytes | memoryview) -> None:
    """Write a file under a temporary name beside it, flush it to the disk, and rename it; a link stays one."""
    path = os.path.realpath(path)
    remove_unfinished(path)
    temporary = f"{_temporary_stem(path)}{os.getpid()}-{next(_numbers)}.tmp"
    try:
        _unfinished.add(temporary)
        with open(temporary, "xb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:              # an interrupt too, which may come when the name is the file's already
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    finally:
        _unfinished.discard(temporary)
    _sync_folder(os.path.dirname(path))


def _temporary_stem(path: str) -> str:
    """What the temporary names of a file begin with; short enough for a folder that takes `path`'s own name."""
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name[:40]}.{os.uname().nodename[:40] if hasattr(os, 'uname') else ''}.")


def remove_unfinished(path: Path) -> None:
    """Remove what processes of this machine left that were killed while they wrote the file."""
    stem = _temporary_stem(os.path.realpath(path))
    for temporary in glob.glob(f"{glob.escape(stem)}*-*.tmp"):
        process = temporary.removeprefix(stem).partition("-")[0]
        if process.isdigit() and temporary not in _unfinished and not _is_running(int(process)):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)


def _is_running(process: int) -> bool:
    """Whether there is another process of that number; True where that cannot be asked."""
    if process == os.getpid():
        return False
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _sync_folder(folder: str) -> None:
    """Make the rename itself durable, where folders can be flushed."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


# -- reading ----------------------------------------------------------------------------------------------------------
class _DuplicateKey(ValueError):
    """A header that names something twice."""


def _header_of(path: str) -> tuple[dict[str, Any], int]:
    """(the header, where the numbers begin) of a file that the safetensors library could read.

    The library lets the last of two tensors of one name win; a file that has them was tampered with.
    """
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            raise _DuplicateKey(f"duplicate key {next(name for name in names if names.count(name) > 1)!r}")
        return dict(pairs)

    with open(path, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        return json.loads(file.read(size), object_pairs_hook=unique), 8 + size


def _narrow_tensor(path: str, field: dict[str, Any], begin: int) -> Any:
    """A bfloat16 tensor of a file, for which the library has no array; where it lies, the library has checked."""
    first, last = field["data_offsets"]
    with open(path, "rb") as file:
        file.seek(begin + first)
        content = file.read(last - first)
    return bits.of_bits(np.frombuffer(content, np.uint16).reshape(field["shape"]))


def existing(filepath: Path) -> str:
    """The path of a file as a string; TypeError where it is none, FileNotFoundError where nothing is there."""
    arguments.check_value("load", "filepath", filepath)
    path = os.fspath(filepath)
    if not os.path.exists(path):
        hint = "; there is a TensorFlow checkpoint of that name: save it in Keras as .weights.h5, which load_weights " \
               "reads" if os.path.exists(f"{path}.index") else ""
        raise FileNotFoundError(f"load: there is no file '{path}'{hint}")
    return path


def read_file(filepath: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """(named arrays, metadata) of a file; ValueError where it is damaged or not one of ours.

    What a file holds in bfloat16 comes as a tensor, for want of such arrays.
    """
    from safetensors import SafetensorError, safe_open

    path = existing(filepath)
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            header, begin = _header_of(path)
            narrow = {name for name in file.keys() if header[name]["dtype"] == bits.FILE_NAME}  # noqa: SIM118 - no dict
            tensors: dict[str, Any] = {
                name: _narrow_tensor(path, header[name], begin) if name in narrow else file.get_tensor(name)
                for name in file.keys()}  # noqa: SIM118
    except MemoryError as error:
        raise MemoryError(f"load: cannot allocate the {os.path.getsize(path)} bytes of '{path}'; {error}") from None
    except (SafetensorError, OSError, TypeError, AttributeError, KeyError, _DuplicateKey) as error:
        why = formats.named(path, formats.SAFETENSORS) or f"damaged, truncated or of another kind; {error}"
        raise ValueError(f"load: '{path}' is not a readable safetensors file: {why}") from None
    version = metadata.get("version", "0")
    if metadata.get("format") == FORMAT and (not version.isdigit() or int(version) > VERSION):
        raise ValueError(f"load: '{path}' has version {version} of the format, this program knows up to {VERSION}")
    return tensors, metadata
