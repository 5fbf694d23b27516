"""What a tape, a softmax and a result keep is theirs: nothing that is written later changes a gradient or a loss.

Owned memory is known by its version; memory shared with NumPy can be written unseen, so it is compared or copied.
"""
import numpy as np
import pytest

import cyops
import cytensor as ct
from cytensor import layers, losses


def loss_of(p, label=0):
    return float(losses.SparseCategoricalCrossentropy()([label], p))


def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


# -- the logits behind a softmax --------------------------------------------------------------------------------------
def write_item(p):
    p[...] = 0.25


def write_through_a_view(p):
    p.reshape(-1)[:2][...] = 0.25


def write_through_numpy(p):
    p.numpy()[...] = 0.25


def write_in_place(p):
    p *= 0.0
    p += 0.25


def write_out(p):
    ct.multiply(p, 0.0, out=p)
    ct.add(p, 0.25, out=p)


def write_rows(p):
    cyops.put(p, [0], 0.25, axis=0)


@pytest.mark.parametrize("write", [write_item, write_through_a_view, write_through_numpy, write_in_place, write_out,
                                   write_rows])
@pytest.mark.parametrize("kind", ["sparse", "categorical"])
def test_a_loss_of_overwritten_probabilities_is_that_of_what_is_written(write, kind):
    p = ct.softmax(ct.constant([[5.0, 0.0, 0.0, 0.0]]))
    write(p)
    found = loss_of(p) if kind == "sparse" else float(losses.CategoricalCrossentropy()([[1.0, 0.0, 0.0, 0.0]], p))
    values = p.numpy()[0] / p.numpy()[0].sum()
    assert found == pytest.approx(-np.log(values[0]), rel=1e-5)


def test_a_loss_of_probabilities_is_theirs_after_the_logits_were_overwritten():
    z = ct.constant([[5.0, 0.0, 0.0]])
    p = ct.softmax(z)
    expected = -np.log(softmax(np.array([5.0, 0.0, 0.0]))[0])
    z[...] = 0.0
    assert loss_of(p) == pytest.approx(expected, rel=1e-5)
    array = np.array([[5.0, 0.0, 0.0]], np.float32)
    for logits in (ct.asarray(array), array):                  # memory of NumPy's, whose writes raise no version
        array[...] = [5.0, 0.0, 0.0]
        p = ct.softmax(logits)
        array[...] = 0.0
        assert loss_of(p) == pytest.approx(expected, rel=1e-5)


def test_unchanged_probabilities_keep_their_stable_loss_also_on_memory_shared_with_numpy():
    array = np.array([[1e4, -1e4, 0.0]], np.float32)
    logits = ct.asarray(array)
    p = ct.softmax(logits)
    assert loss_of(p, 1) == 2e4
    _ = p.numpy(), logits.numpy()                               # looked at, not written
    assert loss_of(p, 1) == 2e4
    assert loss_of(ct.softmax(ct.constant(array)), 1) == 2e4


def test_storage_says_whether_others_may_write_it():
    owned = ct.zeros(3)
    assert not owned.storage.is_shared
    assert ct.asarray(np.zeros(3)).storage.is_shared
    view = owned.numpy()
    del view
    assert owned.storage.is_shared                             # what was written through the view stays written
    with ct.GradientTape() as tape:
        tape.watch(x := ct.zeros(3))
        y = x * 2.0
        _ = y.numpy()                                          # read-only while the tape holds it
        assert not y.storage.is_shared


# -- results ----------------------------------------------------------------------------------------------------------
def gradients(function, *values, **options):
    variables = [ct.Variable(value) for value in values]
    with ct.GradientTape() as tape:
        y = function(*variables)
    return tape.gradient(y, variables, **options), variables


@pytest.mark.parametrize("function", [
    lambda a, b: a + b, lambda a, b: a - b + 2.0 * b, lambda a, b: ct.reshape(a, (2, 1)) + ct.reshape(b, (2, 1)),
    lambda a, b: ct.sum(a) + ct.sum(b), lambda a, b: a.T + ct.flip(ct.flip(b)), lambda a, b: ct.mean(a + b),
])
def test_gradients_have_memory_of_their_own(function):
    (a, b), _ = gradients(function, [1.0, 2.0], [3.0, 4.0])
    before = b.numpy().copy()
    a[...] = 7.0
    a *= 2.0
    np.testing.assert_array_equal(b.numpy(), before)
    np.testing.assert_array_equal(a.numpy(), [14.0, 14.0])
    assert not cyops.shares_storage(a, b)


