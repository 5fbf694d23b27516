"""What all subjects draw: shapes, layouts, seeds, axes, and the lines of a program that make an operand."""
from hypothesis import strategies as st

LENGTHS = st.sampled_from([0, 1, 2, 3, 4, 5])
SOME = st.sampled_from([1, 2, 3, 4])
SHAPES = st.lists(LENGTHS, max_size=4).map(tuple)
FULL = st.lists(SOME, min_size=1, max_size=3).map(tuple)          # with elements and an axis
SEEDS = st.integers(0, 10**6)


@st.composite
def layouts(draw, ndim):
    """The arguments of `lay` after the array; mostly something that is not contiguous."""
    if draw(st.integers(0, 4)) == 0:
        return ""
    order = tuple(draw(st.permutations(range(ndim))))
    steps = tuple(draw(st.lists(st.sampled_from([1, 1, 2, -1, 3, -2]), min_size=ndim, max_size=ndim)))
    front = tuple(draw(st.lists(st.integers(0, 2), min_size=ndim, max_size=ndim)))
    return f", {order}, {steps}, {front}"


@st.composite
def operand(draw, name, shape, dtype="float64", kind="normal"):
    """Two lines: the array NAME in capitals, and the tensor `name` of its values, sometimes stretched along an axis."""
    seed = draw(SEEDS)
    stretched = [i for i, n in enumerate(shape) if n > 1]
    if stretched and draw(st.integers(0, 7)) == 0:
        axis = draw(st.sampled_from(stretched))
        small = (*shape[:axis], 1, *shape[axis + 1:])
        return (f"{name.upper()} = np.broadcast_to(draw({seed}, {small}, {dtype!r}, {kind!r}), {shape})\n"
                f"{name} = ct.broadcast_to(lay(draw({seed}, {small}, {dtype!r}, {kind!r})"
                f"{draw(layouts(len(shape)))}), {shape})\n")
    return (f"{name.upper()} = draw({seed}, {shape}, {dtype!r}, {kind!r})\n"
            f"{name} = lay({name.upper()}{draw(layouts(len(shape)))})\n")


@st.composite
def broadcasting(draw, shape):
    """A shape that broadcasts against `shape` without changing it."""
    kept = shape[draw(st.integers(0, len(shape))):]
    return tuple(1 if draw(st.integers(0, 3)) == 0 else n for n in kept)


@st.composite
def axes(draw, ndim, several=True):
    """None, an axis counted from either end, or a tuple of different axes."""
    which = draw(st.integers(0, 3 if several else 2))
    if which == 0 or ndim == 0:
        return None
    if which < 3:
        return draw(st.integers(-ndim, ndim - 1))
    order = draw(st.permutations(range(ndim)))
    count = draw(st.integers(min(2, ndim), ndim)) if draw(st.integers(0, 3)) else 1
    return tuple(axis - ndim * draw(st.integers(0, 1)) for axis in order[:count])


@st.composite
def index(draw, shape, integers=True):
    """The text of an index of slices, integers, None and an ellipsis."""
    parts = []
    for n in shape[:draw(st.integers(0, len(shape)))]:
        kind = draw(st.integers(0, 5))
        if kind == 0 and n and integers:
            parts.append(str(draw(st.integers(-n, n - 1))))
        elif kind == 1:
            parts += ["None", ":"] if draw(st.booleans()) else [":"]
        else:
            bound = st.one_of(st.just(""), st.integers(-n - 1, n + 1))
            step = draw(st.sampled_from(["", "", ":2", ":-1", ":-2", ":3"]))
            parts.append(f"{draw(bound)}:{draw(bound)}{step}")
    if draw(st.integers(0, 3)) == 0:
        integer = max((i + 1 for i, part in enumerate(parts) if part.lstrip("-").isdigit()), default=0)
        parts.insert(draw(st.integers(integer, len(parts))), "...")      # an integer stays at the axis it was drawn for
    return ", ".join(parts) or "..."
