"""contract: any axes, labels, strides and lengths against NumPy's einsum; windows against a padded copy; memory.

Run as a program, this file checks the instruction set that CYOPS_ISA names: the tests do so once for each.
"""
import functools
import os
import subprocess
import sys

import guarded
import numpy as np
import pytest

import cyops
from cyops.contract import contract_windows, peak_scratch

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
BATCH, ROW, COLUMN, SUMMED = range(4)


# -- drawing -----------------------------------------------------------------------------------------------------------
def numbers(rng, shape, dtype):
    if np.dtype(dtype).kind == "f":
        return (rng.random(shape) - 0.5).astype(dtype)
    return rng.integers(0, 2 if dtype == "bool" else 60, shape).astype(dtype)


def laid(rng, shape, dtype):
    """An array of this shape anywhere in memory: axes in any order, backward, every second or third, repeated."""
    order = rng.permutation(len(shape))
    steps = rng.choice([1, 1, 1, 2, 3, -1, -2, 0], len(shape))
    memory = numbers(rng, [shape[i] * abs(steps[i]) if steps[i] else 1 for i in order], dtype)
    view = memory.transpose(np.argsort(order)) if shape else memory
    return np.broadcast_to(view[tuple(slice(None, None, step or None) for step in steps)], shape)


def drawn_axes(rng, trial):
    """Lengths by label, and the labels of a, of b and of the result, each in any order."""
    parts = rng.choice(4, rng.integers(1, 8))
    lengths = rng.choice([1, 2, 3, 5, 8, 13, 20, 40] if trial % 10 else [0, 1, 2, 17], len(parts))
    while lengths.prod() > 3e5:
        lengths[lengths.argmax()] //= 2
    labels = [rng.permutation([i for i, part in enumerate(parts) if part in wanted]).tolist()
              for wanted in ((BATCH, ROW, SUMMED), (BATCH, COLUMN, SUMMED), (BATCH, ROW, COLUMN))]
    depth = int(np.prod([n for n, part in zip(lengths, parts, strict=True) if part == SUMMED]))
    return lengths, labels, depth


def einsum(labels, a, b):
    """The contraction and the sums of the magnitudes of its terms, in float64."""
    a, b = (x.astype("float64") for x in (a, b))
    formula = "{},{}->{}".format(*("".join(LETTERS[label] for label in names) for names in labels))
    return np.einsum(formula, a, b), np.einsum(formula, abs(a), abs(b))


def assert_close(result, exact, magnitude, depth, case):
    """Within c * eps * sum of |terms|; a chain of k equal terms may err by k / 2."""
    finfo = np.finfo(result.dtype)
    assert result.shape == exact.shape, case
    assert np.all(abs(result - exact) <= (4 + depth / 2) * finfo.eps * magnitude + finfo.smallest_subnormal), case


# -- checks -----------------------------------------------------------------------------------------------------------
def check_labels(trials=700):
    """Any parts, orders, lengths and strides: NumPy's values, and the bits of contiguous copies."""
    rng = np.random.default_rng(11)
    for trial in range(trials):
        dtype = str(rng.choice(["float32", "float64", "float16", "int32", "bool"]))
        lengths, labels, depth = drawn_axes(rng, trial)
        a, b = (laid(rng, [lengths[label] for label in names], dtype) for names in labels[:2])
        result = np.asarray(cyops.contract(a, labels[0], b, labels[1], labels[2]))
        case = (dtype, labels, lengths, a.strides, b.strides)
        exact, magnitude = einsum(labels, a, b)
        if np.dtype(dtype).kind == "f":
            assert_close(result, exact, magnitude, depth, case)
        else:
            assert np.array_equal(result, exact.astype(dtype)), case
        of_copies = cyops.contract(np.array(a, order="C"), labels[0], np.array(b, order="C"), labels[1], labels[2])
        assert result.dtype == dtype and result.tobytes() == np.asarray(of_copies).tobytes(), case


