"""Names and configurations: the closed registry of classes and functions that strings and files may name.

A string such as "rmsprop" or a file's `layers.Dense` resolves here, or in what the program itself has named
(custom_objects.py), and nowhere else: nothing is ever imported by name, so loading a file cannot run code.
`Configurable` remembers the arguments an object was made with, so that no class writes down its own configuration.
"""
import importlib
import inspect
import itertools
import re
import reprlib
from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np

from cyops import bfloat16
from cytensor import custom_objects
from cytensor.checks import arguments
from cytensor.types import Config, Identifier

__all__ = ["Configurable", "deserialize", "lookup", "register", "register_alias", "serialize"]

_tables: dict[str, dict[str, Any]] = {}     # kind -> folded name -> class or function
_names: dict[Any, str] = {}                 # class or function -> the qualified name that files use
_by_name: dict[str, Any] = {}               # qualified name -> class or function
# Kinds whose functions are registered when the module that has them is first used: a file may name them before.
_LATE = {"nn": "cytensor.nn", "ops": "cytensor.keras.ops", "tensorflow": "cytensor.tensorflow"}
# What the callables of a kind are called with and give: where one kind is asked for, one that differs is no answer.
_CALLED = {"activations": "tensor -> tensor", "layers": "tensor -> tensor", "constraints": "tensor -> tensor",
           "losses": "targets, predictions -> number", "metrics": "targets, predictions -> number",
           "regularizers": "tensor -> number", "initializers": "shape -> tensor"}


def snake_case(name: str) -> str:
    """A class's name as Keras writes it in lower case, which names layers, losses and metrics.

    >>> snake_case("BatchNormalization"), snake_case("PReLU"), snake_case("RMSNorm"), snake_case("MyMLPBlock")
    ('batch_normalization', 'p_re_lu', 'rms_norm', 'my_mlp_block')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


# Where Keras's name for a class in lower case is not what its rule makes of it.
SPELLINGS = {"AdamW": "adamw", "FBetaScore": "fbeta_score", "L1L2": "l1_l2", "RMSprop": "rmsprop"}


def spelled(name: str) -> str:
    """What a class or function of that name is called in strings, and in lists of what is known.

    >>> spelled("RMSprop"), spelled("SparseTopKCategoricalAccuracy")
    ('rmsprop', 'sparse_top_k_categorical_accuracy')
    """
    return SPELLINGS.get(name) or snake_case(name)


def former_snake_case(name: str) -> str:
    """As files of the first versions have it: `PReLU` -> `pre_lu`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def unused_name(stem: str, taken: dict[str, int]) -> str:
    """`stem`, or with a number behind it that makes it another name than those in `taken`, which it joins.

    taken: {name: the last number tried behind it}, so that for a thousand layers of one kind none is tried twice.

    >>> taken = {"dense": 0}
    >>> unused_name("dense", taken), unused_name("dense", taken), unused_name("loss", taken)
    ('dense_1', 'dense_2', 'loss')
    """
    name, number = stem, taken.get(stem, 0)
    while name in taken:
        number += 1
        name = f"{stem}_{number}"
    if number:
        taken[stem] = number
    taken[name] = 0
    return name


_numbers: dict[str, "itertools.count[int]"] = {}        # of what was named after its kind, since the last reset


def next_number(stem: str) -> int:
    """How many were named after `stem` before: 0, 1, 2."""
    counter = _numbers.get(stem)
    return next(counter if counter is not None else _numbers.setdefault(stem, itertools.count()))


def numbered(stem: str, number: int) -> str:
    """dense, dense_1, dense_2."""
    return f"{stem}_{number}" if number else stem


def auto_name(stem: str) -> str:
    """A name of its own in this process, as Keras makes them up for the parts of graphs."""
    return numbered(stem, next_number(stem))


def reset_names() -> None:
    """Let made-up names start again without numbers: what `clear_session` does."""
    _numbers.clear()


def _fold(name: str) -> str:
    return name.replace("_", "").lower()


