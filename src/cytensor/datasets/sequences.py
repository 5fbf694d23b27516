"""What the two sets of texts share: words as numbers by their rank, most frequent first, and how they are cut down."""
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from cytensor.checks import arguments
from cytensor.datasets import download
from cytensor.types import Array, Path


class Words(NamedTuple):
    """Keras's arguments: which words stay and what stands for the others. See `imdb.load_data`."""

    num_words: int | None
    skip_top: int
    maxlen: int | None
    start_char: int | None
    oov_char: int | None
    index_from: int

    def checked(self, caller: str) -> "Words":
        """Itself; TypeError for what is no integer, or None where that may not be."""
        for name, value in self._asdict().items():
            if not arguments.is_integer(value) and not (value is None and name not in ("skip_top", "index_from")):
                raise TypeError(f"{caller}: {name} must be an integer; got {value!r}")
        return self


def read(caller: str, name: str, checksum: str, path: Path, arrays: Sequence[str]) -> dict[str, Array]:
    """Arrays of an .npz file that holds lists of numbers as Python objects."""
    from cytensor.datasets import archive, pickles

    file = download.fetch(caller, name, download.KERAS_FILES + name, checksum, path)
    found = archive.read(file, arrays, caller, pickles.object_array)
    for key, values in found.items():
        if values.ndim != 1 or (values.dtype == object and not all(isinstance(one, list) for one in values)):
            raise ValueError(f"{caller}: {key} must be a list of lists of words, or of labels, in {file}")
    return found


def shuffling(seed: int) -> "np.random.RandomState":
    """The generator of Keras's orders."""
    return np.random.RandomState(seed)


def shuffled(generator: "np.random.RandomState", *columns: Array) -> list[Array]:
    """Columns of equal length in the next order that the generator gives."""
    order = np.arange(len(columns[0]))
    generator.shuffle(order)
    return [column[order] for column in columns]


def marked(texts: Array, words: Words) -> list[Array]:
    """Texts as arrays of numbers from `index_from` on, each begun by `start_char`."""
    begin = [] if words.start_char is None else [words.start_char]
    return [np.array(begin + [word + words.index_from for word in text], np.int64) for text in texts]


def short_enough(caller: str, texts: list[Array], labels: Array, words: Words) -> tuple[list[Array], Array]:
    """Those shorter than maxlen, start included; ValueError where none is."""
    if not words.maxlen:
        return texts, labels
    kept = [i for i, text in enumerate(texts) if len(text) < words.maxlen]
    if not kept:
        raise ValueError(f"{caller}: maxlen must leave some texts; got {words.maxlen}, and none is shorter")
    return [texts[i] for i in kept], labels[kept]


def cut(texts: list[Array], words: Words) -> list[Array]:
    """Texts with `oov_char` for the words that are left out, or without them where it is None."""
    limit = words.num_words or max(int(text.max(initial=0)) for text in texts)
    stays = [(text >= words.skip_top) & (text < limit) for text in texts]
    if words.oov_char is None:
        return [text[mask] for text, mask in zip(texts, stays, strict=True)]
    return [np.where(mask, text, words.oov_char) for text, mask in zip(texts, stays, strict=True)]


def as_lists(texts: list[Array]) -> Array:
    """An array of lists, whatever their lengths."""
    found = np.empty(len(texts), object)
    found[:] = [text.tolist() for text in texts]
    return found


def word_index(caller: str, name: str, checksum: str, path: Path) -> Any:
    """{word: rank} from a JSON file."""
    file = download.fetch(caller, name, download.KERAS_FILES + name, checksum, path)
    try:
        with open(file, encoding="utf-8") as stream:
            found = json.load(stream)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{caller}: cannot read {file}: {error}") from None
    if not isinstance(found, dict) or not all(map(arguments.is_integer, found.values())):
        raise ValueError(f"{caller}: cannot read {file}: it must hold words with their ranks")
    return found