def test_a_gradient_shares_nothing_with_the_output_gradients():
    for given in (ct.constant([3.0, 4.0]), ct.Variable([3.0, 4.0]), np.array([3.0, 4.0], np.float32)):
        found, _ = gradients(lambda x: x + 1.0, [1.0, 2.0], output_gradients=given)
        found[0][...] = 9.0
        np.testing.assert_array_equal(np.asarray(given), [3.0, 4.0])
        with ct.GradientTape() as tape:
            tape.watch(y := ct.constant([1.0, 2.0]))
        same = tape.gradient(y, y, output_gradients=given)      # a source that is the target
        same[...] = 9.0
        np.testing.assert_array_equal(np.asarray(given), [3.0, 4.0])
        np.testing.assert_array_equal(y.numpy(), [1.0, 2.0])


def test_the_same_source_twice_and_unconnected_zeros_are_separate():
    x, w = ct.Variable([1.0, 2.0]), ct.Variable([1.0, 2.0])
    with ct.GradientTape() as tape:
        y = x * 3.0
    a, b, c, d = tape.gradient(y, [x, x, w, w], unconnected_gradients="zero")
    a[...] = 5.0
    c[...] = 5.0
    np.testing.assert_array_equal(b.numpy(), [3.0, 3.0])
    np.testing.assert_array_equal(d.numpy(), [0.0, 0.0])


def test_separated_gradients_are_still_seen_by_an_outer_tape():
    x, w = ct.Variable([1.0, 2.0]), ct.Variable([3.0, 5.0])
    with ct.GradientTape() as outer:
        with ct.GradientTape() as inner:
            y = (x * x) + (w * w)
            total = y + y
        a, b = inner.gradient(total, [x, w])
        z = ct.sum(a * b)
    np.testing.assert_allclose(outer.gradient(z, x).numpy(), [4 * 4 * 3.0, 4 * 4 * 5.0])


def test_an_ordinary_step_copies_no_gradient():
    kernel, bias = ct.Variable(np.ones((3, 2), np.float32)), ct.Variable(np.zeros(2, np.float32))
    with ct.GradientTape() as tape:
        loss = ct.sum(ct.square(ct.dense(ct.ones((4, 3)), kernel, bias)))
    found = tape.gradient(loss, [kernel, bias])
    again = cyops.separate(found, [])
    assert all(a is b for a, b in zip(again, found, strict=True))


def test_predictions_share_no_memory_with_the_data_or_the_model():
    x = np.arange(12.0, dtype=np.float32).reshape(4, 3)
    for model in (ct.Sequential([layers.Activation("linear")]), ct.Sequential([layers.Flatten()])):
        for found in (model.predict(x, verbose=0), model.predict(x, batch_size=2, verbose=0),
                      model.predict_on_batch(x)):
            np.testing.assert_array_equal(found, x)
            assert not np.shares_memory(found, x) and found.flags.writeable


def test_a_configuration_has_lists_of_its_own():
    layer = layers.LayerNormalization(axis=[1])
    config = layer.get_config()
    config["axis"].append(2)
    assert layer.get_config()["axis"] == [1] and layer.axis == [1]


# -- what a record keeps ----------------------------------------------------------------------------------------------
def gradient_after(function, change, value=(1.0, 2.0, 3.0)):
    x = ct.Variable(value)
    with ct.GradientTape() as tape:
        y = ct.sum(function(x) * 3.0)
    change()
    return tape.gradient(y, x).numpy().tolist()


def written(value, dtype=None):
    """The value as everything a caller may pass and change: what it is, and how it is overwritten with zeros."""
    array, shared = np.array(value, dtype), np.array(value, dtype)
    tensor, variable = ct.constant(value, dtype), ct.Variable(value, dtype=dtype)
    forms = [(array, lambda: array.fill(0)), (ct.asarray(shared), lambda: shared.fill(0)),
             (tensor, lambda: cyops.assign(tensor, 0)), (variable, lambda: variable.assign(np.zeros_like(array)))]
    if array.ndim:
        listed = list(value)
        forms.append((listed, lambda: listed.__setitem__(slice(None), [type(listed[0])(0)] * len(listed))))
    return forms


@pytest.mark.parametrize("form", range(5))
@pytest.mark.parametrize("function", [lambda x, i: x[i], lambda x, i: ct.take(x, i), lambda x, i: x[i, None],
                                      lambda x, i: ct.scatter_add(x * 0.0, [0, 1], ct.take(x, i))])
