"""What every fuzzed program begins with: operands in any layout, references in NumPy, and comparisons.

A case of the fuzzer is the text of a program. This file is run once before the cases, and printed whole before a case
that failed, so that what is printed runs by itself. It knows NumPy and the library, nothing of the fuzzer.
"""
import math

import numpy as np

import cytensor as ct

np.seterr(all="ignore")
STEP = 1e-100                    # of the complex step: the derivative of f is Im f(x + i h) / h, with no cancellation
SPECIAL = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-30, -1e30, 0.5, 2.0, -2.5]


# -- operands ---------------------------------------------------------------------------------------------------------
def draw(seed, shape, dtype="float64", kind="normal"):
    """An array: of normal, whole, positive or special values."""
    rng, dtype = np.random.default_rng(seed), np.dtype(dtype)
    if kind == "special" and dtype.kind == "f":
        return rng.choice(SPECIAL, size=shape).astype(dtype)
    if dtype.kind == "f" and kind != "whole":
        return (rng.normal(size=shape) if kind != "positive" else rng.uniform(0.5, 2.0, shape)).astype(dtype)
    return rng.integers(1 if kind == "positive" else -3 * (dtype.kind in "if"), 4, size=shape).astype(dtype)


def lay(array, order=None, steps=None, front=None):
    """A tensor of the values of `array`, in memory with its axes in `order`, walked in `steps`, `front` before each."""
    n = array.ndim
    order, steps, front = order or range(n), steps or [1] * n, front or [0] * n
    lengths = [front[i] + 1 + max(array.shape[i] - 1, 0) * abs(steps[i]) + (array.shape[i] > 1) for i in range(n)]
    filler = np.nan if array.dtype.kind == "f" else 1 if array.dtype.kind == "b" else 99
    memory = np.full([lengths[i] for i in order], filler, array.dtype)
    key = []
    for length, step, before in zip(array.shape, steps, front, strict=True):
        last = before + (length - 1) * abs(step)
        key.append(slice(before, before) if not length else slice(before, last + 1, step) if step > 0 else
                   slice(last, before - 1 if before else None, step))
    back = sorted(range(n), key=list(order).__getitem__)
    memory.transpose(back)[tuple(key)] = array
    return ct.permute_dims(ct.asarray(memory), tuple(back))[tuple(key)]


def wide(x):
    """The values in a wider dtype, for a reference that is much closer to the exact result."""
    x = np.asarray(x)
    return x.astype(np.longdouble if x.dtype == np.float64 else np.float64) if x.dtype.kind in "fiub" else x


# -- comparisons ------------------------------------------------------------------------------------------------------
def check(got, want, c=1.0, magnitude=None):
    """Equal shapes; integers and bools equal; floats within c * eps * magnitude, by default the result's own."""
    got, want = np.asarray(got), np.asarray(want)
    assert got.shape == want.shape, f"shape {got.shape}, expected {want.shape}"
    if got.dtype.kind != "f":
        assert np.array_equal(got, want), f"got {got.tolist()}, expected {want.tolist()}"
        return
    about = np.finfo(got.dtype)
    rounded = want.astype(got.dtype)
    allowed = c * about.eps * (np.abs(want) if magnitude is None else magnitude) + about.tiny
    near = np.abs(got.astype(want.dtype) - want) <= allowed
    same = (got == rounded) | (np.isnan(got) & np.isnan(rounded))
    edge = (np.abs(want) >= about.max * (1 - 8 * about.eps)) & (np.sign(got) == np.sign(want)) & (
        np.abs(got) >= about.max * (1 - 8 * about.eps))
    good = np.where(np.isfinite(got) & np.isfinite(want), near, same) | edge
    allowed = np.broadcast_to(allowed, good.shape)
    assert good.all(), f"got {got[~good][:4]}, expected {want[~good][:4]}, allowed {allowed[~good][:4]}"


def check_same_bits(got, want):
    """Equal shapes, dtypes and bits."""
    got, want = np.asarray(got), np.asarray(want)
    assert (got.shape, got.dtype) == (want.shape, want.dtype), (got.shape, got.dtype, want.shape, want.dtype)
    assert got.tobytes() == want.tobytes(), f"bits differ: {got.tolist()} and {want.tolist()}"


