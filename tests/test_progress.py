"""Progress: the bar's form, plain lines, how often it is drawn, NO_COLOR."""
import io
import os
import re
import struct
import subprocess
import sys
import types

import numpy as np
import pytest

from cytensor import layers
from cytensor.callbacks import EarlyStopping, LambdaCallback, progress
from cytensor.models import Sequential


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def run(monkeypatch, stdout, verbose="auto", **options):
    monkeypatch.setattr("sys.stdout", stdout)
    model = Sequential([layers.Dense(2, input_shape=(3,))])
    model.compile("sgd", "mse", metrics=["mae"])
    x, y = np.ones((70, 3), np.float32), np.ones((70, 2), np.float32)
    model.fit(x, y, epochs=2, verbose=verbose, **options)
    model.evaluate(x, y, verbose=verbose)
    model.predict(x, verbose=verbose)
    return stdout.getvalue()


VALUES = r"loss: \d\.\d{4}(e-\d+)? - mae: \d\.\d{4}(e-\d+)?"


def test_bar_on_a_terminal(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    text = run(monkeypatch, Terminal())
    assert "\x1b[3" not in text                                     # no colour
    screen = [line.split("\r")[-1].rstrip() for line in text.split("\n")]
    bar = "━" * 20
    assert screen[0] == "Epoch 1/2" and screen[2] == "Epoch 2/2"
    for line in (screen[1], screen[3], screen[4]):
        assert re.fullmatch(rf"3/3 {bar} \d+s \d+(us|ms|s)/step - {VALUES}", line), line
    assert re.fullmatch(rf"3/3 {bar} \d+s \d+(us|ms|s)/step", screen[5]), screen[5]


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="this system has no pseudo terminals")
@pytest.mark.slow
def test_a_terminal_that_says_it_has_no_size_shows_the_bar_too():
    code = """
import numpy as np, cytensor as ct
model = ct.Sequential([ct.layers.Dense(2, input_shape=(3,))])
model.compile("sgd", "mse")
model.fit(np.ones((70, 3)), np.ones((70, 2)))
"""
    master, slave = os.openpty()                                    # 0 columns, 0 rows
    subprocess.run([sys.executable, "-c", code], stdout=slave, stderr=subprocess.STDOUT, check=True)
    os.close(slave)
    assert "3/3" in os.read(master, 65536).decode()
    os.close(master)


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="this system has no pseudo terminals")
@pytest.mark.slow
def test_a_narrow_terminal_shows_every_value_when_a_line_is_done():
    fcntl, termios = pytest.importorskip("fcntl"), pytest.importorskip("termios")
    code = """
import numpy as np, cytensor as ct
model = ct.Sequential([ct.layers.Dense(2, input_shape=(3,))])
model.compile("sgd", "mse", metrics=["mae", "mape"])
x, y = np.ones((70, 3)), np.ones((70, 2))
model.fit(x, y, validation_data=(x, y), epochs=2)
model.fit(x, y)
model.predict(x)
model.predict(x[:3])
model.predict(x[:3], verbose=1)
"""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    subprocess.run([sys.executable, "-c", code], stdout=slave, stderr=subprocess.STDOUT, check=True, env=environment)
    os.close(slave)
    text = os.read(master, 65536).decode()
    os.close(master)
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).split("\r") for line in text.split("\r\n")]
    assert max(len(drawn) for line in lines for drawn in line[:-1]) == 60       # what is drawn over stays on one line
    lines = [line[-1].rstrip() for line in lines]
    assert lines[0] == "Epoch 1/2" and lines[2] == "Epoch 2/2" and len(lines) == 8
    number = r"\d+\.\d+(e-\d+)?"
    values = rf" - loss: {number} - mae: {number} - mape: {number}"
    done = "3/3 ━{20} \\d+s \\d+(us|ms|s)/step"
    for line in (lines[1], lines[3]):
        assert re.fullmatch(rf"{done}{values}{values.replace('loss', 'val_loss').replace('ma', 'val_ma')}", line), line
    assert re.fullmatch(rf"{done}{values}", lines[4]), lines[4]     # a single epoch has no title
    assert re.fullmatch(done, lines[5]) and re.fullmatch(done.replace("3/3", "1/1"), lines[6]), lines[5:]


