"""What CIFAR-10 and CIFAR-100 share: batches of pictures in pickles, inside a tar archive or a folder."""
import os
from collections.abc import Iterator, Sequence
from typing import IO, Any

import numpy as np

from cytensor.datasets import download, pickles
from cytensor.types import Array

SIDE, CHANNELS = 32, 3
Batch = tuple[Array, Array]


def read(caller: str, inner: str, batches: Sequence[str], labels: str, url: str, checksum: str) -> list[Batch]:
    """(pictures (n, 32, 32, 3), labels (n, 1)), of uint8, of each of `batches`.

    inner: the folder in the archive. labels: the key of the labels in a batch. In Keras's cache the archive is called
    after its folder, or it is unpacked already.
    """
    kept = f"{inner}-target"
    folder = download.find((f"{kept}/{inner}", inner))
    archive = os.path.basename(url)
    path = folder or download.fetch(caller, f"{kept}_archive", url, checksum, others=(archive,))
    found = {}
    try:
        for name, stream in _members(path, inner, batches):
            found[name] = _batch(pickles.load(stream, "bytes"), labels)
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(f"{caller}: cannot read {path}: {error}") from None
    missing = [name for name in batches if name not in found]
    if missing:
        raise ValueError(f"{caller}: cannot read {path}: it has no {', '.join(missing)}")
    return [found[name] for name in batches]


def _members(path: str, inner: str, names: Sequence[str]) -> Iterator[tuple[str, IO[bytes]]]:
    """(name, open file) of those of `names` that a folder or archive has, in its order."""
    if os.path.isdir(path):
        for name in names:
            if os.path.exists(os.path.join(path, name)):
                with open(os.path.join(path, name), "rb") as file:
                    yield name, file
        return
    import tarfile

    wanted = {f"{inner}/{name}": name for name in names}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                stream = archive.extractfile(member) if member.name in wanted else None
                if stream is not None:
                    yield wanted[member.name], stream
    except tarfile.TarError as error:
        raise ValueError(str(error)) from None


def _batch(content: Any, labels: str) -> Batch:
    """The pictures, channels last, and labels of what a batch's pickle held."""
    if not isinstance(content, dict) or not {b"data", labels.encode()} <= content.keys():
        raise ValueError(f"a batch must have data and {labels}")
    x, y = np.asarray(content[b"data"]), np.asarray(content[labels.encode()])
    if x.dtype != np.uint8 or y.ndim != 1 or y.dtype.kind not in "iu" or x.shape != (len(y), CHANNELS * SIDE * SIDE):
        raise ValueError(f"pictures must be uint8 (n, {CHANNELS * SIDE * SIDE}), with n labels; got {x.dtype} "
                         f"{x.shape} and labels {y.dtype} {y.shape}")
    pictures = np.ascontiguousarray(x.reshape(-1, CHANNELS, SIDE, SIDE).transpose(0, 2, 3, 1))
    return pictures, y.astype(np.uint8)[:, None]
