"""Random numbers: one seed, one independent stream per name, and TensorFlow's random functions.

A stream is keyed by (seed, name, how often that name was asked for), never by what else was drawn before. So a layer
keeps its initial weights when another one is added beside it, and NumPy's and Python's global generators are neither
read nor moved. The numbers are reproducible for one version of NumPy and one machine, as NumPy promises.
"""
import contextlib
import functools
import itertools
import math
import operator
import secrets
import sys
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ParamSpec, TypeVar

import numpy as np

from cytensor.checks.arguments import Rule, integer, is_integer
from cytensor.checks.schema import COUNT, DICTIONARY, check_fields, dictionary_of, words_below
from cytensor.dtypes import as_dtype
from cytensor.tensor import Tensor, asarray
from cytensor.types import Array, ArrayLike, Config, DTypeLike

__all__ = [
    "get_state",
    "normal",
    "randint",
    "scope",
    "set_seed",
    "set_state",
    "shuffle",
    "stream",
    "truncated_normal",
    "uniform",
]


def __dir__() -> list[str]:
    return [*__all__]


P = ParamSpec("P")
R = TypeVar("R")


class _State:
    """The process's seed, how often each stream was asked for, and the generator behind the functions below."""

    seedings: int
    scope: int

    def __init__(self, seed: int, seedings: int = 0, scope: int = 0) -> None:
        self.seed: int = seed
        self.seedings, self.scope = seedings, scope        # how often the seed was set; the number of the scope
        self.counts: dict[str, int] = {}
        self.generator: np.random.Generator = generator(seed, "random", 0)


def generator(seed: int, name: str, position: int) -> "np.random.Generator":
    """A NumPy Generator (Philox, counter based) that depends on nothing but its three arguments."""
    words = (zlib.crc32(name.encode()), position)
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=words)))


_state: _State | None = None
_scopes = itertools.count(1)


class _Scope(threading.local):
    """The state that takes the process's place on this thread, within `scope`."""
    state: _State | None = None


_scope = _Scope()


def _current() -> _State:
    global _state
    if _scope.state is not None:
        return _scope.state
    if _state is None:
        _state = _State(secrets.randbits(64))
    return _state


def replace_state(state: _State) -> None:
    """Let the process, or within `scope` this thread, go on from a `checked_state`; the seed does not count as set."""
    state.seedings, state.scope = _current().seedings, _current().scope
    _replace(state)


def _replace(state: _State) -> None:
    global _state
    if _scope.state is not None:
        _scope.state = state
    else:
        _state = state


def set_seed(seed: int) -> None:
    """Make everything random from here on reproducible: initial weights, shuffling, dropout, `ct.random`.

    seed: int >= 0. The same seed on the same build gives the same bits, for any number of threads.

    >>> set_seed(1); a = uniform((2,)); set_seed(1); b = uniform((2,))
    >>> bool((a.numpy() == b.numpy()).all())
    True
    """
    seed = _checked_seed("set_seed", seed)
    _replace(_State(seed, _current().seedings + 1, _current().scope))


def seeding() -> tuple[int, int, int]:
    """(how often the seed was set, the number of the scope, the seed): others where another seed counts."""
    state = _current()
    return state.seedings, state.scope, state.seed


def _checked_seed(op: str, seed: int) -> int:
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise TypeError(f"{op}: seed must be an int; got {seed!r}")
    if seed < 0:
        raise ValueError(f"{op}: seed must not be negative; got {seed}")
    return int(seed)


@contextlib.contextmanager
def scope(seed: int) -> Iterator[None]:
    """Within the block and on this thread, what is random follows `seed`; what is drawn outside does not notice.

    `set_seed`, `get_state` and `set_state` inside the block mean the block's numbers.

    >>> set_seed(1); a = uniform((2,)); set_seed(1)
    >>> with scope(2): b = uniform((2,))
    >>> bool((a.numpy() == uniform((2,)).numpy()).all())
    True
    """
    seed = _checked_seed("scope", seed)
    outer, _scope.state = _scope.state, _State(seed, _current().seedings, next(_scopes))
    try:
        yield
    finally:
        _scope.state = outer


@contextlib.contextmanager
def kept_where_refused() -> Iterator[None]:
    """Where the block raises, what is drawn after it is what would have been without it. Serves as a decorator too."""
    state = _current()
    counts, position = dict(state.counts), state.generator.bit_generator.state
    try:
        yield
    except BaseException:
        state.counts, state.generator.bit_generator.state = counts, position
        raise


def stream_key(name: str) -> tuple[int, str, int]:
    """(seed, name, position): the arguments of `generator` for the next stream called `name`."""
    state = _current()
    position = state.counts.get(name, 0)
    state.counts[name] = position + 1
    return state.seed, name, position


