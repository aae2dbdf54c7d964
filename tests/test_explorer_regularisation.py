"""The regularisation explorer: its mathematics against dlnotes, and its gestures."""

import json

import drawn
import numpy as np
import pytest
import traitlets
from browser import needs_chromium
from explorers import JavaScript, beside, set_slider, settle, swipe

from dlnotes.explorers import regularisation
from dlnotes.scratch import polynomials

# What test_explorers.py looks at beside the defaults and the extremes.
STATES = [
    {"samples": 13, "degree": 12, "noise": 1.0},  # through all points, far off the picture
    {"degree": 3, "test": "inputs", "seed": 4},
    {"penalty": "l1", "strength": 0.1, "samples": 30, "moved": [2.0] + 29 * [0.0]},
    {"penalty": "l2", "strength": 0.03, "against": "strength", "degree": 12, "test": "inputs"},
    {"penalty": "l1", "strength": 0.02, "against": "strength", "samples": 15, "noise": 0.5},
]
SHOWN = regularisation.Explorer().state()
POINTS, ERRORS = "Points and fits", "Mean squared error"
# The most that 13 points and degree 12 leave: their equations lose 5 digits.
CLOSE = {"rtol": 1e-9, "atol": 1e-11}

# --- Mathematics ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def js() -> JavaScript:
    return JavaScript("maths/polynomials.js", "regularisation/model.js")


