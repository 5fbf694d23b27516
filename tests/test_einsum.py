"""einsum: NumPy's grammar over generated equations, layouts and dtypes; views; gradients; refusals."""
import itertools
import string

import numpy as np
import pytest
from layouts import LAYOUTS, values_of

import cyops
import cytensor as ct
from cyops.equation import parse, path_of

EPS = {"float32": np.finfo(np.float32).eps, "float64": np.finfo(np.float64).eps, "float16": np.finfo(np.float16).eps}


def generated(seed, most=4):
    """An equation as a user may write it, and shapes that fit: repeats, ellipses, lengths of 1 and 0, spaces."""
    rng = np.random.default_rng(seed)
    letters = rng.choice(list(string.ascii_letters), size=5, replace=False)
    lengths = {letter: int(rng.choice([1, 2, 3, 4])) for letter in letters}
    if rng.random() < 0.08:
        lengths[letters[0]] = 0
    hidden = [int(n) for n in rng.integers(1, 4, size=rng.integers(0, 3))]
    terms, shapes = [], []
    for _ in range(rng.integers(1, most + 1)):
        term = list(rng.choice(letters, size=rng.integers(0, 4)))
        repeated = {letter for letter in term if term.count(letter) > 1}
        shape = [1 if rng.random() < 0.1 and letter not in repeated else lengths[letter] for letter in term]
        if rng.random() < 0.4:
            place, shown = rng.integers(0, len(term) + 1), hidden[len(hidden) - rng.integers(0, len(hidden) + 1):]
            shape[place:place] = [1 if rng.random() < 0.2 else n for n in shown]
            term.insert(place, "...")
        terms.append(term)
        shapes.append(tuple(shape))
    named = [letter for letter in dict.fromkeys(itertools.chain(*terms)) if letter != "..."]
    gap = " " if rng.random() < 0.2 else ""
    equation = f"{gap},".join(gap.join(term) for term in terms)
    if rng.random() < 0.75:
        out = [letter for letter in rng.permutation(named) if rng.random() < 0.5] if named else []
        if any("..." in term for term in terms):
            out.insert(rng.integers(0, len(out) + 1), "...")
        equation += gap + "->" + "".join(out)
    return equation, shapes


def drawn(shapes, seed, dtype="float64"):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return [rng.normal(size=shape).astype(dtype) for shape in shapes]
    return [rng.integers(0, 2 if dtype == "bool" else 5, size=shape).astype(dtype) for shape in shapes]


def expected(equation, arrays):
    """NumPy's result in float64, and the sum of the absolute values of what it is made of."""
    wide = [a.astype(np.float64) for a in arrays]
    return np.einsum(equation, *wide), np.einsum(equation, *map(np.abs, wide))


def check(equation, operands, dtype, **options):
    arrays = [values_of(x) for x in operands]
    want, terms = expected(equation, arrays)
    got = values_of(cyops.einsum(equation, *operands, **options))
    shapes = [x.shape for x in operands]
    assert got.shape == want.shape and got.dtype == dtype, (equation, shapes, got.shape, want.shape, got.dtype)
    if np.dtype(dtype).kind == "f":
        depth = 8 * (1 + len(operands))
        error = np.abs(got.astype(np.float64) - want)
        assert np.all(error <= depth * EPS[dtype] * (terms + np.finfo(dtype).tiny)), (equation, shapes, error.max())
    else:
        assert np.array_equal(got, want != 0 if dtype == "bool" else want.astype(dtype)), (equation, shapes)


@pytest.mark.parametrize("block", range(10))
def test_generated_equations_give_what_numpy_gives(block):
    for seed in range(block * 60, block * 60 + 60):
        equation, shapes = generated(seed)
        check(equation, [cyops.Strided(a) for a in drawn(shapes, seed)], "float64")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_any_layout(dtype):
    layouts = list(LAYOUTS.values())
    for seed in range(1000, 1120):
        equation, shapes = generated(seed, most=3)
        rng = np.random.default_rng(seed)
        operands = [layouts[rng.integers(len(layouts))](a) for a in drawn(shapes, seed, dtype)]
        check(equation, operands, dtype)


