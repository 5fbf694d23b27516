"""What an argument of the package's layers, optimizers, losses and so on must be, by the argument's name.

`check` is called before a constructor runs and `check_call` first thing in a method of a model, so that a wrong
argument is named at once and in one form, and no class repeats it. Rules that join several arguments, what data must
be, and what a name means in a registry stay with the classes. Classes of the user's own are not checked. Imports
nothing of the package but the budget of files.
"""
import difflib
import inspect
import math
import numbers
import os
import reprlib
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, NoReturn, TypeGuard

import numpy as np

from cytensor.checks import budget


class Rule(NamedTuple):
    """What a value must be, in words; whether it is; and of which types it may be wrong by its value alone."""
    words: str
    holds: Callable[[Any], bool]
    types: tuple[type, ...] = ()


SEQUENCES = (list, tuple, np.ndarray)


# -- kinds ------------------------------------------------------------------------------------------------------------
def is_integer(value: object) -> TypeGuard[int]:
    return isinstance(value, numbers.Integral) and not isinstance(value, (bool, np.bool_))


def is_number(value: object) -> TypeGuard[float]:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:              # an integer that no float can hold
        return False


def number(low: float = -math.inf, high: float = math.inf, above: float = -math.inf, below: float = math.inf) -> Rule:
    """A finite number in [low, high], and in (above, below)."""
    if low == 0 and high == 1:
        words = "between 0 and 1"
    elif low == 0 and below == 1:
        words = "in [0, 1)"
    elif low == 0:
        words = "a number that is not negative"
    else:
        words = "a positive number" if above == 0 else "a finite number"
    return Rule(words, lambda value: is_number(value) and low <= value <= high and above < value < below,
                (numbers.Real,))


def integer(low: int | None = None) -> Rule:
    words = "an integer" if low is None else f"an integer of at least {low}"
    return Rule(words, lambda value: is_integer(value) and (low is None or value >= low), (numbers.Real,))


def _are_axes(value: Any) -> bool:
    return is_integer(value) or (isinstance(value, (tuple, list)) and len(value) > 0 and all(map(is_integer, value)))


def _are_axes_or_none(value: Any) -> bool:
    return value is None or _are_axes(value)


def _is_array(value: Any) -> bool:
    return is_number(value) or (np.asarray(value).dtype.kind in "iuf" and np.asarray(value).size > 0
                                if isinstance(value, (list, tuple)) or hasattr(value, "shape") else False)


def _is_flag(value: Any) -> bool:
    return isinstance(value, (bool, np.bool_)) or (is_integer(value) and value in (0, 1))


def _is_verbosity(value: Any) -> bool:
    return _is_flag(value) or (is_integer(value) and value == 2)


def _is_verbosity_or_auto(value: Any) -> bool:
    return value == "auto" if isinstance(value, str) else _is_verbosity(value)


def _are_epochs(value: Any) -> bool:
    counts = value if isinstance(value, (list, tuple, set)) else [value]
    return len(counts) > 0 and all(is_integer(count) and count >= 1 for count in counts)


def _is_optimizer(value: Any) -> bool:
    return isinstance(value, (str, dict, type)) or hasattr(value, "apply_gradients")


def _are_metrics(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_are_metrics, value))
    return isinstance(value, (str, dict)) or callable(value)


def _are_loss_weights(value: Any) -> bool:
    while isinstance(value, (list, tuple, dict)) and len(value) == 1:
        value = next(iter(value.values() if isinstance(value, dict) else value))
    return is_number(value) or isinstance(value, (list, tuple, dict))


def _is_function(value: Any) -> bool:
    return value is None or isinstance(value, (str, dict)) or callable(value)


def _are_numbers(value: Any) -> bool:
    return isinstance(value, (list, tuple, np.ndarray)) and all(map(is_number, value))


def _is_dtype(value: Any) -> bool:
    """Also what names a policy, or is one: whether it serves, the layer says."""
    if isinstance(value, dict) or hasattr(value, "compute_dtype") or value == "bfloat16":
        return True
    if isinstance(value, str) and value.startswith("mixed"):
        return True
    try:
        return value is not None and np.dtype(value).kind in "biuf"
    except TypeError:
        return False


FLAG = Rule("True or False", _is_flag)
DTYPE = Rule("a dtype of numbers, such as 'float32'", _is_dtype)
TEXT = Rule("a string", lambda value: isinstance(value, str))
PATH = Rule("a path", lambda value: isinstance(value, (str, os.PathLike)))
NUMBER, POSITIVE, NOT_NEGATIVE, SHARE = number(), number(above=0), number(low=0), number(low=0, high=1)
INTEGER, WHOLE, COUNT = integer(), integer(0), integer(1)
AXES = Rule("an integer or several in a tuple", _are_axes, (numbers.Real, *SEQUENCES))
AXES_OR_NONE = Rule("None, an integer or several in a tuple", _are_axes_or_none, (numbers.Real, *SEQUENCES))
NUMBERS = Rule("a number or an array of numbers", _is_array, (numbers.Real, *SEQUENCES))
SERIES = Rule("a list of numbers", _are_numbers, SEQUENCES)
INTEGERS = Rule("a tuple of integers", lambda value: isinstance(value, (tuple, list)) and all(
    map(is_integer, value)), SEQUENCES)