def explorers(count: int, seed: int = 0):
    """Yield explorers of all kinds."""
    rng = np.random.default_rng(seed)
    for k in range(count):
        yield regularisation.Explorer(
            degree=int(rng.integers(0, 13)),
            samples=int(rng.integers(16, 61)),
            noise=rng.uniform(0.05, 1),
            penalty=["none", "l2", "l1"][k % 3],
            strength=10 ** rng.uniform(-5, 1),
            test=["interval", "inputs"][k % 2],
            against=["degree", "strength"][k % 5 // 4],
            seed=k,
        )


def values(numbers):
    """Return a typed array that came as JSON."""
    return np.array(list(numbers.values()) if isinstance(numbers, dict) else numbers)


def same(seen, explorer, **close):
    """Compare what JavaScript has of a state with what Python has."""
    fit, known = explorer.fit(), explorer.numbers()
    np.testing.assert_allclose(values(seen["c"]), fit.coefficients, **close)
    for kind in ("training", "test"):
        np.testing.assert_allclose(seen[kind], known[f"{kind}.sample"], **close)
    for column in ("measured", "theory"):
        if seen[column] is None:
            assert fit.theory is None
            continue
        for row, value in seen[column].items():
            np.testing.assert_allclose(value, known[f"{row}.{column}"], err_msg=row, **close)


@pytest.mark.parametrize("settings", [{}, *STATES], ids=str)
def test_javascript_numbers_of_a_state_are_those_of_dlnotes(js, settings):
    explorer = regularisation.Explorer(**settings)
    same(js(f"seen(clean({json.dumps(explorer.state())}))")["now"], explorer, **CLOSE)


def test_javascript_numbers_are_those_of_dlnotes_to_the_last_digits(js):
    for explorer in explorers(30):
        seen = js(f"seen({json.dumps(explorer.state())})")
        x, y = explorer.points()
        np.testing.assert_allclose(seen["x"], x, rtol=1e-15, atol=1e-15)
        np.testing.assert_allclose(seen["y"], y, rtol=1e-12, atol=1e-14)
        same(seen["now"], explorer, rtol=2e-11, atol=1e-13)


def test_what_was_seen_before_changes_nothing(js):
    # Fits are kept, and those of one state start from those of another.
    first, *others = [f"seen({json.dumps(e.state())}).now" for e in explorers(9, seed=1)]
    before = js(first)
    for other in others:
        js(other)
    assert js(first) == before
    fresh = JavaScript("regularisation/model.js")(first)
    np.testing.assert_allclose(values(fresh["c"]), values(before["c"]), rtol=1e-12, atol=1e-14)


def test_javascript_solvers_are_those_of_dlnotes(js):
    rng = np.random.default_rng(2)
    for k in range(60):
        degree, n = int(rng.integers(0, 9)), int(rng.integers(12, 40))
        x = rng.uniform(-1, 1, n)
        y = np.sin(np.pi * x) + rng.normal(size=n)
        strength = 10 ** rng.uniform(-4, 0)
        features = polynomials.legendre(x, degree)
        if np.linalg.cond(features) > 100:
            continue
        js(f"globalThis.features = legendre({x.tolist()}, {degree})")
        js(f"globalThis.moments = [momentsOf(features, {y.tolist()})]")
        name = "lasso" if k % 2 else "ridge"
        (seen,) = js(f"{name}(gramOf(features), moments, {strength})")
        expected = getattr(polynomials, name)(features, y, strength)
        np.testing.assert_allclose(values(seen), expected, rtol=1e-10, atol=1e-12)
        assert ((values(seen) == 0) == (expected == 0)).all()
        # From a start that is not right, with signs of its own, the lasso ends there too.
        start = rng.normal(size=degree + 1) * (rng.random(degree + 1) < 0.7)
        (again,) = js(f"lasso(gramOf(features), moments, {strength}, [{start.tolist()}])")
        expected = polynomials.lasso(features, y, strength)
        np.testing.assert_allclose(values(again), expected, rtol=1e-9, atol=1e-11)


# --- What the picture is to show --------------------------------------------------------


def test_bias_of_fits_that_are_linear_is_that_of_theory_and_no_chance():
    for explorer in explorers(30, seed=3):
        if explorer.penalty == "l1":
            continue
        measured, theory = explorer.fit().measured, explorer.fit().theory
        assert measured.bias == pytest.approx(theory.bias, rel=1e-9, abs=1e-12)
        # Fifty samples tell a variance to about 20 %, in the mean over the places much better.
        assert measured.variance == pytest.approx(theory.variance, rel=0.5)


@pytest.mark.parametrize("degree", [3, 6, 12])
def test_at_the_same_inputs_theory_is_that_of_the_textbook(degree):
    explorer = regularisation.Explorer(degree=degree, test="inputs", samples=30)
    theory = explorer.fit().theory
    share = (degree + 1) / 30
    assert theory.variance == pytest.approx(0.09 * share)
    assert theory.training == pytest.approx(0.09 * (1 - share) + theory.bias)


def test_errors_over_the_degree_tell_under_from_overfitting():
    marks = regularisation.Explorer(samples=15).marks()[ERRORS]
    training, test = marks["training"][:, 1], marks["test, theory"][:, 1]
    assert (np.diff(training) < 1e-12).all()
    assert np.argmin(test) == 3
    assert test[0] > 4 * test[3]
    assert test[12] > 50 * test[3]


def test_the_right_penalty_repairs_a_degree_that_is_too_high():
    for penalty in ("l2", "l1"):
        shown = regularisation.Explorer(12, 15, penalty=penalty, against="strength")
        marks = shown.marks()[ERRORS]
        top = marks["variance"][:25, 1]
        best = int(np.argmin(top))
        assert 0 < best < 24
        assert top[best] < 0.02 * top[0]
        assert top[best] < 0.3 * top[-1]


def test_l1_has_coefficients_that_are_zero_and_l2_has_none():
    used = [
        regularisation.Explorer(12, penalty=penalty, strength=0.1).numbers()["used"]
        for penalty in ("none", "l2", "l1")
    ]
    assert used[:2] == [13, 13]
    assert used[2] <= 5


# --- The Python class -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moved", "message"),
    [
        (3.0, "moved must be a list of numbers, got 3.0"),
        ("12", "moved must be a list of numbers, got '12'"),
        ([1.0], "moved needs 20 numbers, one a point, or none, got 1"),
        ([0.0] * 19 + ["a"], r"moved\[19\] must be a number, got 'a'"),
        ([0.0] * 19 + [17], r"moved\[19\] must be from -16 to 16, got 17"),
    ],
)
def test_bad_argument_says_what_to_change(moved, message):
    with pytest.raises(traitlets.TraitError, match=message):
        regularisation.Explorer(moved=moved)
    explorer = regularisation.Explorer()
    with pytest.raises(traitlets.TraitError, match=message):
        explorer.moved = moved
    assert explorer.state() == SHOWN


