"""Writes keras.json: what Keras computes for the cases below, so that the tests compare where Keras is not installed.

    KERAS_BACKEND=jax python tests/golden/make_keras.py

Each case is a class of Keras with its arguments; the inputs are formulas that the tests repeat (see inputs.py).
"""
import json
from pathlib import Path

import inputs
import jax
import keras
import numpy as np


def trace_of_optimizer(name, arguments):
    """Three parameters after each of 20 steps."""
    schedule = arguments.get("learning_rate")
    if isinstance(schedule, list):
        kind, settings = schedule
        arguments = {**arguments, "learning_rate": getattr(keras.optimizers.schedules, kind)(**settings)}
    optimizer = getattr(keras.optimizers, name)(**arguments)
    variable = keras.Variable(inputs.parameters())
    trace = []
    for step in range(inputs.STEPS):
        optimizer.apply_gradients([(keras.ops.convert_to_tensor(inputs.gradient(step)), variable)])
        trace.append(np.asarray(variable).tolist())
    return trace


def values_of_loss(name, arguments):
    """(per-sample values, reduced value, gradient of the reduced value) of a loss."""
    y_true, y_pred = inputs.targets_and_predictions(name, arguments)
    loss = getattr(keras.losses, name)(**arguments)
    plain = getattr(keras.losses, name)(reduction="none", **arguments)
    gradient = jax.grad(lambda p: loss(y_true, p))(y_pred)
    weighted = loss(y_true, y_pred, sample_weight=inputs.weights(len(y_pred)))
    return {"values": np.asarray(plain(y_true, y_pred)).tolist(), "reduced": float(loss(y_true, y_pred)),
            "weighted": float(weighted), "gradient": np.asarray(gradient).tolist()}


def value_of_metric(name, arguments):
    """The result after two batches, and after two weighted ones."""
    results = []
    for weighted in (False, True):
        metric = getattr(keras.metrics, name)(**arguments)
        for part in (slice(0, 4), slice(4, None)):
            y_true, y_pred = inputs.targets_and_predictions(name, arguments)
            weights = inputs.weights(len(y_pred))[part] if weighted else None
            metric.update_state(y_true[part], y_pred[part], sample_weight=weights)
        results.append(np.asarray(metric.result()).tolist())
    return results


def values_of_schedule(name, arguments):
    schedule = getattr(keras.optimizers.schedules, name)(**arguments)
    return [float(schedule(step)) for step in range(0, 60, 3)]


def values_of_activation(name, arguments):
    function = getattr(keras.activations, name)
    x = inputs.activation_inputs()
    gradient = jax.grad(lambda x: keras.ops.sum(function(x, **arguments) * inputs.activation_weights()))(x)
    return {"values": np.asarray(function(x, **arguments)).tolist(), "gradient": np.asarray(gradient).tolist()}


def trace_of_training(optimizer, arguments):
    """The history of 4 epochs, and the weights after them."""
    x, y, activation, units = inputs.training_data(arguments["loss"])
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(units, activation)])
    model.set_weights(inputs.training_weights(units))
    model.compile(optimizer, **arguments)
    history = model.fit(x, y, batch_size=4, epochs=4, shuffle=False, verbose=0, validation_data=(x[:6], y[:6])).history
    return {"history": history, "weights": [value.tolist() for value in model.get_weights()],
            "predictions": model.predict(x, verbose=0).tolist()}


def main():
    makers = {"training": trace_of_training, "optimizers": trace_of_optimizer, "losses": values_of_loss,
              "metrics": value_of_metric, "schedules": values_of_schedule, "activations": values_of_activation}
    golden = {"keras": keras.__version__}
    for kind, cases in inputs.CASES.items():
        golden[kind] = [[name, arguments, makers[kind](name, arguments)] for name, arguments in cases]
    text = json.dumps(json.loads(json.dumps(golden), parse_float=lambda digits: float(f"{float(digits):.9g}")))
    Path(__file__).with_name("keras.json").write_text(text.replace("]], [", "]],\n["), encoding="utf-8")


if __name__ == "__main__":
    main()
