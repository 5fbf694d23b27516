"""Nested structures: the same shape of tuples, lists and dicts with something else at each leaf."""
from collections.abc import Iterable, Iterator
from typing import Any

from cyops import Strided
from cytensor.types import Nested

NESTED = (list, tuple, dict)


def flatten(structure: Nested) -> list[Any]:
    """The leaves of nested tuples, lists and dicts, in order (dicts by sorted key).

    ValueError for a structure that holds itself, or is nested as deep as Python's stack.
    """
    try:
        return _leaves(structure)
    except RecursionError:
        raise ValueError("flatten: the structure holds itself, or is nested deeper than Python's stack") from None


def _leaves(structure: Nested) -> list[Any]:
    if isinstance(structure, dict):
        structure = [structure[key] for key in sorted(structure)]
    elif not isinstance(structure, (list, tuple)):
        return [structure]
    leaves = []
    for part in structure:
        if isinstance(part, Strided) or not isinstance(part, NESTED):      # most leaves are tensors
            leaves.append(part)
        else:
            leaves += _leaves(part)
    return leaves


def pack_like(structure: Nested, leaves: Iterable[Any]) -> Nested:
    """The structure with its leaves replaced, in the order of `flatten`."""
    return _pack(structure, iter(leaves))


def _pack(structure: Nested, leaves: Iterator[Any]) -> Nested:
    if isinstance(structure, dict):
        packed = {key: _pack(structure[key], leaves) for key in sorted(structure)}
        return rebuilt(structure, [packed[key] for key in structure])
    if not isinstance(structure, (list, tuple)):
        return next(leaves)
    parts = [next(leaves) if isinstance(part, Strided) or not isinstance(part, NESTED) else _pack(part, leaves)
             for part in structure]
    return rebuilt(structure, parts)


def rebuilt(structure: Nested, parts: list[Any]) -> Nested:
    """A list, tuple, named tuple or dictionary like `structure` with other parts, in the order in which it has its own.

    >>> rebuilt({"b": 1, "a": 2}, [3, 4])
    {'b': 3, 'a': 4}
    """
    if type(structure) is list:
        return parts
    if isinstance(structure, dict):
        result = structure.copy()                      # of the same class
        result.update(zip(structure, parts, strict=True))
        return result
    return type(structure)(*parts) if hasattr(structure, "_fields") else type(structure)(parts)