def stream(name: str) -> "np.random.Generator":
    """A NumPy Generator of its own for whoever is called `name`; asked again, the next one of that name."""
    if not isinstance(name, str):
        raise TypeError(f"stream: name must be a string; got {name!r}")
    return generator(*stream_key(name))


def get_state() -> Config:
    """The whole state as a dictionary that JSON can hold; `set_state` takes it back."""
    state = _current()
    return {"seed": state.seed, "counts": dict(state.counts), "generator": generator_state(state.generator)}


def set_state(state: Config) -> None:
    """Continue from what `get_state` returned; ValueError, and no change, for anything else."""
    replace_state(checked_state(state))


def checked_state(state: Any) -> _State:
    """What `replace_state` takes, from what `get_state` returned."""
    check_fields(state, {"seed": integer(0), "counts": dictionary_of(COUNT, "integers"), "generator": DICTIONARY},
                 "random.")
    restored = _State(int(state["seed"]))
    restored.counts.update(state["counts"])
    restored.generator = generator_at(state["generator"], "random.generator")
    return restored


def generator_state(source: "np.random.Generator") -> Config:
    """The position of a generator made by `generator`, as plain lists and ints."""
    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
    state: Config = plain(source.bit_generator.state)
    return state


def generator_at(state: Any, key: str = "state") -> "np.random.Generator":
    """A generator where `generator_state` was taken; ValueError, with `key` in it, for what is not such a state.

    NumPy takes any position in its buffer, also one outside of it.
    """
    kind = Rule("'Philox'", lambda value: isinstance(value, str) and value == "Philox")
    position = Rule("an integer from 0 to 4", lambda value: is_integer(value) and 0 <= value <= 4)
    check_fields(state, {"bit_generator": kind, "state": DICTIONARY, "buffer": words_below(64, 4),
                         "buffer_pos": position, "has_uint32": words_below(1), "uinteger": words_below(32)}, f"{key}.")
    check_fields(state["state"], {"counter": words_below(64, 4), "key": words_below(64, 2)}, f"{key}.state.")
    target = generator(0, "restored", 0)
    inner = {name: np.array(words, np.uint64) for name, words in state["state"].items()}
    target.bit_generator.state = {**state, "state": inner, "buffer": np.array(state["buffer"], np.uint64)}
    return target