# -- registering ------------------------------------------------------------------------------------------------------
def register(kind: str, *objects: Any) -> None:
    """Make `objects` (classes or functions) known under `kind`, by their own names in any spelling."""
    table = _tables.setdefault(kind, {})
    for entry in objects:
        table.setdefault(_fold(entry.__name__), entry)
    register_for_files(kind, *objects)


def register_for_files(kind: str, *objects: Any) -> None:
    """Let files name `objects`, which no string that a user writes means."""
    for entry in objects:
        _names[entry] = f"{kind}.{entry.__name__}"
        _by_name[_names[entry]] = entry


def register_alias(kind: str, entry: Any, *names: str) -> None:
    """Let further `names` of the same kind mean `entry`."""
    for name in names:
        _tables[kind].setdefault(_fold(name), entry)


# -- looking up -------------------------------------------------------------------------------------------------------
def unknown(what: str, name: object, known: Iterable[str]) -> ValueError:
    """The error for a name that is not known: the list of those that are, and the nearest."""
    known = sorted(set(known))
    hint = arguments.nearest(name, known)
    return ValueError(f"{what}: unknown name {name!r}; known are {', '.join(known)}{hint}")


def lookup(kind: str, identifier: Identifier, base: "type[Configurable] | None" = None) -> Any:
    """The object that `identifier` means: a name, a configuration, a class, an instance or a function.

    kind: the registered kind, in the plural ("optimizers"). base: the class that instances must have; None where
    functions are accepted too. None gives None. Raises ValueError for an unknown name, TypeError for anything else.
    """
    what = kind.rstrip("s").replace("losse", "loss")
    if identifier is None:
        return None
    if isinstance(identifier, dict):
        identifier = from_keras(identifier, kind) if "class_name" in identifier else deserialize(identifier)
    if isinstance(identifier, str):
        table = _tables[kind]
        entry = custom_objects.find(identifier) or table.get(_fold(identifier))
        if entry is None:
            own = custom_objects.known_names()
            raise unknown(what, identifier, {*(spelled(known.__name__) for known in table.values()), *own})
        identifier = entry
    is_made = False
    if isinstance(identifier, type):
        identifier, is_made = identifier(), True
    if base is not None and isinstance(identifier, base):
        return identifier
    if callable(identifier) and (base is None or not base.strict):
        _refuse_others(what, kind, identifier)
        return identifier
    if is_made:
        return identifier
    kinds = ["a name"]
    if base is not None:
        kinds.append(f"{'an' if base.__name__[0] in 'AEIOU' else 'a'} {base.__name__}")
    if base is None or not base.strict:
        kinds.append("a function")
    raise TypeError(f"{what}: expected {', '.join(kinds[:-1])} "
                    f"or {kinds[-1]}; got {identifier!r} ({type(identifier).__name__})")


def _refuse_others(what: str, kind: str, entry: Any) -> None:
    """Raise TypeError for what is called otherwise than `kind`, though it is this package's: a metric as activation."""
    named = [entry] if inspect.isroutine(entry) else type(entry).__mro__
    known = [_names[one] for one in named if one in _names]
    own = next((name for name in known if name.partition(".")[0] in _CALLED), None)
    if own is not None and _CALLED[own.partition(".")[0]] != _CALLED.get(kind):
        raise TypeError(f"{what}: a function ({_CALLED.get(kind)}) is expected; got {own} "
                        f"({_CALLED[own.partition('.')[0]]})")


# -- configurations ---------------------------------------------------------------------------------------------------
class _Arguments:
    """The arguments of a constructor: an object, so that whoever searches attributes for layers finds none in it."""

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.args, self.kwargs = args, kwargs