def test_other_points_have_not_been_moved():
    explorer = regularisation.Explorer(moved=[1.0] * 20)
    assert explorer.points()[1][0] == pytest.approx(regularisation.Explorer().points()[1][0] + 1)
    explorer.noise = 0.5
    assert len(explorer.moved) == 20
    explorer.samples = 25
    assert explorer.moved == []
    explorer.set_state({"samples": 30, "moved": [0.5] * 30})
    assert explorer.moved == [0.5] * 30


@pytest.mark.parametrize(
    ("given", "cleaned"),
    [
        ({"samples": 14, "moved": [1] * 13 + [99]}, {"samples": 14, "moved": [1] * 13 + [16]}),
        ({"moved": [1, 2]}, {"moved": []}),
        ({"moved": [None] * 20}, {"moved": [0] * 20}),
        (
            {"samples": 2, "degree": 40, "penalty": "l3"},
            {"samples": 13, "degree": 12, "penalty": "none"},
        ),
    ],
)
def test_impossible_state_is_made_possible(js, given, cleaned):
    result = js(f"clean({json.dumps(given)})")
    assert {key: result[key] for key in cleaned} == cleaned


# --- What the picture calls things ------------------------------------------------------

LOOK = """root => {
  const style = (e) => { const s = getComputedStyle(e);
    return e.tagName === "circle" ? [s.fill, s.stroke]
      : s.fill === "none" ? [s.stroke, s.strokeDasharray] : [s.fill]; };
  const all = (selector, from = root) => [...from.querySelectorAll(selector)];
  return {
    plots: Object.fromEntries(all("[data-plot]").map((plot) => [plot.dataset.plot,
      all("[data-mark]", plot).map((e) => [e.dataset.mark, style(e)])])),
    keys: all(".dlx-key").map((e) => [e.textContent, style(e.querySelector("polyline, circle"))]),
    head: all("thead th").map((e) => e.textContent),
    rows: all("tbody tr").map((e) => [e.querySelector("th").textContent,
      [...e.querySelectorAll("td")].map((n) => n.querySelector("[data-number]")?.dataset.number)]),
  };
}"""


@needs_chromium
@pytest.mark.parametrize("penalty", ["none", "l1"])
def test_legend_has_the_look_of_what_it_names(opened, penalty):
    shown = {**SHOWN, "penalty": penalty}
    seen = opened(("regularisation", shown)).locator(".dlx").evaluate(LOOK)
    theory = penalty == "none"
    named = {
        "fit to these points": (POINTS, ["fit"]),
        "sin πx": (POINTS, ["sin πx"]),
        "mean of 100 fits to redrawn samples": (POINTS, ["mean"]),
        "± their standard deviation": (POINTS, ["mean ± one standard deviation"]),
        "test": (ERRORS, ["test"]),
        "training": (ERRORS, ["training"]),
        **({"theory": (ERRORS, ["test, theory", "training, theory"])} if theory else {}),
        "variance": (ERRORS, ["variance"]),
        "bias²": (ERRORS, ["bias"]),
        "noise σ²": (ERRORS, ["noise"]),
        "fit": ("Coefficients", ["fit"]),
    }
    keys = seen["keys"]
    assert [text for text, _ in keys] == [*named, "sin πx"]
    keys.pop()  # sin πx again, as rings
    for text, style in keys:
        plot, marks = named[text]
        looks = [look for mark, look in seen["plots"][plot] if mark in marks]
        assert looks, text
        assert all(look == style for look in looks), text
    for plot in (POINTS, ERRORS):
        looks = [str(style) for text, style in keys if named[text][0] == plot]
        assert len(set(looks)) == len(looks)
    rings = [look for mark, look in seen["plots"]["Coefficients"] if mark == "truth"]
    assert rings[0] not in [look for mark, look in seen["plots"]["Coefficients"] if mark == "fit"]


