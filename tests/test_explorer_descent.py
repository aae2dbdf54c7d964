"""The descent explorer: its mathematics against dlnotes and torch, and its gestures."""

import itertools
import json
import re

import drawn
import numpy as np
import pytest
import torch
import traitlets
from browser import needs_chromium
from explorers import JavaScript, beside, readout, set_slider, settle, swipe
from test_optimizers import CASES, CLOSE, STEPS, Case, scratch_path, torch_path

from dlnotes import surfaces
from dlnotes.explorers import descent, esm, terrain

# What test_explorers.py looks at beside the defaults and the extremes.
STATES = [
    {"surface": "ravine", "optimizer": "momentum", "lr": 0.03, "momentum": 0.8, "steps": 40},
    {"surface": "wave", "lr": 0.02, "steps": 20},
    {"surface": "wave", "lr": 0.3, "steps": 30},  # falls below the lowest minimum in the window
    {"surface": "wave", "lr": 0.3, "steps": 3},  # has left the picture, and lies lower
    {"surface": "bowl", "lr": 1.5, "steps": 100},  # diverges
    {"surface": "bowl", "lr": 0.5},  # is at the minimum after one step
    {"surface": "saddle", "optimizer": "adam", "lr": 0.3, "start": [1.2, -0.7], "steps": 7},
]
# Started from in the page.
SHOWN = [descent.Explorer(**settings).state() for settings in STATES[:2]]

# --- Mathematics ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def js() -> JavaScript:
    return JavaScript(
        "maths/surfaces.js",
        "maths/optimizers.js",
        "descent/model.js",
        "shared/contours.js",
        "shared/numbers.js",
        "shared/plot.js",
        "shared/settings.js",
        "shared/terrain.js",
    )


def js_path(js: JavaScript, case: Case) -> np.ndarray:
    settings = dict(case.settings)
    if "betas" in settings:
        settings["beta1"], settings["beta2"] = settings.pop("betas")
    start = json.dumps(surfaces.SURFACES[case.surface].start)
    rule = f"optimizers.{case.rule}({json.dumps(settings)})"
    grad = f"surfaces.{case.surface}().grad"
    return np.array(js(f"descend({grad}, {start}, {rule}, {case.lr!r}, {STEPS})"))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_javascript_path_is_that_of_dlnotes_and_of_torch(js, case):
    path = js_path(js, case)
    np.testing.assert_allclose(path, scratch_path(case), **CLOSE)
    np.testing.assert_allclose(path, torch_path(case), **CLOSE)


def test_javascript_and_settings_have_the_same_surfaces_and_rules(js):
    settings = esm.spec("descent")["settings"]
    for known in (js("Object.keys(surfaces)"), list(settings["surface"]["choices"])):
        assert known == list(surfaces.SURFACES)
    for known in (js("Object.keys(optimizers)"), list(settings["optimizer"]["choices"])):
        assert known == list(descent.OPTIMIZERS)


@pytest.mark.parametrize("name", [*surfaces.SURFACES, "ravine 3", "ravine 3 30"])
def test_javascript_surface_is_that_of_dlnotes_and_of_autograd(js, name):
    name, *given = name.split()
    surface = surfaces.ravine(*map(float, given)) if given else surfaces.SURFACES[name]
    options = dict(zip(("condition", "angle"), map(float, given), strict=False))
    made = f"surfaces.{name}({json.dumps(options)})"
    facts = js(made)
    assert facts["dim"] == surface.dim
    for fact in ("minima", "window", "start"):
        np.testing.assert_allclose(facts[fact], getattr(surface, fact), rtol=1e-15)
    low, high = np.array(surface.window).T
    where = np.random.default_rng(1).uniform(low, high, (50, surface.dim))
    tensor = torch.from_numpy(where).requires_grad_()
    value = surface.value(tensor)
    value.sum().backward()
    close = {"rtol": 1e-12, "atol": 1e-12}
    points = json.dumps(where.tolist())
    for oracle in (value.detach().numpy(), surface.value(where)):
        np.testing.assert_allclose(js(f"{points}.map({made}.value)"), oracle, **close)
    for oracle in (tensor.grad.numpy(), surface.grad(where)):
        np.testing.assert_allclose(js(f"{points}.map({made}.grad)"), oracle, **close)


