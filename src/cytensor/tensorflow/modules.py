"""`tf.Module`: an object that finds the variables and modules among its attributes."""
from collections.abc import Callable, Iterator
from typing import Any

from cytensor.layers import Layer
from cytensor.registry import snake_case
from cytensor.tensor import Variable


class Module:
    """Base class for parts of a program that own variables, in attributes and in lists, tuples and dictionaries there.

    >>> import cytensor as ct
    >>> class Line(ct.Module):
    ...     def __init__(self):
    ...         super().__init__(name="line")
    ...         self.slope, self.parts = ct.Variable(2.), [ct.Variable(0., trainable=False)]
    >>> line = Line()
    >>> len(line.variables), len(line.trainable_variables)
    (2, 1)
    """

    def __init__(self, name: str | None = None) -> None:
        if name is not None and not (isinstance(name, str) and name.isidentifier()):
            raise ValueError(f"Module: name must be an identifier; got {name!r}")
        self._name = name or snake_case(type(self).__name__)

    @property
    def name(self) -> str:
        """The name that was given, or that of the class in lower case."""
        return self._name if "_name" in vars(self) else snake_case(type(self).__name__)

    def _found(self, wanted: Callable[[Any], bool]) -> tuple[Any, ...]:
        """What is wanted among the attributes and inside, each once, in the order of their names."""
        seen: set[int] = set()
        return tuple(_walk(self, wanted, seen))

    @property
    def variables(self) -> tuple[Variable, ...]:
        """All variables, those of layers and modules inside included."""
        return self._found(lambda x: isinstance(x, Variable))

    @property
    def trainable_variables(self) -> tuple[Variable, ...]:
        """Those that tapes watch."""
        return tuple(x for x in self.variables if x.trainable)

    @property
    def non_trainable_variables(self) -> tuple[Variable, ...]:
        """The others."""
        return tuple(x for x in self.variables if not x.trainable)

    @property
    def submodules(self) -> tuple[Any, ...]:
        """The modules and layers inside."""
        return self._found(lambda x: isinstance(x, (Module, Layer)) and x is not self)

    @classmethod
    def with_name_scope(cls, method: Callable[..., Any]) -> Callable[..., Any]:
        """The method as it is: names have no scopes here."""
        return method


def _walk(x: Any, wanted: Callable[[Any], bool], seen: set[int]) -> Iterator[Any]:
    if id(x) in seen:
        return
    seen.add(id(x))
    if wanted(x):
        yield x
    if isinstance(x, (list, tuple)):
        parts = list(x)
    elif isinstance(x, dict):
        parts = [x[key] for key in sorted(x, key=str)]
    elif isinstance(x, Layer):
        parts = [*x.weights, *x.sublayers]
    elif isinstance(x, Module):
        parts = [value for _, value in sorted(vars(x).items())]
    else:
        return
    for part in parts:
        yield from _walk(part, wanted, seen)
