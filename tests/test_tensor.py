"""Tensor and Variable: conversion, printing, methods, operators with foreign operands, assignment."""
import copy
import pickle

import numpy as np
import pytest

import cytensor as ct


def test_attributes():
    x = ct.asarray(np.arange(6.0).reshape(2, 3))
    assert (x.ndim, x.size, x.shape, len(x), x.nbytes) == (2, 6, (2, 3), 2, 48)
    assert x.T.shape == (3, 2) and x.T.storage is x.storage and x.mT.tolist() == x.numpy().T.tolist()
    assert ct.zeros((2, 3, 4)).mT.shape == (2, 4, 3)
    assert [row.tolist() for row in x] == x.tolist()
    assert 5.0 in x and 7.0 not in x
    assert x.transpose(1, 0).shape == x.transpose((1, 0)).shape == x.transpose().shape == (3, 2)
    with pytest.raises(TypeError, match=r"a tensor of shape \(\) has no axis to iterate over"):
        iter(ct.asarray(1.0))


def test_scalars_convert_and_format():
    x = ct.asarray(2.345)
    assert float(x) == pytest.approx(2.345) and int(x) == 2 and bool(x) and x.item() == float(x)
    assert f"{x:.2f}" == "2.35" or f"{x:.2f}" == "2.34"
    assert f"{ct.asarray(7):04d}" == "0007"
    assert f"{ct.asarray([1, 2])}" == "[1 2]"
    assert [10, 20, 30][ct.asarray(1)] == 20
    with pytest.raises(TypeError, match=r"the spec '.2f' is for tensors of shape \(\); got shape \(2,\)"):
        f"{ct.ones(2):.2f}"
    with pytest.raises(ValueError, match=r"item: needs exactly one element; got shape \(2,\)"):
        float(ct.ones(2))
    with pytest.raises(ValueError, match="the truth of a tensor needs exactly one element"):
        bool(ct.ones(2))
    with pytest.raises(TypeError, match="only an integer tensor"):
        [1, 2][ct.asarray(1.0)]
    with pytest.raises(TypeError, match="unhashable"):
        hash(x)


def test_repr_shows_shape_dtype_and_the_layout_of_views():
    assert repr(ct.asarray([1.0, 2.0])) == "<Tensor shape=(2,) dtype=float32: [1. 2.]>"
    assert repr(ct.asarray([[1, 2]])[:, ::-1]) == "<Tensor shape=(1, 2) dtype=int64 offset=1 strides=(0, -1): [[2 1]]>"
    assert repr(ct.Variable(1.0, name="w")) == "<Variable 'w' shape=() dtype=float32: 1.>"
    assert len(repr(ct.zeros(10**6))) < 200
    assert str(ct.asarray([True])) == "[ True]"


@pytest.mark.parametrize("other", [
    np.array([1.0, 2.0], np.float32), [1.0, 2.0], 2.0, 3, np.float32(2), True,
], ids=["array", "list", "float", "int", "numpy scalar", "bool"])
def test_operators_with_foreign_operands_on_either_side_give_tensors(other):
    x = ct.asarray([3.0, 5.0])
    array, value = x.numpy(), np.asarray(other, np.float32)
    for ours, theirs in [
        (x + other, array + value), (other + x, value + array), (x - other, array - value), (other - x, value - array),
        (x * other, array * value), (other * x, value * array), (x / other, array / value), (other / x, value / array),
        (x**other, array**value), (other**x, value**array), (x // other, array // value), (x % other, array % value),
        (x > other, array > value), (other < x, value < array), (x == other, array == value),
        (other != x, value != array),
    ]:
        assert type(ours) is ct.Tensor
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-6)


def test_round_and_divmod():
    values = np.array([[1.25, -2.5, 3.5], [0.5, -1234.5678, 7]], np.float32)
    x = ct.asarray(values).T
    assert np.array_equal(round(x), np.round(values).T) and type(round(x)) is ct.Tensor
    for digits in (2, 1, 0, -1, -3):
        assert np.allclose(round(x, digits), np.round(values, digits).T, rtol=1e-6, atol=0), digits
    whole = ct.asarray([15, 25, -14])
    assert round(whole, -1).tolist() == [20, 20, -10] and round(whole, 2).tolist() == [15, 25, -14]
    assert round(whole, -1).dtype == "int64" and type(round(whole, -1)) is ct.Tensor
    with pytest.raises(TypeError, match=r"^round: ndigits must be an integer; got 1\.5"):
        round(x, 1.5)
    for left, right in ((x, 2.0), (5.0, x), (x, x[::-1]), (values.T, x), (x, values.T), (whole, 4), ([1.0], x)):
        for got, expected in zip(divmod(left, right), divmod(np.asarray(left), np.asarray(right)), strict=True):
            assert np.allclose(got, expected, rtol=1e-6, atol=1e-6) and type(got) is ct.Tensor
    with pytest.raises(TypeError, match="unsupported operand"):
        divmod(x, "a")


