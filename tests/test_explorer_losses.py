"""The losses explorer: its mathematics against dlnotes and torch, and its gestures."""

import json

import drawn
import numpy as np
import pytest
import torch
import traitlets
from browser import needs_chromium
from explorers import JavaScript, beside, number, set_slider, settle, swipe
from torch.nn import functional as F  # noqa: N812  as torch's documentation writes it

from dlnotes.explorers import esm, losses
from dlnotes.scratch import activations, lines
from dlnotes.scratch import losses as scratch

# What test_explorers.py looks at beside the defaults and the extremes.
STATES = [
    {"outlier": [8, -6], "intercept": False},  # leverage: MAE goes through the point
    {"outlier": [-7.5, 5.0], "others": 5, "seed": 3, "delta": 0.3},
    {"outlier": [0, 0], "intercept": False, "seed": 2},
    {"outlier": [8, -6], "others": 20},  # too many others: MAE stays
    {"view": "logit", "logit": -8},
    {"view": "logit", "logit": 2.5, "positive": False},
    {"view": "logit", "logit": 0},
    {"view": "softmax", "temperature": 0.1, "label": 3, "logits": [6, -6, 5.5, -6]},
    {"view": "softmax", "temperature": 10},
    {"view": "logit", "logit": 1.3},
    {"outlier": [7.5, -4.0], "intercept": False},
    {"view": "softmax", "logits": [0.5, -2.5, 4, 1], "label": 2, "temperature": 0.5},
]
VIEWS = {
    "outlier": {"outlier": [2.0, -3.0]},
    "logit": {"view": "logit"},
    "softmax": {"view": "softmax"},
}
SHOWN = {name: losses.Explorer(**settings).state() for name, settings in VIEWS.items()}
CLOSE = {"rtol": 1e-12, "atol": 1e-14}

# --- Mathematics ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def js() -> JavaScript:
    return JavaScript(
        "maths/losses.js", "maths/lines.js", "maths/activations.js", "losses/model.js"
    )


def explorers(count: int, seed: int = 0):
    """Yield explorers of the first view with points everywhere."""
    rng = np.random.default_rng(seed)
    for k in range(count):
        yield losses.Explorer(
            outlier=rng.uniform([-8, -6], [8, 6]).round(1),
            others=int(rng.integers(3, 21)),
            delta=10 ** rng.uniform(-1, 1),
            intercept=bool(k % 2),
            seed=k,
        )


def test_javascript_points_are_those_of_dlnotes(js):
    for explorer in explorers(20):
        seen = js(f"points(clean({json.dumps(explorer.state())}))")
        for axis, expected in zip("xy", explorer.points(), strict=True):
            np.testing.assert_allclose(seen[axis], expected, **CLOSE)


@pytest.mark.parametrize(
    ("name", "ours"), [("leastSquares", "least_squares"), ("leastAbsolute", "least_absolute")]
)
@pytest.mark.parametrize("intercept", [True, False])
def test_javascript_line_is_that_of_dlnotes(js, name, ours, intercept):
    for explorer in explorers(100, seed=1):
        x, y = explorer.points()
        seen = js(f"{name}({x.tolist()}, {y.tolist()}, {json.dumps(intercept)})")
        np.testing.assert_allclose(seen, getattr(lines, ours)(x, y, intercept), **CLOSE)


@pytest.mark.parametrize("intercept", [True, False])
def test_javascript_huber_line_is_that_of_dlnotes(js, intercept):
    for explorer in explorers(200, seed=2):
        x, y = explorer.points()
        settings = f"{explorer.delta}, {json.dumps(intercept)}"
        seen = js(f"leastHuber({x.tolist()}, {y.tolist()}, {settings})")
        np.testing.assert_allclose(
            seen, lines.least_huber(x, y, explorer.delta, intercept), rtol=1e-12, atol=1e-13
        )


def test_javascript_keeps_the_line_through_points_that_repeat_an_x(js):
    for name in ("leastSquares", "leastAbsolute", "leastHuber"):
        seen = js(f"{name}([0, 1, 1, 3, 0], [-1, 1, 1, 5, -1])")
        np.testing.assert_allclose(seen, (2, -1), rtol=1e-12)


