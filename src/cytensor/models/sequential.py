"""Model and Sequential: layers that train as a whole."""
from cytensor import registry, saving
from cytensor.checks.arguments import is_integer
from cytensor.layers import InputLayer, Layer, building
from cytensor.layers.building import as_shape, shape_of
from cytensor.layers.inputs import in_known_rank
from cytensor.layers.naming import name_apart, unique
from cytensor.models import summary
from cytensor.printing import printable
from cytensor.tensor import Tensor
from cytensor.training.trainer import Trainer

__all__ = ["Model", "Sequential", "clone_model", "load_model", "model_from_json", "save_model"]

load_model = saving.load_model
save_model = saving.save_model
model_from_json = saving.model_from_json


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

    def __init__(self, *args, **kwargs):
        if args or {"inputs", "outputs"} & set(kwargs):
            raise TypeError(f"{type(self).__name__}: models are made with Sequential([...]) or by subclassing Model; "
                            f"Model(inputs, outputs) does not exist here")
        super().__init__(**kwargs)

    def build(self, input_shape=None):
        """Build the layers inside for inputs of `input_shape`, by calling the model on zeros; once.

        input_shape: with None for the batch axis; a list or dictionary of shapes for several inputs.
        """
        if type(self).build is Model.build and any(not layer.built for layer in self.sublayers):
            if input_shape is None:
                raise ValueError(f"{type(self).__name__}: build needs the shape of the input; "
                                 f"e.g. model.build((None, 784))")
            self._on_zeros(building.zeros_of(f"build: model '{self.name}'", input_shape, self.dtype))

    def _build_for(self, x):
        if type(self).build is Model.build:
            Layer.build(self, shape_of(x, batch=None))         # this call builds what is inside
        else:
            super()._build_for(x)

    @property
    def layers(self):
        """The layers directly inside."""
        return self.sublayers

    def get_layer(self, name=None, index=None):
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

    def summary(self, line_length=None, positions=None, print_fn=None, expand_nested=False, show_trainable=False,
                layer_range=None):
        """Print a table of the layers, their output shapes and numbers of parameters.

        line_length: of a line in characters, at most 88 and the terminal's by default. positions: where the columns
        end, as shares of the line: (0.45, 0.8, 1.0). print_fn: is given the text in place of `print`, which has plain
        lines where the standard output cannot show others. expand_nested:
        show the layers of models inside. show_trainable: a column for it, Y, N, or - without weights. layer_range: the
        names, or regular expressions for them, of the first and last layer to show.
        """
        text = summary.table(self, line_length, positions, expand_nested, show_trainable, layer_range)
        if print_fn is None:
            print(printable(text))
        else:
            print_fn(text)

    def save(self, filepath, overwrite=True):
        """Write architecture, weights and optimizer state to one safetensors file; `load_model` reads it back.

        Whatever its ending: with another than .safetensors a warning says so. What cannot be described, for its class
        or function is not registered (`ct.saving.register_serializable`), is left out with a warning.
        """
        saving.save_model(self, filepath, overwrite)

    def to_json(self):
        """The architecture, without weights, as a JSON string; `model_from_json` makes a new model of it."""
        return saving.model_to_json(self)

    def save_weights(self, filepath, overwrite=True):
        """Write the weights to a safetensors file."""
        saving.save_weights(self, filepath, overwrite)

    def load_weights(self, filepath, skip_mismatch=False):
        """Take the weights of a safetensors file; ValueError where names or shapes differ, before anything changes.

        Files of Keras serve too (.keras, .weights.h5, .h5), where h5py is installed: pip install "cytensor[keras]".
        skip_mismatch: take those that fit, and warn of the others.
        """
        saving.load_weights(self, filepath, skip_mismatch)


