"""Writes the type stubs of cyops, of the derived functions and of Tensor, from the op table: `python tests/stubs.py`.

Compiled functions say their parameters and no types: a parameter's type follows from its name (PARAMETERS), the result
of what is no op from RESULTS. What is written in Python is taken from its source, annotations and all. The stubs are
committed; test_stubs.py fails when they differ from what this file would write.
"""
import ast
import importlib
import inspect
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEADER = '"""Generated from the op table by tests/stubs.py; do not edit."""\n'

# What a parameter takes: by its name wherever it occurs, or for one function alone.
NUMBER, OPTIONAL_NUMBER = "SupportsFloat", "SupportsFloat | None"
FACTOR = "float | Sequence[float] | None"
ONE_OR_MORE = "Strided | Sequence[Strided]"
PARAMETERS = {
    "device": "str | None", "clip.min": "ArrayLike | None", "clip.max": "ArrayLike | None",
    **dict.fromkeys(("descending", "stable", "exclusive", "reverse"), "bool"), "side": "str",
    "sorter": "ArrayLike | None",
    "linspace.start": "complex | SupportsFloat", "linspace.stop": "complex | SupportsFloat",
    "axis": "Axis", "keepdims": "bool", "dtype": "DTypeLike | None", "out": "Strided | None",
    "shape": "int | Sequence[int]", "copy": "bool | None", "correction": "float", "ddof": "float | None",
    "activation": "str | None", "offset": "int | None", "strides": "Sequence[int]", "axis1": "int", "axis2": "int",
    "window_shape": "int | Sequence[int]", "num_classes": "int | None", "tensors": "Sequence[ArrayLike]",
    "permute_dims.axes": "Sequence[int] | None", "tensordot.axes": "int | Sequence[int | Sequence[int]]",
    "diagonal.offset": "int", "subscripts": "Any", "optimize": "bool | str | Sequence[Any]",
    "contract_labels.operands": "tuple[Strided, ...]", "contract_labels.terms": "tuple[tuple[int, ...], ...]",
    "contract_labels.out": "tuple[int, ...]",
    **dict.fromkeys(("axes_a", "axes_b", "axes_out"), "Sequence[int]"),
    # pooling, padding, images, normalization
    "pad_width": "Any", "mode": "str", "constant_values": "Any", "shift": "int | Sequence[int]",
    "size": "Sequence[int]", "interpolation": "str", "antialias": "bool", "length": "int", "before": "int",
    "after": "int", "moments": "tuple[Strided, Strided]",
    **{f"batch_normalize{more}.{name}": "ArrayLike | None" for more in ("", "_gradients")
       for name in ("gamma", "beta")},
    **{f"batch_normalize{more}.axis": "int" for more in ("", "_gradients")},
    **dict.fromkeys(("max_pool.strides", "average_pool.strides"), "int | Sequence[int] | None"),
    "pool_size": "int | Sequence[int]", "padding": "str | int | Sequence[int | Sequence[int]]",
    **dict.fromkeys(("max_pool_gradient.indices", "max_pool_chosen.indices"), "Strided"),
    **dict.fromkeys(("expand_dims.axis", "concat.axis", "stack.axis"), "int"),
    **{f"{name}.axis": "int | None" for name in ("argmax", "argmin", "take", "scatter_add", "take_gradient", "put")},
    **dict.fromkeys(("softmax.axis", "log_softmax.axis", "softmax_gradient.axis", "log_softmax_gradient.axis"),
                    "int | Sequence[int]"),
    **dict.fromkeys(("dense.bias", "dense_backward.x", "dense_backward.kernel", "dense_backward.y", "conv.bias",
                     "conv_transpose.bias", "conv_backward.x", "conv_backward.kernel", "conv_backward.y"),
                    "ArrayLike | None"),
    # convolutions
    **dict.fromkeys(("conv.strides", "conv_transpose.strides", "dilation_rate"), "int | Sequence[int]"),
    "conv.padding": "str | int | Sequence[int | Sequence[int]]", "conv_transpose.padding": "str", "groups": "int",
    "output_padding": "int | Sequence[int] | None", "data_format": "str", "window": "tuple[Any, ...]",
    "x_shape": "Sequence[int]", "kernel_shape": "Sequence[int]", "conv_backward.bias": "bool",
    "dense_backward.bias": "bool", "kernel_gradient": "Strided | None", "depth": "int | None", "on_value": NUMBER,
    "off_value": NUMBER, "start": NUMBER, "stop": NUMBER, "step": NUMBER, "arange.stop": OPTIONAL_NUMBER, "num": "int",
    "endpoint": "bool", "n_rows": "int", "n_cols": "int | None", "k": "int",
    "gather_rows.scale": OPTIONAL_NUMBER, "softmax_cross_entropy_with_gradient.scale": OPTIONAL_NUMBER,
    "scatter_view.view_shape": "Sequence[int]", "scatter_view.offset": "int", "put.x": "Strided",
    # the recorder and the walk
    "as_class.x": "Strided", "as_class.cls": "type[T]", "set_tensor_class.cls": "type[Strided]",
    "set_tensor_class.shape": "type[tuple[int, ...]] | None", "defer.cls": "type",
    "defer.function": "Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]",
    "look_up.entry": "Record", "look_up.names": "Sequence[str]", "look_up.inputs": "Sequence[str]",
    "look_up.index": "int", "look_up.d": "Strided", "lead_back.records": "Sequence[Record]",
    "lead_back.sources": "Sequence[Strided]",
    "walk_back.records": "list[Any]", "walk_back.targets": "Sequence[Strided]", "walk_back.rules": "dict[str, Any]",
    "walk_back.seeds": "Sequence[Strided | None]", "walk_back.sources": "Sequence[Strided]",
    "walk_back.without": "set[str] | None", "walk_back.free": "bool",
    "walk_back.check": "Callable[[Record, list[Strided | None]], None] | None",
    "walk_back.ready": "Callable[[int, Any, bool], None] | None",
    "record_op.op": "str", "record_op.inputs": "tuple[Strided, ...]", "record_op.out": "Strided",
    "record_op.params": "dict[str, Any] | None", "separate.tensors": "Sequence[Strided | None]",
    "separate.others": "Sequence[Strided]", "set_trainable.x": "Strided", "set_trainable.trainable": "bool",
    "is_trainable.x": "Strided", "assign.x": "Strided", "assign_add.x": "T", "assign_sub.x": "T",
    "add_matmul.out": "T", "logits_behind.p": "Strided", "nbytes": "int",
    "view_geometry.function": "Callable[..., Any]",
    "softmax_gradient.out": "ArrayLike", "log_softmax_gradient.out": "ArrayLike",
    "watch.x": "Strided", "tracks.x": "Strided", "stream": "Any", "max_version": "tuple[int, int] | None",
    "dl_device": "tuple[int, int] | None", "from_dlpack.x": "Any", "from_dlpack.device": "str | None",
    # optimizer steps
    **dict.fromkeys(("parameter", "gradient", "m", "v", "mean_square", "momentum_step.velocity"), ONE_OR_MORE),
    **dict.fromkeys(("rmsprop_step.velocity", "rmsprop_step.mean"), f"{ONE_OR_MORE} | None"),
    **dict.fromkeys(("learning_rate", "beta_1", "beta_2", "epsilon", "rho", "momentum"), NUMBER),
    "adam_step.step": "int", "nesterov": "bool", "parameter_factor": FACTOR, "gradient_factor": FACTOR,
}
# What the functions of cyops return that are no op; an op returns a Strided.
RESULTS = {
    **dict.fromkeys(("adam_step", "assign", "empty_cache", "momentum_step", "put", "record_op", "rmsprop_step",
                     "defer", "set_cache_limit", "set_tensor_class", "set_trainable", "sgd_step"), "None"),
    **dict.fromkeys(("arange", "asarray", "contract_labels", "from_dlpack", "conv_input_gradient",
                     "conv_kernel_gradient", "conv_with_shape", "detach", "empty", "eye", "full",
                     "gather_rows", "linspace", "log_softmax_gradient", "ones", "scatter_view",
                     "softmax_gradient", "take_gradient", "zeros"), "Strided"),
    **dict.fromkeys(("average_pool_gradient", "average_pool_like", "max_pool_chosen", "max_pool_gradient",
                     "resize_gradient"), "Strided"),
    "padded_positions": "ArrayLike", "batch_normalize": "tuple[Strided, Strided, Strided]",
    "batch_normalize_gradients": "tuple[Strided, Strided, Strided]",
    **dict.fromkeys(("is_recorded", "is_recording", "is_trainable", "shares_memory", "shares_storage"), "bool"),
    **dict.fromkeys(("add_matmul", "as_class", "assign_add", "assign_sub"), "T"),
    "available_isas": "tuple[str, ...]", "dtype_rows": "tuple[tuple[str, str, int, str], ...]",
    "memory_stats": "dict[str, int]", "get_num_threads": "int", "logits_behind": "Strided | None",
    "contract": "Strided",
    "conv_backward": "tuple[Strided | None, Strided | None, Strided | None]",
    "dense_backward": "tuple[Strided | None, Strided | None, Strided | None]",
    "softmax_cross_entropy_with_gradient": "tuple[Strided, Strided]",
    "lead_back": "list[tuple[int, ...] | None]", "look_up": "list[Any]", "separate": "list[Strided | None]",
    "walk_back": "list[Strided | None]",
    "view_geometry": "tuple[tuple[int, ...], tuple[int, ...], int]",
}


