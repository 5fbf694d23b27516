"""Initializers: distributions by their moments and bounds, seeds, shapes."""
import numpy as np
import pytest

from cytensor import initializers, random
from cytensor.initializers import fans

SHAPE = (400, 300)


def moments(initializer, shape=SHAPE):
    random.set_seed(7)
    values = np.asarray(initializer(shape), np.float64)
    assert values.shape == shape
    return values.mean(), values.std(), values.min(), values.max()


def test_uniform_ones_fill_their_interval():
    limits = {"GlorotUniform": np.sqrt(6 / 700), "HeUniform": np.sqrt(6 / 400), "LecunUniform": np.sqrt(3 / 400),
              "RandomUniform": 0.05}
    for name, limit in limits.items():
        mean, std, low, high = moments(getattr(initializers, name)())
        assert abs(mean) < 5 * limit / np.sqrt(3 * 120000), name
        assert np.isclose(std, limit / np.sqrt(3), rtol=0.01), name
        assert -limit <= low < -0.999 * limit and 0.999 * limit < high <= limit, name


def test_normal_ones_have_their_deviation():
    cut = 2 / 0.8796
    for name, stddev, bound in (("GlorotNormal", np.sqrt(2 / 700), cut), ("HeNormal", np.sqrt(2 / 400), cut),
                                ("LecunNormal", np.sqrt(1 / 400), cut), ("RandomNormal", 0.05, 6)):
        mean, std, low, high = moments(getattr(initializers, name)())
        assert abs(mean) < 5 * stddev / np.sqrt(120000), name
        assert np.isclose(std, stddev, rtol=0.01), name
        assert max(-low, high) <= bound * stddev * 1.001, name
    _, std, low, high = moments(initializers.TruncatedNormal(stddev=1.0))
    assert max(-low, high) <= 2 and np.isclose(std, 0.8796, rtol=0.01)


def test_fixed_ones():
    assert not np.asarray(initializers.Zeros()((2, 3))).any()
    assert np.asarray(initializers.Ones()((2, 3))).all()
    assert (np.asarray(initializers.Constant(2.5)((3,))) == 2.5).all()
    assert np.array_equal(initializers.Identity(2.0)((2, 3)), [[2, 0, 0], [0, 2, 0]])
    for shape in ((6, 4), (4, 6), (2, 3, 4)):
        q = np.asarray(initializers.Orthogonal(seed=1)(shape), np.float64).reshape(-1, shape[-1])
        gram = q @ q.T if q.shape[0] <= q.shape[1] else q.T @ q
        assert np.allclose(gram, np.eye(len(gram)), atol=1e-6)


def test_seeds():
    a = initializers.GlorotUniform(seed=3)
    assert np.array_equal(a(SHAPE), a(SHAPE))
    assert np.array_equal(a(SHAPE), initializers.GlorotUniform(seed=3)(SHAPE))
    b = initializers.GlorotUniform()
    assert not np.array_equal(b(SHAPE), b(SHAPE))
    random.set_seed(1)
    first = np.asarray(b(SHAPE))
    random.set_seed(1)
    assert np.array_equal(first, b(SHAPE))


def test_dtype_and_fans():
    assert initializers.GlorotUniform()((2, 2), dtype="float64").dtype == np.float64
    assert initializers.HeNormal()((2, 2)).dtype == np.float32
    assert fans((3, 5)) == (3, 5) and fans((4,)) == (4, 4) and fans(()) == (1, 1) and fans((2, 2, 3, 5)) == (12, 20)


def test_names_and_functions():
    for name, cls in (("glorot_uniform", initializers.GlorotUniform), ("GlorotUniform", initializers.GlorotUniform),
                      ("he_normal", initializers.HeNormal), ("zeros", initializers.Zeros), ("ones", initializers.Ones),
                      ("random_normal", initializers.RandomNormal), ("uniform", initializers.RandomUniform)):
        assert type(initializers.get(name)) is cls
    mine = lambda shape, dtype=None: np.full(shape, 3.0, dtype)          # noqa: E731
    assert initializers.get(mine) is mine
    with pytest.raises(ValueError, match=r"initializer: unknown name 'glorot'; known are .*; did you mean 'glorot_"):
        initializers.get("glorot")


def test_wrong_arguments():
    for make, message in ((lambda: initializers.VarianceScaling(scale=0), "scale must be a positive number; got 0"),
                          (lambda: initializers.VarianceScaling(mode="fan"), "mode: unknown name 'fan'"),
                          (lambda: initializers.VarianceScaling(distribution="gauss"), "distribution: unknown name"),
                          (lambda: initializers.Identity()((2, 2, 2)), "Identity: the weight must be a matrix"),
                          (lambda: initializers.Orthogonal()((2,)), "Orthogonal: the weight must be a matrix")):
        with pytest.raises(ValueError, match=message):
            make()