@pytest.mark.parametrize("dtype", ["float16", "int8", "int32", "uint8", "int64", "bool"])
def test_dtypes_are_those_of_matmul(dtype):
    assert cyops.einsum("ij,jk", *[cyops.ones((2, 2), dtype)] * 2).dtype == cyops.matmul(
        *[cyops.ones((2, 2), dtype)] * 2).dtype == dtype
    for seed in range(2000, 2060):
        equation, shapes = generated(seed, most=3)
        check(equation, [cyops.Strided(a) for a in drawn(shapes, seed, dtype)], dtype)


def test_dtypes_mix_and_numbers_in_lists_adapt():
    x = np.arange(6, dtype="int32").reshape(2, 3)
    assert cyops.einsum("ij,j->i", x, np.ones(3, "float32")).dtype == "float32"
    assert cyops.einsum("ij,j->i", x, np.ones(3, bool)).dtype == "int32"
    got = cyops.einsum("i,i->", np.array([1., 2.]), [0.1, 0.2])
    assert got.dtype == "float64" and got.item() == pytest.approx(0.5, abs=1e-16)
    assert cyops.einsum(",i->i", 3.0, [1.0, 2.0]).tolist() == [3.0, 6.0]
    many = cyops.einsum("i,i,i->", *[cyops.ones(3000, "float16")] * 3)
    assert many.dtype == "float16" and many.item() == 3000          # 2048 where sums are rounded on the way


def test_every_pair_of_two_axes_in_every_layout_has_the_same_bits():
    a, b = drawn([(5, 7), (7, 3)], 0, "float32")
    for equation in ("ij,jk->ik", "ij,jk->ki", "ij,jk"):
        bits = {values_of(cyops.einsum(equation, LAYOUTS[x](a), LAYOUTS[y](b))).tobytes()
                for x in LAYOUTS for y in LAYOUTS if "stretched" not in (x, y)}
        assert len(bits) == 1


def test_bits_do_not_depend_on_threads_or_layout_in_a_contraction_of_four_axes():
    a, b = drawn([(6, 5, 4, 33), (33, 5, 7, 6)], 1, "float32")
    bits = set()
    for threads in (1, 2):
        with ct.set_num_threads(threads):
            for layout in ("contiguous", "offset", "transposed", "sliced", "reversed"):
                x, y = LAYOUTS[layout](a), LAYOUTS[layout](b)
                bits.add(values_of(cyops.einsum("abcd,dbea->ce", x, y)).tobytes())
    assert len(bits) == 1


# -- the grammar ------------------------------------------------------------------------------------------------------
def test_the_output_that_is_not_written_is_in_alphabetical_order_capitals_first():
    x = cyops.ones((2, 3, 4))
    assert cyops.einsum("baZ", x).shape == (4, 3, 2)
    assert cyops.einsum("b...a", x).shape == (3, 4, 2)
    assert cyops.einsum("ij,jk", cyops.ones((2, 3)), cyops.ones((3, 4))).shape == (2, 4)


def test_lists_of_labels_after_each_operand():
    a, b = drawn([(2, 3), (3, 4)], 3)
    for arguments in ([a, [0, 1], b, [1, 2]], [a, [0, 1], b, [1, 2], [2, 0]], [a, [..., 1], b, [1, 51], [..., 51]],
                      [a, (27, 26)], [a, [0, 0 + 1], []]):
        got, want = values_of(cyops.einsum(*arguments)), np.einsum(*arguments)
        np.testing.assert_allclose(got, want, rtol=1e-14)


