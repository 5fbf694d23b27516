"""Writes the type stubs of cyops, of the derived functions and of Tensor, from the op table: `python tests/stubs.py`.

The stubs are committed; test_stubs.py fails when they differ from what this file would write.
"""
import importlib
import inspect
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEADER = '"""Generated from the op table by tests/stubs.py; do not edit."""\n'

# What a parameter of this name takes, wherever it occurs.
PARAMETERS = {
    "axis": "int | tuple[int, ...] | None", "axes": "Any", "keepdims": "bool", "dtype": "DTypeLike | None",
    "out": "Strided | None", "shape": "int | Sequence[int]", "copy": "bool | None", "correction": "float",
    "activation": "str | None", "offset": "int | None", "strides": "Sequence[int]", "axis1": "int", "axis2": "int",
    "window_shape": "int | Sequence[int]", "num_classes": "int", "tensors": "Sequence[ArrayLike]",
    "inputs": "Sequence[ArrayLike]",
}


def render(signature, result, drop_first=False):
    """A signature with an annotation for every parameter."""
    parts = []
    parameters = list(signature.parameters.values())[1 if drop_first else 0 :]
    star = False
    for parameter in parameters:
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            parts.append("*")
            star = True
        annotation = PARAMETERS.get(parameter.name, "ArrayLike" if parameter.default is parameter.empty else "Any")
        text = f"{parameter.name}: {annotation}"
        if parameter.kind is parameter.VAR_POSITIONAL:
            text, star = f"*{parameter.name}: Any", True
        elif parameter.kind is parameter.VAR_KEYWORD:
            text = f"**{parameter.name}: Any"
        elif parameter.default is not parameter.empty:
            text += " = ..."
        parts.append(text)
    return ", ".join((["self"] if drop_first else []) + parts), result


def function(name, value, result):
    parameters, result = render(inspect.signature(value), result)
    return f"def {name}({parameters}) -> {result}: ..."


def method(name, value, result):
    parameters, result = render(inspect.signature(value), result, drop_first=True)
    return f"    def {name}({parameters}) -> {result}: ..."


def cyops_stub():
    import cyops

    lines = [HEADER, "from collections.abc import Callable, Sequence", "from typing import Any, NamedTuple", "",
             "from numpy import dtype as DType", "from numpy.typing import DTypeLike", "", "ArrayLike = Any", "",
             "class Op(NamedTuple):", "    parameters: tuple[str, ...]", "    kernel: Callable[..., Any]",
             "    doc: str", "", "OPS: dict[str, Op]", "isa: str", ""]
    for cls in (cyops.Storage, cyops.Strided, cyops.Record, cyops.Recorder):
        lines += [*class_stub(cls), ""]
    for name in sorted(set(cyops.__all__) - {"OPS", "Op", "isa", "Storage", "Strided", "Record", "Recorder"}):
        value = getattr(cyops, name)
        if inspect.isclass(value):
            continue
        if not callable(value):
            lines.append(f"{name}: Any")
            continue
        lines.append(function(name, value, "Strided" if name in cyops.OPS else "Any"))
    lines += ["class set_num_threads:", "    def __init__(self, count: int) -> None: ...",
              "    def __enter__(self) -> set_num_threads: ...",
              "    def __exit__(self, *exception: object) -> None: ..."]
    for name in sorted(INTERNAL):
        lines.append(f"{name}: Any")
    return "\n".join(lines) + "\n"


# Submodules that the package cytensor reaches into.
INTERNAL = {"creation", "update"}

MEMBER_TYPES = {
    "shape": "tuple[int, ...]", "strides": "tuple[int, ...]", "dtype": "DType[Any]", "storage": "Storage", "op": "str",
    "inputs": "tuple[Strided | None, ...]", "output": "Strided", "params": "dict[str, Any] | None", "origin": "Any",
    "records": "list[Record]", "watched": "list[Strided]", "versions": "tuple[int, ...]", "is_owned": "bool",
    "is_readonly": "bool", "is_contiguous": "bool", "is_view": "bool", "is_active": "bool", "watch_trainable": "bool",
    "T": "Any", "mT": "Any",
}
SPECIAL_RESULTS = {
    "__len__": "int", "__bool__": "bool", "__float__": "float", "__int__": "int", "__index__": "int",
    "__setitem__": "None", "__init__": "None", "__repr__": "str", "__reduce__": "tuple[Any, ...]", "item": "Any",
    "tolist": "Any", "__array__": "Any",
}
# Slots whose wrappers carry no signature of their own.
SPECIAL_PARAMETERS = {"__getitem__": "key: Any", "__setitem__": "key: Any, value: Any", "__eq__": "other: object",
                      "__ne__": "other: object"}
SKIPPED = {"__new__", "__hash__", "__reduce_cython__", "__setstate_cython__", "__setstate__", "__pyx_vtable__",
           "__doc__", "__release_buffer__", "__buffer__"}


def class_stub(cls):
    """The members a class adds to object: properties, methods, operators."""
    lines = [f"class {cls.__name__}:"]
    for name, member in sorted(vars(cls).items()):
        if name in SKIPPED or name in ("__module__", "__array_priority__"):
            continue
        if inspect.isgetsetdescriptor(member) or inspect.ismemberdescriptor(member) or isinstance(member, property):
            lines += ["    @property", f"    def {name}(self) -> {MEMBER_TYPES.get(name, 'int')}: ..."]
        elif callable(member):
            lines.append(special_stub(name, member, cls))
    if cls.__name__ in ("Strided", "Storage"):  # a member from Python 3.12 on
        lines.append("    def __buffer__(self, flags: int, /) -> memoryview: ...")
    if cls.__name__ == "Strided":
        lines.append("    __hash__ = None  # type: ignore[assignment]")
    return lines


