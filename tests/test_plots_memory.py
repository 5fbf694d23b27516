"""plots.show_layout: which cells are drawn as shown, in which order, beside addresses that NumPy tells."""
import numpy as np
import pytest

import cytensor as ct
from cytensor.plots.memory import places_of

matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed")

BASE = np.arange(24, dtype="float32").reshape(4, 6)
VIEWS = {
    "whole": lambda x: x,
    "slice": lambda x: x[1:3, 2:],
    "steps backward": lambda x: x[1:, ::-2],
    "transpose": lambda x: x.T,
    "row": lambda x: x[2],
    "element": lambda x: x[2, 3, ...],
    "new axis": lambda x: x[:, None, 1:3],
    "empty": lambda x: x[:0],
}


def addresses(view, base):
    """In which cell of `base` each element of a NumPy view lies."""
    offset = (view.__array_interface__["data"][0] - base.__array_interface__["data"][0]) // base.itemsize
    strides = [stride // base.itemsize for stride in view.strides]
    return np.array([offset + np.dot(index, strides) for index in np.ndindex(view.shape)], int).reshape(view.shape)


def small(axes, prefix):
    """The small texts of one picture that begin so."""
    return [text.get_text() for text in axes.texts if text.get_text().startswith(prefix)]


def filled(axes):
    """Places of the cells that are filled."""
    return {number for number, patch in enumerate(axes.patches) if patch.get_facecolor()[3] > 0}


@pytest.mark.parametrize("name", VIEWS)
def test_cells_are_those_of_numpy(name):
    base = BASE.copy()
    view, expected = VIEWS[name](ct.asarray(base)), addresses(VIEWS[name](base), base)
    np.testing.assert_array_equal(places_of(view), expected)
    memory, tensor = ct.plots.show_layout(view, columns=6).axes
    assert len(memory.patches) == 24 and filled(memory) == set(expected.ravel().tolist())
    assert small(tensor, "@") == [f"@{place}" for place in expected.ravel()]
    assert small(memory, "#") == [f"#{list(expected.ravel()).index(place)}" for place in sorted(expected.ravel())]
    assert tensor.get_title(loc="left") == \
        f"tensor: shape {view.shape}, strides {view.strides}, offset {view.offset}"


def test_broadcasts_and_windows_show_a_cell_several_times():
    memory, tensor = ct.plots.show_layout(ct.broadcast_to(ct.asarray([1.5, -2.0, 3.0]), (4, 3))).axes
    assert small(memory, "#") == ["#0,3…", "#1,4…", "#2,5…"] and small(tensor, "@") == ["@0", "@1", "@2"] * 4
    base = np.arange(6)
    memory, tensor = ct.plots.show_layout(ct.sliding_window_view(ct.asarray(base), 3)).axes
    windows = np.lib.stride_tricks.sliding_window_view(base, 3)
    assert small(tensor, "@") == [f"@{place}" for place in addresses(windows, base).ravel()]
    assert filled(memory) == set(range(6))


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 2, 3), (2, 3, 2, 2)])
def test_elements_do_not_cover_one_another(shape):
    x = ct.arange(int(np.prod(shape))).reshape(shape) * 1.0
    _, tensor = ct.plots.show_layout(x, title="Title").axes
    corners = np.array([patch.get_xy() for patch in tensor.patches])
    apart = np.abs(corners[:, None] - corners[None]).max(-1)
    assert len(corners) == x.size and (apart + 9 * np.eye(x.size) >= 1 - 1e-9).all()


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float16", "bfloat16", "float32", "float64"])
def test_values_of_every_dtype_are_written(dtype):
    x = ct.asarray([0, 1]).astype(dtype)
    memory = ct.plots.show_layout(x).axes[0]
    written = {text.get_text() for text in memory.texts}
    assert ({"F", "T"} if dtype == "bool" else {"0", "1"}) <= written
    assert memory.get_title(loc="left").startswith("memory: 2 cells of ")


def test_text_can_be_read_on_its_fill():
    """A contrast of 3 to 1 at least (WCAG 2), on every colour that a cell may have."""
    def luminance(colour):
        part = np.array(matplotlib.colors.to_rgb(colour))
        part = np.where(part <= 0.03928, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
        return part @ (0.2126, 0.7152, 0.0722)

    memory = ct.plots.show_layout(ct.arange(64)).axes[0]
    for place, patch in enumerate(memory.patches):
        light, dark = sorted(map(luminance, (patch.get_facecolor()[:3], memory.texts[3 * place].get_color())))[::-1]
        assert (light + 0.05) / (dark + 0.05) > 3


def test_what_cannot_be_drawn_is_named():
    show = ct.plots.show_layout
    for wrong in (np.zeros(3), [1.0], None, "a"):
        with pytest.raises(TypeError, match="show_layout: needs a tensor; got"):
            show(wrong)
    for wrong in (ct.zeros((1, 1, 1, 1, 2)), ct.zeros((33, 33)), ct.zeros((2000,))[:3],
                  ct.broadcast_to(ct.zeros((1,)), (5000,))):
        with pytest.raises(ValueError, match="show_layout: at most 4 axes, 1024 elements and 1024 cells of memory"):
            show(wrong)
    for wrong in (0, -1, True, 2.5, 65):
        with pytest.raises(ValueError, match=r"show_layout: columns must be an int in \[1, 64\]"):
            show(ct.zeros((2,)), columns=wrong)