RESIDUALS = [-7.5, -2.5, -1.0, -0.3, 0.0, 1e-9, 0.3, 1.0, 2.5, 7.5]


@pytest.mark.parametrize(
    ("call", "ours", "by_torch"),
    [
        ("mse", scratch.mse, F.mse_loss),
        ("mae", scratch.mae, F.l1_loss),
        ("huber", scratch.huber, F.huber_loss),
        (
            "((a, b) => huber(a, b, 2.5))",
            lambda a, b: scratch.huber(a, b, 2.5),
            lambda a, b: F.huber_loss(a, b, delta=2.5),
        ),
    ],
)
def test_javascript_losses_of_errors(js, call, ours, by_torch):
    for r in RESIDUALS:
        seen = js(f"{call}({r} + 0.5, 0.5)")
        prediction, target = np.array([r + 0.5]), np.array([0.5])
        value, slope = ours(prediction, target)
        np.testing.assert_allclose(seen, [value, slope[0]], **CLOSE)
        tensor = torch.tensor(prediction, requires_grad=True)
        loss = by_torch(tensor, torch.tensor(target))
        loss.backward()
        np.testing.assert_allclose(seen, [loss.item(), tensor.grad.item()], **CLOSE)


def squared(z, y):
    return F.mse_loss(torch.sigmoid(z), y)


@pytest.mark.parametrize(
    ("name", "by_torch"),
    [("cross-entropy", F.binary_cross_entropy_with_logits), ("squared error", squared)],
)
@pytest.mark.parametrize("y", [0.0, 1.0])
def test_javascript_losses_of_one_logit(js, name, by_torch, y):
    for z in (-800.0, -40.0, -8.0, -0.6931, 0.0, 0.1, 3.0, 40.0, 800.0):
        seen = js(f"BINARY['{name}']({z}, {y})")
        value, slope = losses.BINARY[name](np.array([z]), np.array([y]))
        np.testing.assert_allclose(seen, [value, slope[0]], **CLOSE)
        if abs(z) <= 8:  # far out torch forms 1 - p, which has lost its digits
            tensor = torch.tensor([z], dtype=torch.float64, requires_grad=True)
            loss = by_torch(tensor, torch.tensor([y], dtype=torch.float64))
            loss.backward()
            np.testing.assert_allclose(seen, [loss.item(), tensor.grad.item()], rtol=1e-11)


def test_steps_back_are_those_of_dlnotes_and_of_the_chapter(js):
    # About e^|z| / 2 steps where the squared error is flat, about |z| under cross-entropy.
    known = {-2: [3, 8], -4: [5, 36], -6: [7, 214], -8: [9, 1507]}
    for z, expected in known.items():
        for side in (1, -1):
            positive = side == 1
            both = [losses.steps_back(f, side * z, positive) for f in losses.BINARY.values()]
            assert both == expected
            calls = f"Object.values(BINARY).map((f) => stepsBack(f, {side * z}, {int(positive)}))"
            assert js(calls) == expected
    assert js("Object.values(BINARY).map((f) => stepsBack(f, 3, 1))") == [0, 0]
    assert [losses.steps_back(f, 3.0, True) for f in losses.BINARY.values()] == [0, 0]


def test_largest_slope_of_the_squared_error_is_at_a_third(js):
    slopes = js("oneLogit(clean({view: 'logit'}))[1].curve.map(([, slope]) => slope)")
    z = -8 + int(np.argmin(slopes)) / 10
    assert z == pytest.approx(-np.log(2), abs=0.05)
    assert min(slopes) == pytest.approx(-8 / 27, rel=1e-3)


LOGITS = [[3.0, 2.0, 0.0, -1.0], [6.0, -6.0, 5.5, -6.0], [0.0] * 4, [600.0, -600.0, 0.0, 1.0]]


