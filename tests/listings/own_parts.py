"""Parts of one's own: a loss, a metric, functions for a layer, a residual block, and a loop that adds the penalties."""

# ruff: noqa: B905 - texts write zip without strict
import numpy as np
import tensorflow as tf
from tensorflow import keras

rng = np.random.default_rng(0)
X_train = rng.random((400, 8)).astype("float32")
y_train = X_train.sum(axis=1, keepdims=True)
kinds = (y_train[:, 0] > 4).astype("int64") + (y_train[:, 0] > 4.5)


class HuberLoss(keras.losses.Loss):
    def __init__(self, threshold=1.0, **kwargs):
        self.threshold = threshold
        super().__init__(**kwargs)

    def call(self, y_true, y_pred):
        error = y_true - y_pred
        squared_loss = tf.square(error) / 2
        linear_loss = self.threshold * tf.abs(error) - self.threshold**2 / 2
        return tf.where(tf.abs(error) < self.threshold, squared_loss, linear_loss)


class RootMeanSquaredError(keras.metrics.Metric):
    def __init__(self, name="rmse", **kwargs):
        super().__init__(name=name, **kwargs)
        self.mse_sum = self.add_weight(name="mse_sum", initializer="zeros")
        self.total_samples = self.add_weight(name="total_samples", initializer="zeros", dtype="int32")

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true = tf.one_hot(y_true, depth=tf.shape(y_pred)[1])
        self.mse_sum.assign_add(tf.reduce_sum(tf.square(y_true - y_pred)))
        self.total_samples.assign_add(tf.shape(y_pred)[0])

    def result(self):
        return tf.sqrt(self.mse_sum / tf.cast(self.total_samples, tf.float32))

    def reset_state(self):
        self.mse_sum.assign(0.0)
        self.total_samples.assign(0)


def my_initializer(shape, dtype=tf.float32):
    stddev = tf.sqrt(2.0 / (shape[0] + shape[1]))
    return tf.random.normal(shape, stddev=stddev, dtype=dtype)


def my_l1_regularizer(weights):
    return tf.reduce_sum(tf.abs(0.001 * weights))


def my_positive_weights(weights):
    return tf.where(weights < 0.0, tf.zeros_like(weights), weights)


class ResidualBlock(keras.layers.Layer):
    def __init__(self, n_layers, n_neurons, **kwargs):
        super().__init__(**kwargs)
        self.hidden = [keras.layers.Dense(n_neurons, activation="elu") for _ in range(n_layers)]

    def call(self, inputs):
        Z = inputs
        for layer in self.hidden:
            Z = layer(Z)
        return inputs + Z


class ResidualRegressor(keras.Model):
    def __init__(self, output_dim, **kwargs):
        super().__init__(**kwargs)
        self.block = ResidualBlock(2, 8)
        self.size = keras.metrics.Mean(name="size")
        self.out = keras.layers.Dense(
            output_dim,
            kernel_initializer=my_initializer,
            kernel_regularizer=my_l1_regularizer,
            kernel_constraint=my_positive_weights,
        )

    def call(self, inputs, training=None):
        y = self.out(self.block(inputs))
        if training:
            self.size(tf.reduce_mean(tf.abs(y)))
        return y


model = ResidualRegressor(1)
model.compile(loss=HuberLoss(2.0), optimizer=keras.optimizers.Nadam(learning_rate=0.01), metrics=["mae"])
history = model.fit(X_train, y_train, epochs=20, verbose=0)
last_kernel = model.out.get_weights()[0]

classifier = keras.Sequential([keras.layers.Dense(16, activation="relu"), keras.layers.Dense(3, activation="softmax")])
classifier.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy", RootMeanSquaredError()])
classifier.fit(X_train, kinds, epochs=1, verbose=0)
loss, accuracy, rmse = classifier.evaluate(X_train, kinds, verbose=0)
probabilities = classifier.predict(X_train, verbose=0)

optimizer = keras.optimizers.SGD(learning_rate=0.01)
loss_fn = keras.losses.MeanSquaredError()
mean_loss = keras.metrics.Mean(name="mean_loss")
metrics = [keras.metrics.MeanAbsoluteError()]


@tf.function
def train_step(X_batch, y_batch):
    with tf.GradientTape() as tape:
        y_pred = model(X_batch, training=True)
        main_loss = loss_fn(y_batch, y_pred)
        loss = tf.add_n([main_loss] + model.losses)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    for variable in model.variables:
        if variable.constraint is not None:
            variable.assign(variable.constraint(variable))
    mean_loss(loss)
    for metric in metrics:
        metric(y_batch, y_pred)
    return main_loss, loss


for step in range(0, len(X_train), 32):
    main_loss, total_loss = train_step(X_train[step : step + 32], y_train[step : step + 32])
penalty = total_loss - main_loss
status = " - ".join(f"{m.name}: {m.result():.4f}" for m in [mean_loss, *metrics])