def test_matmul_operator_and_refusals():
    x = ct.asarray([[1.0, 2.0], [3.0, 4.0]])
    eye = np.eye(2, dtype=np.float32)
    assert (x @ eye).tolist() == (eye @ x).tolist() == x.tolist()
    assert type(eye @ x) is ct.Tensor
    with pytest.raises(TypeError):
        x + "a"
    with pytest.raises(TypeError):
        x @ object()
    assert (x == None) is False  # noqa: E711 - what a user may write by mistake
    assert (x == "a") is False


def test_dtype_rules():
    f32, f64, i32, i64 = (ct.ones(1, d) for d in ("float32", "float64", "int32", "int64"))
    u8, b = ct.ones(1, "uint8"), ct.ones(1, "bool")
    assert (f32 + f64).dtype == np.float64 and (f32 + i64).dtype == np.float32 and (i32 + i64).dtype == np.int64
    assert (u8 + ct.ones(1, "int8")).dtype == np.int16 and (b + i32).dtype == np.int32
    assert (f32 * 2).dtype == np.float32 and (i32 * 2).dtype == np.int32 and (i32 * 2.0).dtype == np.float32
    assert (f64 * 2.5).dtype == np.float64 and (f32 * np.float64(2)).dtype == np.float64
    assert (i64 / i64).dtype == np.float32 and ct.sqrt(i64).dtype == np.float32 and ct.mean(i64).dtype == np.float32
    assert ct.sum(ct.ones(3, "int8")).dtype == np.int64 and ct.sum(b).dtype == np.int64
    assert (ct.ones(1, "float16") + ct.ones(1, "float16")).dtype == np.float16
    with pytest.raises(OverflowError):
        u8 + 300


def test_python_numbers_reach_float64_with_all_their_digits():
    x = ct.zeros(2, "float64")
    x[0] = 0.1
    x[1:] = [0.2]
    v = ct.Variable(np.zeros(1))
    v.assign([0.3])
    assert x.tolist() == [0.1, 0.2] and v.item() == 0.3
    for made in (ct.full((), 0.1, "float64"), ct.asarray(0.1, "float64"), ct.constant([0.1], dtype="float64"),
                 ct.Variable(0.1, dtype="float64"), ct.Tensor([[0.1]], "float64")):
        assert made.item() == 0.1
    assert (ct.zeros(1, "float64") + [0.1]).item() == 0.1
    assert ct.where([True, False], x, 0.3).tolist() == [0.1, 0.3]
    assert ct.matmul(ct.ones((1, 1), "float64"), [[0.1]]).item() == 0.1
    assert (ct.zeros(1) + [0.1]).dtype == np.float32 and (ct.zeros(1, "float64") + [1]).dtype == np.float64


def test_reshape_takes_a_tuple_or_ints():
    x = ct.arange(6)
    assert x.reshape(2, 3).shape == x.reshape((2, 3)).shape == x.reshape([2, -1]).shape == x.view(2, 3).shape == (2, 3)
    assert x.reshape(6).shape == x.reshape(-1).shape == (6,) and x[:1].reshape().shape == ()


def test_asarray_shares_and_constant_copies():
    array = np.arange(3.0)
    assert np.shares_memory(ct.asarray(array).numpy(), array)
    assert not np.shares_memory(ct.constant(array).numpy(), array)
    assert not np.shares_memory(ct.asarray(array, copy=True).numpy(), array)
    x = ct.asarray(array)
    assert ct.asarray(x) is x
    assert ct.asarray(array, "float32").dtype == np.float32
    with pytest.raises(ValueError, match="from dtype float64 to float32 needs a copy"):
        ct.asarray(array, "float32", copy=False)
    with pytest.raises(ValueError, match="a list has no memory to share"):
        ct.asarray([1.0], copy=False)
    with pytest.raises(ValueError, match="cannot be viewed with strides in elements"):
        ct.asarray(np.arange(3, dtype=">f4"), copy=False)
    assert ct.constant(1.0, shape=(2, 2)).tolist() == [[1, 1], [1, 1]]
    assert ct.constant([1, 2, 3, 4], shape=(2, 2)).shape == (2, 2)
    assert np.array(ct.ones(2), dtype=np.float64).dtype == np.float64
    assert np.stack([ct.ones(2), ct.zeros(2)]).shape == (2, 2)


