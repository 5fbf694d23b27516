"""export_onnx: a model as a file of ONNX. The one place that imports the library onnx, which is an extra."""
from typing import TYPE_CHECKING, Any

import numpy as np

from cytensor import nested
from cytensor.export.graph import OnnxGraph, Value
from cytensor.export.walk import of_layer
from cytensor.layers.building import is_shape
from cytensor.saving.files import check_target, write_bytes
from cytensor.symbolic import KerasTensor
from cytensor.types import Path

if TYPE_CHECKING:
    from cytensor.models import Model

OPSETS = {"": 18, "ai.onnx.ml": 3}     # of 2022: what runtimes since then take
IR_VERSION = 8
LARGEST = 2 ** 31 - 1          # bytes of a file: protobuf's limit


def export_onnx(model: "Model", filepath: Path) -> None:
    """Write a built model to `filepath` as ONNX, opset 18, as it is in inference.

    The axis of samples, and others whose length is not known, stay open. Inputs and outputs have the names of their
    layers, weights those of their paths. Dropout and noise are left out; layers and models with a `call` of their own
    are followed through it. ImportError where onnx is not installed (extra `onnx`); ValueError for a model that is not
    built, and with the name of the layer or function that has no form in ONNX.
    """
    try:
        import onnx
    except ImportError:
        raise ImportError("export: files of ONNX need the package onnx; pip install \"cytensor[onnx]\"") from None
    path = check_target(filepath)
    graph = OnnxGraph()
    inputs = _inputs(graph, model)
    values: list[Value] = nested.flatten(inputs)
    outputs = _named(graph, model, nested.flatten(of_layer(model, inputs)), values)
    made = _model_of(onnx, graph, model, values, outputs)
    onnx.checker.check_model(made, full_check=True)
    write_bytes(path, made.SerializeToString(deterministic=True))


def _inputs(graph: OnnxGraph, model: "Model") -> Any:
    """Values for the inputs, in their structure."""
    if not model.built or model.build_shape is None:
        raise ValueError(f"export: a model must be built before; call '{model.name}' on data, or build it for a shape")

    def value(name: str, tensor: KerasTensor) -> Value:
        return Value(graph, graph.name(name.replace("/", "_")), tensor.dtype, (None, *tensor.shape[1:]))
    try:
        known = model._graph_for("inputs")
    except AttributeError:                 # its call says all
        shapes: list[Any] = [model.build_shape] if is_shape(model.build_shape) else nested.flatten(model.build_shape)
        if not all(map(is_shape, shapes)):
            raise ValueError(f"export: the shapes of the inputs of '{model.name}' must be known") from None
        values = [value("input" if len(shapes) == 1 else f"input_{i}", KerasTensor(shape, model.compute_dtype))
                  for i, shape in enumerate(shapes)]
        return values[0] if is_shape(model.build_shape) else values
    values = [value(layer.name, tensor)
              for layer, tensor in zip(known.input_layers, known.input_tensors, strict=True)]
    return values[0] if len(values) == 1 and not isinstance(known.inputs, dict) else nested.pack_like(
        known.inputs, values)


def _named(graph: OnnxGraph, model: "Model", outputs: list[Value], inputs: list[Value]) -> list[Value]:
    """The outputs under the names of the layers that give them."""
    try:
        names = model._graph_for("outputs").output_names
    except AttributeError:
        names = ["output"] * len(outputs) if len(outputs) == 1 else [f"output_{i}" for i in range(len(outputs))]
    return [graph.renamed(value, graph.name(f"{name}" if name not in {one.name for one in inputs} else f"{name}_out"))
            for value, name in zip(outputs, names, strict=True)]


# -- in the words of onnx ---------------------------------------------------------------------------------------------
def _model_of(onnx: Any, graph: OnnxGraph, model: "Model", inputs: list[Value], outputs: list[Value]) -> Any:
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    nodes, constants = graph.needed([one.name for one in outputs])
    size = sum(array.nbytes for array in constants.values())
    if size > LARGEST:
        raise ValueError(f"export: a file of ONNX holds less than 2 GB; the weights have {size / 2 ** 30:.1f}")
    made = helper.make_graph(
        [_node(onnx, *node) for node in nodes], model.name,
        [_described(onnx, one, inputs) for one in inputs], [_described(onnx, one, inputs) for one in outputs],
        [numpy_helper.from_array(array, name) for name, array in constants.items()])
    from cytensor import __version__
    return helper.make_model(made, opset_imports=_opsets(helper, nodes), ir_version=IR_VERSION,
                             producer_name="cytensor", producer_version=__version__)


def _opsets(helper: Any, nodes: list[Any]) -> list[Any]:
    domains = {node.attributes.get("domain", "") for node in nodes}
    return [helper.make_opsetid(domain, version) for domain, version in OPSETS.items() if domain in domains | {""}]


def _node(onnx: Any, op: str, inputs: tuple[str, ...], outputs: tuple[str, ...], attributes: dict[str, Any]) -> Any:
    inputs = tuple(inputs[:max((i + 1 for i, name in enumerate(inputs) if name), default=0)])
    given = {key: onnx.helper.np_dtype_to_tensor_dtype(value) if isinstance(value, np.dtype) else value
             for key, value in attributes.items()}
    return onnx.helper.make_node(op, inputs, outputs, name=outputs[0], **given)


def _described(onnx: Any, value: Value, inputs: list[Value]) -> Any:
    """Name, dtype and shape of an input or output; open lengths have names, the samples' one in all."""
    shape = None if value.shape is None else [
        ("batch" if axis == 0 else f"{value.name}_{axis}") if length is None else length
        for axis, length in enumerate(value.shape)]
    return onnx.helper.make_tensor_value_info(value.name, onnx.helper.np_dtype_to_tensor_dtype(value.dtype), shape)
