"""Values of every op against NumPy in a wider dtype: any layout, dtype, broadcasting, out=, special numbers.

The bounds of the elementwise functions are those of docs/accuracy.md, one unit added for the reference; where a result
is added up from several terms, they are c * eps times the sum of the absolute values of the terms.
"""
from hypothesis import strategies as st

from fuzz.shapes import FULL, LENGTHS, SEEDS, SHAPES, SOME, axes, broadcasting, operand

FLOATS = ("float32", "float64", "float32", "float64", "float16")
WHOLE = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
NUMBERS = (*FLOATS, *WHOLE)
# op -> reference, c, dtypes, the kind of numbers where not all are allowed
BINARY = {
    "add": ("np.add(A, B)", 1, NUMBERS, None), "subtract": ("np.subtract(A, B)", 1, NUMBERS, None),
    "multiply": ("np.multiply(A, B)", 1, NUMBERS, None), "divide": ("np.divide(A, B)", 1, FLOATS, None),
    "maximum": ("np.maximum(A, B)", 0, (*NUMBERS, "bool"), None),
    "minimum": ("np.minimum(A, B)", 0, (*NUMBERS, "bool"), None),
    "pow": ("np.power(A, B)", 2.2, ("float32", "float64", *WHOLE), "positive"),
    "floor_divide": ("np.floor_divide(A, B)", 1, NUMBERS, "positive"),
    "remainder": ("np.remainder(A, B)", 1, NUMBERS, "positive"),
    "relu_gradient": ("np.where(B > 0, A, 0)", 0, ("float32", "float64"), "normal"),
    **{name: (f"np.{name}(A, B)", 0, (*NUMBERS, "bool"), None)
       for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")},
    **{name: (f"np.{name}(A, B)", 0, (*NUMBERS, "bool"), "whole") for name in ("logical_and", "logical_or")},
}
UNARY = {
    "negative": ("np.negative(X)", 0, NUMBERS, None), "abs": ("np.abs(X)", 0, NUMBERS, None),
    "sign": ("np.sign(X)", 0, NUMBERS, None), "square": ("np.square(X)", 1, NUMBERS, None),
    "reciprocal": ("np.reciprocal(X)", 1, FLOATS, None), "floor": ("np.floor(X)", 0, FLOATS, None),
    "ceil": ("np.ceil(X)", 0, FLOATS, None), "round": ("np.round(X)", 0, FLOATS, None),
    "relu": ("np.maximum(X, 0)", 0, NUMBERS, None), "exp": ("np.exp(X)", 2.2, NUMBERS, None),
    "expm1": ("np.expm1(X)", 3.2, NUMBERS, None), "log": ("np.log(X)", 1.9, FLOATS, None),
    "log1p": ("np.log1p(X)", 1.9, FLOATS, None), "sqrt": ("np.sqrt(X)", 1, FLOATS, None),
    "tanh": ("np.tanh(X)", 3.9, NUMBERS, None), "sigmoid": ("1 / (1 + np.exp(-X))", 3.5, NUMBERS, None),
    "erf": ("np.vectorize(math.erf, otypes=[float])(X)", 3.2, FLOATS, None), "copy": ("X", 0, NUMBERS, None),
    "isnan": ("np.isnan(X)", 0, FLOATS, None), "isfinite": ("np.isfinite(X)", 0, FLOATS, None),
    "logical_not": ("np.logical_not(X)", 0, (*NUMBERS, "bool"), None),
}
# op -> reference with axis and keepdims, c, magnitude of the terms, whether tuples of axes and empty axes are taken
REDUCTIONS = {
    "sum": ("np.sum(X, axis={axis}, keepdims={keep})", 8, "np.sum(np.abs(X), axis={axis}, keepdims={keep})"),
    "mean": ("np.mean(X, axis={axis}, keepdims={keep})", 9, "np.mean(np.abs(X), axis={axis}, keepdims={keep})"),
    "prod": ("np.prod(X, axis={axis}, keepdims={keep})", 260, "None"),
    "max": ("np.max(X, axis={axis}, keepdims={keep})", 0, "None"),
    "min": ("np.min(X, axis={axis}, keepdims={keep})", 0, "None"),
    "var": ("np.var(X, axis={axis}, keepdims={keep})", 20,
            "want + np.finfo(x.dtype).eps * np.mean(X * X, axis={axis}, keepdims={keep})"),
    "std": ("np.std(X, axis={axis}, keepdims={keep})", 20,
            "want + np.mean(np.abs(X), axis={axis}, keepdims={keep})"),
    "logsumexp": ("np.log(np.sum(np.exp(X), axis={axis}, keepdims={keep}))", 8, "1 + 2 * np.abs(X).max(initial=0)"),
    "argmax": ("np.argmax(X, axis={axis}, keepdims={keep})", 0, "None"),
    "argmin": ("np.argmin(X, axis={axis}, keepdims={keep})", 0, "None"),
    "any": ("np.any(X, axis={axis}, keepdims={keep})", 0, "None"),
    "all": ("np.all(X, axis={axis}, keepdims={keep})", 0, "None"),
}

ONLY = {"var": FLOATS, "std": FLOATS, "logsumexp": FLOATS[:4]}


@st.composite
def kinds(draw, only, dtype):
    return only or draw(st.sampled_from(["normal", "whole", "special"] if dtype[0] == "f" else ["whole"]))


@st.composite
def with_out(draw, call, shape):
    """The line of the call: as it is, or into an `out` of any layout."""
    if draw(st.integers(0, 3)):
        return f"got = {call})\n"
    return (f"first = {call})\nout = lay(draw(0, {shape}, first.dtype, 'whole')\n"
            f"    , {tuple(draw(st.permutations(range(len(shape)))))}, {(2,) * len(shape)})\n"
            f"got = {call}, out=out)\nassert got is out\ncheck_same_bits(got, first)\n")


@st.composite
def binary(draw):
    name = draw(st.sampled_from(sorted(BINARY)))
    reference, c, dtypes, only = BINARY[name]
    dtype, shape = draw(st.sampled_from(dtypes)), draw(SHAPES)
    kind = draw(kinds(only, dtype))
    other, same_dtype = draw(broadcasting(shape)), name in ("relu_gradient", "pow") or draw(st.integers(0, 2))
    second = dtype if same_dtype else draw(st.sampled_from([d for d in dtypes if d[0] == dtype[0]]))
    if name == "relu_gradient":
        other = shape
    text = draw(operand("a", shape, dtype, kind)) + draw(operand("b", other, second, kind))
    if draw(st.booleans()) and name not in ("relu_gradient", "floor_divide", "remainder"):
        text = text.replace("a = ", "@", 1).replace("b = ", "a = ", 1).replace("@", "b = ", 1)   # as if drawn that way
        text = text.replace("A = ", "@", 1).replace("B = ", "A = ", 1).replace("@", "B = ", 1)
        text = text.replace("lay(A", "@").replace("lay(B", "lay(A").replace("@", "lay(B")
    text += draw(with_out(f"ct.{name}(a, b", shape))
    text += "kind = np.result_type(A, B)\nassert got.dtype in (kind, bool), got.dtype\n"
    if dtype[0] in "iub":
        return text + f"A, B = A.astype(kind), B.astype(kind)\ncheck(got, {reference}, {c})\n"
    magnitude = ", np.abs(A) + np.abs(B)" if name in ("remainder",) else ""
    return text + f"A, B = wide(A), wide(B)\ncheck(got, {reference}, {c}{magnitude})\n"


@st.composite
def unary(draw):
    name = draw(st.sampled_from(sorted(UNARY)))
    reference, c, dtypes, only = UNARY[name]
    dtype, shape = draw(st.sampled_from(dtypes)), draw(SHAPES)
    text = draw(operand("x", shape, dtype, draw(kinds(only, dtype))))
    text += "got = ct.copy(x)\n" if name == "copy" else draw(with_out(f"ct.{name}(x", shape))
    exact = name in ("negative", "abs", "sign", "square", "relu", "copy", "logical_not")
    if dtype[0] in "iub" and exact:
        return text + f"check(got, {reference})\n"
    return text + f"X = wide(X)\ncheck(got, {reference}, {c})\n"


@st.composite
def reduction(draw):
    name = draw(st.sampled_from(sorted(REDUCTIONS)))
    reference, c, magnitude = REDUCTIONS[name]
    needs_elements = name in ("logsumexp", "max", "min", "argmax", "argmin", "var", "std", "mean")
    shape = draw(FULL if needs_elements else SHAPES)
    dtype = draw(st.sampled_from(ONLY.get(name, (*NUMBERS, "bool"))))
    if dtype == "bool" and name in ("mean", "prod", "sum"):
        dtype = "int32"
    axis, keep = draw(axes(len(shape), several=name not in ("argmax", "argmin"))), draw(st.booleans())
    places = {"axis": axis, "keep": keep}
    text = draw(operand("x", shape, dtype, draw(st.sampled_from(["normal", "whole"]))))
    text += f"got = ct.{name}(x, axis={axis}, keepdims={keep})\n"
    if name in ("sum", "prod") and dtype in WHOLE:
        return text + f"check(got, {reference.format(**places)}.astype(got.dtype))\n"
    return text + (f"X = wide(X)\nwant = {reference.format(**places)}\n"
                   f"check(got, want, {c}, {magnitude.format(**places)})\n")


@st.composite
def row(draw):
    name = draw(st.sampled_from(["softmax", "log_softmax", "softmax_cross_entropy", "soft_targets"]))
    shape, dtype = (*draw(st.lists(LENGTHS, max_size=2)), draw(SOME)), draw(st.sampled_from(FLOATS[:4]))
    scale = draw(st.sampled_from([1.0, 30.0, 1000.0]))
    text = draw(operand("x", shape, dtype)) + f"x, X = ct.multiply(x, {scale}), X * X.dtype.type({scale})\n"
    if name in ("softmax", "log_softmax"):
        axis = draw(st.integers(-len(shape), len(shape) - 1))
        if 0 in shape:
            axis = -1
        text += f"got = ct.{name}(x, axis={axis})\nX = wide(X)\nwant = ref.{name}(X, axis={axis}) if X.size else X\n"
        terms = "want * (1 + 2 * np.abs(X).max(initial=0))" if name == "softmax" else "1 + 2 * np.abs(X).max(initial=0)"
        return text + f"check(got, want, 8, {terms})\n"
    if name == "soft_targets":
        text += draw(operand("t", shape, dtype, "positive")) + "got = ct.softmax_cross_entropy(x, t)\nT = wide(T)\n"
        terms = "np.sum(T, axis=-1) * (1 + 2 * np.abs(X).max(initial=0))"
    else:
        text += f"T = np.random.default_rng({draw(SEEDS)}).integers(0, {shape[-1]}, {shape[:-1]})\n"
        text += "got = ct.softmax_cross_entropy(x, T)\n"
        terms = "1 + 2 * np.abs(X).max(initial=0)"
    return text + ("X = wide(X)\nwant = ref.softmax_cross_entropy(X, T) if X.size else np.zeros(X.shape[:-1])\n"
                   f"check(got, want, 8, {terms})\n")


@st.composite
def product(draw):
    name = draw(st.sampled_from(["matmul", "matmul", "dot", "tensordot", "dense"]))
    length = st.sampled_from([0, 1, 2, 3, 5, 8, 17, 33])
    m, k, n = draw(length), draw(length), draw(length)
    dtype = draw(st.sampled_from(["float32", "float64", "float32", "float16", "int32", "int64"]))
    if name == "dense":
        dtype = draw(st.sampled_from(["float32", "float64"]))
        lead = tuple(draw(st.lists(SOME, max_size=2)))
        act = draw(st.sampled_from([None, "relu"]))
        text = "".join(draw(operand(letter, shape, dtype)) for letter, shape in (
            ("x", (*lead, m, k)), ("w", (k, n)), ("b", (n,))))
        return text + (f"got = ct.dense(x, w, b, activation={act!r})\nX, W, B = wide(X), wide(W), wide(B)\n"
                       f"check(got, ref.dense(X, W, B, {act!r}), {k + 4}, np.abs(X) @ np.abs(W) + np.abs(B))\n")
    if name == "tensordot":
        count = draw(st.integers(0, 2))
        summed = tuple(draw(st.lists(SOME, min_size=count, max_size=count)))
        left, right, options = (m % 4, *summed), (*summed, n % 4), f", axes={count}"
    elif name == "dot":
        left, right, options = (draw(st.integers(1, 3)), m % 6, k)[draw(st.integers(0, 2)):], (k, n), ""
    else:
        lead = tuple(draw(st.lists(SOME, max_size=2)))
        left, right, options = (*draw(broadcasting(lead)), m, k), (*lead, k, n), ""
        if draw(st.integers(0, 3)) == 0:
            left = (k,)
        if draw(st.integers(0, 3)) == 0:
            right = (k,)
    text = draw(operand("a", left, dtype, "whole" if dtype[0] == "i" else "normal"))
    text += draw(operand("b", right, dtype, "whole" if dtype[0] == "i" else "normal"))
    text += f"got = ct.{name}(a, b{options})\nA, B = wide(A), wide(B)\n"
    if dtype[0] == "i":
        return text + f"check(got, np.{name}(A, B{options}).astype({dtype!r}))\n"
    return text + f"check(got, np.{name}(A, B{options}), {k + 4}, np.{name}(np.abs(A), np.abs(B){options}))\n"


@st.composite
def gather(draw):
    name = draw(st.sampled_from(["take", "scatter_add", "one_hot", "concat", "stack", "where", "clip", "astype"]))
    shape, dtype = draw(FULL), draw(st.sampled_from(NUMBERS))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    n = shape[axis]
    chosen = draw(st.lists(st.integers(-n, n - 1), max_size=5))
    text = draw(operand("x", shape, dtype))
    indices = f"np.array({chosen}, np.int64)"
    if name == "take":
        return text + f"check(ct.take(x, {indices}, axis={axis}), np.take(X, {indices}, axis={axis}), 0)\n"
    if name == "scatter_add":
        axis %= len(shape)
        updates = (*shape[:axis], len(chosen), *shape[axis + 1:])
        dtype = dtype if dtype[:5] in ("float", "int32", "int64") else "float32"
        text = draw(operand("x", shape, dtype)) + draw(operand("u", updates, dtype))
        return text + (f"got = ct.scatter_add(x, {indices}, u, axis={axis})\nX, U = wide(X), wide(U)\n"
                       f"check(got, ref.scatter_add(X, {indices}, U, {axis}), 6,\n"
                       f"      ref.scatter_add(np.abs(X), {indices}, np.abs(U), {axis}))\n")
    if name == "one_hot":
        labels = [i % n for i in chosen]
        return (f"check_same_bits(ct.one_hot(np.array({labels}, np.int64), {n}, dtype={dtype!r}), "
                f"np.eye({n}, dtype={dtype!r})[np.array({labels}, np.int64)])\n")
    if name in ("concat", "stack"):
        other = list(shape)
        if name == "concat":
            other[axis] = draw(LENGTHS)
        text += draw(operand("y", tuple(other), dtype))
        function = "concatenate" if name == "concat" else "stack"
        return text + f"check_same_bits(ct.{name}([x, y, x], axis={axis}), np.{function}([X, Y, X], axis={axis}))\n"
    if name == "where":
        text += draw(operand("y", draw(broadcasting(shape)), dtype))
        text += draw(operand("c", draw(broadcasting(shape)), "bool"))
        return text + "check_same_bits(ct.where(c, x, y), np.where(C, X, Y))\n"
    if name == "clip":
        low, high = (0, 2) if dtype[0] in "iu" else (-0.5, 1.0)
        return text + f"check_same_bits(ct.clip(x, {low}, {high}), np.clip(X, {low}, {high}))\n"
    target = draw(st.sampled_from([*NUMBERS, "bool"]))
    if dtype[0] == "f" and target[0] in "iu":                 # what does not fit is undefined
        text = draw(operand("x", shape, dtype, "positive"))
    return text + f"check_same_bits(ct.astype(x, {target!r}), X.astype({target!r}))\n"


CASES = st.one_of(binary(), unary(), binary(), unary(), reduction(), row(), product(), gather())
