"""Bad input, case by case: a named error with op, rule and values, and every tensor as it was.

The sections follow the list of bad input that the library promises to name. Messages are compared whole.
"""
import gzip
import warnings

import numpy as np
import pytest

import cyops
import cytensor as ct
from cytensor import datasets, layers, losses


def state(x):
    """Everything a failed call might have changed."""
    return np.array(np.asarray(x)).tobytes(), x.shape, x.strides, x.offset, x.dtype, x.storage.version


def refuses(error, message, call, *tensors):
    before = [state(x) for x in tensors]
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message
    assert [state(x) for x in tensors] == before
    return caught.value


def matrix(rows=2, columns=3):
    return ct.asarray(np.arange(rows * columns, dtype=np.float32).reshape(rows, columns))


def test_shapes_that_do_not_broadcast():
    x, y = matrix(), matrix(2, 4)
    rule = "shapes must broadcast; got (2, 3) and (2, 4), which differ in axis -1 (3 against 4)"
    for op, call in {
        "add": lambda: x + y, "multiply": lambda: np.asarray(x) * y, "maximum": lambda: ct.maximum(x, y),
        "where": lambda: ct.where(x > 0, x, y), "clip": lambda: ct.clip(x, y, 1.0), "less": lambda: x < y,
        "subtract": lambda: x.__isub__(y), "assign": lambda: cyops.assign(x, y),
        "divide": lambda: ct.divide(x, y, out=x),
    }.items():
        refuses(ValueError, f"{op}: {rule}", call, x, y)
    refuses(ValueError, "setitem: shapes must broadcast; got (3,) and (2, 4), which differ in axis -1 (3 against 4)",
            lambda: x.__setitem__(0, y), x, y)
    refuses(ValueError, "setitem: the value must broadcast to the target; got value (2, 3), target (3,)",
            lambda: x.__setitem__(0, matrix()), x)
    refuses(ValueError, "broadcast_to: x must broadcast to the shape; got x (2, 3), shape (2, 4)",
            lambda: ct.broadcast_to(x, (2, 4)), x)


def test_inner_dimensions_that_differ():
    x, y = matrix(), matrix(2, 4)
    shapes = "got a (2, 3), b (2, 4)"
    refuses(ValueError, f"matmul: last axis of a must equal second-last axis of b; {shapes}", lambda: x @ y, x, y)
    refuses(ValueError, f"dot: last axis of a must equal second-last axis of b; {shapes}", lambda: ct.dot(x, y), x, y)
    refuses(ValueError, "matmul: last axis of a must equal only axis of b; got a (2, 3), b (4,)",
            lambda: x @ y[0], x, y)
    refuses(ValueError, "dense: last axis of x must equal first axis of kernel; got x (2, 3), kernel (2, 4)",
            lambda: ct.dense(x, y), x, y)
    refuses(ValueError, "tensordot: the axes summed over must have equal lengths; got (3,) of a (2, 3) and (2,) of b "
            "(2, 4)", lambda: ct.tensordot(x, y, 1), x, y)
    out = ct.zeros((2, 2))
    refuses(ValueError, "matmul: out must have the shape of the result; got out (2, 2), result (2, 4)",
            lambda: ct.matmul(x.T[:2, :], y, out=out), x, y, out)


def test_reshape_to_another_size_and_two_open_lengths():
    x = matrix()
    refuses(ValueError, "reshape: the number of elements must stay the same; got x (2, 3) with 6 elements, shape (4,)",
            lambda: x.reshape((4,)), x)
    refuses(ValueError, "reshape: the number of elements must stay the same; got x (2, 3) with 6 elements, "
            "shape (4, -1)", lambda: ct.reshape(x, (4, -1)), x)
    refuses(ValueError, "reshape: only one length may be -1; got (-1, -1)", lambda: ct.reshape(x, (-1, -1)), x)
    refuses(ValueError, "view: only one length may be -1; got (-1, -1)", lambda: ct.view(x, (-1, -1)), x)
    refuses(ValueError, "reshape: lengths must not be negative; got (-2, 3)", lambda: ct.reshape(x, (-2, 3)), x)


def test_a_view_that_would_copy():
    x = matrix()
    why = ("axes 0 and 1 of x do not merge, so (6,) is not a view of it; got x (3, 2) with strides (1, 3); "
           "reshape(x, (6,)) makes the copy")
    refuses(ValueError, f"view: {why}", lambda: ct.view(x.T, (6,)), x)
    refuses(ValueError, f"reshape: {why}", lambda: ct.reshape(x.T, (6,), copy=False), x)


