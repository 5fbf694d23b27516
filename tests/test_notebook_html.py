"""What notebooks show: the HTML of tensors and models, and the bar of fit."""
import html.parser
import sys
import types

import numpy as np
import pytest

import cytensor as ct
from cytensor import layers, notebook


class Table(html.parser.HTMLParser):
    """The texts of a table's cells by row, the text outside of it, and whether every tag is closed."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.outside, self.open = [], "", []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        if tag != "br":
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "table" in self.open:
            self.rows[-1][-1] += data
        else:
            self.outside += data


# Tensors


def test_a_matrix_is_a_table():
    found = Table(ct.asarray([[1.5, -2.0], [3.0, 40.25]])._repr_html_())
    assert found.rows == [["1.5", "-2."], ["3.", "40.25"]]
    assert found.outside == "Tensor shape=(2, 2) dtype=float32"


def test_a_vector_is_one_row_and_a_view_says_how_it_walks():
    found = Table(ct.arange(12)[::-5]._repr_html_())
    assert found.rows == [["11", "6", "1"]]
    assert found.outside == "Tensor shape=(3,) dtype=int64 offset=11 strides=(-5,)"


@pytest.mark.parametrize("shape", [(), (2, 3, 4), (0,), (0, 3), (3, 0)])
def test_other_ranks_are_text(shape):
    found = Table(ct.ones(shape)._repr_html_())
    assert found.rows == [] and np.array2string(np.ones(shape, np.float32)) in found.outside


def test_the_middle_of_long_axes_is_left_out():
    x = ct.arange(400).reshape((20, 20))
    rows = Table(x._repr_html_()).rows
    assert len(rows) == len(rows[0]) == 13 and rows[6] == ["…"] * 13
    assert [row[6] for row in rows] == ["…"] * 13
    kept = [*range(6), *range(14, 20)]
    assert [[cell for j, cell in enumerate(row) if j != 6] for i, row in enumerate(rows) if i != 6] == [
        [str(20 * i + j) for j in kept] for i in kept]
    assert len(Table(ct.ones((12, 12))._repr_html_()).rows) == 12


def test_a_large_tensor_is_not_walked_through():
    large = ct.broadcast_to(ct.asarray(1.0), (10**9, 10**9))
    assert len(Table(large._repr_html_()).rows) == 13


@pytest.mark.parametrize(("values", "cells"), [
    (np.array([True, False]), ["True", "False"]),
    (np.array([1 + 2j, -3j], np.complex64), ["1.+2.j", "-0.-3.j"]),
    (np.array([np.nan, np.inf, 1e-20], np.float32), ["nan", "inf", "1.e-20"]),
    (np.array(["<b>", "a\nb", "&"]), ["<b>", "a\nb", "&"]),
], ids=["bool", "complex", "float", "str"])
def test_values_of_all_dtypes_are_escaped(values, cells):
    assert Table(ct.asarray(values)._repr_html_()).rows == [cells]


def test_bfloat16_and_variables():
    assert Table(ct.asarray([1.0, 2.0]).astype("bfloat16")._repr_html_()).rows == [["1.", "2."]]
    found = Table(ct.Variable([1.0], name="<w>")._repr_html_())
    assert found.outside.startswith("Variable '<w>' shape=(1,)")


# Models


def test_a_model_is_its_summary():
    model = ct.Sequential([layers.Dense(3, input_shape=(4,), name="a<b"), layers.Dense(2)], name="small")
    found = Table(model._repr_html_())
    assert found.rows == [["Layer (type)", "Output Shape", "Param #"], ["a<b (Dense)", "(None, 3)", "15"],
                          [f"{model.layers[1].name} (Dense)", "(None, 2)", "8"]]
    assert found.outside.startswith("Sequential small") and "Total params: 23 (92.00 B)" in found.outside


def test_a_graph_has_its_connections_and_an_unbuilt_model_its_layers():
    x = layers.Input((4,), name="x")
    a = layers.Dense(4, name="a")(x)
    found = Table(ct.Model(x, layers.Add(name="sum")([a, x]))._repr_html_())
    assert found.rows[0][-1] == "Connected to" and found.rows[-1] == ["sum (Add)", "(None, 4)", "0", "a[0][0], x[0][0]"]
    unbuilt = ct.Sequential([layers.Dense(3, name="d")])
    assert Table(unbuilt._repr_html_()).rows[1] == ["d (Dense)", "?", "0 (unbuilt)"]


# The bar


class Display:
    """IPython's display: what is shown, in place of what was shown before under one handle."""

    def __init__(self):
        self.shown, self.drawn = [], 0

    def __call__(self, thing, display_id=False):
        place = len(self.shown)
        self.shown.append(thing._repr_html_())

        def update(thing):
            self.drawn += 1
            self.shown[place] = thing._repr_html_()
        return types.SimpleNamespace(update=update)


@pytest.fixture
def display(monkeypatch):
    display = Display()
    shell = type("ZMQInteractiveShell", (), {})()
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(display=display))
    return display


def fitted(**options):
    model = ct.Sequential([layers.Dense(2, input_shape=(3,))])
    model.compile("sgd", "mse")
    x, y = np.ones((70, 3), np.float32), np.ones((70, 2), np.float32)
    model.fit(x, y, **options)
    return model, x, y


def test_fit_has_a_bar_for_each_epoch(display, capsys):
    fitted(epochs=2)
    assert capsys.readouterr().out == "Epoch 1/2\nEpoch 2/2\n" and len(display.shown) == 2
    for shown in display.shown:
        assert '<progress value="3" max="3"' in shown and "3/3 0s" in shown and "loss: " in shown
        Table(shown)


def test_no_bar_where_none_is_asked_for(display, capsys):
    model, x, y = fitted(epochs=1, verbose=0)
    assert display.shown == [] and capsys.readouterr().out == ""
    model.evaluate(x, y, verbose=2)
    assert display.shown == [] and capsys.readouterr().out.startswith("3/3 - ")


def test_the_length_of_a_generator_shows_at_the_end(display):
    model, x, y = fitted(verbose=0)
    model.evaluate(((x, y) for _ in range(4)), verbose=1)
    assert '<progress value="4" max="4"' in display.shown[0] and "4/4" in display.shown[0]


def test_a_display_that_fails_does_not_end_a_training(display, monkeypatch):
    def fails(*_, **__):
        raise OSError("gone")

    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(display=fails))
    assert fitted(epochs=2)[0].built


def test_outside_of_a_notebook_there_is_none():
    assert notebook.bar(3) is None