def render(name, parameters):
    """A list of parameters with an annotation for every one but `self`; `name`: of their function."""
    parts, star, slash = [], False, False
    for parameter in parameters:
        kind, known = parameter.kind, parameter.name
        annotation = PARAMETERS.get(f"{name}.{known}", PARAMETERS.get(known, "ArrayLike"))
        if kind is parameter.VAR_POSITIONAL:
            parts.append(f"*{known}: {STARRED.get(known, 'Any')}")
            star = True
            continue
        if slash and kind is not parameter.POSITIONAL_ONLY:
            parts.append("/")
        slash = kind is parameter.POSITIONAL_ONLY
        if kind is parameter.KEYWORD_ONLY and not star:
            parts.append("*")
            star = True
        parts.append("self" if known == "self" else f"{known}: {annotation}")
        if parameter.default is not parameter.empty:
            parts[-1] += f" = {parameter.default!r}"
    return ", ".join([*parts, "/"] if slash else parts)


# One sequence, or its items one by one; of einsum also lists of labels.
STARRED = {"shape": "int | Sequence[int]", "axes": "int | Sequence[int]", "operands": "Any"}


def function(name, value, result, original=None):
    """A function of cyops; `original`: its name there, where `name` is another."""
    return f"def {name}({render(original or name, inspect.signature(value).parameters.values())}) -> {result}: ..."


