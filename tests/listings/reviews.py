"""Good or bad? Binary classification of texts as multi-hot vectors (here: made-up words)."""

import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

rng = np.random.default_rng(0)
num_words = 500
mood = rng.integers(0, 2, size=3000)
weights = np.where(np.arange(num_words) < num_words // 2, [[2], [1]], [[1], [2]])
sequences = [rng.choice(num_words, size=60, p=weights[m] / weights[m].sum()) for m in mood]


def vectorize_sequences(sequences, dimension=num_words):
    results = np.zeros((len(sequences), dimension))
    for i, sequence in enumerate(sequences):
        for j in sequence:
            results[i, j] = 1.0
    return results


x_train = vectorize_sequences(sequences[:2000])
x_test = vectorize_sequences(sequences[2000:])
y_train = np.asarray(mood[:2000]).astype("float32")
y_test = np.asarray(mood[2000:]).astype("float32")

model = keras.Sequential(
    [
        layers.Dense(16, activation="relu"),
        layers.Dense(16, activation="relu"),
        layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["accuracy"])

x_val = x_train[:500]
partial_x_train = x_train[500:]
y_val = y_train[:500]
partial_y_train = y_train[500:]
history = model.fit(
    partial_x_train, partial_y_train, epochs=8, batch_size=64, validation_data=(x_val, y_val), verbose=2
)

history_dict = history.history
loss_values = history_dict["loss"]
val_loss_values = history_dict["val_loss"]
epochs = range(1, len(loss_values) + 1)
results = model.evaluate(x_test, y_test)
likely = model.predict(x_test)