# -- draws as NumPy arrays, shared with the initializers --------------------------------------------------------------
def _naming(op: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorator: where NumPy finds no memory, the error names `op` besides the shape."""
    def decorate(draw: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(draw)
        def named(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return draw(*args, **kwargs)
            except MemoryError as error:
                raise MemoryError(f"{op}: {error}") from None
        return named
    return decorate


def _floating(op: str, dtype: DTypeLike) -> tuple[np.dtype[Any], type[np.float32] | type[np.float64]]:
    dtype = as_dtype(op, dtype or np.float32, "f")
    return dtype, (np.float64 if dtype == np.float64 else np.float32)


@_naming("uniform")
def draw_uniform(source: "np.random.Generator", shape: int | Sequence[int], minval: float, maxval: float,
                 dtype: DTypeLike) -> Array:
    dtype, native = _floating("uniform", dtype)
    low, high = native(minval), native(maxval)
    values = source.random(shape, dtype=native) * (high - low) + low
    if high > low:                 # rounding must not reach the excluded upper bound
        values = np.minimum(values, np.nextafter(high, low))
    return np.asarray(values, dtype)


@_naming("normal")
def draw_normal(source: "np.random.Generator", shape: int | Sequence[int], mean: float, stddev: float,
                dtype: DTypeLike) -> Array:
    dtype, native = _floating("normal", dtype)
    return np.asarray(source.standard_normal(shape, dtype=native) * native(stddev) + native(mean), dtype)


@_naming("truncated_normal")
def draw_truncated_normal(source: "np.random.Generator", shape: int | Sequence[int], mean: float, stddev: float,
                          dtype: DTypeLike) -> Array:
    """Normal values, drawn again while they lie more than two standard deviations from the mean."""
    dtype, native = _floating("truncated_normal", dtype)
    values: Array = np.asarray(source.standard_normal(shape, dtype=native))
    outside = np.abs(values) > 2
    while outside.any():
        values[outside] = source.standard_normal(int(outside.sum()), dtype=native)
        outside = np.abs(values) > 2
    return np.asarray(values * native(stddev) + native(mean), dtype)


# -- public functions -------------------------------------------------------------------------------------------------
def _source(seed: Any) -> "np.random.Generator":
    """The process's generator, one of a seed, or one of the next seed of a SeedGenerator."""
    seed = seed.next() if hasattr(seed, "next") else seed
    return _current().generator if seed is None else generator(_checked_seed("random", seed), "random", 0)


def _numbers(op: str, minval: float | None = None, maxval: float | None = None, mean: float | None = None,
             stddev: float | None = None) -> None:
    """Raise where one that is given is no number, or stddev negative."""
    for name, value in (("minval", minval), ("maxval", maxval), ("mean", mean), ("stddev", stddev)):
        if value is not None and not isinstance(value, (int, float, np.number)) and getattr(value, "shape", None) != ():
            raise TypeError(f"{op}: {name} must be a number; got {value!r}")
    if stddev is not None and stddev < 0:
        raise ValueError(f"{op}: stddev must not be negative; got {stddev}")


def checked_shape(op: str, shape: int | Sequence[int]) -> tuple[int, ...]:
    """A tuple of lengths; TypeError and ValueError, which name `op`, for what is none or too large."""
    try:
        shape = tuple(operator.index(n) for n in (shape if np.iterable(shape) else (shape,)))
    except (TypeError, ValueError):
        raise TypeError(f"{op}: shape must be a sequence of ints; got {shape!r}") from None
    if any(n < 0 for n in shape):
        raise ValueError(f"{op}: lengths must not be negative; got shape {shape}")
    if math.prod(shape) > sys.maxsize // 8:
        raise ValueError(f"{op}: the shape {shape} has more bytes than memory can address")
    return shape


def uniform(shape: int | Sequence[int], minval: float = 0.0, maxval: float | None = None, dtype: DTypeLike = "float32",
            seed: int | None = None) -> Tensor:
    """Values drawn evenly from [minval, maxval), in a new tensor of `shape`; maxval defaults to 1.

    With an integer dtype, integers from [minval, maxval); maxval is then required.

    >>> uniform((2, 3)).shape
    (2, 3)
    """
    shape = checked_shape("uniform", shape)
    _numbers("uniform", minval, maxval)
    if as_dtype("uniform", dtype, "fiu").kind in "iu":
        if maxval is None:
            raise ValueError("uniform: maxval is required for an integer dtype; got None")
        return randint(shape, minval, maxval, dtype, seed)
    return asarray(draw_uniform(_source(seed), shape, minval, 1.0 if maxval is None else maxval, dtype))


def normal(shape: int | Sequence[int], mean: float = 0.0, stddev: float = 1.0, dtype: DTypeLike = "float32",
           seed: int | None = None) -> Tensor:
    """Values drawn from the normal distribution, in a new tensor of `shape`.

    >>> normal((4,), mean=1., stddev=2.).shape
    (4,)
    """
    _numbers("normal", mean=mean, stddev=stddev)
    return asarray(draw_normal(_source(seed), checked_shape("normal", shape), mean, stddev, dtype))


def truncated_normal(shape: int | Sequence[int], mean: float = 0.0, stddev: float = 1.0, dtype: DTypeLike = "float32",
                     seed: int | None = None) -> Tensor:
    """As `normal`, values beyond two standard deviations drawn again."""
    _numbers("truncated_normal", mean=mean, stddev=stddev)
    return asarray(draw_truncated_normal(_source(seed), checked_shape("truncated_normal", shape), mean, stddev, dtype))


@_naming("randint")
def randint(shape: int | Sequence[int], minval: float, maxval: float, dtype: DTypeLike = "int32",
            seed: int | None = None) -> Tensor:
    """Integers drawn evenly from [minval, maxval), in a new tensor of `shape`.

    >>> int(randint((), 3, 4))
    3
    """
    _numbers("randint", minval, maxval)
    if not minval < maxval:
        raise ValueError(f"randint: minval must be below maxval; got minval {minval}, maxval {maxval}")
    dtype = as_dtype("randint", dtype, "iu")
    if minval < np.iinfo(dtype).min or maxval - 1 > np.iinfo(dtype).max:
        raise ValueError(f"randint: the integers must fit in the dtype; got minval {minval}, maxval {maxval}, "
                         f"dtype {dtype}")
    draw: Callable[..., Array] = _source(seed).integers        # whose types have no float, which NumPy takes too
    return asarray(draw(minval, maxval, checked_shape("randint", shape), dtype=dtype))


def shuffle(value: ArrayLike, seed: int | None = None) -> Tensor:
    """A copy of `value` (n, ...) with its rows in random order.

    >>> sorted(shuffle([3, 1, 2]).numpy().tolist())
    [1, 2, 3]
    """
    values = np.asarray(value)
    if values.ndim == 0:
        raise ValueError("shuffle: value must have at least one axis; got shape ()")
    return asarray(values[_source(seed).permutation(len(values))])


def __getattr__(name: str) -> Any:
    if name in ("Generator", "SeedGenerator", "categorical", "dropout", "get_global_generator"):
        from cytensor import random_generator
        return getattr(random_generator, name)
    from cytensor.absent import error
    raise error(__name__, name, sys._getframe(1))
