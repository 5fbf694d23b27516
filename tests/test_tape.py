"""GradientTape in TensorFlow's meaning: what is watched, what is refused, how tapes nest."""
import threading
import warnings

import numpy as np
import pytest

import cytensor as ct


def close(x, expected):
    np.testing.assert_allclose(np.asarray(x), expected, rtol=1e-6)


def test_variables_are_watched_and_gradients_keep_structure_and_dtype():
    w = ct.Variable([[1.0, 2.0], [3.0, 4.0]])
    b = ct.Variable(np.array([0.5, 0.25]))
    with ct.GradientTape() as tape:
        y = ct.sum(ct.matmul(ct.ones((3, 2)), w) + b)
    found = tape.gradient(y, {"w": w, "rest": [b]})
    close(found["w"], [[3, 3], [3, 3]])
    close(found["rest"][0], [3, 3])
    assert found["w"].dtype == np.float32 and found["rest"][0].dtype == np.float64
    assert type(found["w"]) is ct.Tensor


def test_tensors_are_watched_only_when_told():
    x = ct.constant(3.0)
    with ct.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    close(tape.gradient(y, x), 6)
    with ct.GradientTape() as tape:
        y = x * x
    with pytest.warns(UserWarning, match="source 0 of shape .. is not connected to the target: it was not watched"):
        assert tape.gradient(y, x) is None


