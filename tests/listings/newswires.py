"""One of several topics, with the labels once as one-hot vectors and once as whole numbers."""

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers
from tensorflow.keras.utils import to_categorical

rng = np.random.default_rng(5)
centers = rng.normal(size=(6, 40))
labels = rng.integers(0, 6, size=1500)
x = (centers[labels] + 0.8 * rng.normal(size=(1500, 40))).astype("float32")
x_train, x_test = x[:1200], x[1200:]
y_train = to_categorical(labels[:1200])
y_test = to_categorical(labels[1200:])


def build_model():
    return keras.Sequential(
        [
            layers.Dense(64, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(6, activation="softmax"),
        ]
    )


model = build_model()
model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=6, batch_size=64, validation_data=(x_test, y_test), verbose=0)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)

again = build_model()
again.compile(
    optimizer=tf.keras.optimizers.Adam(learning_rate=1e-2),
    loss=tf.keras.losses.SparseCategoricalCrossentropy(),
    metrics=[tf.keras.metrics.SparseCategoricalAccuracy(name="hits")],
)
record = again.fit(x_train, labels[:1200], epochs=4, batch_size=64, verbose=0)
sparse_loss, sparse_accuracy = again.evaluate(x_test, labels[1200:], verbose=0)

predictions = model.predict(x_test, verbose=0)
sums = np.sum(predictions, axis=1)
best = np.argmax(predictions[0])