@pytest.mark.parametrize("z", LOGITS)
@pytest.mark.parametrize("temperature", [0.1, 1.0, 10.0])
def test_javascript_softmax_is_that_of_dlnotes_and_of_torch(js, z, temperature):
    t = torch.tensor([z], dtype=torch.float64, requires_grad=True)
    p = torch.softmax(t / temperature, -1)
    seen = js(f"softmax({z}, {temperature})")
    np.testing.assert_allclose(seen, activations.softmax(np.array(z), temperature), **CLOSE)
    np.testing.assert_allclose(seen, p.detach().numpy()[0], **CLOSE)
    for label in range(4):
        found = js(f"atTemperature({z}, {label}, {temperature})")
        t.grad = None
        loss = F.cross_entropy(t / temperature, torch.tensor([label]))
        loss.backward()
        assert found["cross-entropy"] == pytest.approx(loss.item(), rel=1e-12, abs=1e-14)
        np.testing.assert_allclose(found["slopes"], t.grad.numpy()[0], **CLOSE)
        expected = torch.distributions.Categorical(probs=p).entropy().item()
        assert found["entropy"] == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("view", VIEWS)
def test_javascript_numbers_are_those_of_dlnotes_to_the_last_digits(js, view):
    calls = {"outlier": "fits", "logit": "oneLogit", "softmax": "probabilities"}
    cases = list(explorers(40, seed=3)) if view == "outlier" else []
    cases += [losses.Explorer(**s) for s in [*STATES, {}] if s.get("view", "outlier") == view]
    assert cases
    for explorer in cases:
        explorer.view = view
        seen = js(f"{calls[view]}(clean({json.dumps(explorer.state())}))")
        known = explorer.numbers()
        if view == "softmax":
            np.testing.assert_allclose(seen, [known[f"p.{k}"] for k in range(4)], **CLOSE)
            continue
        names = {"offset": "intercept", "slope": "gradient"} if view == "logit" else {}
        names = {"offset": "intercept"} if view == "outlier" else names
        for row in seen:
            mine = {k: v for k, v in row.items() if k not in ("name", "curve")}
            theirs = [known[f"{names.get(key, key)}.{row['name']}"] for key in mine]
            np.testing.assert_allclose(
                list(mine.values()), theirs, rtol=1e-12, atol=1e-12, err_msg=str(explorer)
            )


# --- What the picture is to show --------------------------------------------------------


def test_pulls_balance_under_every_line():
    for explorer in explorers(100, seed=4):
        x, _ = explorer.points()
        for name, pulls in explorer.pulls().items():
            size = np.abs(pulls * x).sum()
            assert abs((pulls * x).sum()) < 1e-11 * (1 + size), (explorer, name)
            assert not explorer.intercept or abs(pulls.sum()) < 1e-11 * (1 + np.abs(pulls).sum())
        assert np.abs(explorer.pulls()["mae"]).max() <= 1 + 1e-9
        assert np.abs(explorer.pulls()["huber"]).max() <= explorer.delta


def test_an_outlier_moves_mse_most_and_leverage_moves_mae_too():
    slopes = lambda **state: {k: v[0] for k, v in losses.Explorer(**state).fits().items()}  # noqa: E731
    up = slopes(outlier=[1.5, -6])
    assert abs(up["mse"] - 1) > 2 * abs(up["mae"] - 1)
    # Through the origin MAE is the weighted median: one point with more weight than all
    # the others decides it.
    shown = losses.Explorer(outlier=[8, -6], intercept=False)
    assert np.abs(shown.points()[0][:-1]).sum() < 8
    assert shown.fits()["mae"][0] == -0.75
    crowd = slopes(outlier=[8, -6], intercept=False, others=20)
    assert crowd["mae"] > 0.5 > 0 > crowd["mse"]


def test_true_class_between_mean_and_top_has_a_best_temperature():
    shown = losses.Explorer("softmax")
    curve = shown.marks()["Against the temperature"]["cross-entropy"]
    k = int(np.argmin(curve[:, 1]))
    assert 0 < k < len(curve) - 1
    # There the mean logit under p is the logit of the true class.
    p = activations.softmax(np.array(shown.logits), curve[k, 0])
    assert p @ shown.logits == pytest.approx(shown.logits[shown.label], abs=0.05)


