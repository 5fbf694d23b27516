"""The signatures of the Array API standard 2024.12, from a table written from its text: tests/standard/signatures.txt.

A function may take more than the standard asks for, and under more names; what the standard lets a caller write must be
understood as it says.
"""
import ast
import inspect
import operator
from pathlib import Path

import pytest

import cytensor as ct

TABLE = (Path(__file__).parent / "standard" / "signatures.txt").read_text().splitlines()
ANY = inspect.Parameter.empty
BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
INFO = ct.__array_namespace_info__()
# What leaving `dtype` out means where it is no None.
DEFAULT_DTYPE = "float32"


def parsed(line):
    """(dotted name, positional [(name, by keyword too, default)], keyword [(name, default)], has *args)."""
    function = ast.parse(f"def {line.replace('.', '__DOT__', line.split('(')[0].count('.'))}: ...").body[0]
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    defaults = [ANY] * (len(positional) - len(given.defaults)) + [ast.literal_eval(one) for one in given.defaults]
    return (function.name.replace("__DOT__", "."),
            [(one.arg, one in given.args, default) for one, default in zip(positional, defaults, strict=True)],
            [(one.arg, ast.literal_eval(default))
             for one, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)],
            given.vararg is not None)


def agrees(default, standards):
    """Whether leaving an argument out means what the standard says; what it asks for may be optional."""
    return standards is ANY or default == standards or (standards is None and default == DEFAULT_DTYPE)


def found(name):
    where, _, last = name.rpartition(".")
    if where == "info":
        return getattr(type(INFO), last)
    return operator.attrgetter(name)(ct)


@pytest.mark.parametrize("line", TABLE)
def test_a_caller_may_write_what_the_standard_writes(line):
    name, positional, keywords, takes_any_number = parsed(line)
    ours = inspect.signature(found(name)).parameters
    in_order = [one for one in ours.values() if one.kind in BY_POSITION]
    assert len(in_order) >= len(positional)
    for mine, (parameter, by_keyword, default) in zip(in_order, positional, strict=False):
        assert agrees(mine.default, default), parameter
        if by_keyword:
            assert mine.name == parameter and mine.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert all(one.default is not ANY or one.name in dict(keywords) for one in in_order[len(positional):])
    for parameter, default in keywords:
        assert ours[parameter].kind is not inspect.Parameter.POSITIONAL_ONLY
        assert agrees(ours[parameter].default, default), parameter
    assert takes_any_number <= any(one.kind is inspect.Parameter.VAR_POSITIONAL for one in ours.values())


def test_the_table_has_every_function_of_the_standard():
    from test_array_api import FFT, LINALG, MAIN
    names = {parsed(line)[0] for line in TABLE}
    constants = {"e", "inf", "nan", "newaxis", "pi", "linalg", "fft", "__array_namespace_info__"}
    dtypes = set(INFO.dtypes())
    assert names >= {*MAIN} - constants - dtypes
    assert names >= {f"linalg.{name}" for name in LINALG} | {f"fft.{name}" for name in FFT}


OPERATORS = """
    abs add and array_namespace bool complex dlpack dlpack_device eq float floordiv ge getitem gt index int
    invert le lshift lt matmul mod mul ne neg or pos pow rshift setitem sub truediv xor radd rsub rmul
    rtruediv rfloordiv rmod rpow rmatmul rand ror rxor rlshift rrshift iadd isub imul itruediv ifloordiv imod
    ipow imatmul iand ior ixor ilshift irshift
"""


@pytest.mark.parametrize("name", OPERATORS.split())
def test_a_tensor_has_the_operators_of_the_standard(name):
    assert callable(getattr(ct.Tensor, f"__{name}__"))


@pytest.mark.parametrize(("symbol", "value"), [
    ("+", 2), ("-", 2), ("*", 2), ("/", 2.0), ("//", 2.0), ("%", 2.0), ("**", 2.0), ("@", ct.ones((2, 2))), ("&", 3),
    ("|", 4), ("^", 5), ("<<", 1), (">>", 1),
])
def test_operators_in_place_write_into_the_tensors_memory(symbol, value):
    x = ct.asarray([[5, 6], [7, 8]], dtype="int64" if symbol in "&|^<<>>" else "float32")
    names = {"x": x, "expected": eval(f"x {symbol} value", {"x": x, "value": value}), "value": value}
    view = x[...]
    exec(f"x {symbol}= value", names)
    assert names["x"] is x and view.tolist() == names["expected"].tolist()
    with ct.GradientTape() as tape:
        tape.watch(x := ct.ones((2, 2)))
        y = x * 1.0
        before = y
        if symbol in ("+", "-", "*", "/", "%", "**"):
            names = {"y": y, "value": value}
            exec(f"y {symbol}= value", names)
            assert tape.gradient(names["y"], x) is not None and before.tolist() == [[1.0, 1.0], [1.0, 1.0]]
