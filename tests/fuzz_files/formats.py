"""For each format a sound file, what may happen to it besides damaged bytes, and how it is loaded.

`load(path)` raises ValueError that names the file and leaves everything as it was, or gives what can be used.
"""
import contextlib
import gzip
import io
import json
import zipfile
from pathlib import Path

import numpy as np

from cytensor import callbacks, datasets, layers, metrics, optimizers, random
from cytensor.cli import data
from cytensor.models import Sequential, load_model
from fuzz_files.mutations import altered, damaged

X = np.random.default_rng(3).standard_normal((24, 4)).astype(np.float32)
Y = (X[:, :1] > 0).astype(np.float32)


class Stopped(Exception):
    """Ends a `fit` in the middle of an epoch."""


class Stop(callbacks.Callback):
    def __init__(self, after):
        self.left = after

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            raise Stopped


def fresh(seed=4):
    random.set_seed(seed)
    model = Sequential([layers.Input((4,)), layers.Dense(6, "relu"), layers.Dropout(0.3), layers.BatchNormalization(),
                        layers.Dense(1, activation="sigmoid")])
    model.compile(optimizers.Adam(0.01, use_ema=True), "binary_crossentropy",
                  metrics=["accuracy", metrics.AUC(num_thresholds=5)])
    return model


def state_of(model):
    """Everything that a refused file might have changed."""
    return ([w.tobytes() for w in model.get_weights()],
            [np.asarray(slot).tobytes() for slot in model.optimizer.variables],
            model.optimizer.calls, float(model.optimizer.learning_rate),
            [str(random.get_state()[part]) for part in ("seed", "generator")],
            [json.dumps(random.generator_state(layer.generator), default=str) for layer in model.layers
             if getattr(layer, "generator", None)])


class Format:
    """A format whose damage is of bytes alone."""

    name = "x.bin"

    def __init__(self, folder):
        self.path = Path(folder) / self.name
        self.sound = self.make()

    def make(self):
        """The bytes of a sound file."""
        raise NotImplementedError

    def mutate(self, rng):
        """The bytes of a damaged one."""
        return damaged(rng, self.sound)

    def load(self):
        raise NotImplementedError


# -- safetensors ------------------------------------------------------------------------------------------------------
class Safetensors(Format):
    """Half of the damage is to the JSON: of the head, or of the document inside it."""

    name = "m.safetensors"

    def mutate(self, rng):
        if rng.integers(3) == 0:
            return super().mutate(rng)
        size = int.from_bytes(self.sound[:8], "little")
        header, body = json.loads(self.sound[8:8 + size]), self.sound[8 + size:]
        within = header["__metadata__"]
        if "document" in within and rng.integers(4):
            within["document"] = altered(rng, json.loads(within["document"]))
            text = json.dumps(header)
        elif rng.integers(4) == 0:
            text = self.exchanged(rng, header)
        else:
            text = altered(rng, header)
        return len(text.encode()).to_bytes(8, "little") + text.encode() + body

    @staticmethod
    def exchanged(rng, header):
        """Two tensors in each other's place."""
        a, b = rng.choice([name for name in header if name != "__metadata__"], 2, replace=False)
        header[a], header[b] = header[b], header[a]
        return json.dumps(header)


class Model(Safetensors):
    """What is loaded is a model that predicts, or whose layer says, with its name, why not."""

    def make(self):
        model = fresh()
        model.fit(X, Y, batch_size=8, epochs=1, verbose=0)
        model.save(self.path)
        return self.path.read_bytes()

    def load(self):
        model = load_model(self.path)
        try:
            assert model.built and model.predict(X, verbose=0).shape[0] == 24, "a model that is not whole"
        except (TypeError, ValueError) as error:       # of a registered function that is none of one tensor
            assert getattr(error, "__notes__", ()), f"no layer is named: {error!r}"


class Weights(Safetensors):
    """All weights are as they were, or all are the file's."""

    def make(self):
        self.model = fresh()
        self.model.fit(X, Y, batch_size=8, epochs=1, verbose=0)
        self.model.save_weights(self.path)
        return self.path.read_bytes()

    def load(self):
        before = state_of(self.model)
        try:
            self.model.load_weights(self.path)
        except ValueError:
            assert state_of(self.model) == before, "a refused file has changed the model"
            raise
        assert self.model.predict(X, verbose=0).shape == (24, 1)


