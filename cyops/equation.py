"""einsum's equations read into labels, and the order in which many operands are multiplied.

A label is a small integer: A to Z are 0 to 25, a to z are 26 to 51, so that their order is that of implicit outputs;
the axes of an ellipsis follow, counted so that the last is always 67, which lines operands up from the right as in
broadcasting. Knows no tensor: operands are their shapes here. May be imported by cyops.einstein.
"""
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
MAX_NDIM = 16
COUNT = len(LETTERS) + MAX_NDIM
PATHS = ("greedy", "optimal")


class Equation(NamedTuple):
    """What einsum was asked for: the labels of each operand's axes and of the result's."""

    terms: tuple[tuple[int, ...], ...]
    out: tuple[int, ...]


def name_of(label: int) -> str:
    """A label as the user wrote it."""
    return repr(LETTERS[label]) if label < len(LETTERS) else f"'...' (its axis {label - COUNT})"


def parse(subscripts: str, ndims: Sequence[int]) -> Equation:
    """The Equation of a string such as "ij,jk->ik" or "...i->..." for operands with so many axes each."""
    inputs, arrow, output = "".join(subscripts.split()).partition("->")
    terms = inputs.split(",")
    if len(terms) != len(ndims):
        raise ValueError(f"einsum: one term for each operand; got the terms {terms} and {len(ndims)} operands")
    labels = tuple([_read(term, ndim, f"operand {i}", subscripts)
                    for i, (term, ndim) in enumerate(zip(terms, ndims, strict=True))])
    of_ellipsis = sorted({label for term in labels for label in term if label >= len(LETTERS)})
    if arrow:
        return Equation(labels, _read_output(output, labels, of_ellipsis, subscripts))
    every = [label for term in labels for label in term if label < len(LETTERS)]
    return Equation(labels, (*of_ellipsis, *sorted(label for label in set(every) if every.count(label) == 1)))


def _read(term: str, ndim: int, what: str, subscripts: str) -> tuple[int, ...]:
    """The labels of one term, which must name `ndim` axes."""
    before, ellipsis, after = term.partition("...")
    for letter in before + after:
        if letter not in LETTERS:
            raise ValueError(f"einsum: subscripts are letters, one '...' in a term, ',' and '->'; got {letter!r} in "
                             f"{subscripts!r}")
    named = len(before) + len(after)
    if named > ndim or (named < ndim and not ellipsis):
        raise ValueError(f"einsum: a term names each axis of its operand; {term!r} in {subscripts!r} names {named}, "
                         f"and {what} has {ndim}")
    hidden = range(COUNT - (ndim - named), COUNT)
    return (*map(LETTERS.index, before), *hidden, *map(LETTERS.index, after))


def _read_output(output: str, terms: Sequence[tuple[int, ...]], of_ellipsis: Sequence[int],
                 subscripts: str) -> tuple[int, ...]:
    if of_ellipsis and "..." not in output:
        raise ValueError(f"einsum: what stands before '->' has axes under '...', so the output needs '...' too; got "
                         f"{subscripts!r}")
    named = len(output.replace("...", "", 1))
    out = _read(output, named + (len(of_ellipsis) if "..." in output else 0), "the result", subscripts)
    known = {label for term in terms for label in term}
    for label in out:
        if out.count(label) > 1:
            raise ValueError(f"einsum: the output names each label once; {name_of(label)} stands twice in "
                             f"{subscripts!r}")
        if label not in known:
            raise ValueError(f"einsum: the output has labels of the operands alone; {name_of(label)} is of none in "
                             f"{subscripts!r}")
    return out


def spell(arguments: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """The interleaved form, operand, labels, operand, labels, ..., output's labels, as (subscripts, operands)."""
    count = len(arguments) // 2
    operands, lists = arguments[: 2 * count : 2], arguments[1 : 2 * count : 2]
    subscripts = ",".join([_spell_term(labels) for labels in lists])
    if len(arguments) > 2 * count:
        subscripts += "->" + _spell_term(arguments[-1])
    return subscripts, operands


def _spell_term(labels: Any) -> str:
    if isinstance(labels, str) or not hasattr(labels, "__iter__"):
        raise TypeError("einsum: needs subscripts such as 'ij,jk->ik' before the operands, or a list of labels after "
                        f"each; got {labels!r:.100} in the place of such a list")
    letters = []
    for label in labels:
        if label is Ellipsis:
            letters.append("...")
        elif not hasattr(label, "__index__"):
            raise TypeError(f"einsum: labels in a list are integers or Ellipsis; got {label!r:.100}")
        elif not 0 <= label.__index__() < len(LETTERS):
            raise ValueError(f"einsum: labels in a list lie between 0 and {len(LETTERS) - 1}; got {label}")
        else:
            letters.append(LETTERS[label.__index__()])
    return "".join(letters)


# -- the order of many operands ---------------------------------------------------------------------------------------
def path_of(subscripts: str, shapes: Sequence[tuple[int, ...]], optimize: Any) -> list[tuple[int, int]]:
    """Pairs of places in the list of operands: the two at such places give way to their product, put at the end."""
    if optimize is False:
        groups: list[Any] = [range(len(shapes))]
    elif isinstance(optimize, (tuple, list)) and optimize and optimize[0] == "einsum_path":
        groups = list(optimize[1:])
    else:
        arrays = [numpy.broadcast_to(0.0, shape) for shape in shapes]
        groups = numpy.einsum_path(subscripts, *arrays, optimize="greedy" if optimize is True else optimize)[0][1:]
    return _in_pairs(groups, len(shapes))


def _in_pairs(groups: Sequence[Any], count: int) -> list[tuple[int, int]]:
    """Groups of any size as pairs; what a path leaves over is multiplied from left to right."""
    pairs = []
    for group in groups:
        if isinstance(group, str) or not hasattr(group, "__iter__") or not all(hasattr(x, "__index__") for x in group):
            raise TypeError(f"einsum: a step of a path is a tuple of integers; got {group!r:.100}")
        places = sorted({place.__index__() for place in group})
        if not places or places[0] < 0 or places[-1] >= count or len(places) != len(group):
            raise ValueError(f"einsum: a step of a path names operands that are there, each once; got {tuple(group)} "
                             f"where there are {count}")
        if len(places) > 1:
            pairs.append((places[0], places[1]))
            count -= 1
        for done, place in enumerate(places[2:]):       # two before it are gone, and the product so far is the last
            pairs.append((place - 2 - done, count - 1))
            count -= 1
    while count > 1:
        pairs.append((0, 1))
        count -= 1
    return pairs


def check_optimize(optimize: Any) -> None:
    """ValueError for what names no way to order the operands."""
    is_pair = isinstance(optimize, (tuple, list)) and len(optimize) > 0
    name = optimize[0] if is_pair else optimize
    if isinstance(name, str) and name in (*PATHS, *(["einsum_path"] if is_pair else [])):
        return
    raise ValueError(f"einsum: optimize must be True, False, 'greedy', 'optimal' or a path of numpy.einsum_path; got "
                     f"{optimize!r:.100}")