# --- The Python class -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"outlier": 3.0}, "outlier must be a list of 2 numbers, got 3.0"),
        ({"outlier": "12"}, "outlier must be a list of 2 numbers, got '12'"),
        ({"outlier": (1.0,)}, "outlier needs 2 numbers, got 1"),
        ({"outlier": (9.0, 0.0)}, r"outlier\[0\] must be from -8 to 8, got 9"),
        ({"outlier": (0.0, 7.0)}, r"outlier\[1\] must be from -6 to 6, got 7"),
        ({"outlier": (0.0, float("nan"))}, r"outlier\[1\] must be from -6 to 6, got nan"),
        ({"logits": (0.0, 0.0, "a", 0.0)}, r"logits\[2\] must be a number, got 'a'"),
        ({"logits": (0.0, 0.0, 0.0)}, "logits needs 4 numbers, got 3"),
        ({"logits": (0.0, 0.0, 0.0, -7.0)}, r"logits\[3\] must be from -6 to 6, got -7"),
    ],
)
def test_bad_argument_says_what_to_change(argument, message):
    with pytest.raises(traitlets.TraitError, match=message):
        losses.Explorer(**argument)
    explorer = losses.Explorer()
    before = explorer.state()
    (name, value), *_ = argument.items()
    with pytest.raises(traitlets.TraitError, match=message):
        setattr(explorer, name, value)
    assert explorer.state() == before


@pytest.mark.parametrize(
    ("given", "cleaned"),
    [
        ({"outlier": [99, None]}, {"outlier": [8, -4.5]}),
        ({"outlier": [1]}, {"outlier": [1.5, -4.5]}),
        ({"outlier": "12"}, {"outlier": [1.5, -4.5]}),
        ({"logits": [1, -99, "2", 0.5]}, {"logits": [1, -6, 0, 0.5]}),
        ({"view": "toString", "label": 2.4}, {"view": "outlier", "label": 2}),
    ],
)
def test_impossible_state_is_made_possible(js, given, cleaned):
    result = js(f"clean({json.dumps(given)})")
    assert {key: result[key] for key in cleaned} == cleaned


# --- What the picture calls things ------------------------------------------------------

LOOK = """root => {
  const style = (e) => { const s = getComputedStyle(e); return [s.stroke, s.strokeDasharray]; };
  const all = (selector) => [...root.querySelectorAll(selector)];
  return {
    keys: all(".dlx-key").map((e) => [e.textContent, style(e.querySelector("path"))]),
    curves: all("polyline:not(.dlx-casing)").map((e) => [e.dataset.mark, style(e)]),
    dots: all("circle").map((e) => [e.dataset.mark, getComputedStyle(e).fill]),
    rows: all("tbody tr").map((e) => [e.querySelector("th").textContent,
      [...e.querySelectorAll("[data-number]")].map((n) => n.dataset.number)]),
    head: all("thead th").map((e) => e.textContent),
  };
}"""


@needs_chromium
@pytest.mark.parametrize("view", VIEWS)
def test_legend_has_the_look_of_what_it_names(opened, view):
    seen = opened(SHOWN[view]).locator(".dlx").evaluate(LOOK)
    curves: dict[str, list] = {}
    for mark, style in seen["curves"]:
        curves.setdefault(mark, []).append(style)
    if view == "softmax":
        curves["true class"] = curves[f"class {SHOWN[view]['label']}"]
        curves["after one step"] = curves["step 0"]
        others = [curves[f"class {k}"] for k in range(4) if k != SHOWN[view]["label"]]
        assert curves["true class"] not in others
    keys = {text.rstrip("0123456789. "): style for text, style in seen["keys"]}
    keys = {"ln 4" if name == "ln" else name: style for name, style in keys.items()}
    looks = [style for name, style in keys.items() if name != "true class"]  # a bar, not a line
    assert all(looks.count(style) == 1 for style in looks)
    for name, style in keys.items():
        assert curves[name] == [style] * len(curves[name]), name
    dots = [(mark, fill) for mark, fill in seen["dots"] if mark.endswith((" here", ", dragged"))]
    for mark, fill in dots:
        name = mark.removesuffix(" here").removesuffix(", dragged")
        assert fill in ("none", keys[name][0]), mark
    assert view == "softmax" or len(dots) >= 3


