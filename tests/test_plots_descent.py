"""plots.plot_descent and animate_descent: paths and heights are those that NumPy computes."""
import numpy as np
import pytest

import cytensor as ct

matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed")


def bowl(x, y):
    return x * x + 4.0 * y * y


LINE = np.array([2.0, 1.0, 0.5])
PLANE = np.array([[2.0, 1.0], [1.0, 0.5], [0.25, 0.0]])


def test_a_path_lies_on_the_curve():
    figure = ct.plots.plot_descent(lambda x: ct.exp(x) - x, {"a": LINE, "b": LINE[::-1].tolist()}, limits=(-1, 3))
    curve, a, b = figure.axes[0].lines
    np.testing.assert_allclose(curve.get_ydata(), np.exp(curve.get_xdata()) - curve.get_xdata(), rtol=1e-12)
    np.testing.assert_allclose(a.get_xydata(), np.stack([LINE, np.exp(LINE) - LINE], 1), rtol=1e-12)
    np.testing.assert_allclose(b.get_xdata(), LINE[::-1])
    assert figure.axes[0].get_xlim() == (-1, 3)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]


@pytest.mark.parametrize("surface", [False, True])
def test_a_path_lies_on_the_surface(surface):
    figure = ct.plots.plot_descent(bowl, {"a": PLANE}, surface=surface, limits=((-3, 3), (-2, 2)))
    np.testing.assert_allclose(figure.axes[0].lines[0].get_xydata(), PLANE)
    assert figure.axes[0].get_ylim() == (-2, 2)
    if surface:
        x, y, z = figure.axes[-1].lines[0].get_data_3d()
        np.testing.assert_allclose(z, np.array([x, y]).T ** 2 @ (1, 4))
    for level, paths in zip(figure.axes[0].collections[0].levels, figure.axes[0].collections[0].get_paths(),
                            strict=True):
        if len(paths.vertices):                # between two places of the grid it is straight
            x, y = paths.vertices.T
            assert np.abs(x * x + 4 * y * y - level).max() < 0.02


def test_two_paths_are_told_apart_by_more_than_colour():
    figure = ct.plots.plot_descent(bowl, {str(number): PLANE + number for number in range(6)})
    lines = figure.axes[0].lines
    assert len({line.get_color() for line in lines}) == len({line.get_marker() for line in lines}) == 6


@pytest.mark.slow
def test_an_animation_grows_and_ends_with_the_whole_path(tmp_path):
    pytest.importorskip("PIL", reason="pillow is not installed")
    long = np.linspace(3, 0, 200)
    animation = ct.plots.animate_descent(lambda x: x * x, {"long": long, "short": LINE}, tmp_path / "a.gif")
    curve, one, two = animation._fig.axes[0].lines
    seen = []
    for frame in range(92):
        animation._func(frame)
        seen.append((len(one.get_xdata()), len(two.get_xdata())))
    assert seen[0] == (1, 1) and seen[-1] == seen[79] == (200, 3) and sorted(seen) == seen
    np.testing.assert_allclose(one.get_ydata(), long**2)
    assert len(curve.get_xdata()) == 401 and [path.name for path in tmp_path.iterdir()] == ["a.gif"]
    ct.plots.animate_descent(bowl, {"one place": PLANE[:1]}, tmp_path / "b.html", title="Title")


def test_what_cannot_be_drawn_is_named(tmp_path):
    draw = ct.plots.plot_descent
    for wrong in ({}, [1.0], None, {str(number): LINE for number in range(7)}):
        with pytest.raises(ValueError, match="plot_descent: paths must be a dictionary of 1 to 6 names and places"):
            draw(bowl, wrong)
    for wrong in ([], 3.0, [[1.0, 2.0, 3.0]], [1.0, np.nan], ["a"], np.zeros((2, 2, 2))):
        with pytest.raises(ValueError, match=r"a path must be finite numbers \(steps,\) or \(steps, 2\); 'a' is"):
            draw(bowl, {"a": wrong})
    with pytest.raises(ValueError, match="all paths must be of one variable, or all of two"):
        draw(bowl, {"a": LINE, "b": PLANE})
    with pytest.raises(ValueError, match=r"the function must give a number for each place; got float64 \(\)"):
        draw(ct.reduce_sum, {"a": LINE})
    for wrong in ((1,), (2, 1), (np.nan, 1), 3, ((0, 1), (2, 1)), ((0, 1), (0, 1), (0, 1))):
        with pytest.raises(ValueError, match="limits must be"):
            draw(bowl, {"a": PLANE}, limits=wrong)
    with pytest.raises(ValueError, match=r"animate_descent: the file must end with \.gif or \.html; got 'a\.png'"):
        ct.plots.animate_descent(bowl, {"a": PLANE}, "a.png")