@needs_chromium
def test_table_says_what_its_numbers_are(opened):
    seen = opened(("regularisation", SHOWN)).locator(".dlx").evaluate(LOOK)
    columns = {"these points": "sample", "100 redrawn samples": "measured", "theory": "theory"}
    rows = {
        "Noise σ²": "noise",
        "Bias²": "bias",
        "Variance": "variance",
        "Test error": "test",
        "Training error": "training",
    }
    assert [text for text, _ in seen["rows"]] == list(rows)
    assert seen["head"][1:] == list(columns)
    for text, cells in seen["rows"]:
        expected = [f"{rows[text]}.{columns[head]}" for head in seen["head"][1:]]
        if text not in ("Test error", "Training error"):
            expected[0] = None
        assert cells == expected


@needs_chromium
def test_errors_are_drawn_against_what_the_title_says(opened):
    page = opened(("regularisation", {**SHOWN, "penalty": "l2"}))
    title = page.locator(".dlx-title").first
    assert title.text_content() == "Mean squared error (across: degree)"
    page.get_by_label("Errors against").select_option("strength")
    settle(page)
    assert title.text_content() == "Mean squared error (across: λ)"
    page.get_by_label("Penalty").select_option("none")
    settle(page)
    assert title.text_content() == "Mean squared error (across: degree)"
    assert page.get_by_label("Errors against").is_disabled()
    assert page.get_by_role("slider", name="Strength λ").is_disabled()


@needs_chromium
def test_message_says_what_the_penalty_does_to_the_coefficients(opened):
    page = opened(("regularisation", {**SHOWN, "samples": 13, "degree": 12}))
    note = page.locator(".dlx-message")
    assert note.text_content() == "The test error is above its picture. "
    page.get_by_label("Tested at").select_option("inputs")
    settle(page)
    assert note.text_content() == (
        "Theory: variance σ² p/n, training error σ² (1 − p/n) + bias², "
        "with p = 13 coefficients, n = 13 points."
    )
    page.get_by_label("Penalty").select_option("l2")
    settle(page)
    assert note.text_content().startswith("13 coefficients, which count as ")
    page.get_by_label("Penalty").select_option("l1")
    settle(page)
    used = regularisation.Explorer(12, 13, penalty="l1").numbers()["used"]
    assert used < 13
    assert note.text_content() == f"{used} of 13 coefficients are not zero."


# --- Gestures ---------------------------------------------------------------------------


@pytest.fixture
def opened_one(opened):
    return lambda **settings: opened(
        ("regularisation", regularisation.Explorer(**settings).state()),
    )


def circles(page, plot: str, mark: str) -> np.ndarray:
    """Return where circles are in the page."""
    settle(page)
    return np.array(
        page.locator(f'[data-plot="{plot}"] [data-mark="{mark}"]').evaluate_all(
            "all => all.map((e) => { const b = e.getBoundingClientRect(); "
            "return [b.x + b.width / 2, b.y + b.height / 2]; })"
        )
    )


def same_numbers(page, shown: regularisation.Explorer, chosen: int) -> list[str]:
    """Return the faults of a page that shows an explorer with another point chosen."""
    seen = page.locator(".dlx").first.evaluate(drawn.READ, arg=False)
    known = {**drawn.named("regularisation", shown), **shown.numbers(chosen)}
    marks = shown.marks(chosen)
    plots = [fault for plot in seen["plots"] for fault in drawn.plot_faults(plot, marks)]
    return drawn.text_faults("regularisation", seen, known) + plots