# -- references: NumPy alone, at complex numbers too, with the conventions of the rules at kinks and ties -------------
class Reference:
    """The library's functions on NumPy arrays; the imaginary part is a direction that the derivative is taken along."""

    kinks = 0                    # how often an argument lay where a function has no derivative
    add, subtract, multiply, divide, negative = np.add, np.subtract, np.multiply, np.divide, np.negative
    exp, log, sqrt, tanh, square = np.exp, np.log, np.sqrt, np.tanh, np.square
    matmul, tensordot, where, diagonal = np.matmul, np.tensordot, np.where, np.diagonal
    reciprocal, dot, take, copy, sum, prod = np.reciprocal, np.dot, np.take, np.copy, np.sum, np.prod
    flip, permute_dims, expand_dims, squeeze, reshape = np.flip, np.transpose, np.expand_dims, np.squeeze, np.reshape
    broadcast_to, sliding_window_view = np.broadcast_to, np.lib.stride_tricks.sliding_window_view
    concat, stack = np.concatenate, np.stack

    def matrix_transpose(x): return np.swapaxes(x, -1, -2)
    def mean(x, axis=None, keepdims=False): return np.mean(x, axis=axis, keepdims=keepdims)
    def pow(a, b): return np.power(a, b)
    def abs(x): return x * np.sign(Reference.watched(np.real(x)))
    def relu(x): return np.where(Reference.watched(np.real(x)) > 0, x, 0)
    def maximum(a, b): return np.where(Reference.watched(np.real(a) - np.real(b)) >= 0, a, b)
    def minimum(a, b): return np.where(Reference.watched(np.real(a) - np.real(b)) <= 0, a, b)
    def clip(x, low, high): return np.where(np.real(x) < low, low, np.where(np.real(x) > high, high, x))
    def sigmoid(x): return 1 / (1 + np.exp(-x))

    def watched(x):
        Reference.kinks += np.any(np.abs(x) < 1e-9)          # or 0 but for rounding
        return x

    def along(x, value, derivative):
        """At x + ih only the first order of h counts: for what NumPy lacks at complex numbers, or rounds more."""
        return value(np.real(x)) + (1j * np.imag(x) * derivative(np.real(x)) if np.iscomplexobj(x) else 0)

    def log1p(x): return Reference.along(x, np.log1p, lambda x: 1 / (1 + x))
    def expm1(x): return Reference.along(x, np.expm1, np.exp)

    def erf(x):
        value = np.vectorize(math.erf, otypes=[float])
        return Reference.along(x, value, lambda x: np.exp(-x**2) * 2 / math.sqrt(math.pi))

    def var(x, axis=None, correction=0, keepdims=False):
        count = x.size if axis is None else np.prod([x.shape[i] for i in np.atleast_1d(axis)])
        return np.square(x - x.mean(axis=axis, keepdims=True)).sum(axis=axis, keepdims=keepdims) / (count - correction)

    def std(x, **options): return np.sqrt(Reference.var(x, **options))

    def max(x, axis=None, keepdims=False):
        """Equal extremes share the direction evenly."""
        hit = np.real(x) == np.real(x).max(axis=axis, keepdims=True)
        Reference.kinks += hit.sum() > hit.sum(axis=axis).size
        return (x * hit).sum(axis=axis, keepdims=keepdims) / hit.sum(axis=axis, keepdims=keepdims)

    def min(x, axis=None, keepdims=False): return -Reference.max(-x, axis=axis, keepdims=keepdims)

    def logsumexp(x, axis=None, keepdims=False):
        largest = np.real(x).max(axis=axis, keepdims=True)
        return np.log(np.exp(x - largest).sum(axis=axis, keepdims=keepdims)) + (
            largest if keepdims else largest.reshape(np.real(x).max(axis=axis).shape))

    def softmax(x, axis=-1):
        e = np.exp(x - np.real(x).max(axis=axis, keepdims=True))
        return e / e.sum(axis=axis, keepdims=True)

    def log_softmax(x, axis=-1):
        shifted = x - np.real(x).max(axis=axis, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))

    def softmax_cross_entropy(x, labels):
        if np.asarray(labels).dtype.kind == "i":
            return -np.take_along_axis(Reference.log_softmax(x), np.asarray(labels)[..., None], -1)[..., 0]
        return -(labels * Reference.log_softmax(x)).sum(axis=-1)

    def scatter_add(x, indices, updates, axis=0):
        out = np.moveaxis(np.array(x, dtype=np.result_type(x, updates)), axis, 0)
        np.add.at(out, np.asarray(indices), np.moveaxis(updates, axis, 0))
        return np.moveaxis(out, 0, axis)

    def dense(x, kernel, bias=None, activation=None):
        y = x @ kernel + (0 if bias is None else bias)
        return {"relu": Reference.relu, "tanh": np.tanh}.get(activation, np.copy)(y)


ref = Reference