def method(name, value, result):
    """A function of cyops, or a method written for Tensor, as a method: its first parameter is `self`."""
    _, *parameters = inspect.signature(value).parameters.values()
    return f"    def {name}({', '.join(filter(None, ('self', render(name, parameters))))}) -> {result}: ..."


# -- cyops ------------------------------------------------------------------------------------------------------------
def cyops_stub():
    import cyops

    lines = [HEADER, "from collections.abc import Callable, Sequence", "from types import ModuleType",
             "from typing import Any, NamedTuple, Self, SupportsFloat, TypeAlias, TypeVar", "",
             "import numpy.typing", "from numpy import dtype as DType", "from numpy.typing import DTypeLike, NDArray",
             "",
             "ArrayLike: TypeAlias = Strided | numpy.typing.ArrayLike",
             "Axis: TypeAlias = int | Sequence[int] | None",
             "Scalar: TypeAlias = Any     # bool, int or float, as the dtype is; str of text",
             'T = TypeVar("T", bound=Strided)', "",
             "class Op(NamedTuple):", "    parameters: tuple[str, ...]", "    kernel: Callable[..., Any]",
             "    doc: str", "", "OPS: dict[str, Op]", "isa: str", "bfloat16: DType[Any]", ""]
    for cls in (cyops.Storage, cyops.Strided, cyops.Record, cyops.Recorder):
        lines += [*class_stub(cls), ""]
    for name in sorted(set(cyops.__all__)):
        value = getattr(cyops, name)
        if callable(value) and not inspect.isclass(value):
            lines.append(function(name, value, "Strided" if name in cyops.OPS else RESULTS[name]))
    lines += [*OTHER_CLASSES, *(f"{name}: ModuleType" for name in INTERNAL)]
    return "\n".join(lines) + "\n"


