"""Short programs as Keras users write them; each takes the library and returns numbers by name.

They run here and in Keras; see test_programs_as_keras.py, and golden/make_programs.py for the stored numbers. Nothing
in them is random but the order of sums: weights are set, data is a formula, and nothing is shuffled.
"""
import os
import tempfile

import numpy as np


def table(samples=90, features=4):
    """Features of different scales with a target that depends on them."""
    n = np.arange(samples * features, dtype=np.float64).reshape(samples, features)
    x = (np.sin(1.7 * n) * [1, 5, 0.2, 2] + [0, 3, -1, 0])[:, :features]
    return x.astype(np.float32), (x @ [0.5, -0.2, 1.0, 0.3][:features] + 0.1 * np.cos(n[:, 0])).astype(np.float32)


def classes(samples=90, count=3):
    x, y = table(samples)
    return x, (np.argsort(np.argsort(y)) * count // samples).astype(np.int64)


def fill(model):
    """Weights that are a formula of their place, so that both libraries start alike."""
    model.set_weights([np.asarray(0.4 * np.sin(3.1 * np.arange(w.size) + i), np.float32).reshape(w.shape)
                       if w.ndim > 1 else np.asarray(w) for i, w in enumerate(model.get_weights())])
    return model


def network(lib, units=8, outputs=3, activation="softmax", inputs=4, hidden="relu"):
    return fill(lib.Sequential([lib.layers.Input((inputs,)), lib.layers.Dense(units, activation=hidden),
                                lib.layers.Dense(outputs, activation=activation)]))


def curves(history):
    return {name: [float(v) for v in values] for name, values in history.history.items()}


def regression(lib):
    x, y = table()
    normalization = lib.layers.Normalization()
    normalization.adapt(x)
    model = fill_dense(lib.Sequential([normalization, lib.layers.Dense(8, "tanh"), lib.layers.Dense(1)]), x)
    model.compile(lib.optimizers.Adam(0.01), loss="mse", metrics=["mae", lib.metrics.RootMeanSquaredError()])
    history = model.fit(x, y, batch_size=16, epochs=4, validation_split=0.2, shuffle=False, verbose=0)
    return {**curves(history), "predictions": model.predict(x[:3], verbose=0).ravel()}


def fill_dense(model, x):
    model(x[:1])
    for layer in model.layers:
        if "dense" in layer.name:
            fill(layer)
    return model


def classification_with_class_weights(lib):
    x, y = classes()
    model = network(lib)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], weighted_metrics=["accuracy"])
    history = model.fit(x, y, epochs=3, class_weight={0: 1.0, 1: 3.0, 2: 0.5}, shuffle=False, verbose=0)
    return {**curves(history), **model.evaluate(x, y, verbose=0, return_dict=True)}


def imbalanced_binary(lib):
    x, y = classes(count=5)
    y = (y == 4).astype("float32")
    m = lib.metrics
    cuts = (np.arange(1, 199) / 199).tolist()           # Keras's 200 with both ends; by default AUC is exact here
    model = network(lib, 8, 1, "sigmoid")
    model.compile(optimizer="rmsprop", loss=lib.losses.BinaryFocalCrossentropy(gamma=2.0, apply_class_balancing=True),
                  metrics=[m.Precision(name="precision"), m.Recall(name="recall"), m.AUC(name="auc", thresholds=cuts),
                           m.AUC(curve="PR", name="prc", thresholds=cuts), m.TruePositives(name="tp"),
                           m.BinaryAccuracy(threshold=0.4)])
    weights = np.where(y > 0, 4.0, 1.0).astype("float32")
    history = model.fit(x, y, sample_weight=weights, batch_size=30, epochs=3, shuffle=False, verbose=0,
                        validation_data=(x[:20], y[:20], weights[:20]))
    return curves(history)


def one_hot_with_smoothing(lib):
    x, y = classes()
    targets = lib.utils.to_categorical(y, num_classes=3)
    model = network(lib, activation=None)
    model.compile(lib.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
                  loss=lib.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
                  metrics=["accuracy", lib.metrics.TopKCategoricalAccuracy(k=2), lib.metrics.F1Score(average="macro")])
    return curves(model.fit(x, targets, batch_size=30, epochs=3, shuffle=False, verbose=0))


