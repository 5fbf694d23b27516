"""The registry of gradient rules: what `define` stores and how the tape's walk asks for it.

A rule is local maths. It gives, for each differentiable input of an op, a function from the gradient of the output to
the gradient of that input. What the function needs it names as its parameters:

    d            the gradient of the output
    out          the output
    x, a, ...    an input, under the name `define` gave it
    x_shape, ... the shape of an input, without keeping its values
    axis, ...    a parameter of the op

Only what is named is read, so only that must still have the value it had when it was recorded. Broadcasting,
accumulation and pruning are the walk's business. Imports nothing of the package.
"""
from collections.abc import Callable
from typing import NamedTuple


class Derivative(NamedTuple):
    """The gradient of one input: a function and the names of its parameters."""

    function: Callable
    needs: tuple[str, ...]


class Rule(NamedTuple):
    """The rule of one op: its inputs in recorded order and the derivative of each, None where there is none."""

    inputs: tuple[str, ...]
    derivatives: tuple[Derivative | None, ...]
    before: Derivative | None        # turns `d` into what every derivative gets instead
    variadic: bool                   # one derivative serves all inputs and is told which by `index`

    def of(self, index):
        """The derivative for the input at a position."""
        return self.derivatives[0 if self.variadic else index]


RULES: dict[str, Rule] = {}
NO_GRADIENT: set[str] = set()


def _derivative(function):
    if function is None:
        return None
    code = function.__code__
    return Derivative(function, code.co_varnames[: code.co_argcount])


def define(op, *, before=None, **derivatives):
    """Stores the rule of `op`: one keyword per recorded input, in order; None for an input without a gradient."""
    RULES[op] = Rule(tuple(derivatives), tuple(map(_derivative, derivatives.values())), _derivative(before), False)


def define_variadic(op, derivative):
    """Stores the rule of an op with any number of inputs, `derivative(d, index, inputs, ...)`."""
    RULES[op] = Rule((), (_derivative(derivative),), None, True)


def define_no_gradient(*ops):
    """Marks ops whose result does not change smoothly with their inputs."""
    NO_GRADIENT.update(ops)
