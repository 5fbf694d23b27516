"""Data in files: every row once, in an order that the seed decides, read by whom it concerns, and what is refused."""
import os
import threading
import time

import numpy as np
import pytest
from safetensors.numpy import save_file

import cytensor as ct
from cytensor import layers
from cytensor.data.cutting import Cut
from cytensor.utils import dataset_from_files

ROWS = 1000


def rows(count=ROWS, first=0):
    x = np.arange(first, first + count, dtype=np.float32)[:, None] * np.ones(3, np.float32)
    return x, np.arange(first, first + count) % 7, np.linspace(0.5, 2, count).astype(np.float32)


def write(kind, folder):
    """A dataset's arguments for 1000 rows in three files of a kind."""
    parts = [(0, 300), (300, 1), (301, 699)]
    for number, (first, count) in enumerate(parts):
        x, y, w = rows(count, first)
        if kind in ("npy", "memmap"):
            for name, part in (("x", x), ("y", y), ("w", w)):
                os.makedirs(folder / name, exist_ok=True)
                np.save(folder / name / f"{number}.npy", part)
        elif kind == "safetensors":
            save_file({"pixels": x, "digit": y, "w": w}, folder / f"{number}.safetensors")
        else:
            arrow = pytest.importorskip("pyarrow", reason="needs the extra arrow")
            table = arrow.table({"a": x[:, 0], "digit": y, "b": x[:, 1], "w": w, "c": x[:, 2]})
            if kind == "parquet":
                import pyarrow.parquet
                pyarrow.parquet.write_table(table, folder / f"{number}.parquet", row_group_size=64)
            else:
                import pyarrow.ipc
                with arrow.OSFile(str(folder / f"{number}.arrow"), "wb") as sink, \
                        arrow.ipc.new_file(sink, table.schema) as file:
                    file.write_table(table, max_chunksize=64)
    if kind == "npy":
        return {"x": folder / "x", "y": folder / "y", "sample_weight": folder / "w"}
    if kind == "memmap":
        return {argument: [np.load(folder / name / f"{number}.npy", mmap_mode="r") for number in range(3)]
                for argument, name in (("x", "x"), ("y", "y"), ("sample_weight", "w"))}
    return {"x": folder, "label": "digit", "weight": "w", **({"features": ["pixels"]} if kind == "safetensors" else {})}


KINDS = ("npy", "memmap", "safetensors", "parquet", "arrow")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shuffle", [False, True])
def test_every_row_comes_once_with_its_label_and_weight(tmp_path, kind, shuffle):
    dataset = dataset_from_files(**write(kind, tmp_path), batch_size=64, shuffle=shuffle, memory_limit="20KB")
    assert dataset.rows == ROWS and len(dataset) == 16 and dataset.window_rows < ROWS
    batches = list(dataset)
    assert [len(batch[0]) for batch in batches] == [64] * 15 + [40]
    x, y, w = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    order = x[:, 0].astype(int)
    assert sorted(order) == list(range(ROWS)) and (x == x[:, :1]).all()
    assert (y == order % 7).all()
    first = [rows(count, start)[2] for start, count in ((0, 300), (300, 1), (301, 699))]
    assert (w == np.concatenate(first)[order]).all()
    assert (order == np.arange(ROWS)).all() != shuffle


def test_the_order_is_the_epochs_and_the_seeds(tmp_path):
    given = write("npy", tmp_path)

    def order(epoch, seed):
        dataset = dataset_from_files(given["x"], batch_size=50, seed=seed, memory_limit=10_000)
        dataset.set_epoch(epoch)
        return np.concatenate([batch[0][:, 0] for batch in dataset]).tolist()
    assert order(0, 1) == order(0, 1) != order(1, 1) and order(0, 1) != order(0, 2)
    mixed = np.abs(np.array(order(0, 1)) - np.arange(ROWS))
    assert mixed.mean() > ROWS / 5                     # rows come from all over the files


@pytest.mark.parametrize("kind", ["npy", "parquet"])
@pytest.mark.parametrize("shuffle", [False, True])
def test_ranks_read_their_own_rows_of_the_same_batches(tmp_path, kind, shuffle):
    """What the shards have does not depend on who holds them."""
    dataset = dataset_from_files(**write(kind, tmp_path), batch_size=64, shuffle=shuffle, seed=3, memory_limit="60KB")

    def batches(ranks, shards):
        found = [[] for _ in range(len(dataset))]
        for rank in range(ranks):
            for batch, parts in zip(found, dataset.read(Cut(rank, ranks, shards)), strict=True):
                batch += [(part.start, data[0][:, 0].tolist()) for part, data in parts if part.weight]
        return [[row for _, part in sorted(batch) for row in part] for batch in found]
    expected = batches(1, 4)
    assert sorted(row for batch in expected for row in batch) == list(range(ROWS))
    assert batches(2, 4) == batches(4, 4) == expected
    assert (batches(1, 1) == expected) != shuffle