@needs_chromium
def test_mouse_drags_the_point_that_it_presses_and_no_other(opened_one):
    page = opened_one()
    before = circles(page, POINTS, "points")
    band = page.locator('[data-mark="mean"]').get_attribute("points")
    fit = page.locator('[data-plot="Points and fits"] [data-mark="fit"]').get_attribute("points")
    page.mouse.move(*before[12])
    page.mouse.down()
    page.mouse.move(*beside(before[12], 60, -70), steps=4)  # sideways has no effect
    page.mouse.up()
    after = circles(page, POINTS, "points")
    np.testing.assert_allclose(after[12], beside(before[12], 0, -70), atol=2)
    np.testing.assert_allclose(np.delete(after, 12, 0), np.delete(before, 12, 0), atol=0.1)
    np.testing.assert_allclose(circles(page, POINTS, "chosen"), after[12:13], atol=0.1)
    page.mouse.move(*beside(before[3], 0, 90))
    np.testing.assert_array_equal(circles(page, POINTS, "points"), after)
    # The fit has followed; what is said of other samples has not.
    assert page.locator('[data-mark="mean"]').get_attribute("points") == band
    fits = page.locator('[data-plot="Points and fits"] [data-mark="fit"]')
    assert fits.get_attribute("points") != fit


@needs_chromium
def test_a_ring_does_not_jump_when_it_is_gripped_beside_its_middle(opened_one):
    page = opened_one()
    (ring,) = circles(page, POINTS, "chosen")
    page.mouse.move(*beside(ring, 3, 9))
    page.mouse.down()
    page.mouse.move(*beside(ring, 3, 59), steps=3)
    np.testing.assert_allclose(circles(page, POINTS, "chosen")[0], beside(ring, 0, 50), atol=2)
    page.mouse.up()


@needs_chromium
def test_press_above_a_point_moves_it_there_and_stays_in_the_picture(opened_one):
    page = opened_one()
    before = circles(page, POINTS, "points")
    page.mouse.click(*beside(before[7], 2, -120))
    np.testing.assert_allclose(
        circles(page, POINTS, "points")[7], beside(before[7], 0, -120), atol=2
    )
    page.mouse.move(*circles(page, POINTS, "points")[7])
    page.mouse.down()
    page.mouse.move(before[7][0], -50, steps=3)
    page.mouse.up()
    frame = page.locator('[data-plot="Points and fits"] .dlx-frame').bounding_box()
    assert circles(page, POINTS, "points")[7][1] == pytest.approx(frame["y"], abs=1)


@needs_chromium
def test_arrow_keys_choose_a_point_and_move_it(opened_one):
    page = opened_one()
    before = circles(page, POINTS, "points")
    page.get_by_role("application").focus()
    page.keyboard.press("ArrowLeft")  # there is none
    np.testing.assert_allclose(circles(page, POINTS, "chosen"), before[:1], atol=0.1)
    for key in ("ArrowRight", "Shift+ArrowRight"):
        page.keyboard.press(key)
    np.testing.assert_allclose(circles(page, POINTS, "points"), before, atol=0.1)
    np.testing.assert_allclose(circles(page, POINTS, "chosen"), before[2:3], atol=0.1)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+ArrowDown")
    after = circles(page, POINTS, "points")
    unit = page.locator('[data-plot="Points and fits"] .dlx-frame').bounding_box()["height"] / 4
    assert before[2][1] - after[2][1] == pytest.approx(0.18 * unit, abs=0.7)
    np.testing.assert_allclose(np.delete(after, 2, 0), np.delete(before, 2, 0), atol=0.1)
    page.wait_for_function(
        "() => document.querySelector('[role=status]').textContent.includes('Point 3 of 20')"
    )
    y = round(float(regularisation.Explorer().points()[1][2]) + 0.1, 2)
    y = round(round(y + 0.1, 2) - 0.02, 2)
    shift = y - regularisation.Explorer().points()[1][2]
    shown = regularisation.Explorer(moved=[0.0, 0.0, shift, *[0.0] * 17])
    assert same_numbers(page, shown, chosen=2) == []