LENGTHS = Rule("a tuple of integers and None", lambda value: isinstance(value, (tuple, list)) and all(
    length is None or is_integer(length) for length in value), SEQUENCES)

WEIGHTS = ("alpha", "beta", "bias", "depthwise", "embeddings", "gamma", "kernel", "moving_mean", "moving_variance",
           "pointwise")
FUNCTIONS = {kind: Rule(f"a name, {what} or a function", _is_function) for kind, what in (
    ("initializer", "an Initializer"), ("regularizer", "a Regularizer"), ("constraint", "a Constraint"))}
VERBOSITY = Rule("'auto', 0, 1 or 2", _is_verbosity_or_auto, (numbers.Real, str))

# -- the table: name, or Class.name and method.name where they differ -------------------------------------------------
RULES = {
    # layers
    **dict.fromkeys(("units", "num_tokens", "output_dim", "input_dim", "n", "filters", "groups", "depth_multiplier"),
                    COUNT),
    **dict.fromkeys(("use_bias", "center", "scale", "invert", "trainable", "sparse", "from_sorted_ids",
                     "keepdims"), FLAG),
    **dict.fromkeys(("negative_slope", "threshold", "ELU.alpha"), NUMBER),
    **{f"{weight}_{kind}": rule for weight in WEIGHTS for kind, rule in FUNCTIONS.items()},
    "activity_regularizer": FUNCTIONS["regularizer"], "activation": Rule("a name or a function", _is_function),
    "batch_shape": LENGTHS, "axis": AXES, "Concatenate.axis": INTEGER, "Normalization.axis": AXES_OR_NONE,
    "GroupNormalization.groups": Rule("an integer of at least 1, or -1 for as many as there are channels",
                                      lambda value: is_integer(value) and (value >= 1 or value == -1),
                                      (numbers.Real,)),
    "bin_boundaries": SERIES, "num_bins": COUNT, "max_tokens": COUNT, "num_oov_indices": WHOLE,
    "pad_to_max_tokens": FLAG, "output_mode": TEXT, "encoding": TEXT, "vocabulary_dtype": TEXT, "idf_weights": SERIES,
    "noise_shape": LENGTHS, "dims": INTEGERS, "target_shape": INTEGERS,
    "mask_value": NUMBER, "shared_axes": AXES_OR_NONE, "seed": WHOLE, "name": TEXT, "dtype": DTYPE,
    "rate": SHARE, "GaussianDropout.rate": number(low=0, below=1), "stddev": NOT_NEGATIVE, "momentum": SHARE,
    "epsilon": NOT_NEGATIVE, "Rescaling.scale": NUMBERS, "Rescaling.offset": NUMBERS, "ReLU.max_value": NOT_NEGATIVE,
    # optimizers and schedules
    **dict.fromkeys(("nesterov", "amsgrad", "centered", "staircase", "cycle", "use_ema"), FLAG),
    "ema_overwrite_frequency": COUNT, "gradient_accumulation_steps": INTEGER,
    **dict.fromkeys(("weight_decay", "clipnorm", "clipvalue", "global_clipnorm"), NUMBER),
    **dict.fromkeys(("beta_1", "beta_2"), number(low=0, below=1)),
    **dict.fromkeys(("rho", "Lion.beta_1", "Lion.beta_2", "ema_momentum"), SHARE),
    **dict.fromkeys(("initial_accumulator_value", "initial_learning_rate", "end_learning_rate", "warmup_target",
                     "CosineDecay.alpha", "CosineDecayRestarts.alpha", "decay_rate"), NOT_NEGATIVE),
    **dict.fromkeys(("decay_steps", "first_decay_steps", "t_mul", "m_mul", "power"), POSITIVE), "warmup_steps": WHOLE,
    "boundaries": SERIES, "values": SERIES,
    # losses and metrics
    **dict.fromkeys(("from_logits", "apply_class_balancing"), FLAG), "label_smoothing": SHARE, "delta": POSITIVE,
    "gamma": NOT_NEGATIVE, "BinaryFocalCrossentropy.alpha": SHARE, "CategoricalFocalCrossentropy.alpha": NUMBERS,
    "ignore_class": INTEGER, "k": COUNT, "top_k": COUNT, "class_id": WHOLE, "num_regressors": WHOLE, "beta": POSITIVE,
    "fn": Rule("a function", callable), "num_thresholds": COUNT, "thresholds": NUMBERS, "AUC.thresholds": SERIES,
    "AUC.num_thresholds": Rule("None or an integer of at least 1", lambda value: value is None or COUNT.holds(value),
                               (numbers.Real,)),
    "multi_label": FLAG, "num_labels": COUNT, "label_weights": SERIES, "target_class_ids": INTEGERS,
    **dict.fromkeys(("sparse_y_true", "sparse_y_pred"), FLAG), "BinaryIoU.threshold": NUMBER,
    **{f"{kind}.{name}": rule for kind in ("IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU")
       for name, rule in (("num_classes", COUNT), ("axis", INTEGER))},
    # callbacks
    **dict.fromkeys(("filepath", "filename", "backup_dir", "log_dir"), PATH), "monitor": TEXT, "separator": TEXT,
    "load_idx.path": PATH, "load_data.path": PATH, "Progbar.target": WHOLE,
    **dict.fromkeys(("patience", "cooldown", "start_from_epoch"), WHOLE), "min_lr": NOT_NEGATIVE,
    **dict.fromkeys(("min_delta", "factor", "baseline"), NUMBER),
    **dict.fromkeys(("save_best_only", "save_weights_only", "restore_best_weights", "append", "raise_error",
                     "double_checkpoint", "delete_checkpoint"), FLAG),
    "initial_value_threshold": NUMBER, "verbose": Rule("0, 1 or 2", _is_verbosity),
    "schedule": Rule("a function", callable),
    # initializers, regularizers, constraints
    **dict.fromkeys(("mean", "minval", "maxval", "gain"), NUMBER), "VarianceScaling.scale": POSITIVE,
    **dict.fromkeys(("input_axes", "output_axes"), AXES),
    **dict.fromkeys(("l1", "l2", "OrthogonalRegularizer.factor", "min_value", "MaxNorm.max_value",
                     "MinMaxNorm.max_value"), NOT_NEGATIVE), "Constant.value": NUMBERS,
    "Normalization.mean": NUMBERS, "Normalization.variance": NUMBERS,
    # methods of models
    "compile.optimizer": Rule("a name, an Optimizer, its class or its configuration", _is_optimizer),
    **dict.fromkeys(("metrics", "weighted_metrics"), Rule("a list of names, Metrics and functions", _are_metrics)),
    "loss_weights": Rule("a number, for the model's one output", _are_loss_weights, (numbers.Real,)),
    **dict.fromkeys(("check_numerics", "return_dict", "run_eagerly", "auto_scale_loss"), FLAG),
    "Sequential.layers": Rule("a list; write Sequential([layer, ...])", lambda value: isinstance(value, (list, tuple))),
    "jit_compile": Rule("True, False or 'auto'", lambda value: value == "auto" if isinstance(value, str)
                        else _is_flag(value)),
    **dict.fromkeys(("batch_size", "validation_batch_size", "epochs", "steps_per_epoch", "validation_steps",
                     "evaluate.steps", "predict.steps", "steps_per_execution"), COUNT),
    **dict.fromkeys(("fit.epochs", "TrainProgress.epochs", "CallbackList.epochs"), WHOLE),
    **dict.fromkeys(("fit.verbose", "evaluate.verbose", "predict.verbose"), VERBOSITY),
    "initial_epoch": WHOLE, "validation_split": number(low=0, below=1), "resume": PATH,
    "shuffle": Rule("True, False or 'batch'", lambda value: value == "batch" if isinstance(value, str)
                    else _is_flag(value), (str,)),
    "validation_freq": Rule("an integer of at least 1, or a list of such, the epochs to validate after", _are_epochs,
                            (numbers.Real, list, tuple, set)),
}