def test_layers_that_share_a_kernel_add_up_their_gradients():
    rng = np.random.default_rng(0)
    w, b = ct.Variable(rng.normal(size=(3, 3)).astype("float32")), ct.Variable(np.ones(3, "float32"))
    x = ct.asarray(rng.normal(size=(5, 3)).astype("float32"))

    def gradients(make_layer):
        with ct.GradientTape() as tape:
            y = x
            for _ in range(3):
                y = make_layer(y)
            loss = ct.sum(y * y) + ct.sum(w * w) + ct.sum(ct.permute_dims(w, (1, 0)) * w)
        return [np.asarray(part) for part in tape.gradient(loss, [w, b])]

    fused = gradients(lambda y: ct.dense(y, w, b, activation="relu"))
    products = gradients(lambda y: ct.relu(ct.matmul(y, w) + b))
    others = gradients(lambda y: ct.relu(ct.tensordot(y, w, axes=1) + b))
    for part, product, other in zip(fused, products, others, strict=True):
        np.testing.assert_allclose(part, other, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(product, other, rtol=1e-5, atol=1e-6)


def test_adding_up_a_gradient_in_place_changes_no_other():
    """Gradients that are one tensor under two names must not be written into."""
    w = ct.Variable([[1.0, 2.0], [3.0, 4.0]])
    v = ct.Variable([[0.0, 0.0], [0.0, 0.0]])
    x, weights = ct.ones((1, 2)), ct.constant([[1.0, 2.0], [3.0, 4.0]])
    with ct.GradientTape() as tape:
        loss = ct.sum(ct.matmul(x, w)) + ct.sum((w + v) * weights)
    dw, dv = tape.gradient(loss, [w, v])
    close(dv, weights)
    close(dw, np.asarray(weights) + 1)
    with ct.GradientTape() as tape:
        kernel = w + v
        loss = ct.sum(ct.dense(x, kernel)) + ct.sum(ct.dense(x, kernel)) + ct.sum(ct.matmul(x, v))
    dw, dv, dkernel = tape.gradient(loss, [w, v, kernel])
    close(dkernel, np.full((2, 2), 2))
    close(dw, np.full((2, 2), 2))
    close(dv, np.full((2, 2), 3))


def test_what_is_not_trainable_is_not_watched_by_itself():
    frozen = ct.Variable(2.0, trainable=False)
    count = ct.Variable(3)
    assert not count.trainable
    with ct.GradientTape() as tape:
        y = frozen * 3.0
        tape.watch(frozen)
        z = frozen * 4.0
    close(tape.gradient(z, frozen), 4)
    with ct.GradientTape(watch_accessed_variables=False) as tape:
        v = ct.Variable(1.0)
        y = v * 2.0
    assert tape.gradient(y, v, unconnected_gradients="zero").item() == 0
    with pytest.raises(TypeError, match="only floating tensors have gradients; got dtype int64"):
        ct.GradientTape().watch(count)
    with pytest.raises(TypeError, match="only tensors can be watched; got ndarray; use asarray first"):
        ct.GradientTape().watch(np.ones(2))


def test_broadcast_operands_get_gradients_of_their_own_shape():
    a, b, c = ct.Variable(np.ones((4, 1))), ct.Variable(np.ones(3)), ct.Variable(np.float64(2))
    with ct.GradientTape() as tape:
        y = (a + b) * c
    da, db, dc = tape.gradient(y, [a, b, c])
    assert da.shape == (4, 1) and db.shape == (3,) and dc.shape == ()
    close(da, np.full((4, 1), 6))
    close(db, [8, 8, 8])
    close(dc, 24)


def test_second_and_third_derivatives_by_nested_tapes():
    x = ct.Variable(np.float64(2))
    with ct.GradientTape() as third:
        with ct.GradientTape() as second:
            with ct.GradientTape() as first:
                y = x**4
            d1 = first.gradient(y, x)
        d2 = second.gradient(d1, x)
    d3 = third.gradient(d2, x)
    close([d1, d2, d3], [32, 48, 48])


def test_a_persistent_tape_may_be_asked_often_and_inside_itself():
    x = ct.Variable(3.0)
    with ct.GradientTape(persistent=True) as tape:
        y = x * x
        z = y * y
        slope = tape.gradient(y, x)
    close(tape.gradient(z, x), 108)
    close(tape.gradient(y, x), 6)
    close(tape.gradient(slope, x), 2)
    once = ct.GradientTape()
    with once:
        y = x * x
    once.gradient(y, x)
    with pytest.raises(RuntimeError, match="this tape is not persistent, so it gives one gradient"):
        once.gradient(y, x)
    with pytest.raises(RuntimeError, match="cannot record again"), once:
        pass


def test_targets_are_summed_and_weighted():
    x = ct.Variable([1.0, 2.0, 3.0])
    with ct.GradientTape(persistent=True) as tape:
        y, z = x * 2, x * x
    close(tape.gradient([y, z], x), [4, 6, 8])
    close(tape.gradient(y, x, output_gradients=[1.0, 10.0, 100.0]), [2, 20, 200])
    close(tape.gradient({"a": y, "b": z}, x, {"a": ct.zeros(3), "b": ct.ones(3)}), [2, 4, 6])
    close(tape.gradient(x, x), [1, 1, 1])
    with pytest.raises(ValueError, match=r"an output gradient has the shape of its target; got \(2,\) for \(3,\)"):
        tape.gradient(y, x, output_gradients=[1.0, 2.0])
    with pytest.raises(ValueError, match="one output gradient per target; got 1 for 2"):
        tape.gradient([y, z], x, output_gradients=[ct.ones(3)])
    with pytest.raises(TypeError, match="the target must be a floating tensor; got float"):
        tape.gradient(2.0, x)
    with pytest.raises(ValueError, match="must be 'none' or 'zero'; got 'nil'"):
        tape.gradient(y, x, unconnected_gradients="nil")


def test_intermediate_tensors_are_sources_too():
    x = ct.Variable(2.0)
    with ct.GradientTape() as tape:
        y = x * x
        z = y * 3
    dy, dx = tape.gradient(z, [y, x])
    close([dy, dx], [3, 12])


@pytest.mark.parametrize(("broken", "reason"), [
    (lambda x: ct.asarray(np.array(x.numpy())) * 2, "a detour through NumPy"),
    (lambda x: ct.stop_gradient(x) * 2, "stop_gradient"),
    (lambda x: ct.astype(ct.astype(x, "int64"), "float32"), "integer or bool step|not computed from watched"),
    (lambda x: ct.floor(x), "no recorded op leads"),
])
def test_an_unconnected_source_warns_with_the_reason(broken, reason):
    x = ct.Variable([1.5, 2.5])
    with ct.GradientTape() as tape:
        _ = x * 1.0
        y = broken(x)
    with pytest.warns(UserWarning, match=reason):
        assert tape.gradient(y, x) is None


def test_integer_sources_say_so():
    n = ct.asarray([1, 2])
    with ct.GradientTape() as tape:
        v = ct.Variable(1.0)
        y = v * 2.0
    with pytest.warns(UserWarning, match="its dtype int64 is not floating"):
        assert tape.gradient(y, [v, n])[1] is None


@pytest.mark.parametrize("write", [
    lambda x, y: x.__setitem__(0, 1.0),
    lambda x, y: y.__setitem__(slice(None), 1.0),
    lambda x, y: x[1:].__setitem__(0, 1.0),
    lambda x, y: ct.add(x, 1.0, out=x),
    lambda x, y: x.reshape((2, 1)).__setitem__((0, 0), 5.0),
])
def test_writing_into_what_an_active_tape_recorded_is_refused(write):
    x = ct.constant([1.0, 2.0])
    with ct.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        hints = r"an active tape recorded a tensor on this memory.*where\(\) or concat\(\).*stop_recording\(\)"
        with pytest.raises(ValueError, match=hints):
            write(x, y)
        assert x.tolist() == [1, 2] and y.tolist() == [1, 4]
        assert not y.numpy().flags.writeable
    y[:] = 0.0
    assert y.numpy().flags.writeable


def test_stop_recording_allows_writes_and_records_nothing():
    x = ct.Variable([1.0, 2.0])
    with ct.GradientTape() as tape:
        y = x * 3.0
        with tape.stop_recording():
            y[0] = 7.0
            _ = x * 100.0
        z = ct.sum(y)
    close(tape.gradient(z, x), [3, 3])


def test_an_assigned_variable_raises_only_where_its_old_value_was_saved():
    v = ct.Variable([2.0])
    with ct.GradientTape() as tape:
        y = v + 1.0
        v.assign([5.0])
    close(tape.gradient(y, v), [1])
    with ct.GradientTape() as tape:
        y = v * v
        v.assign_add([1.0])
    with pytest.raises(RuntimeError, match=r"gradient: multiply needs its [ab] of shape \(1,\), which was overwritten"):
        tape.gradient(y, v)


def test_in_place_operators_rebind_under_a_tape_and_write_without_one():
    x = ct.constant([1.0, 2.0])
    same = x
    x += 1.0
    assert x is same and same.tolist() == [2, 3]
    v = ct.Variable([1.0, 2.0])
    with ct.GradientTape() as tape:
        w = v
        w += 1.0
        y = ct.sum(w * w)
    assert v.tolist() == [1, 2]
    close(tape.gradient(y, v), [4, 6])


def test_repeated_indices_accumulate():
    x = ct.Variable([1.0, 2.0, 3.0])
    with ct.GradientTape() as tape:
        y = ct.sum(ct.take(x, [0, 0, 2], axis=0)) + ct.sum(x[np.array([0, 1])]) + x[-1]
    close(tape.gradient(y, x), [3, 1, 2])


def test_numpy_functions_on_tensors_are_recorded():
    x = ct.Variable([0.5, 1.0])
    with ct.GradientTape() as tape:
        y = np.exp(x) + np.ones(2, np.float32) * x
    assert type(y) is ct.Tensor
    close(tape.gradient(y, x), np.exp([0.5, 1.0]) + 1)


def test_tapes_belong_to_their_thread():
    x = ct.Variable(2.0)
    seen = []

    def work():
        _ = x * 10.0
        with ct.GradientTape() as own:
            y = x * x
        seen.append(own.gradient(y, x).item())

    with ct.GradientTape() as tape:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        y = x * 3.0
    assert seen == [4.0]
    assert [r.op for r in tape._recorder.records] == ["multiply"]
    close(tape.gradient(y, x), 3)


def test_a_tape_frees_what_it_saved_as_it_goes():
    ct.empty_cache()
    x = ct.Variable(np.ones((100, 1000)))
    with ct.GradientTape() as tape:
        y = x
        for _ in range(10):
            y = ct.tanh(y)
        y = ct.sum(y)
    held = ct.memory_stats()["in_use"]
    gradient = tape.gradient(y, x)
    assert ct.memory_stats()["in_use"] < held - 8 * x.nbytes
    assert gradient.shape == x.shape


def test_watched_variables_and_reset():
    a, b = ct.Variable(1.0, name="a"), ct.Variable(2.0, name="b")
    with ct.GradientTape() as tape:
        _ = b * a
        assert [v.name for v in tape.watched_variables()] == ["b", "a"]
        tape.reset()
        assert tape.watched_variables() == ()
        y = a * 3.0
    close(tape.gradient(y, a), 3)


def test_an_exception_ends_the_recording():
    x = ct.Variable([1.0])
    with pytest.raises(ZeroDivisionError), ct.GradientTape():
        y = x * 2.0
        raise ZeroDivisionError
    y[0] = 4.0
    assert y.item() == 4


def test_softmax_and_cross_entropy_fuse_beside_other_uses_of_the_probabilities_and_not_for_their_own_gradient():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(5, 4)), np.array([0, 1, 2, 3, 0])
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    expected = p - np.eye(4)[labels]
    z = ct.Variable(logits)
    with ct.GradientTape() as tape:
        loss = ct.sum(ct.cross_entropy.sparse_categorical_crossentropy(ct.asarray(labels), ct.softmax(z)))
    close(tape.gradient(loss, z), expected)
    with ct.GradientTape() as tape:
        probabilities = ct.softmax(z)
        loss = ct.sum(ct.cross_entropy.sparse_categorical_crossentropy(ct.asarray(labels), probabilities))
        loss = loss + ct.sum(probabilities * probabilities)
    inner = 2 * p
    close(tape.gradient(loss, z), expected + p * (inner - (inner * p).sum(1, keepdims=True)))
    with ct.GradientTape() as tape:
        probabilities = ct.softmax(z)
        loss = ct.sum(ct.cross_entropy.sparse_categorical_crossentropy(ct.asarray(labels), probabilities))
    close(tape.gradient(loss, probabilities), -np.eye(4)[labels] / p)


