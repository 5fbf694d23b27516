"""Files of data sets: your own, those that Keras has downloaded already, or downloaded with a checksum.

A file is looked for in this order: the folder that the environment variable CYTENSOR_DATASETS names, Keras's cache
($KERAS_HOME or ~/.keras, in it datasets), the network. What is downloaded goes into that cache, where Keras finds it
too. Downloading needs the extra `data` (pooch); nothing else here does.
"""
import os
from collections.abc import Sequence

from cytensor.checks import arguments
from cytensor.types import Path

FOLDER = "CYTENSOR_DATASETS"
KERAS_FILES = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_HASHES = {32: "md5", 64: "sha256"}


def cache() -> str:
    """Where Keras keeps the files of its data sets."""
    return os.path.join(os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras"), "datasets")


def find(names: Sequence[str]) -> str | None:
    """The first of `names`, files or folders, that is in one of the places; None where none is."""
    own = os.environ.get(FOLDER)
    found = (os.path.join(place, name) for place in ([own] if own else []) + [cache()] for name in names)
    return next(filter(os.path.exists, found), None)


def fetch(caller: str, name: str, url: str, checksum: str, path: Path | None = None, others: Sequence[str] = ()) -> str:
    """The path of a file of a data set.

    caller: whose name begins the errors. name: the file's, below the cache. checksum: MD5 or SHA-256 of what `url`
    gives. path: None or `name` for what is described above; else a file of one's own, or another name in the cache.
    others: further names that the file may have in the folders.

    FileNotFoundError where the file is nowhere, and there is no network or no pooch to download it with: it says where
    to put which file.
    """
    if path is not None:
        arguments.check_value("load_data", "path", path)
        given = os.fspath(path)
        if given != name and os.path.isfile(given):
            return given
        if os.path.isabs(given):
            raise FileNotFoundError(f"{caller}: there is no file '{given}'; without path= it is downloaded from {url}")
        name = given
    return find((name, *others)) or _download(caller, name, url, checksum)


def _download(caller: str, name: str, url: str, checksum: str) -> str:
    target = os.path.join(cache(), name)
    hint = f"put the file of {url} there, into the folder that {FOLDER} names, or wherever path= says"
    try:
        import pooch
    except ModuleNotFoundError:
        raise FileNotFoundError(f"{caller}: there is no file '{target}'; {hint}, or let it be downloaded: "
                                f'pip install "cytensor[data]"') from None
    folder, file_name = os.path.split(target)
    try:
        return str(pooch.retrieve(url, f"{_HASHES[len(checksum)]}:{checksum}", file_name, folder))
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise FileNotFoundError(f"{caller}: there is no file '{target}', and it could not be downloaded ({reason}); "
                                f"{hint}") from error