def test_numpy_ufuncs_without_an_op_give_tensors_and_out_is_refused():
    x = ct.asarray([1.0, 4.0])
    assert type(np.hypot(x, x)) is ct.Tensor and type(np.add.reduce(x)) is ct.Tensor
    whole, part = np.modf(x)
    assert type(whole) is type(part) is ct.Tensor
    with pytest.raises(TypeError, match="NumPy cannot write into a tensor"):
        np.add(np.ones(2), np.ones(2), out=x)
    target = np.zeros(2, np.float32)
    np.add(x, x, out=target)
    assert target.tolist() == [2, 8]


def test_a_variable_owns_its_memory():
    array = np.ones((2, 2), np.float32)
    v = ct.Variable(array, name="w")
    array[:] = 5
    assert v.tolist() == [[1, 1], [1, 1]] and v.name == "w" and v.trainable
    copied = v.numpy()
    v.assign(np.full((2, 2), 3))
    assert copied.tolist() == [[1, 1], [1, 1]] and v.tolist() == [[3, 3], [3, 3]]
    assert v.assign_add([1.0, 2.0]) is v and v.tolist() == [[4, 5], [4, 5]]
    v.assign_sub(v)
    assert v.tolist() == [[0, 0], [0, 0]] and v.dtype == np.float32
    assert type(v + 1) is ct.Tensor and type(v * v) is ct.Tensor
    assert ct.Variable(lambda: [1, 2]).dtype == np.int64
    assert ct.Variable(1, dtype="float32").dtype == np.float32


def test_slices_of_a_variable_write_through():
    v = ct.Variable(np.zeros((2, 3)))
    v[0, 0].assign(3.0)
    v[:, 1].assign([7.0, 8.0])
    v[1, ::2].assign_add(1.0)
    v[1, 2].assign_sub(5.0)
    assert v.tolist() == [[3, 7, 0], [1, 8, -4]]
    live = v[0]
    v.assign(np.ones((2, 3)))
    assert live.tolist() == [1, 1, 1]
    v[0, 0] = 9.0
    assert v.tolist()[0] == [9, 1, 1]
    assert type(v[0] + 1) is ct.Tensor


