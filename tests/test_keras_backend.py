"""`cytensor.keras.backend`: what listings call of it."""
import numpy as np
import pytest

import cytensor as ct
from cytensor import keras, layers
from cytensor.keras import backend


def test_names_start_again():
    keras.backend.clear_session()
    first = layers.Dense(2)(layers.Input((3,))).node.operation.name
    second = layers.Dense(2)(layers.Input((3,))).node.operation.name
    backend.clear_session()
    again = layers.Dense(2)(layers.Input((3,))).node.operation.name
    assert (first, second, again) == ("dense", "dense_1", "dense")


def test_floatx_is_the_dtype_of_new_layers():
    assert backend.floatx() == "float32" == layers.Dense(2).dtype
    try:
        backend.set_floatx("float64")
        assert backend.floatx() == "float64" == layers.Dense(2)(np.ones((1, 2))).dtype
    finally:
        backend.set_floatx("float32")
    with pytest.raises(ValueError, match=r"set_floatx: value must be 'bfloat16'.*; got 'int8'"):
        backend.set_floatx("int8")


def test_values_and_settings():
    v = ct.Variable([1.0, 2.0])
    value = backend.get_value(v)
    backend.set_value(v, [3.0, 4.0])
    assert value.tolist() == [1.0, 2.0] and v.numpy().tolist() == [3.0, 4.0]
    assert backend.epsilon() == 1e-7 and backend.image_data_format() == "channels_last"
    backend.set_epsilon(1e-7)
    backend.set_image_data_format("channels_last")
    for call, message in ((lambda: backend.set_epsilon(1e-3), "cannot be set"),
                          (lambda: backend.set_image_data_format("channels_first"), "layers take data_format"),
                          (lambda: backend.set_value(v, [1.0, 2.0, 3.0]), "broadcast")):
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(TypeError, match="set_value: a Variable is expected; got a Tensor"):
        backend.set_value(ct.ones(2), [1.0, 2.0])
