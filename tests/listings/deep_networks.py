"""What makes deep networks train: initial values, normalization, parts used again, schedules, sampled dropout."""
import math

import numpy as np
import tensorflow as tf
from tensorflow.keras.datasets import mnist

(X_full, y_full), (X_test, y_test) = mnist.load_data()
X_full, X_test = X_full / 255.0, X_test / 255.0
X_train, y_train = X_full[:-500], y_full[:-500]
X_valid, y_valid = X_full[-500:], y_full[-500:]
tf.keras.backend.clear_session()
tf.random.set_seed(42)

he_avg_init = tf.keras.initializers.VarianceScaling(scale=2.0, mode="fan_avg", distribution="uniform")
model = tf.keras.Sequential([
    tf.keras.layers.Flatten(input_shape=[28, 28]),
    tf.keras.layers.BatchNormalization(),
    tf.keras.layers.Dense(60, kernel_initializer=he_avg_init, use_bias=False),
    tf.keras.layers.BatchNormalization(),
    tf.keras.layers.Activation("relu"),
    tf.keras.layers.Dense(40, kernel_initializer="he_normal"),
    tf.keras.layers.LeakyReLU(negative_slope=0.2),
    tf.keras.layers.Dense(10, activation="softmax"),
])
moving = [(var.name, var.trainable) for var in model.layers[1].variables]
optimizer = tf.keras.optimizers.SGD(learning_rate=0.05, momentum=0.9, nesterov=True, clipvalue=1.0)
model.compile(loss="sparse_categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"])
history = model.fit(X_train, y_train, epochs=3, validation_data=(X_valid, y_valid), verbose=0)

# A trained network as the beginning of another: even or odd.
model_A_clone = tf.keras.models.clone_model(model)
model_A_clone.set_weights(model.get_weights())
model_B_on_A = tf.keras.Sequential(model_A_clone.layers[:-1])
model_B_on_A.add(tf.keras.layers.Dense(1, activation="sigmoid"))
for layer in model_B_on_A.layers[:-1]:
    layer.trainable = False
model_B_on_A.compile(loss="binary_crossentropy", optimizer=tf.keras.optimizers.SGD(learning_rate=0.01),
                     metrics=["accuracy"])
frozen = [w.copy() for w in model_B_on_A.layers[2].get_weights()]
model_B_on_A.fit(X_train[:500], y_train[:500] % 2, epochs=2, verbose=0)
still = model_B_on_A.layers[2].get_weights()
for layer in model_B_on_A.layers[:-1]:
    layer.trainable = True
model_B_on_A.compile(loss="binary_crossentropy", optimizer=tf.keras.optimizers.SGD(learning_rate=0.01),
                     metrics=["accuracy"])
history_B = model_B_on_A.fit(X_train[:500], y_train[:500] % 2, epochs=2, validation_data=(X_valid, y_valid % 2),
                             verbose=0)


def exponential_decay(lr0, s):
    def exponential_decay_fn(epoch):
        return lr0 * 0.1 ** (epoch / s)
    return exponential_decay_fn


def small(learning_rate=0.05):
    net = tf.keras.Sequential([
        tf.keras.layers.Flatten(input_shape=[28, 28]),
        tf.keras.layers.Dense(30, activation="selu", kernel_initializer="lecun_normal",
                              kernel_constraint=tf.keras.constraints.max_norm(2.0)),
        tf.keras.layers.AlphaDropout(rate=0.1),
        tf.keras.layers.Dense(10, activation="softmax", kernel_regularizer=tf.keras.regularizers.l2(1e-4)),
    ])
    net.compile(loss="sparse_categorical_crossentropy", optimizer=tf.keras.optimizers.SGD(learning_rate),
                metrics=["accuracy"])
    return net


lr_scheduler = tf.keras.callbacks.LearningRateScheduler(exponential_decay(lr0=0.05, s=5))
scheduled = small()
schedule_history = scheduled.fit(X_train[:1000], y_train[:1000], epochs=3, callbacks=[lr_scheduler], verbose=0)
plateau = tf.keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=1, min_delta=10.0)
plateaued = small()
plateau_history = plateaued.fit(X_train[:500], y_train[:500], epochs=4, validation_data=(X_valid, y_valid),
                                callbacks=[plateau], verbose=0)
batch_size = 32
n_steps = 3 * math.ceil(len(X_train) / batch_size)
scheduled_learning_rate = tf.keras.optimizers.schedules.ExponentialDecay(
    initial_learning_rate=0.01, decay_steps=n_steps, decay_rate=0.1)
by_step = small(scheduled_learning_rate)
by_step.fit(X_train[:500], y_train[:500], epochs=1, verbose=0)


class ExponentialLearningRate(tf.keras.callbacks.Callback):
    """Lets the learning rate grow after every batch, to see from where on it is too large."""

    def __init__(self, factor):
        self.factor = factor
        self.rates = []
        self.losses = []

    def on_epoch_begin(self, epoch, logs=None):
        self.sum_of_epoch_losses = 0

    def on_batch_end(self, batch, logs=None):
        mean_epoch_loss = logs["loss"]
        new_sum = mean_epoch_loss * (batch + 1)
        batch_loss = new_sum - self.sum_of_epoch_losses
        self.sum_of_epoch_losses = new_sum
        lr = self.model.optimizer.learning_rate.numpy()
        self.rates.append(float(lr))
        self.losses.append(batch_loss)
        self.model.optimizer.learning_rate = lr * self.factor


finder = ExponentialLearningRate(factor=1.2)
small(1e-4).fit(X_train[:1000], y_train[:1000], epochs=1, callbacks=[finder], verbose=0)

# Dropout left on: many answers, and how much they differ.
y_probas = np.stack([scheduled(X_test[:50], training=True) for sample in range(20)])
y_proba, y_std = y_probas.mean(axis=0), y_probas.std(axis=0)


class MCDropout(tf.keras.layers.Dropout):
    def call(self, inputs, training=False):
        return super().call(inputs, training=True)


mc_model = tf.keras.Sequential([MCDropout(0.5)])
sampled = np.stack([mc_model.predict(np.ones((1, 8)), verbose=0) for _ in range(5)])
