"""Kernels in many threads at once, changes of their number, forks: what ThreadSanitizer looks on at in `make tsan`.

Results are compared as well, so that without it a race that matters may be seen too.
"""
import os
import threading

import numpy as np
import pytest

import cyops
from cyops import threads

A = cyops.Strided(np.random.default_rng(0).standard_normal((256, 256)).astype(np.float32))


def work():
    """Every kind of kernel that shares its work, large enough that it does."""
    logits = cyops.reshape(A, (1024, 64))
    labels = np.arange(1024) % 64
    product = cyops.matmul(A, A)
    return [
        product, cyops.exp(A), cyops.sum(A, axis=0), cyops.argmax(A, axis=1), cyops.softmax(logits), cyops.var(A),
        cyops.softmax_cross_entropy(logits, labels), cyops.take(A, labels[:200], axis=0), cyops.astype(A, "float64"),
        cyops.gather_rows(A, labels[:200]), cyops.copy(cyops.permute_dims(A)),
        *cyops.dense_backward(A, A, A, product),
    ]


@pytest.fixture
def four_threads():
    with cyops.set_num_threads(4):
        yield


def as_arrays(results):
    return [np.array(np.asarray(x)) for x in results]


def assert_same(results, expected):
    for got, wanted in zip(results, expected, strict=True):
        np.testing.assert_array_equal(np.asarray(got), wanted)


def in_threads(count, function):
    """Runs `function(number)` in as many threads, and raises what one of them raised."""
    errors = []

    def guarded(number):
        try:
            function(number)
        except BaseException as error:
            errors.append(error)

    started = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for one in started:
        one.start()
    for one in started:
        one.join()
    if errors:
        raise errors[0]


def test_kernels_in_several_threads_give_what_they_give_alone(four_threads):
    with cyops.set_num_threads(1):
        expected = as_arrays(work())
    in_threads(4, lambda _: [assert_same(work(), expected) for _ in range(3)])


def test_the_number_of_threads_changes_while_kernels_run(four_threads):
    expected = as_arrays(work())

    def change_or_work(number):
        for i in range(6):
            if number == 0:
                cyops.set_num_threads(1 + i % 4)
            assert_same(work(), expected)

    in_threads(3, change_or_work)


def test_steps_of_other_parameters_at_the_same_time(four_threads):
    parameters = [cyops.ones(300_000) for _ in range(3)]

    def step(number):
        for _ in range(4):
            cyops.sgd_step(parameters[number], cyops.ones(300_000), 0.125)

    in_threads(3, step)
    assert all(set(parameter.tolist()) == {0.5} for parameter in parameters)


def test_the_cache_is_emptied_and_its_limit_set_while_tensors_come_and_go(four_threads):
    limit = cyops.memory_stats()["limit"]

    def churn(number):
        for i in range(50):
            if number == 0:
                cyops.empty_cache()
                cyops.set_cache_limit(i << 16)
            assert float(cyops.sum(cyops.ones((50, i + 1)))) == 50 * (i + 1)

    try:
        in_threads(4, churn)
    finally:
        cyops.set_cache_limit(limit)


def test_workers_that_sleep_are_woken(four_threads):
    expected = as_arrays(work())
    for _ in range(3):
        threading.Event().wait(0.02)                # longer than workers look for the next job
        assert_same(work(), expected)
    assert threads.count_workers() >= 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_computes_after_a_fork(four_threads):
    expected = as_arrays(work())
    child = os.fork()
    if child == 0:
        try:
            assert_same(work(), expected)
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert_same(work(), expected)
    assert os.waitpid(child, 0)[1] == 0