@needs_chromium
@pytest.mark.parametrize("view", VIEWS)
def test_tables_say_what_their_numbers_are(opened, view):
    seen = opened(SHOWN[view]).locator(".dlx").evaluate(LOOK)
    rows = {"mse": "MSE", "mae": "MAE", "huber": "Huber", "1": "1 (true)"}
    columns = {"logit z": "logit", "gradient (p − y) / T": "gradient"}
    assert len(seen["rows"]) in (2, 3, 4)
    for head, names in seen["rows"]:
        assert {rows.get(name.partition(".")[2], name.partition(".")[2]) for name in names} == {
            head
        }
        kinds = [name.partition(".")[0] for name in names if not name.startswith("class.")]
        assert kinds == [columns.get(text, text) for text in seen["head"][1:]]


# --- Gestures ---------------------------------------------------------------------------


@pytest.fixture
def opened(opened):
    return lambda *states, **context: opened(*(("losses", s) for s in states), **context)


def value(page, name: str, nth: int = 0) -> float:
    """Return a number that is shown, by its name."""
    settle(page)
    return number(
        page.locator(".dlx").nth(nth).locator(f'[data-number="{name}"]').first.text_content()
    )


def circle(page, plot: str, mark: str, nth: int = 0) -> np.ndarray:
    """Return where in the page a dot of a plot is; the `nth` of its name."""
    settle(page)
    dot = page.locator(f'[data-plot="{plot}"] circle[data-mark="{mark}"]').nth(nth)
    box = dot.bounding_box()
    return np.array([box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])


def right(page, state) -> None:
    """Check every number and mark against Python, for the state that is now shown."""
    settle(page)
    shown = losses.Explorer(**state)
    seen = page.locator(".dlx").first.evaluate(drawn.READ, arg=False)
    assert drawn.faults("losses", seen, shown) == []


def drag(page, begin, *places) -> None:
    page.mouse.move(*begin)
    page.mouse.down()
    for place in places:
        page.mouse.move(*place, steps=3)
    page.mouse.up()


SCENE = "Points and lines"


@needs_chromium
def test_mouse_drags_the_point_up_and_sideways(opened):
    page = opened(SHOWN["outlier"], SHOWN["outlier"])
    before, slope = circle(page, SCENE, "dragged"), value(page, "slope.mse")
    drag(page, before + 3, beside(before, 83, -57))
    np.testing.assert_allclose(circle(page, SCENE, "dragged"), beside(before, 80, -60), atol=2)
    assert value(page, "slope.mse") != slope
    assert value(page, "slope.mse", nth=1) == slope
    page.mouse.move(*before)
    np.testing.assert_allclose(circle(page, SCENE, "dragged"), beside(before, 80, -60), atol=2)
    page.mouse.click(*beside(before, -90, -20))
    np.testing.assert_allclose(circle(page, SCENE, "dragged"), beside(before, -90, -20), atol=2)


@needs_chromium
def test_dragged_sideways_the_point_takes_the_mae_line_with_it(opened):
    page = opened({**SHOWN["outlier"], "outlier": [1.0, -6.0], "intercept": False})
    note = page.locator(".dlx-message")
    assert value(page, "slope.mae") > 0.5
    assert note.text_content() == ""
    ring = circle(page, SCENE, "dragged")
    drag(page, ring, beside(ring, 400, 0))
    right(page, {"outlier": [8.0, -6.0], "intercept": False})
    assert value(page, "slope.mae") == -0.75
    assert value(page, "error.mae") == 0
    assert 0 < abs(value(page, "pull.mae")) < 1
    assert "The MAE line goes through the dragged point" in note.text_content()
    set_slider(page, "Other points", 20)
    assert note.text_content() == ""
    assert abs(value(page, "pull.mae")) == 1


@needs_chromium
def test_point_stays_in_the_picture(opened):
    page = opened(SHOWN["outlier"])
    ring = circle(page, SCENE, "dragged")
    drag(page, ring, beside(ring, 900, 700))
    right(page, {"outlier": [8.0, -6.0]})


