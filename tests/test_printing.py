"""What is printed where the output has few characters, or nobody reads it."""
import os
import subprocess
import sys

import pytest

from cytensor.printing import printable

FIT = """
import numpy as np, cytensor as ct
layer = ct.layers.Dense(2, name="d\\u00e9tecteur", input_shape=(3,))
inner = ct.Sequential([ct.layers.Dense(3)], name="inner")
model = ct.Sequential([layer, inner])
model.summary(expand_nested=True)
model.compile("sgd", "mse", metrics=[ct.metrics.MeanAbsoluteError(name="\\u00e9cart \\u0394")])
x, y = np.ones((70, 3), np.float32), np.ones((70, 3), np.float32)
saving = ct.callbacks.ModelCheckpoint("mod\\u00e8le-\\u0394.safetensors", verbose=1)
model.fit(x, y, epochs=2, verbose=1, callbacks=[saving])
model.evaluate(x, y, verbose=2)
model.predict(x, verbose=1)
"""


def run(code, folder, encoding):
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    return subprocess.run([sys.executable, "-c", code], env=environment, cwd=folder, capture_output=True, timeout=120)


@pytest.mark.parametrize(("encoding", "line", "name"), [
    ("ascii", b"+====", b"d\\xe9tecteur"), ("cp1252", b"+====", b"d\xe9tecteur"), ("utf-8", "┏━━━━".encode(), None)])
@pytest.mark.slow
def test_training_prints_on_every_encoding(encoding, line, name, tmp_path):
    ran = run(FIT, tmp_path, encoding)
    assert ran.returncode == 0 and not ran.stderr, ran.stderr
    assert line in ran.stdout and b"\r" not in ran.stdout.replace(b"\r\n", b"\n")
    assert (name or "détecteur".encode()) in ran.stdout and ran.stdout.count(b"Epoch 2/2 - 3/3 - ") == 1
    ran.stdout.decode(encoding)


def test_text_is_changed_only_where_it_must_be():
    class File:
        encoding = "ascii"

    assert printable("┏━┓ a → b…", File) == "+=+ a -> b..."
    assert printable("plain", File) == "plain" and printable("Δ", File) == "\\u0394"
    File.encoding = None
    assert printable("┏━┓", File) == "┏━┓"
    File.encoding = "cp437"                        # which has most lines, but none this bold
    assert printable("│ ┏", File) == "| +"


@pytest.mark.skipif(os.name != "posix", reason="needs pipes of a shell")
@pytest.mark.parametrize("arguments", ["info", "--help", "train --samples 200 --epochs 2", "train --help", ""])
@pytest.mark.slow
def test_the_command_ends_quietly_when_nobody_reads_on(arguments):
    program = f"'{sys.executable}' -u -m cytensor {arguments}"
    ran = subprocess.run(["bash", "-c", f"{program} | head -n 1"], capture_output=True, text=True, timeout=120)
    assert ran.stderr == "" and len(ran.stdout.splitlines()) == 1


@pytest.mark.skipif(os.name != "posix", reason="needs pipes of a shell")
@pytest.mark.slow
def test_training_goes_on_when_nobody_reads(tmp_path):
    code = """
import numpy as np, cytensor as ct, sys
model = ct.Sequential([ct.layers.Dense(1)])
model.compile("sgd", "mse")
history = model.fit(np.ones((8, 2)), np.ones((8, 1)), epochs=50, verbose=1)
open("done", "w").write(str(len(history.epoch)))
"""
    subprocess.run(["bash", "-c", f"'{sys.executable}' -c \"$CODE\" | head -n 1"], cwd=tmp_path, timeout=120,
                   env={**os.environ, "CODE": code}, capture_output=True)
    assert (tmp_path / "done").read_text() == "50"


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs pipes of a shell")
def test_a_summary_that_nobody_reads_ends_no_program(tmp_path):
    code = """
import cytensor as ct
model = ct.Sequential([ct.layers.Input((4,)), *(ct.layers.Dense(4) for _ in range(400))])
for _ in range(20):
    model.summary()
open("done", "w").close()
"""
    ran = subprocess.run(["bash", "-c", f"'{sys.executable}' -c \"$CODE\" | head -n 1"], cwd=tmp_path, timeout=120,
                         env={**os.environ, "CODE": code}, capture_output=True, text=True)
    assert (tmp_path / "done").exists() and ran.stdout == 'Model: "sequential"\n' and ran.stderr == ""
