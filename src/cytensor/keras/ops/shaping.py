"""`keras.ops` of shapes, parts and control: views and copies by the ops, with gradients; loops of Python's own."""
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cytensor import nested, ops
from cytensor.keras.ops.formulas import made
from cytensor.tensor import Tensor, operand


def _moveaxis(x: Any, source: Any, destination: Any) -> Tensor:
    x = operand("moveaxis", x)
    np.moveaxis(np.empty((0,) * x.ndim), source, destination)      # refuses what NumPy refuses
    sources = [int(i) % x.ndim for i in np.atleast_1d(source)]
    places = [int(i) % x.ndim for i in np.atleast_1d(destination)]
    axes = [i for i in range(x.ndim) if i not in sources]
    for place, axis in sorted(zip(places, sources, strict=True)):
        axes.insert(place, axis)
    return ops.permute_dims(x, axes)


def _swapaxes(x: Any, axis1: int, axis2: int) -> Tensor:
    x = operand("swapaxes", x)
    axes = np.arange(x.ndim)
    axes[axis1], axes[axis2] = axes[axis2], axes[axis1]
    return ops.permute_dims(x, axes.tolist())


def _tile(x: Any, repeats: Any) -> Tensor:
    x = operand("tile", x)
    times = [int(n) for n in np.atleast_1d(np.asarray(repeats))]
    lengths = (1,) * (len(times) - x.ndim) + x.shape
    times = [1] * (len(lengths) - len(times)) + times
    pairs = list(zip(times, lengths, strict=True))
    apart = ops.reshape(x, [n for _, length in pairs for n in (1, length)])
    return ops.reshape(ops.broadcast_to(apart, [n for pair in pairs for n in pair]),
                       [count * length for count, length in pairs])


def _triangle(name: str, keep: Callable[..., Any]) -> Callable[..., Tensor]:
    def formula(x: Any, k: int = 0) -> Tensor:
        x = operand(name, x)
        if x.ndim < 2:
            raise ValueError(f"{name}: x must have at least two axes; got shape {x.shape}")
        mask = keep(np.ones(x.shape[-2:], bool), k)
        return ops.where(mask, x, ops.zeros((), x.dtype))
    return formula


def _diag(x: Any, k: int = 0) -> Tensor:
    x = operand("diag", x)
    if x.ndim == 2:
        return ops.diagonal(x, k)
    if x.ndim != 1:
        raise ValueError(f"diag: x must have one or two axes; got shape {x.shape}")
    size = x.shape[0] + abs(k)
    rows = np.arange(x.shape[0]) + max(-k, 0)
    flat = ops.scatter_add(ops.zeros(size * size, x.dtype), rows * size + rows + k, x) if size else x
    return ops.reshape(flat, (size, size))


def _stacked(name: str, axis: int, at_least: int) -> Callable[..., Tensor]:
    """`hstack`, `vstack`, `dstack`: joined along an axis after axes of length 1 were added."""
    def formula(xs: Sequence[Any]) -> Tensor:
        parts = [operand(name, x) for x in xs]
        parts = [_at_least(x, at_least) for x in parts]
        return ops.concat(parts, axis=0 if name == "hstack" and parts[0].ndim == 1 else axis)
    return formula


def _at_least(x: Tensor, count: int) -> Tensor:
    if x.ndim >= count:
        return x
    if count == 3:
        return ops.expand_dims(_at_least(x, 2), -1)
    return ops.reshape(x, (1,) * (count - x.ndim) + x.shape)


def _diff(a: Any, n: int = 1, axis: int = -1) -> Tensor:
    x = operand("diff", a)
    if n < 0 or x.ndim == 0:
        raise ValueError(f"diff: n must be at least 0 and a must have an axis; got n {n}, shape {x.shape}")
    before = (slice(None),) * (axis % x.ndim)
    for _ in range(n):
        later, earlier = x[(*before, slice(1, None))], x[(*before, slice(None, -1))]
        x = ops.not_equal(later, earlier) if x.dtype.kind == "b" else later - earlier
    return x


def _trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Tensor:
    y = operand("trapezoid", y)
    before = (slice(None),) * (axis % y.ndim)
    middles = (y[(*before, slice(1, None))] + y[(*before, slice(None, -1))]) / 2
    if x is None:
        return ops.sum(middles * dx, axis=axis)
    steps = _diff(x, axis=axis if operand("trapezoid", x).ndim == y.ndim else -1)
    if steps.ndim == 1 and y.ndim > 1:
        steps = ops.reshape(steps, [-1 if i == axis % y.ndim else 1 for i in range(y.ndim)])
    return ops.sum(middles * steps, axis=axis)


