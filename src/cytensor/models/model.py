"""Model: a layer that trains, is saved and summarised as a whole."""
import math
from collections.abc import Callable, Sequence
from typing import Any

from cytensor import registry, saving
from cytensor.layers import Layer, building
from cytensor.layers.building import shape_of
from cytensor.layers.inputs import in_known_rank
from cytensor.models import summary
from cytensor.printing import say
from cytensor.saving import load_model, model_from_json, save_model
from cytensor.tensor import Tensor
from cytensor.training.trainer import Trainer
from cytensor.types import Nested, Path, Shape, Shapes

__all__ = ["Model", "clone_model", "load_model", "model_from_json", "save_model"]


class Model(Trainer, Layer):
    """A layer that can be trained, saved and summarised. Subclass it with layers as attributes and a `call`.

    >>> from cytensor import layers
    >>> class Twice(Model):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.dense = layers.Dense(1)
    ...     def call(self, x):
    ...         return self.dense(x) * 2.
    >>> Twice()([[1., 2.]]).shape
    (1, 1)
    """

    _rounds_inputs = False        # the layers inside do, each by its own policy

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args or {"inputs", "outputs"} & set(kwargs):
            raise TypeError(f"{type(self).__name__}: models are made with Sequential([...]) or by subclassing Model; "
                            f"Model(inputs, outputs) does not exist here")
        super().__init__(**kwargs)

    def build(self, input_shape: Shapes = None) -> None:
        """Build the layers inside for inputs of `input_shape`, by calling the model on zeros; once.

        input_shape: with None for the batch axis; a list or dictionary of shapes for several inputs.
        """
        if type(self).build is Model.build and any(not layer.built for layer in self.sublayers):
            if input_shape is None:
                raise ValueError(f"{type(self).__name__}: build needs the shape of the input; "
                                 f"e.g. model.build((None, 784))")
            self._on_zeros(building.zeros_of(f"build: model '{self.name}'", input_shape, self.dtype))

    def _build_for(self, x: Nested) -> None:
        if type(self).build is Model.build:
            Layer.build(self, shape_of(x, batch=None))         # this call builds what is inside
        else:
            super()._build_for(x)

    def _explain(self, error: Exception, x: object) -> None:
        """Say what samples the model takes, too, where it was given others."""
        super()._explain(error, x)
        shape = self.build_shape
        if type(error) is ValueError and len(error.args) == 1 and isinstance(x, Tensor) and building.is_shape(shape):
            given, taken = in_known_rank(x, tuple(shape)).shape[1:], tuple(shape[1:])
            if _is_other(given, taken) and "the model takes" not in str(error):
                error.args = (f"{error}; the model takes samples of shape {taken}, and these are of shape {given}"
                              f"{_flatten_hint(given, taken)}",)

    @property
    def layers(self) -> list[Layer]:
        """The layers directly inside."""
        return self.sublayers

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of that name, or at that place."""
        layers = self.layers
        if name is None and index is None:
            raise ValueError("get_layer: give the name of a layer or its index; got neither")
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise IndexError(f"get_layer: index must be below {len(layers)}; got {index}")
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        known = ", ".join(layer.name for layer in layers)
        raise ValueError(f"get_layer: no layer is called {name!r}; known are {known}")

    def summary(self, line_length: int | None = None, positions: Sequence[float] | None = None,
                print_fn: Callable[[str], Any] | None = None, expand_nested: bool = False, show_trainable: bool = False,
                layer_range: Sequence[str] | None = None) -> None:
        """Print a table of the layers, their output shapes and numbers of parameters.

        line_length: of a line in characters, at most 88 and the terminal's by default. positions: where the columns
        end, as shares of the line: (0.45, 0.8, 1.0). print_fn: is given the text in place of `print`, which has plain
        lines where the standard output cannot show others. expand_nested:
        show the layers of models inside. show_trainable: a column for it, Y, N, or - without weights. layer_range: the
        names, or regular expressions for them, of the first and last layer to show.
        """
        text = summary.table(self, line_length, positions, expand_nested, show_trainable, layer_range)
        (print_fn or say)(text)

    def save(self, filepath: Path, overwrite: bool = True) -> None:
        """Write architecture, weights and optimizer state to one safetensors file; `load_model` reads it back.

        Whatever its ending: with another than .safetensors a warning says so. What cannot be described, for its class
        or function is not registered (`ct.saving.register_serializable`), is left out with a warning.
        """
        saving.save_model(self, filepath, overwrite)

    def to_json(self) -> str:
        """The architecture, without weights, as a JSON string; `model_from_json` makes a new model of it."""
        return saving.model_to_json(self)

    def save_weights(self, filepath: Path, overwrite: bool = True) -> None:
        """Write the weights to a safetensors file."""
        saving.save_weights(self, filepath, overwrite)

    def load_weights(self, filepath: Path, skip_mismatch: bool = False) -> None:
        """Take the weights of a safetensors file; ValueError where names or shapes differ, before anything changes.

        Files of Keras serve too (.keras, .weights.h5, .h5), where h5py is installed: pip install "cytensor[keras]".
        skip_mismatch: take those that fit, and warn of the others.
        """
        saving.load_weights(self, filepath, skip_mismatch)


def _is_other(given: Shape, taken: Shape) -> bool:
    """Whether a sample of one shape is none of another, in which None is any length."""
    return len(given) != len(taken) or any(n not in (None, m) for m, n in zip(given, taken, strict=True))


def _flatten_hint(given: tuple[int, ...], taken: Shape) -> str:
    lengths = [n for n in taken if n is not None]
    if len(given) <= len(taken) or len(lengths) < len(taken) or math.prod(given) != math.prod(lengths):
        return ""
    return "; a Flatten layer in front makes them that"


def clone_model(model: Model) -> Model:
    """A new model of the same architecture with fresh weights, not compiled; its classes must be registered.

    >>> from cytensor.layers import Dense, Input
    >>> from cytensor.models import Sequential
    >>> clone_model(Sequential([Input((4,)), Dense(2)])).count_params()
    10
    """
    if not isinstance(model, Model):
        raise TypeError(f"clone_model: model must be a Model; got {model!r}")
    return model_from_json(model.to_json())


registry.register("models", Model)
