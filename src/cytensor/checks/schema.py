"""What the parts of a file's content must be, so that damage is found, and named, before anything changes.

The rules say what `fit` and the optimizers can go on from, not what somebody once wrote: a value that was altered into
another possible one is not noticed.
"""
import contextlib
import json
import reprlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from cytensor.checks.arguments import FLAG, NOT_NEGATIVE, TEXT, Rule, integer, is_integer
from cytensor.types import Path


@contextlib.contextmanager
def naming(op: str, filepath: Path) -> Iterator[None]:
    """A ValueError about a part of the file becomes one that names the file too."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{op}: '{filepath}' is damaged or of another model: {error}") from None


def check(value: Any, key: str, rule: Rule) -> None:
    """Raise ValueError where the part called `key` breaks its rule."""
    if not rule.holds(value):
        raise ValueError(f"{key} must be {rule.words}; got {reprlib.repr(value)}")


def check_fields(fields: Any, rules: Mapping[str, Rule], prefix: str = "") -> None:
    """Raise ValueError where `fields` is no dictionary of exactly the parts that `rules` has, each as its rule says."""
    check(fields, prefix.rstrip(".") or "document", DICTIONARY)
    missing, surplus = rules.keys() - fields.keys(), fields.keys() - rules.keys()
    if missing or surplus:
        raise ValueError(f"{prefix or 'document.'}* must be {', '.join(rules)}; missing "
                         f"{', '.join(sorted(missing)) or 'none'}, surplus {', '.join(sorted(surplus)) or 'none'}")
    for name, rule in rules.items():
        check(fields[name], prefix + name, rule)


def parse(text: str) -> Any:
    """The document that JSON holds; ValueError for anything else, and for a name given twice."""
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a name was given twice")
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=unique)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


# -- rules ------------------------------------------------------------------------------------------------------------
def is_real(value: Any) -> bool:
    """Whether this is a number, infinity and NaN included, that a float can hold."""
    return isinstance(value, float) or (is_integer(value) and abs(value) < 2**63)


def words_below(bits: int, count: int | None = None) -> Rule:
    """The rule for an integer in [0, 2**bits), or a list of `count` of them."""
    def is_word(value: Any) -> bool:
        return is_integer(value) and 0 <= value < 2**bits
    if count is None:
        return Rule(f"an integer of at least 0 and below 2**{bits}", is_word)
    return Rule(f"a list of {count} integers of at least 0 and below 2**{bits}",
                lambda value: isinstance(value, list) and len(value) == count and all(map(is_word, value)))


def or_none(rule: Rule) -> Rule:
    """The rule for None, or what `rule` says."""
    return Rule(f"null or {rule.words}", lambda value: value is None or rule.holds(value))


def list_of(rule: Rule, what: str) -> Rule:
    """The rule for a list of things, `what` in words, that each follow a rule."""
    return Rule(f"a list of {what}", lambda value: isinstance(value, list) and all(map(rule.holds, value)))


def dictionary_of(rule: Rule, what: str) -> Rule:
    """The rule for a dictionary with names and values, `what` in words, that each follow a rule."""
    return Rule(f"a dictionary of {what}",
                lambda value: isinstance(value, dict) and all(map(rule.holds, value.values())))


def _is_value(value: Any) -> bool:
    return is_real(value) or (isinstance(value, list) and all(map(_is_value, value)))


def _is_shape(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_shape, value.values()))
    return isinstance(value, list) and (all(n is None or COUNT.holds(n) for n in value) or all(map(_is_shape, value)))


DICTIONARY = Rule("a dictionary", lambda value: isinstance(value, dict))
COUNT = words_below(53)                # what a float counts exactly
REAL = Rule("a number", is_real)
VALUE = Rule("a number or a list of numbers", _is_value)           # of a metric
VALUES = dictionary_of(VALUE, "numbers and lists of numbers")
EPOCHS = list_of(COUNT, "integers")
LENGTHS = Rule("a shape or a structure of shapes", _is_shape)
ARRAY = Rule("an array", lambda value: isinstance(value, np.ndarray))

DOCUMENT = {
    "build_shape": or_none(LENGTHS), "optimizer_calls": COUNT, "learning_rate": or_none(NOT_NEGATIVE),
    "random": DICTIONARY, "noise": DICTIONARY, "progress": DICTIONARY,
}
PROGRESS = {                           # what `fit` notes
    "epoch": Rule("an integer of at least -1", lambda value: integer(-1).holds(value) and value < 2**53),
    "batch": COUNT, "logs": VALUES, "seen": COUNT, "metrics": list_of(DICTIONARY, "dictionaries"),
    "shuffle": or_none(Rule("a seed, a name and a position", lambda value: isinstance(value, list) and len(value) == 3
                            and integer(0).holds(value[0]) and isinstance(value[1], str) and COUNT.holds(value[2]))),
    "read": COUNT, "stopped": FLAG, "kinds": list_of(TEXT, "strings"),
    "callbacks": list_of(DICTIONARY, "dictionaries"),
}


def check_like(value: Any, present: Any, key: str) -> None:
    """Raise ValueError where `value` cannot take the place of `present`: another type, or an array of another shape."""
    if isinstance(present, (bool, np.bool_)):
        check(value, key, FLAG)
    elif is_integer(present):
        check(value, key, Rule("an integer", lambda value: is_integer(value) and abs(value) < 2**63))
    elif isinstance(present, (float, np.floating)):
        check(value, key, REAL)
    elif isinstance(present, np.ndarray):
        check(value, key, Rule(f"an array of shape {present.shape} and dtype {present.dtype}", lambda value: isinstance(
            value, np.ndarray) and value.shape == present.shape and value.dtype == present.dtype))
    elif isinstance(present, list):
        check(value, key, Rule(f"a list of {len(present)}", lambda value: isinstance(value, list)
                               and len(value) == len(present)))
        for i, (inner, like) in enumerate(zip(value, present, strict=True)):
            check_like(inner, like, f"{key}[{i}]")
