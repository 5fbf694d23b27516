"""Random chains of views, and writes through them, against the same chain of NumPy's views.

Both sides begin with the same numbers. After each step the views must show the same; a value written through a view
must be seen through every earlier one; what overlaps is computed as if it did not.
"""
from hypothesis import strategies as st

from fuzz.programs import namespace
from fuzz.shapes import SEEDS, SOME, axes, broadcasting, index

DTYPES = ["float32", "float64", "int64", "int8", "float16", "uint32", "bool"]
LONGEST = 6


@st.composite
def step(draw, shape):
    """(the text for cytensor, the text for NumPy) of one more view of `v`."""
    n = len(shape)
    kind = draw(st.sampled_from(["index", "index", "permute", "flip", "reshape", "expand", "squeeze", "broadcast",
                                 "diagonal", "windows", "transpose", "as_strided"]))
    axis = draw(st.integers(-n, n - 1)) if n else 0
    if kind == "permute":
        order = tuple(draw(st.permutations(range(n))))
        return f"ct.permute_dims(v, {order})", f"np.transpose(V, {order})"
    if kind == "flip" and n:
        over = draw(axes(n))
        return f"ct.flip(v, axis={over})", f"np.flip(V, {over})"
    if kind == "reshape":
        new = draw(st.sampled_from([(-1,), (1, *shape), (*shape, 1), (*shape[::-1],), (2, -1), (*shape[:-2], -1)]))
        return f"ct.view(v, {new})", f"same_memory(V, {new})"
    if kind == "expand":
        return f"ct.expand_dims(v, {axis})", f"np.expand_dims(V, {axis})"
    if kind == "squeeze" and n:
        return f"ct.squeeze(v, {axis})", f"np.squeeze(V, {axis})"
    if kind == "broadcast":
        new = (draw(SOME), *[draw(SOME) if k == 1 else k for k in shape])
        return f"ct.broadcast_to(v, {new})", f"np.broadcast_to(V, {new})"
    if kind == "diagonal" and n > 1:
        places = f"{draw(st.integers(-2, 2))}, {axis}, {draw(st.integers(-n, n - 1))}"
        return f"ct.diagonal(v, {places})", f"np.diagonal(V, {places})"
    if kind == "windows" and n:
        size = draw(st.integers(1, max(shape[axis], 1)))
        return (f"ct.sliding_window_view(v, {size}, axis={axis})",
                f"np.lib.stride_tricks.sliding_window_view(V, {size}, axis={axis}, writeable=True)")
    if kind == "transpose" and n > 1:
        return "v.mT", "np.swapaxes(V, -1, -2)"
    if kind == "as_strided":
        new, strides = draw(st.sampled_from([((2, 2), (1, 1)), ((3,), (2,)), ((2, 3), (0, 1)), ((2, 2), (2, -1))]))
        return (f"ct.as_strided(v, {new}, {strides}, offset=2)", f"strided(ROOT, {new}, {strides}, 2)")
    key = draw(index(shape))
    return f"v[{key}]", f"V[{key}] if isinstance(V[{key}], np.ndarray) else V[{key}, ...]"


@st.composite
def cases(draw):
    shape, dtype = tuple(draw(st.lists(st.integers(0, 5), max_size=4))), draw(st.sampled_from(DTYPES))
    text = (f"ROOT = draw({draw(SEEDS)}, {shape}, {dtype!r})\nroot = ct.asarray(ROOT.copy())\n"
            "v, V, earlier = root, ROOT, []\n")
    for number in range(draw(st.integers(1, LONGEST))):
        ours, theirs = draw(step(shape))
        found = _shape_of(text, theirs)
        text += f"V2, refused = attempt(lambda: {theirs})\nv2, error = attempt(lambda: {ours})\n"
        if found is None:                  # a view that NumPy refuses: so do we, and nothing has changed
            text += "assert error is not None, 'NumPy refuses: ' + str(refused)\n"
            continue
        text += "assert error is None, repr(error)\nv, V = v2, V2\ncheck_view(v, V, root)\n"
        shape = found
        if draw(st.integers(0, 2)) == 0:
            text += draw(write(shape, dtype, number))
        if number % 2:
            text += "earlier.append((v, V))\n"
    return text + "for v, V in [*earlier, (root, ROOT)]:\n    check_same_bits(v, V)\n"


@st.composite
def write(draw, shape, dtype, number):
    """Lines that write through the view: a number, an array, another view of the same memory, or `out=`."""
    kind = draw(st.sampled_from(["number", "array", "index", "overlap", "in place", "out"]))
    if kind == "number":
        body = ["v[...] = 1", "V[...] = 1"]
    elif kind == "array":
        other = draw(broadcasting(shape))
        body = [f"v[...] = draw({number}, {other}, {dtype!r})", f"V[...] = draw({number}, {other}, {dtype!r})"]
    elif kind == "index":
        key = draw(index(shape))
        body = [f"v[{key}] = 1", f"V[{key}] = 1"]
    elif kind == "overlap" and shape:
        axis = draw(st.integers(0, len(shape) - 1))
        front, back = (f"[{':, ' * axis}{part}]" for part in draw(st.permutations(["1:", ":-1"])))
        body = [f"v{front} = v{back}", f"V{front} = V{back}.copy()"]
    elif kind == "in place" and dtype != "bool":
        body = ["v += v[...]", "V += V.copy()"]
    elif kind == "out" and shape and dtype != "bool":
        axis = draw(st.integers(0, len(shape) - 1))
        body = [f"ct.add(v, ct.flip(v, axis={axis}), out=v)", f"V[...] = V + np.flip(V, {axis})"]
    else:
        body = ["v[...] = v", "V[...] = V.copy()"]
    return f"if is_writable(V):\n    {body[0]}\n    {body[1]}\n    check_same_bits(v, V)\n"


def _shape_of(text, theirs):
    """The shape of the next view by NumPy, or None where it refuses; run on the NumPy side of the lines so far."""
    lines = [line for line in text.splitlines() if line.startswith(("ROOT", "V2, refused", "assert error is None"))]
    code = "\n".join("V = V2" if line.startswith("assert") else line for line in lines)
    code = code.replace("ROOT =", "V = ROOT =") + f"\nresult, error = attempt(lambda: {theirs})\n"
    space = dict(namespace())
    exec(code, space)
    return None if space["error"] is not None else space["result"].shape


CASES = cases()