def test_indices_may_change_after_the_op(function, form):
    indices, change = written([2, 1], "int64")[form]
    expected = [0.0, 3.0, 3.0]
    assert gradient_after(lambda x: function(x, indices), change) == expected


@pytest.mark.parametrize("form", range(4))
@pytest.mark.parametrize("function", [
    lambda x, i: x[i], lambda x, i: x[i:], lambda x, i: x[i::i], lambda x, i: x[..., i], lambda x, i: x[None, i]])
def test_an_index_of_shape_nothing_may_change_after_the_op(function, form):
    index, change = written(2, "int64")[form]
    if form == 0:
        index = np.asarray(index)
    assert gradient_after(lambda x: function(x, index), change) == [0.0, 0.0, 3.0]


def test_positions_of_scatter_add_may_change_after_the_op():
    for indices, change in written([2, 1], "int64"):
        x = ct.Variable([10.0, 20.0])
        with ct.GradientTape() as tape:
            y = ct.scatter_add(ct.zeros(3), indices, x) * ct.constant([1.0, 2.0, 4.0])
        change()
        assert tape.gradient(y, x).numpy().tolist() == [4.0, 2.0]


@pytest.mark.parametrize("function", [
    lambda x, m: ct.where(m, x, 0.0), lambda x, m: x[m], lambda x, m: ct.where(ct.logical_not(m), 0.0, x)])
def test_conditions_may_change_after_the_op_or_raise(function):
    for mask, change in written([True, False, True], "bool"):
        try:
            found = gradient_after(lambda x, mask=mask: function(x, mask), change)
        except cyops.StaleValueError as error:
            assert "condition" in str(error)           # a tensor of ours, whose version tells
        else:
            assert found == [3.0, 0.0, 3.0]


def test_limits_and_factors_of_numpy_may_change_after_the_op():
    for function in (lambda x, a: ct.clip(x, a, 9.0), lambda x, a: x * a, lambda x, a: ct.maximum(x, a),
                     lambda x, a: a / x, lambda x, a: x ** a):
        array = np.array([0.5, 1.0, 9.0], np.float32)
        expected = gradient_after(lambda x, f=function: f(x, np.array([0.5, 1.0, 9.0], np.float32)), lambda: None)
        for operand in (array, ct.asarray(array)):
            array[...] = [0.5, 1.0, 9.0]
            assert gradient_after(lambda x, f=function, a=operand: f(x, a), lambda a=array: a.fill(0.25)) == expected


def test_lists_and_numbers_of_views_and_reductions_may_change_after_the_op():
    lengths, axes = [2], [0]

    def change():
        lengths[0], axes[0] = 3, 1
    assert gradient_after(lambda x: ct.sliding_window_view(x, lengths), change) == [3.0, 6.0, 3.0]
    lengths[:], axes[:] = [3, 1], [1, 0]
    assert gradient_after(lambda x: ct.permute_dims(ct.reshape(x, lengths), axes), change) == [3.0, 3.0, 3.0]
    for correction, change in written(1):
        found = gradient_after(lambda x, c=correction: ct.var(x, correction=c), change, (1.0, 2.0, 6.0))
        np.testing.assert_allclose(found, 3 * 2 * np.array([-2.0, -1.0, 3.0]) / 2, rtol=1e-6)
    for offset, change in written(1, "int64"):
        if isinstance(offset, np.ndarray):
            continue
        matrix = ct.Variable([[1.0, 2.0], [3.0, 4.0]])
        with ct.GradientTape() as tape:
            y = ct.diagonal(matrix, offset)
        change()
        assert tape.gradient(y, matrix).numpy().tolist() == [[0.0, 1.0], [0.0, 0.0]]


def test_labels_may_change_after_the_loss_and_before_a_second_derivative():
    labels = np.array([2])
    z = ct.Variable(np.array([[0.3, -0.2, 0.5]]))
    p = softmax(z.numpy()[0])
    from_probabilities = ct.losses.cross_entropy.sparse_categorical_crossentropy
    for function in (ct.softmax_cross_entropy, lambda z, labels: from_probabilities(labels, ct.softmax(z))):
        labels[...] = 2
        with ct.GradientTape() as outer:
            with ct.GradientTape() as inner:
                loss = function(z, ct.asarray(labels))
            labels[...] = 0
            gradient = inner.gradient(loss, z)
            first = gradient[0, 0]
        np.testing.assert_allclose(gradient.numpy()[0], p - np.eye(3)[2], rtol=1e-6)
        np.testing.assert_allclose(outer.gradient(first, z).numpy()[0], p[0] * (np.eye(3)[0] - p), rtol=1e-6)


