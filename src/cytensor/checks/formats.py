"""Which format a file is in, told by its first bytes, so that a reader of another one can name what it was given.

Nothing is unpacked and nothing is trusted: at most a few hundred bytes and the list of names in a zip archive are read.
"""
import os
from typing import NamedTuple

from cytensor.types import Path


class Format(NamedTuple):
    """A format in words, and what to do with such a file where a model or its weights are wanted."""
    name: str
    hint: str = ""


_KERAS = "build the model here and take its weights with model.load_weights"
_EXPORT = "load it in the program that wrote it and save the weights as safetensors"

SAFETENSORS = Format("a safetensors file")
HDF5 = Format("an HDF5 file, as Keras writes .h5", _KERAS)
KERAS = Format("a .keras file of Keras, which is a zip archive", _KERAS)
NPZ = Format("an .npz file of NumPy arrays")
NPY = Format("an .npy file of one NumPy array")
PICTURE = Format("a picture")
GZIP = Format("a gzip file")
ZIP = Format("a zip archive")
TORCH = Format("a file of PyTorch", _EXPORT)
SAVED_MODEL = Format("a folder of TensorFlow's SavedModel format", "save it in Keras as .weights.h5, which "
                     "model.load_weights reads")
FOLDER = Format("a folder")
EMPTY = Format("an empty file")
TEXT = Format("plain text")

_BEGINNINGS = (
    (b"\x89HDF\r\n\x1a\n", HDF5),
    (b"\x93NUMPY", NPY),
    (b"\x1f\x8b", GZIP),
    (b"\x89PNG\r\n\x1a\n", PICTURE), (b"\xff\xd8\xff", PICTURE), (b"GIF8", PICTURE), (b"BM", PICTURE),
    (b"II*\0", PICTURE), (b"MM\0*", PICTURE),
    (b"\x80\x02", Format("a pickle", "pickles can run code and are never loaded")),
    (b"\x80\x03", Format("a pickle", "pickles can run code and are never loaded")),
    (b"\x80\x04", Format("a pickle", "pickles can run code and are never loaded")),
    (b"\x80\x05", Format("a pickle", "pickles can run code and are never loaded")),
    (b"PAR1", Format("a Parquet file")),
    (b"BZh", Format("a bzip2 file")),
    (b"\xfd7zXZ\0", Format("an xz file")),
    (b"\x28\xb5\x2f\xfd", Format("a Zstandard file")),
    (b"GGUF", Format("a GGUF file", _EXPORT)),
    (b"%PDF", Format("a PDF file")),
    (b"version https://git-lfs", Format("a pointer of Git LFS and not the file itself", "fetch it with: git lfs pull")),
)
_OTHER_SUFFIXES = {".keras": "Keras's own", ".h5": "HDF5", ".hdf5": "HDF5", ".ckpt": "a TensorFlow checkpoint",
                   ".tf": "a TensorFlow SavedModel", ".pb": "a TensorFlow graph", ".tflite": "TensorFlow Lite",
                   ".pt": "PyTorch's", ".pth": "PyTorch's", ".onnx": "ONNX", ".npz": "NumPy's", ".npy": "NumPy's",
                   ".pkl": "a pickle", ".pickle": "a pickle", ".joblib": "a pickle"}


def of(path: Path) -> Format | None:
    """The Format of the file or folder at `path`; None where it is not known. OSError where it cannot be read."""
    if os.path.isdir(path):
        return SAVED_MODEL if os.path.exists(os.path.join(path, "saved_model.pb")) else FOLDER
    with open(path, "rb") as file:
        head = file.read(512)
    if not head:
        return EMPTY
    if head.startswith(b"PK"):
        return _zipped(path)
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= os.path.getsize(path):
        return SAFETENSORS
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return PICTURE
    known = next((kind for beginning, kind in _BEGINNINGS if head.startswith(beginning)), None)
    return known or _text(head)


def is_keras(path: Path) -> bool:
    """Whether `path` is a file of Keras that `load_weights` reads the weights of."""
    return os.path.isfile(path) and of(path) in (HDF5, KERAS)


def other_suffix(path: Path) -> str | None:
    """The format that the ending of a name promises in words, where that is a known one and not safetensors."""
    return _OTHER_SUFFIXES.get(os.path.splitext(path)[1].lower())


def named(path: Path, *wanted: Format) -> str:
    """"it is a pickle": what the file is, for the end of a message that it could not be read.

    "" where its beginning does not tell, or tells one of the formats that were `wanted`.
    """
    try:
        kind = of(path)
    except OSError:
        return ""
    if kind is None or kind in (EMPTY, TEXT, *wanted):
        return ""
    return f"it is {kind.name}" + (f"; {kind.hint}" if kind.hint and SAFETENSORS in wanted else "")


def _zipped(path: Path) -> Format:
    """What is in a zip archive, by the names of its members."""
    import zipfile  # here, because it takes longer to import than the rest of the package

    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeDecodeError):
        return ZIP
    if "config.json" in names and "model.weights.h5" in names:
        return KERAS
    if any(name.endswith("data.pkl") for name in names):
        return TORCH
    if names and all(name.endswith(".npy") for name in names):
        return NPZ
    return Format("an Excel file") if any(name.startswith("xl/") for name in names) else ZIP


def _text(head: bytes) -> Format | None:
    """The kind of text that a file begins with; None where it is no text."""
    try:
        text = head[:-4].decode("utf-8", "strict") if len(head) == 512 else head.decode("utf-8", "strict")
    except UnicodeDecodeError:
        return None
    if any(ord(letter) < 32 and letter not in "\t\r\n\f" for letter in text):
        return None
    start = text.lstrip("\ufeff \t\r\n").lower()
    if start.startswith(("<!doctype html", "<html")):
        return Format("a web page", "the download may have failed")
    return Format("JSON text") if start.startswith("{") else TEXT