def test_time_left_and_pace(monkeypatch):
    """While it runs, the time that is left; the first step, which warms up, counts only while there is no other."""
    clock = [0.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: clock[0])
    monkeypatch.setenv("NO_COLOR", "1")
    file = Terminal()
    bar = progress.TrainProgress(1, steps=100, epochs=1, file=file)
    bar.on_epoch_begin(0)
    for batch in range(100):
        clock[0] += 10.0 if batch == 0 else 2.0
        bar.on_train_batch_end(batch, {"loss": 1.0})
    bar.on_epoch_end(0, {"loss": 0.5})
    drawn = [line.strip() for line in re.sub("[─━]+", "|", file.getvalue()).split("\r")]
    assert drawn[1].startswith("1/100 | 16:30 10s/step - loss: 1.0000")
    assert drawn[2].startswith("2/100 | 3:16 2s/step - loss: 1.0000")
    assert drawn[99].startswith("99/100 | 2s 2s/step")
    assert drawn[101].startswith("100/100 | 3:28 2s/step - loss: 0.5000") and len(drawn) == 102


def test_colour_on_a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    for value in (None, ""):
        monkeypatch.delenv("NO_COLOR", raising=False) if value is None else monkeypatch.setenv("NO_COLOR", value)
        assert "\x1b[32m" in run(monkeypatch, Terminal())
    monkeypatch.setenv("NO_COLOR", "0")                             # any value means no
    assert "\x1b[32m" not in run(monkeypatch, Terminal())
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b[32m" not in run(monkeypatch, Terminal())


def test_bar_in_a_notebook(monkeypatch):
    """Jupyter's output is no terminal, but a line can be drawn over, where its displays are not to be had."""
    shell = type("ZMQInteractiveShell", (), {})()
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    notebook = io.TextIOWrapper(io.BytesIO(), "utf-8", newline="")
    notebook.getvalue = lambda: (notebook.flush(), notebook.buffer.getvalue().decode())[1]
    text = run(monkeypatch, notebook)
    assert text.startswith("Epoch 1/2\n\r") and "━" * 20 in text and "\x1b[3" not in text
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: None))
    assert "\r" not in run(monkeypatch, io.StringIO())


