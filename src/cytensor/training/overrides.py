"""Calling the methods that a model of the user's own overrides, with those arguments that they take.

`compute_loss` has had other arguments in earlier versions of Keras, and textbooks leave out what they do not need.
Only trainer.py imports this.
"""
import functools
import inspect
from collections.abc import Callable
from typing import Any


def call_with(method: Callable[..., Any], **arguments: Any) -> Any:
    """Call `method` with what it takes of `arguments`, which are in the order of the original's parameters.

    By name where it names them as the original does, or takes any; else by position, as many as it has.
    """
    names, count = _taken(getattr(method, "__func__", method), hasattr(method, "__self__"), tuple(arguments))
    if names is None:
        return method(*list(arguments.values())[:count])
    return method(**{name: arguments[name] for name in names})


@functools.lru_cache(maxsize=64)
def _taken(function: Callable[..., Any], is_bound: bool,
           known: tuple[str, ...]) -> tuple[tuple[str, ...], None] | tuple[None, int]:
    """(the known names that a function takes, None) or, where it calls its parameters otherwise, (None, how many)."""
    parameters = list(inspect.signature(function).parameters.values())[is_bound:]
    if any(one.kind is one.VAR_KEYWORD for one in parameters):
        positional = [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
        return (known, None) if set(positional) <= set(known) else (None, len(positional))
    if any(one.kind is one.VAR_POSITIONAL for one in parameters):
        return None, len(known)
    if all(one.name in known and one.kind is not one.POSITIONAL_ONLY for one in parameters):
        return tuple(one.name for one in parameters), None
    return None, min(len(known), sum(one.kind is not one.KEYWORD_ONLY for one in parameters))
