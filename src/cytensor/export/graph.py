"""A graph of ONNX as it grows: values with operators, nodes, constants. It knows neither models nor the library."""
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from cytensor.tensor import Tensor
from cytensor.types import Array, Shape

DTYPES = ("bool", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


class Node(NamedTuple):
    """One node: the operation, the names that it reads and writes, and its attributes."""

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]


class Value:
    """What a node gives: a name, a dtype, and the shape where it is known, None for a length that is not.

    Operators make nodes; Python's numbers and arrays beside a value become constants of its dtype.
    """

    def __init__(self, graph: "OnnxGraph", name: str, dtype: Any, shape: Shape | None = None) -> None:
        self.graph: OnnxGraph = graph
        self.name: str = name
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.shape: Shape | None = shape
        self.mask: Value | None = None      # which of its places are data, as layers carry it along

    @property
    def known_shape(self) -> Shape:
        """The shape; TypeError where it is not known."""
        if self.shape is None:
            raise TypeError(f"the shape of '{self.name}' is not known")
        return self.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.known_shape)

    def __add__(self, other: Any) -> "Value":
        return self.graph.op("Add", self, other)

    def __radd__(self, other: Any) -> "Value":
        return self.graph.op("Add", other, self)

    def __sub__(self, other: Any) -> "Value":
        return self.graph.op("Sub", self, other)

    def __rsub__(self, other: Any) -> "Value":
        return self.graph.op("Sub", other, self)

    def __mul__(self, other: Any) -> "Value":
        return self.graph.op("Mul", self, other)

    def __rmul__(self, other: Any) -> "Value":
        return self.graph.op("Mul", other, self)

    def __truediv__(self, other: Any) -> "Value":
        return self.graph.op("Div", self, other)

    def __rtruediv__(self, other: Any) -> "Value":
        return self.graph.op("Div", other, self)

    def __neg__(self) -> "Value":
        return self.graph.op("Neg", self)

    def __abs__(self) -> "Value":
        return self.graph.op("Abs", self)


class OnnxGraph:
    """Nodes in the order in which they run, and constants by name; weights that are shared are there once."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.constants: dict[str, Array] = {}
        self._names: dict[str, int] = {}
        self._shared: dict[tuple[Any, ...], Value] = {}
        self._held: list[Any] = []                      # what _shared knows by identity stays alive
        self._transposed: dict[str, tuple[Value, tuple[int, ...]]] = {}

    # -- names and constants ------------------------------------------------------------------------------------------
    def name(self, stem: str) -> str:
        """A name that nothing else in the graph has."""
        count = self._names.get(stem)
        self._names[stem] = 1 if count is None else count + 1
        return stem if count is None else self.name(f"{stem}_{count}")

    def constant(self, values: Any, dtype: Any = None, stem: str = "constant") -> Value:
        """A constant of those values."""
        array = np.asarray(values, dtype)
        if array.dtype.name not in DTYPES:
            raise TypeError(f"a constant of dtype {array.dtype} has no place in ONNX here")
        name = self.name(stem)
        self.constants[name] = np.ascontiguousarray(array).reshape(array.shape)
        return Value(self, name, array.dtype, array.shape)

    def integers(self, *values: int) -> Value:
        """A vector of int64: axes, shapes."""
        key = ("integers", values)
        return self._remembered(key, lambda: self.constant(np.array(values, np.int64), stem="integers"))

    def weight(self, variable: Tensor, stem: str, permuted: Sequence[int] | None = None,
               shape: Sequence[int] | None = None) -> Value:
        """The values of a weight, permuted and reshaped; one constant for each form, whoever asks."""
        form = ("weight", id(variable), tuple(permuted or ()), tuple(shape or ()))
        self._held.append(variable)

        def make() -> Value:
            array = variable.numpy()
            array = array if permuted is None else array.transpose(tuple(permuted))
            return self.constant(array if shape is None else array.reshape(tuple(shape)), stem=stem)
        return self._remembered(form, make)

    def _remembered(self, key: tuple[Any, ...], make: Any) -> Value:
        if key not in self._shared:
            self._shared[key] = make()
        return self._shared[key]

    # -- nodes --------------------------------------------------------------------------------------------------------
    def op(self, op: str, *inputs: Any, dtype: Any = None, shape: Shape | None = None, **attributes: Any) -> Value:
        """A node with one output, of `dtype`, or that of the first value among the inputs.

        inputs: values; None for one left out; numbers and arrays, which become constants of the first value's dtype.
        """
        return self.several(op, *inputs, dtypes=(dtype,), shape=shape, **attributes)[0]

    def several(self, op: str, *inputs: Any, dtypes: Sequence[Any], shape: Shape | None = None,
                **attributes: Any) -> list[Value]:
        """A node with an output for each of `dtypes`."""
        first = next(one for one in inputs if isinstance(one, Value))
        names = ["" if one is None else one.name if isinstance(one, Value) else self._beside(one, first).name
                 for one in inputs]
        outputs = [Value(self, self.name(op.lower()), dtype or first.dtype, shape) for dtype in dtypes]
        given = {key: value for key, value in attributes.items() if value is not None}
        self.nodes.append(Node(op, tuple(names), tuple(one.name for one in outputs), given))
        return outputs

    def _beside(self, number: Any, value: Value) -> Value:
        """A constant of the value's dtype."""
        array = np.asarray(number, value.dtype)
        if array.ndim:
            return self.constant(array)
        return self._remembered(("number", array.tobytes(), value.dtype), lambda: self.constant(array, stem="number"))

    def cast(self, x: Value, dtype: Any) -> Value:
        """x in a dtype; x itself where it has it."""
        dtype = np.dtype(dtype)
        if dtype == x.dtype:
            return x
        return self.op("Cast", x, dtype=dtype, shape=x.shape, to=dtype)

    def transpose(self, x: Value, order: Sequence[int]) -> Value:
        """The axes in another order; what turns a transpose back is what was before it."""
        order = tuple(order)
        if order == tuple(range(len(order))):
            return x
        source, before = self._transposed.get(x.name, (x, tuple(range(len(order)))))
        order = tuple(before[axis] for axis in order)
        if order == tuple(range(len(order))):
            return source
        shape = None if source.shape is None else tuple(source.shape[axis] for axis in order)
        result = self.op("Transpose", source, shape=shape, perm=list(order))
        self._transposed[result.name] = (source, order)
        return result

    def renamed(self, x: Value, name: str) -> Value:
        """x under a name that was kept for it: an output of the graph."""
        self.nodes.append(Node("Identity", (x.name,), (name,), {}))
        return Value(self, name, x.dtype, x.shape)

    def needed(self, outputs: Sequence[str]) -> tuple[list[Node], dict[str, Array]]:
        """The nodes and constants that lead to the outputs."""
        wanted, nodes = set(outputs), list[Node]()
        for node in reversed(self.nodes):
            if wanted & set(node.outputs):
                nodes.append(node)
                wanted |= set(node.inputs)
        return nodes[::-1], {name: array for name, array in self.constants.items() if name in wanted}
