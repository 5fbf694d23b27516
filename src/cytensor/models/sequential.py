"""Sequential: a stack of layers."""
import itertools
from collections.abc import Iterable
from typing import Any, Self

import numpy as np

from cytensor import registry
from cytensor.checks.arguments import is_integer
from cytensor.halves import in_numpy
from cytensor.layers import InputLayer, Layer, building
from cytensor.layers.building import as_shape
from cytensor.layers.inputs import in_known_rank
from cytensor.layers.naming import name_apart, unique
from cytensor.layers.symbolic import computed
from cytensor.models.graph import Graph
from cytensor.models.model import Model
from cytensor.symbolic import KerasTensor, Node, symbolic_in
from cytensor.tensor import Tensor, Variable
from cytensor.types import Config, DTypeLike, Nested, Shapes

__all__ = ["Model", "Sequential"]


class Sequential(Model):
    """A stack of layers, each called on the output of the one before: the graph that is a chain.

    layers: a list of layers. Built at once where the first is an `Input` or has `input_shape`, and otherwise when it
    first meets data. Once it is built it has `inputs` and `outputs` as every graph, and each layer its own.

    >>> from cytensor.layers import Dense, Input
    >>> model = Sequential([Input(shape=(4,)), Dense(3, activation="relu"), Dense(2)])
    >>> model.count_params()
    23
    """
    _bookkeeping = Model._bookkeeping | {"_by_name", "_numbers", "_entry", "_tensors", "_chain"}
    _entry: InputLayer | None = None       # of the graph, where the first layer is none
    _chain: Graph | None = None            # the graph, once somebody asked for it
    input_shape: Shapes

    def __init__(self, layers: Iterable[Layer | KerasTensor] | None = None, trainable: bool = True,
                 name: str | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__(name=name, trainable=trainable, dtype=dtype)
        self._layers: list[Layer] = []
        self._by_name: dict[str, Layer] | None = None      # None where it has to be made anew
        self._numbers: dict[str, int] = {}                 # of names, for registry.unused_name
        self._shape_so_far: Shapes = None                  # the shape behind the last layer, where it is known
        self._rank: int | None = None                      # of the input
        self._tensors: list[KerasTensor] = []              # symbolic ones, behind each layer
        for layer in layers or ():
            self._layers.append(self._fitting(layer))
        self._name_all()
        self._build_if_known()

    def add(self, layer: Layer | KerasTensor, rebuild: bool = True) -> None:
        """Append a layer, and build it where the shape of its input is known and `rebuild` is True.

        A layer may be added again: its weights are then used, and changed, in both places.
        """
        self._layers.append(self._fitting(layer))
        try:
            self._name_last()
            if not rebuild:
                self._shape_so_far = None
            elif self.built:
                self._build_last()
            else:
                self._build_if_known()
        except BaseException:
            self._layers.pop()
            self._by_name = self._shape_so_far = self._chain = None
            raise

    def pop(self, rebuild: bool = True) -> Layer:
        """Remove and return the last layer; nothing has to be built again, whatever `rebuild` says."""
        if not self.layers:
            raise ValueError("pop: there is no layer left")
        self._by_name = self._shape_so_far = self._chain = None
        del self._tensors[len(self._layers) - 1:]
        return self._layers.pop()

    def _fitting(self, layer: Any) -> Layer:
        """The layer; that of an `Input`. Raises where it cannot come next."""
        if type(layer) is KerasTensor:
            if layer.node is None or not isinstance(layer.node.operation, InputLayer):
                raise ValueError(f"Sequential: only layers can be added, and an Input at the head; got {layer!r}, "
                                 f"which a layer gave: Model(inputs, outputs) makes a model of it")
            layer = layer.node.operation
        if not isinstance(layer, Layer):
            raise TypeError(f"Sequential: only layers can be added; got {layer!r} ({type(layer).__name__})")
        if layer is self:
            raise ValueError(f"Sequential: a model cannot be a layer of its own; got '{layer.name}'")
        if isinstance(layer, InputLayer) and self._layers:
            raise ValueError("Sequential: an Input must come first")
        return layer

    def _name_all(self) -> None:
        """Name the layers apart; ValueError where the user gave two of them one name."""
        layers = unique(self._layers)
        chosen: dict[str, Layer] = {}
        for layer in layers:
            if layer.named_by_user and chosen.setdefault(layer.name, layer) is not layer:
                raise ValueError(f"Sequential: names must differ; there is a layer '{layer.name}' already")
        name_apart(layers)
        self._by_name = {layer.name: layer for layer in layers}
        self._numbers = dict.fromkeys(self._by_name, 0)

    def _name_last(self) -> None:
        """Name the layer just added apart from the others, which keep their names if they can."""
        layer = self._layers[-1]
        if self._by_name is None:
            self._name_all()
            return
        known = self._by_name.get(layer.name)
        if known is layer:
            return
        if layer.named_by_user and known is not None:
            self._name_all()               # one of the two gives way
            return
        if not layer.named_by_user:
            layer._rename(registry.unused_name(registry.snake_case(type(layer).__name__), self._numbers))
        self._numbers.setdefault(layer.name, 0)
        self._by_name[layer.name] = layer

    def _build_last(self) -> None:
        """Build the layer just added to a model that was built before it."""
        last, shape = self._layers[-1], self._shape_so_far
        if shape is None:
            shape = self.build_shape
            for layer in self._layers[:-1]:
                shape = layer.compute_output_shape(shape)
        self._shape_so_far = _built(last, shape)
        self._connect(len(self._layers) - 1, shape, self._shape_so_far)

    def _build_if_known(self) -> None:
        first = self._layers[0] if self._layers else None
        shape = first.input_shape if first is not None else None
        if shape is None and isinstance(first, Sequential):
            shape = first.build_shape
        if shape is not None and None not in shape[1:] and len(self._layers) > isinstance(first, InputLayer):
            self.build(shape)

    def _layers_among(self, inside: list[Variable | Layer]) -> list[Layer]:
        return self._layers

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the Input."""
        return [layer for layer in self._layers if not isinstance(layer, InputLayer)]

    @computed
    def output_shape(self) -> Shapes:
        """The shape of the output, None for the batch axis; None before the model is built."""
        return self.compute_output_shape(self.build_shape) if self.built else None

    def build(self, input_shape: Shapes = None) -> None:
        """Build every layer for inputs of `input_shape`, None for the batch axis."""
        if input_shape is None:
            raise ValueError("Sequential: build needs the shape of the input; e.g. model.build((None, 784))")
        if not self._layers:
            raise ValueError(f"Sequential: there is no layer yet; add one to '{self.name}' with add()")
        given = shape = as_shape("Sequential", input_shape) if building.is_shape(input_shape) else input_shape
        shapes = [shape]
        for layer in self._layers:
            shape = _built(layer, shape)
            shapes.append(shape)
        self._shape_so_far = shape
        for place, pair in enumerate(itertools.pairwise(shapes)):
            self._connect(place, *pair)
        self.input_shape, self._rank = building.with_open_batch(given), len(given)

    # -- the graph ----------------------------------------------------------------------------------------------------
    def _connect(self, place: int, before: Shapes, after: Shapes) -> None:
        """Note the call of the layer at `place`, so that the layers have symbolic inputs and outputs."""
        self._chain = None
        layer, tensors = self._layers[place], self._tensors
        del tensors[place:]
        if not building.is_shape(before) or not building.is_shape(after) or len(tensors) < place:
            return
        if isinstance(layer, InputLayer):
            self._entry = layer
            tensors.append(layer.output)
            return
        if place == 0:
            self._entry = InputLayer(batch_shape=before, dtype=layer.dtype)
        entry = tensors[-1] if place or self._entry is None else self._entry.output
        output = KerasTensor(after, layer._output_dtype(entry))
        Node(layer, (entry,), {}, output)
        tensors.append(output)

    def _graph_for(self, what: str) -> Graph:
        if self._chain is None:
            if not self.built:
                raise AttributeError(f"Sequential '{self.name}' has no {what} before it is built; let it begin with "
                                     f"Input(shape), or call build")
            if len(self._tensors) != len(self._layers):
                self._reconnect()
            if self._entry is None or not self._tensors:       # it takes several inputs, or gives several outputs
                return super()._graph_for(what)
            self._chain = Graph("Sequential", [self._entry.output], [self._tensors[-1]])
        return self._chain

    def _reconnect(self) -> None:
        """Note the calls of all layers anew, as after `pop` and in a copy."""
        shape = self.build_shape
        for place, layer in enumerate(self._layers):
            after = layer.compute_output_shape(shape)
            self._connect(place, shape, after)
            shape = after

    @computed
    def input(self) -> Nested:
        """The symbolic tensor that the model was first called on; before any such call that of its own graph."""
        return self._nodes[0].input_structure() if self._nodes else self._graph_for("input").input_tensors[0]

    @computed
    def output(self) -> Nested:
        """The symbolic tensor that the first such call gave; before it that of its own graph."""
        return self._nodes[0].outputs if self._nodes else self._graph_for("output").output_tensors[0]

    def _symbolic_output(self, x: Nested, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Nested:
        return Layer._symbolic_output(self, x, args, kwargs)

    def _output_dtype(self, x: Nested) -> np.dtype[Any]:
        for layer in self._layers:
            x = KerasTensor((), layer._output_dtype(x))
        return next(symbolic_in(x)).dtype

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_entry": None, "_chain": None, "_tensors": []}

    def call(self, x: Any, training: bool | None = None, mask: Any = None) -> Any:
        if type(x) is Tensor and x.ndim != self._rank:
            x = in_known_rank(x, self.input_shape)
        for layer in self._layers:
            x = layer(x)
        return x

    def compute_output_shape(self, input_shape: Shapes) -> Shapes:
        for layer in self._layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def _output_name(self) -> str | None:
        return self._layers[-1].name if self._layers and not self._may_have_several_outputs() else None

    def _names_of_outputs(self) -> list[str] | None:
        return super()._names_of_outputs() if self._may_have_several_outputs() else []

    def _may_have_several_outputs(self) -> bool:
        return bool(self._layers) and isinstance(self._layers[-1], Model) and not isinstance(
            self._layers[-1], Sequential)

    def _as_input(self, x: Nested) -> Any:
        return self._layers[0]._as_input(x) if self._layers else super()._as_input(x)

    def _casts(self) -> dict[str, Any]:
        if not self._layers:
            return super()._casts()
        first = self._layers[0]
        if isinstance(first, Model):
            return {**first._casts(), "outputs": self._names_of_outputs()}
        takes_several = first.takes_several and not isinstance(first, InputLayer)
        return {"dtype": in_numpy(first.dtype), "casts_integers": first.casts_integers, "several": takes_several,
                "outputs": self._names_of_outputs()}

    def get_config(self) -> Config:
        """Name, trainable and layers; and where one is in several places, `order`, the place in `layers` of each."""
        layers = unique(self._layers)
        config = {"name": self.name, "trainable": self.trainable, "layers": layers}
        if len(layers) < len(self._layers):
            places = {id(layer): place for place, layer in enumerate(layers)}
            config["order"] = [places[id(layer)] for layer in self._layers]
        return config

    @classmethod
    def _from_config(cls, config: Config) -> Self:
        config = dict(config)
        order = config.pop("order", None)
        if order is not None:
            layers = config["layers"]
            if not all(is_integer(place) and 0 <= place < len(layers) for place in order):
                raise ValueError(f"Sequential: order must be places in the {len(layers)} layers; got {order}")
            config["layers"] = [layers[place] for place in order]
        return cls(**config)


registry.register("models", Sequential)


def _built(layer: Layer, shape: Shapes) -> Shapes:
    """Build a layer; the shape of its output. An error says which layer it is of."""
    try:
        layer.build(shape)
        return layer.compute_output_shape(shape)
    except Exception as error:
        error.add_note(f"in layer '{layer.name}' ({type(layer).__name__}), input of shape {shape}")
        raise