@pytest.mark.parametrize("optimizer", descent.OPTIMIZERS)
def test_slider_state_means_the_same_in_dlnotes(js, optimizer):
    explorer = descent.Explorer("ravine", optimizer, 0.01, 0.7, (1.0, -1.0), 30, 8.0)
    seen = js(f"trajectory(clean({json.dumps(explorer.state())}))")
    surface = surfaces.ravine(8.0)
    path = explorer.path()
    np.testing.assert_allclose(seen["points"], path, **CLOSE)
    np.testing.assert_allclose(seen["losses"], surface.value(path), rtol=1e-12)
    slopes = np.linalg.norm(surface.grad(path), axis=-1)
    np.testing.assert_allclose(seen["slopes"], slopes, rtol=1e-12)
    assert seen["diverged"] is None


def test_divergence_stops_the_path_and_is_said(js):
    state = '{surface: "bowl", optimizer: "gd", lr: 1.5, steps: 100, start: [1, 1]}'
    seen = js(f"trajectory(clean({state}))")
    # The factor 1 - 2 lr is -2: 2^12 = 4096 is the first beyond 500 windows of 5.
    assert seen["diverged"] == len(seen["points"]) - 1 == 12
    said = js(f"message(picture(surfaces.bowl()), {json.dumps(seen)}, 12)")
    assert said["warning"] is True
    assert js(f"textOf({json.dumps(said['message'])})") == (
        "Diverges: in 12 steps the loss went from 2 to 3.4 × 10⁷. Lower the learning rate."
    )


def test_a_path_that_converges_says_nothing(js):
    path = js("trajectory(clean({surface: 'bowl', lr: 0.1}))")
    assert js(f"message(picture(surfaces.bowl()), {json.dumps(path)}, 50)") == {}


@pytest.mark.parametrize(
    ("given", "cleaned"),
    [
        (
            {"surface": "<img>", "optimizer": "constructor"},
            {"surface": "ravine", "optimizer": "gd"},
        ),
        ({"surface": "toString"}, {"surface": "ravine"}),
        ({"lr": None, "momentum": "0.5"}, {"lr": 0.05, "momentum": 0.9}),
        ({"lr": 1e9, "momentum": -1, "steps": 1e9}, {"lr": 10, "momentum": 0, "steps": 500}),
        ({"steps": 2.4, "condition": 0}, {"steps": 2, "condition": 1}),
        ({"surface": "bowl", "start": [1]}, {"start": [-2, 1.5]}),
        ({"surface": "bowl", "start": [None, 99]}, {"start": [-2, 2.5]}),
        ({"surface": "wave", "start": "12"}, {"start": [3.6]}),
    ],
)
def test_impossible_state_is_made_possible(js, given, cleaned):
    result = js(f"clean({json.dumps(given)})")
    assert {key: result[key] for key in cleaned} == cleaned


@pytest.mark.parametrize("name", surfaces.SURFACES)
def test_picture_holds_the_window_at_equal_scales(js, name):
    (x0, x1), (y0, y1) = js(f"picture(surfaces.{name}())")
    for axis, (low, high) in zip(
        ((x0, x1), (y0, y1)), surfaces.SURFACES[name].window, strict=False
    ):
        assert axis[0] <= low < high <= axis[1]
    if surfaces.SURFACES[name].dim == 2:
        assert (x1 - x0) / (y1 - y0) == pytest.approx(4 / 3)
    # Wherever the picture lets the start be dragged Python accepts it, and nowhere else.
    reach = terrain.picture(surfaces.SURFACES[name].window)
    np.testing.assert_allclose(reach, ((x0, x1), (y0, y1))[: len(reach)], rtol=1e-15)


def test_loss_is_drawn_on_the_scale_that_fits(js):
    scale = js("lossScale(surfaces.bowl(), [100, 1, 0.01])")
    assert scale == {"values": [2, 0, -2], "range": [-3, 3], "log": True, "label": "Loss"}
    scale = js("lossScale(surfaces.wave(), [0, -24])")
    lowest = float(surfaces.wave().value(np.array(surfaces.wave().minima[0])))
    np.testing.assert_allclose(scale["values"], np.log10([-lowest, -24 - lowest]))
    assert scale["log"] is True
    assert scale["label"] == "Loss above the minimum"
    # A path that falls below the lowest known minimum has no logarithm.
    scale = js("lossScale(surfaces.wave(), [0, -100])")
    assert scale["log"] is False
    assert scale["values"] == [0, -100]
    assert scale["range"] == [-105, 5]


@pytest.mark.parametrize("expression", ["lossScale(surfaces.bowl(), [0, 0])", "ticks([0, 1], 4)"])
def test_flat_loss_and_single_step_have_a_scale(js, expression):
    assert "null" not in json.dumps(js(expression))


