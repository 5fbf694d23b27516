"""Signatures are Keras's: what differs stands in the tables of docs/keras.md, with the reason. Needs Keras."""
import inspect
import os
import re
from pathlib import Path

import pytest

import cytensor as ct

PAGE = (Path(__file__).parent.parent / "docs" / "keras.md").read_text(encoding="utf-8")
AREAS = ("models", "layers", "losses", "metrics", "optimizers", "optimizers.schedules", "callbacks", "initializers",
         "regularizers", "constraints", "activations", "utils")
METHODS = ("compile", "fit", "evaluate", "predict", "train_on_batch", "test_on_batch", "predict_on_batch", "summary",
           "save", "save_weights", "load_weights", "get_layer", "add_weight", "add", "pop", "apply_gradients", "apply",
           "update_state", "reset_state", "adapt", "exclude_from_weight_decay", "compute_loss", "compute_metrics")
EMPTY = inspect.Parameter.empty


@pytest.fixture(scope="module")
def keras():
    os.environ.setdefault("KERAS_BACKEND", "jax")
    return pytest.importorskip("keras", reason="Keras is not installed")


def left_out():
    """{owner: arguments} of the table of arguments: owners are classes, functions and Class.method."""
    found = {}
    rows = PAGE.split("| Of | Left out | Why |", 1)[1].split("\n\n", 1)[0]
    for owners, names, _ in (line.strip("| ").split(" | ") for line in rows.splitlines()[2:]):
        for owner in re.findall(r"`([\w.]+)`", owners):
            found.setdefault(owner, set()).update(re.findall(r"`(\w+)`", names))
    return found


def pairs(keras):
    """(names of the owner and of those it inherits from, our callable, Keras's) of everything that both have."""
    for area in AREAS:
        ours, theirs = ct, keras
        for part in area.split("."):
            ours, theirs = getattr(ours, part), getattr(theirs, part)
        for name, here in sorted(vars(ours).items()):
            there = getattr(theirs, name, None)
            if name.startswith("_") or not callable(here) or there is None:
                continue
            if not inspect.isclass(here):
                yield [name], here, there
                continue
            family = [cls.__name__ for cls in here.__mro__]
            yield family, here.__init__, there.__init__
            for method in METHODS:
                if hasattr(here, method) and hasattr(there, method):
                    yield ([f"{owner}.{method}" for owner in family], getattr(here, method), getattr(there, method))


def named(function):
    """(the named parameters of a function, whether it takes others by name)."""
    parameters = inspect.signature(function).parameters
    kinds = {one.kind for one in parameters.values()}
    plain = {name: one for name, one in parameters.items() if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)}
    return plain, inspect.Parameter.VAR_KEYWORD in kinds


def keywords_of(family, own):
    """What a constructor passes on to those of its base classes."""
    names = set(own)
    for base in (ct.layers.Layer, ct.optimizers.Optimizer):
        if base.__name__ in family:
            names |= set(named(base.__init__)[0])
    return names


def differences(family, here, there):
    """The arguments of Keras's that ours has not, or has with another default or in another place."""
    ours, passes_on = named(here)
    theirs, _ = named(there)
    known = keywords_of(family, ours) if passes_on else set(ours)
    if family[0] == "LambdaCallback":
        known |= set(theirs)                       # its keywords are the names of the hooks
    for name, parameter in theirs.items():
        mine = ours.get(name)
        if name not in known:
            yield name
        elif mine is not None and mine.default is not EMPTY and parameter.default is not EMPTY:
            same = str(mine.default).lower() == str(parameter.default).lower() or mine.default == parameter.default
            if not same and name != "name":        # a name left out is the same snake_case name
                yield name
    shared = [[name for name, one in side.items() if one.kind is one.POSITIONAL_OR_KEYWORD and name in other]
              for side, other in ((ours, theirs), (theirs, ours))]
    most = min(map(len, shared))
    yield from (name for name, other in zip(shared[0][:most], shared[1][:most], strict=True) if name != other)


def test_every_difference_is_in_the_table(keras):
    allowed, used, unexplained = left_out(), set(), []
    for family, here, there in pairs(keras):
        for name in dict.fromkeys(differences(family, here, there)):
            reasons = {(owner, name) for owner in family if name in allowed.get(owner, ())}
            used |= reasons
            if not reasons:
                unexplained.append((family[0], name))
    assert not unexplained
    needless = {(owner, name) for owner, names in allowed.items() for name in names} - used
    assert not needless


def test_every_missing_class_is_named(keras):
    """Layers by their families, all else one by one."""
    missing = []
    for area in AREAS:
        if area in ("layers", "utils"):
            continue
        ours, theirs = ct, keras
        for part in area.split("."):
            ours, theirs = getattr(ours, part), getattr(theirs, part)
        missing += [f"{area}.{name}" for name, value in vars(theirs).items() if inspect.isclass(value)
                    and name[0].isupper() and not hasattr(ours, name)
                    and not hasattr(ours, value.__name__) and f"`{name}`" not in PAGE]
    assert not missing