def images_as_vectors(lib):
    pixels = (128 + 127 * np.sin(0.37 * np.arange(40 * 36))).reshape(40, 6, 6).astype("uint8")
    y = np.arange(40) % 4
    layers = lib.layers
    model = lib.Sequential([layers.Input((6, 6)), layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(16, "relu"),
                            layers.Dropout(0.0), layers.Dense(4, activation="softmax")])
    fill(model)
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(pixels, y, epochs=3, batch_size=8, shuffle=False, verbose=0)
    return {**curves(history), "classes": np.argmax(model.predict(pixels, verbose=0), axis=-1)[:8]}


def early_stopping(lib):
    x, y = table()
    model = network(lib, 8, 1, None)
    stop = lib.callbacks.EarlyStopping(monitor="val_loss", patience=2, min_delta=0.02, restore_best_weights=True)
    plateau = lib.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.3, patience=1, min_delta=0.05)
    model.compile(lib.optimizers.SGD(0.05), "mse")
    history = model.fit(x, y, epochs=30, batch_size=30, validation_split=0.3, callbacks=[stop, plateau], shuffle=False,
                        verbose=0)
    return {**curves(history), "stopped": stop.stopped_epoch, "best": stop.best_epoch,
            "evaluated": model.evaluate(x, y, verbose=0)}


def schedules(lib):
    x, y = classes()
    s = lib.optimizers.schedules
    found = {}
    for schedule in (s.ExponentialDecay(0.05, 4, 0.9, staircase=True),
                     s.CosineDecay(0.0, 10, 0.1, warmup_target=0.05, warmup_steps=3),
                     s.PiecewiseConstantDecay([3, 6], [0.1, 0.05, 0.01]), s.PolynomialDecay(0.1, 8, 0.01, power=2.0),
                     s.InverseTimeDecay(0.1, 2, 0.5), s.CosineDecayRestarts(0.1, 4)):
        model = network(lib)
        model.compile(lib.optimizers.Adam(learning_rate=schedule), "sparse_categorical_crossentropy")
        history = model.fit(x, y, epochs=3, batch_size=30, shuffle=False, verbose=0)
        found[type(schedule).__name__] = [*history.history["loss"], float(model.optimizer.learning_rate)]
    return found


def scheduler_callback(lib):
    x, y = table()
    model = network(lib, 8, 1, None)
    model.compile(lib.optimizers.RMSprop(0.01), loss=lib.losses.Huber(delta=0.5))
    seen = []
    callbacks = [lib.callbacks.LearningRateScheduler(lambda epoch, lr: lr if epoch < 2 else lr * 0.5),
                 lib.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs["loss"]))]
    history = model.fit(x, y, epochs=4, callbacks=callbacks, shuffle=False, verbose=0)
    return {**curves(history), "seen": seen}


def own_loss_and_metric(lib):
    x, y = table()
    ops = lib.ops

    def pinball(y_true, y_pred):
        error = y_true - y_pred
        return ops.mean(ops.maximum(0.9 * error, -0.1 * error), axis=-1)

    class Within(lib.metrics.Metric):
        def __init__(self, tolerance=1.0, name="within", **options):
            super().__init__(name=name, **options)
            self.tolerance = tolerance
            self.hits = self.add_weight(name="hits", initializer="zeros")
            self.count = self.add_weight(name="count", initializer="zeros")

        def update_state(self, y_true, y_pred, sample_weight=None):
            y_true = ops.reshape(ops.cast(y_true, y_pred.dtype), ops.shape(y_pred))
            inside = ops.cast(ops.abs(y_true - y_pred) < self.tolerance, "float32")
            self.hits.assign_add(ops.sum(inside))
            self.count.assign_add(ops.sum(ops.ones_like(inside)))

        def result(self):
            return self.hits / self.count

    model = network(lib, 8, 1, None)
    model.compile("nadam", loss=pinball, metrics=[Within(0.8)])
    history = model.fit(x, y[:, None], epochs=3, batch_size=30, shuffle=False, verbose=0, validation_split=0.2)
    return curves(history)