# -- what the compiled parts are given --------------------------------------------------------------------------------
BLANK = cyops.Record.__new__(cyops.Record)


@pytest.mark.parametrize("call", [
    lambda x: cyops.lead_back([None], [x]), lambda x: cyops.lead_back([BLANK], [x]),
    lambda x: cyops.lead_back([1], [x]),
    lambda x: cyops.lead_back([], [None]), lambda x: cyops.lead_back([], None), lambda x: cyops.lead_back(None, [x]),
    lambda x: cyops.look_up(BLANK, ("x",), ("x",), None, 0), lambda x: cyops.look_up(None, (), (), None, 0),
    lambda x: cyops.look_up(record_of(x), (None,), ("x",), None, 0),
    lambda x: cyops.look_up(record_of(x), None, (), None, 0), lambda x: cyops.record_op("op", (None,), x),
    lambda x: cyops.walk_back([BLANK], [x], [None], [x], {}), lambda x: cyops.walk_back([1], [x], [None], [x], {}),
    lambda x: cyops.walk_back([], [None], [None], [x], {}), lambda x: cyops.walk_back([], [x], [1], [x], {}),
    lambda x: cyops.walk_back([], [x], [None], [1], {}), lambda x: cyops.walk_back(None, [x], [None], [x], {}),
    lambda x: cyops.walk_back([], [x], [None], [x], None), lambda x: cyops.walk_back([], None, [None], [x], {}),
    lambda x: cyops.record_op(None, (), x),
    lambda x: cyops.record_op("op", (x,), None), lambda x: cyops.record_op("op", None, x),
    lambda x: cyops.separate([1], []), lambda x: cyops.separate([x], [None]), lambda x: cyops.separate(None, []),
    lambda x: cyops.logits_behind(None), lambda x: cyops.Recorder().watch(None),
    lambda x: cyops.Recorder().tracks(None), lambda x: cyops.Recorder().watch(1.0),
])
def test_what_is_no_record_and_no_tensor_is_refused(call):
    with pytest.raises(TypeError):
        call(cyops.Strided([1.0, 2.0]))


def record_of(x):
    recorder = cyops.Recorder()
    recorder.watch(x)
    recorder.start()
    cyops.exp(x)
    recorder.stop()
    return recorder.records[0]


def test_names_that_a_record_does_not_have_are_refused():
    record = record_of(cyops.Strided([1.0]))
    for names, inputs in ((("y",), ("x", "y")), (("y_shape",), ("x", "y")), (("z",), ())):
        with pytest.raises(ValueError, match="look_up: exp has no input or parameter"):
            cyops.look_up(record, names, inputs, None, 0)


def test_blank_records_among_those_of_a_recorder_are_passed_over():
    assert repr(BLANK) == "Record()"
    recorder = cyops.Recorder.__new__(cyops.Recorder)
    recorder.start()
    recorder.records.extend([BLANK, None, 5])
    recorder.clear()
    recorder.records.append(BLANK)
    recorder.stop()


@pytest.mark.parametrize("change", [
    lambda records: records.clear(), lambda records: records.reverse(), lambda records: records.append(3),
    lambda records: records.__setitem__(1, records[0]),
], ids=range(4))
@pytest.mark.parametrize("free", [False, True])
def test_a_rule_that_changes_the_records_changes_nothing(change, free):
    """The walk goes over what it was given, though the gradient of an op is Python's code."""
    from cytensor.autodiff import rules

    x, y = cyops.Strided([1.0, 3.0]), cyops.Strided([2.0, -1.0])
    recorder = cyops.Recorder()
    recorder.watch(x)
    recorder.start()
    cyops.exp(x)
    z = cyops.exp(y * x)
    recorder.stop()
    records = recorder.records
    meddling = rules.RULES["exp"]._replace(derivatives=(rules.Derivative(
        lambda d, out: (change(records), cyops.multiply(d, out))[1], ("d", "out")),))
    found, = cyops.walk_back(records, [z], [None], [x], {**rules.RULES, "exp": meddling}, free=free)
    np.testing.assert_allclose(found, [2 * np.exp(2), -np.exp(-3)], rtol=1e-6)