def test_validation_ends_the_same_line(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    text = run(monkeypatch, Terminal(), validation_split=0.5)
    screen = [line.split("\r")[-1].rstrip() for line in text.split("\n")]
    assert re.search(rf"{VALUES} - val_loss: \S+ - val_mae: \S+$", screen[1])


def test_plain_lines_elsewhere(monkeypatch):
    for verbose in ("auto", 2):
        lines = run(monkeypatch, io.StringIO(), verbose).splitlines()
        assert len(lines) == 4
        for epoch, line in enumerate(lines[:2]):
            assert re.fullmatch(rf"Epoch {epoch + 1}/2 - 3/3 - \d+s - \d+(us|ms|s)/step - {VALUES}", line), line
        assert re.fullmatch(rf"3/3 - \d+s - \d+(us|ms|s)/step - {VALUES}", lines[2])
        assert re.fullmatch(r"3/3 - \d+s - \d+(us|ms|s)/step", lines[3])


def test_a_bar_where_none_can_be_drawn_is_plain_lines(monkeypatch):
    text = run(monkeypatch, io.StringIO(), 1)
    assert "\r" not in text and "\x1b" not in text and len(text.splitlines()) == 4
    assert re.fullmatch(rf"Epoch 2/2 - 3/3 - \d+s - \d+(us|ms|s)/step - {VALUES}", text.splitlines()[1])
    stdout = io.StringIO()
    monkeypatch.setattr("sys.stdout", stdout)
    bar = progress.Progbar(3, interval=0)
    for loss in (1.0, 2.0, 3.0):
        bar.add(1, [("loss", loss)])
    assert "\r" not in stdout.getvalue()
    assert [line.split(" - ")[0] for line in stdout.getvalue().splitlines()] == ["1/3", "2/3", "3/3"]


def test_the_bar_of_predict_ends_full_where_batches_are_computed_together(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    model = Sequential([layers.Dense(2, input_shape=(3,))])
    for samples, steps in ((10000, 313), (33, 2), (5000, 157)):
        for stdout in (Terminal(), io.StringIO()):
            monkeypatch.setattr("sys.stdout", stdout)
            model.predict(np.ones((samples, 3), np.float32), verbose=1)
            last = stdout.getvalue().rstrip().split("\r")[-1]
            assert last.startswith(f"{steps}/{steps} "), last
        counts = []
        counting = LambdaCallback(on_predict_batch_end=lambda batch, logs, counts=counts: counts.append(batch))
        stdout = Terminal()
        monkeypatch.setattr("sys.stdout", stdout)
        model.predict(np.ones((samples, 3), np.float32), verbose=1, callbacks=[counting])
        assert stdout.getvalue().rstrip().split("\r")[-1].startswith(f"{steps}/{steps} ")
        assert counts == list(range(steps))


class Closing(Terminal):
    """An output that fails after so many writes, as a pipe does that nobody reads any longer."""

    def __init__(self, left, error):
        super().__init__()
        self.left, self.error = left, error

    def write(self, text):
        self.left -= 1
        if self.left < 0:
            raise self.error
        return super().write(text)


@pytest.mark.parametrize("verbose", [1, 2])
@pytest.mark.parametrize("left", [0, 1, 3])
@pytest.mark.parametrize("error", [BrokenPipeError(32, "Broken pipe"), OSError(28, "No space left on device"),
                                   ValueError("I/O operation on closed file.")], ids=lambda error: type(error).__name__)
def test_an_output_that_fails_does_not_end_training(monkeypatch, verbose, left, error):
    stdout = Closing(left, error)
    with monkeypatch.context() as patch:
        patch.setattr("sys.stdout", stdout)
        model = Sequential([layers.Dense(2, input_shape=(3,))])
        model.compile("sgd", "mse")
        x, y = np.ones((70, 3), np.float32), np.ones((70, 2), np.float32)
        history = model.fit(x, y, epochs=2, verbose=verbose, callbacks=[EarlyStopping("loss", verbose=1)])
        model.evaluate(x, y, verbose=verbose)
        model.predict(x, verbose=verbose)
        patch.setattr("sys.stdout", None)
        model.fit(x, y, verbose=verbose)
    assert history.epoch == [0, 1]


def test_a_run_inside_a_run_has_lines_of_its_own(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    stdout = Terminal()
    monkeypatch.setattr("sys.stdout", stdout)
    model = Sequential([layers.Dense(2, input_shape=(3,))])
    model.compile("sgd", "mse")
    x, y = np.ones((64, 3), np.float32), np.ones((64, 2), np.float32)
    model.fit(x, y, verbose=1, callbacks=[LambdaCallback(
        on_train_batch_end=lambda batch, logs: batch == 1 and model.evaluate(x, y, 16, verbose=1))])
    shown = [line.split("\r")[-1].strip() for line in stdout.getvalue().split("\n")]
    assert [line.split(" ")[0] for line in shown if line] == ["1/2", "4/4", "2/2"]
    assert "\x1b" not in stdout.getvalue()


def test_silence(monkeypatch):
    assert run(monkeypatch, Terminal(), 0) == "" and run(monkeypatch, io.StringIO(), 0) == ""


def test_plain_characters_where_the_output_has_no_others(monkeypatch):
    class Ascii(Terminal):
        encoding = "ascii"

    monkeypatch.setenv("NO_COLOR", "1")
    text = run(monkeypatch, Ascii())
    assert "=" * 20 in text and text.isascii()


def test_at_most_ten_updates_a_second(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: clock[0])
    bar = progress.TrainProgress(1, steps=1000, epochs=1, file=Terminal())
    drawn = []
    monkeypatch.setattr(bar, "draw", lambda logs, now: drawn.append(now))
    bar.on_epoch_begin(0)
    for batch in range(1000):
        clock[0] += 0.01
        bar.on_train_batch_end(batch, {"loss": 1.0})
    bar.close()
    assert 90 <= len(drawn) <= 101 and min(np.diff(drawn)) >= 0.0999


def test_formats():
    assert [progress.format_value(v) for v in (0.98854, 0.0, 12.5, 1e-4, float("nan"))] == [
        "0.9885", "0.0000", "12.5000", "1.0000e-04", "nan"]
    assert [progress.format_clock(s) for s in (0.4, 59.9, 65, 7207)] == ["0s", "59s", "1:05", "2:00:07"]
    assert [progress.format_pace(s) for s in (2, 0.002, 0.00002)] == ["2s/step", "2ms/step", "20us/step"]


def test_bar_is_closed_after_an_error(monkeypatch):
    stdout = Terminal()
    monkeypatch.setattr("sys.stdout", stdout)
    model = Sequential([layers.Dense(2, input_shape=(3,))])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="same shape"):
        model.fit(np.ones((70, 3)), np.ones((70, 5)), verbose=1)
    assert stdout.getvalue().endswith("\n")


def test_unknown_number_of_steps(monkeypatch):
    stdout = Terminal()
    monkeypatch.setattr("sys.stdout", stdout)
    monkeypatch.setenv("NO_COLOR", "1")
    model = Sequential([layers.Dense(2, input_shape=(3,))])
    model.compile("sgd", "mse")
    model.fit(((np.ones((4, 3)), np.ones((4, 2))) for _ in range(5)), verbose=1)
    assert re.search(r"5/5 ━{20} \d+s", stdout.getvalue().split("\r")[-1])
