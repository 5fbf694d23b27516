"""Plots: what is drawn, that no two texts overlap, that nothing of the program's matplotlib changes."""
import itertools
import subprocess
import sys

import numpy as np
import pytest

import cytensor as ct
from cytensor import layers

matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed")


def history(epochs, freq=1, names=("accuracy", "loss"), value=lambda epoch: float(np.exp(-epoch))):
    made = ct.callbacks.History()
    for epoch in range(epochs):
        logs = {name: value(epoch) for name in names}
        if freq and (epoch + 1) % freq == 0:
            logs.update({f"val_{name}": value(epoch) * 1.01 for name in names})
        made.on_epoch_end(epoch, logs)
    return made


def texts(figure):
    """(text, its box) of everything written on the figure, once drawn."""
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    unseen = set()             # labels of ticks outside the axes are made but not drawn
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())
        unseen |= {tick.label1 for tick in (*axis.majorTicks, *axis.minorTicks) if not low <= tick.get_loc() <= high}
    found = [item for item in figure.findobj(matplotlib.text.Text)
             if item.get_text().strip() and item.get_visible() and item not in unseen]
    return [(item.get_text(), box) for item in found for box in [item.get_window_extent(renderer)] if box.width > 0]


def check_no_overlap(figure):
    """No text covers another one or leaves the figure."""
    width, height = figure.canvas.get_width_height()
    drawn = texts(figure)
    for text, box in drawn:
        assert box.x0 >= -1 and box.x1 <= width + 1 and box.y0 >= -1 and box.y1 <= height + 1, text
    for (one, a), (two, b) in itertools.combinations(drawn, 2):
        wide, tall = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert wide < 1 or tall < 1.5, (one, two)


def nested_model():
    inner = ct.Sequential([layers.Dense(5, "relu"), layers.BatchNormalization()], name="encoder_$x$")
    return ct.Sequential([layers.Input((2, 3)), layers.Flatten(), inner, layers.Dropout(0.5),
                          layers.Dense(4, "softmax", name="a_layer_whose_name_is_longer_than_any_box_can_hold_at_all")])


# Learning curves


@pytest.mark.parametrize("epochs", [1, 3, 100])
@pytest.mark.slow
def test_learning_curves(epochs):
    names = ("loss", "accuracy", "a_metric_with_a_name_of_fifty_characters_or_so_long")
    figure = history(epochs, names=names).plot(title="A title " * 12)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles[0].startswith("loss") and titles[1].startswith("accuracy") and len(titles) == 3
    for axes in figure.axes:
        assert axes.get_xlabel() == "epoch" and axes.get_xlim()[0] < 1 and axes.get_xlim()[1] > epochs
        assert all(tick == int(tick) and 1 <= tick <= epochs for tick in axes.get_xticks())
        assert [line.get_xdata().tolist() for line in axes.lines] == [list(range(1, epochs + 1))] * 2
        said = [label.get_text() for label in axes.texts]
        assert said[0].startswith("training\n") and said[1].startswith("validation\n")
    check_no_overlap(figure)


def test_curves_of_what_was_recorded():
    figure = history(7, freq=3).plot(quantities="loss")
    training, validation = figure.axes[0].lines
    assert len(figure.axes) == 1 and validation.get_xdata().tolist() == [3, 6]
    assert np.allclose(training.get_ydata(), np.exp(-np.arange(7))) and figure.axes[0].get_yscale() == "log"
    assert figure.axes[0].get_title(loc="left") == "loss (log scale)"
    made = history(4, freq=0, value=lambda epoch: [1.0, np.inf, np.nan, 2.0][epoch])
    assert np.array_equal(made.plot().axes[0].lines[0].get_ydata(), [1, np.nan, np.nan, 2], equal_nan=True)
    each_class = history(3, freq=0, value=lambda epoch: [0.1 * epoch, 0.2 * epoch])
    assert len(each_class.plot(quantities=["accuracy"]).axes[0].lines) == 2
    with pytest.raises(ValueError, match="at least one epoch; got an empty history"):
        ct.callbacks.History().plot()
    with pytest.raises(ValueError, match=r"names of accuracy, loss; got \['los'\]"):
        made.plot(quantities="los")


