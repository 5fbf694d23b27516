"""Callbacks: stop early, keep the best weights, write one's own."""

import os
import tempfile

from tensorflow import keras
from tensorflow.keras import layers
from tensorflow.keras.datasets import mnist

(images, labels), (test_images, test_labels) = mnist.load_data()
images = images.reshape((-1, 28 * 28)).astype("float32") / 255
train_images, val_images = images[500:], images[:500]
train_labels, val_labels = labels[500:], labels[:500]


class LossHistory(keras.callbacks.Callback):
    def on_train_begin(self, logs):
        self.per_batch_losses = []
        self.epochs = 0

    def on_batch_end(self, batch, logs):
        self.per_batch_losses.append(logs.get("loss"))

    def on_epoch_end(self, epoch, logs):
        self.epochs += 1


model = keras.Sequential(
    [layers.Dense(64, activation="relu"), layers.Dropout(0.2), layers.Dense(10, activation="softmax")]
)
model.compile(optimizer="rmsprop", loss="sparse_categorical_crossentropy", metrics=["accuracy"])

best_file = os.path.join(tempfile.mkdtemp(), "best.weights.safetensors")
losses = LossHistory()
callbacks_list = [
    keras.callbacks.EarlyStopping(monitor="val_accuracy", patience=2),
    keras.callbacks.ModelCheckpoint(
        filepath=best_file, monitor="val_loss", save_best_only=True, save_weights_only=True
    ),
    losses,
]
history = model.fit(
    train_images,
    train_labels,
    epochs=25,
    batch_size=64,
    callbacks=callbacks_list,
    validation_data=(val_images, val_labels),
    verbose=0,
)
model.load_weights(best_file)
best_loss, best_accuracy = model.evaluate(val_images, val_labels, verbose=0)
