"""custom_gradient and Jacobians, against derivatives worked out by hand and by the rules."""
import numpy as np
import pytest

import cytensor as ct


@ct.custom_gradient
def cubed(x):
    return x * x * x, lambda d: d * 3 * x * x


@ct.custom_gradient
def sum_and_product(a, b):
    return [a + b, a * b], lambda d_sum, d_product: [d_sum + d_product * b, d_sum + d_product * a]


def test_the_given_gradient_counts():
    doubled = ct.custom_gradient(lambda x: (x * x, lambda d: d * 100))
    x = ct.Variable([1.0, 2.0])
    with ct.GradientTape() as tape:
        y = doubled(x)
    assert y.numpy().tolist() == [1, 4] and tape.gradient(y, x).tolist() == [100, 100]


def test_derivatives_of_every_order():
    x = ct.constant([1.0, -2.0])
    with ct.GradientTape() as third:
        third.watch(x)
        with ct.GradientTape() as second:
            second.watch(x)
            with ct.GradientTape() as first:
                first.watch(x)
                y = cubed(x)
            d = first.gradient(y, x)
        d2 = second.gradient(d, x)
    np.testing.assert_allclose(d, [3, 12])
    np.testing.assert_allclose(d2, [6, -12])
    np.testing.assert_allclose(third.gradient(d2, x), [6, 6])


def test_several_inputs_and_results():
    a, b = ct.Variable(3.0), ct.Variable(5.0)
    with ct.GradientTape(persistent=True) as tape:
        total, product = sum_and_product(a, b)
        both = total + product
    assert [float(d) for d in tape.gradient(total, [a, b])] == [1, 1]
    assert [float(d) for d in tape.gradient(product, [a, b])] == [5, 3]
    assert [float(d) for d in tape.gradient(both, [a, b])] == [6, 4]
    assert [float(d) for d in tape.gradient([total, product], [a, b])] == [6, 4]


def test_it_stands_in_a_longer_chain_and_leaves_other_tensors_alone():
    x, untouched = ct.Variable([1.0, 2.0]), ct.Variable(1.0)
    with ct.GradientTape() as tape:
        y = ct.sum(cubed(2 * x)) * 2
    found = tape.gradient(y, [x, untouched], unconnected_gradients="zero")
    np.testing.assert_allclose(found[0], 2 * 3 * (2 * np.array([1, 2])) ** 2 * 2)
    assert float(found[1]) == 0


def test_a_result_that_is_the_input_and_a_gradient_of_none():
    same = ct.custom_gradient(lambda x, y: (x, lambda d: [2 * d, None]))
    x, y = ct.Variable([1.0]), ct.Variable([2.0])
    with ct.GradientTape() as tape:
        z = same(x, y)
    found = tape.gradient(z, [x, y])
    assert found[0].tolist() == [2] and found[1].tolist() == [0]


def test_wrong_uses():
    with pytest.raises(TypeError, match="custom_gradient: what is decorated must be a function"):
        ct.custom_gradient(3)
    with pytest.raises(TypeError, match=r"custom_gradient: the function must return \(result, gradient\)"):
        ct.custom_gradient(lambda x: x)(ct.ones(2))
    few = ct.custom_gradient(lambda x, y: (x + y, lambda d: [d]))
    x = ct.Variable([1.0])
    with ct.GradientTape() as tape:
        z = few(x, x)
    with pytest.raises(ValueError, match="one tensor for each of the 2 inputs; got 1"):
        tape.gradient(z, x)


# -- Jacobians --------------------------------------------------------------------------------------------------------
def test_jacobians_of_every_shape():
    w = ct.Variable(np.arange(6.0).reshape(2, 3))
    x = ct.Variable([1.0, -1.0, 2.0])
    with ct.GradientTape(persistent=True) as tape:
        y = ct.tanh(ct.matmul(w, x[:, None]))[:, 0]
        total = ct.sum(y)
    slope = 1 - np.tanh(w.numpy() @ x.numpy()) ** 2
    of_x, of_w = tape.jacobian(y, [x, w])
    np.testing.assert_allclose(of_x, slope[:, None] * w.numpy(), rtol=1e-5)
    np.testing.assert_allclose(of_w, np.einsum("i,ij,k->ijk", slope, np.eye(2), x.numpy()), rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(tape.jacobian(total, x), tape.gradient(total, x))
    assert tape.jacobian(y, {"x": x})["x"].shape == (2, 3)


def test_jacobians_by_sample():
    x = ct.Variable(np.arange(6.0).reshape(3, 2))
    with ct.GradientTape(persistent=True) as tape:
        y = ct.stack([x[:, 0] * x[:, 1], x[:, 1] ** 2, x[:, 0]], axis=1)
    found = tape.batch_jacobian(y, x)
    assert found.shape == (3, 3, 2)
    whole = tape.jacobian(y, x)
    np.testing.assert_allclose(found, [whole.numpy()[i, :, i] for i in range(3)])
    np.testing.assert_allclose(found.numpy()[1], [[3, 2], [0, 6], [1, 0]])


def test_a_tape_gives_one_jacobian():
    x = ct.Variable([1.0, 2.0])
    with ct.GradientTape() as tape:
        y = x * x
    tape.jacobian(y, x)
    with pytest.raises(RuntimeError, match="not persistent"):
        tape.gradient(y, x)


def test_second_derivatives_by_a_jacobian():
    x = ct.Variable([1.0, 2.0])
    with ct.GradientTape() as outer:
        with ct.GradientTape() as inner:
            y = x[0] ** 2 * x[1]
        d = inner.gradient(y, x)
    np.testing.assert_allclose(outer.jacobian(d, x), [[4, 2], [2, 0]])


def test_jacobians_refuse():
    x = ct.Variable([[1.0, 2.0]])
    with ct.GradientTape(persistent=True) as tape:
        y = x * x
        z = ct.sum(y, axis=0)
    with pytest.raises(TypeError, match="target must be a floating tensor"):
        tape.jacobian(3.0, x)
    with pytest.raises(ValueError, match="batch_jacobian: target and source must have as many samples"):
        tape.batch_jacobian(z, x)
    with pytest.raises(TypeError, match="batch_jacobian: source must be a tensor"):
        tape.batch_jacobian(y, [x])