def own_layer(lib):
    x, y = table()

    class Gated(lib.layers.Layer):
        def __init__(self, units, **options):
            super().__init__(**options)
            self.units = units

        def build(self, input_shape):
            shape = (input_shape[-1], self.units)
            self.w = self.add_weight(shape=shape, initializer="ones", name="w", regularizer="l2")
            self.g = self.add_weight(shape=shape, initializer="zeros", name="g", constraint="max_norm")
            self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")

        def call(self, inputs, training=False):
            out = lib.ops.matmul(inputs, self.w) * lib.ops.sigmoid(lib.ops.matmul(inputs, self.g)) + self.b
            self.add_loss(0.01 * lib.ops.mean(lib.ops.square(out)))
            return out * 0.5 if training else out

    model = lib.Sequential([lib.layers.Input((4,)), Gated(5), lib.layers.Dense(1)])
    fill(model)
    model.compile("adam", "mae")
    history = model.fit(x, y, epochs=3, batch_size=30, shuffle=False, verbose=0)
    return {**curves(history), "evaluated": model.evaluate(x, y, verbose=0), "parameters": model.count_params()}


def subclassed_model(lib):
    x, y = classes()

    class Wide(lib.Model):
        def __init__(self):
            super().__init__()
            self.hidden = lib.layers.Dense(6, activation="selu", kernel_regularizer=lib.regularizers.L1L2(1e-3, 1e-2))
            self.norm = lib.layers.LayerNormalization()
            self.join = lib.layers.Concatenate()
            self.out = lib.layers.Dense(3, activation="softmax")

        def call(self, inputs, training=None):
            return self.out(self.join([inputs, self.norm(self.hidden(inputs))]))

    model = Wide()
    model(x[:1])
    fill(model.hidden)
    fill(model.out)
    model.compile("adamw", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, epochs=3, batch_size=32, shuffle=False, verbose=0)
    return {**curves(history), "predictions": model.predict(x[:2], verbose=0)}


def frozen_layers(lib):
    x, y = classes()
    body = lib.Sequential([lib.layers.Input((4,)), lib.layers.Dense(6, "relu"), lib.layers.BatchNormalization()])
    fill(body.layers[0])
    body.trainable = False
    model = lib.Sequential([lib.layers.Input((4,)), body, lib.layers.Dense(3, "softmax")])
    fill(model.layers[1])
    model.compile("adam", "crossentropy")
    first = curves(model.fit(x, y, epochs=2, batch_size=30, shuffle=False, verbose=0))["loss"]
    body.trainable = True
    model.compile(lib.optimizers.Adam(1e-3), "crossentropy")
    second = curves(model.fit(x, y, epochs=2, batch_size=30, shuffle=False, verbose=0))["loss"]
    return {"frozen": first, "thawed": second, "weights": [len(model.trainable_weights),
                                                            len(model.non_trainable_weights)]}


def save_and_load(lib):
    x, y = classes()
    model = network(lib)
    model.compile(lib.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=2, batch_size=30, shuffle=False, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        model.save(os.path.join(folder, "model.keras"))
        loaded = lib.models.load_model(os.path.join(folder, "model.keras"))
        model.save_weights(os.path.join(folder, "model.weights.h5"))
        other = network(lib)
        other.load_weights(os.path.join(folder, "model.weights.h5"))
    history = loaded.fit(x, y, epochs=2, batch_size=30, shuffle=False, verbose=0)
    clone = lib.models.clone_model(model)
    clone.set_weights(other.get_weights())
    again = lib.Sequential.from_config(model.get_config())
    return {**curves(history), "weights": other.predict(x[:2], verbose=0), "clone": clone.predict(x[:2], verbose=0),
            "parameters": again.count_params()}


def best_checkpoint(lib):
    x, y = classes()
    model = network(lib)
    model.compile(lib.optimizers.SGD(0.8), "sparse_categorical_crossentropy", metrics=["accuracy"])
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "best.weights.h5")
        saver = lib.callbacks.ModelCheckpoint(path, monitor="val_accuracy", save_best_only=True, save_weights_only=True)
        log = os.path.join(folder, "log.csv")
        model.fit(x, y, epochs=5, batch_size=30, validation_split=0.2, shuffle=False, verbose=0,
                  callbacks=[saver, lib.callbacks.CSVLogger(log)])
        model.load_weights(path)
        with open(log, encoding="utf-8") as file:
            header, *rows = file.read().splitlines()
    return {"evaluated": model.evaluate(x, y, verbose=0), "rows": len(rows), "columns": len(header.split(",")),
            "last": [float(value) for value in rows[-1].split(",")]}