@pytest.mark.parametrize("optimize", [True, False, "greedy", "optimal", ("greedy", 10), ["einsum_path", (0, 1), (0, 1)],
                                      ["einsum_path", (0, 1, 2)], ["einsum_path", (1, 2)], ("einsum_path", (2, 0))])
def test_three_operands_in_any_order(optimize):
    operands = [cyops.Strided(a) for a in drawn([(4, 3), (3, 5), (5, 2)], 2)]
    check("ij,jk,kl->il", operands, "float64", optimize=optimize)
    check("ij,jk,kl->", operands, "float64", optimize=optimize)


@pytest.mark.slow
def test_many_operands_in_any_order_of_numpys():
    for seed in range(3000, 3060):
        equation, shapes = generated(seed, most=6)
        operands = [cyops.Strided(a) for a in drawn(shapes, seed)]
        for optimize in (False, "optimal"):
            check(equation, operands, "float64", optimize=optimize)


def test_a_path_keeps_intermediates_small():
    """(n, 2)(2, n)(n, 1): the last two first, where the others would make n * n."""
    assert path_of("ij,jk,kl->il", [(100, 2), (2, 100), (100, 1)], True)[0] == (1, 2)
    assert path_of("i,i,i,i->", [(3,)] * 4, False) == [(0, 1), (0, 2), (0, 1)]


def test_an_equation_is_read_once():
    parsed = parse("ij,jk->ik", (2, 2))
    assert parsed.terms[0][1] == parsed.terms[1][0] and parsed.out == (parsed.terms[0][0], parsed.terms[1][1])
    from cyops import equation

    calls = []
    original, equation_cache = equation.parse, "qr,rs->qs"
    import cyops.einstein as einstein
    einstein.parse = lambda *arguments: calls.append(arguments) or original(*arguments)
    try:
        for _ in range(3):
            cyops.einsum(equation_cache, cyops.ones((2, 2)), cyops.ones((2, 2)))
    finally:
        einstein.parse = original
    assert len(calls) <= 1


# -- memory -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("equation", "shape"), [
    ("ij->ji", (3, 4)), ("ii->i", (3, 3)), ("iij->ji", (3, 3, 2)), ("iii->i", (3, 3, 3)), ("...i->i...", (2, 3, 4)),
    ("", ()), ("iijj->ij", (2, 2, 3, 3)),
])
def test_what_sums_nothing_of_one_operand_is_a_view(equation, shape):
    x = cyops.Strided(np.arange(np.prod(shape), dtype="float64").reshape(shape))
    view = cyops.einsum(equation, x)
    np.testing.assert_array_equal(values_of(view), np.einsum(equation, values_of(x)))
    assert cyops.shares_memory(view, x)


def test_writing_through_a_diagonal_shows_in_the_matrix():
    x = ct.zeros((3, 3))
    ct.einsum("ii->i", x)[...] = 1.0
    assert np.array_equal(x.numpy(), np.eye(3))


def test_out_may_overlap_an_operand():
    a = np.arange(9.0).reshape(3, 3)
    for equation, count in (("ij,jk->ik", 2), ("ij->ji", 1), ("ij,jk,kl->li", 3)):
        x = cyops.Strided(a.copy())
        assert cyops.einsum(equation, *[x] * count, out=x) is x
        np.testing.assert_allclose(values_of(x), np.einsum(equation, *[a] * count))


# -- gradients --------------------------------------------------------------------------------------------------------
def scalar(equation, operands, weights):
    return ct.sum(ct.tanh(ct.einsum(equation, *operands)) * weights)


def first_gradients(equation, operands, weights):
    with ct.GradientTape() as tape:
        tape.watch(operands)
        y = scalar(equation, operands, weights)
    return tape.gradient(y, operands, unconnected_gradients="zero")


