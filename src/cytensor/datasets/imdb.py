"""Reviews of films, and whether they praise."""
from cytensor.datasets import sequences
from cytensor.datasets.sequences import Words
from cytensor.types import Array, Path

__all__ = ["get_word_index", "load_data"]

SHA256 = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
INDEX_MD5 = "bfafd718b763782e994055a2d397834f"


def __dir__() -> list[str]:
    return [*__all__]


def load_data(path: Path = "imdb.npz", num_words: int | None = None, skip_top: int = 0, maxlen: int | None = None,
              seed: int = 113, start_char: int | None = 1, oov_char: int | None = 2, index_from: int = 3) -> tuple[
                  tuple[Array, Array], tuple[Array, Array]]:
    """Load 25000 reviews to train on, 25000 to test with, and their labels, 1 for praise.

    Returns `(x_train, y_train), (x_test, y_test)`, new NumPy arrays: x (n,) of lists of numbers, y (n,). A word is its
    rank by frequency plus `index_from`; `start_char` begins each review (None: nothing does), 0 is left for padding.
    num_words: words from this number on are left out; skip_top: those below that; `oov_char` stands for them, or where
    it is None nothing. maxlen: reviews not shorter are left out. seed: of the order of the reviews. path: a file of
    one's own. The numbers and their order are Keras's. Downloaded once (download.py).

    FileNotFoundError where the file is nowhere and cannot be downloaded, ValueError where it is damaged or no review is
    left. Nothing in it is ever run.

    Source: Maas, Daly, Pham, Huang, Ng, Potts, "Learning word vectors for sentiment analysis" (2011).
    """
    caller = "imdb.load_data"
    words = Words(num_words, skip_top, maxlen, start_char, oov_char, index_from).checked(caller)
    found = sequences.read(caller, "imdb.npz", SHA256, path, ("x_train", "y_train", "x_test", "y_test"))
    parts = []
    generator = sequences.shuffling(seed)
    for part in ("train", "test"):
        x, y = sequences.shuffled(generator, found[f"x_{part}"], found[f"y_{part}"])
        parts.append(sequences.short_enough(caller, sequences.marked(x, words), y, words))
    (x_train, y_train), (x_test, y_test) = parts
    texts = sequences.cut(x_train + x_test, words)
    head, tail = texts[:len(x_train)], texts[len(x_train):]
    return (sequences.as_lists(head), y_train), (sequences.as_lists(tail), y_test)


def get_word_index(path: Path = "imdb_word_index.json") -> dict[str, int]:
    """{word: rank}: the number of a word in the reviews is its rank plus `index_from`.

    FileNotFoundError where the file is nowhere and cannot be downloaded, ValueError where it is damaged.
    """
    found: dict[str, int] = sequences.word_index("imdb.get_word_index", "imdb_word_index.json", INDEX_MD5, path)
    return found
