"""Pictures with letters that matplotlib's font lacks: Korean titles and names are drawn where there is a font."""
import warnings

import numpy as np
import pytest

import cytensor as ct
from cytensor import layers

matplotlib = pytest.importorskip("matplotlib")
from cytensor.plots import figures, glyphs  # noqa: E402


def korean_font():
    if not glyphs.installed():
        pytest.skip("no font with Korean letters is installed")


def drawn(figure):
    """The pixels of a figure, drawn without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())


def titled(text):
    figure = figures.new_figure("test", 3, 1)
    figures.headline(figure, text)
    return figure


def test_korean_titles_are_drawn_as_letters():
    korean_font()
    one, other = drawn(titled("모양과 스트라이드")), drawn(titled("그래디언트의 그림들"))
    assert (one < 128).any() and (one != other).any()


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_files_have_them_too(tmp_path, ending):
    korean_font()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ct.plots.show_layout(ct.arange(6), title="텐서의 메모리", path=tmp_path / f"a.{ending}")
        w = ct.Variable(3.0)
        with ct.GradientTape(persistent=True) as tape:
            loss = ct.abs(4.0 - 2.0 * w)
        ct.plots.plot_graph(tape, {"가중치": w, "손실": loss}, path=tmp_path / f"b.{ending}")
        model = ct.Sequential([layers.Input((4,), name="입력"), layers.Dense(2, name="은닉층")], name="모델")
        ct.plots.plot_model(model, show_layer_names=True, to_file=tmp_path / f"c.{ending}")


def test_other_texts_keep_their_font_and_settings_stay(monkeypatch):
    before = dict(matplotlib.rcParams)
    figure = titled("shape → (2, 3) · µs")
    drawn(figure)
    assert figure._suptitle.get_fontfamily() == matplotlib.rcParams["font.family"]
    assert dict(matplotlib.rcParams) == before
    monkeypatch.setattr(glyphs, "installed", lambda: ("One", "Two"))
    assert glyphs.families("글", ["sans-serif"]) == ["sans-serif", "One", "Two"]
    assert glyphs.families("글", ["sans-serif", "One"]) == ["sans-serif", "One", "Two"]
    assert glyphs.families("letters", ["sans-serif"]) == ["sans-serif"]


def test_without_such_a_font_matplotlib_says_so(monkeypatch):
    monkeypatch.setattr(glyphs, "installed", lambda: ())
    with pytest.warns(UserWarning, match="missing from font"):
        titled("글").canvas.draw()