def second_gradients(equation, arrays, weights, directions):
    operands = [ct.asarray(a) for a in arrays]
    with ct.GradientTape() as outer:
        outer.watch(operands)
        first = first_gradients(equation, operands, weights)
        along = sum((ct.sum(g * u) for g, u in zip(first, directions, strict=True)), ct.asarray(0.0, "float64"))
    return float(along), outer.gradient(along, operands, unconnected_gradients="zero")


def slope_of(function, arrays, directions, step=1e-5):
    ahead, behind = (function([a + h * v for a, v in zip(arrays, directions, strict=True)]) for h in (step, -step))
    return (ahead - behind) / (2 * step)


@pytest.mark.parametrize("block", range(4))
def test_gradients_of_generated_equations_to_the_second_order(block):
    for seed in range(5000 + block * 25, 5025 + block * 25):
        equation, shapes = generated(seed, most=3)
        arrays, rng = drawn(shapes, seed), np.random.default_rng(seed)
        directions, others = ([rng.normal(size=shape) for shape in shapes] for _ in range(2))
        weights = rng.uniform(0.5, 1.5, size=np.einsum(equation, *arrays).shape)
        found = first_gradients(equation, [ct.asarray(a) for a in arrays], weights)
        assert [g.shape for g in found] == shapes, (equation, shapes)
        slope = sum(np.sum(g.numpy() * v) for g, v in zip(found, directions, strict=True))
        wanted = slope_of(lambda at, e=equation, w=weights: float(scalar(e, [ct.asarray(a) for a in at], w)),
                          arrays, directions)
        assert slope == pytest.approx(wanted, rel=1e-6, abs=1e-7), (equation, shapes)
        _, second = second_gradients(equation, arrays, weights, directions)
        slope = sum(np.sum(g.numpy() * v) for g, v in zip(second, others, strict=True))
        wanted = slope_of(lambda at, e=equation, w=weights, d=directions: second_gradients(e, at, w, d)[0],
                          arrays, others)
        assert slope == pytest.approx(wanted, rel=1e-5, abs=1e-6), (equation, shapes)


def test_the_gradient_of_a_sum_and_of_a_diagonal():
    x = ct.Variable(np.arange(9.0).reshape(3, 3))
    with ct.GradientTape(persistent=True) as tape:
        trace, columns = ct.einsum("ii", x), ct.einsum("ij->j", x)
    assert np.array_equal(tape.gradient(trace, x).numpy(), np.eye(3))
    assert np.array_equal(tape.gradient(columns, x).numpy(), np.ones((3, 3)))


def test_the_gradients_of_halves_and_integers():
    v, x = ct.Variable(np.ones((2, 3), "float16")), np.arange(3)
    with ct.GradientTape() as tape:
        y = ct.einsum("ij,j,j->i", v, x, np.ones(3, "float16"))
    gradient = tape.gradient(y, v)
    assert y.dtype == gradient.dtype == "float16"
    assert gradient.numpy().tolist() == [[0, 1, 2]] * 2


def test_a_gradient_goes_through_out():
    v, target = ct.Variable([[1., 2.], [3., 4.]]), ct.zeros(2)
    with ct.GradientTape() as tape:
        y = ct.einsum("ij->i", v, out=target) * 2
    assert tape.gradient(y, v).numpy().tolist() == [[2, 2], [2, 2]]


@pytest.mark.parametrize("equation", ["bij,bjk->bik", "bij,jk,bk->i", "iij,jk->ik", "ij,kl->"])
def test_gradients_are_those_of_pytorch(equation):
    torch = pytest.importorskip("torch")
    shapes = {"bij,bjk->bik": [(2, 3, 4), (2, 4, 5)], "bij,jk,bk->i": [(2, 3, 4), (4, 5), (2, 5)],
              "iij,jk->ik": [(3, 3, 4), (4, 2)], "ij,kl->": [(2, 3), (4, 5)]}[equation]
    arrays = drawn(shapes, 0)
    peers = [torch.tensor(a, requires_grad=True) for a in arrays]
    torch.sum(torch.einsum(equation, *peers) ** 2).backward()
    operands = [ct.Variable(a) for a in arrays]
    with ct.GradientTape() as tape:
        y = ct.sum(ct.einsum(equation, *operands) ** 2)
    for got, peer in zip(tape.gradient(y, operands), peers, strict=True):
        np.testing.assert_allclose(got.numpy(), peer.grad.numpy(), rtol=1e-12)