class Configurable:
    """An object that remembers the arguments it was made with and can be made again from them.

    `strict` subclasses cannot be replaced by a bare function in `lookup`.
    """
    strict = False
    _arguments: _Arguments

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        arguments.check(cls, args, kwargs)
        self = super().__new__(cls)
        try:
            self._arguments = _Arguments(fresh(args), fresh(kwargs))     # the caller may change a list later
        except RecursionError:
            raise ValueError(f"{cls.__name__}: a list or dictionary among the arguments must not hold itself") from None
        return self

    def get_config(self) -> Config:
        """The arguments as a dictionary, defaults included; `type(self).from_config` takes it back."""
        args, kwargs = self._arguments.args, self._arguments.kwargs
        if type(self).__init__ is object.__init__:
            return {}
        signature = inspect.signature(type(self).__init__)
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        config = {}
        for name, value in list(bound.arguments.items())[1:]:      # all but self
            kind = signature.parameters[name].kind
            if kind is inspect.Parameter.VAR_KEYWORD:
                config.update({key: fresh(part) for key, part in value.items()})
            elif kind is not inspect.Parameter.VAR_POSITIONAL:
                config[name] = fresh(value)
        return config

    def __repr__(self) -> str:
        """`<Huber name=huber_loss, delta=2.0>`: the class, the name, and the arguments that are not the defaults."""
        name = getattr(self, "name", None)
        return arguments.tag(type(self), ({} if name is None else {"name": name}) | self._given())

    def _given(self) -> dict[str, str]:
        """The arguments that are not the defaults, but for the name, each by its name and as text."""
        try:
            config = self.get_config()
            parameters = inspect.signature(type(self).__init__).parameters
        except (TypeError, ValueError, AttributeError):        # of a class of the user's, which need not have them
            return {}
        return {name: reprlib.repr(value) for name, value in config.items() if name != "name"
                and not (name in parameters and parameters[name].default is value)
                and reprlib.repr(value) != reprlib.repr(getattr(parameters.get(name), "default", None))}

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """A new object from what `get_config` returned."""
        return cls(**config)


def fresh(value: Any) -> Any:
    """The value with lists, dictionaries and NumPy arrays of its own, so that changing them changes no layer."""
    kind = type(value)
    if kind is list or kind is tuple:
        return kind(fresh(part) for part in value)
    if kind is dict:
        return {key: fresh(part) for key, part in value.items()}
    return value.copy() if kind is np.ndarray else value


def serialize(value: Any) -> Any:
    """`value` as what JSON can hold: numbers, strings, lists, and {"class", "config"} or {"function"} for objects.

    Raises TypeError for an object whose class is not registered.
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [serialize(item) for item in value]
    if isinstance(value, dict):
        return {str(key): serialize(item) for key, item in value.items()}
    if isinstance(value, np.dtype) or value is bfloat16:
        name: str = value.name
        return name
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, Configurable) and _name_of(type(value)):
        return {"class": _name_of(type(value)), "config": serialize(value.get_config())}
    if callable(value) and _name_of(value):
        return {"class" if isinstance(value, type) else "function": _name_of(value)}
    raise TypeError(f"save: every part of a model must be registered to be written down; got {value!r}; "
                    f"decorate its class or function with ct.saving.register_serializable(), or keep the weights alone "
                    f"with model.save_weights (ModelCheckpoint: save_weights_only=True)")


def _name_of(entry: Any) -> str | None:
    """What files call a class or function; None where nothing could be given for it again."""
    try:
        return _names.get(entry) or custom_objects.name_of(entry)
    except TypeError:                       # without a hash
        return None


def is_configuration(value: Mapping[str, Any]) -> bool:
    """Whether a dictionary is what `serialize` writes for an object, and not one of the user's."""
    return set(value) in ({"class", "config"}, {"class"}, {"function"})


