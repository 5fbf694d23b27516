"""StringLookup and IntegerLookup: what occurs in data as numbers, and numbers as what they stand for."""
import os
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from cytensor.layers.base import Layer
from cytensor.layers.encoding import MODES, as_rows, encoded_shape
from cytensor.tensor import Tensor, asarray
from cytensor.types import Array, ArrayLike, Config, Path, Shape


class _Lookup(Layer):
    """What the two share. Numbers: 0 for the mask token, if there is one, then those of unknown tokens, then the
    vocabulary; in other modes than "int" mask tokens count for nothing and have no number."""
    takes_several = False
    vocabulary_dtype: str = "int64"
    max_tokens: int | None
    num_oov_indices: int
    mask_token: Any
    oov_token: Any
    invert: bool
    output_mode: str
    pad_to_max_tokens: bool

    def __init__(self, max_tokens: int | None, num_oov_indices: int, mask_token: Any, oov_token: Any,
                 vocabulary: Any, idf_weights: ArrayLike | None, invert: bool, output_mode: str,
                 sparse: bool, pad_to_max_tokens: bool, **kwargs: Any) -> None:
        kwargs.pop("dtype", None)
        super().__init__(**kwargs)
        output_mode = {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(output_mode, output_mode)
        self._check(max_tokens, num_oov_indices, invert, output_mode, sparse, pad_to_max_tokens, idf_weights)
        self.max_tokens, self.num_oov_indices = max_tokens, num_oov_indices
        self.mask_token, self.oov_token, self.invert = mask_token, oov_token, invert
        self.output_mode, self.pad_to_max_tokens = output_mode, pad_to_max_tokens
        self._tokens: list[Any] = []
        self._indices: dict[Any, int] = {}
        self._idf: Array | None = None
        self._is_given = vocabulary is not None
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    def _check(self, max_tokens: Any, num_oov_indices: Any, invert: Any, output_mode: Any, sparse: Any,
               pad_to_max_tokens: Any, idf_weights: Any) -> None:
        op = type(self).__name__
        if max_tokens is not None and max_tokens <= 1:
            raise ValueError(f"{op}: max_tokens must be None or greater than 1; got {max_tokens!r}")
        if num_oov_indices < 0:
            raise ValueError(f"{op}: num_oov_indices must be at least 0; got {num_oov_indices!r}")
        if output_mode not in ("int", *MODES, "tf_idf"):
            raise ValueError(f"{op}: output_mode must be int, {', '.join(MODES)} or tf_idf; got {output_mode!r}")
        if sparse:
            raise ValueError(f"{op}: sparse must be False, for there are no sparse tensors; got {sparse!r}")
        if invert and output_mode != "int":
            raise ValueError(f"{op}: invert goes with output_mode 'int'; got {output_mode!r}")
        if pad_to_max_tokens and max_tokens is None:
            raise ValueError(f"{op}: pad_to_max_tokens needs max_tokens; got None")
        if idf_weights is not None and output_mode != "tf_idf":
            raise ValueError(f"{op}: idf_weights go with output_mode 'tf_idf'; got {output_mode!r}")

    # -- the vocabulary -----------------------------------------------------------------------------------------------
    @property
    def _first_unknown(self) -> int:
        return int(self.mask_token is not None and self.output_mode == "int")

    @property
    def _first_token(self) -> int:
        return self._first_unknown + self.num_oov_indices

    def vocabulary_size(self) -> int:
        """How many numbers there are, those of the mask and of unknown tokens included."""
        return self._first_token + len(self._tokens)

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The tokens in the order of their numbers; the mask's and the unknown's come first, or are left out."""
        special = [self.mask_token] * self._first_unknown + [self.oov_token] * self.num_oov_indices
        return special + self._tokens if include_special_tokens else list(self._tokens)

    def set_vocabulary(self, vocabulary: Any, idf_weights: ArrayLike | None = None) -> None:
        """Take these tokens, a list, an array, or the path of a file with one a line; with or without the special ones
        at the beginning. idf_weights: one for each, in mode "tf_idf". ValueError for tokens twice or too many."""
        op = f"{type(self).__name__}: vocabulary"
        tokens = self._read(vocabulary)
        if not tokens:
            raise ValueError(f"{op} must not be empty; got {vocabulary!r:.200}")
        special = [self.mask_token] * self._first_unknown + [self.oov_token] * self.num_oov_indices
        has_special = bool(special) and tokens[:len(special)] == special
        weights = self._weights_for(tokens, idf_weights, has_special)
        tokens = tokens[len(special):] if has_special else tokens
        twice = [token for token, count in Counter(tokens).items() if count > 1]
        if twice:
            raise ValueError(f"{op} must have each token once; got several of {twice[:5]}")
        if self.mask_token is not None and self.mask_token in tokens:
            raise ValueError(f"{op} may have the mask token at its beginning alone; got {self.mask_token!r} inside")
        if self.max_tokens is not None and self._first_token + len(tokens) > self.max_tokens:
            raise ValueError(f"{op} must have at most max_tokens {self.max_tokens}; got "
                             f"{self._first_token + len(tokens)}")
        self._take(tokens, weights)

    def _read(self, vocabulary: Any) -> list[Any]:
        if isinstance(vocabulary, str):
            if not os.path.isfile(vocabulary):
                raise ValueError(f"{type(self).__name__}: vocabulary must be tokens, or the path of a file with one a "
                                 f"line; got {vocabulary!r}, which is no file")
            with open(vocabulary, encoding="utf-8") as file:
                lines = file.read().splitlines()
            return [self._plain(line) for line in lines]
        try:
            return [self._plain(token) for token in np.asarray(vocabulary).ravel().tolist()]
        except (TypeError, ValueError) as error:
            raise type(error)(f"{type(self).__name__}: vocabulary must have tokens of {self.vocabulary_dtype}; got "
                              f"{vocabulary!r:.200}") from error

    def _plain(self, token: Any) -> Any:
        """A token as the vocabulary holds it."""
        return int(token)

    def _weights_for(self, tokens: list[Any], idf_weights: ArrayLike | None, has_special: bool) -> Array | None:
        """The weights of all numbers; those of unknown tokens are the mean where they are not given."""
        op = type(self).__name__
        if self.output_mode != "tf_idf":
            if idf_weights is not None:
                raise ValueError(f"{op}: idf_weights go with output_mode 'tf_idf'; got {self.output_mode!r}")
            return None
        if idf_weights is None:
            raise ValueError(f"{op}: output_mode 'tf_idf' needs idf_weights with its vocabulary; got None")
        weights = np.asarray(idf_weights, np.float32)
        if weights.shape != (len(tokens),):
            raise ValueError(f"{op}: idf_weights must be one for each of the {len(tokens)} tokens; got shape "
                             f"{weights.shape}")
        return weights if has_special else np.concatenate([np.full(self._first_token, weights.mean()), weights])

    def _take(self, tokens: list[Any], idf: Array | None) -> None:
        self._tokens, self._idf = tokens, idf
        self._indices = {token: self._first_token + i for i, token in enumerate(tokens)}

    # -- from data ----------------------------------------------------------------------------------------------------
    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Take the vocabulary from data, the most frequent first; what an earlier call took is forgotten.

        data: an array, whose rows are the documents in mode "tf_idf", or batches: a generator or a dataset, of which
        `steps` are read. ValueError where a vocabulary was given, and for data without tokens.
        """
        if self._is_given:
            raise ValueError(f"adapt: layer '{self.name}' was given its vocabulary, which data must not replace")
        counts: Counter[Any] = Counter()
        documents: Counter[Any] = Counter()
        total = 0
        for batch in batches_of(data, steps):
            values = self._as_tokens(batch)
            if not values.size:
                continue
            rows = values.reshape(1 if values.ndim == 0 else len(values), -1)
            counts.update(rows.ravel().tolist())
            total += len(rows)
            for row in rows if self.output_mode == "tf_idf" else ():
                documents.update(set(row.tolist()))
        for special in (self.mask_token, self.oov_token):
            counts.pop(special, None)
        if not counts:
            raise ValueError(f"adapt: data for layer '{self.name}' must have tokens; got none")
        # As Keras: by how often they occur, and those that occur equally often backward by themselves.
        ordered = sorted(counts, key=lambda token: (counts[token], token), reverse=True)
        kept = ordered if self.max_tokens is None else ordered[:self.max_tokens - self._first_token]
        weights = None
        if self.output_mode == "tf_idf":
            own = np.log1p(total / (1.0 + np.array([documents[token] for token in kept], np.float64)))
            weights = np.concatenate([np.full(self._first_token, own.mean()), own]).astype(np.float32)
        self._take([self._plain(token) for token in kept], weights)

    def _as_tokens(self, x: Any) -> Array:
        """Data as an array of tokens; TypeError for another kind of it."""
        raise NotImplementedError

    # -- calling ------------------------------------------------------------------------------------------------------
    def _as_leaf(self, x: Any) -> Tensor:
        return asarray(x)

    def call(self, x: Tensor) -> Tensor:
        if not self._tokens:
            raise ValueError(f"{type(self).__name__}: layer '{self.name}' has no vocabulary yet; give one, or call "
                             f"adapt")
        if self.invert:
            return self._tokens_of(x)
        numbers = self._indices_of(self._as_tokens(x))
        if self.output_mode == "int":
            return asarray(numbers)
        depth = self.max_tokens if self.pad_to_max_tokens else self.vocabulary_size()
        return as_rows(type(self).__name__, numbers, int(depth or 0), self.output_mode, self._idf)

    def _indices_of(self, tokens: Array) -> Array:
        different, places = np.unique(tokens, return_inverse=True)
        found = np.array([self._index_of(token) for token in different.tolist()], np.int64)
        return found[places].reshape(tokens.shape)

    def _index_of(self, token: Any) -> int:
        token = self._plain(token)
        if self.mask_token is not None and token == self.mask_token:
            return 0 if self.output_mode == "int" else -1
        number = self._indices.get(token)
        if number is not None:
            return number
        if not self.num_oov_indices:
            raise ValueError(f"{type(self).__name__}: without oov indices every token must be in the vocabulary of "
                             f"layer '{self.name}'; got {token!r}")
        return self._first_unknown + (self._hash(token) % self.num_oov_indices if self.num_oov_indices > 1 else 0)

    def _hash(self, token: Any) -> int:
        return int(token)

    def _tokens_of(self, x: Tensor) -> Tensor:
        numbers = np.asarray(x)
        if numbers.dtype.kind not in "iu":
            raise TypeError(f"{type(self).__name__}: inverted, integers are expected; got dtype {numbers.dtype}")
        known = self.get_vocabulary()
        known[:self._first_unknown] = ["" if self.mask_token is None else self.mask_token] * self._first_unknown
        inside = (numbers >= 0) & (numbers < len(known))
        table = np.array([*known, self.oov_token])
        return asarray(table[np.where(inside, numbers, len(known))])

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        depth = self.max_tokens if self.pad_to_max_tokens else self.vocabulary_size()
        return encoded_shape(self.output_mode, input_shape, depth)

    def get_config(self) -> Config:
        """The constructor's arguments, with the vocabulary that was taken from data, so that files have it."""
        config = super().get_config()
        if self._tokens:
            config["vocabulary"] = self.get_vocabulary(include_special_tokens=self.output_mode == "tf_idf")
            config["idf_weights"] = None if self._idf is None else self._idf.tolist()
        return config


def batches_of(data: Any, steps: int | None = None) -> Iterator[Any]:
    """What `adapt` is given, in parts: an array at once, or the inputs of the batches of a generator or dataset."""
    if isinstance(data, (list, tuple, np.ndarray, Tensor)) or not isinstance(data, Iterable):
        yield data
        return
    for count, batch in enumerate(data):
        if steps is not None and count >= steps:
            return
        yield batch[0] if isinstance(batch, tuple) else batch


class StringLookup(_Lookup):
    """Text tokens as integers, or rows of them encoded; inverted, integers as tokens.

    vocabulary: the tokens, in a list or in a file with one a line; None where `adapt` takes them from data.
    max_tokens: the most there may be, unknown ones included. num_oov_indices: how many numbers unknown tokens have; 0
    makes them an error. mask_token: the one of number 0 (in mode "int"), which counts for nothing in the other modes.
    output_mode: "int", "one_hot", "multi_hot", "count" or "tf_idf", as in `CategoryEncoding`; tf_idf weighs how often a
    token occurs by idf_weights, one for each. invert: the other way. pad_to_max_tokens: rows of max_tokens numbers
    whatever the vocabulary has. sparse: False; encoding: "utf-8". As `keras.layers.StringLookup`, but which of several
    unknown numbers a token has is found by CRC-32.

    >>> layer = StringLookup(vocabulary=["a", "b"])
    >>> layer([["b", "c"]]).tolist()
    [[2, 0]]
    """
    vocabulary_dtype: str = "string"

    def __init__(self, max_tokens: int | None = None, num_oov_indices: int = 1, mask_token: str | None = None,
                 oov_token: str = "[UNK]", vocabulary: Path | Sequence[str] | Array | None = None,
                 idf_weights: ArrayLike | None = None, invert: bool = False, output_mode: str = "int",
                 pad_to_max_tokens: bool = False, sparse: bool = False, encoding: str = "utf-8", **kwargs: Any) -> None:
        if encoding.lower().replace("-", "") != "utf8":
            raise ValueError(f"StringLookup: encoding must be 'utf-8'; got {encoding!r}")
        super().__init__(max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert,
                         output_mode, sparse, pad_to_max_tokens, **kwargs)

    def _plain(self, token: Any) -> str:
        return token.decode("utf-8") if isinstance(token, bytes) else str(token)

    def _as_tokens(self, x: Any) -> Array:
        values = np.asarray(x)
        if values.dtype.kind == "O":
            values = values.astype(str)
        if values.dtype.kind not in "US":
            raise TypeError(f"StringLookup: text is expected; got dtype {values.dtype}")
        return values

    def _hash(self, token: str) -> int:
        return zlib.crc32(token.encode("utf-8"))


class IntegerLookup(_Lookup):
    """Integers of any range as integers from 0 on, or rows of them encoded; inverted, the other way.

    vocabulary_dtype: "int64" (or "int32"). The other arguments as those of `StringLookup`; oov_token stands for unknown
    ones where it is inverted. As `keras.layers.IntegerLookup`.

    >>> layer = IntegerLookup(vocabulary=[10, 20])
    >>> layer([[20, 5]]).tolist()
    [[2, 0]]
    """

    def __init__(self, max_tokens: int | None = None, num_oov_indices: int = 1, mask_token: int | None = None,
                 oov_token: int = -1, vocabulary: Path | Sequence[int] | Array | None = None,
                 vocabulary_dtype: str = "int64", idf_weights: ArrayLike | None = None, invert: bool = False,
                 output_mode: str = "int", sparse: bool = False, pad_to_max_tokens: bool = False,
                 **kwargs: Any) -> None:
        if vocabulary_dtype not in ("int64", "int32"):
            raise ValueError(f"IntegerLookup: vocabulary_dtype must be 'int64' or 'int32'; got {vocabulary_dtype!r}")
        self.vocabulary_dtype = vocabulary_dtype
        super().__init__(max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert,
                         output_mode, sparse, pad_to_max_tokens, **kwargs)

    def _as_tokens(self, x: Any) -> Array:
        values = np.asarray(x)
        if values.dtype.kind == "f" and (values == np.floor(values)).all():
            values = values.astype(np.int64)
        if values.dtype.kind not in "iu":
            raise TypeError(f"IntegerLookup: integers are expected; got dtype {values.dtype}")
        return values