def test_a_rank_reads_no_rows_of_others(tmp_path, monkeypatch):
    dataset = dataset_from_files(write("npy", tmp_path)["x"], batch_size=64, seed=3, memory_limit="60KB")
    seen, read = [], type(dataset.source).read
    monkeypatch.setattr(type(dataset.source), "read",
                        lambda self, start, stop: seen.append((start, stop)) or read(self, start, stop))
    list(dataset.read(Cut(1, 2, None)))
    assert min(start for start, _ in seen) == 500 and sum(stop - start for start, stop in seen) == 500


def compiled():
    model = ct.Sequential([layers.Input((3,)), layers.Rescaling(1e-3), layers.Dense(7, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def test_fit_evaluate_and_predict_read_them(tmp_path):
    given = write("npy", tmp_path)
    ct.set_seed(0)
    model = compiled()
    files = dataset_from_files(**given, batch_size=64, shuffle=False)
    x, y, w = (np.concatenate(parts) for parts in zip(*files, strict=True))
    ct.set_seed(0)
    other = compiled()
    other.set_weights(model.get_weights())
    one = model.fit(files, epochs=2, verbose=0, validation_data=files)
    two = other.fit(x, y, sample_weight=w, batch_size=64, epochs=2, shuffle=False, verbose=0,
                    validation_data=(x, y, w), validation_batch_size=64)
    assert one.history == two.history
    assert model.evaluate(files, verbose=0) == other.evaluate(x, y, 64, sample_weight=w, verbose=0)
    assert (model.predict(files, verbose=0) == other.predict(x, 64, verbose=0)).all()


def test_interrupted_training_meets_the_same_rows(tmp_path):
    given = write("npy", tmp_path)

    class Stop(Exception):
        pass

    def trained(path, stops):
        ct.set_seed(4)
        model, count = compiled(), [0]

        def stop(batch, logs):
            count[0] += 1
            if stops and count[0] == 22:
                raise Stop
        backup = ct.callbacks.BackupAndRestore(path, save_freq=5, delete_checkpoint=False)
        files = dataset_from_files(**given, batch_size=64, memory_limit="20KB")
        model.fit(files, epochs=3, verbose=0, callbacks=[backup, ct.callbacks.LambdaCallback(on_train_batch_end=stop)])
        return model.get_weights()
    with pytest.raises(Stop):
        trained(tmp_path / "a", True)
    for one, other in zip(trained(tmp_path / "a", False), trained(tmp_path / "b", False), strict=True):
        assert one.tobytes() == other.tobytes()


def test_no_thread_is_left_behind(tmp_path):
    dataset = dataset_from_files(write("npy", tmp_path)["x"], batch_size=10, memory_limit="20KB")
    for _ in zip(dataset, range(3), strict=False):
        pass
    until = time.monotonic() + 10
    while any(thread.name.startswith("cytensor-read") for thread in threading.enumerate()):
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.slow
def test_a_file_larger_than_the_limit_stays_under_it(tmp_path):
    """2 GB, sparse where the file system allows: the process grows by less than the limit."""
    code = ("import numpy as np, resource, sys, cytensor as ct\n"
            "from cytensor.utils import dataset_from_files\n"
            "x = np.lib.format.open_memmap('x.npy', 'w+', np.float32, (2_000_000, 256)); del x\n"
            "model = ct.Sequential([ct.layers.Input((256,)), ct.layers.Dense(1)]); model.compile('sgd', 'mse')\n"
            "model.fit(np.zeros((512, 256), 'float32'), np.zeros((512, 1)), verbose=0)\n"
            "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
            "files = dataset_from_files('x.npy', batch_size=512, memory_limit='200MB')\n"
            "batches = ((x, np.zeros((len(x), 1), 'float32')) for (x,) in files)\n"
            "model.fit(batches, verbose=0)\n"
            "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000)\n")
    import subprocess
    import sys
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 200


# -- what is refused --------------------------------------------------------------------------------------------------
opened = dataset_from_files


def refused(call, kind):
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value).removeprefix("dataset_from_files: ")


def test_files_that_vanish_or_are_truncated_while_they_are_read(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((1000, 10)))
    path = str(tmp_path / "x.npy")
    dataset = dataset_from_files(path, batch_size=10, shuffle=False, memory_limit="10KB")
    batches = iter(dataset)
    next(batches)
    os.truncate(path, 20_000)
    assert "ended at row" in refused(lambda: list(batches), OSError)
    assert refused(lambda: dataset_from_files(path), ValueError).startswith(f"'{path}' is truncated; 1000 rows of 80")
    os.remove(path)
    assert path in refused(lambda: list(dataset), FileNotFoundError)
    assert refused(lambda: dataset_from_files(path), FileNotFoundError) == f"there is no file '{path}'"


def test_what_cannot_be_read_is_named(tmp_path):
    def saved(name, array):
        np.save(tmp_path / name, array)
        return str(tmp_path / name)
    x, y = saved("x.npy", np.zeros((10, 2))), saved("y.npy", np.zeros(9))
    text, scalar = saved("text.npy", np.array(["a"])), saved("scalar.npy", np.float64(1))
    fortran, empty = saved("f.npy", np.asfortranarray(np.zeros((4, 3)))), saved("e.npy", np.zeros((0, 3)))
    (tmp_path / "wrong.npy").write_bytes(b"hello")
    (tmp_path / "wrong.safetensors").write_bytes(b"hello, hello, hello")
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "none").mkdir()
    cases = [
        (lambda: opened(x, y), ValueError, "x, y and sample_weight must have files with the same numbers of rows; got "
                                           "[10], [9]"),
        (lambda: opened([x, fortran]), ValueError, f"'{fortran}' must have its rows one behind the other"),
        (lambda: opened([x, saved("z.npy", np.zeros((3, 5)))]), ValueError, "all files must have rows of"),
        (lambda: opened(text), TypeError, f"'{text}' must hold numbers; got dtype <U1"),
        (lambda: opened(scalar), ValueError, f"'{scalar}' must have a first axis of samples"),
        (lambda: opened(empty), ValueError, "there must be at least one row; the files have none"),
        (lambda: opened(tmp_path / "wrong.npy"), ValueError, f"'{tmp_path / 'wrong.npy'}' must be an .npy"),
        (lambda: opened(tmp_path / "wrong.safetensors"), ValueError, f"'{tmp_path}"),
        (lambda: opened(tmp_path / "notes.txt"), ValueError, f"'{tmp_path / 'notes.txt'}' must end with .npy"),
        (lambda: opened(tmp_path / "none"), ValueError, "x must have files in the folder"),
        (lambda: opened(np.zeros((3, 2))), TypeError, "x must be a file, a folder, a memory-mapped array, or "),
        (lambda: opened(x, label="y"), ValueError, "features, label and weight name columns or tensors"),
        (lambda: opened(x, batch_size=0), ValueError, "batch_size must be a positive integer; got 0"),
        (lambda: opened(x, batch_size=1.5), TypeError, "batch_size must be a positive integer; got 1.5"),
        (lambda: opened(x, memory_limit="much"), ValueError, "memory_limit must be a number of bytes, or one"),
        (lambda: opened(x, memory_limit=100), ValueError, "memory_limit must be at least 2048 bytes for "),
        (lambda: list(opened(x, batch_size=2).read(Cut(0, 4, None))), ValueError, "batch_size must be at least the "),
    ]
    for call, kind, beginning in cases:
        assert refused(call, kind).startswith(beginning)


def test_tables_that_are_no_numbers_are_named(tmp_path):
    arrow = pytest.importorskip("pyarrow", reason="needs the extra arrow")
    import pyarrow.parquet

    def saved(name, **columns):
        pyarrow.parquet.write_table(arrow.table(columns), tmp_path / name)
        return str(tmp_path / name)
    words, holes = saved("w.parquet", a=[1.0], b=["x"]), saved("h.parquet", a=[1.0, None])
    lists = saved("l.parquet", v=[[1.0, 2.0], [3.0, 4.0]], y=[0, 1])
    (tmp_path / "wrong.parquet").write_bytes(b"PAR1 hello PAR1")
    assert refused(lambda: opened(words), TypeError) == f"'{words}' must hold numbers; column 'b' is string"
    assert "no missing values; column 'a' has 1" in refused(lambda: opened(holes), ValueError)
    assert "must have the columns q; it has a, b" in refused(lambda: opened(words, label="q"), ValueError)
    assert "must be a Parquet file" in refused(lambda: opened(tmp_path / "wrong.parquet"), ValueError)
    assert "y and sample_weight are in the parquet files" in refused(lambda: opened(lists, lists), ValueError)
    assert [batch[0].shape for batch in opened(lists, label="y")] == [(2, 2)]
