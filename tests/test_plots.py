"""The figures hold the data that they claim to show, and leave no trace behind."""

import re

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from dlnotes import plots, surfaces


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


@pytest.fixture
def ax():
    return plt.figure().add_subplot()


def test_curve_draws_the_function(ax):
    assert plots.curve(ax, surfaces.wave()) is ax
    x, y = ax.lines[0].get_data()
    np.testing.assert_allclose(y, x**2 * np.sin(x))
    assert ax.get_xlim() == surfaces.wave().window[0]


def test_contours_show_each_minimum_and_stay_in_the_window(ax):
    surface = surfaces.himmelblau()
    assert plots.contours(ax, surface) is ax
    np.testing.assert_allclose(np.transpose(ax.lines[0].get_data()), surface.minima)
    assert ax.get_xlim() == surface.window[0]
    assert ax.get_ylim() == surface.window[1]


def test_contour_levels_lie_between_the_lowest_and_the_highest_value(ax):
    plots.contours(ax, surfaces.beale(), levels=7)
    _, _, z = plots.grid(surfaces.beale())
    levels = ax.collections[0].levels
    assert len(levels) == 7
    assert z.min() < levels.min() < levels.max() < z.max()


@pytest.mark.parametrize("name", ["wave", "bowl"])
def test_path_draws_every_point_and_marks_the_start(ax, name):
    surface = surfaces.SURFACES[name]
    points = np.linspace(0.5, 2, 5)[:, None] * np.ones(surface.dim)
    assert plots.path(ax, points, surface, label="run") is ax
    line, start = ax.lines
    height = surface.value(points) if surface.dim == 1 else points[:, 1]
    np.testing.assert_allclose(line.get_data(), [points[:, 0], height])
    np.testing.assert_allclose(np.ravel(start.get_data()), [points[0, 0], height[0]])
    assert start.get_color() == line.get_color()


def test_band_draws_median_and_range(ax):
    runs = np.array([[1.0, 5.0, 2.0], [2.0, 3.0, 9.0], [7.0, 4.0, 4.0]])
    assert plots.band(ax, [0, 1, 2], runs) is ax
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [2, 4, 4])
    corners = ax.collections[0].get_paths()[0].vertices
    for i, (low, high) in enumerate(zip(runs.min(0), runs.max(0), strict=True)):
        assert {low, high} <= set(corners[corners[:, 0] == i][:, 1])


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda ax: plots.grid(surfaces.wave()), "plots.curve"),
        (lambda ax: plots.contours(ax, surfaces.wave()), "plots.curve"),
        (lambda ax: plots.curve(ax, surfaces.bowl()), "plots.contours"),
        (lambda ax: plots.path(ax, np.zeros((3, 1)), surfaces.bowl()), "(steps + 1, 2)"),
        (lambda ax: plots.path(ax, np.zeros(3), surfaces.wave()), "(steps + 1, 1)"),
        (lambda ax: plots.band(ax, [0, 1], np.zeros((2, 3))), "(runs, 2)"),
    ],
)
def test_bad_input_says_what_to_change(ax, draw, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        draw(ax)


def test_least_squares_draws_the_loss_of_a_line_and_its_minimum(ax):
    x = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 3.0]])
    y = np.array([1.0, 2.5, 2.0])
    assert plots.least_squares(ax, x, y) is ax
    star = ax.lines[0].get_xydata()[0]
    np.testing.assert_allclose(2 / 3 * x.T @ (x @ star - y), 0, atol=1e-12)  # no slope there
    contours = ax.collections[0]
    for level, paths in zip(contours.levels, contours.get_paths(), strict=True):
        heights = [((x @ point - y) ** 2).mean() for point in paths.vertices]
        np.testing.assert_allclose(heights, level, rtol=0.1)


def test_least_squares_wants_two_columns(ax):
    with pytest.raises(ValueError, match=re.escape("x must have shape (samples, 2), got (4, 3)")):
        plots.least_squares(ax, np.ones((4, 3)), np.ones(4))


def test_drawing_changes_no_setting_and_no_random_state(ax):
    settings, state = mpl.rcParams.copy(), np.random.get_state()[1].copy()  # noqa: NPY002
    plots.path(plots.contours(ax, surfaces.saddle()), np.zeros((2, 2)), surfaces.saddle())
    plots.band(plots.curve(plt.figure().add_subplot(), surfaces.plateau()), [0], [[1], [2]])
    assert mpl.rcParams == settings
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002


def _luminance(colour: str) -> float:
    channels = np.array([int(colour[i : i + 2], 16) for i in (0, 2, 4)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_the_style_reads_in_print():
    """The first three colours, which carry most figures, keep 3:1 against white (WCAG 1.4.11)."""
    with plt.style.context("dlnotes.course"):
        colours = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
    assert len(set(colours)) == len(colours) >= 6
    for colour in colours[:3]:
        assert 1.05 / (_luminance(colour.lstrip("#")) + 0.05) >= 3


def test_regions_draws_the_border_where_the_function_crosses_it(ax):
    window = ((-2, 2), (-1, 3))
    assert plots.regions(ax, lambda p: p[:, 0] - 2 * p[:, 1], window, border=0.5) is ax
    (path,) = ax.collections[1].get_paths()
    border = path.vertices
    np.testing.assert_allclose(border[:, 0] - 2 * border[:, 1], 0.5, atol=1e-9)
    assert (ax.get_xlim(), ax.get_ylim()) == window


def test_regions_shades_the_two_sides_apart(ax):
    plots.regions(ax, lambda p: p[:, 0], ((-1, 1), (0, 1)))
    below, above = ax.collections[0].get_paths()
    assert below.vertices[:, 0].max() <= 0.01
    assert above.vertices[:, 0].min() >= -0.01


def test_regions_refuses_what_is_not_one_value_a_point(ax):
    with pytest.raises(ValueError, match="one value for each"):
        plots.regions(ax, lambda p: p, ((0, 1), (0, 1)), points=5)