@needs_chromium
def test_arrow_keys_move_the_point_and_do_not_scroll(opened):
    page = opened(SHOWN["outlier"], body="<p style='height: 3000px'></p>")
    page.get_by_role("application").focus()
    for key, state in (
        ("ArrowRight", [2.5, -3.0]),
        ("ArrowDown", [2.5, -3.5]),
        ("Shift+ArrowUp", [2.5, -3.4]),
        ("Shift+ArrowLeft", [2.4, -3.4]),
    ):
        page.keyboard.press(key)
        right(page, {"outlier": state})
    assert page.evaluate("scrollY") == 0


@needs_chromium
def test_new_points_are_those_of_the_next_seed(opened):
    page = opened({**SHOWN["outlier"], "seed": 999})
    page.get_by_role("button", name="New points").click()
    right(page, {"outlier": [2.0, -3.0], "seed": 0})
    page.get_by_role("button", name="New points").click()
    right(page, {"outlier": [2.0, -3.0], "seed": 1})


PLOTS = ["Loss against p", "Loss against the logit", "Gradient against the logit"]


@needs_chromium
@pytest.mark.parametrize("plot", PLOTS)
def test_each_picture_of_the_logit_is_dragged_sideways(opened, plot):
    page = opened({**SHOWN["logit"], "logit": 0.5})
    ring = circle(page, plot, "cross-entropy here")
    before = value(page, "p")
    drag(page, ring + 2, beside(ring, -28, 42))
    assert value(page, "p") < before
    moved = circle(page, plot, "cross-entropy here", nth=1)
    assert moved[0] == pytest.approx(ring[0] - 30, abs=3)
    logit = value(page, "logit")
    right(page, {"view": "logit", "logit": logit})
    drag(page, moved, beside(ring, -900, 0))
    assert value(page, "logit") == -8
    # A press beside the ring brings it there.
    page.mouse.click(*beside(ring, 10, -10))
    assert circle(page, plot, "cross-entropy here")[0] == pytest.approx(ring[0] + 10, abs=3)


@needs_chromium
def test_other_class_turns_the_picture_around(opened):
    page = opened({**SHOWN["logit"], "logit": 4.0})
    assert value(page, "steps.squared error") == 0
    page.get_by_label("the true class is 1").uncheck()
    right(page, {"view": "logit", "logit": 4.0, "positive": False})
    assert value(page, "steps.squared error") == 36
    assert value(page, "gradient.cross-entropy") > 0.9


@needs_chromium
def test_bars_are_dragged_each_by_itself(opened):
    page = opened(SHOWN["softmax"])
    ring = circle(page, "Logits", "logits", nth=2)
    drag(page, ring + 2, beside(ring, 70, -28))
    seen = [value(page, f"logit.{k}") for k in range(4)]
    assert seen[2] > 1.5
    assert [seen[k] for k in (0, 1, 3)] == [3, 2, -1]
    assert circle(page, "Logits", "logits", nth=2)[1] == pytest.approx(ring[1] - 30, abs=3)
    right(page, {"view": "softmax", "logits": seen})
    # A press elsewhere in its column brings it there, as far as the logits go.
    drag(page, beside(ring, 0, 30), beside(ring, 0, 600))
    assert [value(page, f"logit.{k}") for k in range(4)] == [3, 2, -6, -1]


@needs_chromium
def test_bars_have_keys_and_are_sliders(opened):
    page = opened(SHOWN["softmax"])
    bar = page.get_by_role("slider", name="Logit of class 3")
    for key, logit in (("ArrowUp", -0.5), ("ArrowLeft", -1.0), ("Shift+ArrowDown", -1.1)):
        bar.press(key)
        assert value(page, "logit.3") == logit
    right(page, {"view": "softmax", "logits": [3, 2, 0, -1.1]})
    assert bar.get_attribute("aria-valuenow") == "-1.1"
    assert bar.get_attribute("aria-valuetext").startswith("−1.1, p 0.01")


@needs_chromium
def test_one_step_goes_where_the_marks_say(opened):
    page = opened(SHOWN["softmax"])
    before = value(page, "cross-entropy")
    marks = losses.Explorer("softmax").marks()["Logits"]
    page.get_by_role("button", name="One step").click()
    right(page, {"view": "softmax", "logits": [marks[f"step {k}"][0, 1] for k in range(4)]})
    assert value(page, "cross-entropy") < before


