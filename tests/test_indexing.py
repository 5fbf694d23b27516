"""x[key] and x[key] = value, against NumPy."""
import numpy as np
import pytest

import cyops

ARRAY = np.arange(3 * 4 * 5, dtype=np.float32).reshape(3, 4, 5)
ADVANCED = {
    "ints": np.array([2, 0, 2]),
    "negative ints": np.array([-1, 0]),
    "list": [1, 0],
    "matrix of ints": np.array([[0, 1], [2, 2]]),
    "mask of the first axis": np.array([True, False, True]),
    "mask of two axes": np.arange(12).reshape(3, 4) % 3 == 0,
    "mask of all": ARRAY % 7 == 0,
    "pair": (np.array([0, 2]), np.array([1, 3])),
    "ints and slice": (slice(1, None), np.array([3, 0])),
    "slice between": (np.array([0, 1]), slice(None), np.array([4, 0])),
    "broadcast pair": (np.array([[0], [2]]), np.array([1, 3])),
    "none and ints": (None, np.array([1])),
    "no ints": np.array([], dtype=np.int64),
}


@pytest.mark.parametrize("name", ADVANCED)
def test_arrays_of_indices_give_numpys_result_as_a_copy(name):
    key = ADVANCED[name]
    for x, array in ((cyops.Strided(ARRAY), ARRAY), (cyops.Strided(ARRAY.copy())[::-1], ARRAY[::-1])):
        result = x[key]
        assert np.array_equal(np.asarray(result), array[key]) and result.shape == array[key].shape
        assert not cyops.shares_memory(result, x)


@pytest.mark.parametrize("name", ADVANCED)
def test_assignment_through_arrays_of_indices(name):
    key = ADVANCED[name]
    array, x = ARRAY.copy(), cyops.copy(ARRAY)
    array[key] = -1
    version = x.storage.version
    x[key] = -1
    assert np.array_equal(np.asarray(x), array)
    assert x.storage.version > version


def test_tensors_are_keys_too():
    x = cyops.Strided(ARRAY)
    assert np.array_equal(np.asarray(x[cyops.Strided([2, 0])]), ARRAY[[2, 0]])
    assert np.array_equal(np.asarray(x[x > 30]), ARRAY[ARRAY > 30])
    assert np.array_equal(np.asarray(x[cyops.Strided(1)]), ARRAY[1])
    assert np.array_equal(np.asarray(x[np.int64(2), np.int8(-1)]), ARRAY[2, -1])


VALUES = [1, 2.5, True, np.float64(3), [1, 2, 3, 4, 5], np.arange(5), np.ones((4, 1)), np.int8(4)]


@pytest.mark.parametrize("value", VALUES)
def test_assignment_broadcasts_and_casts(value):
    for key in (slice(None), 1, (slice(None, None, -1), slice(1, 3)), (Ellipsis, slice(None))):
        array, x = ARRAY.astype(np.float64), cyops.astype(ARRAY, "float64")
        if np.ndim(value) == 2 and np.shape(array[key])[-2:] != (4, 5):
            continue
        array[key] = value
        x[key] = value
        assert np.array_equal(np.asarray(x), array)


def test_assignment_from_overlapping_memory_reads_first():
    array, x = np.arange(10.0), cyops.Strided(np.arange(10.0))
    array[1:], x[1:] = array[:-1].copy(), x[:-1]
    assert x.tolist() == array.tolist()
    x[:] = x[::-1]
    assert x.tolist() == array[::-1].tolist()


@pytest.mark.parametrize(("key", "message"), [
    (3, r"index 3 of a tensor of shape \(3, 4, 5\): 3 is out of range for axis 0 of length 3"),
    ((0, -5), "-5 is out of range for axis 1 of length 4"),
    ((0, 0, 0, 0), "too many indices, 4 for 3 axes"),
    ((Ellipsis, Ellipsis), "one Ellipsis"),
    (10**30, "out of range"),
    ("a", "only integers, slices, None, Ellipsis and arrays"),
    (1.5, "only integers, slices"),
    ((None,) * 14, "more than 16 axes"),
    (np.array([5]), "5"),
])
def test_keys_out_of_range_raise_index_error(key, message):
    x = cyops.Strided(ARRAY)
    with pytest.raises(IndexError, match=message):
        x[key]


def test_a_step_of_zero():
    with pytest.raises(ValueError, match="slice step cannot be zero"):
        cyops.Strided(ARRAY)[::0]


def test_scalars_have_no_length_and_no_items():
    x = cyops.Strided(3.0)
    with pytest.raises(TypeError, match="has no length"):
        len(x)
    with pytest.raises(IndexError, match="too many indices"):
        x[0]
    assert x[()].item() == 3.0 and x[...].shape == () and x[None].shape == (1,)
    x[()] = 4
    assert x.item() == 4.0


def test_strings():
    names = cyops.Strided(["ab", "cde", "f"])
    assert names.dtype == np.dtype("U3") and names[1].item() == "cde" and names[::-1].tolist() == ["f", "cde", "ab"]
    names = cyops.copy(names)
    names[0] = "xyzw"
    assert names.tolist() == ["xyz", "cde", "f"]
    assert cyops.Strided([b"a", b"bc"])[1].item() == b"bc"
    with pytest.raises(TypeError):
        names + names
