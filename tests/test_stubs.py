"""The committed stubs are what the op table says, say something of every function, and are true of the results."""
import ast
import inspect
import itertools

import numpy as np
import pytest
from stubs import RESULTS, ROOT, STUBS

import cyops
import cytensor as ct

# What is meant to be anything: the elements of a tensor, comparisons, which answer for other classes too, the call of
# any derived function, what a TensorFlow decorator is given.
OPEN = {"item", "tolist", "__array_namespace__", "__eq__", "__ne__", "__dlpack__", "__call__"}


@pytest.mark.parametrize("path", STUBS)
def test_stubs_are_up_to_date(path):
    assert (ROOT / path).read_text() == STUBS[path](), f"{path} is out of date: run make stubs"


def functions(path):
    return [node for node in ast.walk(ast.parse(STUBS[path]())) if isinstance(node, ast.FunctionDef)]


@pytest.mark.parametrize("path", STUBS)
def test_every_function_in_a_stub_says_what_it_returns(path):
    silent = {node.name for node in functions(path) if node.returns is None or ast.unparse(node.returns) == "Any"}
    assert silent <= OPEN


@pytest.mark.parametrize("path", STUBS)
def test_every_parameter_in_a_stub_has_a_type(path):
    silent = [f"{node.name}({one.arg})" for node in functions(path)
              for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
              if one.annotation is None and one.arg not in ("self", "cls")]
    assert silent == []


def test_every_name_of_cyops_is_in_its_stub():
    body = ast.parse(STUBS["cyops/__init__.pyi"]()).body
    found = {node.name for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    found |= {node.target.id for node in body if isinstance(node, ast.AnnAssign)}
    assert set(cyops.__all__) - found == set()


def test_defaults_in_the_stub_of_cyops_are_those_of_the_functions():
    for node in functions("cyops/__init__.pyi"):
        value = getattr(cyops, node.name, None)
        if node.name not in cyops.__all__ or inspect.isclass(value):
            continue
        defaults = {name: one.default for name, one in inspect.signature(value).parameters.items()}
        named = [*node.args.args, *node.args.kwonlyargs]
        given = [*itertools.repeat(None, len(node.args.args) - len(node.args.defaults)), *node.args.defaults,
                 *node.args.kw_defaults]
        for argument, default in zip(named, given, strict=True):
            expected = inspect.Parameter.empty if default is None else ast.literal_eval(default)
            assert defaults[argument.arg] == expected, (node.name, argument.arg)


X = cyops.Strided([[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize(("name", "arguments"), [
    ("adam_step", (cyops.ones(2), cyops.ones(2), cyops.zeros(2), cyops.zeros(2), 0.1, 0.9, 0.99, 1e-7, 1)),
    ("add_matmul", (cyops.zeros((2, 2)), X, X)), ("arange", (3,)), ("as_class", (X, ct.Tensor)),
    ("asarray", ([1.0],)), ("assign", (cyops.ones(2), 1.0)), ("assign_add", (cyops.ones(2), 1.0)),
    ("available_isas", ()), ("dense_backward", (X, X, X)), ("detach", (X,)), ("dtype_rows", ()), ("empty", (2,)),
    ("empty_cache", ()), ("eye", (2,)), ("from_dlpack", (X,)), ("full", (2, 1.0)),
    ("gather_rows", (X, [0])), ("get_num_threads", ()),
    ("is_recorded", (X,)),
    ("is_recording", ()), ("is_trainable", (X,)), ("lead_back", ([], [X])), ("linspace", (0, 1, 3)),
    ("logits_behind", (X,)), ("logits_behind", (cyops.softmax(X),)),
    ("walk_back", ([], [cyops.ones(2)], [None], [cyops.ones(2)], {})), ("memory_stats", ()),
    ("ones", (2,)), ("put", (cyops.ones(2), [0], 1.0)), ("scatter_view", (X, (2, 2), (2, 2), (2, 1), 0)),
    ("separate", ([X, None], [])), ("set_trainable", (cyops.ones(2), True)),
    ("sgd_step", (cyops.ones(2), cyops.ones(2), 0.1)), ("shares_memory", (X, X)), ("shares_storage", (X, X)),
    ("softmax_cross_entropy_with_gradient", (X, [0, 1])), ("softmax_gradient", (X, X)),
    ("take_gradient", ([1.0], [0], (2,), 0)), ("view_geometry", (cyops.flip, (2, 3))),
])
def test_results_are_of_the_type_that_the_stub_claims(name, arguments):
    assert holds(getattr(cyops, name)(*arguments), ast.parse(RESULTS[name], mode="eval").body)


def holds(value, claim):
    """Whether a value is of the type in an annotation: a name, None, a union, a tuple, list or dictionary."""
    if isinstance(claim, ast.BinOp):
        return holds(value, claim.left) or holds(value, claim.right)
    if isinstance(claim, ast.Constant):
        return value is None
    if isinstance(claim, ast.Name):
        known = {"Strided": cyops.Strided, "T": cyops.Strided, "bool": bool, "int": int, "str": str, "Any": object}
        return isinstance(value, known[claim.id]) and not (claim.id == "int" and isinstance(value, bool))
    parts = claim.slice.elts if isinstance(claim.slice, ast.Tuple) else [claim.slice]
    if claim.value.id == "dict":
        return isinstance(value, dict) and all(holds(k, parts[0]) and holds(v, parts[1]) for k, v in value.items())
    if claim.value.id == "list":
        return isinstance(value, list) and all(holds(item, parts[0]) for item in value)
    if isinstance(parts[-1], ast.Constant) and parts[-1].value is ...:
        return isinstance(value, tuple) and all(holds(item, parts[0]) for item in value)
    return isinstance(value, tuple) and len(value) == len(parts) and all(map(holds, value, parts))


def test_members_of_a_tensor_are_of_the_type_that_the_stub_claims():
    assert isinstance(X.storage.is_shared, bool)
    assert isinstance(X.storage.is_owned, bool)
    assert isinstance(X.is_contiguous, bool)
    assert isinstance(X.is_view, bool)
    assert isinstance(X.dtype, np.dtype)
    assert all(isinstance(part, tuple) for part in (X.shape, X.strides))
    assert all(isinstance(part, cyops.Strided) for part in (*divmod(X, 2.0), X.T, X.mT, X < 2, round(X)))
    assert isinstance(ct.rank(X), ct.Tensor)
    assert isinstance(ct.size(X), ct.Tensor)