def test_a_refused_assignment_leaves_the_variable_as_it_was():
    v = ct.Variable([1.0, 2.0])
    with pytest.raises(ValueError, match=r"assign: .*got .*\(3,\)"):
        v.assign([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="assign"):
        v.assign([[1.0, 2.0], [3.0, 4.0]])
    assert v.tolist() == [1, 2]


def test_pickle_and_copy():
    v = ct.Variable([1.0], trainable=False, name="n")
    for clone in (pickle.loads(pickle.dumps(v)), copy.deepcopy(v), copy.copy(v)):
        assert isinstance(clone, ct.Variable) and clone.tolist() == [1] and clone.name == "n" and not clone.trainable
        clone.assign([5.0])
        assert v.tolist() == [1]
    x = ct.ones(3)
    y = copy.copy(x)
    y[0] = 4.0
    assert x.tolist() == [1, 1, 1] and type(pickle.loads(pickle.dumps(x))) is ct.Tensor


def test_nn_has_the_activations_and_the_cross_entropies_on_logits():
    x = np.linspace(-3, 3, 7, dtype=np.float32)
    for name in ("elu", "gelu", "relu", "relu6", "selu", "sigmoid", "silu", "softplus", "softsign", "swish", "tanh"):
        expected = getattr(ct.activations, name)(ct.asarray(x))
        assert getattr(ct.nn, name)(ct.asarray(x)).tolist() == expected.tolist(), name
    np.testing.assert_allclose(ct.nn.leaky_relu([-1.0, 2.0]).numpy(), [-0.2, 2.0], rtol=1e-6)      # as TensorFlow
    assert ct.nn.leaky_relu([-1.0, 2.0], alpha=0.5).tolist() == [-0.5, 2.0]
    labels = np.float64([0, 1, 0, 1, 0, 1, 1])
    p = 1 / (1 + np.exp(-np.float64(x)))
    np.testing.assert_allclose(ct.nn.sigmoid_cross_entropy_with_logits(labels, x),
                               -(labels * np.log(p) + (1 - labels) * np.log(1 - p)), rtol=1e-6)
    with pytest.raises(ValueError, match=r"sigmoid_cross_entropy_with_logits: .*; got labels \(7,\), logits \(2,\)"):
        ct.nn.sigmoid_cross_entropy_with_logits(labels, x[:2])


def test_add_n_and_newaxis():
    x = ct.Variable([1.0, 2.0])
    with ct.GradientTape() as tape:
        total = ct.add_n([x, x * x, ct.ones(2)])
    assert total.tolist() == [3, 7] and tape.gradient(total, x).tolist() == [3, 5]
    single = ct.add_n([x])
    x.assign([0.0, 0.0])
    assert single.tolist() == [1, 2]
    assert x[:, ct.newaxis].shape == (2, 1)
    for wrong, got in (([], r"\[\]"), ([ct.ones(2), ct.ones(3)], r"\[\(2,\), \(3,\)\]")):
        with pytest.raises(ValueError, match=f"add_n: inputs must be tensors of one shape; got {got}"):
            ct.add_n(wrong)


def test_methods_are_the_functions():
    x = ct.asarray([[1.0, -2.0], [3.0, 4.0]])
    assert x.sum(axis=0).tolist() == ct.sum(x, axis=0).tolist() == [4, 2]
    assert x.relu().tolist() == ct.nn.relu(x).tolist() and x.reshape((4,)).shape == x.reshape(4).shape == (4,)
    assert x.astype("int64").dtype == np.int64 and x.argmax().item() == 3
    assert x.max(axis=1, keepdims=True).shape == (2, 1)


def test_textbook_aliases():
    x = ct.constant([[1.0, 2.0], [3.0, 4.0]])
    assert ct.reduce_sum(x).item() == 10 and ct.reduce_mean(x, axis=0).tolist() == [2, 3]
    assert ct.cast(x, ct.int32).dtype == np.int32 and ct.transpose(x).tolist() == [[1, 3], [2, 4]]
    assert ct.square(x).tolist() == [[1, 4], [9, 16]] and ct.shape(x) == (2, 2)
    assert ct.concat([x, x], axis=0).shape == (4, 2) and ct.expand_dims(x, -1).shape == (2, 2, 1)
    assert ct.math.log is ct.log and ct.zeros_like(x).tolist() == [[0, 0], [0, 0]]
    assert ct.keras.layers is ct.layers


def test_creation_functions():
    assert ct.arange(3).dtype == np.int64 and ct.arange(3.0).dtype == np.float32
    assert ct.arange(1, 7, 2).tolist() == [1, 3, 5]
    assert ct.linspace(0, 1, 5).tolist() == [0, 0.25, 0.5, 0.75, 1] and ct.eye(2, 3).shape == (2, 3)
    assert ct.full((2,), 7).dtype == np.int64 and ct.full((2,), True).dtype == np.bool_
    assert ct.zeros(shape=(2,)).shape == (2,) and ct.zeros(2, "S3").tolist() == [b"", b""]
    assert ct.zeros_like(ct.asarray(["abc"])).tolist() == [""]
    assert ct.full_like(ct.ones(2, "int8"), 3).dtype == np.int8 and ct.ones((2, 0)).size == 0
    with pytest.raises(ValueError, match="step must not be 0"):
        ct.arange(0, 1, 0)
    with pytest.raises(ValueError, match="num must not be negative"):
        ct.linspace(0, 1, -1)
    with pytest.raises(ValueError, match="fill_value must be a scalar"):
        ct.full((2,), [1, 2])


def test_adding_in_place_takes_what_assign_takes():
    for value in (np.ones((2, 3), np.float32), ct.ones(3), ct.ones((2, 1), "float64"), 1.0, [1, 1, 1], ct.ones(())):
        for sign, change in ((1, "assign_add"), (-1, "assign_sub")):
            v = ct.Variable(np.arange(6.0, dtype=np.float32).reshape(2, 3))
            version = v.storage.version
            with ct.GradientTape() as tape:
                assert getattr(v, change)(value) is v
                y = v * 1.0
            assert v.storage.version > version and v.tolist() == [[0 + sign, 1 + sign, 2 + sign],
                                                                  [3 + sign, 4 + sign, 5 + sign]]
            assert tape.gradient(y, v).tolist() == [[1] * 3] * 2
    v = ct.Variable(np.arange(4, dtype=np.float32))
    v[1:].assign_add(v[:-1])                                # overlaps: as if it did not
    assert v.tolist() == [0, 1, 3, 5]
    for wrong in (ct.ones(3), ct.ones((2, 4))):
        with pytest.raises(ValueError, match="assign: "):
            v.assign_sub(wrong)
    with pytest.raises(TypeError, match="assign: needs a tensor, array, number or list; got NoneType"):
        v.assign_add(None)
    assert v.tolist() == [0, 1, 3, 5]
