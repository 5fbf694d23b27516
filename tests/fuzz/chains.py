"""Chains of up to six ops: values in float32 and float64 and gradients, against NumPy, with the bounds that follow.

A chain is built step by step: each step takes the last value, and where it needs another one an earlier value of a
fitting shape. The shapes come from running the chain so far in NumPy.
"""
import numpy as np
from hypothesis import strategies as st

from fuzz.programs import namespace
from fuzz.shapes import FULL, SEEDS, SOME, axes, index, operand

LONGEST, LARGEST = 6, 24         # steps; elements of a value, so that the bounds stay cheap
# Each keeps its results of a size that six of them in a row do not leave the range of float32.
ELEMENTWISE = ["m.tanh({x})", "m.sigmoid({x})", "m.relu({x})", "m.negative({x})", "m.abs({x})", "m.erf({x})",
               "m.exp(m.tanh({x}))", "m.log1p(m.square({x}))", "m.sqrt(m.add(m.square({x}), 1.0))",
               "m.reciprocal(m.add(m.square({x}), 1.0))",
               "m.clip({x}, -0.5, 0.7)", "m.pow(m.add(m.abs({x}), 0.5), 1.5)", "m.expm1(m.tanh({x}))", "m.copy({x})",
               "m.log(m.add(m.abs({x}), 0.5))", "m.square(m.tanh({x}))", "m.multiply({x}, 0.5)", "m.subtract(1.0, {x})"]
BINARY = ["m.add({x}, {y})", "m.subtract({x}, {y})", "m.multiply({x}, {y})", "m.maximum({x}, {y})",
          "m.minimum({y}, {x})", "m.divide({x}, m.add(m.square({y}), 1.0))", "m.where({mask}, {x}, {y})"]


@st.composite
def elementwise(draw, shape, known):
    return draw(st.sampled_from(ELEMENTWISE))


@st.composite
def binary(draw, shape, known):
    """With any value that the last one broadcasts with."""
    fitting = [name for name, other in known.items() if _joint(shape, other) is not None]
    mask = f"draw({draw(SEEDS)}, {shape}, 'bool')"
    return draw(st.sampled_from(BINARY)).format(x="{x}", y=draw(st.sampled_from(fitting)), mask=mask)


def _joint(shape, other):
    try:
        return np.broadcast_shapes(shape, other)
    except ValueError:
        return None


@st.composite
def view(draw, shape, known):
    n, axis = len(shape), draw(st.integers(0, max(len(shape) - 1, 0)))
    if n == 0:
        wider = f"m.broadcast_to({{x}}, {(draw(SOME), 2)})"
        return draw(st.sampled_from(["m.expand_dims({x}, 0)", wider, "{x}[None]"]))
    return draw(st.sampled_from([
        f"m.permute_dims({{x}}, {tuple(draw(st.permutations(range(n))))})", f"m.flip({{x}}, axis={axis})",
        f"{{x}}[{draw(index(shape))}]", f"m.expand_dims({{x}}, {axis})",
        f"m.broadcast_to({{x}}, {(draw(SOME), *shape)})",
        f"m.reshape({{x}}, {draw(st.sampled_from([(-1,), (1, -1), (*shape[::-1],)]))})",
        f"m.sliding_window_view({{x}}, {draw(st.integers(1, max(shape[axis], 1)))}, axis={axis})",
        *(["m.matrix_transpose({x})", f"m.diagonal({{x}}, {draw(st.integers(-1, 1))})"] if n > 1 else []),
    ]))


@st.composite
def reduction(draw, shape, known):
    name = draw(st.sampled_from(["sum", "mean", "max", "min", "var", "prod", "logsumexp"]))
    return f"m.{name}({{x}}, axis={draw(axes(len(shape)))}, keepdims={draw(st.booleans())})"