# -- bad input --------------------------------------------------------------------------------------------------------
LONG = "abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(("arguments", "error", "message"), [
    (("ij,jk", np.ones((2, 3))), ValueError,
     "einsum: one term for each operand; got the terms ['ij', 'jk'] and 1 operands"),
    (("ij", np.ones((2, 3)), np.ones(3)), ValueError,
     "einsum: one term for each operand; got the terms ['ij'] and 2 operands"),
    (("ij->ik", np.ones((2, 3))), ValueError,
     "einsum: the output has labels of the operands alone; 'k' is of none in 'ij->ik'"),
    (("ij->ii", np.ones((2, 3))), ValueError,
     "einsum: the output names each label once; 'i' stands twice in 'ij->ii'"),
    (("i1", np.ones((2, 3))), ValueError,
     "einsum: subscripts are letters, one '...' in a term, ',' and '->'; got '1' in 'i1'"),
    (("i.j", np.ones((2, 3))), ValueError,
     "einsum: subscripts are letters, one '...' in a term, ',' and '->'; got '.' in 'i.j'"),
    (("...i...", np.ones((2, 3))), ValueError,
     "einsum: subscripts are letters, one '...' in a term, ',' and '->'; got '.' in '...i...'"),
    (("ij->i->j", np.ones((2, 3))), ValueError,
     "einsum: subscripts are letters, one '...' in a term, ',' and '->'; got '-' in 'ij->i->j'"),
    (("ijk", np.ones((2, 3))), ValueError,
     "einsum: a term names each axis of its operand; 'ijk' in 'ijk' names 3, and operand 0 has 2"),
    (("i,j", np.ones(3), np.ones((2, 3))), ValueError,
     "einsum: a term names each axis of its operand; 'j' in 'i,j' names 1, and operand 1 has 2"),
    (("...ijk->...", np.ones((2, 3))), ValueError,
     "einsum: a term names each axis of its operand; '...ijk' in '...ijk->...' names 3, and operand 0 has 2"),
    (("...i->i", np.ones((2, 3))), ValueError,
     "einsum: what stands before '->' has axes under '...', so the output needs '...' too; got '...i->i'"),
    (("ij,jk", np.ones((2, 3)), np.ones((4, 5))), ValueError,
     "einsum: a label has one length in all operands, or 1; 'j' has 3 and 4, in shapes (2, 3) and (4, 5)"),
    (("i...,i...", np.ones((2, 3)), np.ones((2, 4))), ValueError,
     "einsum: a label has one length in all operands, or 1; '...' (its axis -1) has 3 and 4, in shapes (2, 3) and "
     "(2, 4)"),
    (("ii", np.ones((2, 3))), ValueError,
     "einsum: the axes of one operand that share a label have one length; those of 'i' have 2 and 3 in (2, 3)"),
    ((f"{LONG[:9]},{LONG[9:18]}", np.ones((1,) * 9), np.ones((1,) * 9)), ValueError,
     "einsum: the result has 18 axes; at most 16 are possible"),
    (("ij", ["a", "b"]), ValueError,
     "einsum: a term names each axis of its operand; 'ij' in 'ij' names 2, and operand 0 has 1"),
    (("i", ["a", "b"]), TypeError, None),
    (("i,i", ["a", "b"], [1., 2.]), TypeError, None),
    (("i,i,i", ["a", "b"], [1., 2.], [1., 2.]), TypeError, None),
    (("i", None), TypeError, "einsum: cannot make a tensor of NoneType None"),
    ((None, np.ones(2)), TypeError, "einsum: labels in a list are integers or Ellipsis; got np.float64(1.0)"),
    ((np.ones(2), 3), TypeError,
     "einsum: needs subscripts such as 'ij,jk->ik' before the operands, or a list of labels after each; got 3 in the "
     "place of such a list"),
    ((np.ones(2), "i"), TypeError, None),
    ((np.ones(2), [52]), ValueError, "einsum: labels in a list lie between 0 and 51; got 52"),
    ((np.ones(2), [-1]), ValueError, "einsum: labels in a list lie between 0 and 51; got -1"),
    ((np.ones(2), [0.5]), TypeError, "einsum: labels in a list are integers or Ellipsis; got 0.5"),
    (("",), ValueError, "einsum: one term for each operand; got the terms [''] and 0 operands"),
])
def test_bad_input_is_named(arguments, error, message):
    with pytest.raises(error) as caught:
        ct.einsum(*arguments)
    assert str(caught.value).startswith("einsum: "), caught.value
    if message is not None:
        assert str(caught.value) == message