SIZES = ("num_thresholds",)            # how many numbers an object is to hold, whatever data it meets


@cache
def _parameters(function: Callable[..., Any]) -> tuple[list[str], dict[str, Any]]:
    """(names by position, {name: default}) of the parameters but the first, self."""
    parameters = [one for one in list(inspect.signature(function).parameters.values())[1:]
                  if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    return ([one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD],
            {one.name: one.default for one in parameters})


def _constructor(cls: type) -> Callable[..., Any]:
    constructor: Callable[..., Any] = cls.__init__  # type: ignore[misc] # of the class itself, of no instance
    return constructor


def check(cls: type, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Raise for the first argument of `cls(*args, **kwargs)` that breaks its rule: TypeError or ValueError."""
    constructor = _constructor(cls)
    if constructor is object.__init__ and (args or kwargs):
        raise TypeError(f"{cls.__name__}: there are no arguments; got {', '.join(map(repr, [*args, *kwargs]))}")
    if not getattr(constructor, "__module__", "").startswith("cytensor."):
        return
    names, defaults = _parameters(constructor)
    for name, value in (*zip(names, args, strict=False), *kwargs.items()):
        if value is not None or defaults.get(name) is not None:
            check_value(cls.__name__, name, value)
        if name in SIZES and is_integer(value):
            budget.spend(f"{cls.__name__}: {name}", (value,))
    known, takes_any = _keywords(cls)
    if not takes_any and not kwargs.keys() <= known:
        refuse_unknown(cls, [name for name in kwargs if name not in known])


def known_keywords(cls: type) -> set[str]:
    """The names of the keywords that a class's constructors take."""
    return _keywords(cls)[0]


@cache
def _keywords(cls: type) -> tuple[set[str], bool]:
    """(the keywords that a class's constructors take, whether the last of them takes any at all).

    A constructor with **kwargs hands them on to the next class that defines one.
    """
    names: set[str] = set()
    takes_any = True
    for one in cls.__mro__[:-1]:                       # without object
        if takes_any and "__init__" in vars(one):
            parameters = list(inspect.signature(_constructor(one)).parameters.values())[1:]
            names |= {each.name for each in parameters if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)}
            takes_any = any(each.kind is each.VAR_KEYWORD for each in parameters)
    return names, takes_any


def refuse_unknown(cls: type, unknown: Sequence[str]) -> NoReturn:
    """Raise TypeError for keywords that the constructors of `cls` do not take, with those that they do."""
    known = _keywords(cls)[0]
    raise TypeError(f"{cls.__name__}: unknown argument {', '.join(map(repr, unknown))}; known are "
                    f"{', '.join(sorted(known)) or 'none'}{nearest(unknown[0], known)}")


FORMER = {"lr": "learning_rate"}        # what earlier versions of Keras called it


def shown(cls: type, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """`<EarlyStopping patience=3>`: an object of `cls` by the arguments that it was made with.

    >>> class Window:
    ...     def __init__(self, size=3, step=1):
    ...         pass
    >>> shown(Window, (5,), {})
    '<Window size=5>'
    """
    try:
        bound = inspect.signature(_constructor(cls)).bind(None, *args, **kwargs)
    except TypeError:                  # of a class with a __new__ of its own
        return tag(cls, {})
    given: dict[str, Any] = {}
    for name, value in list(bound.arguments.items())[1:]:
        kind = bound.signature.parameters[name].kind
        given.update(value if kind is inspect.Parameter.VAR_KEYWORD else {name: value})
    return tag(cls, {name: _short(value) for name, value in given.items()})


def tag(cls: type, said: Mapping[str, str]) -> str:
    """`<Window size=5>`: the class and what is said of an object of it."""
    return f"<{cls.__name__}{' ' * bool(said)}{', '.join(f'{name}={text}' for name, text in said.items())}>"


def _short(value: Any) -> str:
    """A value in a few words: functions by their names, the rest cut where it is long."""
    return getattr(value, "__name__", None) or reprlib.repr(value)


def nearest(name: object, known: Collection[str]) -> str:
    """`; did you mean 'adam'?` for the known name that is most like `name`; nothing where none is."""
    name = str(name)
    former = FORMER.get(name)
    near = [former] if former and former in known else difflib.get_close_matches(
        name.lower(), sorted(known), 1, 0.5)
    return f"; did you mean {near[0]!r}?" if near else ""


@cache
def _ruled(method: Callable[..., Any]) -> tuple[tuple[str, Any, Rule], ...]:
    """(name, default, rule) of each parameter that has a rule."""
    found = [(name, default, _rule(method.__name__, name)) for name, default in _parameters(method)[1].items()]
    return tuple((name, default, rule) for name, default, rule in found if rule is not None)


def check_call(method: Callable[..., Any], given: Mapping[str, Any]) -> None:
    """Raise for the first argument of a method that breaks its rule; given: its `locals()` before anything is set."""
    for name, default, rule in _ruled(method):
        value = given[name]
        if value is not default and not rule.holds(value):
            _refuse(method.__name__, name, rule, value)


def check_value(owner: str, name: str, value: Any) -> None:
    """Raise where `value` breaks the rule for an argument of that name of `owner`, a class or method."""
    rule = _rule(owner, name)
    if rule is not None and not rule.holds(value):
        _refuse(owner, name, rule, value)


def _rule(owner: str, name: str) -> Rule | None:
    return RULES.get(f"{owner}.{name}") or RULES.get(name)


def _refuse(owner: str, name: str, rule: Rule, value: Any) -> NoReturn:
    is_right_type = isinstance(value, rule.types) and not isinstance(value, bool)
    kind = ValueError if is_right_type else TypeError
    raise kind(f"{owner}: {name} must be {rule.words}; got {value!r}")