INTERNAL = ("creation", "update")      # submodules that the package cytensor reaches into
OTHER_CLASSES = (
    "class set_num_threads:", "    def __init__(self, count: int) -> None: ...",
    "    def __enter__(self) -> set_num_threads: ...", "    def __exit__(self, *exception: object) -> None: ...",
    "class StaleValueError(RuntimeError): ...",
    "class Derived:",
    "    def __init__(self, kernel: Callable[..., Any], result_class: type[Strided], name: str, module: str, "
    "doc: str) -> None: ...",
    "    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...",
    "    @property", "    def __wrapped__(self) -> Callable[..., Any]: ...",
)

MEMBER_TYPES = {
    "device": "str | None",
    **dict.fromkeys(("offset", "ndim", "size", "itemsize", "nbytes", "version", "output_version"), "int"),
    **dict.fromkeys(("is_owned", "is_readonly", "is_shared", "is_contiguous", "is_view", "is_active",
                     "watch_trainable"), "bool"),
    "shape": "tuple[int, ...]", "strides": "tuple[int, ...]", "dtype": "DType[Any]", "storage": "Storage", "op": "str",
    "inputs": "tuple[Strided, ...]", "output": "Strided", "params": "dict[str, Any]",
    "origin": "Strided | None", "records": "list[Record]", "watched": "list[Strided]", "versions": "tuple[int, ...]",
    "T": "Strided", "mT": "Strided",
}
METHOD_RESULTS = {
    **dict.fromkeys(("__setitem__", "__init__", "watch", "start", "stop", "pause", "resume", "clear"), "None"),
    **dict.fromkeys(("__bool__", "tracks"), "bool"), **dict.fromkeys(("__len__", "__int__", "__index__"), "int"),
    "__float__": "float", "__complex__": "complex", "__repr__": "str", "__reduce__": "tuple[Any, ...]",
    "__array__": "NDArray[Any]", "__dlpack__": "Any", "__dlpack_device__": "tuple[int, int]",
    "item": "Scalar", "tolist": "Any",
}
# Slots whose wrappers carry no signature of their own, and what takes anything.
SPECIAL = {
    "__getitem__": "(self, key: Any) -> Strided", "__setitem__": "(self, key: Any, value: ArrayLike) -> None",
    "__eq__": "(self, other: object) -> Any", "__ne__": "(self, other: object) -> Any",
    "Strided.__init__": "(self, data: ArrayLike, dtype: DTypeLike | None = ...) -> None",
    "Storage.__init__": "(self, nbytes: int = ...) -> None",
    "Recorder.__init__": "(self, watch_trainable: bool = ...) -> None",
    "__array__": "(self, dtype: DTypeLike | None = ..., copy: bool | None = ...) -> NDArray[Any]",
    "__round__": "(self, ndigits: int | None = ...) -> Strided",
}
SKIPPED = {"__new__", "__hash__", "__reduce_cython__", "__setstate_cython__", "__setstate__", "__pyx_vtable__",
           "__doc__", "__delitem__", "__release_buffer__", "__buffer__", "__module__", "__array_priority__"}


