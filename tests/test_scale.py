"""The model of the cost: what it must give where the answer is known, and the simulation beside it."""
import math

import numpy as np
import pytest

from benchmarks import scale
from cytensor.cli import main
from cytensor.distribution.cost import Network, Work, fitted, network_of


def test_the_sum_costs_what_its_bytes_and_messages_cost():
    network = Network(1e-6, 1e-9)
    assert network.all_reduce(1e6, 1) == 0.0
    assert network.all_reduce(1e6, 2) == pytest.approx(2e-6 + 1e-3)
    assert network.all_reduce(1e6, 1024) == pytest.approx(20e-6 + 2 * 1023 / 1024 * 1e-3)
    found = network_of([(size, network.all_reduce(size, 3)) for size in (1e3, 1e4, 1e6)], 3)
    assert (found.latency, found.seconds_a_byte) == pytest.approx((1e-6, 1e-9))


def test_a_step_is_its_parts():
    network = Network(0.0, 1e-9)
    work = Work(1e-3, 1e-4, 4e6)
    assert work.step(100, 1, network) == pytest.approx(11e-3)
    assert work.step(100, 2, network) == pytest.approx(6e-3 + 4e-3)
    hidden = Work(1e-3, 1e-4, 4e6, overlap=0.5)
    assert hidden.step(100, 2, network) == pytest.approx(6e-3 + 1e-3)
    assert Work(1e-3, 1e-4, 4e6, 1.0).step(100, 2, network) == pytest.approx(6e-3)


@pytest.mark.parametrize("ranks", [1, 2, 4, 64, 1024])
def test_the_simulation_agrees_with_the_model(ranks):
    """The expected largest of N normal times, to 1 %."""
    work, network = Work(0.0, 1.0, 8.0, spread=0.1), Network(0.01, 0.01)
    assert scale.simulated(work, ranks, ranks, network, steps=4000) == pytest.approx(
        work.step(ranks, ranks, network), rel=0.01)


def test_stragglers_and_failures_cost_what_they_must():
    work, network = Work(0.0, 1.0, 0.0), Network(0.0, 0.0)
    expected = 1 + 4 * (1 - 0.99**10)
    assert scale.simulated(work, 10, 10, network, steps=20_000, slow=0.01) == pytest.approx(expected, rel=0.02)
    slower = scale.simulated(work, 10, 10, network, steps=100_000, failure=10_000.0, restart=5.0, checkpoint=10.0)
    assert slower == pytest.approx(1 + 10 / 10_000 * 10, rel=0.005)


def test_where_it_stops_paying():
    work, network = Work(0.0, 1e-3, 1e6), Network(1e-3, 0.0)
    best = scale.pays_until(work, 256, network)
    times = {ranks: work.step(256, ranks, network) for ranks in (1, 2, 4, 8, 16, 32, 64, 128, 256)}
    assert times[best] == min(times.values()) and 1 < best < 256


def test_fitting_ignores_no_small_value():
    source = np.random.default_rng(0)
    points = [(x, (2e-6 + 3e-9 * x) * source.normal(1, 0.01)) for x in np.geomspace(10, 1e7, 40)]
    first, each = fitted(points)
    assert math.isclose(first, 2e-6, rel_tol=0.05) and math.isclose(each, 3e-9, rel_tol=0.05)


def test_the_command_prints_rates(capsys):
    assert main(["measure"]) == 0
    out = capsys.readouterr().out
    assert "1 process of" in out and "matrix products, GFLOP/s" in out and "GB/s" in out


@pytest.mark.mpi
def test_the_command_measures_the_sums_of_all_processes():
    pytest.importorskip("mpi4py", reason="needs the extra mpi")
    from ranks import output_of
    code, out, err = output_of(["-m", "cytensor", "measure", "--distributed"], 2)
    assert code == 0, err
    assert out.count("the slowest of 2 processes") == 1 and "sum of 1,048,576 bytes" in out
    assert "latency of a message" in out