def test_cross_entropy_on_a_softmax_stays_finite_for_logits_of_ten_thousand():
    z = ct.Variable([[1e4, -1e4, 0.0]])
    with ct.GradientTape() as tape:
        loss = ct.cross_entropy.sparse_categorical_crossentropy(ct.asarray([1]), ct.softmax(z))
    assert loss.item() == 2e4
    close(tape.gradient(loss, z), [[1, -1, 0]])


def test_second_derivative_through_the_fused_cross_entropy():
    z = ct.Variable(np.array([[0.3, -0.2, 0.5]]))
    with ct.GradientTape() as outer:
        with ct.GradientTape() as inner:
            loss = ct.cross_entropy.sparse_categorical_crossentropy(ct.asarray([2]), ct.softmax(z))
        gradient = inner.gradient(loss, z)
        first = gradient[0, 0]
    p = np.exp(z.numpy()[0]) / np.exp(z.numpy()[0]).sum()
    close(outer.gradient(first, z), [p[0] * (np.eye(3)[0] - p)])


def test_no_warning_when_everything_is_connected():
    x = ct.Variable(1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with ct.GradientTape() as tape:
            y = x * 2.0
        tape.gradient(y, [x])


def test_soft_targets_computed_from_a_source_have_their_gradient_beside_a_fused_softmax():
    logits, weights = ct.Variable([[1.0, 2.0, 0.5]]), ct.Variable([[0.2, 0.5, 0.3]])
    with ct.GradientTape() as tape:
        probabilities = ct.softmax(logits * 2.0)
        loss = ct.cross_entropy.categorical_crossentropy(weights * 1.0, probabilities)
    of_logits, of_weights = tape.gradient(loss, [logits, weights])
    p = np.exp(2 * logits.numpy()) / np.exp(2 * logits.numpy()).sum()
    np.testing.assert_allclose(of_weights.numpy(), -np.log(p), rtol=1e-5)
    np.testing.assert_allclose(of_logits.numpy(), 2 * (p - weights.numpy()), rtol=1e-5, atol=1e-6)
