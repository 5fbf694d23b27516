"""Every row of tests/bad_input: the exception and its text, and nothing that the expression names has changed.

`python tests/test_bad_input_table.py EXPRESSION` prints the row of an expression.
"""
import sys
import tempfile
import warnings

import numpy as np
import pytest
from bad_input import ARROW, agrees, files, names, outcome, prepare, public_names, reasons, rows

import cyops


def state(given):
    """What a refused call must leave as it was: the bits of each tensor and array, and the weights of the models."""
    tensors = {name: np.asarray(value).tobytes() for name, value in given.items()
               if isinstance(value, (cyops.Strided, np.ndarray))}
    return tensors, *[[weight.tobytes() for weight in given[name].get_weights()] for name in ("model", "plain")]


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path)
    threads = cyops.get_num_threads()
    yield
    cyops.set_num_threads(threads)


@pytest.mark.parametrize("name", files())
def test_every_row_gives_what_it_says(prepared, name):
    wrong = []
    for row in rows(name):
        given = names()
        before = state(given)
        got = outcome(row.expression, given)
        if not agrees(got, row.expected):
            wrong.append(f"{row.place}\n  {row.expression}\n  expected  {row.expected}\n  got       {got}")
        elif not got.startswith("allowed") and state(given) != before:
            wrong.append(f"{row.place}\n  {row.expression}\n  changed what it was given")
    assert not wrong, "\n".join(wrong)


def test_there_are_enough_rows_and_none_twice():
    expressions = [row.expression for name in files() for row in rows(name)]
    assert len(expressions) == len(set(expressions)) >= 300


def test_every_public_callable_has_a_row_or_a_reason():
    """Under one of the names that a user may write."""
    text, given = "\n".join(row.expression for name in files() for row in rows(name)), reasons()
    missing = {min(aliases) for aliases in public_names().values() if not any(f"{name}(" in text for name in aliases)}
    assert missing == set(given)


def test_messages_are_sentences_with_a_rule_and_values():
    """`op: rule; got values`: those of ours name something before a colon, and none is empty."""
    texts = [row.expected.partition(": ") for name in files() for row in rows(name)]
    assert all(kind and text for kind, _, text in texts)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        prepare(folder)
        for expression in sys.argv[1:]:
            print(expression, outcome(expression, names()), sep=ARROW)
