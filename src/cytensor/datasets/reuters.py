"""Newswires of 1987, and their topics."""
from cytensor.checks import arguments
from cytensor.datasets import sequences
from cytensor.datasets.sequences import Words
from cytensor.types import Array, Path

__all__ = ["get_label_names", "get_word_index", "load_data"]

SHA256 = "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
INDEX_MD5 = "4d44cc38712099c9e383dc6e5f11a921"
TOPICS = (
    "cocoa", "grain", "veg-oil", "earn", "acq", "wheat", "copper", "housing", "money-supply", "coffee", "sugar",
    "trade", "reserves", "ship", "cotton", "carcass", "crude", "nat-gas", "cpi", "money-fx", "interest", "gnp",
    "meal-feed", "alum", "oilseed", "gold", "tin", "strategic-metal", "livestock", "retail", "ipi", "iron-steel",
    "rubber", "heat", "jobs", "lei", "bop", "zinc", "orange", "pet-chem", "dlr", "gas", "silver", "wpi", "hog",
    "lead",
)


def __dir__() -> list[str]:
    return [*__all__]


def load_data(path: Path = "reuters.npz", num_words: int | None = None, skip_top: int = 0, maxlen: int | None = None,
              test_split: float = 0.2, seed: int = 113, start_char: int | None = 1, oov_char: int | None = 2,
              index_from: int = 3) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Load 11228 newswires and their topics, numbers from 0 to 45.

    Returns `(x_train, y_train), (x_test, y_test)` in the form of `imdb.load_data`, whose arguments these are; the last
    share `test_split` of the wires is to test with. Raises as it does.

    Source: the Reuters-21578 collection.
    """
    caller = "reuters.load_data"
    words = Words(num_words, skip_top, maxlen, start_char, oov_char, index_from).checked(caller)
    if not arguments.is_number(test_split) or not 0 <= test_split <= 1:
        raise ValueError(f"{caller}: test_split must be a share, from 0 to 1; got {test_split!r}")
    found = sequences.read(caller, "reuters.npz", SHA256, path, ("x", "y"))
    x, labels = sequences.shuffled(sequences.shuffling(seed), found["x"], found["y"])
    wires, labels = sequences.short_enough(caller, sequences.marked(x, words), labels, words)
    wires = sequences.cut(wires, words)
    cut = int(len(wires) * (1 - test_split))
    return (sequences.as_lists(wires[:cut]), labels[:cut]), (sequences.as_lists(wires[cut:]), labels[cut:])


def get_word_index(path: Path = "reuters_word_index.json") -> dict[str, int]:
    """{word: rank}: the number of a word in the newswires is its rank plus `index_from`.

    FileNotFoundError where the file is nowhere and cannot be downloaded, ValueError where it is damaged.
    """
    found: dict[str, int] = sequences.word_index("reuters.get_word_index", "reuters_word_index.json", INDEX_MD5, path)
    return found


def get_label_names() -> tuple[str, ...]:
    """The names of the 46 topics, in the order of their numbers.

    >>> get_label_names()[3]
    'earn'
    """
    return TOPICS