class Checkpoint(Safetensors):
    """Training goes on from it, or the model, its optimizer and the random state are as they were."""

    def make(self):
        self.model = fresh(77)
        with contextlib.suppress(Stopped):
            fresh().fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=self.callbacks(5), resume=self.path)
        return self.path.read_bytes()

    def callbacks(self, after):
        return [callbacks.EarlyStopping("loss", patience=9, restore_best_weights=True),
                callbacks.BackupAndRestore(self.path.parent / "backup", save_freq=1), Stop(after)]

    def load(self):
        before = state_of(self.model)
        try:
            self.model.fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=self.callbacks(99), resume=self.path)
        except ValueError as error:
            if not getattr(error, "__notes__", ()):     # which name epoch and batch: it went on, with NaN weights, say
                assert state_of(self.model) == before, "a refused file has changed the model"
                raise
        self.model = fresh(77)


# -- data -------------------------------------------------------------------------------------------------------------
class Npz(Format):
    """Half of the damage is to one member, or to the head of its array, in an archive that is sound."""

    name = "d.npz"

    def make(self):
        rng = np.random.default_rng(0)
        shapes = {"x": (28, 28), "y": ()}
        self.arrays = {f"{letter}_{part}": rng.integers(0, 256, (n, *shapes[letter]), dtype=np.uint8)
                       for part, n in (("train", 3), ("test", 2)) for letter in "xy"}
        file = io.BytesIO()
        np.savez_compressed(file, **self.arrays)
        return file.getvalue()

    def mutate(self, rng):
        if rng.integers(2):
            return super().mutate(rng)
        file, chosen = io.BytesIO(), rng.choice(list(self.arrays))
        with zipfile.ZipFile(file, "w", (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)[rng.integers(2)]) as archive:
            for name, array in self.arrays.items():
                member = io.BytesIO()
                np.save(member, array)
                content = member.getvalue()
                if name == chosen:
                    content = damaged(rng, content[:128]) + content[128:] if rng.integers(2) else damaged(rng, content)
                archive.writestr(f"{name}.npy", content)
        return file.getvalue()

    def load(self):
        (x, y), _ = datasets.mnist.load_data(self.path)
        assert x.shape[1:] == (28, 28) and x.shape[:1] == y.shape


class Npy(Format):
    """Half of the damage is to the head."""

    name = "d.npy"

    def make(self):
        file = io.BytesIO()
        np.save(file, np.arange(12, dtype=np.float32).reshape(3, 4))
        return file.getvalue()

    def mutate(self, rng):
        return super().mutate(rng) if rng.integers(2) else damaged(rng, self.sound[:128]) + self.sound[128:]

    def load(self):
        samples = data.to_predict([str(self.path)], (4,))
        assert samples.x.shape[1:] == (4,) and samples.x.nbytes <= 8 * self.path.stat().st_size


class Csv(Format):
    """A third of the damage exchanges whole cells and lines."""

    name = "d.csv"
    cells = ("", "nan", "inf", "1e999", "x", '"', '"a,b"', "-1", "0x1", "1_0", "١", "a\nb", "\0", ",", ";", " 7 ",
             "9" * 400)

    def make(self):
        lines = [f"{row / 7:.3f},{row * row},{-row},{'cat' if row % 2 else 'dog'}" for row in range(6)]
        return "\n".join(["a,b,c,label", *lines, ""]).encode()

    def mutate(self, rng):
        if rng.integers(3):
            return super().mutate(rng)
        lines = [line.split(",") for line in self.sound.decode().split("\n")]
        for _ in range(rng.integers(1, 4)):
            line = lines[rng.integers(len(lines))]
            line[rng.integers(len(line))] = self.cells[rng.integers(len(self.cells))]
        encoding = ("utf-8", "utf-8", "utf-16", "utf-8-sig")[rng.integers(4)]
        return "\n".join(map(",".join, lines)).encode(encoding)

    def load(self):
        train, test = data.training([str(self.path)])
        for part in (train, test):
            assert part.x.ndim == 2 and np.isfinite(part.x).all() and part.y.shape == part.x.shape[:1]
            assert part.names is None or part.y.max() < len(part.names)


class Idx(Format):
    name = "d.idx"

    def make(self):
        return bytes([0, 0, 0x0B, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4]) + np.arange(24, dtype=">i2").tobytes()

    def load(self):
        array = datasets.load_idx(self.path)
        assert array.dtype.isnative and array.nbytes <= 1032 * self.path.stat().st_size


class GzippedIdx(Idx):
    """Half of the damage is inside sound gzip."""

    name = "d.idx.gz"

    def make(self):
        self.inner = super().make()
        return gzip.compress(self.inner, mtime=0)

    def mutate(self, rng):
        return gzip.compress(damaged(rng, self.inner), 1, mtime=0) if rng.integers(2) else super().mutate(rng)


FORMATS = {"model": Model, "weights": Weights, "checkpoint": Checkpoint, "npz": Npz, "npy": Npy, "csv": Csv, "idx": Idx,
           "idx.gz": GzippedIdx}