@pytest.mark.parametrize("axis", [2, -3, 2**70, -(2**70)])
def test_axis_out_of_range(axis):
    x = matrix()
    rule = f"axis {axis} is out of range for 2 axes; it must lie in [-2, 2)"
    for op, call in {
        "sum": lambda: x.sum(axis=axis), "argmax": lambda: x.argmax(axis=axis), "var": lambda: x.var(axis=(0, axis)),
        "softmax": lambda: ct.softmax(x, axis=axis), "concat": lambda: ct.concat([x, x], axis=axis),
        "take": lambda: ct.take(x, [0], axis=axis), "flip": lambda: ct.flip(x, axis),
        "squeeze": lambda: ct.squeeze(x, axis), "permute_dims": lambda: ct.permute_dims(x, (0, axis)),
        "diagonal": lambda: ct.diagonal(x, axis2=axis), "scatter_add": lambda: ct.scatter_add(x, [0], 1.0, axis=axis),
    }.items():
        refuses(IndexError, f"{op}: {rule}", call, x)
    refuses(TypeError, "sum: axis must be an integer; got 0.5", lambda: x.sum(axis=0.5), x)


def test_index_out_of_range():
    x = matrix()
    refuses(IndexError, "index 2 of a tensor of shape (2, 3): 2 is out of range for axis 0 of length 2",
            lambda: x[2], x)
    refuses(IndexError, "index (0, -4) of a tensor of shape (2, 3): -4 is out of range for axis 1 of length 3",
            lambda: x[0, -4], x)
    refuses(IndexError, "index (0, 3) of a tensor of shape (2, 3): 3 is out of range for axis 1 of length 3",
            lambda: x.__setitem__((0, 3), 1.0), x)
    refuses(IndexError, "index (0, 0, 0) of a tensor of shape (2, 3): too many indices, 3 for 2 axes",
            lambda: x[0, 0, 0], x)
    for op, call in {"take": lambda: ct.take(x, [0, 2], axis=0), "scatter_add": lambda: ct.scatter_add(x, [0, 2], 1.0),
                     "put": lambda: cyops.put(x, [0, 2], 9.0, axis=0)}.items():
        refuses(IndexError, f"{op}: indices must lie in [-2, 2); got 2 at position 1", call, x)
    refuses(IndexError, "take: indices must lie in [-6, 6); got 18446744073709551615 at position 0",
            lambda: ct.take(x, np.array([2**64 - 1], np.uint64)), x)
    with pytest.raises(IndexError, match=r"^getitem: .*; got x \(2, 3\)$"):
        x[[0], [5]]
    with pytest.raises(IndexError, match=r"^setitem: .*; got x \(2, 3\), value \(\)$"):
        x[[0], [5]] = 1.0


def test_unknown_dtypes_and_string_arithmetic():
    x, text = matrix(), ct.asarray(["a", "b"])
    known = ("known are bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float16, bfloat16, "
             "float32, float64, complex64, complex128 and fixed-width strings such as 'S8' and 'U8'")
    for op, call in {
        "zeros": lambda: ct.zeros(2, "float31"), "astype": lambda: x.astype("float31"),
        "asarray": lambda: ct.asarray([1.0], "float31"), "arange": lambda: ct.arange(3, dtype="float31"),
        "eye": lambda: ct.eye(3, dtype="float31"), "linspace": lambda: ct.linspace(0, 1, 3, dtype="float31"),
        "sum": lambda: x.sum(dtype="float31"), "mean": lambda: ct.mean(x, dtype="float31"),
        "one_hot": lambda: ct.one_hot([0], 2, dtype="float31"),
    }.items():
        refuses(TypeError, f"{op}: unknown dtype 'float31'; {known}", call, x)
    refuses(TypeError, f"astype: dtype datetime64[s] is not supported; {known}", lambda: x.astype("M8[s]"), x)
    refuses(TypeError, f"astype: unknown dtype None; {known}", lambda: x.astype(None), x)
    for op, call in {"uniform": lambda: ct.random.uniform((2,), dtype="x"),
                     "randint": lambda: ct.random.randint((2,), 0, 2, dtype="x")}.items():
        with pytest.raises(TypeError, match=f"^{op}: dtype must be one of .*; got 'x'$"):
            call()
    rule = "strings can be compared, not computed with; convert them with astype"
    for op, call in {"add": lambda: text + text, "exp": lambda: ct.exp(text), "negative": lambda: -text}.items():
        refuses(TypeError, f"{op}: {rule}", call, text)
    refuses(TypeError, "multiply: dtypes string and numeric do not combine; convert one with astype",
            lambda: text * 2, text)
    refuses(TypeError, "sum: needs numbers; got dtype <U1", lambda: text.sum(), text)
    refuses(TypeError, "matmul: needs numbers; got dtype <U1", lambda: text @ text, text)
    assert (text == "b").tolist() == [False, True] and ("b" != text).tolist() == [True, False]  # noqa: SIM300