def test_the_history_of_fit_is_drawn(tmp_path):
    model = ct.Sequential([layers.Dense(2)])
    model.compile("sgd", "mse")
    x, y = np.ones((20, 3), np.float32), np.ones((20, 2), np.float32)
    made = model.fit(x, y, epochs=3, verbose=0, validation_data=(x, y), validation_freq=2)
    figure = made.plot(tmp_path / "curves.png")
    assert [len(line.get_xdata()) for line in figure.axes[0].lines] == [3, 1]
    assert (tmp_path / "curves.png").read_bytes()[:4] == b"\x89PNG"
    with pytest.raises(ValueError, match=r"the file must end with one of .*; got .*curves\.jpg2'"):
        made.plot(tmp_path / "curves.jpg2")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        made.plot(tmp_path / "none" / "curves.png")


# Images


@pytest.mark.slow
def test_shapes_of_images():
    source = np.random.default_rng(0)
    for shape, axes in (((784,), 1), ((28, 28), 1), ((28, 20), 1), ((3, 784), 3), ((3, 28, 28), 3), ((7, 5, 9, 1), 7),
                        ((2, 8, 8, 3), 2), ((8, 8, 3), 1), ((2, 8, 8, 4), 2), ((60, 6, 6), 25)):
        for images in (source.random(shape), source.integers(0, 256, shape).astype(np.uint8)):
            assert len(ct.utils.show_images(images).axes) == axes, shape
    assert len(ct.utils.show_images(source.random((16, 16)), np.arange(16)).axes) == 16
    assert len(ct.utils.show_images(source.random((3, 5, 5)) > 0.5, count=2).axes) == 2
    for bad, message in (((3, 10, 10, 2), "1, 3 or 4 colours"), ((10,), "square pictures"), ((0, 4, 4), "images must")):
        with pytest.raises(ValueError, match=message):
            ct.utils.show_images(np.zeros(bad))
    with pytest.raises(ValueError, match="one of labels for each picture; got 3 for 2"):
        ct.utils.show_images(np.zeros((2, 4, 4)), [1, 2, 3])
    with pytest.raises(ValueError, match="count must be a positive int; got 0"):
        ct.utils.show_images(np.zeros((2, 4, 4)), count=0)


def test_values_of_images_are_drawn_as_they_are():
    grey = np.arange(12, dtype=np.uint8).reshape(1, 3, 4)
    image = ct.utils.show_images(grey).axes[0].images[0]
    assert image.get_clim() == (0, 255) and np.array_equal(image.get_array(), grey[0])
    assert ct.utils.show_images(grey / 10.0).axes[0].images[0].get_clim() == (0.0, 1.1)
    colour = np.linspace(0, 255, 27).reshape(1, 3, 3, 3)
    assert np.allclose(ct.utils.show_images(colour).axes[0].images[0].get_array(), colour[0] / 255)


@pytest.mark.slow
def test_wrong_predictions_stand_out():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])
    figure = ct.utils.show_images(np.ones((3, 4, 4)), [0, 1, 1], probabilities, ["cat", "dog with a very long name"])
    said = [axes.get_title() for axes in figure.axes]
    assert said == ["cat (90%)", "dog with a …g name (80%)", "cat (70%)\nis dog with a …g name"]
    widths = [axes.spines["left"].get_linewidth() for axes in figure.axes]
    assert widths[2] > widths[0] == widths[1]
    check_no_overlap(figure)
    unlabelled = ct.utils.show_images(np.ones((2, 4, 4)), predictions=[3, 4])
    assert [axes.get_title() for axes in unlabelled.axes] == ["3", "4"]
    check_no_overlap(ct.utils.show_images(np.ones((40, 28, 28)), [0] * 40, [1] * 40, count=40, title="Title"))
    with pytest.raises(ValueError, match="class_names must name all 2 classes; got 1"):
        ct.utils.show_images(np.ones((3, 4, 4)), [0, 1, 1], class_names=["cat"])


# Confusion matrices


