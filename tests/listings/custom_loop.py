"""A training loop by hand, with the optimizer, loss and metric of the library."""

# ruff: noqa: B905 - texts write zip without strict
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers
from tensorflow.keras.datasets import mnist

(images, labels), (test_images, test_labels) = mnist.load_data()
images = images.reshape((-1, 28 * 28)).astype("float32") / 255
test_images = test_images.reshape((-1, 28 * 28)).astype("float32") / 255

model = keras.Sequential([keras.Input(shape=(28 * 28,)), layers.Dense(128, activation="relu"), layers.Dense(10)])
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = keras.optimizers.Adam(learning_rate=3e-3)
metric = keras.metrics.SparseCategoricalAccuracy()
loss_tracking_metric = keras.metrics.Mean()


def train_step(inputs, targets):
    with tf.GradientTape() as tape:
        logits = model(inputs, training=True)
        loss = loss_fn(targets, logits)
    gradients = tape.gradient(loss, model.trainable_weights)
    optimizer.apply_gradients(zip(gradients, model.trainable_weights))
    metric.update_state(targets, logits)
    loss_tracking_metric.update_state(loss)
    return {"accuracy": metric.result(), "loss": loss_tracking_metric.result()}


history = []
batch_size = 64
for epoch in range(3):
    metric.reset_state()
    loss_tracking_metric.reset_state()
    for start in range(0, len(images), batch_size):
        logs = train_step(images[start : start + batch_size], labels[start : start + batch_size])
    history.append({key: float(value) for key, value in logs.items()})
    print(f"Results at the end of epoch {epoch}: loss {logs['loss']:.4f}, accuracy {logs['accuracy']:.4f}")

test_logits = model(test_images, training=False)
test_accuracy = np.mean(np.argmax(test_logits, axis=1) == test_labels)