def test_labels_out_of_range_or_not_integers():
    logits = matrix()
    probabilities = ct.softmax(logits)
    for label in (3, -1):
        rule = f"labels must lie in [0, 3); got {label} at position 1"
        wrong = [0, label]
        for call in (lambda wrong=wrong: ct.softmax_cross_entropy(logits, wrong),
                     lambda wrong=wrong: losses.sparse_categorical_crossentropy(wrong, probabilities),
                     lambda wrong=wrong: losses.SparseCategoricalCrossentropy(from_logits=True)(wrong, logits)):
            refuses(ValueError, f"softmax_cross_entropy: {rule}", call, logits, probabilities)
        refuses(ValueError, f"one_hot: indices must lie in [0, 3); got {label} at position 1",
                lambda wrong=wrong: ct.one_hot(wrong, 3))
    refuses(TypeError, "softmax_cross_entropy: labels must be integers; got dtype float32; cast them with astype",
            lambda: ct.softmax_cross_entropy(logits, [0.0, 1.0]), logits)
    for labels, got in (([0.5, 1.0], "0.5 at position 0"), ([0.0, np.nan], "nan at position 1")):
        refuses(TypeError, f"sparse_categorical_crossentropy: labels must be integers; got {got}",
                lambda labels=labels: losses.sparse_categorical_crossentropy(labels, probabilities), probabilities)


FURTHER = {"take": ([0],), "reshape": ((4,),), "view": ((4,),), "broadcast_to": ((4,),), "one_hot": (2,),
           "as_strided": ((2,), (1,)), "astype": ("float32",), "sliding_window_view": (2,), "scatter_add": ([0], 1.0),
           "softmax_cross_entropy": ([0],), "dense": (np.ones((2, 2)),), "conv": (np.ones((1, 2, 2)),),
           "conv_transpose": (np.ones((1, 2, 2)),), "max_pool": (2,), "average_pool": (2,), "resize": (2,), "pad": (1,),
           "roll": (1,)}


@pytest.mark.parametrize("name", cyops.OPS)
def test_every_op_names_itself_where_no_tensor_can_be_made_of_an_operand(name):
    parameters = cyops.OPS[name].parameters
    further = FURTHER.get(name) or [np.ones((2, 2))] * sum(one in ("y", "b", "z") for one in parameters)
    for bad in (None, object()):
        with pytest.raises(TypeError, match=f"^{name}: "):
            getattr(ct, name)(bad, *further)


def test_targets_whose_shape_is_not_the_predictions():
    x, y = matrix(), matrix(2, 4)
    refuses(ValueError, "mean_squared_error: y_true and y_pred must have the same shape; got y_true (2, 3), "
            "y_pred (2, 4)", lambda: losses.mean_squared_error(x, y), x, y)
    refuses(ValueError, "mean_squared_error: y_true and y_pred must have the same shape; got y_true (2, 1, 3), "
            "y_pred (2, 3)", lambda: losses.MeanSquaredError()(x[:, None], x), x)
    refuses(ValueError, "categorical_crossentropy: y_true and y_pred must have the same shape; got y_true (2, 4), "
            "y_pred (2, 3)", lambda: losses.categorical_crossentropy(y, ct.softmax(x)), x, y)
    with pytest.raises(ValueError, match=r"^binary_crossentropy: .* got y_true \(3,\), y_pred \(3, 4\)"):
        losses.binary_crossentropy(np.zeros(3), np.full((3, 4), 0.5))
    for shapes in (((3,), (3, 1)), ((3, 1), (3,))):
        assert losses.mean_squared_error(*map(np.ones, shapes)).tolist() == [0, 0, 0]


def test_writing_into_what_a_tape_recorded():
    why = ("an active tape recorded a tensor on this memory, so writing into it would change the gradient; use where() "
           "or concat() to make a new tensor, or write inside stop_recording()")
    x = ct.asarray([1.0, 2.0])
    with ct.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        for op, call in {
            "setitem": lambda: x.__setitem__(0, 3.0), "add": lambda: ct.add(x, 1.0, out=x),
            "put": lambda: cyops.put(x, [0], 3.0), "sum": lambda: ct.sum(ct.ones((2, 2)), axis=0, out=y),
        }.items():
            refuses(ValueError, f"{op}: {why}", call, x, y)
        refuses(ValueError, f"setitem: {why}", lambda: x[1:].__setitem__(0, 3.0), x)
        refuses(ValueError, f"setitem: {why}", lambda: y.__setitem__([0], 3.0), y)
    assert tape.gradient(y, x).tolist() == [2.0, 4.0]