def test_confusion_matrix_counts():
    source = np.random.default_rng(2)
    labels, predictions = source.integers(0, 7, (2, 500))
    expected = np.zeros((7, 7), np.int64)
    np.add.at(expected, (labels, predictions), 1)
    for one, two in ((labels, predictions), (labels[:, None], predictions.astype(float)),
                     (np.eye(7)[labels], np.eye(7)[predictions] * 0.5 + 0.01)):
        assert np.array_equal(ct.utils.confusion_matrix(one, two), expected)
    assert ct.utils.confusion_matrix([0], [1], num_classes=4).shape == (4, 4)
    assert ct.utils.confusion_matrix([0, 1], [[0.2], [0.8]]).tolist() == [[1, 0], [0, 1]]
    for arguments, message in ((([0, 1], [0]), r"labels \(2,\), predictions \(1,\)"),
                               (([0, -1], [0, 1]), "labels must not be negative; got -1"),
                               (([0, 3], [0, 1], 3), "below num_classes 3; got 3"),
                               (([0.5, 3], [0, 1]), "whole numbers, or probabilities"),
                               ((["a"], ["b"]), "labels must be class numbers")):
        with pytest.raises(ValueError, match=message):
            ct.utils.confusion_matrix(*arguments)


@pytest.mark.parametrize("classes", [2, 20])
@pytest.mark.slow
def test_confusion_matrices_are_legible(classes):
    source = np.random.default_rng(3)
    labels, predictions = source.integers(0, classes, (2, 5000))
    names = [f"a class with a long name, number {number}" for number in range(classes)]
    for class_names in (None, names):
        figure = ct.utils.plot_confusion_matrix(labels, predictions, class_names, title="A title of some length")
        axes, bar = figure.axes
        assert axes.get_xlabel() == "predicted class" and axes.get_ylabel() == "true class"
        assert bar.get_ylabel() == "share of the true class"
        counted = ct.utils.confusion_matrix(labels, predictions)
        said = [int(text.get_text().replace(",", "")) for text in axes.texts]
        assert sum(said) == 5000 and said == counted[counted > 0].tolist()
        check_no_overlap(figure)
    shares = ct.utils.plot_confusion_matrix(np.array([[3, 1], [0, 0]]), normalize=True).axes[0]
    assert [text.get_text() for text in shares.texts] == ["75 %", "25 %"]
    with pytest.raises(ValueError, match="a square matrix of counts"):
        ct.utils.plot_confusion_matrix(np.zeros((2, 3), int))


def test_many_classes_and_one():
    labels = np.random.default_rng(4).integers(0, 150, 4000)
    figure = ct.utils.plot_confusion_matrix(labels, labels)
    assert not figure.axes[0].texts and len(figure.axes[0].get_xticks()) < 15
    assert figure.axes[0].get_title() == "100.0% of 4,000 samples right"
    check_no_overlap(ct.utils.plot_confusion_matrix([0], [0]))


# Diagrams


@pytest.mark.slow
def test_plot_model(tmp_path):
    model = nested_model()
    path = tmp_path / "model.png"
    everything = {"show_shapes": True, "show_dtype": True, "show_layer_names": True, "expand_nested": True,
                  "show_layer_activations": True, "show_trainable": True}
    for rankdir in ("TB", "BT", "LR", "RL"):
        figure = ct.utils.plot_model(model, path, rankdir=rankdir, dpi=50, **everything)
        said = dict(texts(figure))
        assert path.read_bytes()[:4] == b"\x89PNG"
        for text in ("Input", "(None, 2, 3)", "Flatten", "(None, 2, 3) → (None, 6)", "encoder_$x$ (Sequential)",
                     "(None, 6) → (None, 5)", "activation relu", "float32", "not trainable"[4:]):
            assert text in said, text
        check_no_overlap(figure)
        along = "x0" if rankdir in ("LR", "RL") else "y0"
        first, last = getattr(said["Flatten"], along), getattr(said["Dropout"], along)
        assert (first < last) == (rankdir in ("LR", "BT"))
    plain = [text for text, _ in texts(ct.utils.plot_model(model, None))]
    assert sorted(plain) == ["Dense", "Dropout", "Flatten", "Input", "Sequential", "sequential (Sequential)"]


