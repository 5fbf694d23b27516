"""Ranks that differ, fail, come late or are killed: what is said, that all end, and that training goes on."""
import os
import signal
import time

import pytest

pytest.importorskip("mpi4py", reason="needs the extra mpi")
from ranks import environment, output_of, run

pytestmark = pytest.mark.mpi


@pytest.mark.parametrize(("what", "text"), [
    ("architecture", "weights: "),
    ("optimizer", '"learning_rate": 0.2'),
    ("metrics", "loss, loss_weights and metrics: "),
    ("data", "data: (52, 5) float32, hash "),
    ("batch_size", "batch_size: 16 on rank 0, 8 on rank 1"),
    ("epochs", "epochs: 2 on rank 0, 3 on rank 1"),
])
def test_what_differs_is_named_with_its_ranks(what, text):
    results = run("safety:differing", 3, what)
    assert len(set(results)) == 1
    assert results[0].startswith("DataParallel: all ranks must train the same model in the same way; different are\n")
    assert text in results[0] and "on rank 0" in results[0] and "on rank 1" in results[0]
    assert "on rank 2" not in results[0]


def test_nothing_differs_where_all_is_the_same():
    assert run("safety:differing", 2, "nothing") == ["nothing was raised"] * 2


def test_weights_that_part_are_named():
    expected = ("DataParallel: the weights must be the same on all ranks; behind epoch 1 'bias' on rank 2 differs from "
                "that on rank 0")
    assert run("safety:different_weights", 3) == [expected] * 3


def ended(what, ranks, path, shards=6):
    """(seconds, exit code, standard output, standard error) of a program that something happens to."""
    start = time.monotonic()
    code, out, err = output_of(["-m", "ranks.safety", what, path, shards], ranks)
    return time.monotonic() - start, code, out, err


def test_an_error_on_one_rank_ends_all_with_its_traceback(tmp_path):
    seconds, code, out, err = ended("error", 3, tmp_path / "run")
    assert code != 0 and "trained" not in out and seconds < 30
    assert "rank 1 of 3 failed, which ends all:" in err and "KeyError: 'of rank 1 alone'" in err
    assert "in happen" in err


def test_a_rank_that_does_not_come_is_named(tmp_path):
    _, code, out, err = ended("late", 3, tmp_path / "run")
    assert code != 0 and "trained" not in out
    assert "missing ranks: 1" in err and "waited 3 s for the others" in err


def expected(tmp_path):
    return [one.tobytes() for one in run("safety:resumed", 1, 6, str(tmp_path / "whole"))[0]]


@pytest.mark.parametrize("what", ["killed", "terminated", "full"])
def test_training_goes_on_with_any_number_of_ranks(tmp_path, what):
    path = str(tmp_path / "run")
    _, code, out, err = ended(what, 3, path)
    assert code != 0 and "trained" not in out, err
    assert os.path.exists(path) == (what == "terminated")
    for ranks in (2, 1):
        results = run("safety:resumed", ranks, 6, path)
        assert all([one.tobytes() for one in result] == expected(tmp_path) for result in results)


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1, 2])
def test_a_kill_at_a_random_moment(tmp_path, rank):
    """SIGKILL from outside: mpiexec ends the others within 10 s, and the file goes on; kill_ranks.py does it often."""
    from ranks.kill_ranks import kill
    seconds = kill(str(tmp_path / "run"), rank, 3, 0.3 + 0.25 * rank)
    assert seconds < 10
    result = run("safety:resumed", 2, 6, str(tmp_path / "run"))[0]
    assert [one.tobytes() for one in result] == expected(tmp_path)


def test_sigterm_to_one_process_writes_a_file_too(tmp_path):
    """Without mpiexec and without a distribution."""
    code = ("import os, signal, cytensor as ct\n"
            "from cytensor.callbacks import LambdaCallback\n"
            "ct.set_seed(1); model = ct.Sequential([ct.layers.Dense(1)]); model.compile('adam', 'mse')\n"
            "x = ct.random.normal((40, 3))\n"
            "end = lambda batch, logs: os.kill(os.getpid(), signal.SIGTERM) if batch == 2 and END else None\n"
            "model.fit(x, x[:, :1], batch_size=4, epochs=2, verbose=0, resume='run',\n"
            "          callbacks=LambdaCallback(on_train_batch_end=end))\n"
            "print(model.get_weights()[0].tolist())")
    import subprocess
    import sys

    def ran(end, folder):
        return subprocess.run([sys.executable, "-c", f"END = {end}\n{code}"], cwd=folder, capture_output=True,
                              text=True, env=environment(), timeout=120)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = ran(True, tmp_path / "a")
    assert first.returncode == 128 + signal.SIGTERM and first.stdout == "" and (tmp_path / "a" / "run").exists()
    assert ran(False, tmp_path / "a").stdout == ran(False, tmp_path / "b").stdout != ""