# -- how far rounding and directions spread through a chain -----------------------------------------------------------
class Bounded:
    """Values and, element by element, a bound of the error of each."""

    def __init__(self, value, error):
        self.value, self.error = value, error

    def __getitem__(self, key):
        return Bounded(self.value[key], self.error[key])


# Their derivatives are differences, 1 - tanh(x)**2 say, and as exact as their terms are large.
DIFFERENCES = {"tanh", "sigmoid", "expm1", "softmax", "log_softmax", "logsumexp", "softmax_cross_entropy", "var", "std"}


class Bounds:
    """Carries bounds through functions of `ref`: |J| times those of the inputs, and what rounding adds on the way.

    of_slopes: the bounds are of a direction, which each op's derivative carries on.
    """

    def __init__(self, rounding, of_slopes=False):
        self.rounding, self.of_slopes = rounding, of_slopes

    def __getattr__(self, name):
        return lambda *args, **options: self.carry(name, getattr(ref, name), args, options)

    def carry(self, name, function, args, options):
        inputs = [x for arg in args for x in (arg if isinstance(arg, list) else [arg]) if isinstance(x, Bounded)]

        def at(values):
            left = iter(values)
            return function(*([next(left) if isinstance(x, Bounded) else x for x in arg] if isinstance(arg, list) else
                              next(left) if isinstance(arg, Bounded) else arg for arg in args), **options)

        value = at([x.value for x in inputs])
        is_log = name in ("logsumexp", "log_softmax", "softmax_cross_entropy")          # of a sum of at least 1
        terms = np.abs(value) + is_log
        error = self.rounding * terms
        for k, x in enumerate(inputs):
            moving = self.rounding * np.abs(x.value) + x.error
            largest = np.max(moving, initial=0)                  # where |J| is 0, of square at 0 or var of equals
            error = error + largest * (self.rounding if self.of_slopes else largest)
            if self.of_slopes and name in DIFFERENCES:
                error = error + np.sum(x.error) * np.max(np.abs(x.value), initial=1)
            for i in range(x.value.size):
                step = np.array(x.value, complex)
                step.flat[i] += STEP * 1j
                column = np.imag(at([step if j == k else y.value for j, y in enumerate(inputs)])) / STEP
                error = error + np.abs(column) * np.ravel(moving)[i]
        return Bounded(value, error + self.past_bends(name, inputs))

    def past_bends(self, name, inputs):
        """What is added where an input lies so near a bend that the true one may lie on its other side."""
        moving = [self.rounding * np.abs(x.value) + x.error for x in inputs]
        if name in ("abs", "relu"):
            return moving[0] * self.is_near(inputs[0].value, moving[0])
        if name in ("maximum", "minimum") and len(inputs) == 2:
            total = moving[0] + moving[1]
            return total * self.is_near(inputs[0].value - inputs[1].value, total)
        return np.max(moving[0], initial=0) if name in ("max", "min") else 0.0

    def is_near(self, x, moving):
        """Whether 0 may be what x is; of directions, which say nothing of that, whether x is rounding of numbers
        about 1."""
        return np.abs(x) <= (1000 * self.rounding if self.of_slopes else moving)


def check_value(f, arrays, tensors):
    """f(ct, ...) at tensors of float32 or float64 against NumPy at the same numbers, within what rounding explains."""
    got = np.asarray(f(ct, *tensors))
    exact = [np.asarray(a, np.float64) for a in arrays]
    want = np.asarray(f(ref, *exact))
    eps = np.finfo(got.dtype).eps
    assert got.shape == want.shape, f"shape {got.shape}, expected {want.shape}"
    error = np.abs(got - want)
    if not np.all(error <= 2 * eps * np.abs(want)):
        bound = f(Bounds(8 * eps), *[Bounded(a, np.zeros(a.shape)) for a in exact]).error
        assert np.all(error <= bound), f"got {got.tolist()}, expected {want.tolist()}, bound {bound.tolist()}"


# -- gradients --------------------------------------------------------------------------------------------------------
def directions(arrays, seed):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=a.shape) for a in arrays]


def slope(f, arrays, way, weights):
    """The derivative of sum(f * weights) along `way`, in NumPy."""
    moved = [a + STEP * 1j * v for a, v in zip(arrays, way, strict=True)]
    return float(np.sum(np.imag(f(ref, *moved)) * weights) / STEP)


def gradients(f, tensors, weights):
    with ct.GradientTape() as tape:
        tape.watch(tensors)
        y = ct.sum(ct.multiply(f(ct, *tensors), weights))
    return tape.gradient(y, tensors, unconnected_gradients="zero")