def _rot90(array: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Tensor:
    x = operand("rot90", array)
    if k % 4 == 0:
        return x[...]
    if k % 4 == 2:
        return ops.flip(x, axes)
    return _swapaxes(ops.flip(x, axes[1]), *axes) if k % 4 == 1 else ops.flip(_swapaxes(x, *axes), axes[1])


def _cross(x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Tensor:
    first, second, last = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    a, b = _moveaxis(x1, first, -1), _moveaxis(x2, second, -1)
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        raise ValueError(f"cross: vectors of 3 elements are expected; got {a.shape[-1]} and {b.shape[-1]}")
    components = [a[..., i] * b[..., j] - a[..., j] * b[..., i] for i, j in ((1, 2), (2, 0), (0, 1))]
    return _moveaxis(ops.stack(components, axis=-1), -1, last)


def _vander(x: Any, N: int | None = None, increasing: bool = False) -> Tensor:
    x = operand("vander", x)
    count = x.shape[0] if N is None else N
    powers = [ops.ones_like(x), *([x] if count > 1 else [])]
    while len(powers) < count:
        powers.append(powers[-1] * x)
    return ops.stack((powers if increasing else powers[::-1])[:count] if count else [], axis=-1)


def _slice(inputs: Any, start_indices: Any, shape: Sequence[int]) -> Tensor:
    x = operand("slice", inputs)
    starts = [int(i) for i in np.atleast_1d(np.asarray(start_indices))]
    lengths = [x.shape[i] - start if n == -1 else n for i, (start, n) in enumerate(zip(starts, shape, strict=True))]
    for start, n, length in zip(starts, lengths, x.shape, strict=True):
        if not (min(start, n) >= 0 and start + n <= length):
            raise ValueError(f"slice: must lie inside the shape {x.shape}; got start {starts}, shape {tuple(shape)}")
    return x[tuple(slice(start, start + n) for start, n in zip(starts, lengths, strict=True))]


def _places(name: str, indices: Any, shape: Sequence[int]) -> Any:
    """Positions (..., depth) as rows of the first `depth` axes flattened into one."""
    places = np.asarray(indices)
    if places.dtype.kind not in "iu" or places.ndim < 1 or places.shape[-1] > len(shape):
        raise ValueError(f"{name}: indices must be integers (..., depth), depth at most {len(shape)}; "
                         f"got dtype {places.dtype}, shape {places.shape}")
    depth = places.shape[-1]
    return np.ravel_multi_index(tuple(np.moveaxis(places, -1, 0)), tuple(shape[:depth])).reshape(-1), depth


def _scatter(indices: Any, values: Any, shape: Sequence[int]) -> Tensor:
    rows, depth = _places("scatter", indices, shape)
    values = operand("scatter", values)
    count, rest = int(np.prod(shape[:depth])), tuple(shape[depth:])
    target = ops.zeros((count, *rest), values.dtype)
    return ops.reshape(ops.scatter_add(target, rows, ops.reshape(values, (len(rows), *rest))), shape)


def _scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Tensor:
    if reduction not in (None, "add"):
        raise ValueError(f"scatter_update: reduction must be None or 'add' here; got {reduction!r}")
    x = operand("scatter_update", inputs)
    updates = ops.astype(updates, x.dtype)
    if reduction is None:
        rows, depth = _places("scatter_update", indices, x.shape)
        last = len(rows) - 1 - np.unique(rows[::-1], return_index=True)[1]      # where one is named twice, its last
        places = np.asarray(indices).reshape(-1, depth)[last]
        updates = ops.take(ops.reshape(updates, (len(rows), *x.shape[depth:])), last, axis=0)
        mask = np.zeros(x.shape, bool)
        mask[tuple(places.T)] = True
        return ops.where(mask, _scatter(places, updates, x.shape), x)
    return x + _scatter(indices, updates, x.shape)


def _slice_update(inputs: Any, start_indices: Any, updates: Any) -> Tensor:
    x, updates = operand("slice_update", inputs), operand("slice_update", updates)
    starts = [int(i) for i in np.atleast_1d(np.asarray(start_indices))]
    widths = [(start, length - start - n) for start, n, length in zip(starts, updates.shape, x.shape, strict=True)]
    if min((n for pair in widths for n in pair), default=0) < 0:
        raise ValueError(f"slice_update: updates {updates.shape} at {starts} must lie inside the shape {x.shape}")
    mask = np.zeros(x.shape, bool)
    mask[tuple(slice(a, length - b) for (a, b), length in zip(widths, x.shape, strict=True))] = True
    return ops.where(mask, ops.pad(ops.astype(updates, x.dtype), widths), x)


def _segment_sum(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Tensor:
    data, ids = operand("segment_sum", data), np.asarray(segment_ids)
    count = int(ids.max(initial=-1)) + 1 if num_segments is None else num_segments
    return ops.scatter_add(ops.zeros((count, *data.shape[1:]), data.dtype), ids, data)


def _select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Tensor:
    choices = [operand("select", x) for x in choicelist]
    if len(condlist) != len(choices) or not choices:
        raise ValueError(f"select: as many conditions as choices are expected; got {len(condlist)} and {len(choices)}")
    result = ops.astype(operand("select", default), choices[0].dtype)
    for condition, choice in zip(reversed(list(condlist)), reversed(choices), strict=True):
        result = ops.where(condition, choice, result)
    return result


def _diagflat(x: Any, k: int = 0) -> Tensor:
    return _diag(ops.reshape(x, -1), k)


def _unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Tensor]:
    from cytensor.tensorflow.arrays import unstack
    return unstack(x, num, axis)


def _sections(name: str, axis: int) -> Callable[..., Any]:
    def formula(x: Any, indices_or_sections: Any) -> Any:
        x = operand(name, x)
        return ops.split(x, indices_or_sections, axis=0 if name == "hsplit" and x.ndim == 1 else axis)
    return formula


def _array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    x = operand("array_split", x)
    if np.ndim(indices_or_sections):
        return ops.split(x, indices_or_sections, axis=axis)
    ends = [len(part) for part in np.array_split(np.arange(x.shape[axis]), indices_or_sections)]
    return ops.split(x, np.cumsum(ends)[:-1].tolist(), axis=axis)


SHAPING: dict[str, Callable[..., Any]] = {
    "moveaxis": _moveaxis, "swapaxes": _swapaxes, "tile": _tile, "diag": _diag, "diagflat": _diagflat,
    "tril": _triangle("tril", np.tril), "triu": _triangle("triu", np.triu), "diff": _diff, "trapezoid": _trapezoid,
    "hstack": _stacked("hstack", 1, 1), "vstack": _stacked("vstack", 0, 2), "dstack": _stacked("dstack", 2, 3),
    "rot90": _rot90, "cross": _cross, "vander": _vander, "slice": _slice, "scatter": _scatter,
    "scatter_update": _scatter_update, "slice_update": _slice_update, "segment_sum": _segment_sum, "select": _select,
    "unstack": _unstack, "hsplit": _sections("hsplit", 1), "vsplit": _sections("vsplit", 0),
    "dsplit": _sections("dsplit", 2), "array_split": _array_split,
    "ravel": lambda x: ops.reshape(x, -1), "fliplr": lambda x: ops.flip(x, 1), "flipud": lambda x: ops.flip(x, 0),
    "append": lambda x1, x2, axis=None: ops.concat(
        [ops.reshape(x1, -1), ops.reshape(x2, -1)] if axis is None else [x1, x2], axis=axis or 0),
    "trace": lambda x, offset=0, axis1=0, axis2=1: ops.sum(ops.diagonal(x, offset, axis1, axis2), axis=-1),
}
FUNCTIONS: dict[str, Any] = {name: made(name, formula) for name, formula in SHAPING.items()}


# -- what has no symbolic form: numbers, and loops of Python's own ----------------------------------------------------
def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """What `true_fn()` gives where `pred` is true, else `false_fn()`."""
    return true_fn() if bool(pred) else false_fn()


def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """What the branch of that number gives for the operands; a number beyond the ends means the end."""
    return branches[min(max(int(index), 0), len(branches) - 1)](*operands)


def while_loop(cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any,
               maximum_iterations: int | None = None) -> Any:
    """`body` again and again while `cond` of the variables holds, at most `maximum_iterations` times."""
    several, done = isinstance(loop_vars, (tuple, list)), 0
    state = tuple(loop_vars) if several else (loop_vars,)
    while bool(cond(*state)) and (maximum_iterations is None or done < maximum_iterations):
        following = body(*state)
        state, done = tuple(following) if isinstance(following, (tuple, list)) else (following,), done + 1
    return state if several else state[0]


def fori_loop(lower: int, upper: int, body_fun: Callable[[int, Any], Any], init_val: Any) -> Any:
    """`body_fun(i, value)` for each i from `lower` below `upper`, each with what the one before gave."""
    for i in range(int(lower), int(upper)):
        init_val = body_fun(i, init_val)
    return init_val


def _joined(results: list[Any]) -> Any:
    leaves = zip(*(nested.flatten(result) for result in results), strict=True)
    return nested.pack_like(results[0], [ops.stack(list(parts)) for parts in leaves])


def _part(xs: Any, i: int) -> Any:
    return nested.pack_like(xs, [operand("map", x)[i] for x in nested.flatten(xs)])


def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """`f` of each slice along the first axis, stacked."""
    return _joined([f(_part(xs, i)) for i in range(_length(xs))])


def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """`map`, by Keras's other name."""
    return map(function, elements)


def scan(f: Callable[[Any, Any], Any], init: Any, xs: Any = None, length: int | None = None, reverse: bool = False,
         unroll: Any = 1) -> Any:
    """(carry, stacked results) of `carry, result = f(carry, x)` along the first axis of `xs`."""
    count = _length(xs) if xs is not None else int(length or 0)
    order = range(count)[::-1] if reverse else range(count)
    results = []
    for i in order:
        init, result = f(init, None if xs is None else _part(xs, i))
        results.append(result)
    results = results[::-1] if reverse else results
    return init, None if not results or results[0] is None else _joined(results)


def _length(xs: Any) -> int:
    lengths = {len(operand("map", x)) for x in nested.flatten(xs)}
    if len(lengths) != 1:
        raise ValueError(f"map: what is walked along must have one length; got {sorted(lengths)}")
    return lengths.pop()