@pytest.mark.parametrize("optimize", ["fast", 3, None, [], ["einsum_path", (0, 5)], ["einsum_path", (0, 0)],
                                      ["einsum_path", (-1, 0)], ["einsum_path", 3], {}])
def test_bad_ways_to_order_operands_are_named(optimize):
    with pytest.raises((ValueError, TypeError), match=r"^einsum: "):
        ct.einsum("i,i,i->", *[np.ones(3)] * 3, optimize=optimize)


def test_labels_of_the_rules_are_checked():
    x = cyops.ones((2, 3))
    for terms, out in ((((0,),), ()), (((0, 99),), ()), (((0, 1),), (2,)), (((0, 1),), (0, 0)), (((0, 1), (0, 1)), ())):
        with pytest.raises(ValueError, match=r"contract_labels: |einsum: "):
            cyops.contract_labels((x,), terms, out)
    with pytest.raises(TypeError, match="operands must be tensors"):
        cyops.contract_labels((np.ones(2),), ((0,),), (0,))


# -- what is written with it ------------------------------------------------------------------------------------------
SHAPES = [(), (3,), (2, 3), (4, 3), (2, 4, 3), (1, 3), (0, 3)]


@pytest.mark.parametrize("name", ["inner", "outer", "kron", "vecdot"])
def test_products_over_all_shapes(name):
    for first, second in itertools.product(SHAPES, repeat=2):
        a, b = drawn([first, second], 0)
        try:
            want = getattr(np, name)(a, b)
        except ValueError:
            with pytest.raises(ValueError, match=rf"^{name}: "):
                getattr(ct, name)(a, b)
            continue
        got = getattr(ct, name)(a, b).numpy()
        assert got.shape == np.shape(want), (first, second)
        np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-14, err_msg=f"{name} {first} {second}")


@pytest.mark.parametrize("name", ["inner", "outer", "kron", "vecdot"])
@pytest.mark.parametrize("dtype", ["float32", "int16", "bool"])
def test_products_keep_the_dtype_of_matmul(name, dtype):
    x = np.ones((2, 2), dtype)
    assert getattr(ct, name)(x, x).dtype == dtype
    assert getattr(ct, name)(x, [[0.5, 1.0]] * 2).dtype == "float32"


def test_vecdot_along_another_axis():
    a, b = drawn([(3, 4), (3, 4)], 0)
    np.testing.assert_allclose(ct.vecdot(a, b, axis=0).numpy(), np.vecdot(a, b, axis=0))
    np.testing.assert_allclose(ct.vecdot(a, b, axis=-2).numpy(), np.vecdot(a, b, axis=0))
    with pytest.raises(IndexError, match=r"vecdot: axis 2 is out of range for 2 axes"):
        ct.vecdot(a, b, axis=2)
