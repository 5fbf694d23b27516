"""out=: one rule for every op that takes it. Shape equal, dtype able to hold the result's, overlap allowed."""
import numpy as np
import pytest

import cyops

# name: (operands, what numpy makes of them), for operands of the dtype asked for
CALLS = {
    "add": (lambda a: (a, a), np.add), "exp": (lambda a: (a,), np.exp), "clip": (lambda a: (a, 1, 2), np.clip),
    "matmul": (lambda a: (a, a), np.matmul), "einsum": (lambda a: ("ij,kj->ik", a, a), np.einsum),
    "dot": (lambda a: (a, a), np.dot), "sum": (lambda a: (a, 0), np.sum), "mean": (lambda a: (a, 0), np.mean),
    "prod": (lambda a: (a, 0), np.prod), "max": (lambda a: (a, 0), np.max), "min": (lambda a: (a, 1), np.min),
    "var": (lambda a: (a, 0), np.var), "std": (lambda a: (a, 0), np.std), "take": (lambda a: (a, [1, 0], 0), np.take),
    "argmax": (lambda a: (a, 0), np.argmax), "argmin": (lambda a: (a, 1), np.argmin), "any": (lambda a: (a, 0), np.any),
    "all": (lambda a: (a, 0), np.all), "equal": (lambda a: (a, a), np.equal),
}
VALUES = np.array([[1, 2, 3], [3, 1, 1], [0, 2, 2]])


def expected(name, dtype):
    operands, reference = CALLS[name]
    with np.errstate(all="ignore"):
        return operands(VALUES.astype(dtype)), reference(*operands(VALUES.astype(np.float64)))


def test_every_op_with_out_is_here():
    takes_out = {name for name, op in cyops.OPS.items() if "out" in op.parameters}
    elementwise = {op.__name__ for op in cyops.elementwise.ELEMENTWISE}
    assert takes_out - elementwise == set(CALLS) - elementwise


@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_dtype_that_can_hold_the_result_takes_it(name):
    for dtype in ("float32", "int64"):
        operands, values = expected(name, dtype)
        for wanted in ("float64", "float32", "float16"):
            out = cyops.zeros(values.shape, wanted)
            assert getattr(cyops, name)(*operands, out=out) is out
            eps = max(np.finfo(wanted).eps, np.finfo("float32").eps)      # float32 is what it computes in
            assert np.allclose(out, values, rtol=4 * eps), (name, dtype, wanted)


@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_dtype_that_cannot_hold_it_another_shape_and_no_tensor_are_refused(name):
    operands, values = expected(name, "float32")
    kind = "bool" if name in ("any", "all", "equal") else "int64" if name.startswith("arg") else "float32"
    for out, error, message in (
        (cyops.zeros(values.shape, "int8" if kind == "float32" else "S4" if kind == "bool" else "bool"), TypeError,
         f"{name}: out of dtype .* cannot hold a result of dtype {kind}; cast the result with astype"),
        (cyops.zeros((7, *values.shape), kind), ValueError,
         rf"{name}: out must have the shape of the result; got out \(7, .*result \("),
        (np.zeros(values.shape, kind), TypeError, f"{name}: out must be a tensor; got ndarray"),
    ):
        before = np.array(out)
        with pytest.raises(error, match=message):
            getattr(cyops, name)(*operands, out=out)
        assert np.array_equal(out, before)


@pytest.mark.parametrize("name", sorted(set(CALLS) - {"argmax", "argmin", "any", "all", "equal"}))
def test_an_out_that_overlaps_an_operand_is_computed_as_if_it_did_not(name):
    operands, reference = CALLS[name]
    x = cyops.asarray(np.array(VALUES, np.float64))
    values = reference(*operands(np.array(VALUES, np.float64)))
    out = x[: values.shape[0]] if values.ndim == 2 else x[1]
    getattr(cyops, name)(*operands(x), out=out)
    assert np.allclose(out, values, rtol=1e-15)


def test_a_read_only_out_and_one_of_stride_0_are_refused():
    for name in sorted(set(CALLS) - {"argmax", "argmin", "any", "all", "equal"}):
        operands, values = expected(name, "float64")
        repeated = cyops.broadcast_to(cyops.zeros((), "float64"), values.shape)
        with pytest.raises(ValueError, match=f"{name}: axis 0 of the tensor has stride 0"):
            getattr(cyops, name)(*operands, out=repeated)
        with pytest.raises(ValueError, match=f"{name}: the tensor is read-only"):
            getattr(cyops, name)(*operands, out=read_only(values.shape))


def read_only(shape):
    array = np.zeros(shape)
    array.flags.writeable = False
    return cyops.asarray(array)
