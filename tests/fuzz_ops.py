"""Every op on random shapes, dtypes, layouts and arguments: `python tests/fuzz_ops.py`, which test_no_crash.py runs.

A call must give what NumPy gives, or raise one of CLEAN. Operands hold small whole numbers, so that a difference from
NumPy is a mistake and no rounding. Prints, for each op, how many calls gave a result and how many were refused.
"""
import sys
import warnings

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layouts import LAYOUTS

import cyops

CLEAN = (ValueError, TypeError, IndexError, OverflowError, MemoryError)
DTYPES = ("float32", "float64", "float16", "bool", "int8", "int32", "int64", "uint8", "uint64", "float32", "S3", "U2")
REFERENCES = {
    "relu": lambda x: np.maximum(x, 0), "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "pow": np.power,
    "concat": np.concatenate, "view": np.reshape, "copy": np.array,
    "softmax": lambda x, axis=-1: np.exp(x) / np.exp(x).sum(axis, keepdims=True),
    "log_softmax": lambda x, axis=-1: x - np.log(np.exp(x).sum(axis, keepdims=True)),
}
AXIS = st.one_of(st.integers(-4, 3), st.none(), st.tuples(st.integers(-3, 2), st.integers(-3, 2)))
SHAPE = st.one_of(st.lists(st.integers(-1, 4), max_size=4).map(tuple), st.integers(-1, 12), st.just((2**40, 2**40)))
ARGUMENTS = {
    "axis": AXIS, "axes": st.one_of(AXIS, st.permutations([0, 1, 2]).map(tuple)), "keepdims": st.booleans(),
    "shape": SHAPE, "window_shape": SHAPE, "strides": st.lists(st.integers(-3, 4), max_size=3).map(tuple),
    "offset": st.integers(-3, 5), "axis1": st.integers(-3, 2), "axis2": st.integers(-3, 2),
    "num_classes": st.integers(-1, 6), "dtype": st.sampled_from(DTYPES), "copy": st.sampled_from([None, True, False]),
    "device": st.sampled_from([None, "cpu"]),
    "correction": st.sampled_from([0, 1, 0.5]), "activation": st.sampled_from([None, "relu", "tanh"]),
}
OPTIONAL = {"axis", "axes", "keepdims", "offset", "axis1", "axis2", "copy", "correction", "activation", "bias", "dtype",
            "device"}

# Shapes that fit a first operand of shape `common`, for operands that a random shape would seldom fit.
FITTING = {"x": tuple, "kernel": lambda common: (*common[-1:], 3), "bias": lambda common: (3,),
           "b": lambda common: (*common[-1:], 2), "updates": lambda common: ()}


@st.composite
def arrays(draw, shapes):
    shape = draw(shapes)
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    low = -3 if dtype.kind in "if" else 0
    values = np.random.default_rng(draw(st.integers(0, 99))).integers(low, 4, size=shape)
    return values.astype(dtype)


def lay_out(draw, values):
    """The array as a tensor in some layout, or as NumPy's array, a list or a number."""
    name = draw(st.sampled_from([*LAYOUTS, "contiguous", "array", "list"]))
    if name == "array":
        return values
    if values.dtype.kind in "SU":
        return cyops.Strided(values)
    if name == "list" and values.size:
        return values.tolist()
    return LAYOUTS.get(name, LAYOUTS["contiguous"])(values)


@st.composite
def calls(draw, op):
    """Positional and keyword arguments, with operands whose shapes often fit each other."""
    common = draw(st.lists(st.integers(0, 4), max_size=3))
    near = st.one_of(st.just(tuple(common)), st.just(tuple(common[1:])), st.just((*common[:-1], 1)),
                     st.just(tuple(common[::-1])), st.lists(st.integers(0, 3), max_size=4).map(tuple))
    args, options = [], {}
    for name in op.parameters:
        if name in ("out", "on_value", "off_value"):
            continue
        shapes = st.one_of(near, st.just(FITTING[name](common))) if name in FITTING else near
        if name == "tensors":
            args.append([lay_out(draw, draw(arrays(near))) for _ in range(draw(st.integers(0, 3)))])
        elif name == "labels" and draw(st.booleans()):
            args.append(np.full(common[:-1], draw(st.integers(-1, 2))))
        elif name in ("indices", "labels"):
            values = np.array(draw(st.lists(st.integers(-3, 3), max_size=4)), int)
            args.append(lay_out(draw, values.astype(draw(st.sampled_from(["int64", "uint64", "int8"])))))
        elif name in OPTIONAL:
            if draw(st.booleans()) or op.parameters[1:2] == ("dtype",) == (name,):
                options[name] = draw(ARGUMENTS[name]) if name in ARGUMENTS else lay_out(draw, draw(arrays(shapes)))
        else:
            args.append(draw(ARGUMENTS[name]) if name in ARGUMENTS else lay_out(draw, draw(arrays(shapes))))
    return args, options


PADDING = st.sampled_from(["valid", "same", "causal", "full", 1, ((1, 0),), None])
SMALL = st.one_of(st.integers(-1, 3), st.tuples(st.integers(0, 3)), st.just((1, 2)))
FORMAT = st.sampled_from(["channels_last", "channels_last", "channels_first", "NHWC"])
# What ops over windows are given beside their operands, which shapes drawn by themselves would seldom fit.
WINDOWS = {
    "conv": {"strides": SMALL, "padding": PADDING, "dilation_rate": SMALL, "groups": st.integers(0, 2)},
    "conv_transpose": {"strides": SMALL, "padding": PADDING, "output_padding": SMALL, "dilation_rate": SMALL},
    "max_pool": {"strides": SMALL, "padding": PADDING},
    "average_pool": {"strides": SMALL, "padding": PADDING},
    "resize": {"interpolation": st.sampled_from(["nearest", "bilinear", "cubic"]), "antialias": st.booleans()},
    "pad": {"mode": st.sampled_from(["constant", "reflect", "symmetric", "edge", "wrap"])},
}