@pytest.mark.slow
def test_plot_model_of_other_models(tmp_path):
    class Own(ct.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = layers.Dense(2), layers.Dense(3)

        def call(self, x):
            return self.first(x) + 1

    figure = ct.utils.plot_model(Own(), None, show_shapes=True)
    assert [text for text, _ in texts(figure)] == ["own (Own)", "Dense", "? → ?", "Dense", "? → ?"]
    deep = ct.Sequential([layers.Dense(1) for _ in range(300)])
    ct.utils.plot_model(deep, tmp_path / "deep.png")
    for model, error, message in ((layers.Dense(1), TypeError, "must be a Model; got Dense"),
                                  (ct.Sequential(), ValueError, "at least one layer; 'sequential' has none")):
        with pytest.raises(error, match=message):
            ct.utils.plot_model(model, None)
    with pytest.raises(ValueError, match="rankdir must be one of TB, BT, LR, RL; got 'up'"):
        ct.utils.plot_model(deep, None, rankdir="up")


# The program's matplotlib


@pytest.mark.slow
def test_nothing_of_the_program_changes():
    """No pyplot, and so no backend; no setting; and without any display."""
    code = """
import sys, numpy as np, cytensor as ct
assert "matplotlib" not in sys.modules
import matplotlib
settings = lambda: {name: matplotlib.rcParams[name] for name in matplotlib.rcParams if name != "backend"}
before = settings()
figure = ct.utils.show_images(np.zeros((2, 4, 4)), [0, 1], [1, 1], title="$a$")
ct.utils.plot_confusion_matrix([0, 1], [0, 0])
assert figure._repr_png_()[:4] == b"\\x89PNG"
assert "matplotlib.pyplot" not in sys.modules
assert before == settings()
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=120,
                   env={k: v for k, v in __import__("os").environ.items() if k not in ("DISPLAY", "MPLBACKEND")})


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for draw in (lambda: history(2).plot(), lambda: ct.utils.show_images(np.zeros((2, 4, 4))),
                 lambda: ct.utils.plot_confusion_matrix([0, 1], [0, 1]), lambda: ct.utils.plot_model(nested_model())):
        with pytest.raises(ImportError, match=r'drawing needs matplotlib.*pip install "cytensor\[plot\]"'):
            draw()


def test_a_plot_that_cannot_be_finished_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    path = tmp_path / "curves.png"
    ct.utils.plot_confusion_matrix([0, 1], [0, 1], path=path)
    before = path.read_bytes()
    assert before.startswith(b"\x89PNG")

    def fails(self, target, **options):
        if hasattr(target, "write"):
            target.write(b"half")
        else:
            open(target, "wb").close()
        raise KeyboardInterrupt

    monkeypatch.setattr(Figure, "savefig", fails)
    with pytest.raises(KeyboardInterrupt):
        ct.utils.plot_confusion_matrix([0, 1], [1, 1], path=path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


@pytest.mark.slow
def test_a_graph_is_drawn_with_its_functions_and_connections(tmp_path):
    from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

    left, right = layers.Input((4,), name="left"), layers.Input((3,), name="right")
    hidden = layers.Dense(4, name="hidden")(left)
    joined = layers.Concatenate(name="joined")([hidden + left, right])
    inside = layers.Input((7,))
    inner = ct.Model(inside, layers.Dense(2)(inside), name="inner")
    model = ct.Model([left, right], [inner(joined), layers.Dense(1, name="size")(joined)])
    for expand, boxes, arrows in ((False, 8, 7), (True, 10, 8)):
        for rankdir in ("TB", "BT", "LR", "RL"):
            figure = ct.utils.plot_model(model, tmp_path / "model.png", show_shapes=True, show_layer_names=True,
                                      expand_nested=expand, rankdir=rankdir)
            patches = figure.axes[0].patches
            assert sum(isinstance(patch, FancyBboxPatch) for patch in patches) == boxes
            assert sum(isinstance(patch, FancyArrowPatch) for patch in patches) == arrows
            texts = [text.get_text() for text in figure.axes[0].texts]
            assert "add" in texts and "[(None, 4), (None, 3)] → (None, 7)" in texts and "(None, 4) → (None, 4)" in texts
            bounds = [patch.get_bbox() for patch in patches if isinstance(patch, FancyBboxPatch)]
            inner_boxes = [box for box in bounds if box.width < max(other.width for other in bounds)]
            for i, one in enumerate(inner_boxes):              # none lies over another that does not hold it
                for other in inner_boxes[i + 1:]:
                    apart = one.x1 <= other.x0 or other.x1 <= one.x0 or one.y1 <= other.y0 or other.y1 <= one.y0
                    assert apart or (one.fully_containsx(other.x0) and one.fully_containsy(other.y0))
