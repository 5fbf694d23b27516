"""`tf.strings` on text of fixed width: what NumPy's `numpy.strings` computes, element by element."""
from collections.abc import Sequence
from typing import Any

import numpy as np

from cytensor.keywords import accepting
from cytensor.tensor import Tensor, asarray, operand
from cytensor.types import Array, ArrayLike, DTypeLike

__all__ = ["as_string", "join", "length", "lower", "regex_full_match", "regex_replace", "strip", "substr",
           "to_number", "upper"]


def _text(op: str, x: ArrayLike) -> Array:
    values = np.asarray(operand(op, x))
    if values.dtype.kind not in "US":
        raise TypeError(f"{op}: text is expected; got dtype {values.dtype}")
    return values


@accepting({})
def length(input: ArrayLike, unit: str = "BYTE") -> Tensor:
    """The lengths, int32: of their UTF-8 bytes, or with unit="UTF8_CHAR" of characters.

    >>> length(["ab", "c"]).tolist()
    [2, 1]
    """
    if unit not in ("BYTE", "UTF8_CHAR"):
        raise ValueError(f"length: unit must be 'BYTE' or 'UTF8_CHAR'; got {unit!r}")
    values = _text("length", input)
    if unit == "BYTE" and values.dtype.kind == "U":
        values = np.strings.encode(values, "utf-8")
    return asarray(np.asarray(np.strings.str_len(values), np.int32))


@accepting({})
def join(inputs: Sequence[ArrayLike], separator: str = "") -> Tensor:
    """Texts put one behind the other, element by element; their shapes broadcast.

    >>> join([["a", "b"], "c"], separator="-").tolist()
    ['a-c', 'b-c']
    """
    parts = [_text("join", x) for x in inputs]
    result: Any = parts[0]
    for part in parts[1:]:
        result = np.strings.add(np.strings.add(result, np.asarray(separator, result.dtype.kind)), part)
    return asarray(np.asarray(result))


@accepting({"encoding": None})
def lower(input: ArrayLike) -> Tensor:
    """In small letters."""
    return asarray(np.asarray(np.strings.lower(_text("lower", input))))


@accepting({"encoding": None})
def upper(input: ArrayLike) -> Tensor:
    """In capitals.

    >>> upper(["ab"]).tolist()
    ['AB']
    """
    return asarray(np.asarray(np.strings.upper(_text("upper", input))))


@accepting({})
def strip(input: ArrayLike) -> Tensor:
    """Without the white space around."""
    return asarray(np.asarray(np.strings.strip(_text("strip", input))))


@accepting({})
def substr(input: ArrayLike, pos: int, len: int) -> Tensor:
    """`len` characters from the `pos`-th on.

    >>> substr(["hello"], 1, 3).tolist()
    ['ell']
    """
    values = _text("substr", input)
    return asarray(np.array([one[pos:][:len] for one in values.ravel()], values.dtype.kind).reshape(values.shape))


@accepting({})
def to_number(input: ArrayLike, out_type: DTypeLike = "float32") -> Tensor:
    """The numbers that texts spell; ValueError for one that spells none.

    >>> to_number(["1.5", "2"]).tolist()
    [1.5, 2.0]
    """
    return asarray(_text("to_number", input).astype(out_type))


@accepting({})
def as_string(input: ArrayLike) -> Tensor:
    """Numbers as texts.

    >>> as_string([1, 20]).tolist()
    ['1', '20']
    """
    return asarray(np.asarray(operand("as_string", input)).astype(str))


def _by_pattern(op: str, input: ArrayLike, function: Any, dtype: Any) -> Tensor:
    values = _text(op, input)
    is_bytes = values.dtype.kind == "S"
    found = [function(one.decode() if is_bytes else str(one)) for one in values.ravel()]
    return asarray(np.array(found, dtype).reshape(values.shape))


@accepting({})
def regex_replace(input: ArrayLike, pattern: str, rewrite: str, replace_global: bool = True) -> Tensor:
    """Each place that matches a regular expression rewritten, or the first alone.

    >>> regex_replace(["a1b2"], "[0-9]", "-").tolist()
    ['a-b-']
    """
    import re

    return _by_pattern("regex_replace", input,
                       lambda one: re.sub(pattern, rewrite, one, count=0 if replace_global else 1), str)


@accepting({})
def regex_full_match(input: ArrayLike, pattern: str) -> Tensor:
    """Whether the whole of each text matches a regular expression: bool."""
    import re

    return _by_pattern("regex_full_match", input, lambda one: re.fullmatch(pattern, one) is not None, bool)