def special_stub(name, member, cls):
    if name in IN_PLACE or name in ARITHMETIC:
        return operator_stub(name, "Any")
    result = SPECIAL_RESULTS.get(name, "Any" if cls.__name__ in ("Strided", "Storage") else "None")
    if name == "tracks":
        result = "bool"
    if name in SPECIAL_PARAMETERS:
        parameters = f"self, {SPECIAL_PARAMETERS[name]}"
        return f"    def {name}({parameters}) -> {result}: ..."
    if name == "__init__":
        signature = {"Strided": "self, data: ArrayLike, dtype: DTypeLike | None = ...",
                     "Storage": "self, nbytes: int = ...", "Recorder": "self, watch_trainable: bool = ..."}
        return f"    def __init__({signature.get(cls.__name__, 'self')}) -> None: ..."
    try:
        parameters, result = render(inspect.signature(member), result, drop_first=True)
    except ValueError:
        parameters = "self"
    if name.startswith("__") and "$" in parameters:
        parameters = "self"
    return f"    def {name}({parameters}) -> {result}: ..."


def operator_stub(name, result):
    modulo = ", modulo: Any = ..." if name in ("__pow__", "__rpow__") else ""
    return f"    def {name}(self, other: Any{modulo}) -> {result}: ..."


def ops_stub():
    from cytensor import ops

    lines = [HEADER, "from collections.abc import Sequence", "from typing import Any", "",
             "from cyops import Strided", "from numpy.typing import DTypeLike", "",
             "from cytensor.tensor import Tensor", "from cytensor.tensor import asarray as asarray", "",
             "ArrayLike = Any", "FUNCTIONS: dict[str, Any]", ""]
    for name in sorted(set(ops.__all__) - {"asarray"}):
        result = "tuple[int, ...]" if name == "shape" else "Tensor"
        lines.append(function(name, getattr(ops, name), result))
    names = ", ".join(f'"{name}"' for name in sorted(ops.__all__))
    return "\n".join(lines) + f"\n\n__all__ = [{names}]\n"


def tensor_stub():
    tensor = importlib.import_module("cytensor.tensor")         # the attribute of that name is the function

    lines = [HEADER, "from collections.abc import Callable, Iterator, Sequence", "from typing import Any", "",
             "from cyops import Strided", "from numpy import ndarray", "from numpy.typing import DTypeLike", "",
             "ArrayLike = Any", "METHODS: tuple[str, ...]", ""]
    bodies = {
        "Tensor": [
            "    @property\n    def T(self) -> Tensor: ...", "    @property\n    def mT(self) -> Tensor: ...",
            "    @property\n    def device(self) -> str: ...", "    def numpy(self) -> ndarray: ...",
            "    def transpose(self, *axes: Any) -> Tensor: ...", "    def __iter__(self) -> Iterator[Tensor]: ...",
            "    def __contains__(self, value: Any) -> bool: ...",
            "    def __format__(self, spec: str) -> str: ...", "    def __getitem__(self, key: Any) -> Tensor: ...",
        ],
        "_Assignable(Tensor)": [f"    def {name}(self, value: ArrayLike) -> Any: ..."
                                for name in ("assign", "assign_add", "assign_sub")],
        "VariableView(_Assignable)": ["    ..."],
        "Variable(_Assignable)": [
            "    name: str", "    trainable: bool",
            "    def __init__(self, initial_value: ArrayLike | Callable[[], ArrayLike], trainable: bool = ..., "
            "name: str | None = ..., dtype: DTypeLike | None = ...) -> None: ...",
            "    def value(self) -> VariableView: ...", "    def __getitem__(self, key: Any) -> VariableView: ..."],
    }
    bodies["Tensor"] += ["    def reshape(self, *shape: Any, copy: bool | None = ...) -> Tensor: ...",
                         "    def view(self, *shape: Any) -> Tensor: ..."]
    for name in sorted(set(tensor.METHODS) - {"reshape", "view"}):
        bodies["Tensor"].append(method(name, getattr(tensor.Tensor, name), "Tensor"))
    for name in ARITHMETIC:
        bodies["Tensor"].append(operator_stub(name, "Tensor"))
    for name in ("__neg__", "__abs__", "__pos__", "__invert__"):
        bodies["Tensor"].append(f"    def {name}(self) -> Tensor: ...")
    for title, body in bodies.items():
        base = "Tensor(Strided)" if title == "Tensor" else title
        lines += [f"class {base}:", *body, ""]
    lines += ["def asarray(obj: ArrayLike, dtype: DTypeLike | None = ..., copy: bool | None = ...) -> Tensor: ...",
              "def as_tensor(x: Any) -> Any: ..."]
    return "\n".join(lines) + "\n"


ARITHMETIC = [
    f"__{prefix}{name}__"
    for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "divmod", "pow", "matmul", "and", "or")
    for prefix in ("", "r")
] + ["__lt__", "__le__", "__gt__", "__ge__"]
IN_PLACE = ["__iadd__", "__isub__", "__imul__", "__itruediv__"]
STUBS = {"cyops/__init__.pyi": cyops_stub, "src/cytensor/ops.pyi": ops_stub, "src/cytensor/tensor.pyi": tensor_stub}


def main():
    for path, make in STUBS.items():
        (ROOT / path).write_text(make())
        print(f"wrote {path}", file=sys.stderr)


if __name__ == "__main__":
    main()
