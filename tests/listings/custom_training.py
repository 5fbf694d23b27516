"""Losses, metrics, layers, models, gradients and loops of one's own, with the low-level functions they are made of."""
import numpy as np
import tensorflow as tf

t = tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
pieces = [t[:, 1:], t[..., 1, tf.newaxis], t + 10, tf.square(t), t @ tf.transpose(t)]
v = tf.Variable([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
v.assign(2 * v)
v[0, 1].assign(42)
v[:, 2].assign([0.0, 1.0])
v.scatter_nd_update(indices=[[0, 0], [1, 2]], updates=[100.0, 200.0])
w = tf.Variable(tf.zeros([3, 2]))
w.scatter_update(tf.IndexedSlices(values=[[1.0, 2.0], [3.0, 4.0]], indices=[2, 0]))

rng = np.random.default_rng(0)
X_train = rng.normal(size=(320, 8)).astype("float32")
y_train = (X_train @ rng.normal(size=(8, 1)) + 0.1).astype("float32")


def create_huber(threshold=1.0):
    def huber_fn(y_true, y_pred):
        error = y_true - y_pred
        is_small_error = tf.abs(error) < threshold
        squared_loss = tf.square(error) / 2
        linear_loss = threshold * tf.abs(error) - threshold**2 / 2
        return tf.where(is_small_error, squared_loss, linear_loss)
    return huber_fn


def my_softplus(z):
    return tf.math.log(1.0 + tf.exp(z))


def my_l1_regularizer(weights):
    return tf.reduce_sum(tf.abs(0.01 * weights))


def my_positive_weights(weights):
    return tf.where(weights < 0.0, tf.zeros_like(weights), weights)


class HuberMetric(tf.keras.metrics.Metric):
    def __init__(self, threshold=1.0, **kwargs):
        super().__init__(**kwargs)
        self.threshold = threshold
        self.huber_fn = create_huber(threshold)
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        sample_metrics = self.huber_fn(y_true, y_pred)
        self.total.assign_add(tf.reduce_sum(sample_metrics))
        self.count.assign_add(tf.cast(tf.size(y_true), tf.float32))

    def result(self):
        return self.total / self.count

    def get_config(self):
        base_config = super().get_config()
        return {**base_config, "threshold": self.threshold}


exponential_layer = tf.keras.layers.Lambda(lambda x: tf.exp(x))


class MyDense(tf.keras.layers.Layer):
    def __init__(self, units, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.activation = tf.keras.activations.get(activation)

    def build(self, batch_input_shape):
        self.kernel = self.add_weight(name="kernel", shape=[batch_input_shape[-1], self.units],
                                      initializer="glorot_normal")
        self.bias = self.add_weight(name="bias", shape=[self.units], initializer="zeros")

    def call(self, X):
        return self.activation(X @ self.kernel + self.bias)

    def get_config(self):
        base_config = super().get_config()
        return {**base_config, "units": self.units, "activation": tf.keras.activations.serialize(self.activation)}


class MyGaussianNoise(tf.keras.layers.Layer):
    def __init__(self, stddev, **kwargs):
        super().__init__(**kwargs)
        self.stddev = stddev

    def call(self, X, training=False):
        if training:
            noise = tf.random.normal(tf.shape(X), stddev=self.stddev)
            return X + noise
        return X


class ReconstructingRegressor(tf.keras.Model):
    def __init__(self, output_dim, **kwargs):
        super().__init__(**kwargs)
        self.hidden = [tf.keras.layers.Dense(30, activation="relu", kernel_initializer="he_normal") for _ in range(3)]
        self.out = tf.keras.layers.Dense(output_dim)
        self.reconstruction_mean = tf.keras.metrics.Mean(name="reconstruction_error")

    def build(self, batch_input_shape):
        n_inputs = batch_input_shape[-1]
        self.reconstruct = tf.keras.layers.Dense(n_inputs)
        self.built = True

    def call(self, inputs, training=False):
        Z = inputs
        for layer in self.hidden:
            Z = layer(Z)
        reconstruction = self.reconstruct(Z)
        recon_loss = tf.reduce_mean(tf.square(reconstruction - inputs))
        self.add_loss(0.05 * recon_loss)
        if training:
            self.reconstruction_mean(recon_loss)
        return self.out(Z)


model = tf.keras.Sequential([
    tf.keras.Input(shape=(8,)),
    MyDense(30, activation="relu"),
    MyGaussianNoise(stddev=0.1),
    tf.keras.layers.Dense(1, activation=my_softplus, kernel_regularizer=my_l1_regularizer,
                          kernel_constraint=my_positive_weights),
])
model.compile(loss=create_huber(2.0), optimizer="nadam", metrics=[HuberMetric(2.0)])
history = model.fit(X_train, np.abs(y_train), epochs=3, verbose=0)
model.save("own_parts.keras")
loaded = tf.keras.models.load_model("own_parts.keras", custom_objects={
    "huber_fn": create_huber(2.0), "MyDense": MyDense, "MyGaussianNoise": MyGaussianNoise, "HuberMetric": HuberMetric,
    "my_softplus": my_softplus, "my_l1_regularizer": my_l1_regularizer, "my_positive_weights": my_positive_weights})

regressor = ReconstructingRegressor(1)
regressor.compile(loss="mse", optimizer="nadam")
regressor_history = regressor.fit(X_train, y_train, epochs=4, verbose=0)


def f(w1, w2):
    return 3 * w1**2 + 2 * w1 * w2


w1, w2 = tf.Variable(5.0), tf.Variable(3.0)
with tf.GradientTape() as tape:
    z = f(w1, w2)
gradients = tape.gradient(z, [w1, w2])
with tf.GradientTape(persistent=True) as hessian_tape:
    with tf.GradientTape() as jacobian_tape:
        z = f(w1, w2)
    jacobians = jacobian_tape.gradient(z, [w1, w2])
hessians = [hessian_tape.gradient(jacobian, [w1, w2]) for jacobian in jacobians]
del hessian_tape


@tf.custom_gradient
def my_better_softplus(z):
    def my_softplus_gradients(grads):
        return grads * (1 - 1 / (1 + tf.exp(z)))
    result = tf.math.log(1 + tf.exp(-tf.abs(z))) + tf.maximum(0.0, z)
    return result, my_softplus_gradients


x = tf.Variable([1000.0])
with tf.GradientTape() as tape:
    better = my_better_softplus(x)
better_gradient = tape.gradient(better, [x])[0]


def random_batch(X, y, batch_size=32):
    idx = np.random.randint(len(X), size=batch_size)
    return X[idx], y[idx]


loop_model = tf.keras.Sequential([
    tf.keras.layers.Dense(30, activation="elu", kernel_initializer="he_normal",
                          kernel_regularizer=tf.keras.regularizers.l2(0.001)),
    tf.keras.layers.Dense(1, kernel_regularizer=tf.keras.regularizers.l2(0.001)),
])
n_epochs, batch_size = 3, 32
n_steps = len(X_train) // batch_size
optimizer = tf.keras.optimizers.SGD(learning_rate=0.01)
loss_fn = tf.keras.losses.MeanSquaredError()
mean_loss = tf.keras.metrics.Mean(name="mean_loss")
metrics = [tf.keras.metrics.MeanAbsoluteError()]
epoch_losses = []
for _epoch in range(1, n_epochs + 1):
    for _step in range(1, n_steps + 1):
        X_batch, y_batch = random_batch(X_train, y_train)
        with tf.GradientTape() as tape:
            y_pred = loop_model(X_batch, training=True)
            main_loss = tf.reduce_mean(loss_fn(y_batch, y_pred))
            loss = tf.add_n([main_loss, *loop_model.losses])
        gradients_of_loss = tape.gradient(loss, loop_model.trainable_variables)
        optimizer.apply_gradients(zip(gradients_of_loss, loop_model.trainable_variables, strict=True))
        for variable in loop_model.variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable))
        mean_loss(loss)
        for metric in metrics:
            metric(y_batch, y_pred)
    epoch_losses.append(float(mean_loss.result()))
    for metric in [mean_loss, *metrics]:
        metric.reset_state()


@tf.function
def tf_cube(x):
    return x**3


cubes = [tf_cube(2), tf_cube(tf.constant(2.0))]
