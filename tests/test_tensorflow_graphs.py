"""TensorFlow's functions in graphs: deferred, and named in files."""
import numpy as np

import cytensor as ct
from cytensor import keras


def test_in_graphs_and_files(tmp_path):
    x = keras.Input((4,), name="x")
    h = ct.nn.bias_add(keras.layers.Dense(4)(x), np.ones(4, "float32"))
    h = ct.tile(ct.math.squared_difference(h, 1.0), [1, 2])
    h = ct.linalg.l2_normalize(h, axis=1) + ct.nn.l2_loss(h)
    image = ct.nn.max_pool2d(ct.reshape(h, (-1, 2, 2, 2)), ksize=2, strides=2, padding="VALID")
    model = keras.Model(x, keras.layers.Dense(1)(keras.layers.Flatten()(image)))
    data = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    model.save(tmp_path / "m.safetensors")
    again = keras.models.load_model(tmp_path / "m.safetensors")
    assert np.array_equal(again(data), model(data)) and model.output_shape == (None, 1)
    model.compile("adam", "mse")
    assert len(model.fit(data, np.ones((3, 1)), epochs=2, verbose=0).history["loss"]) == 2