def compiled_model():
    ct.set_seed(0)
    model = ct.Sequential([layers.Dense(4, activation="relu"), layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model(matrix())
    return model


def test_empty_data_batch_size_0_epochs_below_0():
    model = compiled_model()
    x, y = np.zeros((4, 3), np.float32), np.array([0, 1, 2, 0])
    for message, arguments in {
        "fit: there must be at least one sample; got x of shape (0, 3)": {"x": x[:0], "y": y[:0]},
        "fit: batch_size must be an integer of at least 1; got 0": {"batch_size": 0},
        "fit: epochs must be an integer of at least 0; got -1": {"epochs": -1},
        "fit: all data must have the same number of samples; got x 4, y 3": {"y": y[:3]},
    }.items():
        refuses(ValueError, message, lambda given=arguments: model.fit(**{"x": x, "y": y, "verbose": 0, **given}),
                *model.weights)
    refuses(ValueError, "evaluate: there must be at least one sample; got x of shape (0, 3)",
            lambda: model.evaluate(x[:0], y[:0], verbose=0), *model.weights)
    refuses(ValueError, "predict: batch_size must be an integer of at least 1; got 0",
            lambda: model.predict(x, batch_size=0, verbose=0), *model.weights)
    refuses(ValueError, "predict: there must be at least one sample; got x of shape (0, 3)",
            lambda: model.predict(x[:0], verbose=0), *model.weights)


def test_before_compile():
    model = ct.Sequential([layers.Dense(3)])
    model(matrix())
    call = "the model must be compiled first; call model.compile(optimizer=..., loss=..., metrics=[...])"
    refuses(RuntimeError, f"fit: {call}", lambda: model.fit(matrix(), [0, 1]), *model.weights)
    refuses(RuntimeError, f"evaluate: {call}", lambda: model.evaluate(matrix(), [0, 1]), *model.weights)


def test_weights_of_another_shape(tmp_path):
    model = compiled_model()
    kernel = model.weights[0]
    refuses(ValueError, "set_weights: one array for each weight; layer 'sequential' has 4, got 1",
            lambda: model.set_weights([np.zeros((3, 4))]), *model.weights)
    refuses(ValueError, "set_weights: shapes must be equal; layer 'sequential', weight 'dense_1/kernel' is (4, 3), got "
            "(3, 4)", lambda: model.set_weights([np.ones((3, 4)), np.ones(4), np.ones((3, 4)), np.ones(3)]),
            *model.weights)
    refuses(ValueError, "assign: shapes must broadcast; got (3, 4) and (3, 5), which differ in axis -1 (4 against 5)",
            lambda: kernel.assign(np.zeros((3, 5))), kernel)
    other = ct.Sequential([layers.Dense(5), layers.Dense(3)])
    other(matrix())
    path = tmp_path / "other.safetensors"
    other.save_weights(path)
    with pytest.raises(ValueError, match=r"^load_weights: shapes must be equal; weight 'dense/kernel' is \(3, 4\), "):
        model.load_weights(path)


def test_a_nan_loss_is_warned_of_once_with_epoch_and_batch():
    model = compiled_model()
    x, y = np.zeros((8, 3), np.float32), np.zeros(8, int)
    x[5] = np.nan
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(x, y, batch_size=2, epochs=2, shuffle=False, verbose=0)
    texts = [str(warning.message) for warning in caught if issubclass(warning.category, RuntimeWarning)]
    assert len(texts) == 1 and "the loss became nan at epoch 1, batch 3" in texts[0]


def test_corrupt_and_truncated_files(tmp_path):
    model = compiled_model()
    path = tmp_path / "weights.safetensors"
    model.save_weights(path)
    whole = path.read_bytes()
    start = f"load: '{path}' is not a readable safetensors file: damaged, truncated or of another kind; "
    for damaged in (whole[: len(whole) // 2], whole[:-1], b"\xff" * 8 + whole[8:], b"", b"garbage"):
        path.write_bytes(damaged)
        before = [state(x) for x in model.weights]
        with pytest.raises(ValueError) as caught:
            model.load_weights(path)
        assert str(caught.value).startswith(start)
        assert [state(x) for x in model.weights] == before
    for content, why in {
        b"": "an IDX file starts with two zero bytes, a type code and a number of axes; got ''",
        b"\0\0\x08\x01\0\0\0\x05ab": "its header claims uint8 (5,), 13 bytes; the file has 10",
        b"\0\0\x08\x01\0\0\0\x02abc": "the data goes on after 2 bytes",
        b"\0\0\x07\x01\0\0\0\x01a": "unknown type code 0x07; known are 0x08 uint8, 0x09 int8, 0x0B int16, 0x0C int32, "
                                    "0x0D float32, 0x0E float64",
        gzip.compress(b"\0\0\x08\x01\0\0\0\x05abcde")[:-8]:
            "Compressed file ended before the end-of-stream marker was reached",
        b"\0\0\x08\x03" + b"\xff" * 12: "its header claims uint8 (4294967295, 4294967295, 4294967295), "
                                        "79228162458924105385300197391 bytes; the file has 16",
    }.items():
        path = tmp_path / "data.idx"
        path.write_bytes(content)
        refuses(ValueError, f"load_idx: cannot read {path}: {why}", lambda path=path: datasets.load_idx(path))


def test_writing_to_read_only_memory():
    array = np.arange(3.0)
    array.flags.writeable = False
    x = ct.asarray(array)
    for op, call in {
        "setitem": lambda: x.__setitem__(0, 1.0), "add": lambda: x.__iadd__(1.0), "put": lambda: cyops.put(x, [0], 1.0),
        "assign": lambda: cyops.assign(x, 0.0), "sgd_step": lambda: cyops.sgd_step(x, x, 0.1),
        "multiply": lambda: ct.multiply(x, x, out=x),
    }.items():
        refuses(ValueError, f"{op}: the tensor is read-only; write into a copy", call, x)
    refuses(ValueError, "setitem: the tensor is read-only; write into a copy", lambda: x.__setitem__([0], 1.0), x)
    refuses(ValueError, "setitem: the tensor is read-only; write into a copy",
            lambda: ct.asarray(b"abc").__setitem__(0, 1))
    y = ct.ones(3)
    refuses(TypeError, "add: NumPy cannot write into a tensor; use the function of cytensor with out=",
            lambda: np.add.at(y, [0], 1), y)


def test_sizes_that_overflow():
    x, one = matrix(), ct.ones(())
    long = ct.broadcast_to(one, (2**60,))
    for message, call in {
        "zeros: the shape (1099511627776, 1099511627776) has": lambda: ct.zeros((2**40, 2**40)),
        "broadcast_to: the shape (4611686018427387904, 2, 3) has": lambda: ct.broadcast_to(x, (2**62, 2, 3)),
        "as_strided: the shape (4611686018427387904,) has": lambda: ct.as_strided(x, (2**62,), (0,)),
        "sliding_window_view: the shape (109, 100, 100, 100, 100, 100, 100, 100, 100, 100) has":
            lambda: ct.sliding_window_view(ct.zeros(1000), (100,) * 9, axis=(0,) * 9),
        "astype: the shape (1152921504606846976,) has": lambda: long.astype("float64"),
        "add: the shape (1099511627776, 1099511627776) has":
            lambda: ct.add(long[: 2**40], long[: 2**40].reshape((2**40, 1))),
        "uniform: the shape (1099511627776, 1099511627776) has": lambda: ct.random.uniform((2**40, 2**40)),
        "concat: the shape (2305843009213693952,) has": lambda: ct.concat([long, long]),
        "tensordot: the shape (1099511627776, 1099511627776) has":
            lambda: ct.tensordot(long[: 2**40], long[: 2**40], 0),
    }.items():
        refuses(ValueError, f"{message} more bytes than memory can address", call, x, one)
    refuses(ValueError, "arange: from 0 to 4611686018427387904 there are more numbers than memory can address",
            lambda: ct.arange(2**62), one)
    refuses(ValueError, "concat: axis 0 of the result is longer than a machine word counts",
            lambda: ct.concat([long] * 16), one)
    refuses(ValueError, "reshape: the shape (9223372036854775808,) has more elements than a machine word counts",
            lambda: x.reshape((2**63,)), x)
    refuses(OverflowError, f"asarray: an integer does not fit in int64: [{2**70}]", lambda: ct.asarray([2**70]))
    refuses(OverflowError, "add: the integer 1000 does not fit in int8", lambda: ct.ones(1, "int8") + 1000)
    with pytest.raises(MemoryError):
        long + 1
