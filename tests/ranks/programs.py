"""What the tests run on one process and on several. Each function returns arrays and floats alone."""
import contextlib
import io
import os

import numpy as np

import cytensor as ct
from cytensor import layers, losses, metrics, optimizers
from cytensor.data.batches import PyDataset
from cytensor.distribution import DataParallel, set_distribution
from cytensor.utils import dataset_from_files

SAMPLES = 52                           # in batches of 16 the last has 4


def data(classes=3, features=5):
    source = np.random.default_rng(0)
    x = source.normal(size=(SAMPLES, features)).astype("float32")
    y = (x[:, :classes].argmax(axis=1) + (x[:, 3] > 1)).clip(0, classes - 1)
    return x, y.astype("int64"), source.uniform(0.2, 2.0, SAMPLES).astype("float32")


def dense(**options):
    model = ct.Sequential([layers.Input((5,)), layers.Dense(8, activation="tanh", kernel_regularizer="l2"),
                           layers.Dense(3, activation="softmax")])
    return compiled(model, **options)


def with_dropout(**options):
    return compiled(ct.Sequential([layers.Input((5,)), layers.Dense(16, activation="relu"), layers.Dropout(0.5),
                                   layers.GaussianNoise(0.1), layers.Dense(3, activation="softmax")]), **options)


def with_batch_normalization(synchronized=False, **options):
    return compiled(ct.Sequential([layers.Input((5,)), layers.Dense(8),
                                   layers.BatchNormalization(synchronized=synchronized, momentum=0.5),
                                   layers.Dense(3, activation="softmax")]), **options)


def halves(**options):
    model = ct.Sequential([layers.Input((5,)), layers.Dense(8, activation="relu", dtype="mixed_bfloat16"),
                           layers.Dense(3, activation="softmax")])
    return compiled(model, **options)


def unbuilt(**options):
    return compiled(ct.Sequential([layers.Dense(8, activation="tanh"), layers.Dense(3, activation="softmax")]),
                    **options)


class OwnStep(ct.Sequential):
    """A train_step of one's own, with a metric beside."""

    def train_step(self, data):
        x, y = data[:2]
        with ct.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        self.optimizer.apply_gradients(zip(tape.gradient(loss, self.trainable_weights), self.trainable_weights,
                                           strict=True))
        return {"loss": loss, "mean": float(ct.mean(x))}


def own_step(**options):
    return compiled(OwnStep([layers.Input((5,)), layers.Dense(8, activation="tanh"),
                             layers.Dense(3, activation="softmax")]), **options)