def class_stub(cls):
    """The members a class adds to object: properties, methods, operators."""
    lines = [f"class {cls.__name__}:"]
    for name, member in sorted(vars(cls).items()):
        if name in SKIPPED:
            continue
        if inspect.isgetsetdescriptor(member) or inspect.ismemberdescriptor(member) or isinstance(member, property):
            lines += ["    @property", f"    def {name}(self) -> {MEMBER_TYPES[name]}: ..."]
        elif callable(member):
            lines.append(member_stub(cls.__name__, name, member))
    if cls.__name__ in ("Strided", "Storage"):  # a member from Python 3.12 on
        lines.append("    def __buffer__(self, flags: int, /) -> memoryview: ...")
    if cls.__name__ == "Strided":
        lines.append("    __hash__ = None  # type: ignore[assignment]")
    return lines


def member_stub(owner, name, member):
    if name in IN_PLACE or name in ARITHMETIC:
        return operator_stub(name, "Self" if name in IN_PLACE else "Strided")
    special = SPECIAL.get(f"{owner}.{name}", SPECIAL.get(name))
    if special is not None:
        return f"    def {name}{special}: ..."
    try:
        parameters = render(name, inspect.signature(member).parameters.values())
    except ValueError:
        parameters = "self"
    if name.startswith("__") and "$" in parameters:
        parameters = "self"
    return f"    def {name}({parameters}) -> {METHOD_RESULTS.get(name, 'Strided')}: ..."


def operator_stub(name, result):
    if name in ("__divmod__", "__rdivmod__"):
        result = f"tuple[{result}, {result}]"
    modulo = ", modulo: None = ..." if name in ("__pow__", "__rpow__") else ""
    ignored = "  # type: ignore[misc]" if name == "__ipow__" else ""       # without a modulo, as __pow__ has one
    return f"    def {name}(self, other: ArrayLike{modulo}, /) -> {result}: ...{ignored}"


# -- cytensor ---------------------------------------------------------------------------------------------------------
def definitions(module):
    """{name: its def or class in the source} of a module."""
    found = ast.parse(inspect.getsource(module)).body
    return {node.name: node for node in found if isinstance(node, (ast.FunctionDef, ast.ClassDef))}


class Unquoted(ast.NodeTransformer):
    """Annotations without the quotation marks that stubs do without."""

    def visit_arg(self, node):
        return ast.arg(node.arg, self.plain(node.annotation))

    @staticmethod
    def plain(annotation):
        quoted = isinstance(annotation, ast.Constant) and isinstance(annotation.value, str)
        return ast.parse(annotation.value, mode="eval").body if quoted else annotation


def written(node, indent="", result=None, name=None):
    """The lines of a function as its source has them, without its body; `result` and `name` in place of its own."""
    returns = result or ast.unparse(Unquoted.plain(node.returns))
    decorators = [ast.unparse(one) for one in node.decorator_list]
    return [*(f"{indent}@{one}" for one in decorators if not one.startswith(("composite", "accepting", "_public"))),
            f"{indent}def {name or node.name}({ast.unparse(Unquoted().visit(node.args))}) -> {returns}: ..."]


def result_of(node):
    """What the public function of a composite returns: Tensors for Strided, and tuples for named ones."""
    text = ast.unparse(node.returns)
    return "tuple[Tensor, ...]" if text.startswith(("tuple", "Unique")) else "Tensor"


def ops_stub():
    from cytensor import arrays, composites, manipulation, ops, products, sorting

    lines = [HEADER, "from collections.abc import Callable, Sequence", "from typing import Any, SupportsFloat", "",
             "from cyops import Derived, Strided", "",
             "from cytensor.tensor import Tensor", "from cytensor.tensor import asarray as asarray",
             "from cytensor.types import ArrayLike, Axis, DTypeLike", "", "FUNCTIONS: dict[str, Callable[..., Tensor]]",
             "CREATION: tuple[str, ...]", "ALIASES: dict[str, str]", ""]
    in_python = definitions(ops)
    composed = {name: node for module in (composites, products, sorting, arrays, manipulation)
                for name, node in definitions(module).items()}
    lines += written(in_python["derive"])
    for name in sorted(set(ops.__all__) - {"asarray"}):
        original = ops.ALIASES.get(name, name)
        if original in composed:
            lines += written(composed[original], result=result_of(composed[original]), name=name)
        elif name in in_python:
            lines += written(in_python[name])
        elif name == "convert_to_tensor":
            lines.append("convert_to_tensor = asarray")
        else:
            lines.append(function(name, getattr(ops, name), "Tensor", original))
    names = ", ".join(f'"{name}"' for name in sorted(ops.__all__))
    return "\n".join(lines) + f"\n\n__all__ = [{names}]\n"