@needs_chromium
def test_temperature_leaves_the_largest_largest(opened):
    page = opened(SHOWN["softmax"])
    for position, temperature in ((-1, 0.1), (0.6, 4), (1, 10)):
        set_slider(page, "Temperature T", position)
        right(page, {"view": "softmax", "temperature": temperature})
        p = [value(page, f"p.{k}") for k in range(4)]
        assert p == sorted(p, reverse=True)


@needs_chromium
def test_views_change_places_and_keep_their_settings(opened):
    page = opened({**SHOWN["outlier"], "logit": 3.0})
    choice = page.get_by_label("What to look at")
    for view in ("softmax", "logit", "outlier"):
        choice.select_option(view)
        right(page, {**SHOWN["outlier"], "logit": 3.0, "view": view})
    assert page.get_by_role("application").count() == 1
    choice.select_option("logit")
    page.set_viewport_size({"width": 500, "height": 900})
    page.wait_for_timeout(100)
    right(page, {**SHOWN["outlier"], "logit": 3.0, "view": "logit"})
    page.get_by_role("button", name="Reset").click()
    right(page, {**SHOWN["outlier"], "logit": 3.0})


@needs_chromium
@pytest.mark.parametrize("view", VIEWS)
def test_every_control_of_every_view_does_something(opened, view):
    page = opened(SHOWN[view])
    settings = esm.spec("losses")["settings"]
    box = page.locator(".dlx")
    seen = [box.inner_html()]
    for control in box.locator(":is(input, [tabindex='0'])").all():
        control.press("Space" if control.get_attribute("type") == "checkbox" else "ArrowRight")
        settle(page)
        seen.append(box.inner_html())
    labels = {
        "outlier": ["delta", "others", "intercept"],
        "logit": ["logit", "positive"],
        "softmax": ["temperature", "label"],
    }
    for name in labels[view]:
        assert page.get_by_label(settings[name]["label"]).count() == 1
    plain = [text.split('role="status"')[0] for text in seen]
    assert len(set(plain)) == len(plain)


@needs_chromium
@pytest.mark.parametrize("width", [390, 580, 740, 1000])
def test_nothing_is_cut_off_in_any_state(opened, width):
    states = [losses.Explorer(**settings).state() for settings in STATES]
    page = opened(*states, viewport={"width": width, "height": 900})
    # A plot cuts off the handle of a point at its edge.
    cut = page.locator(".dlx *:not(svg *, .dlx-spoken, option, .dlx-plot)").evaluate_all(
        "all => all.filter(e => e.clientWidth && e.scrollWidth > e.clientWidth + 1)"
        ".map(e => `${e.className}: ${e.textContent.slice(0, 60)}`)"
    )
    assert cut == []


@needs_chromium
def test_finger_scrolls_the_page_but_drags_the_rings(opened):
    page = opened(
        SHOWN["outlier"],
        SHOWN["softmax"],
        body="<p style='height: 3000px'></p>",
        viewport={"width": 390, "height": 800},
        has_touch=True,
        is_mobile=True,
    )
    page.wait_for_timeout(100)
    ring = circle(page, SCENE, "dragged")
    swipe(page, ring, beside(ring, -60, -40))
    assert page.evaluate("scrollY") == 0
    np.testing.assert_allclose(circle(page, SCENE, "dragged"), beside(ring, -60, -40), atol=3)
    page.locator('[data-plot="Logits"]').scroll_into_view_if_needed()
    bar = circle(page, "Logits", "logits", nth=1)
    scrolled = page.evaluate("scrollY")
    swipe(page, bar, beside(bar, 0, 40))
    assert page.evaluate("scrollY") == scrolled
    np.testing.assert_allclose(circle(page, "Logits", "logits", nth=1), beside(bar, 0, 40), atol=3)
    # Beside a ring a finger scrolls, and a tap places.
    bar = circle(page, "Logits", "logits", nth=1)
    swipe(page, beside(bar, 0, -60), beside(bar, 0, -160))
    assert page.evaluate("scrollY") > scrolled + 50
