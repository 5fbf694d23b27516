"""Model: a layer that trains, is saved and summarised as a whole."""
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self, cast

from cytensor import registry, saving
from cytensor.custom_objects import CustomObjectScope, naming
from cytensor.layers import Layer, building
from cytensor.layers.building import shape_of
from cytensor.layers.inputs import in_known_rank
from cytensor.layers.symbolic import computed
from cytensor.models import describing, functional, summary
from cytensor.models.cloning import cloned
from cytensor.models.graph import Graph
from cytensor.printing import say
from cytensor.saving import load_model, model_from_json, save_model
from cytensor.symbolic import KerasTensor
from cytensor.tensor import Tensor, Variable
from cytensor.training.per_output import Layout
from cytensor.training.trainer import Trainer
from cytensor.types import Config, Nested, Path, Shape, Shapes

__all__ = ["Model", "clone_model", "load_model", "model_from_json", "save_model"]


class Model(Trainer, Layer):
    """A layer that can be trained, saved and summarised: a graph, or a subclass with layers and a `call`.

    Model(inputs, outputs, name=None, trainable=True): what leads from some symbolic tensors to others, each one tensor
    or a structure of them; `Input` gives the first, and layers, operators and functions of `ct.ops` called on them the
    rest. A subclass may hand the two to `super().__init__`, or define `call` instead.

    >>> from cytensor import layers
    >>> x = layers.Input((2,))
    >>> hidden = layers.Dense(2, activation="relu")(x)
    >>> Model(x, layers.Dense(1)(hidden + x)).predict([[1., 2.]]).shape
    (1, 1)

    Or with a `call` of its own:

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
    _bookkeeping = Trainer._bookkeeping | {"_graph"}
    _functional: "ClassVar[type[Model]]"           # what Model(inputs, outputs) is
    _graph: Graph | None = None                    # where the model was made of inputs and outputs

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        if cls is Model and functional.is_given(args, kwargs):
            return super().__new__(cast(type[Self], cls._functional))
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        graph = None
        if args or {"inputs", "outputs"} & set(kwargs):
            graph, kwargs = functional.graph_of(type(self), args, kwargs)
        super().__init__(**kwargs)
        if graph is not None:
            functional.adopt(self, graph)

    def call(self, x: Any, training: bool | None = None, mask: Any = None) -> Any:
        if self._graph is None:
            return super().call(x)
        return functional.run(self, self._graph, x)

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
        """The layers directly inside; those of a graph from its inputs to its outputs, the Inputs too."""
        return self.sublayers if self._graph is None else list(self._graph.layers)

    # -- graphs -------------------------------------------------------------------------------------------------------
    @computed
    def inputs(self) -> list[KerasTensor]:
        """The symbolic tensors that the model was made of, in one list; AttributeError where it is no graph."""
        return self._graph_for("inputs").input_tensors

    @computed
    def outputs(self) -> list[KerasTensor]:
        """The symbolic tensors that the model gives, in one list; AttributeError where it is no graph."""
        return self._graph_for("outputs").output_tensors

    @computed
    def input(self) -> Nested:
        """The symbolic tensor that the model was made of, or the structure of several."""
        return self._graph_for("input").inputs

    @computed
    def output(self) -> Nested:
        """The symbolic tensor that the model gives, or the structure of several."""
        return self._graph_for("output").outputs

    @computed
    def output_names(self) -> list[str]:
        """The names of the layers that give the outputs, by which `compile` and `fit` take losses and targets."""
        return self._graph_for("output_names").output_names

    @computed
    def output_shape(self) -> Shapes:
        """The shape of the output, None for the axis of samples; a list of those of several."""
        return functional.listed_shapes(self._graph_for("output_shape").output_tensors)

    def _graph_for(self, what: str) -> Graph:
        """The graph that the model is; AttributeError, about `what`, where it is none."""
        if self._graph is None:
            raise AttributeError(f"{type(self).__name__} '{self.name}' has no {what}: only a model that is a graph "
                                 f"has, Model(inputs, outputs) or a Sequential that is built; here `call` says all")
        return self._graph

    def _layout(self) -> Layout | None:
        return None if self._graph is None else Layout(self._graph.outputs, self._graph.output_names)

    def _output_name(self) -> str | None:
        return None if self._graph is None or len(self._graph.output_tensors) > 1 else self._graph.output_names[0]

    def _layers_among(self, inside: list[Variable | Layer]) -> list[Layer]:
        others = super()._layers_among(inside)
        return others if self._graph is None else [*self._graph.layers, *others]

    def _as_input(self, x: Nested) -> Any:
        return super()._as_input(x) if self._graph is None else functional.as_input(self, self._graph, x)

    def _symbolic_output(self, x: Nested, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Nested:
        if self._graph is None or args or type(self).call is not Model.call:
            return super()._symbolic_output(x, args, kwargs)
        return functional.symbolic_output(self, self._graph, x)

    def compute_output_shape(self, input_shape: Shapes) -> Shapes:
        if self._graph is None or type(self).call is not Model.call:
            return super().compute_output_shape(input_shape)
        return functional.output_shape(self, self._graph, input_shape)

    def get_config(self) -> Config:
        """The constructor's arguments; of a graph its layers and how they are connected, as `from_config` takes it."""
        if self._graph is None or not functional.is_made_of_graph(type(self)):
            return super().get_config()
        return {"name": self.name, "trainable": self.trainable, **describing.described(self._graph)}

    @classmethod
    def from_config(cls, config: Config, custom_objects: Mapping[str, Any] | None = None) -> Self:
        """A new model from what `get_config` returned; custom_objects: {name: class or function} of one's own."""
        with CustomObjectScope(custom_objects):
            return cls._from_config(registry.in_objects(config))

    @classmethod
    def _from_config(cls, config: Config) -> Self:
        if not {"layers", "input_layers", "output_layers"} <= config.keys() or not functional.is_made_of_graph(cls):
            return super().from_config(config)
        return cast(Self, functional.from_config(cls, config))

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

    def _repr_html_(self) -> str:
        return summary.html(self)

    def save(self, filepath: Path, overwrite: bool = True) -> None:
        """Write architecture, weights and optimizer state to one safetensors file; `load_model` reads it back.

        Whatever its ending: with another than .safetensors a warning says so. Classes and functions of one's own are
        named, and given again to `load_model` (`custom_objects`) or registered (`ct.saving.register_serializable`);
        what has no name, as a lambda, is left out with a warning.
        """
        saving.save_model(self, filepath, overwrite)

    def export(self, filepath: Path, format: str = "onnx", verbose: bool | None = None) -> None:
        """Write the model as ONNX (opset 18), which other programs run: `pip install "cytensor[onnx]"`.

        As in inference: without dropout, noise and losses. The axis of samples stays open; inputs and outputs have the
        names of their layers. ValueError, with its name, for a layer or function that has no form in ONNX, and for a
        model that is not built; ImportError where onnx is not installed. As Keras's `export(path, format="onnx")`.
        """
        from cytensor.export import export_onnx  # knows models
        if format != "onnx":
            raise ValueError(f"export: format must be 'onnx'; got {format!r}; `save` writes what load_model reads")
        export_onnx(self, filepath)

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


def clone_model(model: Model, input_tensors: Nested = None,
                clone_function: Callable[[Any], Any] | None = None) -> Model:
    """A new model of the same architecture with fresh weights, not compiled.

    input_tensors: symbolic tensors that take the place of the inputs. clone_function: gives for each layer the layer in
    its place, by default `type(layer).from_config(layer.get_config())`; a layer given back is shared.
    TypeError where a part has no name by which it could be made again, as a lambda.

    >>> from cytensor.layers import Dense, Input
    >>> from cytensor.models import Sequential
    >>> clone_model(Sequential([Input((4,)), Dense(2)])).count_params()
    10
    """
    if not isinstance(model, Model):
        raise TypeError(f"clone_model: model must be a Model; got {model!r}")
    if input_tensors is not None or clone_function is not None:
        return cloned(model, clone_function, input_tensors)
    with naming() as own:
        description = model.to_json()
    return model_from_json(description, own)


class Functional(Model):
    """What `Model(inputs, outputs)` is: a graph of layers and functions between symbolic tensors."""


Model._functional = Functional
registry.register("models", Model)
registry.register_for_files("models", Functional)