@st.composite
def row(draw, shape, known):
    name, axis = draw(st.sampled_from(["softmax", "log_softmax"])), draw(st.integers(-len(shape), len(shape) - 1))
    return f"m.{name}({{x}}, axis={axis})"


@st.composite
def product(draw, shape, known):
    """With an earlier value where one fits, else with numbers that are not watched."""
    fitting = [name for name, other in known.items() if other[-2:-1] == shape[-1:] and len(other) == 2]
    if fitting and draw(st.booleans()):
        return f"m.matmul({{x}}, {draw(st.sampled_from(fitting))})"
    n, seed = draw(SOME), draw(SEEDS)
    kernel = f"draw({seed}, {(shape[-1], n)}, KIND)"
    if len(shape) > 1 and draw(st.booleans()):
        activation = draw(st.sampled_from([None, "relu"]))
        return f"m.dense({{x}}, {kernel}, draw({seed}, ({n},), KIND), activation={activation!r})"
    return f"m.{draw(st.sampled_from(['matmul', 'dot']))}({{x}}, {kernel})"


@st.composite
def gather(draw, shape, known):
    axis = draw(st.integers(0, len(shape) - 1))
    same = [name for name, other in known.items() if other == shape]
    other = draw(st.sampled_from(same))
    n = shape[axis]
    chosen = draw(st.lists(st.integers(-n, n - 1), min_size=1, max_size=4)) if n else []
    indices = f"np.array({chosen}, np.int64)"
    return draw(st.sampled_from([
        f"m.concat([{{x}}, {other}], axis={axis})", f"m.stack([{other}, {{x}}], axis={axis})",
        f"m.take({{x}}, {indices}, axis={axis})", f"{{x}}[{':, ' * axis}{indices}]",
        f"m.scatter_add({{x}}, {indices}, m.take({other}, {indices}, axis={axis}), axis={axis})",
    ]))


WITH_AXES = [reduction, row, product, gather]


@st.composite
def cases(draw):
    x, y = draw(FULL), draw(FULL)
    text = draw(operand("x", x)) + draw(operand("y", y)) + "KIND = 'float64'\n"
    lines, names, known = [], ["x", "y"], {"x": x, "y": y}
    for number in range(draw(st.integers(1, LONGEST))):
        last = names[-1] if number else "x"
        shape = known[last]
        kinds = [elementwise, binary, view, *(WITH_AXES if shape and 0 not in shape else [])]
        step = draw(draw(st.sampled_from(kinds))(shape, known)).format(x=last)
        name = f"v{number}"
        result = _shape_of(lines, name, step, x, y)
        if result is None or int(np.prod(result)) > LARGEST:
            continue
        lines.append(f"    {name} = {step}\n")
        names.append(name)
        known[name] = result
    text += f"def f(m, x, y):\n{''.join(lines)}    return {names[-1] if lines else 'x'}\n"
    return text + draw(_checks())


def _shape_of(lines, name, step, x, y):
    """The shape that a step gives, or None where it cannot be taken."""
    code = f"def f(m, x, y):\n{''.join(lines)}    return {step}\n"
    space = dict(namespace(), KIND="float64")
    try:
        exec(compile(code, "<chain>", "exec"), space)
        return np.shape(space["f"](space["ref"], np.ones(x), np.ones(y)))
    except (ValueError, IndexError, TypeError):
        return None


@st.composite
def _checks(draw):
    seed = draw(SEEDS)
    text = "check_value(f, [X, Y], [x, y])\n"
    if draw(st.booleans()):
        text += "KIND = 'float32'\nA, B = X.astype(KIND), Y.astype(KIND)\n"
        text += "check_value(f, [A, B], [ct.astype(x, KIND), ct.astype(y, KIND)])\nKIND = 'float64'\n"
    text += f"check_gradient(f, [X, Y], [x, y], {seed})\n"
    if draw(st.integers(0, 4)) == 0:
        text += f"check_second(f, [X, Y], [x, y], {seed})\n"
    return text


CASES = cases()