def test_contours_are_closed_and_where_the_level_is(js):
    paths = js(
        "(() => { const v = []; for (let j = 0; j <= 60; j++) for (let i = 0; i <= 80; i++) "
        "v.push(((i - 40) / 10) ** 2 + ((j - 30) / 10) ** 2); "
        "return sublevelPaths(v, 81, 61, [4, 12], 80, 60); })()"
    )
    rings = [[np.array(re.findall(r"[-\d.]+", part), float).reshape(-1, 2)
              for part in re.findall("M([^Z]*)Z", path)] for path in paths]  # fmt: skip
    (circle,) = rings[0]
    radius = np.hypot(circle[:, 0] - 40, circle[:, 1] - 30) / 10
    np.testing.assert_allclose(radius, 2, atol=0.02)
    assert len(circle) > 60
    # The larger one is cut by the frame: it runs along the frame and stays inside.
    (cut,) = rings[1]
    assert cut.min() >= 0
    assert {cut[:, 1].min(), cut[:, 1].max()} == {0, 60}
    assert np.hypot(cut[:, 0] - 40, cut[:, 1] - 30).max() < 10 * 12**0.5 + 0.2


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1.23456, "1.23"), (-0.05, "−0.05"), (1e-5, "1.0 × 10⁻⁵"), (-123456, "−1.2 × 10⁵")],
)
def test_numbers_are_written_for_readers(js, value, text):
    assert js(f"number({value})") == text


def test_learning_rate_slider_moves_to_round_values(js):
    seen = js("Array.from({length: 251}, (_, i) => SCALES.log.from(-4 + 0.02 * i))")
    assert seen[0] == 1e-4
    assert seen[-1] == 10
    assert all(a < b for a, b in itertools.pairwise(seen)), "a key press that does nothing"
    assert all(len(f"{v:.12g}".lstrip("0.").replace(".", "").rstrip("0")) <= 3 for v in seen)


# --- The Python class -------------------------------------------------------------------


def test_start_is_that_of_the_surface_unless_given():
    assert descent.Explorer("himmelblau").start == [0.0, 0.0]
    assert descent.Explorer("himmelblau", start=(1, 2)).start == [1.0, 2.0]


def test_another_surface_takes_its_own_start_where_the_old_one_cannot_be():
    explorer = descent.Explorer("ravine")
    explorer.surface = "wave"
    assert explorer.start == [3.6]
    explorer = descent.Explorer("ravine")  # its start is off the picture of beale
    explorer.surface = "beale"
    assert explorer.start == [0.5, -1.0]


def test_surface_and_start_can_arrive_together():
    explorer = descent.Explorer("ravine")
    explorer.set_state({"surface": "himmelblau", "start": [4.0, -4.0]})
    assert (explorer.surface, explorer.start) == ("himmelblau", [4.0, -4.0])
    explorer.set_state({"surface": "wave", "start": [1.0]})
    assert (explorer.surface, explorer.start) == ("wave", [1.0])


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"surface": "bowel"}, "surface must be one of wave, plateau, .*got 'bowel'"),
        ({"start": ("a", 0.0)}, "start x must be a number, got 'a'"),
        ({"start": 3.0}, r"start needs 2 number\(s\) on the ravine surface, got 3.0"),
        ({"start": (1.0,)}, r"start needs 2 number\(s\) on the ravine surface, got 1"),
        ({"start": (9.0, 0.0)}, "start x must be from -2.5 to 2.5 on the ravine surface, got 9"),
        ({"start": (0.0, float("nan"))}, "start y must be from"),
    ],
)
def test_bad_argument_says_what_to_change(argument, message):
    with pytest.raises(traitlets.TraitError, match=message):
        descent.Explorer(**argument)
    explorer = descent.Explorer()
    before = explorer.state()
    (name, value), *_ = argument.items()
    with pytest.raises(traitlets.TraitError, match=message):
        setattr(explorer, name, value)
    assert explorer.state() == before


# --- Gestures ---------------------------------------------------------------------------


@pytest.fixture
def opened(opened):
    return lambda *states, **context: opened(*(("descent", s) for s in states), **context)


def trace(page, nth: int = 0) -> np.ndarray:
    """Return the drawn path in pixels of the picture."""
    settle(page)
    points = (
        page.locator(".dlx").nth(nth).locator(".dlx-surface .dlx-trace").get_attribute("points")
    )
    return np.array([pair.split(",") for pair in points.split()], float)


def start_of(page, nth: int = 0) -> np.ndarray:
    """Return the page position of the start."""
    box = page.locator(".dlx-surface").nth(nth).bounding_box()
    return np.array([box["x"], box["y"]]) + trace(page, nth)[0]


