"""plots.plot_graph and graph_text: values and derivatives beside those computed by hand and by NumPy."""
import itertools
import re
import shutil

import numpy as np
import pytest

import cytensor as ct
from cytensor import layers
from cytensor.plots import layered


def by_hand(persistent=True):
    """loss = |4 - (w x + b)| for x = 2, w = 3, b = 1."""
    w, b = ct.Variable(3.0), ct.Variable(1.0)
    with ct.GradientTape(persistent=persistent) as tape:
        loss = ct.abs(4.0 - (w * 2.0 + b))
    return tape, {"w": w, "b": b, "loss": loss}


def rows(text):
    """{what stands left: what stands right} of both parts."""
    return dict(re.fullmatch(r"  (.+?) {2,}= (.+)", line).groups() for line in text.splitlines() if line[0] == " ")


def test_the_chain_rule_as_by_hand():
    tape, names = by_hand()
    found = rows(ct.plots.graph_text(tape, names))
    assert (found["w"], found["b"], found["loss = abs(v3)"], found["v2 = add(v1, b)"]) == ("3", "1", "3", "7")
    assert found["d loss / d w"] == "−1 · −1 · 1 · 2 = 2" and found["d loss / d b"] == "−1 · −1 · 1 = 1"
    assert "d loss / d constant" not in found
    assert float(tape.gradient(names["loss"], names["w"])) == 2             # the tape is as it was


def test_a_function_gives_the_same_as_its_tape():
    def loss(w, b):
        return ct.abs(4.0 - (w * 2.0 + b))

    tape, names = by_hand()
    expected = ct.plots.graph_text(tape, names)
    named = ct.plots.graph_text(loss, {"w": 3.0, "b": 1.0})
    assert named == ct.plots.graph_text(loss, [3.0, 1.0])
    assert rows(named)["d output / d w"] == rows(expected)["d loss / d w"]


def test_several_paths_are_added():
    x = ct.Variable(3.0)
    with ct.GradientTape(persistent=True) as tape:
        ct.exp(x)                              # leads nowhere
        y = x * x + 5.0 * x                    # d/dx: 5 over the second product, 2 x = 6 over the first
    found = rows(ct.plots.graph_text(tape, {"x": x}, target=y))
    assert found["d output / d x"] == "1 · 5 + 1 · 6 = 11" and "v1 = multiply(x, x)" in found
    assert not any("exp" in name for name in found)


def test_gradients_of_arrays_are_those_of_numpy():
    random = np.random.default_rng(0)
    x, w = random.normal(size=(5, 3)), random.normal(size=3)
    found = rows(ct.plots.graph_text(lambda x, w: ct.reduce_sum(ct.square(x @ w)), [x, w]))
    expected = 2 * x.T @ (x @ w)
    said = [float(value) for value in found["d output / d w"].replace("−", "-").strip("[]").split(",")]
    np.testing.assert_allclose(said, expected, rtol=1e-3)
    norm = np.linalg.norm(2 * np.outer(x @ w, w))
    assert found["d output / d x"] == f"(5, 3) norm {norm:.4g}"
    assert found["output = sum(v2)"] == f"{np.sum((x @ w) ** 2):.4g}"


def network():
    model = ct.Sequential([layers.Dense(4, "relu"), layers.LayerNormalization(), layers.Dense(2)], name="net")
    model(ct.ones((3, 5)))
    return model


def test_large_graphs_are_folded_by_layer():
    model = network()
    text = ct.plots.graph_text(lambda x: ct.reduce_mean(ct.square(model(x))), [ct.ones((3, 5))], fold=True)
    forward = text.split("backward")[0]
    made = re.findall(r"^  \S+ = (.+)\((\w*)\) +=", forward, re.MULTILINE)
    assert [name for name, _ in made] == [*(f"{layer.name} ({type(layer).__name__})" for layer in model.layers),
                                          "square", "mean"]
    assert made[0][1] == "x" and "kernel" not in forward
    many = ct.Sequential([layers.Dense(3, "tanh") for _ in range(30)])
    assert ct.plots.graph_text(many, [ct.ones((2, 3))]).count("(Dense)") == 30


def test_a_folded_tape_has_fewer_nodes_and_the_same_gradients():
    model = network()
    with ct.GradientTape(persistent=True) as tape:
        ct.reduce_mean(ct.square(model(ct.ones((3, 5)))))
    whole, folded = (rows(ct.plots.graph_text(tape, fold=fold)) for fold in (False, True))
    back = {name: value for name, value in folded.items() if name.startswith("d ")}
    assert 5 < len(back) < sum(name.startswith("d ") for name in whole)
    assert all(whole[name] == value for name, value in back.items())


def test_what_cannot_be_drawn_is_named():
    text = ct.plots.graph_text
    tape, names = by_hand(persistent=False)
    tape.gradient(names["loss"], names["w"])
    with pytest.raises(ValueError, match=r"the tape's gradient was taken, .*GradientTape\(persistent=True\)"):
        text(tape)
    with pytest.raises(ValueError, match="graph_text: the tape recorded nothing; use a Variable"):
        text(ct.GradientTape())
    with pytest.raises(TypeError, match="graph_text: needs a GradientTape or a function; got int"):
        text(3)
    with pytest.raises(TypeError, match="a function needs inputs"):
        text(ct.exp)
    with pytest.raises(TypeError, match="the function must give one tensor; got tuple"):
        text(lambda x: (x, x), [1.0])
    with pytest.raises(ValueError, match="the tape recorded nothing"):
        text(lambda x: ct.stop_gradient(x), [1.0])
    tape, names = by_hand()
    with pytest.raises(ValueError, match=r"the target of shape \(2,\) was not computed from watched tensors"):
        text(tape, target=ct.ones((2,)))
    with pytest.raises(ValueError, match=r"other of shape \(2,\) is not on the way to the target"):
        text(tape, {"other": ct.ones((2,))})
    with pytest.raises(TypeError, match="w must be a tensor that the tape saw; got float"):
        text(tape, {"w": 3.0})
    names["w"].assign(5.0)
    with pytest.raises(RuntimeError, match="was overwritten after the tape recorded it"):
        text(tape)


