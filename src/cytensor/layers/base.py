"""Layer: something with weights that maps tensors to tensors. The base class of every layer and of models."""
import inspect
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

import numpy as np

from cytensor import constraints, dtype_policies, initializers, masks, registry, regularizers
from cytensor.absent import explain_members
from cytensor.checks import arguments, budget
from cytensor.dtype_policies import DTypePolicy
from cytensor.dtypes import as_dtype
from cytensor.halves import in_numpy, narrowed
from cytensor.layers import building, inputs, symbolic
from cytensor.layers.building import as_shape, shape_of
from cytensor.layers.contents import Owner
from cytensor.layers.settings import Setting
from cytensor.layers.symbolic import computed
from cytensor.nested import flatten
from cytensor.symbolic.nodes import Node, is_symbolic
from cytensor.symbolic.tensors import KerasTensor
from cytensor.tensor import Tensor, Variable, asarray
from cytensor.types import ArrayLike, Config, DTypeLike, Identifier, Nested, Shapes, WeightRegularizer, replaceable


class _Context(threading.local):
    """What the outermost call said about `training`, for the layers inside; one per thread."""
    training: bool | None = None
    call: object = None        # stands for the outermost call
    checker: Any = None        # set by debugging.check_numerics


_context = _Context()


class _Dtype(Setting[np.dtype[Any]]):
    """The argument `dtype`: a policy, of which the layer keeps what it says."""

    def __set__(self, layer: "Layer", value: Any) -> None:
        super().__set__(layer, value)
        layer._follow(dtype_policies.get(value, type(layer).__name__))