def check_outputs(trials=300):
    """out= of any strides, whose old contents do not matter, beside memory that is not written."""
    rng = np.random.default_rng(12)
    for trial in range(trials):
        dtype = str(rng.choice(["float32", "float64", "int64"]))
        lengths, labels, _ = drawn_axes(rng, trial)
        a, b = (laid(rng, [lengths[label] for label in names], dtype) for names in labels[:2])
        shape = [lengths[label] for label in labels[2]]
        order, steps = rng.permutation(len(shape)), rng.choice([1, 1, 2, -1, -3], len(shape))
        memory = np.full([shape[i] * abs(steps[i]) for i in order], np.nan if dtype[0] == "f" else 77, dtype)
        view = memory.transpose(np.argsort(order))[(..., *(slice(None, None, step) for step in steps))]
        out = cyops.Strided(view)
        assert cyops.contract(a, labels[0], b, labels[1], labels[2], out=out) is out
        expected = np.asarray(cyops.contract(a, labels[0], b, labels[1], labels[2]))
        assert np.array_equal(view, expected), (labels, lengths, view.strides)
        view[...] = 0
        untouched = memory[memory != 0]
        assert np.all(np.isnan(untouched) if dtype[0] == "f" else untouched == 77)


def drawn_window(rng, spatial):
    """Shapes and windows of a convolution: (x, kernel, positions, windows' numbers)."""
    lengths = rng.choice([1, 3, 5, 8, 14, 29][: 6 - spatial], spatial)
    taps, strides = rng.integers(1, 5, spatial), rng.integers(1, 4, spatial)
    dilations, before, after = rng.integers(1, 3, spatial), rng.integers(0, 4, spatial), rng.integers(0, 4, spatial)
    spans = lengths + before + after - (taps - 1) * dilations - 1
    positions = np.where(spans >= 0, spans // strides + 1, 0)
    return lengths, taps, positions, strides, dilations, before, after


def windowed(x, taps, positions, strides, dilations, before, after):
    """(batch, positions..., taps..., channels) of a padded copy in float64."""
    spatial = len(taps)
    padded = np.pad(x.astype("float64"), [(0, 0), *zip(before, after, strict=True), (0, 0)])
    if 0 in positions:
        return np.zeros((x.shape[0], *positions, *taps, x.shape[-1]))
    steps = padded.strides
    return np.lib.stride_tricks.as_strided(
        padded, (x.shape[0], *positions, *taps, x.shape[-1]),
        (steps[0], *(steps[i + 1] * strides[i] for i in range(spatial)),
         *(steps[i + 1] * dilations[i] for i in range(spatial)), steps[-1]))


def any_layout(rng, x):
    """The same values with their axes in any order in memory, or among NaN."""
    order = rng.permutation(x.ndim)
    y = np.array(x.transpose(order), order="C").transpose(np.argsort(order))
    if rng.random() < 0.3:
        spread = np.full([2 * n for n in x.shape], np.nan, x.dtype)[tuple(slice(None, None, 2) for _ in x.shape)]
        spread[...] = y
        return spread
    return y


def drawn_convolution(rng, rounded=np.asarray):
    """Operands, labels and windows of a convolution or of the gradient of its kernel, and what it must give.

    rounded: what is done to the operands' numbers first.
    """
    dtype, spatial = str(rng.choice(["float32", "float64"])), int(rng.integers(1, 4))
    batch, channels, out_channels = (rng.choice(few) for few in ([1, 2, 3], [1, 2, 3, 4, 8, 16, 20], [1, 2, 5, 16, 33]))
    lengths, taps, positions, strides, dilations, before, after = drawn_window(rng, spatial)
    x = rounded(numbers(rng, (batch, *lengths, channels), dtype))
    view = windowed(x, taps, positions, strides, dilations, before, after)
    at, tap = list(range(1, 1 + spatial)), list(range(10, 10 + spatial))
    if rng.random() < 0.5 or 0 in positions:
        other, of_other, of_out, of_x = (*taps, channels, out_channels), [*tap, 20, 30], [0, *at, 30], [0, *tap, 20]
        windows = list(zip(range(1, 1 + spatial), at, strides, dilations, before, after, strict=True))
        depth = taps.prod() * channels
    else:   # where the taps are the rows, the positions are summed over: a window of the other axes' numbers
        other, of_other, of_out, of_x = (batch, *positions, out_channels), [0, *at, 30], [*tap, 20, 30], [0, *at, 20]
        ends = (taps - 1) * dilations + (positions - 1) * strides + 1 - lengths - before
        windows = list(zip(range(1, 1 + spatial), tap, dilations, strides, before, ends, strict=True))
        depth = batch * positions.prod()
    of_out = rng.permutation(of_out).tolist() if rng.random() < 0.5 else of_out
    other = rounded(numbers(rng, other, dtype))
    labels = ([0, *at, *tap, 20], of_other, of_out)
    return x, other, (of_x, of_other, of_out), windows, einsum(labels, view, other), depth


def check_windows(trials=300):
    """Windows with strides, dilation and padding: the values over a padded copy; the same bits in any layout."""
    rng = np.random.default_rng(13)
    for _ in range(trials):
        x, other, labels, windows, (exact, magnitude), depth = drawn_convolution(rng)
        operands = any_layout(rng, x), labels[0], any_layout(rng, other)
        result = np.asarray(contract_windows(*operands, *labels[1:], windows))
        case = (x.shape, other.shape, labels, windows)
        assert_close(result, exact, magnitude, depth, case)
        of_copies = contract_windows(x, labels[0], other, *labels[1:], windows)
        assert result.tobytes() == np.asarray(of_copies).tobytes(), case


def check_guard_pages(trials=150):
    """Nothing beyond the first and last element of an operand is touched, in whatever order its axes lie."""
    rng = np.random.default_rng(14)
    holders = [guarded.Guarded(1 << 21) for _ in range(3)]
    for trial in range(trials):
        room = [functools.partial(holder.array, at_end=bool(trial % 2)) for holder in holders]

        def place(x, i, room=room):
            order = rng.permutation(x.ndim)
            array = room[i]([x.shape[axis] for axis in order], x.dtype).transpose(np.argsort(order))
            array[...] = x
            return array

        x, other, labels, windows, _, _ = drawn_convolution(rng)
        if x.size and other.size:
            contract_windows(place(x, 0), labels[0], place(other, 1), *labels[1:], windows)
        lengths, labels, _ = drawn_axes(rng, 1)
        a, b = (numbers(rng, [lengths[label] for label in names], "float32") for names in labels[:2])
        expected = np.asarray(cyops.contract(a, labels[0], b, labels[1], labels[2]))
        out = place(np.zeros_like(expected), 2)
        cyops.contract(place(a, 0), labels[0], place(b, 1), labels[1], labels[2], out=cyops.Strided(out))
        assert np.array_equal(out, expected)


def check_threads():
    """The same bits for any number of threads."""
    rng = np.random.default_rng(15)
    cases = [("abcd", "dbea", "ce", (40, 8, 50, 40), (40, 8, 70, 40)),
             ("abcd", "ebad", "ce", (9, 9, 300, 9), (80, 9, 9, 9)),
             ("abc", "dca", "bd", (30, 500, 20), (6, 20, 30)), ("abc", "ac", "b", (70, 300, 30), (70, 30))]
    for dtype in ("float32", "float64"):
        for *names, shape_a, shape_b in cases:
            labels = [[ord(letter) for letter in name] for name in names]
            a, b = numbers(rng, shape_a, dtype), numbers(rng, shape_b, dtype)
            results = set()
            for count in (1, 2, 3, 8):
                with cyops.set_num_threads(count):
                    results.add(np.asarray(cyops.contract(a, labels[0], b, labels[1], labels[2])).tobytes())
            assert len(results) == 1, names


CHECKS = (check_labels, check_outputs, check_windows, check_guard_pages, check_threads)


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_this_instruction_set(check):
    check()


@pytest.mark.parametrize("isa", ["generic", "avx2", "avx512"])
@pytest.mark.slow
def test_every_instruction_set(isa):
    if isa not in cyops.available_isas():
        pytest.skip(f"this machine has no {isa}")
    if isa == cyops.isa:
        pytest.skip(f"{isa} is the one that the other tests run")
    done = subprocess.run([sys.executable, "-X", "faulthandler", __file__], env={**os.environ, "CYOPS_ISA": isa},
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and done.stdout.split() == [isa], done.stderr[-2000:]


# -- memory -----------------------------------------------------------------------------------------------------------
def allocated(call):
    """The bytes of tensors and of working memory that a call takes at most."""
    call()
    peak_scratch(reset=True)
    before = cyops.memory_stats()
    result = call()
    after = cyops.memory_stats()
    assert after["allocations"] - before["allocations"] == 1
    return np.asarray(result).nbytes, peak_scratch()


@pytest.mark.parametrize("labels, shape_a, shape_b", [
    ("abcd,dbea->ce", (20, 40, 50, 60), (60, 40, 30, 20)), ("abcd,aebf->dfce", (40, 50, 20, 30), (40, 20, 50, 20)),
    ("abcd,dc->ab", (60, 70, 40, 20), (20, 40)), ("acb,bd->cda", (50, 300, 60), (60, 70)),
])
def test_a_contraction_allocates_its_result_and_the_scratch_of_its_packs(labels, shape_a, shape_b):
    """The operands are up to 9 MB, a copy of one would show; the packs' scratch is a few blocks of fixed size."""
    inputs, of_out = labels.split("->")
    of_a, of_b = inputs.split(",")
    a, b = (cyops.Strided(np.ones(shape, "float32")) for shape in (shape_a, shape_b))
    of_a, of_b, of_out = ([ord(letter) for letter in names] for names in (of_a, of_b, of_out))
    _, scratch = allocated(lambda: cyops.contract(a, of_a, b, of_b, of_out))
    assert scratch <= 4 << 20


def test_a_window_allocates_its_result_and_the_scratch_of_its_packs():
    x, kernel = cyops.ones((16, 40, 40, 32)), cyops.ones((3, 3, 32, 32))      # unfolded, x would have 29 MB
    windows = [(1, 1, 1, 1, 1, 1), (2, 2, 1, 1, 1, 1)]
    labels = (0, 10, 11, 20), (10, 11, 20, 30), (0, 1, 2, 30)
    _, scratch = allocated(lambda: contract_windows(x, labels[0], kernel, *labels[1:], windows))
    assert scratch <= 1 << 20


# -- the call ---------------------------------------------------------------------------------------------------------
def test_out_may_overlap_an_operand():
    values = numbers(np.random.default_rng(1), (8, 8), "float32")
    x = cyops.Strided(values.copy())
    cyops.contract(x, (0, 1), x, (1, 2), (2, 0), out=x)
    assert np.array_equal(np.asarray(x), np.asarray(cyops.contract(values, (0, 1), values, (1, 2), (2, 0))))


def test_a_contraction_is_recorded_with_its_labels():
    a, b = cyops.ones((2, 3)), cyops.ones((3, 4))
    recorder = cyops.Recorder()
    recorder.watch(a)
    recorder.start()
    cyops.contract(a, [0, 1], b, iter([1, 2]), (0, 2))
    recorder.stop()
    (record,) = recorder.records
    assert record.op == "contract"
    assert record.params == {"axes_a": (0, 1), "axes_b": (1, 2), "axes_out": (0, 2)}


def ones(*shape):
    return np.ones(shape, "float32")


def read_only():
    x = np.ones((2, 2), "float32")
    x.flags.writeable = False
    return cyops.Strided(x)


ERRORS = [
    (lambda: cyops.contract(ones(2, 3), (0,), ones(3), (1,), (0,)), ValueError,
     "contract: axes_a must have a label for each axis; got axes_a (0,) for 2 axes"),
    (lambda: cyops.contract(ones(2, 2), (0, 0), ones(2), (0,), ()), ValueError,
     "contract: axes_a names label 0 twice; take a diagonal first"),
    (lambda: cyops.contract(ones(2, 3), (0, 1), ones(4), (1,), (0,)), ValueError,
     "contract: axes of one label must have one length; label 1 has 3 in a (2, 3) and 4 in b (4,)"),
    (lambda: cyops.contract(ones(2, 3), (0, 1), ones(2), (0,), (0,)), ValueError,
     "contract: only a has label 1; sum over that axis first"),
    (lambda: cyops.contract(ones(2), (0,), ones(2, 3), (0, 5), (0,)), ValueError,
     "contract: only b has label 5; sum over that axis first"),
    (lambda: cyops.contract(ones(2), (0,), ones(2), (0,), (1,)), ValueError,
     "contract: axes_out names label 1, which neither a nor b has"),
    (lambda: cyops.contract(ones(2), ("i",), ones(2), (0,), ()), TypeError,
     "contract: axes_a must be an integer; got 'i'"),
    (lambda: cyops.contract(ones(2, 2), (0, 1), ones(2, 2), (1, 2), (0, 2), out=cyops.Strided(ones(2, 3))), ValueError,
     "contract: out must have the shape of the result; got out (2, 3), result (2, 2)"),
    (lambda: cyops.contract(ones(2, 2), (0, 1), ones(2, 2), (1, 2), (0, 2), out=read_only()), ValueError, None),
    (lambda: cyops.contract(ones(2).astype("complex64"), (0,), ones(2), (0,), ()), TypeError, None),
    (lambda: cyops.contract(np.array(["a"]), (0,), ones(1), (0,), ()), TypeError, None),
]


@pytest.mark.parametrize("call, kind, message", ERRORS)
def test_errors_say_what_is_wrong(call, kind, message):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value).startswith("contract: ") and message in (None, str(caught.value))


if __name__ == "__main__":
    for check in CHECKS:
        check()
    print(cyops.isa)