def check_gradient(f, arrays, tensors, seed=0):
    """The gradient along a random direction against a complex step in NumPy; and recording changes no bits."""
    value = f(ct, *tensors)
    weights = np.random.default_rng(seed + 1).uniform(0.5, 1.5, value.shape).astype(value.dtype)
    way, exact = directions(arrays, seed), [a.astype(np.float64) for a in arrays]
    found = [np.asarray(g) for g in gradients(f, tensors, weights)]
    for g, a in zip(found, arrays, strict=True):
        assert (g.shape, g.dtype) == (a.shape, a.dtype), f"gradient {g.shape} {g.dtype} of {a.shape} {a.dtype}"
    got, want = sum(float(np.sum(g * v)) for g, v in zip(found, way, strict=True)), slope(f, exact, way, weights)
    eps = np.finfo(value.dtype).eps
    if not abs(got - want) <= 8 * eps * abs(want):
        spread = f(Bounds(eps, of_slopes=True), *[Bounded(a, np.abs(v)) for a, v in zip(exact, way, strict=True)]).error
        bound = 64 * eps * float(np.sum(spread * weights)) + STEP        # higher orders of the step remain
        assert abs(got - want) <= bound, f"slope {got}, expected {want}, bound {bound}"
    with ct.GradientTape() as tape:
        tape.watch(tensors)
        check_same_bits(f(ct, *tensors), value)


def check_second(f, arrays, tensors, seed=0):
    """The gradient of the gradient along one direction, along another, against differences of complex steps."""
    weights = np.random.default_rng(seed + 1).uniform(0.5, 1.5, np.shape(f(ref, *arrays)))
    way, other = directions(arrays, seed), directions(arrays, seed + 2)
    with ct.GradientTape() as outer:
        outer.watch(tensors)
        first = gradients(f, tensors, weights)
        along = ct.add_n([ct.sum(ct.multiply(g, v)) for g, v in zip(first, way, strict=True)])
    second = outer.gradient(along, tensors, unconnected_gradients="zero")
    got = sum(float(np.sum(np.asarray(g) * v)) for g, v in zip(second, other, strict=True))

    def at(h):
        return slope(f, [a + h * v for a, v in zip(arrays, other, strict=True)], way, weights)

    ref.kinks, estimates = 0, []
    at(0.0)
    if ref.kinks:
        return
    for h in (1e-4, 2e-4):             # of the fourth order in h; where both differ a kink is near
        estimates.append((8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h))
    scale = max(abs(got), abs(at(0.0)), sum(float(np.sum(v**2)) for v in way))
    if abs(estimates[0] - estimates[1]) <= 1e-8 * scale:
        assert abs(got - estimates[0]) <= 1e-7 * scale, f"second derivative {got}, expected {estimates[0]}"


# -- views ------------------------------------------------------------------------------------------------------------
def attempt(call):
    """(result, None), or (None, the error) where there is one of the kinds that refuse an argument."""
    try:
        return call(), None
    except (ValueError, IndexError) as error:
        return None, error


def same_memory(x, shape):
    """NumPy's reshape where it is a view."""
    y = np.reshape(x, shape)
    if x.size and not np.may_share_memory(x, y):
        raise ValueError("a copy")
    return y


def strided(root, shape, strides, offset):
    """NumPy's as_strided with strides and offset in elements of the memory of `root`, within its bounds."""
    memory = root.reshape(-1)
    ends = [sum((n - 1) * s for n, s in zip(shape, strides, strict=True) if s * sign > 0) for sign in (1, -1)]
    if offset + ends[1] < 0 or offset + ends[0] >= memory.size:
        raise ValueError("outside the memory")
    return np.lib.stride_tricks.as_strided(memory[offset:], shape, [s * root.itemsize for s in strides])


def is_writable(x):
    """Whether each element has a place of its own, so that the order of the writes does not matter."""
    places = np.arange(x.size).reshape(x.shape)
    return x.flags.writeable and np.unique(_addresses(x)).size == places.size


def _addresses(x):
    offsets = np.zeros(x.shape, np.int64)
    for i, (n, stride) in enumerate(zip(x.shape, x.strides, strict=True)):
        offsets += (np.arange(n) * stride).reshape([-1 if j == i else 1 for j in range(x.ndim)])
    return offsets


def check_view(v, view, root):
    """The same numbers, in the same memory, with the strides counted in elements."""
    check_same_bits(v, view)
    assert v.size == 0 or ct.shares_memory(v, root), "a copy"
    ours, theirs = ([s for s, n in zip(x.strides, x.shape, strict=True) if n > 1 and x.size] for x in (v, view))
    assert ours == [s // view.itemsize for s in theirs], (v.strides, view.strides)
