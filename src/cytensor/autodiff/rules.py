"""The registry of gradient rules: what `define` stores and how the tape's walk asks for it.

A rule is local maths. It gives, for each differentiable input of an op, a function from the gradient of the output to
the gradient of that input. What the function needs it names as its parameters:

    d            the gradient of the output
    out          the output
    x, a, ...    an input, under the name `define` gave it
    x_shape, ... the shape of an input, without keeping its values
    axis, ...    a parameter of the op

Beside these, `joint` may give the gradients of all wanted inputs at once; it is used unless an outer tape must see
how they come about: joint(positions, known, **named) -> list. `positions`: those of these inputs; `known`: for each of
them the gradient gathered so far where it may be added to in place, else None; `named`: what their derivatives name.
Each gradient is a fresh tensor, or the known one with its part added.

`shortcut` may pass over the op that made the first input, where no other input leads back and no outer tape looks on:
shortcut(records, i, named) -> a Shortcut or None, for record i; `named`: the tensors whose own gradient is asked for.

Only what is named is read, so only that must still have the value it had when it was recorded. Broadcasting,
accumulation and pruning are the walk's business. Imports nothing of the package.
"""
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from cyops import Record, Strided


class Derivative(NamedTuple):
    """The gradient of one input: a function and the names of its parameters."""

    function: Callable[..., Any]
    needs: tuple[str, ...]


class Shortcut(NamedTuple):
    """A way past an op: what the gradient of a record's output makes the gradient of `x`, an input of that op."""

    x: Strided
    gradient: Callable[[Strided], Strided]


class Rule(NamedTuple):
    """The rule of one op: its inputs in recorded order and the derivative of each, None where there is none."""

    inputs: tuple[str, ...]
    derivatives: tuple[Derivative | None, ...]
    before: Derivative | None        # turns `d` into what every derivative gets instead
    variadic: bool                   # one derivative serves all inputs and is told which by `index`
    joint: Callable[..., Any] | None
    shortcut: Callable[[Sequence[Record | None], int, Sequence[Strided]], Shortcut | None] | None
    # positions -> what the derivatives of these inputs name; filled as it is asked for
    named: dict[tuple[int, ...], tuple[str, ...]]

    def needs(self, positions: tuple[int, ...]) -> tuple[str, ...]:
        """What the derivatives of the inputs at the positions `positions` name, once each."""
        names = self.named.get(positions)
        if names is None:
            derivatives = [self.before, *map(self.of, positions)]
            names = tuple(dict.fromkeys(name for one in derivatives if one is not None for name in one.needs))
            self.named[positions] = names
        return names

    def of(self, index: int) -> Derivative | None:
        """The derivative for the input at a position."""
        return self.derivatives[0 if self.variadic else index]


RULES: dict[str, Rule] = {}
NO_GRADIENT: set[str] = set()


def _derivative(function: Callable[..., Any] | None) -> Derivative | None:
    if function is None:
        return None
    code = function.__code__
    return Derivative(function, code.co_varnames[: code.co_argcount])


def define(op: str, *, before: Callable[..., Any] | None = None, joint: Callable[..., Any] | None = None,
           shortcut: Callable[[Sequence[Record | None], int, Sequence[Strided]], Shortcut | None] | None = None,
           **derivatives: Callable[..., Any] | None) -> None:
    """Stores the rule of `op`: one keyword per recorded input, in order; None for an input without a gradient."""
    of_inputs = tuple(map(_derivative, derivatives.values()))
    RULES[op] = Rule(tuple(derivatives), of_inputs, _derivative(before), False, joint, shortcut, {})


def define_variadic(op: str, derivative: Callable[..., Any]) -> None:
    """Stores the rule of an op with any number of inputs, `derivative(d, index, inputs, ...)`."""
    RULES[op] = Rule((), (_derivative(derivative),), None, True, None, None, {})


def define_no_gradient(*ops: str) -> None:
    """Marks ops whose result does not change smoothly with their inputs."""
    NO_GRADIENT.update(ops)
