"""CSVLogger: one table, whatever names the logs of later epochs have."""
import csv

import numpy as np
import pytest
from small_models import Interrupted, classifier, data

from cytensor import callbacks


class Adding(callbacks.Callback):
    """Adds values to the logs of some epochs."""

    def __init__(self, values, fails_at=None):
        self.values, self.fails_at = values, fails_at

    def on_epoch_end(self, epoch, logs=None):
        logs.update(self.values.get(epoch, {}))


class Failing(callbacks.Callback):
    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.epoch:
            raise Interrupted


def rows_of(path, separator=","):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file, delimiter=separator))


def train(path, epochs=1, values=None, append=False, separator=",", **options):
    x, y = data()
    return classifier().fit(x, y, epochs=epochs, verbose=0, **options, callbacks=[
        Adding(values or {}), callbacks.CSVLogger(path, separator, append), *options.pop("more", [])]).history


def test_without_validation_there_are_no_columns_for_it(tmp_path):
    train(tmp_path / "log.csv", 2)
    assert rows_of(tmp_path / "log.csv")[0] == ["epoch", "accuracy", "loss"]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_validation_of_some_epochs(tmp_path, separator):
    path = tmp_path / "log.csv"
    history = train(path, 4, separator=separator, validation_data=data(), validation_freq=2)
    titles, *rows = rows_of(path, separator)
    assert titles == ["epoch", "accuracy", "loss", "val_accuracy", "val_loss"]
    assert [row[0] for row in rows] == ["0", "1", "2", "3"] and all(len(row) == 5 for row in rows)
    assert [row[3:] for row in rows[::2]] == [["NA", "NA"]] * 2
    assert [float(row[4]) for row in rows[1::2]] == history["val_loss"]
    assert [float(row[2]) for row in rows] == history["loss"]


def test_names_that_come_and_go(tmp_path):
    path = tmp_path / "log.csv"
    train(path, 4, {1: {"zeta": 1.0, "beta": 2.0}, 3: {"alpha": [1.0, 2.0], "beta": 3.0}})
    titles, *rows = rows_of(path)
    assert titles == ["epoch", "accuracy", "loss", "beta", "zeta", "alpha"]
    assert [row[3:] for row in rows] == [["NA"] * 3, ["2.0", "1.0", "NA"], ["NA"] * 3, ["3.0", "NA", '"[1.0, 2.0]"']]


def test_appending_keeps_the_columns_of_the_file(tmp_path):
    path = tmp_path / "log.csv"
    train(path, 2, validation_data=data())
    before = rows_of(path)
    train(path, 1, append=True)
    assert rows_of(path)[:3] == before and rows_of(path)[3][3:] == ["NA", "NA"]
    train(path, 1, {0: {"added": 5.0}}, append=True)
    titles, *rows = rows_of(path)
    assert titles == [*before[0], "added"] and [row[-1] for row in rows] == ["NA", "NA", "NA", "5.0"]
    train(path, 1)
    assert len(rows_of(path)) == 2                                         # without append it starts anew
    train(tmp_path / "new.csv", 1, append=True)
    assert rows_of(tmp_path / "new.csv")[0] == ["epoch", "accuracy", "loss"]


def test_a_file_without_titles_is_gone_on_with(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("0,0.5,0.25\n")
    train(path, 1, append=True)
    assert len(rows_of(path)) == 2 and rows_of(path)[0] == ["0", "0.5", "0.25"] and rows_of(path)[1][0] == "0"


@pytest.mark.parametrize("append", [False, True])
def test_a_resumed_run_writes_the_file_of_one_that_was_not_interrupted(tmp_path, append):
    """Interrupted after the checkpoint, when the file has another row and other columns already."""
    values = {2: {"late": 1.0}, 3: {"later": 2.0}}

    def run(name, *more, resume=None):
        path = tmp_path / f"{name}.csv"
        x, y = data()
        classifier().fit(x, y, epochs=5, verbose=0, resume=resume, callbacks=[
            Adding(values), callbacks.CSVLogger(path, append=append), *more])
        return rows_of(path)

    if append:
        for name in ("whole", "parts"):
            train(tmp_path / f"{name}.csv", 2)
    expected = run("whole")
    for epoch in (2, 3):
        with pytest.raises(Interrupted):
            run("parts", Failing(epoch), resume=tmp_path / "checkpoint")
    assert run("parts", resume=tmp_path / "checkpoint") == expected
    assert expected[0][-2:] == ["late", "later"] and np.unique([len(row) for row in expected]).tolist() == [5]
