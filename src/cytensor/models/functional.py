"""What makes a Model of a graph: its arguments, what it takes as input, and its shapes. Only model.py imports this."""
import inspect
import re
from typing import TYPE_CHECKING, Any

from cytensor import nested
from cytensor.layers import inputs as layer_inputs
from cytensor.layers.building import each_shape, is_shape
from cytensor.layers.inputs import in_known_rank
from cytensor.models import describing
from cytensor.models.graph import Graph
from cytensor.symbolic import KerasTensor
from cytensor.symbolic.nodes import is_symbolic
from cytensor.symbolic.shapes import outputs_of
from cytensor.tensor import Tensor, asarray
from cytensor.types import Config, Nested, Shapes
from cytensor.user_warnings import warn

if TYPE_CHECKING:
    from cytensor.models.model import Model


# -- making a model ---------------------------------------------------------------------------------------------------
def is_given(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether the arguments of a Model are inputs and outputs."""
    return bool(args) or bool({"inputs", "outputs"} & set(kwargs))


def graph_of(cls: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Graph, dict[str, Any]]:
    """(the graph, the other arguments) of Model(inputs, outputs, name=None); TypeError where one is missing."""
    names = ("inputs", "outputs", "name")
    twice = [name for name in names[:len(args)] if name in kwargs]
    if len(args) > len(names) or twice:
        raise TypeError(f"Model: the arguments are inputs, outputs and name; got {len(args)} without a name"
                        f"{' and ' + ', '.join(twice) if twice else ''}")
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    missing = [name for name in names[:2] if name not in given]
    if missing:
        hint = "; a list of layers makes a Sequential" if isinstance(given.get("inputs"), list) else ""
        raise TypeError(f"Model: a model is made of inputs and outputs, symbolic tensors that begin with "
                        f"Input(shape), or by subclassing Model; got no {missing[0]}{hint}")
    inputs, outputs = given.pop("inputs"), given.pop("outputs")
    return Graph("Model" if cls.__name__ == "Functional" else cls.__name__, inputs, outputs), given


def adopt(model: "Model", graph: Graph) -> None:
    """Make a model that graph."""
    model._graph = graph
    model._take_number()
    _warn_of_keys(model, graph.inputs)
    model.built, model.build_shape = True, shapes_in(graph.inputs)
    model.input_shape = listed_shapes(graph.input_tensors)
    if not model._trainable:
        model.trainable = False


def _warn_of_keys(model: "Model", inputs: Nested) -> None:
    """Warn where the key of an input is another than its name, by which data may be given, too."""
    for key, tensor in inputs.items() if isinstance(inputs, dict) else ():
        if isinstance(tensor, KerasTensor) and key != tensor.name:
            warn(f"{type(model).__name__}: the keys of inputs must be their names; got {key!r} for the input "
                 f"'{tensor.name}'; data is taken by the key")


def shapes_in(structure: Nested) -> Shapes:
    """The shapes of the symbolic tensors in a structure, that of one tensor by itself."""
    shapes = [tensor.shape for tensor in nested.flatten(structure)]
    if isinstance(structure, (list, tuple)) and len(shapes) == 1:
        return shapes[0]
    return shapes[0] if isinstance(structure, KerasTensor) else nested.pack_like(
        list(structure) if isinstance(structure, tuple) else structure, shapes)


def listed_shapes(tensors: list[KerasTensor]) -> Shapes:
    """Their shapes in a list; that of one tensor by itself."""
    return [tensor.shape for tensor in tensors] if len(tensors) > 1 else tensors[0].shape


def is_made_of_graph(cls: type) -> bool:
    """Whether a class is made with (inputs, outputs): a Model's, or a subclass's with a constructor that takes both."""
    parameters = inspect.signature(cls.__init__).parameters            # type: ignore[misc]
    return {"inputs", "outputs"} <= parameters.keys() or list(parameters) == ["self", "args", "kwargs"]


def from_config(cls: type["Model"], config: Config) -> "Model":
    """A model from its description."""
    inputs, outputs = describing.rebuilt(config)
    others = {key: value for key, value in config.items()
              if key not in ("name", "trainable", "layers", "input_layers", "output_layers")}
    name = config.get("name")
    made_up = name is None or re.fullmatch(r"functional(_\d+)?", str(name)) is not None
    model = cls(inputs, outputs, **({} if made_up else {"name": name}), **others)
    if made_up and name is not None:
        model._rename(name)
    if not config.get("trainable", True):
        model._trainable = False
    return model


# -- input ------------------------------------------------------------------------------------------------------------
def run(model: "Model", graph: Graph, x: Any) -> Nested:
    """The output for x, tensors in the structure that `as_input` gives."""
    if type(x) is Tensor:
        shape = graph.input_tensors[0].shape
        if x.shape[1:] != shape[1:] or len(graph.input_tensors) > 1:
            x = as_input(model, graph, x)
            return graph.run([x] if isinstance(x, Tensor) else nested.flatten(x))
        return graph.run((x,))
    return graph.run(x if type(x) is list and type(graph.inputs) is list else nested.flatten(x))


def as_input(model: "Model", graph: Graph, x: Nested) -> Nested:
    """x as tensors in the structure of the graph's inputs, each in the dtype and with the axes of its Input.

    A list, a tuple and a dictionary by the names of the inputs serve for each other. ValueError for another structure,
    and for samples of another shape, with the name of the model and both shapes.
    """
    leaves = conformed(f"{type(model).__name__} '{model.name}'", graph, x)
    tensors = [_as_tensor(model, leaf, tensor) for leaf, tensor in zip(leaves, graph.input_tensors, strict=True)]
    if isinstance(graph.inputs, KerasTensor) or (len(tensors) == 1 and not isinstance(graph.inputs, dict)):
        return tensors[0]
    return tensors if type(graph.inputs) is list and len(tensors) == len(graph.inputs) else nested.pack_like(
        graph.inputs, tensors)


def conformed(op: str, graph: Graph, x: Nested) -> list[Any]:
    """The parts of x in the order of the graph's inputs; ValueError where x has another structure."""
    wanted = graph.inputs
    flat = graph.input_tensors
    if isinstance(x, dict) and not isinstance(wanted, dict):
        names = [layer.name for layer in graph.input_layers]
        missing = [name for name in names if name not in x]
        if missing:
            raise ValueError(f"{op}: data must be given for every input; got {_named(x)}, without "
                             f"{', '.join(map(repr, missing))}")
        return [x[name] for name in names]
    if isinstance(wanted, dict):
        if not isinstance(x, dict) or wanted.keys() - x.keys():
            raise ValueError(f"{op}: the inputs are a dictionary with the keys {', '.join(map(repr, wanted))}; got "
                             f"{_named(x)}")
        surplus = x.keys() - wanted.keys()
        if surplus:
            warn(f"{op}: data was given for {', '.join(map(repr, sorted(map(str, surplus))))}, which the model does "
                 f"not take")
        return [leaf for key in sorted(wanted) for leaf in _leaves(op, wanted[key], x[key])]
    if isinstance(wanted, KerasTensor) or len(flat) == 1:
        while isinstance(x, (list, tuple)) and len(x) == 1 and _is_tensor(x[0]):
            x = x[0]
        if isinstance(x, (list, tuple)) and any(map(_is_tensor, x)):
            raise _other(op, wanted, x)
        return [x]
    return _leaves(op, wanted, x)


def _leaves(op: str, wanted: Nested, x: Nested) -> list[Any]:
    if isinstance(wanted, KerasTensor):
        return [x]
    if isinstance(wanted, dict):
        if not isinstance(x, dict) or x.keys() != wanted.keys():
            raise _other(op, wanted, x)
        return [leaf for key in sorted(wanted) for leaf in _leaves(op, wanted[key], x[key])]
    if not isinstance(x, (list, tuple)) or len(x) != len(wanted):
        raise _other(op, wanted, x)
    return [leaf for one, part in zip(wanted, x, strict=True) for leaf in _leaves(op, one, part)]


def _is_tensor(x: Any) -> bool:
    return type(x) is KerasTensor or layer_inputs.is_array(x)


def _other(op: str, wanted: Nested, x: Nested) -> ValueError:
    names = [tensor.name for tensor in nested.flatten(wanted)]
    return ValueError(f"{op}: {len(names)} inputs are expected, {', '.join(map(repr, names))}, in a "
                      f"{type(wanted).__name__}; got {_named(x)}" if not isinstance(wanted, KerasTensor) else
                      f"{op}: one input is expected, '{wanted.name}' of shape {wanted.shape}; got {_named(x)}")


def _named(x: Nested) -> str:
    """What was given, in a few words."""
    if isinstance(x, dict):
        return f"a dictionary with the keys {', '.join(map(repr, x)) or 'none'}"
    if isinstance(x, (list, tuple)):
        return f"a {type(x).__name__} of {len(x)}"
    return f"one of shape {tuple(x.shape)}" if hasattr(x, "shape") else repr(type(x).__name__)


def _as_tensor(model: "Model", x: Any, wanted: KerasTensor) -> Tensor:
    """One input as its Input says."""
    if x is None:
        raise ValueError(f"{type(model).__name__} '{model.name}': data must be given for every input; got None for "
                         f"'{wanted.name}'")
    given = in_known_rank(asarray(x), wanted.shape)
    if given.dtype != wanted.dtype:
        given = given.astype(wanted.dtype)
    if len(given.shape) != len(wanted.shape) or any(
            n is not None and n != m for n, m in zip(wanted.shape[1:], given.shape[1:], strict=True)):
        raise ValueError(f"{type(model).__name__} '{model.name}': the input '{wanted.name}' must have shape "
                         f"{wanted.shape}; got {given.shape}")
    return given


# -- symbolic calls ---------------------------------------------------------------------------------------------------
def symbolic_output(model: "Model", graph: Graph, x: Nested) -> Nested:
    """KerasTensors for what the model gives for symbolic tensors x."""
    leaves = conformed(f"{type(model).__name__} '{model.name}'", graph, x)
    shapes = [tuple(leaf.shape) for leaf in leaves if is_symbolic(leaf)]
    for leaf, wanted in zip(leaves, graph.input_tensors, strict=True):
        shape = getattr(leaf, "shape", ())
        if len(shape) == len(wanted.shape) and any(
                None not in (n, m) and n != m for n, m in zip(wanted.shape[1:], shape[1:], strict=True)):
            raise ValueError(f"{type(model).__name__} '{model.name}': the input '{wanted.name}' must have shape "
                             f"{wanted.shape}; got {tuple(shape)}")
    if [shape[1:] for shape in shapes] == [tensor.shape[1:] for tensor in graph.input_tensors]:
        tensors = [KerasTensor(tensor.shape, tensor.dtype) for tensor in graph.output_tensors]
        return tensors[0] if graph.is_one else nested.pack_like(graph.outputs, tensors)
    return outputs_of(model.name, lambda x: model._on_zeros(x), (x,), {})


def output_shape(model: "Model", graph: Graph, input_shape: Shapes) -> Shapes:
    """The shapes of the outputs for inputs of other shapes than those that the graph was made with."""
    flat = [tuple(shape) for shape in each_shape(input_shape)]
    if [shape[1:] for shape in flat] == [tensor.shape[1:] for tensor in graph.input_tensors]:
        return shapes_in(graph.outputs)
    dtypes = [tensor.dtype for tensor in graph.input_tensors]
    if len(flat) != len(dtypes):
        raise ValueError(f"compute_output_shape: model '{model.name}' has {len(dtypes)} inputs; got {input_shape}")
    tensors = [KerasTensor(shape, dtype) for shape, dtype in zip(flat, dtypes, strict=True)]
    x = tensors[0] if is_shape(input_shape) else nested.pack_like(graph.inputs, tensors)
    return shapes_in(symbolic_output(model, graph, x))
