"""Files from the network, once: `get_file`. Downloading, checksums and archives are pooch's."""
import os
import urllib.parse
from typing import Any

from cytensor.types import Path

_HASHES = {32: "md5", 64: "sha256"}
_FORMATS = {"tar": ("tar",), "zip": ("zip",), "auto": ("tar", "zip")}


def get_file(fname: Path | None = None, origin: str | None = None, untar: bool = False, md5_hash: str | None = None,
             file_hash: str | None = None, cache_subdir: str = "datasets", hash_algorithm: str = "auto",
             extract: bool = False, archive_format: str = "auto", cache_dir: Path | None = None,
             force_download: bool = False) -> str:
    """The path of the file at the URL `origin`, downloaded where it is not in the cache yet, as Keras has it.

    fname: the name in the cache; None for the URL's. The cache is cache_dir / cache_subdir, cache_dir None meaning
    $KERAS_HOME or ~/.keras. file_hash: the SHA-256 or MD5 that the file must have (hash_algorithm: "sha256", "md5",
    "auto" by its length); a file in the cache with another is downloaded anew. extract (or untar): unpack the archive,
    and give the path of the folder: the file's name without its ending and "_extracted" where an fname is given.
    archive_format: "tar", "zip", or "auto" for either. force_download: whatever is in the cache.

    Needs pooch: pip install "cytensor[data]". ValueError for wrong arguments and where the file that came has another
    hash; FileNotFoundError where there is no network, or no pooch; it says where to put which file.
    """
    target, folder = _places(fname, origin, cache_subdir, cache_dir, extract or untar)
    known_hash = _known_hash(md5_hash if file_hash is None else file_hash,
                             "md5" if file_hash is None and md5_hash else hash_algorithm)
    if archive_format not in _FORMATS:
        raise ValueError(f"get_file: archive_format must be {', '.join(map(repr, _FORMATS))}; got {archive_format!r}")
    if force_download and os.path.exists(target):
        os.remove(target)
    _retrieve(str(origin), target, known_hash)
    if extract or untar:
        _unpack(target, folder, "tar" if untar else archive_format)
        return folder
    return target


def _places(fname: Path | None, origin: object, cache_subdir: str, cache_dir: Path | None,
            is_archive: bool) -> tuple[str, str]:
    """The paths of the file and, for an archive, of the folder for what is in it."""
    if not isinstance(origin, str) or not origin:
        raise ValueError(f"get_file: origin must be the URL of the file; got {origin!r}")
    name = os.fspath(fname) if fname else os.path.basename(urllib.parse.urlsplit(origin).path)
    if not isinstance(name, str) or not name or os.sep in name or name in (os.curdir, os.pardir):
        raise ValueError(f"get_file: fname must be the name of a file, without a folder (cache_dir, cache_subdir); got "
                         f"{name!r}")
    home = cache_dir or os.environ.get("KERAS_HOME") or os.path.join("~", ".keras")
    place = os.path.join(os.path.expanduser(os.fspath(home)), cache_subdir)
    if not is_archive:
        return os.path.join(place, name), ""
    if fname and "." in name:
        return os.path.join(place, name), os.path.join(place, f"{name.partition('.')[0]}_extracted")
    return os.path.join(place, f"{name}_archive"), os.path.join(place, name)


def _known_hash(file_hash: object, algorithm: str) -> str | None:
    """As pooch takes it: "sha256:..."."""
    if algorithm not in ("auto", "md5", "sha256"):
        raise ValueError(f"get_file: hash_algorithm must be 'auto', 'md5' or 'sha256'; got {algorithm!r}")
    if file_hash is None:
        return None
    if not isinstance(file_hash, str) or len(file_hash) not in _HASHES:
        raise ValueError(f"get_file: file_hash must be an MD5 (32 digits) or SHA-256 (64); got {file_hash!r}")
    return f"{_HASHES[len(file_hash)] if algorithm == 'auto' else algorithm}:{file_hash}"


def _pooch(target: str, origin: str) -> Any:
    try:
        import pooch
    except ModuleNotFoundError:
        raise FileNotFoundError(f"get_file: there is no file '{target}'; put that of {origin} there, or let it be "
                                f'downloaded: pip install "cytensor[data]"') from None
    return pooch


def _retrieve(origin: str, target: str, known_hash: str | None) -> None:
    if os.path.isfile(target) and known_hash is None:
        return
    folder, name = os.path.split(target)
    pooch = _pooch(target, origin)
    try:
        pooch.retrieve(origin, known_hash, name, folder)
    except ValueError as error:                    # pooch's own, where the hash is another
        raise ValueError(f"get_file: what came from {origin} must have the hash given; {error}") from error
    except OSError as error:
        reason = str(error).partition("\n")[0]
        raise FileNotFoundError(f"get_file: there is no file '{target}', and it could not be downloaded from {origin} "
                                f"({reason}); put it there") from error


def _unpack(target: str, folder: str, archive_format: str) -> None:
    """Unpack an archive into a folder, where that is not done yet; pooch refuses members that lie outside of it."""
    import tarfile
    import zipfile

    pooch = _pooch(target, target)
    formats = _FORMATS[archive_format]
    if "tar" in formats and tarfile.is_tarfile(target):
        processor = pooch.Untar(extract_dir=os.path.basename(folder))
    elif "zip" in formats and zipfile.is_zipfile(target):
        processor = pooch.Unzip(extract_dir=os.path.basename(folder))
    else:
        raise ValueError(f"get_file: '{target}' must be an archive ({' or '.join(formats)})")
    processor(target, "fetch", None)
