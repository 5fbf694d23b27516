"""The gradient of every op along a random direction against a complex step in NumPy, and the second order as well."""
from hypothesis import strategies as st

from fuzz import shapes
from fuzz.shapes import FULL, SEEDS, SOME, axes, broadcasting, index

# op -> the kind of numbers; the programs call them by these names on both sides
UNARY = {
    "negative": "normal", "abs": "normal", "square": "normal", "reciprocal": "positive", "relu": "normal",
    "exp": "normal", "expm1": "normal", "log": "positive", "log1p": "positive", "sqrt": "positive", "tanh": "normal",
    "sigmoid": "normal", "erf": "normal", "softmax": "normal", "log_softmax": "normal", "copy": "normal",
    "matrix_transpose": "normal",
}
BINARY = {"add": "normal", "subtract": "normal", "multiply": "normal", "divide": "positive", "maximum": "normal",
          "minimum": "normal", "pow": "positive"}


@st.composite
def operand(draw, name, shape, kind="normal"):
    """Of float64; `in_a_dtype` may turn all of a program into float32."""
    return draw(shapes.operand(name, shape, kind=kind))


def function(names, expression):
    return f"def f(m, {', '.join(names)}):\n    return {expression}\n"


@st.composite
def checks(draw, names):
    """The lines that check f: always the first order, sometimes the second."""
    arrays, tensors = ", ".join(name.upper() for name in names), ", ".join(names)
    seed = draw(SEEDS)
    text = f"check_gradient(f, [{arrays}], [{tensors}], {seed})\n"
    if draw(st.integers(0, 3)) == 0:
        text += f"check_second(f, [{arrays}], [{tensors}], {seed})\n"
    return text


@st.composite
def elementwise(draw):
    shape = draw(FULL)
    if draw(st.booleans()):
        name = draw(st.sampled_from(sorted(UNARY)))
        if name == "matrix_transpose" and len(shape) < 2:
            shape = (*shape, 2)
        text = draw(operand("x", shape, kind=UNARY[name]))
        return text + function("x", f"m.{name}(x)") + draw(checks("x"))
    name = draw(st.sampled_from([*sorted(BINARY), "where", "clip"]))
    if name == "clip":
        return draw(operand("x", shape)) + function("x", "m.clip(x, -0.5, 0.7)") + draw(checks("x"))
    first, second = shape, draw(broadcasting(shape))
    if draw(st.booleans()):
        first, second = second, first
    kind = BINARY.get(name, "normal")
    text = draw(operand("a", first, kind=kind)) + draw(operand("b", second, kind=kind))
    if name == "where":
        text += f"C = draw({draw(SEEDS)}, {shape}, 'bool')\n"
        return text + function("ab", "m.where(C, a, b)") + draw(checks("ab"))
    same = ("b", "a") if draw(st.integers(0, 7)) == 0 else ("a", "b")
    return text + function("ab", f"m.{name}({', '.join(same)})") + draw(checks("ab"))


@st.composite
def reduction(draw):
    shape = draw(FULL)
    axis, keep = draw(axes(len(shape))), draw(st.booleans())
    name = draw(st.sampled_from(["sum", "mean", "max", "min", "prod", "var", "std", "logsumexp"]))
    options = f"axis={axis}, keepdims={keep}"
    kind = draw(st.sampled_from(["normal", "whole"] if name in ("sum", "max", "min", "prod") else ["normal"]))
    text = draw(operand("x", shape, kind=kind))
    if name in ("var", "std"):
        counts = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        size = 1
        for i in counts:
            size *= shape[i]
        if size < 2:
            name = "var"
        elif draw(st.booleans()):
            options += ", correction=1"
        if name == "std":
            text = draw(unequal(shape))
    second = draw(checks("x"))
    if name == "prod" and kind == "whole":                   # the second order where elements are 0 is tested by value
        second = second.splitlines()[0] + "\n"
    return text + function("x", f"m.{name}(x, {options})") + second


@st.composite
def unequal(draw, shape):
    """Not stretched: elements that are all equal have no deviation, and its root no derivative."""
    return f"X = draw({draw(SEEDS)}, {shape}, 'float64')\nx = lay(X)\n"


