"""plots.transform_points, transform_grid and animate_points: what is drawn is what NumPy computes."""
import numpy as np
import pytest

import cytensor as ct

matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed")

A = np.array([[0.5, -2.0], [1.5, 0.25]])
B = np.array([3.0, -1.0])
POINTS = np.array([[0.0, 0.0], [1.0, 2.0], [-3.0, 0.5]])


def drawn(figure, place=1):
    return np.asarray(figure.axes[place].collections[-1].get_offsets())


@pytest.mark.parametrize(("transform", "expected"), [
    (B, POINTS + B),
    (A, POINTS @ A.T),
    (np.column_stack([A, B]), POINTS @ A.T + B),
    (ct.asarray(A), POINTS @ A.T),
    (A.tolist(), POINTS @ A.T),
    (lambda x: ct.maximum(x, 0.0), np.maximum(POINTS, 0)),
    (lambda x: x.numpy() * 2, POINTS * 2),
])
def test_points_are_drawn_where_numpy_puts_them(transform, expected):
    figure = ct.plots.transform_points(POINTS, transform)
    np.testing.assert_allclose(drawn(figure, 0), POINTS)
    np.testing.assert_allclose(drawn(figure), expected, rtol=1e-12)
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim() == figure.axes[1].get_ylim()
    assert figure.axes[1].get_xlim()[1] >= np.abs(expected).max()


def test_the_grid_and_the_square_go_where_numpy_puts_them():
    figure = ct.plots.transform_grid(np.column_stack([A, B]), extent=3, lines=5, points=POINTS)
    before, after = figure.axes
    assert len(after.lines) == 10 and sorted(line.get_xdata()[0] for line in before.lines[:5]) == [-3, -1.5, 0, 1.5, 3]
    for one, two in zip(before.lines, after.lines, strict=True):
        np.testing.assert_allclose(two.get_xydata(), one.get_xydata() @ A.T + B, atol=1e-5)
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) @ A.T + B
    outline = after.patches[0].get_xy()
    assert all(np.abs(outline - corner).max(axis=1).min() < 1e-5 for corner in corners)
    np.testing.assert_allclose(drawn(figure), POINTS @ A.T + B, atol=1e-6)
    assert after.get_title(loc="left") == f"after: area of the square × {abs(np.linalg.det(A)):.3g}"


def test_a_dense_layer_with_relu_bends_the_lines():
    layer = ct.layers.Dense(2, activation="relu")
    layer(ct.zeros((1, 2)))
    layer.set_weights([A.T.astype("float32"), B.astype("float32")])
    figure = ct.plots.transform_grid(layer)
    for one, two in zip(*(axes.lines for axes in figure.axes), strict=True):
        np.testing.assert_allclose(two.get_xydata(), np.maximum(one.get_xydata() @ A.T + B, 0), atol=1e-5)


def test_points_in_space_and_their_classes():
    points = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
    figure = ct.plots.transform_points(points, lambda x: x * 2, labels=[0, 1, 0, 1, 2, 2])
    np.testing.assert_allclose(np.stack(figure.axes[1].collections[0]._offsets3d, 1), points * 2)
    colours = figure.axes[0].collections[0].get_facecolors()[:, :3]
    assert len(np.unique(colours.round(3), axis=0)) == 3
    flat = ct.plots.transform_points(points, lambda x: x[:, :2])
    np.testing.assert_allclose(drawn(flat), points[:, :2])


def test_what_cannot_be_drawn_is_named():
    points, grid = ct.plots.transform_points, ct.plots.transform_grid
    for wrong in (np.zeros((2, 4)), np.zeros((2, 2, 2)), np.zeros(2), np.zeros((0, 2)), 3, "ab"):
        with pytest.raises(ValueError, match=r"transform_points: points must be numbers \(n, 2\) or \(n, 3\)"):
            points(wrong, A)
    with pytest.raises(ValueError, match="points must be finite; got 1 that are not"):
        points([[1.0, np.nan]], A)
    with pytest.raises(ValueError, match=r"a matrix \(2, 2\) or an affine map \(2, 3\); got float64 \(3, 3\)"):
        points(POINTS, np.eye(3))
    with pytest.raises(ValueError, match=r"must give a point for each; got \(2, 2\) for \(3, 2\)"):
        points(POINTS, lambda x: x[1:])
    with pytest.raises(ValueError, match="the transform's result must be finite"):
        grid(lambda x: x / 0.0)
    with pytest.raises(ValueError, match=r"the transform's result must be numbers \(n, 2\), n"):
        grid(lambda x: ct.concat([x, x], axis=1))
    with pytest.raises(ValueError, match="one label for each point; got 2 for 3"):
        points(POINTS, A, labels=[0, 1])
    for wrong in (0, -1, np.inf, np.nan, "a", None):
        with pytest.raises(ValueError, match="transform_grid: extent must be a positive number"):
            grid(A, extent=wrong)
    for wrong in (1, 1.5, True, 100000):
        with pytest.raises(ValueError, match="transform_grid: lines must be an int"):
            grid(A, lines=wrong)


STAGES = np.array([[[0.0, 0.0], [1.0, 1.0]], [[2.0, 0.0], [1.0, 3.0]], [[0.0, -1.0], [1.0, 0.0]]])


@pytest.mark.slow
def test_an_animation_goes_through_every_stage(tmp_path):
    image = pytest.importorskip("PIL.Image")
    animation = ct.plots.animate_points(list(STAGES), tmp_path / "moves.gif", labels=[0, 1], names=["a", "b", "c"])
    assert [path.name for path in tmp_path.iterdir()] == ["moves.gif"]
    with image.open(tmp_path / "moves.gif") as picture:
        assert picture.is_animated and picture.n_frames > 10
    axes = animation._fig.axes[0]
    frame = 0
    for number, stage in enumerate(STAGES):
        animation._func(frame)
        np.testing.assert_allclose(axes.collections[0].get_offsets(), stage)
        assert axes.get_title(loc="left") == "abc"[number]
        frame += 22
    animation._func(22 + 8 + 6)                    # half way from the second stage to the third
    np.testing.assert_allclose(axes.collections[0].get_offsets(), (STAGES[1] + STAGES[2]) / 2)


@pytest.mark.slow
def test_an_animation_as_a_page(tmp_path):
    points = np.random.default_rng(0).normal(size=(5, 3))
    ct.plots.animate_points([points, -points], tmp_path / "space.html", turn=10)
    text = (tmp_path / "space.html").read_text()
    assert "data:image/png;base64" in text and [path.name for path in tmp_path.iterdir()] == ["space.html"]


def test_animations_that_cannot_be_written_are_refused(tmp_path):
    animate = ct.plots.animate_points
    with pytest.raises(ValueError, match=r"must end with \.gif or \.html; got 'a\.mp4'"):
        animate(STAGES, "a.mp4")
    with pytest.raises(FileNotFoundError, match="animate_points: there is no folder"):
        animate(STAGES, tmp_path / "missing" / "a.gif")
    with pytest.raises(TypeError, match="the path must be a string or a Path; got 3"):
        animate(STAGES, 3)
    with pytest.raises(ValueError, match=r"two stages or more of one shape; got \(2, 2\), \(1, 2\)"):
        animate([STAGES[0], STAGES[1][:1]], tmp_path / "a.gif")
    with pytest.raises(ValueError, match="two stages or more of one shape; got none"):
        animate([], tmp_path / "a.gif")
    with pytest.raises(ValueError, match="one name for each stage; got 1 for 3"):
        animate(STAGES, tmp_path / "a.gif", names=["a"])
    assert not list(tmp_path.iterdir())