def test_drawing_inside_the_block_records_nothing():
    w = ct.Variable(3.0)
    with ct.GradientTape(persistent=True) as tape:
        w * w
        before = repr(tape)
        assert "= 6" in ct.plots.graph_text(tape)
        assert repr(tape) == before


# -- the picture ------------------------------------------------------------------------------------------------------
matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed")
LAYOUTS = ["dot", "grandalf"]


@pytest.fixture(params=LAYOUTS)
def layout(request, monkeypatch):
    if request.param == "dot":
        if shutil.which("dot") is None:
            pytest.skip("Graphviz is not installed")
    else:
        pytest.importorskip("grandalf", reason="grandalf is not installed")
        monkeypatch.setattr(layered.shutil, "which", lambda name: None)
    return request.param


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_the_picture_holds_values_and_derivatives(layout):
    tape, names = by_hand()
    both = texts(ct.plots.plot_graph(tape, names))
    assert {"forward", "backward", "loss: abs", "multiply", "w"} <= set(both)
    assert "d loss / d w\n= −1 · −1 · 1 · 2\n= 2" in both and "d loss / d b\n= −1 · −1 · 1\n= 1" in both
    assert both.count("2") == 2                # the constant forward, and the derivative of w * 2 by w
    forward = texts(ct.plots.plot_graph(tape, names, direction="forward"))
    assert "backward" not in forward and not any("d loss" in text for text in forward)
    backward = texts(ct.plots.plot_graph(tape, names, direction="backward", title="By hand"))
    assert sorted(text for text in backward if len(text) < 3) == ["1", "1", "2", "b", "w", "−1", "−1"]
    assert backward.count("no derivative") == 2 and "forward" not in backward


@pytest.mark.slow
@pytest.mark.parametrize("fold", [False, True])
def test_no_two_boxes_or_texts_overlap(layout, fold):
    model = network()
    figure = ct.plots.plot_graph(lambda x: ct.reduce_mean(ct.square(model(x))), [ct.ones((3, 5))], fold=fold)
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    width, height = figure.canvas.get_width_height()
    boxes = [patch.get_window_extent(renderer) for patch in figure.axes[0].patches
             if isinstance(patch, matplotlib.patches.FancyBboxPatch)]
    written = [text.get_window_extent(renderer) for text in figure.axes[0].texts]
    assert len(boxes) > 10 and all(box.x0 >= 0 and box.x1 <= width and box.y1 <= height for box in (*boxes, *written))
    for group in (boxes, written):
        for a, b in itertools.combinations(group, 2):
            assert min(a.x1, b.x1) - max(a.x0, b.x0) < 1 or min(a.y1, b.y1) - max(a.y0, b.y0) < 1.5


def test_boxes_lie_from_left_to_right(layout):
    edges = [layered.Edge(0, 2, ""), layered.Edge(1, 2, "label"), layered.Edge(2, 3, ""), layered.Edge(0, 3, "")]
    sizes = [(60.0, 30.0), (80.0, 40.0), (50.0, 30.0), (40.0, 20.0)]
    placed = layered.place("test", sizes, edges, [(20.0, 10.0)] * 4)
    for edge, way in zip(edges, placed.routes, strict=True):
        left, right = placed.boxes[edge.start], placed.boxes[edge.stop]
        assert left[0] + sizes[edge.start][0] / 2 < right[0] - sizes[edge.stop][0] / 2
        assert abs(way[0][0] - left[0]) <= sizes[edge.start][0] / 2 + 2
        assert abs(way[-1][0] - right[0]) <= sizes[edge.stop][0] / 2 + 2


def test_pictures_that_cannot_be_drawn(monkeypatch, tmp_path):
    tape, names = by_hand()
    with pytest.raises(ValueError, match="direction must be one of both, forward, backward; got 'down'"):
        ct.plots.plot_graph(tape, names, direction="down")
    ct.plots.plot_graph(tape, names, path=tmp_path / "graph.svg")
    assert (tmp_path / "graph.svg").stat().st_size > 1000
    monkeypatch.setattr("cytensor.plots.graph.MOST", 3)
    with pytest.raises(ValueError, match="at most 3 boxes can be drawn; got 8; use fold=True"):
        ct.plots.plot_graph(tape, names)


def test_without_a_layout_the_extra_is_named(monkeypatch):
    import sys

    monkeypatch.setattr(layered.shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "grandalf.graphs", None)
    with pytest.raises(ImportError, match=r'pip install "cytensor\[graph\]"'):
        ct.plots.plot_graph(*by_hand())


def test_a_broken_dot_leaves_it_to_the_library(monkeypatch):
    pytest.importorskip("grandalf", reason="grandalf is not installed")
    monkeypatch.setattr(layered.shutil, "which", lambda name: "/dot")
    monkeypatch.setattr(layered.subprocess, "run", lambda *given, **options: (_ for _ in ()).throw(OSError("broken")))
    assert "forward" in texts(ct.plots.plot_graph(*by_hand()))