@needs_chromium
def test_finger_scrolls_the_page_drags_the_ring_and_taps_another_point(opened):
    page = opened(
        ("regularisation", SHOWN),
        body="<p style='height: 3000px'></p>",
        viewport={"width": 390, "height": 800},
        has_touch=True,
        is_mobile=True,
    )
    page.wait_for_timeout(100)
    (ring,) = circles(page, POINTS, "chosen")
    swipe(page, ring, beside(ring, 5, 60))
    assert page.evaluate("scrollY") == 0
    np.testing.assert_allclose(circles(page, POINTS, "chosen")[0], beside(ring, 0, 60), atol=3)
    before = circles(page, POINTS, "points")
    away = before[12]
    swipe(page, away, away - [0, 120])
    scrolled = page.evaluate("scrollY")
    assert scrolled > 50
    np.testing.assert_allclose(circles(page, POINTS, "points"), before - [0, scrolled], atol=1)
    page.touchscreen.tap(*(away - [0, scrolled + 30]))
    after = circles(page, POINTS, "chosen")[0]
    np.testing.assert_allclose(after, away - [0, scrolled + 30], atol=3)
    swipe(page, after, beside(after, 0, 40))
    assert page.evaluate("scrollY") == scrolled
    np.testing.assert_allclose(circles(page, POINTS, "chosen")[0], beside(after, 0, 40), atol=3)


@needs_chromium
@pytest.mark.parametrize("against", ["degree", "strength"])
def test_marker_of_the_errors_sets_what_they_are_drawn_against(opened_one, against):
    page = opened_one(penalty="l2", against=against, degree=9, strength=0.1)
    (here,) = circles(page, ERRORS, "test here")
    frame = page.locator(f'[data-plot="{ERRORS}"] .dlx-frame').bounding_box()
    page.mouse.move(*beside(here, 4, 3))
    page.mouse.down()
    page.mouse.move(*beside(here, 4 - frame["width"] / 3, 40), steps=3)
    page.mouse.up()
    settle(page)
    value = page.locator(f'.dlx-value [data-number="{against}"]').text_content()
    assert float(value) == pytest.approx({"degree": 5, "strength": 1e-3}[against], rel=0.1)
    page.mouse.click(frame["x"] + 1, frame["y"] + 20)
    settle(page)
    value = page.locator(f'.dlx-value [data-number="{against}"]').text_content()
    assert float(value) == pytest.approx({"degree": 0, "strength": 1e-5}[against], rel=0.2)


@needs_chromium
def test_new_points_and_another_number_of_them_undo_what_was_moved(opened_one):
    page = opened_one(moved=[1.5] * 20)
    page.get_by_role("button", name="New points").click()
    settle(page)
    assert same_numbers(page, regularisation.Explorer(seed=1), chosen=0) == []
    (point, *_) = circles(page, POINTS, "points")
    page.mouse.click(*beside(point, 0, 60))
    set_slider(page, "Points n", 21)
    assert same_numbers(page, regularisation.Explorer(seed=1, samples=21), chosen=0) == []
    set_slider(page, "Points n", 20)
    assert same_numbers(page, regularisation.Explorer(seed=1), chosen=0) == []


@needs_chromium
def test_ring_stays_on_a_point_when_there_are_fewer(opened_one):
    page = opened_one(samples=40)
    last = circles(page, POINTS, "points")[-1]
    page.mouse.click(*last)
    set_slider(page, "Points n", 13)
    points = circles(page, POINTS, "points")
    assert len(points) == 13
    np.testing.assert_allclose(circles(page, POINTS, "chosen"), points[-1:], atol=0.1)