@st.composite
def calls_over_windows(draw, name):
    """As `calls`, for an op over windows: a first operand of one spatial axis, or two where it is an image."""
    image = name == "resize"
    channels = draw(st.integers(0, 3))
    spatial = draw(st.lists(st.integers(0, 6), min_size=1 + image, max_size=1 + image))
    shape = (draw(st.integers(0, 2)), *spatial, channels)
    args = [lay_out(draw, draw(arrays(st.just(shape))))]
    if name.startswith("conv"):
        args.append(lay_out(draw, draw(arrays(st.just((draw(st.integers(0, 3)), channels, channels))))))
    elif name == "pad":
        args.append(draw(st.sampled_from([1, (0, 2), ((0, 0), (2, 1), (0, 1)), -1, ((1, 1),) * 2])))
    else:
        args.append(draw(st.sampled_from([(2, 3), (1, 1), (0, 2), 2]) if image else SMALL))
    options = {key: draw(one) for key, one in WINDOWS[name].items() if draw(st.booleans())}
    if name != "pad" and draw(st.booleans()):
        options["data_format"] = draw(FORMAT)
    return args, options


def reference(name, result, args, options):
    """What NumPy gives, computed in float64 where our result is floating; None where NumPy has no such call."""
    function = REFERENCES.get(name, getattr(np, name, None))
    if function is None or name in ("astype", "resize") or "dtype" in options:   # np.resize repeats elements
        return None

    def plain(x):
        if isinstance(x, cyops.Strided | np.ndarray):
            x = np.asarray(x)
            if x.dtype.kind in "SU":
                return x
            if result.dtype.kind == "f":
                return x.astype(np.float64)
            return x.astype(result.dtype) if result.dtype.kind in "iu" and name in WRAPPING else x
        return [plain(one) for one in x] if isinstance(x, list) and name in ("concat", "stack") else x

    are_all_operands = isinstance(function, np.ufunc)
    given = [plain(np.asarray(x) if are_all_operands or isinstance(x, bool | float) or (
        isinstance(x, list) and name not in ("concat", "stack")) else x) for x in args]
    options = {key: value for key, value in options.items() if key != "copy"}
    try:
        with np.errstate(all="ignore"):
            return np.asarray(function(*given, **options))
    except Exception:       # what NumPy refuses we may offer: it is no reference then
        return None


# Whole numbers wrap around in the result's dtype.
WRAPPING = {"add", "subtract", "multiply", "square", "negative", "abs", "matmul", "dot", "tensordot"}
# Where NumPy's answer to whole numbers is an error, a warning or another convention.
UNDEFINED_FOR_INTEGERS = {"pow", "floor_divide", "remainder", "reciprocal"}


def check(name, op, counts, args, options):
    saved = [np.array(np.asarray(x)) for x in args if isinstance(x, cyops.Strided)]
    try:
        result = op.kernel(*args, **options)
    except CLEAN as error:
        assert str(error) or isinstance(error, MemoryError), f"{name}: an error without words"
        counts[1] += 1
        return
    counts[0] += 1
    assert isinstance(result, cyops.Strided)
    for before, x in zip(saved, [x for x in args if isinstance(x, cyops.Strided)], strict=True):
        np.testing.assert_array_equal(before, np.asarray(x), err_msg=f"{name} changed an operand")
    expected = reference(name, result, args, options)
    if expected is None or (result.dtype.kind in "iu" and name in UNDEFINED_FOR_INTEGERS):
        return
    got = np.asarray(result)
    assert got.shape == expected.shape, (name, args, options, got.shape, expected.shape)
    if got.dtype.kind == "f":
        tolerance = {2: 4e-3, 4: 1e-5, 8: 1e-12}[got.dtype.itemsize]
        finite = np.abs(expected) < (6e4 if got.dtype.itemsize == 2 else 1e30)
        np.testing.assert_allclose(got[finite], expected[finite], rtol=tolerance, atol=4 * tolerance,
                                   err_msg=f"{name} {args} {options}")
    else:
        np.testing.assert_array_equal(got, expected, err_msg=f"{name} {args} {options}")


def fuzz(name, op, examples, counts):
    @settings(max_examples=examples, deadline=None, derandomize=True, database=None,
              suppress_health_check=list(HealthCheck))
    @given(calls(op))
    def run(call):
        check(name, op, counts, *call)

    run()


def fuzz_windows(name, op, examples, counts):
    @settings(max_examples=examples, deadline=None, derandomize=True, database=None,
              suppress_health_check=list(HealthCheck))
    @given(calls_over_windows(name))
    def run(call):
        check(name, op, counts, *call)

    run()


def main(examples):
    warnings.simplefilter("ignore")
    for name, op in cyops.OPS.items():
        counts = [0, 0]

        print(name, end=" ", flush=True)    # a crash leaves the name as the last word
        (fuzz_windows if name in WINDOWS else fuzz)(name, op, examples, counts)
        print(*counts, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