@st.composite
def view(draw):
    shape = draw(FULL)
    n = len(shape)
    axis = draw(st.integers(-n, n - 1))
    where = draw(st.sampled_from(["getitem", "permute", "flip", "expand", "broadcast", "diagonal", "windows",
                                  "reshape"]))
    expression = {
        "getitem": f"x[{draw(index(shape))}]",
        "permute": f"m.permute_dims(x, {tuple(draw(st.permutations(range(n))))})",
        "flip": f"m.flip(x, axis={axis})", "expand": f"m.expand_dims(x, {axis})",
        "broadcast": f"m.broadcast_to(x, {(draw(SOME), *shape)})",
        "windows": f"m.sliding_window_view(x, {draw(st.integers(1, shape[axis]))}, axis={axis})",
        "reshape": f"m.reshape(x, {draw(st.sampled_from([(-1,), (1, -1), (*shape[::-1],)]))})",
        "diagonal": f"m.diagonal(x, {draw(st.integers(-2, 2))}, {axis}, {(axis + 1) % n})",
    }[where if where != "diagonal" or n > 1 else "flip"]
    return draw(operand("x", shape)) + function("x", expression) + draw(checks("x"))


@st.composite
def product(draw):
    m, k, n = draw(SOME), draw(SOME), draw(SOME)
    name = draw(st.sampled_from(["matmul", "dot", "tensordot", "dense"]))
    lead = tuple(draw(st.lists(SOME, max_size=1)))
    if name == "dense":
        act = draw(st.sampled_from([None, "relu"]))
        text = draw(operand("x", (*lead, m, k))) + draw(operand("w", (k, n))) + draw(operand("b", (n,)))
        return text + function("xwb", f"m.dense(x, w, b, activation={act!r})") + draw(checks("xwb"))
    left, right, options = (*draw(broadcasting(lead)), m, k), (*lead, k, n), ""
    if name == "tensordot":
        left, right = (m, k, n), (k, n, 2)
        options = draw(st.sampled_from([", axes=2", ", axes=((1,), (0,))", ", axes=((2, 1), (1, 0))"]))
    elif draw(st.integers(0, 2)) == 0:
        left = (k,)
    elif draw(st.integers(0, 2)) == 0:
        right = (k,)
    text = draw(operand("a", left)) + draw(operand("b", right))
    return text + function("ab", f"m.{name}(a, b{options})") + draw(checks("ab"))


@st.composite
def gather(draw):
    name = draw(st.sampled_from(["take", "scatter_add", "concat", "stack", "softmax_cross_entropy", "soft", "pick"]))
    shape = draw(FULL)
    axis = draw(st.integers(0, len(shape) - 1))
    n = shape[axis]
    chosen = draw(st.lists(st.integers(-n, n - 1), min_size=1, max_size=5))
    constant = f"I = np.array({chosen}, np.int64)\n"
    if name in ("take", "pick"):
        expression = f"m.take(x, I, axis={axis})" if name == "take" else f"x[{':, ' * axis}I]"
        return draw(operand("x", shape)) + constant + function("x", expression) + draw(checks("x"))
    if name == "scatter_add":
        updates = (*shape[:axis], len(chosen), *shape[axis + 1:])
        text = draw(operand("x", shape)) + draw(operand("u", updates)) + constant
        return text + function("xu", f"m.scatter_add(x, I, u, axis={axis})") + draw(checks("xu"))
    if name in ("concat", "stack"):
        text = draw(operand("x", shape)) + draw(operand("y", shape))
        return text + function("xy", f"m.{name}([x, y, x], axis={axis})") + draw(checks("xy"))
    if name == "soft":
        text = draw(operand("x", shape)) + draw(operand("t", shape, kind="positive"))
        return text + function("xt", "m.softmax_cross_entropy(x, t)") + draw(checks("xt"))
    text = draw(operand("x", shape))
    text += f"I = np.random.default_rng({draw(SEEDS)}).integers(0, {shape[-1]}, {shape[:-1]})\n"
    return text + function("x", "m.softmax_cross_entropy(x, I)") + draw(checks("x"))


@st.composite
def in_a_dtype(draw, cases):
    """The case in float64, or its first order in float32."""
    text = draw(cases)
    if draw(st.integers(0, 4)):
        return text
    return "".join(line + "\n" for line in text.replace("'float64'", "'float32'").splitlines() if "second" not in line)


CASES = in_a_dtype(st.one_of(elementwise(), elementwise(), reduction(), view(), product(), gather()))