def generator_of_batches(lib):
    x, y = classes()

    def batches():
        while True:
            for start in range(0, 90, 30):
                yield x[start:start + 30], y[start:start + 30], np.ones(30, "float32")

    class Data(lib.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return x[index * 30:index * 30 + 30], y[index * 30:index * 30 + 30]

    model = network(lib)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(batches(), steps_per_epoch=3, epochs=2, verbose=0, validation_data=Data())
    again = model.fit(Data(), epochs=2, shuffle=False, verbose=0)
    return {**curves(history), "dataset": again.history["loss"], "evaluated": model.evaluate(Data(), verbose=0),
            "predictions": model.predict(Data(), verbose=0)[-1]}


def batch_by_batch(lib):
    x, y = classes()
    model = network(lib)
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    found = []
    for _ in range(2):
        for start in range(0, 90, 30):
            logs = model.train_on_batch(x[start:start + 30], y[start:start + 30], class_weight={0: 1, 1: 2, 2: 1},
                                        return_dict=True)
        found.append([logs["loss"], logs["accuracy"]])
    return {"logs": found, "tested": model.test_on_batch(x, y, sample_weight=np.linspace(0, 1, 90)),
            "predicted": model.predict_on_batch(x[:2])}


def metrics_by_hand(lib):
    x, y = classes()
    model = network(lib)
    scores = np.asarray(model(x, training=False))
    m, losses = lib.metrics, lib.losses
    found = {}
    for metric in (m.SparseCategoricalAccuracy(), m.SparseTopKCategoricalAccuracy(2),
                   m.SparseCategoricalCrossentropy()):
        for start in (0, 45):
            metric.update_state(y[start:start + 45], scores[start:start + 45])
        found[metric.name] = float(metric.result())
    wrapped = m.MeanMetricWrapper(losses.mean_absolute_error, name="wrapped")
    wrapped.update_state(np.eye(3)[y], scores)
    found["wrapped"] = float(wrapped.result())
    found["pairs"] = np.asarray(losses.SparseCategoricalCrossentropy(reduction="none")(y[:4], scores[:4]))
    found["r2"] = float(m.R2Score()(np.eye(3)[y].astype("float32"), scores))
    return found


def averaged_weights(lib):
    x, y = classes()
    model = network(lib)
    optimizer = lib.optimizers.AdamW(0.02, weight_decay=0.1, use_ema=True, ema_momentum=0.9, global_clipnorm=0.5,
                                     gradient_accumulation_steps=2)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model.compile(optimizer, "sparse_categorical_crossentropy")
    history = model.fit(x, y, epochs=4, batch_size=15, shuffle=False, verbose=0)
    return {**curves(history), "evaluated": model.evaluate(x, y, verbose=0), "weights": model.get_weights()[2]}


def tabular_columns(lib):
    """Numbers, a category by number and another one by one-hot, joined by hand."""
    x, y = table()
    city = np.arange(90) % 5
    kind = lib.layers.CategoryEncoding(num_tokens=3, output_mode="one_hot")(np.arange(90) % 3)
    embedding = lib.layers.Embedding(5, 2)
    embedding(city[:1])
    fill(embedding)
    scaled = lib.layers.Normalization(mean=x.mean(0), variance=x.var(0))(x)
    joined = np.concatenate([np.asarray(scaled), np.asarray(embedding(city)), np.asarray(kind)], axis=1)
    model = network(lib, 6, 1, None, inputs=9, hidden="gelu")
    model.compile("adagrad", "log_cosh", metrics=["mape", "cosine_similarity"])
    history = model.fit(joined, y, epochs=2, batch_size=45, shuffle=False, verbose=0)
    return {**curves(history), "joined": joined[7]}


PROGRAMS = (regression, classification_with_class_weights, imbalanced_binary, one_hot_with_smoothing, images_as_vectors,
            early_stopping, schedules, scheduler_callback, own_loss_and_metric, own_layer, subclassed_model,
            frozen_layers, save_and_load, best_checkpoint, generator_of_batches, batch_by_batch, metrics_by_hand,
            averaged_weights, tabular_columns)


def numbers(program, library):
    """What a program returns, every value a list or a number that JSON can hold."""
    return {name: np.asarray(value, np.float64).tolist() for name, value in program(library).items()}