@needs_chromium
def test_mouse_drags_the_start_and_click_places_it(opened):
    page = opened(*SHOWN)
    other = trace(page, 1)
    before = start_of(page)
    page.mouse.move(*(before + 3))
    page.mouse.down()
    page.mouse.move(*beside(before, 63, 33), steps=4)
    np.testing.assert_allclose(start_of(page), beside(before, 60, 30), atol=2)
    page.mouse.up()
    page.mouse.move(*beside(before, 150, 90))
    np.testing.assert_allclose(start_of(page), beside(before, 60, 30), atol=2)
    page.mouse.click(*beside(before, 200, 10))
    np.testing.assert_allclose(start_of(page), beside(before, 200, 10), atol=2)
    np.testing.assert_array_equal(trace(page, 1), other)


@needs_chromium
def test_start_stays_in_the_picture(opened):
    page = opened(SHOWN[0])
    box = page.locator(".dlx-surface").bounding_box()
    page.mouse.move(*start_of(page))
    page.mouse.down()
    page.mouse.move(box["x"] - 100, box["y"] - 100, steps=3)
    page.mouse.up()
    inside = start_of(page) - [box["x"], box["y"]]
    assert (inside >= 0).all()
    assert (inside < 60).all()


@needs_chromium
def test_arrow_keys_move_the_start_and_do_not_scroll(opened):
    page = opened(SHOWN[0], body="<p style='height: 3000px'></p>")
    page.get_by_role("application").focus()
    before = start_of(page)
    page.keyboard.press("ArrowRight")
    right = start_of(page)
    assert right[0] > before[0] + 4
    assert right[1] == before[1]
    page.keyboard.press("ArrowDown")
    assert start_of(page)[1] > right[1] + 3
    page.keyboard.press("Shift+ArrowLeft")
    assert 0 < right[0] - start_of(page)[0] < 4
    assert page.evaluate("scrollY") == 0


@needs_chromium
def test_keys_within_one_frame_all_count(opened):
    page = opened(SHOWN[0])
    before = start_of(page)
    page.get_by_role("application").evaluate(
        "e => { for (const key of ['ArrowRight', 'ArrowDown', 'ArrowDown']) "
        "e.dispatchEvent(new KeyboardEvent('keydown', {key})); }"
    )
    right, down = start_of(page) - before
    assert right > 4
    assert down == pytest.approx(1.5 * right, abs=2)  # twice as often, three quarters as far


@needs_chromium
def test_controls_that_have_no_effect_are_off(opened):
    page = opened(SHOWN[0])
    page.get_by_label("Surface").select_option("himmelblau")
    page.get_by_label("Optimizer").select_option("adam")
    settle(page)
    assert page.get_by_label("Momentum β₁").is_enabled()
    assert page.get_by_label("Condition number").is_disabled()
    page.get_by_label("Optimizer").select_option("gd")
    settle(page)
    assert page.get_by_label("Momentum β").is_disabled()


@needs_chromium
def test_contours_are_kept_while_the_path_changes(opened):
    page = opened(SHOWN[0])
    first = page.locator(".dlx-hills path").first
    first.evaluate("e => e.setAttribute('data-old', '')")
    set_slider(page, "Learning rate", -2)
    assert first.get_attribute("data-old") == ""
    set_slider(page, "Condition number", 7)
    assert first.get_attribute("data-old") is None


@needs_chromium
def test_single_steps_and_scrubbing(opened):
    page = opened(SHOWN[0])
    step = page.get_by_role("button", name="Step", exact=True)
    step.click()
    assert readout(page)["Step"] == "1 of 40"
    assert len(trace(page)) == 2
    step.click()
    assert readout(page)["Step"] == "2 of 40"
    set_slider(page, "Shown up to step", 17)
    assert readout(page)["Step"] == "17 of 40"
    assert len(trace(page)) == 18
    shown = descent.Explorer(**SHOWN[0])
    seen = page.locator(".dlx").first.evaluate(drawn.READ, arg=False)
    known = {**drawn.named("descent", shown), **shown.numbers(17)}
    assert drawn.text_faults("descent", seen, known) == []
    assert [drawn.plot_faults(plot, shown.marks(17)) for plot in seen["plots"]] == [[], []]