class Sequential(Model):
    """A stack of layers, each called on the output of the one before.

    layers: a list of layers. Built at once where the first is an `Input` or has `input_shape`, and otherwise when it
    first meets data.

    >>> from cytensor.layers import Dense, Input
    >>> model = Sequential([Input(shape=(4,)), Dense(3, activation="relu"), Dense(2)])
    >>> model.count_params()
    23
    """
    _bookkeeping = Model._bookkeeping | {"_by_name", "_numbers"}

    def __init__(self, layers=None, trainable=True, name=None, dtype=None):
        super().__init__(name=name, trainable=trainable, dtype=dtype)
        self._layers = []
        self._by_name = None               # {name: layer}; None where it has to be made anew
        self._numbers = {}                 # of names, for registry.unused_name
        self._shape_so_far = None          # the shape behind the last layer, where it is known
        self._rank = None                  # of the input
        for layer in layers or ():
            self._require_fit(layer)
            self._layers.append(layer)
        self._name_all()
        self._build_if_known()

    def add(self, layer, rebuild=True):
        """Append a layer, and build it where the shape of its input is known and `rebuild` is True.

        A layer may be added again: its weights are then used, and changed, in both places.
        """
        self._require_fit(layer)
        self._layers.append(layer)
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
            self._by_name = self._shape_so_far = None
            raise

    def pop(self, rebuild=True):
        """Remove and return the last layer; nothing has to be built again, whatever `rebuild` says."""
        if not self.layers:
            raise ValueError("pop: there is no layer left")
        self._by_name = self._shape_so_far = None
        return self._layers.pop()

    def _require_fit(self, layer):
        """Raise where this cannot come next."""
        if not isinstance(layer, Layer):
            raise TypeError(f"Sequential: only layers can be added; got {layer!r} ({type(layer).__name__})")
        if layer is self:
            raise ValueError(f"Sequential: a model cannot be a layer of its own; got '{layer.name}'")
        if isinstance(layer, InputLayer) and self._layers:
            raise ValueError("Sequential: an Input must come first")

    def _name_all(self):
        """Name the layers apart; ValueError where the user gave two of them one name."""
        layers = unique(self._layers)
        chosen = {}
        for layer in layers:
            if layer.named_by_user and chosen.setdefault(layer.name, layer) is not layer:
                raise ValueError(f"Sequential: names must differ; there is a layer '{layer.name}' already")
        name_apart(layers)
        self._by_name = {layer.name: layer for layer in layers}
        self._numbers = dict.fromkeys(self._by_name, 0)

    def _name_last(self):
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

    def _build_last(self):
        """Build the layer just added to a model that was built before it."""
        last, shape = self._layers[-1], self._shape_so_far
        if shape is None:
            shape = self.build_shape
            for layer in self._layers[:-1]:
                shape = layer.compute_output_shape(shape)
        last.build(shape)
        self._shape_so_far = last.compute_output_shape(shape)

    def _build_if_known(self):
        first = self._layers[0] if self._layers else None
        shape = first.input_shape if first is not None else None
        if shape is None and isinstance(first, Sequential):
            shape = first.build_shape
        if shape is not None and None not in shape[1:] and len(self._layers) > isinstance(first, InputLayer):
            self.build(shape)

    def _layers_among(self, inside):
        return self._layers

    @property
    def layers(self):
        """The layers, without the Input."""
        return [layer for layer in self._layers if not isinstance(layer, InputLayer)]

    @property
    def output_shape(self):
        """The shape of the output, None for the batch axis; None before the model is built."""
        return self.compute_output_shape(self.build_shape) if self.built else None

    def build(self, input_shape=None):
        """Build every layer for inputs of `input_shape`, None for the batch axis."""
        if input_shape is None:
            raise ValueError("Sequential: build needs the shape of the input; e.g. model.build((None, 784))")
        if not self._layers:
            raise ValueError(f"Sequential: there is no layer yet; add one to '{self.name}' with add()")
        given = shape = as_shape("Sequential", input_shape) if building.is_shape(input_shape) else input_shape
        for layer in self._layers:
            layer.build(shape)
            shape = layer.compute_output_shape(shape)
        self._shape_so_far = shape
        self.input_shape, self._rank = building.with_open_batch(given), len(given)

    def call(self, x, training=None):
        if type(x) is Tensor and x.ndim != self._rank:
            x = in_known_rank(x, self.input_shape)
        for layer in self._layers:
            x = layer(x)
        return x

    def compute_output_shape(self, input_shape):
        for layer in self._layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def _output_name(self):
        return self._layers[-1].name if self._layers else None

    def _as_input(self, x):
        return self._layers[0]._as_input(x) if self._layers else super()._as_input(x)

    def _casts(self):
        if not self._layers:
            return super()._casts()
        first = self._layers[0]
        if isinstance(first, Model):
            return first._casts()
        return {"dtype": first.dtype, "casts_integers": first.casts_integers, "several": False}

    def get_config(self):
        """Name, trainable and layers; and where one is in several places, `order`, the place in `layers` of each."""
        layers = unique(self._layers)
        config = {"name": self.name, "trainable": self.trainable, "layers": layers}
        if len(layers) < len(self._layers):
            places = {id(layer): place for place, layer in enumerate(layers)}
            config["order"] = [places[id(layer)] for layer in self._layers]
        return config

    @classmethod
    def from_config(cls, config):
        """A new model from what `get_config` returned."""
        config = dict(config)
        order = config.pop("order", None)
        if order is not None:
            layers = config["layers"]
            if not all(is_integer(place) and 0 <= place < len(layers) for place in order):
                raise ValueError(f"Sequential: order must be places in the {len(layers)} layers; got {order}")
            config["layers"] = [layers[place] for place in order]
        return cls(**config)


def clone_model(model):
    """A new model of the same architecture with fresh weights, not compiled; its classes must be registered.

    >>> from cytensor.layers import Dense, Input
    >>> clone_model(Sequential([Input((4,)), Dense(2)])).count_params()
    10
    """
    if not isinstance(model, Model):
        raise TypeError(f"clone_model: model must be a Model; got {model!r}")
    return model_from_json(model.to_json())


registry.register("models", Model, Sequential)
