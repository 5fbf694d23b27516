"""The public functions are compiled objects; to their users they are functions: signature, name, pickling, binding."""
import inspect
import pickle

import numpy as np
import pytest

import cyops
import cytensor as ct


def test_derived_functions_behave_as_functions_do():
    assert inspect.signature(ct.add) == inspect.signature(cyops.add)
    assert pickle.loads(pickle.dumps(ct.reshape)) is ct.reshape
    assert (ct.exp.__name__, ct.exp.__module__) == ("exp", "cytensor.ops")
    assert "import cytensor as ct" in ct.exp.__doc__
    for call in (lambda: ct.add([1.0], [2.0]), lambda: ct.add(a=[1.0], b=[2.0]), lambda: ct.add([1.0], b=[2.0]),
                 lambda: ct.add(*[[1.0], [2.0]], out=None)):
        result = call()
        assert type(result) is ct.Tensor and result.tolist() == [3.0]
    out = ct.zeros(1)
    assert ct.add([1.0], [2.0], out=out) is out and out.tolist() == [3.0]

    class Holder:
        double = ct.negative            # a function kept in a class is a method

        def __array__(self, dtype=None, copy=None):
            return np.ones(2, np.float32)

    assert Holder().double().tolist() == [-1.0, -1.0]
    with pytest.raises(TypeError):
        cyops.Derived.__new__(cyops.Derived)()
    with pytest.raises(TypeError, match="needs a subclass of Strided; got <class 'int'>"):
        cyops.Derived(cyops.exp, int, "exp", "mine", "")
    with pytest.raises(TypeError, match="argument b is missing"):
        ct.add(1.0)
    with pytest.raises(TypeError, match="takes a, b, out=None; got 2 positional arguments and the keywords"):
        ct.add(1.0, 2.0, a=3.0)
