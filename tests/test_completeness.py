"""Adding an op takes a row, a rule, a sample, a benchmark: these tests fail when one is missing."""
import sys
from pathlib import Path

import pytest
from samples import RECORDED_ONLY, SAMPLES

import cyops
import cytensor as ct
from cytensor.autodiff import gradients  # noqa: F401 - fills the registry
from cytensor.autodiff.rules import NO_GRADIENT, RULES
from cytensor.composites import COMPOSITES

sys.path.insert(0, str(Path(__file__).parent.parent))
from benchmarks.cases import CASES


def test_every_op_has_a_rule_or_the_mark_that_it_has_no_gradient():
    recorded_as = {"view": "reshape", "squeeze": "reshape", "expand_dims": "reshape",
                   "matrix_transpose": "permute_dims"}
    missing = [name for name in cyops.OPS if recorded_as.get(name, name) not in RULES | dict.fromkeys(NO_GRADIENT)]
    assert missing == []


def test_no_op_has_both():
    assert set(RULES) & NO_GRADIENT == set()


def test_every_op_has_a_sample_and_every_sample_an_op():
    assert set(SAMPLES) == set(cyops.OPS) | set(COMPOSITES) | set(RECORDED_ONLY)
    # in test_tape.py: it needs the softmax before it; in test_custom_gradient.py: it is the user's; test_linalg.py
    tested_elsewhere = {"cross_entropy_of_softmax", "custom_gradient"} | {
        name for name in RULES if name.startswith("linalg_")}
    assert set(RULES) <= set(SAMPLES) | tested_elsewhere


def test_an_op_without_a_gradient_in_its_sample_has_none_in_the_rules():
    wrong = [name for name, sample in SAMPLES.items() if not sample.has_gradient and name in RULES]
    assert wrong == []


def test_every_op_has_a_benchmark_and_every_benchmark_an_op():
    assert set(CASES) == set(cyops.OPS) | set(COMPOSITES)


def test_a_composite_has_no_rule_because_its_parts_have():
    assert set(COMPOSITES) & (set(RULES) | NO_GRADIENT | set(cyops.OPS)) == set()


@pytest.mark.parametrize("name", sorted({*cyops.OPS, *COMPOSITES}))
def test_the_public_function_is_derived_with_its_signature_and_docstring(name):
    import inspect
    import pickle

    function = getattr(ct, name)
    kernel = COMPOSITES.get(name) or cyops.OPS[name].kernel
    assert inspect.signature(function) == inspect.signature(kernel)
    assert "import cytensor as ct" in function.__doc__
    assert pickle.loads(pickle.dumps(function)) is function
