"""Prices of houses by a network with a short and a long way through it: as a graph, with two outputs, as a subclass."""
import numpy as np
import tensorflow as tf

tf.random.set_seed(42)
rng = np.random.default_rng(42)
X = rng.normal(size=(600, 8)).astype("float32")
y = (X[:, :1] + 0.5 * X[:, 1:2] * X[:, 2:3] + 0.05 * rng.normal(size=(600, 1))).astype("float32")
X_train, X_valid, X_test = X[:400], X[400:500], X[500:]
y_train, y_valid, y_test = y[:400], y[400:500], y[500:]

norm_layer = tf.keras.layers.Normalization(input_shape=X_train.shape[1:])
plain = tf.keras.Sequential([
    norm_layer,
    tf.keras.layers.Dense(50, activation="relu"),
    tf.keras.layers.Dense(1),
])
optimizer = tf.keras.optimizers.Adam(learning_rate=1e-2)
plain.compile(loss="mse", optimizer=optimizer, metrics=["RootMeanSquaredError"])
norm_layer.adapt(X_train)
history = plain.fit(X_train, y_train, epochs=5, validation_data=(X_valid, y_valid), verbose=0)
mse_test, rmse_test = plain.evaluate(X_test, y_test, verbose=0)

# As a graph, layer by layer.
normalization_layer = tf.keras.layers.Normalization()
hidden_layer1 = tf.keras.layers.Dense(30, activation="relu")
hidden_layer2 = tf.keras.layers.Dense(30, activation="relu")
concat_layer = tf.keras.layers.Concatenate()
output_layer = tf.keras.layers.Dense(1)
input_ = tf.keras.layers.Input(shape=X_train.shape[1:])
normalized = normalization_layer(input_)
hidden1 = hidden_layer1(normalized)
hidden2 = hidden_layer2(hidden1)
concat = concat_layer([normalized, hidden2])
output = output_layer(concat)
graph = tf.keras.Model(inputs=[input_], outputs=[output])
normalization_layer.adapt(X_train)
graph.compile(loss="mse", optimizer="nadam")
graph.fit(X_train, y_train, epochs=5, verbose=0)


class WideAndDeepModel(tf.keras.Model):
    def __init__(self, units=30, activation="relu", **kwargs):
        super().__init__(**kwargs)
        self.norm_layer_wide = tf.keras.layers.Normalization()
        self.norm_layer_deep = tf.keras.layers.Normalization()
        self.hidden1 = tf.keras.layers.Dense(units, activation=activation)
        self.hidden2 = tf.keras.layers.Dense(units, activation=activation)
        self.main_output = tf.keras.layers.Dense(1)
        self.aux_output = tf.keras.layers.Dense(1)

    def call(self, inputs):
        input_wide, input_deep = inputs
        norm_wide = self.norm_layer_wide(input_wide)
        norm_deep = self.norm_layer_deep(input_deep)
        hidden1 = self.hidden1(norm_deep)
        hidden2 = self.hidden2(hidden1)
        concat = tf.keras.layers.concatenate([norm_wide, hidden2])
        output = self.main_output(concat)
        aux_output = self.aux_output(hidden2)
        return output, aux_output


X_train_wide, X_train_deep = X_train[:, :5], X_train[:, 2:]
X_valid_wide, X_valid_deep = X_valid[:, :5], X_valid[:, 2:]
model = WideAndDeepModel(30, activation="relu", name="my_cool_model")
model.norm_layer_wide.adapt(X_train_wide)
model.norm_layer_deep.adapt(X_train_deep)
optimizer = tf.keras.optimizers.Adam(learning_rate=1e-2)
model.compile(loss=["mse", "mse"], loss_weights=[0.9, 0.1], optimizer=optimizer,
              metrics=["RootMeanSquaredError", "RootMeanSquaredError"])
two_history = model.fit((X_train_wide, X_train_deep), (y_train, y_train), epochs=8,
                        validation_data=((X_valid_wide, X_valid_deep), (y_valid, y_valid)), verbose=0)
y_pred_main, y_pred_aux = model.predict((X_valid_wide[:3], X_valid_deep[:3]))
