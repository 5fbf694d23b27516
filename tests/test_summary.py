"""The table of `model.summary()`: Keras's, character by character, but for cells that Keras would break."""
import os

import pytest

import cytensor as ct

CASES = {
    "plain": {},
    "length": {"line_length": 60},
    "nested": {"expand_nested": True},
    "trainable": {"show_trainable": True, "line_length": 120},
    "positions": {"positions": [0.4, 0.7, 1.0]},
    "short": {"positions": (0.3, 0.5, 0.7), "line_length": 70},
    "range": {"layer_range": ("drop", "last")},
    "turned": {"layer_range": ["last", "inner"]},
    "pattern": {"layer_range": ("d.*", "d.*")},
}

EXPECTED = """\
Model: "model"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ inner (Sequential)              │ (None, 30)             │         1,080 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│    └ dense (Dense)              │ (None, 30)             │           150 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│    └ dense_1 (Dense)            │ (None, 30)             │           930 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ drop (Dropout)                  │ (None, 30)             │             0 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ last (Dense)                    │ (None, 20)             │           620 │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 1,700 (6.64 KB)
 Trainable params: 1,080 (4.22 KB)
 Non-trainable params: 620 (2.42 KB)"""


@pytest.fixture(autouse=True)
def _terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def model(library):
    layers = library.layers
    inner = library.Sequential([layers.Dense(30, name="dense"), layers.Dense(30, name="dense_1")], name="inner")
    made = library.Sequential([layers.Input((4,)), inner, layers.Dropout(0.5, name="drop"),
                               layers.Dense(20, name="last")], name="model")
    made.layers[-1].trainable = False
    return made


def text(library, **options):
    texts = []
    model(library).summary(print_fn=texts.append, **options)
    return "".join(texts).rstrip("\n")


def test_table(capsys):
    assert text(ct, expand_nested=True) == EXPECTED
    model(ct).summary(expand_nested=True)
    assert capsys.readouterr().out == EXPECTED + "\n"


@pytest.mark.parametrize("case", CASES)
def test_as_keras(case, monkeypatch):
    os.environ.setdefault("KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras", reason="Keras is not installed")
    monkeypatch.setenv("COLUMNS", str(CASES[case].get("line_length", 80)))
    assert text(ct, **CASES[case]) == text(keras, **CASES[case])


def test_trainable_and_wide_cells():
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text(ct, show_trainable=True).splitlines()
            if line.startswith("│")]
    assert rows == [["inner (Sequential)", "(None, 30)", "1,080", "Y"], ["drop (Dropout)", "(None, 30)", "0", "-"],
                    ["last (Dense)", "(None, 20)", "620", "N"]]
    assert "│ inner (Sequential) │" in text(ct, line_length=30)


def test_range_by_names():
    for case, shown in (("range", ["drop", "last"]), ("turned", ["inner", "drop", "last"]), ("pattern", ["drop"])):
        found = text(ct, **CASES[case])
        assert [name for name in ("inner", "drop", "last") if f"│ {name} (" in found] == shown


def test_before_a_model_is_built_and_of_a_subclass():
    texts = []
    ct.Sequential([ct.layers.Dense(3)]).summary(print_fn=texts.append)
    assert "dense (Dense)" in texts[0] and "?" in texts[0] and "0 (unbuilt)" in texts[0]

    class Own(ct.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = ct.layers.Dense(3), ct.layers.Dense(2)

        def call(self, x):
            return self.second(self.first(x))

    own = Own()
    own([[1.0, 2.0, 3.0, 4.0]])
    own.summary(print_fn=texts.append)
    assert "dense_1 (Dense)" in texts[1] and "Total params: 23" in texts[1]


@pytest.mark.parametrize(("options", "message"), [
    ({"layer_range": ("drop",)}, r"summary: layer_range must be two layers' names; got \('drop',\)"),
    ({"layer_range": (0, 1)}, "summary: layer_range must be two layers' names"),
    ({"layer_range": ("first", "last")}, "must name layers of the model; .* layers inner, drop, last"),
    ({"positions": [0.5, 1.0]}, "summary: positions must be one for each of 3 columns"),
    ({"line_length": 9}, "summary: columns must be 4 characters wide at least; got line_length 9"),
])
def test_wrong_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        model(ct).summary(**options)