class Batches(PyDataset):
    """Batches that somebody else makes."""

    def __init__(self, x, y, size):
        super().__init__()
        self.given = x, y, size

    def __len__(self):
        return -(-len(self.given[0]) // self.given[2])

    def __getitem__(self, index):
        x, y, size = self.given
        return x[index * size:(index + 1) * size], y[index * size:(index + 1) * size]


class Largest(metrics.Metric):
    """A state that is no sum."""

    def __init__(self, name="largest"):
        super().__init__(name=name)
        self.top = self.add_weight(name="top")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.top.assign(ct.maximum(self.top, ct.max(y_pred)))

    def result(self):
        return self.top


def compiled(model, loss="sparse_categorical_crossentropy", watched=("accuracy",), optimizer="adam", **compile_options):
    made = {"largest": Largest, "auc": None}
    model.compile(optimizers.get(optimizer), loss, metrics=[made[one]() if one in made else one for one in watched],
                  **compile_options)
    return model


LOSSES = {
    "mean": lambda: losses.SparseCategoricalCrossentropy(),
    "sum": lambda: losses.SparseCategoricalCrossentropy(reduction="sum"),
    "weights": lambda: losses.SparseCategoricalCrossentropy(reduction="mean_with_sample_weight"),
    "ignored": lambda: losses.SparseCategoricalCrossentropy(ignore_class=1),
}


def fit(kind, strategy=None, loss="mean", weighted=False, class_weight=None, batch_size=16, epochs=2, samples=SAMPLES,
        watched=("accuracy",), optimizer="adam", generator=False, files=None, **model_options):
    """(weights, history, evaluation, predictions) of a training; strategy: arguments of DataParallel, None for none."""
    ct.set_seed(7)
    if strategy is not None:
        set_distribution(DataParallel(**strategy))
    model = globals()[kind](loss=LOSSES[loss](), watched=watched, optimizer=optimizer, **model_options)
    x, y, weights = (part[:samples] for part in data())
    weights = weights if weighted else None
    given = {"validation_data": (x[:21], y[:21]), "epochs": epochs, "verbose": 0}
    if files:
        path = f"{files}/{os.getpid()}"                # each process writes its own, and reads its own rows of it
        np.save(f"{path}-x.npy", x)
        np.save(f"{path}-y.npy", y)
        history = model.fit(dataset_from_files(f"{path}-x.npy", f"{path}-y.npy", batch_size=batch_size, seed=5,
                                               memory_limit=4000), **given)
    elif generator:
        history = model.fit(Batches(x, y, batch_size), **given)
    else:
        history = model.fit(x, y, batch_size=batch_size, sample_weight=weights, class_weight=class_weight, **given)
    evaluated = model.evaluate(x, y, batch_size=batch_size, sample_weight=weights, verbose=0, return_dict=True)
    predicted = model.predict(x, batch_size=8, verbose=0)
    return model.get_weights(), history.history, evaluated, predicted


def fit_with(kind, strategy, options):
    """`fit` with keyword arguments in a dictionary."""
    return fit(kind, strategy, **options)


def two_outputs(loss=None, **options):
    entered = layers.Input((5,))
    hidden = layers.Dense(8, activation="tanh", name="hidden")(entered)     # seeds go by name
    model = ct.Model(entered, {"kind": layers.Dense(3, activation="softmax", name="kind")(hidden),
                               "same": layers.Dense(3, activation="softmax", name="same")(hidden)})
    model.compile(optimizers.Adam(), {"kind": loss, "same": "sparse_categorical_crossentropy"},
                  loss_weights={"kind": 1.0, "same": 0.3}, metrics={"kind": ["accuracy"]})
    return Paired(model)


class Paired:
    """A model of two outputs behind the calls of `fit`: the same labels for both."""

    def __init__(self, model):
        self.model = model

    def fit(self, x, y, validation_data, **options):
        x_val, y_val = validation_data
        return self.model.fit(x, {"kind": y, "same": y}, validation_data=(x_val, {"kind": y_val, "same": y_val}),
                              **options)

    def evaluate(self, x, y, **options):
        return self.model.evaluate(x, {"kind": y, "same": y}, **options)

    def predict(self, x, **options):
        return np.concatenate(list(self.model.predict(x, **options).values()), axis=1)

    def get_weights(self):
        return self.model.get_weights()


def own_loop(way, strategy):
    """The weights after 8 steps of a loop of one's own."""
    ct.set_seed(7)
    distribution = None
    if strategy is not None:
        distribution = DataParallel(**strategy)
        set_distribution(distribution)
    model = with_dropout(loss="mse")
    optimizer, loss_of = optimizers.Adam(0.01), losses.SparseCategoricalCrossentropy()
    x, y, _ = data()
    for start in [0, 16, 32, 48] * 2:
        batch = x[start:start + 16], y[start:start + 16]
        for rows, labels in [batch] if distribution is None else distribution.split(batch):
            with ct.GradientTape() as tape:
                loss = loss_of(labels, model(rows, training=True))
            weights = model.trainable_weights
            found = (tape.gradient(loss, weights) if way == "apply_gradients" or distribution is None
                     else distribution.gradient(tape, loss, weights))
            optimizer.apply_gradients(zip(found, weights, strict=True))
    return model.get_weights()


def refusal(call):
    """The text of the error that a call raises."""
    try:
        call()
    except Exception as error:
        return str(error)
    raise AssertionError("nothing was raised")


def offers():
    strategy = DataParallel()
    with strategy.scope():
        inside = ct.distribution.distribution() is strategy
    several = DataParallel(shards=6)

    def synchronized():
        with several.scope():
            with_batch_normalization(True, loss="sparse_categorical_crossentropy").fit(*data()[:2], verbose=0)
    return {
        "rank": strategy.rank, "size": strategy.size, "repr": repr(strategy), "in": inside,
        "sum": strategy.all_reduce(strategy.rank + 1.0),
        "mean": strategy.all_reduce([strategy.rank, 3.0], "mean").tolist(),
        "min": strategy.all_reduce(strategy.rank, "min"), "max": strategy.all_reduce(strategy.rank, "max"),
        "after": ct.distribution.distribution() is None,
        "op": refusal(lambda: strategy.all_reduce(1, "xor")), "shards": refusal(lambda: DataParallel(shards=4)),
        "empty": refusal(lambda: list(strategy.split(np.zeros((0, 2))))),
        "several": refusal(lambda: several.gradient(None, None, [])), "synchronized": refusal(synchronized),
    }


def without_seed():
    set_distribution(DataParallel())
    model = with_dropout(loss="sparse_categorical_crossentropy")
    model.fit(*data()[:2], verbose=0)
    return model.get_weights()


def built_before():
    model = dense(loss="sparse_categorical_crossentropy")
    model.build((None, 5))
    strategy = DataParallel()
    if strategy.rank:
        model.set_weights([np.full_like(one, np.nan) for one in model.get_weights()])
    set_distribution(strategy)
    model.fit(*data()[:2], verbose=0)
    return model.get_weights()


def with_callbacks(folder):
    """Which files this rank wrote, the epochs it saw, and what it printed."""
    from cytensor import callbacks
    strategy = DataParallel()
    set_distribution(strategy)
    written = []

    class Checkpoint(callbacks.ModelCheckpoint):
        def save(self, logs):
            written.append(1)
            super().save(logs)
    ct.set_seed(1)
    model = dense(loss="sparse_categorical_crossentropy")
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        history = model.fit(*data()[:2], epochs=6, verbose=2, validation_split=0.3, callbacks=[
            Checkpoint(f"{folder}/model.safetensors"), callbacks.CSVLogger(f"{folder}/log.csv"),
            callbacks.EarlyStopping(monitor="val_loss", min_delta=10.0, patience=2)])
    return {"written": bool(written), "epochs": history.epoch, "output": text.getvalue()}


def stopped_by_one():
    """The batches of the one epoch that a callback ended on rank 1 alone."""
    from cytensor.callbacks import LambdaCallback
    strategy = DataParallel()
    set_distribution(strategy)
    model, seen = dense(loss="sparse_categorical_crossentropy"), []

    def stop(batch, logs):
        seen.append(batch + 1)
        model.stop_training = strategy.rank == 1 and batch == 2
    model.fit(*data()[:2], batch_size=8, epochs=5, verbose=0, callbacks=LambdaCallback(on_train_batch_end=stop))
    return [len(seen)]
