"""Folders of pictures as batches: `image_dataset_from_directory`."""
import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

import cyops
from cytensor.data.image_files import channels_of, is_first, load_img, size_of
from cytensor.data.iterators import PyDataset
from cytensor.printing import say
from cytensor.tensor import Tensor, asarray
from cytensor.types import Array, Path

FORMATS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
_OP = "image_dataset_from_directory"


class _Pictures(NamedTuple):
    """How files become pixels."""

    size: tuple[int, int]
    color_mode: str
    interpolation: str
    crop: bool
    pad: bool
    is_first: bool

    def read(self, path: str) -> Array:
        """(height, width, channels) float32, from 0 to 255."""
        pixels = np.asarray(load_img(path, self.color_mode), np.float32)
        pixels = pixels[:, :, None] if pixels.ndim == 2 else pixels
        if self.crop:
            pixels = _cut(pixels, self.size)
        elif self.pad:
            pixels = _padded(pixels, self.size)
        resized = np.asarray(cyops.resize(pixels, self.size, self.interpolation), np.float32)
        return np.moveaxis(resized, -1, 0) if self.is_first else resized


def _cut(pixels: Array, size: tuple[int, int]) -> Array:
    """The largest part in the middle that has the proportions of `size`."""
    (height, width), (new_height, new_width) = pixels.shape[:2], size
    rows, columns = min(height, width * new_height // new_width), min(width, height * new_width // new_height)
    top, left = (height - rows) // 2, (width - columns) // 2
    return pixels[top:top + max(rows, 1), left:left + max(columns, 1)]


def _padded(pixels: Array, size: tuple[int, int]) -> Array:
    """With black on two sides, so that it has the proportions of `size`."""
    (height, width), (new_height, new_width) = pixels.shape[:2], size
    rows, columns = max(height, width * new_height // new_width), max(width, height * new_width // new_height)
    top, left = (rows - height) // 2, (columns - width) // 2
    return np.pad(pixels, ((top, rows - height - top), (left, columns - width - left), (0, 0)))


class ImageDataset(PyDataset):
    """Batches (pictures, labels), or pictures alone, read from their files when they are asked for.

    class_names: the names of the classes in the order of their labels; file_paths: the files in theirs.
    """
    class_names: list[str] | None
    file_paths: list[str]

    def __init__(self, paths: list[str], labels: Array | None, class_names: list[str] | None, pictures: _Pictures,
                 batch_size: int | None, random: np.random.Generator | None) -> None:
        super().__init__()
        self.file_paths, self.class_names = paths, class_names
        self._labels, self._pictures, self._batch_size, self._random = labels, pictures, batch_size, random
        self._order = np.arange(len(paths))

    def __len__(self) -> int:
        return len(self._order) if self._batch_size is None else -(-len(self._order) // self._batch_size)

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(f"{_OP}: there are {len(self)} batches; got {index}")
        size = self._batch_size
        if size is None:
            number = self._order[index]
            x = asarray(np.ascontiguousarray(self._pictures.read(self.file_paths[number])))
            return x if self._labels is None else (x, asarray(self._labels[number]))
        numbers = self._order[index * size:(index + 1) * size]
        x = _stacked([self._pictures.read(self.file_paths[number]) for number in numbers])
        return x if self._labels is None else (x, asarray(self._labels[numbers]))

    def __iter__(self) -> Iterator[Any]:
        self.on_epoch_begin()
        for index in range(len(self)):
            yield self[index]

    def on_epoch_begin(self) -> None:
        """Another order for each pass, where they are shuffled."""
        if self._random is not None:
            self._random.shuffle(self._order)


def _stacked(pictures: list[Array]) -> Tensor:
    return asarray(np.stack(pictures))


def image_dataset_from_directory(
    directory: Path, labels: Any = "inferred", label_mode: str | None = "int", class_names: Sequence[str] | None = None,
    color_mode: str = "rgb", batch_size: int | None = 32, image_size: int | Sequence[int] = (256, 256),
    shuffle: bool = True, seed: int | None = None, validation_split: float | None = None, subset: str | None = None,
    interpolation: str = "bilinear", follow_links: bool = False, crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False, data_format: str | None = None, verbose: bool = True,
) -> Any:
    """Pictures in a folder as batches (pictures, labels) that `fit`, `evaluate`, `predict` and `for` take.

    directory: with one folder for each class, or where labels is None or a list (one for each file, in the order of
    their paths) any folders. label_mode: "int" (int32), "binary" (float32, (batch, 1), for two classes), "categorical"
    (one-hot) or None for pictures alone. class_names: the folders in the order of their labels; sorted where None.
    color_mode: "rgb", "rgba" or "grayscale". batch_size: None for single pictures. image_size: (height, width) ->
    (batch, height, width, channels) float32 from 0 to 255, resized by `interpolation`, "bilinear" or "nearest";
    crop_to_aspect_ratio or pad_to_aspect_ratio: cut or filled up first, so that nothing is stretched.
    data_format="channels_first": (batch, channels, height, width). shuffle: in another order for each pass, drawn from
    `seed`; where False in the order of the paths. validation_split: the share of the files, the last in the order of
    `seed`, for subset="validation"; "training" has the others, "both" gives the two. verbose: print how many there are.

    Files that end in .bmp, .gif (their first picture), .jpeg, .jpg or .png; needs Pillow, the extra `image`. ValueError
    for wrong arguments and where there are no pictures; FileNotFoundError where there is no such folder. The datasets
    have `class_names` and `file_paths`.
    """
    channels_of(_OP, color_mode)
    size = size_of(_OP, "image_size", image_size)
    _check(labels, label_mode, interpolation, validation_split, subset, shuffle, seed, batch_size)
    pictures = _Pictures(size, color_mode, interpolation, bool(crop_to_aspect_ratio), bool(pad_to_aspect_ratio),
                         is_first(_OP, data_format))
    paths, numbers, names = _index(os.fspath(directory), labels if label_mode else None, class_names, follow_links)
    if verbose:
        say(f"Found {len(paths)} files" + (f" belonging to {len(names)} classes." if names is not None else "."))
    if label_mode == "binary" and (names is None or len(names) != 2):
        raise ValueError(f"{_OP}: label_mode 'binary' is for 2 classes; there are {names}")
    random = np.random.default_rng(seed)
    if shuffle:
        order = random.permutation(len(paths))
        paths = [paths[i] for i in order]
        numbers = None if numbers is None else numbers[order]
    coded = None if numbers is None else _coded(numbers, label_mode, len(names or ()))
    cut = len(paths) - int((validation_split or 0) * len(paths))
    parts = {"training": slice(0, cut), "validation": slice(cut, None), None: slice(None)}
    made = []
    for one in ("training", "validation") if subset == "both" else (subset,):
        part = parts[one]
        if not paths[part]:
            raise ValueError(f"{_OP}: '{os.fspath(directory)}' must have pictures ({', '.join(FORMATS)})"
                             + (f" for {one}" if one else "") + f"; there are {len(paths)} in all")
        own_order = random if shuffle and (one != "validation" or subset != "both") else None
        made.append(ImageDataset(paths[part], None if coded is None else coded[part], names, pictures, batch_size,
                                 own_order))
    return made if subset == "both" else made[0]


def _check(labels: Any, label_mode: Any, interpolation: Any, validation_split: Any, subset: Any, shuffle: Any,
           seed: Any, batch_size: Any) -> None:
    if labels is not None and labels != "inferred" and not isinstance(labels, (list, tuple)):
        raise ValueError(f"{_OP}: labels must be 'inferred', None or a list of integers; got {labels!r}")
    if label_mode not in ("int", "binary", "categorical", None):
        raise ValueError(f"{_OP}: label_mode must be 'int', 'binary', 'categorical' or None; got {label_mode!r}")
    if interpolation not in ("bilinear", "nearest"):
        raise ValueError(f"{_OP}: interpolation must be 'bilinear' or 'nearest'; got {interpolation!r}")
    if batch_size is not None and (isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1):
        raise ValueError(f"{_OP}: batch_size must be None or an int of at least 1; got {batch_size!r}")
    if (validation_split is None) != (subset is None):
        raise ValueError(f"{_OP}: validation_split and subset go together; got {validation_split!r} and {subset!r}")
    if validation_split is not None and not 0 < validation_split < 1:
        raise ValueError(f"{_OP}: validation_split must lie between 0 and 1; got {validation_split!r}")
    if subset not in (None, "training", "validation", "both"):
        raise ValueError(f"{_OP}: subset must be 'training', 'validation' or 'both'; got {subset!r}")
    if subset in ("training", "validation") and shuffle and seed is None:
        raise ValueError(f"{_OP}: training and validation files overlap unless both calls have one seed; give seed=, "
                         f"or shuffle=False")


def _index(directory: str, labels: Any, class_names: Sequence[str] | None,
           follow_links: bool) -> tuple[list[str], Array | None, list[str] | None]:
    """(paths, labels, names of the classes) of all pictures in a folder."""
    if not os.path.isdir(directory):
        raise FileNotFoundError(f"{_OP}: there is no folder '{directory}'")
    if labels == "inferred":
        folders = sorted(name for name in os.listdir(directory)
                         if os.path.isdir(os.path.join(directory, name)) and not name.startswith("."))
        names = folders if class_names is None else list(class_names)
        if set(names) - set(folders) or len(set(names)) < len(names):
            raise ValueError(f"{_OP}: class_names must be folders in '{directory}', {folders}; got {names}")
        found = [_files(os.path.join(directory, name), follow_links) for name in names]
        numbers = np.repeat(np.arange(len(names), dtype=np.int32), [len(paths) for paths in found])
        return [path for paths in found for path in paths], numbers, names
    if class_names is not None:
        raise ValueError(f"{_OP}: class_names are for labels='inferred'; got {list(class_names)}")
    paths = _files(directory, follow_links)
    if labels is None:
        return paths, None, None
    if len(labels) != len(paths):
        raise ValueError(f"{_OP}: labels must be one for each of the {len(paths)} files; got {len(labels)}")
    return paths, np.asarray(labels, np.int32), [str(label) for label in sorted(set(labels))]


def _files(folder: str, follow_links: bool) -> list[str]:
    walk = sorted(os.walk(folder, followlinks=follow_links))
    return [os.path.join(place, name) for place, _, names in walk for name in sorted(names)
            if name.lower().endswith(FORMATS)]


def _coded(labels: Array, label_mode: str | None, classes: int) -> Array:
    if label_mode == "binary":
        return labels.astype(np.float32)[:, None]
    if label_mode == "categorical":
        coded: Array = np.eye(classes, dtype=np.float32)[labels]
        return coded
    return labels
