"""ct.linalg and ct.fft against NumPy, and the gradients that linalg has against differences."""
import numpy as np
import pytest

import cytensor as ct
from cytensor import fft, linalg

RNG = np.random.default_rng(3)
A = RNG.normal(size=(2, 3, 3)) + 3 * np.eye(3)
S = A @ A.transpose(0, 2, 1)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("name", ["cholesky", "det", "eigh", "eigvalsh", "inv", "matrix_rank", "pinv", "qr", "slogdet",
                                  "svd", "svdvals", "diagonal", "trace", "matrix_norm"])
def test_functions_of_a_matrix(name, dtype):
    x = S.astype(dtype)
    got, expected = getattr(ct.linalg, name)(ct.asarray(x)), getattr(np.linalg, name)(x)
    pairs = zip(got, expected, strict=True) if isinstance(expected, tuple) else [(got, expected)]
    for mine, numpys in pairs:
        assert type(mine) is ct.Tensor and mine.dtype == numpys.dtype
        assert np.allclose(mine, numpys, rtol=1e-3 if "4" in dtype or dtype == "float32" else 1e-9, atol=1e-4)
    assert getattr(got, "_fields", None) == getattr(expected, "_fields", None)


def test_functions_with_options_or_two_operands():
    a, b = A[0], A[1]
    for got, expected in ((linalg.solve(a, b), np.linalg.solve(a, b)), (linalg.solve(A, b[0]), None),
                          (linalg.matrix_power(a, -2), np.linalg.matrix_power(a, -2)),
                          (linalg.qr(A[:, :2], mode="complete").Q, np.linalg.qr(A[:, :2], mode="complete").Q),
                          (linalg.svd(A[:, :2], full_matrices=False).Vh, np.linalg.svd(A[:, :2], False).Vh),
                          (linalg.cholesky(S, upper=True), np.linalg.cholesky(S, upper=True)),
                          (linalg.cross(a, b), np.cross(a, b)), (linalg.outer(a[0], b[0]), np.outer(a[0], b[0])),
                          (linalg.vector_norm(a, axis=0, ord=1), np.linalg.vector_norm(a, axis=0, ord=1)),
                          (linalg.vector_norm(A, axis=(0, 2), keepdims=True), None),
                          (linalg.matrix_norm(A, ord="nuc", keepdims=True), np.linalg.norm(A, "nuc", (1, 2), True)),
                          (linalg.diagonal(A, offset=-1), np.diagonal(A, -1, 1, 2)),
                          (linalg.trace(A, offset=1), np.trace(A, 1, 1, 2))):
        if expected is not None:
            assert np.allclose(got, expected)
    assert np.allclose(linalg.solve(A, b[0]), np.linalg.solve(A, b[0][:, None])[..., 0])
    assert np.allclose(linalg.vector_norm(A, axis=(0, 2), keepdims=True),
                       np.sqrt((A * A).sum(axis=(0, 2), keepdims=True)))


@pytest.mark.parametrize("call", [
    linalg.inv, linalg.det, lambda x: linalg.slogdet(x).logabsdet, lambda x: linalg.solve(x, A[1]),
    lambda x: linalg.solve(x, A[1][0]), lambda x: linalg.solve(A, x), lambda x: linalg.cholesky(x @ x.mT),
    lambda x: linalg.cholesky(x @ x.mT, upper=True), linalg.trace, lambda x: linalg.cross(x, A), linalg.vector_norm,
])
def test_gradients(call):
    x, direction = ct.asarray(A), RNG.normal(size=A.shape)
    weights = RNG.normal(size=call(x).shape)
    with ct.GradientTape() as tape:
        tape.watch(x)
        total = (call(x) * weights).sum()
    gradient = np.asarray(tape.gradient(total, x))
    above, below = (float((call(ct.asarray(A + step * direction)) * weights).sum()) for step in (1e-6, -1e-6))
    assert np.isclose((gradient * direction).sum(), (above - below) / 2e-6, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", ["eigvalsh", "pinv", "svdvals"])
def test_a_gradient_that_is_not_here_is_refused_in_words(name):
    x = ct.Variable(S)
    with ct.GradientTape() as tape:
        total = getattr(linalg, name)(x).sum()
    with pytest.raises(NotImplementedError, match=f"linalg.{name} has no gradient here"):
        tape.gradient(total, x)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: linalg.inv(np.zeros((2, 2))), "inv: Singular matrix"), (lambda: linalg.det([1.0]), "det: needs matrices"),
    (lambda: linalg.inv(np.ones((2, 3))), "inv: "), (lambda: linalg.qr(A, mode="r"), "qr: mode must be"),
    (lambda: linalg.cross([1.0], [2.0]), "cross: needs vectors of 3"), (lambda: linalg.outer(A, A), "outer: needs vec"),
    (lambda: fft.fft(A, n=0), "fft: "), (lambda: fft.fftfreq(0), "fftfreq: n must be"),
    (lambda: fft.fft(A, norm="x"), "fft: "),
])
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("name", fft.__all__)
def test_transforms(name, dtype):
    if name.endswith("freq"):
        assert np.allclose(getattr(fft, name)(5, d=0.5), getattr(np.fft, name)(5, d=0.5))
        return
    x = A.astype(dtype)
    if name in ("rfft", "rfftn", "ihfft") and "complex" in dtype:
        with pytest.raises(TypeError, match="needs real numbers"):
            getattr(fft, name)(x)
        return
    got, expected = getattr(fft, name)(ct.asarray(x)), getattr(np.fft, name)(x)
    assert type(got) is ct.Tensor and got.dtype == expected.dtype and np.allclose(got, expected, rtol=1e-5)
