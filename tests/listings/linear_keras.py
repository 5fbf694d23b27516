"""compile and fit with objects instead of strings, and data kept aside to validate with."""

import numpy as np
from tensorflow import keras

rng = np.random.default_rng(3)
inputs = rng.normal(size=(2000, 2)).astype("float32")
targets = (inputs[:, :1] - 2 * inputs[:, 1:] > 0.5).astype("float32")

model = keras.Sequential([keras.layers.Dense(1, activation="sigmoid")])
model.compile(
    optimizer=keras.optimizers.RMSprop(learning_rate=0.1),
    loss=keras.losses.MeanSquaredError(),
    metrics=[keras.metrics.BinaryAccuracy()],
)

indices_permutation = np.random.default_rng(4).permutation(len(inputs))
shuffled_inputs = inputs[indices_permutation]
shuffled_targets = targets[indices_permutation]
num_validation_samples = int(0.3 * len(inputs))
val_inputs = shuffled_inputs[:num_validation_samples]
val_targets = shuffled_targets[:num_validation_samples]
training_inputs = shuffled_inputs[num_validation_samples:]
training_targets = shuffled_targets[num_validation_samples:]

history = model.fit(
    training_inputs,
    training_targets,
    epochs=5,
    batch_size=16,
    validation_data=(val_inputs, val_targets),
    verbose=0,
)
loss_and_metrics = model.evaluate(val_inputs, val_targets, batch_size=128, verbose=0)
predictions = model.predict(val_inputs, batch_size=128, verbose=0)
keys = sorted(history.history)