class Layer(Owner):
    """Base class. Subclasses define `call(x)` or `call(x, training=None)`, and usually `build(input_shape)`.

    `build` is called once, with the shape of the first input (its first axis None), and makes weights by
    `add_weight`; called again, by whomever, it does nothing. Layers and variables kept as attributes, or in lists and
    dictionaries, belong to the layer. Arrays become tensors, also those inside a list, tuple or dictionary of several
    inputs, and floats are cast to the dtype that the layer computes in.

    dtype: a dtype, or a policy such as "mixed_bfloat16" (`dtype_policies`); None for the global policy.

    >>> class Scale(Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")
    ...     def call(self, x):
    ...         return x * self.factor
    >>> Scale()([[1., 2.]]).numpy()
    array([[1., 2.]], dtype=float32)
    """
    _bookkeeping = frozenset({"_settings", "_weights", "_regularizers", "_added_losses", "_losses_of", "_nodes"})
    casts_integers = False        # whether integer inputs are cast too; not where they are indices
    takes_several = True          # whether `call` may be given several inputs, in a list, tuple or dictionary
    keeps_dtype: bool = False     # whether integers stay what they are on their way through
    supports_masking: bool = False         # whether a mask of the input is passed on, by `compute_mask`
    makes_masks: bool = False              # whether `compute_mask` makes one where the input has none
    _takes_mask = False           # whether `call` has an argument `mask`
    _takes_training = False       # whether `call` has an argument of that name
    _requires_training = False    # and has no default for it
    build_shape: Shapes           # what it was built for; None before
    input_shape: Shapes           # given by input_shape=, input_dim= or the first call
    named_by_user: bool
    _name: str
    _builder: int | None          # the thread that is building it
    _nodes: list[Node]            # its calls on symbolic tensors
    _number: int | None           # among the layers of its class that were not given a name: for one in graphs
    _regularizers: list[tuple[Variable, Callable[[Variable], Any]]]
    _added_losses: list[Any]      # scalars from add_loss
    _losses_of: object            # the outermost call that they are of
    _rounds_inputs = True         # whether inputs are cast to what it computes in, not to the dtype of its weights
    _input_dtype: np.dtype[Any]
    _policy: DTypePolicy
    dtype: Setting[np.dtype[Any]] = _Dtype(fixed=True)         # of the weights
    compute_dtype: np.dtype[Any]
    activity_regularizer: Setting[WeightRegularizer] = Setting(regularizers.get, optional=True)    # of the output

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not hasattr(cls.build, "builds_once"):          # its own, or that of a class beside Layer
            cls.build = building.once(cls.build)               # type: ignore[method-assign]  # wraps the class's own
        parameters = inspect.signature(cls.call).parameters
        cls._takes_mask, parameter = "mask" in parameters, parameters.get("training")
        if "compute_mask" in vars(cls) and not cls.__module__.startswith("cytensor."):
            cls.supports_masking = cls.makes_masks = True
        cls._takes_training = parameter is not None
        cls._requires_training = parameter is not None and parameter.default is parameter.empty

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        # State is made here, so that a subclass that forgets super().__init__() works all the same.
        self = super().__new__(cls, *args, **kwargs)
        self._settings, self._weights, self._regularizers, self._added_losses = {}, [], [], []
        self._nodes = []
        self.named_by_user = self.built = False
        self._builder = self.build_shape = self.input_shape = self._losses_of = None
        self._trainable = True
        vars(self).update(_name=registry.snake_case(cls.__name__), _number=None, activity_regularizer=None)
        self._follow(dtype_policies.global_policy())
        return self

    def __init__(self, *, activity_regularizer: Identifier = None, trainable: bool = True,
                 dtype: Any = None, name: str | None = None,
                 input_shape: int | Sequence[int] | None = None, input_dim: int | None = None, **unknown: Any) -> None:
        if unknown:
            arguments.refuse_unknown(type(self), list(unknown))
        if name is not None:
            self._take_name(name)
        else:
            self._number = registry.next_number(self._name)
        if dtype is not None:
            self._follow(dtype_policies.get(dtype, type(self).__name__))
        self._trainable = bool(trainable)
        vars(self)["activity_regularizer"] = regularizers.get(activity_regularizer)
        if input_dim is not None:
            input_shape = (input_dim,)
        if input_shape is not None:
            self.input_shape = (None, *as_shape(type(self).__name__, input_shape, "input_shape"))

    @property
    def name(self) -> str:
        """What the layer is called: by the user, or after its class, with a number beside others of it."""
        return self._name

    @name.setter
    def name(self, value: str) -> None:
        self._take_name(value)
        self._settings["name"] = value

    def _take_name(self, name: str) -> None:
        if not isinstance(name, str) or not name or "/" in name:
            raise ValueError(f"{type(self).__name__}: name must be a string without '/'; got {name!r}")
        self._set_name(name)
        self.named_by_user = True

    def _rename(self, name: str) -> None:
        """Take a name that was made up."""
        if not self.named_by_user:
            self._set_name(name)

    def _set_name(self, name: str) -> None:
        self._name = name
        for variable in self._weights:
            variable.path = f"{name}/{variable.name}"

    def _take_number(self) -> None:
        """Take the name that Keras makes up: dense, dense_1, dense_2, in the order in which they were made."""
        if self.named_by_user:
            return
        stem = registry.snake_case(type(self).__name__)
        if self._number is None:           # of a subclass that forgot super().__init__()
            self._number = registry.next_number(stem)
        self._rename(registry.numbered(stem, self._number))

    def get_config(self) -> Config:
        """The arguments as a dictionary, with what was set since; `type(self).from_config` takes it back."""
        config = super().get_config()
        known = arguments.known_keywords(type(self))
        if "dtype" in known and config.get("dtype") is None and self._policy != dtype_policies.FLOAT32:
            config["dtype"] = self._policy.name                # that of the program which reads it may be another
        return {**config, **{name: registry.fresh(value) for name, value in self._settings.items() if name in known}}

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """A new layer from what `get_config` returned; without a dtype in it, of float32 whatever the global policy."""
        with dtype_policies.restoring():
            return super().from_config(config)

    # -- for subclasses -----------------------------------------------------------------------------------------------
    @building.once
    def build(self, input_shape: Shapes) -> None:
        """Make the weights; input_shape has None for the batch axis, and is a list or dictionary for several inputs.

        The layer is built then, and a second call does nothing. Where it raises, no weight is left.
        """

    @replaceable
    def call(self, x: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__}: a layer must define call(self, x)")

    def compute_mask(self, inputs: Nested, previous_mask: Nested) -> Nested:
        """The mask of the output for inputs and their masks: here the same; None where it has none."""
        return previous_mask

    def compute_output_shape(self, input_shape: Shapes) -> Shapes:
        """The shape that `call` gives for `input_shape`, None for the batch axis; found by calling it on zeros."""
        what = f"compute_output_shape: layer '{self.name}'"
        return shape_of(self._on_zeros(building.zeros_of(what, input_shape, self.dtype)), batch=None)

    def _symbolic_output(self, x: Nested, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Nested:
        """KerasTensors for what the layer gives for symbolic tensors; builds it first where that was not done yet."""
        return symbolic.output_of(self, x, args, kwargs)

    def _output_dtype(self, x: Nested) -> np.dtype[Any]:
        """The dtype of the output for symbolic x, where `compute_output_shape` gives its shape."""
        dtype: np.dtype[Any] = symbolic.dtype_of(x)
        return dtype if self.keeps_dtype and dtype.kind in "iub" else self.compute_dtype

    def _on_zeros(self, x: Nested, *args: Any, training: bool = False, **kwargs: Any) -> Any:
        """The output for zeros, which are no data: log(0) is no fault there, and no loss counts."""
        outer = _context.checker, _context.call
        _context.checker = _context.call = None
        try:
            return self(x, *args, training=training, **kwargs)
        finally:
            _context.checker, _context.call = outer

    def add_weight(self, shape: int | Sequence[int | None] = (), initializer: Identifier = None,
                   dtype: DTypeLike | None = None, trainable: bool = True, regularizer: Identifier = None,
                   constraint: Identifier = None, name: str | None = None) -> Variable:
        """A new Variable of this layer.

        initializer: None is zeros for integers and below rank 2, and glorot_uniform otherwise.
        initializer, regularizer, constraint: each a name, an instance or a function.
        """
        shape = as_shape(f"add_weight of layer '{self.name}'", shape)
        dtype = as_dtype("add_weight", dtype or self.dtype, with_bfloat16=True)
        name = name or f"weight_{len(self._weights)}"
        if None in shape:
            raise ValueError(f"add_weight of layer '{self.name}', weight '{name}': lengths must be known; got {shape}")
        budget.spend(f"add_weight of layer '{self.name}', weight '{name}'", shape, "the weights")
        if initializer is None:
            initializer = "glorot_uniform" if len(shape) > 1 and dtype.kind == "f" else "zeros"
        make = initializers.get(initializer)
        penalty, projection = regularizers.get(regularizer), constraints.get(constraint)
        own = {"stream": f"{self.name}/{name}"} if isinstance(make, initializers.Initializer) else {}
        try:
            value = asarray(make(shape, dtype=in_numpy(dtype), **own))
        except MemoryError as error:
            raise MemoryError(f"add_weight of layer '{self.name}', weight '{name}': {error}") from None
        if value.shape != shape:
            raise ValueError(f"add_weight: the initializer must return the shape asked for; layer '{self.name}', "
                             f"weight '{name}' is {shape}, got {value.shape}")
        variable = Variable(value, trainable=trainable, name=name, dtype=dtype, constraint=projection)
        variable.path = f"{self.name}/{name}"
        self._weights.append(variable)
        if penalty is not None:
            self._regularizers.append((variable, penalty))
        return variable

    # -- calling ------------------------------------------------------------------------------------------------------
    def __call__(self, x: Nested, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """The layer's output for x; builds the layer first where that has not happened yet."""
        mask = None
        if type(x) is not Tensor or x.dtype != self._input_dtype:
            if type(x) is KerasTensor or (isinstance(x, (list, tuple, dict)) and is_symbolic(x)):
                return symbolic.called(self, x, args, kwargs, training)
            mask = masks.masks_of(x)
            x = self._as_input(x)
        if args or kwargs:
            if is_symbolic(args, kwargs):
                return symbolic.called(self, x, args, kwargs, training)
            args, kwargs = self._as_further_inputs(args, kwargs)
        if self._takes_mask and len(args) == 0:
            mask = kwargs["mask"] = mask if kwargs.get("mask") is None else kwargs["mask"]
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
                self._penalize_output(self.activity_regularizer, result)
            return result if mask is None and not self.makes_masks else masks.passed_on(self, x, mask, result)
        except Exception as error:
            self._explain(error, x)
            raise
        finally:
            _context.training, _context.call = outer, call

    def _explain(self, error: Exception, x: object) -> None:
        """Say in an error of `call` where it arose."""
        error.add_note(f"in layer '{self.name}' ({type(self).__name__}), input of shape {shape_of(x)}")

    def _as_input(self, x: Nested) -> Any:
        """x as a tensor, or as a structure like x of tensors, in the dtype that the layer takes."""
        if not isinstance(x, (list, tuple, dict)):
            return self._as_leaf(x)
        x = inputs.converted(x, self._as_leaf)
        if not self.takes_several and isinstance(x, (list, tuple, dict)):
            raise ValueError(f"{type(self).__name__}: one tensor is expected; got a {type(x).__name__} of {len(x)}; "
                             f"stack makes one tensor of several")
        return x

    def _as_leaf(self, x: Any) -> Tensor:
        if isinstance(x, Layer):
            raise TypeError(f"layer '{self.name}': a tensor is expected, got the layer '{x.name}'; layers are called "
                            f"on what other layers give, beginning with Input(shape), or stacked in Sequential([...])")
        return inputs.cast(x, self._input_dtype, self.casts_integers)

    def _as_further_inputs(self, args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """What `call` is given beside its input, arrays as tensors."""
        def leaf(x: ArrayLike) -> Tensor:
            return inputs.cast(x, self._input_dtype, False)
        return (tuple(inputs.with_arrays_converted(x, leaf) for x in args),
                {name: inputs.with_arrays_converted(x, leaf) for name, x in kwargs.items()})

    def _build_for(self, x: Nested) -> None:
        shape = shape_of(x, batch=None)
        if budget.is_limited() and building.is_foreseen(type(self).compute_output_shape):
            for one in building.each_shape(self.compute_output_shape(shape)):
                budget.spend(f"layer '{self.name}'", one)
        self.build(shape)

    def _penalize_output(self, regularizer: Callable[[Any], Any], output: Nested) -> None:
        """Add what the activity regularizer makes of the output, a mean over the samples, to the losses."""
        for tensor in flatten(output):
            penalty = regularizer(tensor)
            self.add_loss(penalty / max(1, tensor.shape[0]) if tensor.ndim else penalty)

    # -- graphs --------------------------------------------------------------------------------------------------------
    @computed
    def input(self) -> Nested:
        """The symbolic tensor that the layer was first called on, or a structure of several.

        AttributeError before such a call.
        """
        return symbolic.first_node(self, "input").input_structure()

    @computed
    def output(self) -> Nested:
        """The symbolic tensor that the first call on one gave, or a structure of several; AttributeError before it."""
        return symbolic.first_node(self, "output").outputs

    def __getstate__(self) -> dict[str, Any]:
        # A copy stands in no graph; that of a model makes its graph anew.
        return {**vars(self), "_nodes": []}

    # -- dtypes and losses ---------------------------------------------------------------------------------------------
    def _follow(self, policy: DTypePolicy) -> None:
        """Take the dtypes of a policy."""
        vars(self).update(
            _policy=policy, dtype=policy.variable_dtype, compute_dtype=policy.compute_dtype,
            _input_dtype=policy.compute_dtype if self._rounds_inputs else policy.variable_dtype)

    def _computing(self, x: Any) -> Any:
        """A weight, or another tensor, in the dtype that the layer computes in; None stays."""
        return x if x is None else narrowed(x, self.compute_dtype)

    @property
    def dtype_policy(self) -> DTypePolicy:
        """What the layer computes in and what its weights are; `dtype` sets it, until the layer is built."""
        return self._policy

    @dtype_policy.setter
    def dtype_policy(self, policy: Any) -> None:
        self.dtype = policy

    @property
    def variable_dtype(self) -> np.dtype[Any]:
        """The dtype of the weights: `dtype`, by the name that Keras has beside `compute_dtype`."""
        return self.dtype

    def add_loss(self, loss: Any) -> None:
        """Add a scalar, computed in `call`, to what training minimises; it counts until the layer is called again.

        Where one call of a model calls the layer several times, all that it adds count.
        """
        self._losses_of = _context.call
        self._added_losses.append(loss)

    @property
    def losses(self) -> list[Any]:
        """What the regularizers and `add_loss` add to the loss, one scalar each, of this layer and its sublayers."""
        return penalties(self.flattened())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


explain_members(Layer)


def penalties(layers: Iterable["Layer"]) -> list[Any]:
    """The regularizers' penalties and added losses of `layers`, without those inside them."""
    found = []
    for layer in layers:
        if layer._regularizers or layer._added_losses:
            found += [regularizer(variable) for variable, regularizer in layer._regularizers]
            found += layer._added_losses
    return found
