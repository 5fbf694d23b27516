"""Layers that make one tensor of several; each also as a function: add([a, b])."""
from cytensor import ops
from cytensor.halves import widened
from cytensor.layers.axes import within
from cytensor.layers.base import Layer
from cytensor.layers.settings import Setting


class _Merge(Layer):
    """Takes a list of tensors and combines them two by two."""

    def _as_input(self, x):
        return x                           # checked in call, one by one

    def call(self, inputs):
        inputs = self.checked(inputs)
        result = inputs[0]
        for other in inputs[1:]:
            result = self.combine(result, other)
        return result

    def checked(self, inputs):
        if not isinstance(inputs, (list, tuple)) or not inputs:
            got = "an empty one" if isinstance(inputs, (list, tuple)) else type(inputs).__name__
            raise ValueError(f"{type(self).__name__}: a list of tensors is expected; got {got}")
        return [x if x.dtype == self.dtype else x.astype(self.dtype) for x in map(ops.convert_to_tensor, inputs)]

    def combine(self, a, b):
        raise NotImplementedError

    def compute_output_shape(self, input_shape):
        return input_shape[0]


class Add(_Merge):
    """The sum of its inputs.

    >>> add([[1.], [2.]]).numpy()
    array([3.], dtype=float32)
    """

    def combine(self, a, b):
        return a + b


class Subtract(_Merge):
    """The first input minus the second."""

    def checked(self, inputs):
        if isinstance(inputs, (list, tuple)) and len(inputs) != 2:
            raise ValueError(f"Subtract: two inputs are expected; got {len(inputs)}")
        return super().checked(inputs)

    def combine(self, a, b):
        return a - b


class Multiply(_Merge):
    """The product of its inputs, elementwise."""

    def combine(self, a, b):
        return a * b


class Average(_Merge):
    """The mean of its inputs, elementwise."""

    def call(self, inputs):
        inputs = list(map(widened, self.checked(inputs)))
        return (sum(inputs[1:], start=inputs[0]) / float(len(inputs))).astype(self.dtype)


class Maximum(_Merge):
    """The largest of its inputs, elementwise."""

    def combine(self, a, b):
        return ops.maximum(a, b)


class Minimum(_Merge):
    """The smallest of its inputs, elementwise."""

    def combine(self, a, b):
        return ops.minimum(a, b)


class Concatenate(_Merge):
    """Its inputs side by side along `axis`."""
    axis = Setting()

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs):
        inputs = self.checked(inputs)
        return ops.concat(inputs, axis=within("Concatenate", self.axis, inputs[0].ndim)[0])

    def compute_output_shape(self, input_shape):
        joined = list(input_shape[0])
        axis, = within("Concatenate", self.axis, len(joined))
        lengths = [shape[axis] for shape in input_shape]
        joined[axis] = None if None in lengths else sum(lengths)
        return tuple(joined)


def add(inputs):
    """The sum of a list of tensors."""
    return Add()(inputs)


def subtract(inputs):
    """The first of two tensors minus the second."""
    return Subtract()(inputs)


def multiply(inputs):
    """The product of a list of tensors, elementwise."""
    return Multiply()(inputs)


def average(inputs):
    """The mean of a list of tensors, elementwise."""
    return Average()(inputs)


def maximum(inputs):
    """The largest of a list of tensors, elementwise."""
    return Maximum()(inputs)


def minimum(inputs):
    """The smallest of a list of tensors, elementwise."""
    return Minimum()(inputs)


def concatenate(inputs, axis=-1):
    """A list of tensors side by side along `axis`."""
    return Concatenate(axis)(inputs)