def tensor_stub():
    tensor = importlib.import_module("cytensor.tensor")         # the attribute of that name is the function

    lines = [HEADER, "from collections.abc import Callable, Iterator, Sequence",
             "from typing import Any, Self, SupportsFloat", "", "from cyops import Strided", "",
             "from cytensor.shapes import TensorShape",
             "from cytensor.types import Array, ArrayLike, Axis, DTypeLike", "", "METHODS: tuple[str, ...]", ""]
    for name, node in definitions(tensor).items():
        if isinstance(node, ast.FunctionDef):
            lines += written(node)
            continue
        lines.append(f"class {name}({', '.join(map(ast.unparse, node.bases))}):")
        hidden = ("_described",) if name == "Variable" else ("__new__", "_described")
        members = [member for member in node.body if isinstance(member, ast.FunctionDef) and
                   member.name not in hidden]
        lines += [line for member in members for line in written(member, "    ")]
        shape = ["    @property", "    def shape(self) -> TensorShape: ..."]
        lines += {"Tensor": [*shape, *derived_members(tensor)], "Variable": VARIABLE}.get(
            name, [] if members else ["    ..."])
        lines.append("")
    return "\n".join(lines) + "\n"


VARIABLE = ["    name: str", "    path: str", "    constraint: Callable[[Tensor], ArrayLike] | None"]


def derived_members(tensor):
    """The members of Tensor that are made from the op table, and the compiled ones with their results."""
    lines = [f"    @property\n    def {name}(self) -> Tensor: ..." for name in ("T", "mT")]
    lines += ["    def __getitem__(self, key: Any, /) -> Tensor: ...",
              "    __array_ufunc__: Any", "    __array_function__: Any"]
    from cytensor.ops import TENSOR_METHODS, TENSOR_PROPERTIES
    lines += [f"    @property\n    def {name}(self) -> Tensor: ..." for name in TENSOR_PROPERTIES]
    lines += [method(name, getattr(tensor.Tensor, name), "Tensor") for name in
              ("transpose", "ravel", "flatten", "swapaxes")]
    lines += [method(name, getattr(tensor.Tensor, name), "tuple[Tensor, ...]" if name == "nonzero" else "Tensor")
              for name in TENSOR_METHODS]
    lines += [method(name, getattr(tensor.Tensor, name), "Tensor") for name in sorted(tensor.METHODS)]
    lines += [operator_stub(name, "Tensor") for name in ARITHMETIC]
    return lines + [f"    def {name}(self) -> Tensor: ..." for name in ("__neg__", "__abs__", "__pos__", "__invert__")]


ARITHMETIC = [
    f"__{prefix}{name}__"
    for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "divmod", "pow", "matmul", "and", "or", "xor",
                 "lshift", "rshift")
    for prefix in ("", "r")
] + ["__lt__", "__le__", "__gt__", "__ge__"]
IN_PLACE = [f"__i{name}__" for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or",
                                        "xor", "lshift", "rshift")]
STUBS = {"cyops/__init__.pyi": cyops_stub, "src/cytensor/ops.pyi": ops_stub, "src/cytensor/tensor.pyi": tensor_stub}


def main():
    for path, make in STUBS.items():
        (ROOT / path).write_text(make())
        print(f"wrote {path}", file=sys.stderr)


if __name__ == "__main__":
    main()