@needs_chromium
@pytest.mark.parametrize("surface", ["ravine", "rosenbrock", "himmelblau"])
def test_contours_lie_where_the_surface_is_level(opened, surface):
    page = opened({**SHOWN[0], "surface": surface, "start": [0.5, 0.5]})
    (ticks,) = (
        plot["ticks"]
        for plot in page.locator(".dlx").first.evaluate(drawn.READ)["plots"]
        if plot["name"] == "Surface"
    )
    paths = page.locator(".dlx-hills path").evaluate_all(
        "all => all.map((e) => [...e.getAttribute('d').matchAll(/([-\\d.]+) ([-\\d.]+)/g)]"
        ".map(([, x, y]) => new DOMPoint(x, y).matrixTransform(e.getScreenCTM()))"
        ".map(({x, y}) => [x, y]))"
    )
    scales = [
        drawn.scale_of([(text, line[i]) for axis, text, line, _ in ticks if axis == name])[0]
        for i, name in enumerate("xy")
    ]
    zero, one = (np.array([scale(v) for scale in scales]) for v in (0.0, 1.0))
    view = np.array(terrain.picture(surfaces.SURFACES[surface].window))
    levels, spreads = [], []
    for pixels in paths:
        points = (np.array(pixels) - zero) / (one - zero)
        inside = (np.abs(points - view.mean(1)) < 0.49 * np.ptp(view, axis=1)).all(axis=1)
        values = surfaces.SURFACES[surface].value(points[inside])
        levels.append(values.mean())
        spreads.append(values.std())
    assert len(levels) == 12
    assert levels == sorted(levels, reverse=True)
    assert max(spreads) < 0.02 * np.ptp(levels)


@needs_chromium
def test_play_runs_to_the_end_and_pauses(opened):
    page = opened(SHOWN[0])
    page.evaluate(
        "() => { const status = document.querySelector('[role=status]'); window.spoken = 0;"
        "new MutationObserver(() => { if (status.textContent) window.spoken += 1; })"
        ".observe(status, {childList: true}); }"
    )
    page.get_by_role("button", name="Play").click()
    page.wait_for_function(
        "() => document.querySelector('.dlx-state dd').textContent !== '40 of 40'"
    )
    page.wait_for_timeout(700)
    assert page.evaluate("window.spoken") == 0, "a screen reader is not read every step"
    page.get_by_role("button", name="Pause").click()
    paused = readout(page)["Step"]
    assert 0 < int(paused.split()[0]) < 40
    page.wait_for_timeout(300)
    assert readout(page)["Step"] == paused
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("() => document.querySelector('.dlx-button').textContent === 'Play'")
    assert readout(page)["Step"] == "40 of 40"
    assert "Step 40 of 40" in page.get_by_role("status").text_content()


@needs_chromium
def test_reduced_motion_shows_the_end_at_once(opened):
    page = opened(SHOWN[0], reduced_motion="reduce")
    set_slider(page, "Shown up to step", 3)
    page.get_by_role("button", name="Play").click()
    assert readout(page)["Step"] == "40 of 40"
    assert page.get_by_role("button", name="Pause").count() == 0


@needs_chromium
def test_divergence_is_said_in_plain_words(opened):
    page = opened({**SHOWN[0], "surface": "bowl", "optimizer": "gd", "start": [-2, 1.5]})
    note = page.locator(".dlx-message")
    assert note.text_content() == ""
    set_slider(page, "Learning rate", 0.1)  # ten to that power: above the limit of 1
    assert note.text_content().startswith("Diverges: in ")
    assert "Lower the learning rate." in note.text_content()
    page.wait_for_function(
        "() => document.querySelector('[role=status]').textContent.includes('Diverges')"
    )
    set_slider(page, "Learning rate", -1)
    assert note.text_content() == ""


@needs_chromium
def test_finger_scrolls_the_page_but_drags_the_ring(opened):
    page = opened(
        SHOWN[0],
        body="<p style='height: 3000px'></p>",
        viewport={"width": 390, "height": 800},
        has_touch=True,
        is_mobile=True,
    )
    page.wait_for_timeout(100)
    ring = start_of(page)
    swipe(page, ring, beside(ring, 60, 25))
    assert page.evaluate("scrollY") == 0
    np.testing.assert_allclose(start_of(page), beside(ring, 60, 25), atol=3)
    ring = start_of(page)
    away = beside(ring, 120, 80)
    swipe(page, away, away - [0, 120])
    scrolled = page.evaluate("scrollY")
    assert scrolled > 50
    np.testing.assert_allclose(start_of(page), ring - [0, scrolled], atol=1)
    page.touchscreen.tap(*(away - [0, scrolled]))
    np.testing.assert_allclose(start_of(page), away - [0, scrolled], atol=2)