def deserialize(value: Any) -> Any:
    """The objects that `serialize` wrote down. Raises ValueError for a name that is not registered."""
    if isinstance(value, list):
        return [deserialize(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"class", "config"} and isinstance(value["config"], dict):
        cls = _named(value["class"], type)
        return cls.from_config({key: deserialize(item) for key, item in value["config"].items()})
    if set(value) == {"class"}:
        return _named(value["class"], type)
    if set(value) == {"function"}:
        return _named(value["function"], object)
    return {key: deserialize(item) for key, item in value.items()}


def _named(name: object, expected: type) -> Any:
    entry = _by_name.get(name) if isinstance(name, str) else None
    if entry is None and isinstance(name, str) and name.partition(".")[0] in _LATE:
        importlib.import_module(_LATE[name.partition(".")[0]])
        entry = _by_name.get(name)
    if entry is None:
        entry = custom_objects.find(name)
    if entry is None and isinstance(name, str) and "." not in name:
        own = name.rpartition(">")[2]
        raise ValueError(f"load: unknown name {name!r}, a part of the program's own; give it as custom_objects="
                         f"{{{own!r}: ...}}, or register it with ct.saving.register_serializable() before loading")
    if entry is None or not isinstance(entry, expected):
        error = unknown("load", name, [*_by_name, *custom_objects.known_names()])
        raise ValueError(f"{error}; register one's own with ct.saving.register_serializable() before loading")
    return entry


def in_objects(config: Config) -> Config:
    """A configuration as `get_config` gives it, from one that may have been written down, in our words or Keras's."""
    return {key: from_keras(_undescribed(item)) for key, item in config.items()}


def _undescribed(value: Any) -> Any:
    """`value` with the objects in it that are described as `serialize` does."""
    if isinstance(value, list):
        return [_undescribed(item) for item in value]
    return deserialize(value) if isinstance(value, dict) and is_configuration(value) else value


# -- configurations in Keras's words ----------------------------------------------------------------------------------
def to_keras(value: Any) -> Any:
    """What `serialize` wrote down, with objects as Keras 3 describes them: {"module", "class_name", "config", ...}."""
    if isinstance(value, list):
        return [to_keras(item) for item in value]
    if not isinstance(value, dict):
        return value
    if not is_configuration(value):
        return {key: to_keras(item) for key, item in value.items()}
    if "function" in value:
        name = value["function"].rpartition(".")[2]
        return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}
    kind, _, name = value["class"].rpartition(".")
    is_own = value["class"] not in _by_name
    return {"module": None if is_own else f"keras.{kind}", "class_name": name.rpartition(">")[2],
            "config": to_keras(value.get("config")), "registered_name": value["class"] if is_own else None}


def from_keras(value: Any, kind: str | None = None) -> Any:
    """The objects that a configuration in Keras's words describes; kind: of which the outermost must be, if known.

    ValueError for a name that means nothing here.
    """
    if isinstance(value, list):
        return [from_keras(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "class_name" not in value:
        return {key: from_keras(item) for key, item in value.items()}
    name, config = value["class_name"], value.get("config")
    is_function = name == "function"
    name = config if is_function else name
    entry = custom_objects.find(value.get("registered_name")) or custom_objects.find(name)
    module = str(value.get("module") or "").partition("keras.")[2].partition(".")[0]
    kinds = [kind] if kind else [module] if module in _tables else list(_tables)
    found = [_tables[one][_fold(name)] for one in kinds if isinstance(name, str) and _fold(name) in _tables[one]]
    if entry is None and not found:
        known = (entry.__name__ for one in kinds for entry in _tables[one].values())
        raise unknown("deserialize", name, {*known, *custom_objects.known_names()})
    entry = entry or found[0]
    if is_function or not isinstance(config, dict):
        return entry
    return entry.from_config(from_keras(_without_what_is_off(entry, config) if entry in found else config))


def _without_what_is_off(cls: type, config: Config) -> Config:
    """Without options of Keras's class that this one has not, where they are off (None, False), and their details."""
    off = [name for name, value in config.items()
           if name not in arguments.known_keywords(cls) and (value is None or value is False)]
    details = tuple(f"{name}_" for name in off)
    return {name: value for name, value in config.items() if name not in off and not (
        name.startswith(details) and name not in arguments.known_keywords(cls))}
