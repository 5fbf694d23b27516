"""Lambda: a function as a layer, for models in memory."""
import inspect
from collections.abc import Callable
from typing import Any

from cytensor.layers import symbolic
from cytensor.layers.base import Layer
from cytensor.layers.building import shape_of
from cytensor.types import Nested, Shapes


class Lambda(Layer):
    """`function(inputs, **arguments)` as a layer; given `training` too where it takes that.

    It has no weights: what a function reads from outside is not trained. output_shape: of a sample, or a function of
    the input's shape; found by trying where it is None. A file names functions and never holds code: a model with a
    lambda in it is not saved whole, and one with a function of one's own is loaded with `custom_objects`. mask: that of
    the output, or a function (inputs, mask) of those of the input that gives it; None drops masks.

    >>> Lambda(lambda x: x * 2.)([[1., 2.]]).numpy()
    array([[2., 4.]], dtype=float32)
    """
    function: Callable[..., Any]
    arguments: dict[str, Any]
    output_shape: Any
    mask: Any
    supports_masking: bool
    makes_masks: bool

    def __init__(self, function: Callable[..., Any], output_shape: Any = None, mask: Any = None,
                 arguments: dict[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise TypeError(f"Lambda: function must be a function; got {function!r}")
        self.function, self.mask, self.arguments = function, mask, dict(arguments or {})
        self.output_shape = output_shape
        self.supports_masking = self.makes_masks = mask is not None
        self._wants_training = "training" in inspect.signature(function).parameters

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if self._wants_training:
            return self.function(inputs, **{**self.arguments, "training": bool(training)})
        return self.function(inputs, **self.arguments)

    def compute_mask(self, inputs: Nested, previous_mask: Nested) -> Nested:
        """What `mask` says."""
        return self.mask(inputs, previous_mask) if callable(self.mask) else self.mask

    def _build_for(self, x: Nested) -> None:
        self.build(shape_of(x, batch=None))            # its output's shape is known by calling it alone

    def _symbolic_output(self, x: Nested, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Nested:
        if self.output_shape is None:
            return symbolic.tried(self, x, args, kwargs)
        return super()._symbolic_output(x, args, kwargs)

    def compute_output_shape(self, input_shape: Shapes) -> Shapes:
        if self.output_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self.output_shape):
            return tuple(self.output_shape(input_shape))
        sample = self.output_shape if isinstance(self.output_shape, (list, tuple)) else (self.output_shape,)
        return (None, *sample)
