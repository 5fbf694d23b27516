"""Layer: something with weights that maps tensors to tensors. The base class of every layer and of models."""
import inspect
import threading

import numpy as np

from cytensor import constraints, initializers, registry, regularizers
from cytensor.checks import arguments, budget
from cytensor.dtypes import as_dtype
from cytensor.layers import building, inputs
from cytensor.layers.building import as_shape, shape_of
from cytensor.layers.naming import named_weights, unique
from cytensor.layers.settings import Setting
from cytensor.nested import flatten
from cytensor.tensor import Tensor, Variable, asarray


class _Context(threading.local):
    """What the outermost call said about `training`, for the layers inside; one per thread."""
    training = None
    call = None                # stands for the outermost call
    checker = None             # set by debugging.check_numerics


_context = _Context()
# Types whose values hold neither variables nor layers. Others are added as they are met: a training step asks for the
# weights of a model every time, and isinstance for every attribute would be most of that.
_PLAIN = {str, int, float, bool, type(None), np.dtype}


class Layer(registry.Configurable):
    """Base class. Subclasses define `call(x)` or `call(x, training=None)`, and usually `build(input_shape)`.

    `build` is called once, with the shape of the first input (its first axis None), and makes weights by
    `add_weight`; called again, by whomever, it does nothing. Layers and variables kept as attributes, or in lists and
    dictionaries, belong to the layer. Arrays become tensors, also those inside a list, tuple or dictionary of several
    inputs, and floats are cast to the layer's dtype.

    >>> class Scale(Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")
    ...     def call(self, x):
    ...         return x * self.factor
    >>> Scale()([[1., 2.]]).numpy()
    array([[1., 2.]], dtype=float32)
    """
    # Attributes of this class that own nothing: what they hold is owned elsewhere. A subclass adds its own.
    _bookkeeping = frozenset({"_settings", "_weights", "_regularizers", "_added_losses", "_losses_of"})
    casts_integers = False        # whether integer inputs are cast too; not where they are indices
    takes_several = True          # whether `call` may be given several inputs, in a list, tuple or dictionary
    _takes_training = False       # whether `call` has an argument of that name
    _requires_training = False    # and has no default for it
    dtype = Setting(lambda dtype: as_dtype("Layer", dtype), fixed=True)
    activity_regularizer = Setting(regularizers.get, optional=True)      # a function of the output

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if not hasattr(cls.build, "builds_once"):          # its own, or that of a class beside Layer
            cls.build = building.once(cls.build)
        parameter = inspect.signature(cls.call).parameters.get("training")
        cls._takes_training = parameter is not None
        cls._requires_training = parameter is not None and parameter.default is parameter.empty

    def __new__(cls, *args, **kwargs):
        # State is made here, so that a subclass that forgets super().__init__() works all the same.
        self = super().__new__(cls, *args, **kwargs)
        self._settings = {}                # what was set after construction, and is saved
        self.named_by_user = False
        self.built = False
        self._builder = self.build_shape = None        # the thread that is building it; what for
        self.input_shape = None            # given by input_shape=, input_dim= or the first call
        self._trainable = True
        self._weights = []                 # made by add_weight
        self._regularizers = []            # (variable, function)
        self._added_losses = []            # scalars from add_loss
        self._losses_of = None             # the outermost call that they are of
        vars(self).update(_name=registry.snake_case(cls.__name__), dtype=np.dtype(np.float32),
                          activity_regularizer=None)
        return self

    def __init__(self, *, activity_regularizer=None, trainable=True, dtype=None, name=None, input_shape=None,
                 input_dim=None, **unknown):
        if unknown:
            arguments.refuse_unknown(type(self), list(unknown))
        if name is not None:
            self._take_name(name)
        if dtype is not None:
            vars(self)["dtype"] = as_dtype(type(self).__name__, dtype)
        self._trainable = bool(trainable)
        vars(self)["activity_regularizer"] = regularizers.get(activity_regularizer)
        if input_dim is not None:
            input_shape = (input_dim,)
        if input_shape is not None:
            self.input_shape = (None, *as_shape(type(self).__name__, input_shape, "input_shape"))

    @property
    def name(self):
        """What the layer is called: by the user, or after its class, with a number beside others of it."""
        return self._name

    @name.setter
    def name(self, value):
        self._take_name(value)
        self._settings["name"] = value

    def _take_name(self, name):
        if not isinstance(name, str) or not name or "/" in name:
            raise ValueError(f"{type(self).__name__}: name must be a string without '/'; got {name!r}")
        self._name, self.named_by_user = name, True

    def _rename(self, name):
        """Take a name that was made up."""
        if not self.named_by_user:
            self._name = name

    def get_config(self):
        """The arguments as a dictionary, with what was set since; `type(self).from_config` takes it back."""
        config = super().get_config()
        known = arguments.known_keywords(type(self))
        return {**config, **{name: registry.fresh(value) for name, value in self._settings.items() if name in known}}

    # -- for subclasses -----------------------------------------------------------------------------------------------
    @building.once
    def build(self, input_shape):
        """Make the weights; input_shape has None for the batch axis, and is a list or dictionary for several inputs.

        The layer is built then, and a second call does nothing. Where it raises, no weight is left.
        """

    def call(self, x):
        raise NotImplementedError(f"{type(self).__name__}: a layer must define call(self, x)")

    def compute_output_shape(self, input_shape):
        """The shape that `call` gives for `input_shape`, None for the batch axis; found by calling it on zeros."""
        what = f"compute_output_shape: layer '{self.name}'"
        return shape_of(self._on_zeros(building.zeros_of(what, input_shape, self.dtype)), batch=None)

    def _on_zeros(self, x):
        """The output for zeros, which are no data: log(0) is no fault there, and no loss counts."""
        outer = _context.checker, _context.call
        _context.checker = _context.call = None
        try:
            return self(x, training=False)
        finally:
            _context.checker, _context.call = outer

    def add_weight(self, shape=(), initializer=None, dtype=None, trainable=True, regularizer=None, constraint=None,
                   name=None):
        """A new Variable of this layer.

        initializer: None is zeros for integers and below rank 2, and glorot_uniform otherwise.
        initializer, regularizer, constraint: each a name, an instance or a function.
        """
        shape = as_shape(f"add_weight of layer '{self.name}'", shape)
        dtype = as_dtype("add_weight", dtype or self.dtype)
        name = name or f"weight_{len(self._weights)}"
        if None in shape:
            raise ValueError(f"add_weight of layer '{self.name}', weight '{name}': lengths must be known; got {shape}")
        budget.spend(f"add_weight of layer '{self.name}', weight '{name}'", shape, "the weights")
        if initializer is None:
            initializer = "glorot_uniform" if len(shape) > 1 and dtype.kind == "f" else "zeros"
        initializer = initializers.get(initializer)
        regularizer, constraint = regularizers.get(regularizer), constraints.get(constraint)
        own = {"stream": f"{self.name}/{name}"} if isinstance(initializer, initializers.Initializer) else {}
        try:
            value = asarray(initializer(shape, dtype=dtype, **own))
        except MemoryError as error:
            raise MemoryError(f"add_weight of layer '{self.name}', weight '{name}': {error}") from None
        if value.shape != shape:
            raise ValueError(f"add_weight: the initializer must return the shape asked for; layer '{self.name}', "
                             f"weight '{name}' is {shape}, got {value.shape}")
        variable = Variable(value, trainable=trainable, name=name, dtype=dtype, constraint=constraint)
        self._weights.append(variable)
        if regularizer is not None:
            self._regularizers.append((variable, regularizer))
        return variable

    # -- calling ------------------------------------------------------------------------------------------------------
    def __call__(self, x, *args, training=None, **kwargs):
        """The layer's output for x; builds the layer first where that has not happened yet."""
        if type(x) is not Tensor or x.dtype != self.dtype:
            x = self._as_input(x)
        if args or kwargs:
            args, kwargs = self._as_further_inputs(args, kwargs)
        outer, call = _context.training, _context.call
        if training is None:
            training = outer
        if self._takes_training and (training is not None or self._requires_training):
            kwargs["training"] = training
        _context.training = training
        if call is None:
            _context.call = object()
        if self._added_losses and self._losses_of is not _context.call:    # a layer called twice adds two
            self._added_losses = []
        checker = _context.checker
        entered = None if checker is None else checker.enter()
        try:
            if not self.built and not building.is_building(self):
                self._build_for(x)
            result = self.call(x, *args, **kwargs)
            if result is None:
                raise TypeError(f"{type(self).__name__}: call must return a tensor; got None; is its return missing?")
            if checker is not None:
                checker.output(self, x, result, entered)
            if self.activity_regularizer is not None:
                self._penalize_output(result)
            return result
        except Exception as error:
            error.add_note(f"in layer '{self.name}' ({type(self).__name__}), input of shape {shape_of(x)}")
            raise
        finally:
            _context.training, _context.call = outer, call

    def _as_input(self, x):
        """x as a tensor, or as a structure like x of tensors, in the layer's dtype."""
        if not isinstance(x, (list, tuple, dict)):
            return self._as_leaf(x)
        x = inputs.converted(x, self._as_leaf)
        if not self.takes_several and isinstance(x, (list, tuple, dict)):
            raise ValueError(f"{type(self).__name__}: one tensor is expected; got a {type(x).__name__} of {len(x)}; "
                             f"stack makes one tensor of several")
        return x

    def _as_leaf(self, x):
        if isinstance(x, Layer):
            raise TypeError(f"layer '{self.name}': a tensor is expected, got the layer '{x.name}'; models are made "
                            f"with Sequential([...]) or by subclassing Model, not by calling layers on layers")
        return inputs.cast(x, self.dtype, self.casts_integers)

    def _as_further_inputs(self, args, kwargs):
        """What `call` is given beside its input, arrays as tensors."""
        def leaf(x):
            return inputs.cast(x, self.dtype, False)
        return ([inputs.with_arrays_converted(x, leaf) for x in args],
                {name: inputs.with_arrays_converted(x, leaf) for name, x in kwargs.items()})

    def _build_for(self, x):
        shape = shape_of(x, batch=None)
        if budget.is_limited() and building.is_foreseen(type(self).compute_output_shape):
            for one in building.each_shape(self.compute_output_shape(shape)):
                budget.spend(f"layer '{self.name}'", one)
        self.build(shape)

    def _penalize_output(self, output):
        """Add what the activity regularizer makes of the output, a mean over the samples, to the losses."""
        for tensor in flatten(output):
            penalty = self.activity_regularizer(tensor)
            self.add_loss(penalty / max(1, tensor.shape[0]) if tensor.ndim else penalty)

    # -- what is inside -----------------------------------------------------------------------------------------------
    def _inside(self):
        """The variables and layers kept as attributes, or in lists and dictionaries, in order."""
        found, bookkeeping = [], self._bookkeeping
        for key, value in vars(self).items():
            if type(value) not in _PLAIN and key not in bookkeeping:
                _gather(value, found)
        return found

    @property
    def sublayers(self):
        """The layers kept as attributes, or in lists and dictionaries, of this one; each once."""
        return unique(self._layers_among(self._inside()))

    def _layers_among(self, inside):
        return [item for item in inside if isinstance(item, Layer)]

    @property
    def own_weights(self):
        """The layer's variables without those of its sublayers, the trainable ones first."""
        found = unique([*self._weights, *[item for item in self._inside() if isinstance(item, Variable)]])
        return [item for item in found if item.trainable] + [item for item in found if not item.trainable]

    @property
    def weights(self):
        """Every variable: the layer's own, then its sublayers' in order."""
        return unique(weight for layer in self.flattened() for weight in layer.own_weights)

    variables = weights

    @property
    def trainable_weights(self):
        """The weights that training changes; none where `trainable` is False."""
        found, seen, left = [], set(), [self]
        while left:
            layer = left.pop()
            if layer._trainable and id(layer) not in seen:
                seen.add(id(layer))
                inside = layer._inside()
                found += layer._weights
                found += [item for item in inside if isinstance(item, Variable)]
                left += reversed(layer._layers_among(inside))
        return [variable for variable in unique(found) if variable.trainable]

    trainable_variables = trainable_weights

    @property
    def non_trainable_weights(self):
        """The weights that training leaves alone."""
        trainable = set(map(id, self.trainable_weights))
        return [variable for variable in self.weights if id(variable) not in trainable]

    non_trainable_variables = non_trainable_weights

    @property
    def trainable(self):
        """Whether training changes the weights; setting it sets the sublayers too."""
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        for layer in self.flattened():
            layer._trainable = layer._settings["trainable"] = bool(value)

    @property
    def compute_dtype(self):
        """`dtype`, by the name that Keras has for layers that compute in another dtype than their weights'."""
        return self.dtype

    variable_dtype = compute_dtype

    def add_loss(self, loss):
        """Add a scalar, computed in `call`, to what training minimises; it counts until the layer is called again.

        Where one call of a model calls the layer several times, all that it adds count.
        """
        self._losses_of = _context.call
        self._added_losses.append(loss)

    @property
    def losses(self):
        """What the regularizers and `add_loss` add to the loss, one scalar each, of this layer and its sublayers."""
        return penalties(self.flattened())

    def flattened(self):
        """This layer and every layer inside it, each once."""
        found, left = {}, [self]
        while left:
            layer = left.pop()
            if id(layer) not in found:
                found[id(layer)] = layer
                left += reversed(layer.sublayers)
        return list(found.values())

    # -- values -------------------------------------------------------------------------------------------------------
    def count_params(self):
        """The number of elements of all weights."""
        if not self.built and not self.weights:
            raise ValueError(f"count_params: the layer must be built; call layer '{self.name}' on data first")
        return sum(variable.size for variable in self.weights)

    def get_weights(self):
        """Copies of the weights, as a list of NumPy arrays."""
        return [np.array(variable.numpy()) for variable in self.weights]

    def set_weights(self, weights):
        """Take the values of `weights`, arrays in the order of `weights`. All or none: checked before any is set."""
        if not isinstance(weights, (list, tuple)):
            raise TypeError(f"set_weights: a list of arrays is expected; got {type(weights).__name__}")
        named = named_weights(self)
        weights = [np.asarray(value) for value in weights]
        if len(weights) != len(named):
            hint = "" if self.built else "; call the layer on data first, so that it has its weights"
            raise ValueError(f"set_weights: one array for each weight; layer '{self.name}' has {len(named)}, "
                             f"got {len(weights)}{hint}")
        for (path, variable), value in zip(named, weights, strict=True):
            if variable.shape != value.shape:
                raise ValueError(f"set_weights: shapes must be equal; layer '{self.name}', weight '{path}' is "
                                 f"{variable.shape}, got {value.shape}")
        for (_, variable), value in zip(named, weights, strict=True):
            variable.assign(np.asarray(value, variable.dtype))

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


# -- helpers ----------------------------------------------------------------------------------------------------------
def _gather(value, found):
    """Append the variables and layers in an attribute's value."""
    if isinstance(value, (Variable, Layer)):
        found.append(value)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _gather(item, found)
    elif isinstance(value, dict):
        for item in value.values():
            _gather(item, found)
    else:
        _PLAIN.add(type(value))


def penalties(layers):
    """The regularizers' penalties and added losses of `layers`, without those inside them."""
    found = []
    for layer in layers:
        if layer._regularizers or layer._added_losses:
            found += [regularizer(variable) for variable, regularizer in layer._regularizers]
            found += layer._added_losses
    return found
