"""The activations explorer: its mathematics against dlnotes and torch, and its gestures."""

import json

import drawn
import numpy as np
import pytest
import torch
from browser import needs_chromium
from explorers import JavaScript, beside, readout, set_slider, settle, swipe

from dlnotes.explorers import activations, esm
from dlnotes.scratch.activations import ACTIVATIONS

# What test_explorers.py looks at beside the defaults and the extremes.
STATES = [
    {"activation": "tanh", "layers": 50, "x": 2.0},
    {"activation": "tanh", "layers": 100, "x": 0.3, "weight": 1.2},
    {"activation": "relu", "x": -1.0},  # off
    {"activation": "relu", "x": -1.0, "bias": 1.0},  # the value recovers, the gradient does not
    {"activation": "relu", "x": 1.5, "weight": 1.5, "layers": 40},  # grows out of the picture
    {"activation": "gelu", "x": -4.0, "weight": 10.0},  # a slope that underflows
    {"activation": "sigmoid", "x": 0.5, "weight": 4.0, "bias": -2.0, "layers": 30},
    {"activation": "sigmoid", "x": -2.0, "weight": 0.0},
    {"activation": "sigmoid", "weight": -10.0, "bias": 5.0, "layers": 60},
    {"activation": "silu", "x": 3.0, "weight": -2.0, "bias": 0.5, "layers": 7},
]
TORCH = {
    "identity": lambda z: z,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": torch.nn.functional.leaky_relu,
    "elu": torch.nn.functional.elu,
    "gelu": torch.nn.functional.gelu,
    "silu": torch.nn.functional.silu,
}
CLOSE = {"rtol": 1e-12, "atol": 1e-300}

# --- Mathematics ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def js() -> JavaScript:
    return JavaScript("activations/model.js", "shared/numbers.js")


def js_chain(js: JavaScript, **settings) -> dict[str, np.ndarray]:
    found = js(f"chain(clean({json.dumps(settings)}))")
    return {name: np.array(values) for name, values in found.items()}


def test_settings_have_the_activations_of_dlnotes_and_of_torch():
    choices = list(esm.spec("activations")["settings"]["activation"]["choices"])
    assert choices == list(ACTIVATIONS) == list(TORCH)


@pytest.mark.parametrize(
    ("x", "weight", "bias"), [(1.3, 1, 0), (-0.7, 1.5, 0.4), (2.2, -0.8, 1.0), (0, 1, 0)]
)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_chain_is_that_of_dlnotes_and_of_autograd(js, name, x, weight, bias):
    seen = js_chain(js, activation=name, x=x, weight=weight, bias=bias, layers=12)
    ours = activations.Explorer(name, x=x, weight=weight, bias=bias, layers=12).chain()
    np.testing.assert_allclose(seen["values"], ours.values, **CLOSE)
    np.testing.assert_allclose(seen["slopes"], ours.slopes, **CLOSE)
    np.testing.assert_allclose(seen["factors"], weight * ours.slopes, **CLOSE)
    np.testing.assert_allclose(seen["slopeProducts"], ours.slope_products, **CLOSE)
    np.testing.assert_allclose(seen["gradients"], ours.gradients, **CLOSE)

    start = torch.tensor(float(x), dtype=torch.float64, requires_grad=True)
    values, gradients = [start], [torch.ones_like(start)]
    for _ in range(12):
        values.append(TORCH[name](weight * values[-1] + bias))
        gradients.append(torch.autograd.grad(values[-1], start, retain_graph=True)[0])
    np.testing.assert_allclose(ours.values, [v.item() for v in values], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(ours.gradients, [g.item() for g in gradients], rtol=1e-11)
    np.testing.assert_allclose(
        ours.slope_products * float(weight) ** np.arange(13), ours.gradients, rtol=1e-12
    )


@pytest.mark.parametrize("settings", STATES, ids=str)
def test_curves_and_lines_of_theory_are_those_of_marks(js, settings):
    shown = activations.Explorer(**settings)
    state, marks = json.dumps(shown.state()), shown.marks()
    curves = js(f"curves(clean({state}))")
    np.testing.assert_allclose(curves["value"], marks["Output"]["function"], atol=1e-15, rtol=1e-12)
    for name in ("slope", "factor"):
        np.testing.assert_allclose(curves[name], marks["Slope"][name], rtol=1e-12, atol=1e-15)
    bound = js(f"bound(clean({state}))")
    np.testing.assert_allclose(bound, marks["Product"]["bound"][:, 1], rtol=1e-12)
    law = js(f"tanhLaw(clean({state})) ?? null")
    assert (law is None) == ("law" not in marks["Value"])
    if law is not None:
        np.testing.assert_allclose(law, marks["Value"]["law"][:, 1], rtol=1e-12)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_no_slope_is_larger_than_the_largest(js, name):
    largest = js(f"largestSlope('{name}')")
    assert largest == pytest.approx(activations.largest_slope(name), rel=1e-12)
    z = np.linspace(-12, 12, 240_001)
    found = ACTIVATIONS[name][1](z).max()
    assert found <= largest * (1 + 1e-15)
    assert found == pytest.approx(largest, rel=1e-8)


# What a reader is to find out by setting the controls.


@pytest.mark.parametrize("x", [-4, -0.5, 0, 1, 4])
def test_sigmoid_over_and_over_ends_at_one_value_from_everywhere(js, x):
    seen = js_chain(js, activation="sigmoid", x=x, layers=40)
    assert seen["values"][-1] == pytest.approx(0.659046, abs=1e-6)
    assert seen["slopes"][-1] == pytest.approx(0.224704, abs=1e-6)


@pytest.mark.parametrize("x", [-3, 0.1, 0.5, 2, 4])
def test_tanh_shrinks_by_its_law_and_not_exponentially(js, x):
    seen = js_chain(js, activation="tanh", x=x, layers=100)
    law = np.array(js(f"tanhLaw(clean({{activation: 'tanh', x: {x}, layers: 100}}))"))
    np.testing.assert_allclose(seen["values"][50:], law[50:], rtol=0.01)
    if abs(x) >= 2:
        assert abs(seen["values"][-1]) == pytest.approx((3 / 200) ** 0.5, rel=0.01)
    ratios = seen["values"][1:] / seen["values"][:-1]
    assert (np.diff(ratios) > 0).all(), "each layer takes a smaller share than the one before"


@pytest.mark.parametrize("bias", [0, 1])
def test_relu_once_off_lets_no_gradient_through(js, bias):
    seen = js_chain(js, activation="relu", x=-1.5, bias=bias, layers=20)
    assert (seen["slopeProducts"][1:] == 0).all()
    assert (seen["gradients"][1:] == 0).all()
    assert (seen["values"][-1] > 0) == (bias > 0)


def test_weight_four_makes_of_sigmoid_a_tanh(js):
    seen = js_chain(js, activation="sigmoid", x=1.5, weight=4, bias=-2, layers=50)
    tanh = js_chain(js, activation="tanh", x=2 * 1.5 - 1, layers=50)
    np.testing.assert_allclose(2 * seen["values"] - 1, tanh["values"], rtol=1e-12)
    np.testing.assert_allclose(seen["gradients"], tanh["gradients"], rtol=1e-12)
    np.testing.assert_allclose(
        seen["slopeProducts"], seen["gradients"] / 4.0 ** np.arange(51), rtol=1e-12
    )
    assert seen["gradients"][-1] > 1e20 * 0.25**50


# --- What is said and how it is scaled --------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (
            {},
            "The value has settled at 0.65905: each further layer multiplies the gradient "
            "by 0.2247.",
        ),
        ({"layers": 3}, ""),
        ({"activation": "tanh", "layers": 100}, ""),
        (
            {"activation": "relu", "x": 1.5, "weight": -1},
            "Layer 1 is off: its slope is 0, and so is the product from there on, whatever "
            "follows.",
        ),
        (
            {"activation": "relu", "x": -1, "weight": -1},
            "Layer 2 is off: its slope is 0, and so is the product from there on, whatever "
            "follows.",
        ),
        (
            {"activation": "gelu", "x": -4, "weight": 10},
            "From layer 1 on the product of slopes is smaller than any float64 and counts as 0.",
        ),
        ({"weight": 0}, "With weight 0 a layer does not see what came before it."),
        (
            {"activation": "identity", "x": 1.5, "layers": 1},
            "The value has settled at 1.5: each further layer multiplies the gradient by 1.",
        ),
        ({"activation": "identity", "weight": -1}, ""),
    ],
)
def test_what_is_said_about_a_chain(js, settings, text):
    state = f"clean({json.dumps(settings)})"
    assert js(f"textOf(message({state}, chain({state})))") == text


def test_products_are_drawn_on_powers_of_ten_and_zero_below_them(js):
    assert js("productScale([1, 0.1, 0.01]).range") == [-3, 1]
    assert js("productScale([1, 0.1, 0]).range") == [-14, 1]
    assert js("productScale([1, 1e-200]).range") == [-201, 1]
    assert js("productScale([1, 5e-324]).range") == [-301, 1]
    assert js("productScale([1, 0.1]).log") is True


def test_values_are_drawn_with_zero_in_the_picture(js):
    assert js("plainScale([2, 1]).range") == pytest.approx([-0.16, 2.16])
    low, high = js("plainScale([0, 0]).range")
    assert low < 0 < high


# --- Gestures ---------------------------------------------------------------------------


@pytest.fixture
def opened(opened):
    return lambda *states, **context: opened(*(("activations", s) for s in states), **context)


def ring(page, nth: int = 0) -> np.ndarray:
    """Return the page position of the ring."""
    settle(page)
    box = page.locator(".dlx-start").nth(nth).bounding_box()
    return np.array([box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])


def shown_input(page, nth: int = 0) -> float:
    """Return the input that the page shows."""
    settle(page)
    text = page.locator(".dlx").nth(nth).locator("label [data-number=x]").text_content()
    return drawn.number(text)


def pixels_of_one(page) -> float:
    """Return how many pixels the first plot gives to an input of 1."""
    return page.locator("[data-plot=Output] .dlx-frame").first.bounding_box()["width"] / 8


def drawn_faults(page, **settings) -> list[str]:
    """Return what differs between the first explorer of the page and these settings."""
    settle(page)
    seen = page.locator(".dlx").first.evaluate(drawn.READ, arg=False)
    return drawn.faults("activations", seen, activations.Explorer(**settings))


@needs_chromium
def test_mouse_drags_the_input_and_everything_follows(opened):
    page = opened({}, {})
    before, one = ring(page), pixels_of_one(page)
    page.mouse.move(*(before + 3))
    page.mouse.down()
    page.mouse.move(*beside(before, 3 + 1.5 * one, 40), steps=4)
    assert shown_input(page) == pytest.approx(-0.5, abs=0.02)
    page.mouse.up()
    page.mouse.move(*beside(before, 200, 40))
    assert shown_input(page) == pytest.approx(-0.5, abs=0.02)
    assert drawn_faults(page, x=shown_input(page)) == []
    assert shown_input(page, 1) == -2


@needs_chromium
@pytest.mark.parametrize("plot", ["Output", "Slope"])
def test_click_in_either_plot_over_inputs_places_the_input(opened, plot):
    page = opened({"weight": 2.0})
    box = page.locator(f"[data-plot={plot}] .dlx-frame").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 5.25 / 8, box["y"] + box["height"] / 3)
    assert shown_input(page) == pytest.approx(1.25, abs=0.02)
    assert drawn_faults(page, x=shown_input(page), weight=2.0) == []


@needs_chromium
def test_input_stays_in_the_picture(opened):
    page = opened({})
    page.mouse.move(*ring(page))
    page.mouse.down()
    page.mouse.move(*beside(ring(page), -2000, 0), steps=3)
    page.mouse.up()
    assert shown_input(page) == -4
    page.get_by_role("application").focus()
    page.keyboard.press("ArrowLeft")
    assert shown_input(page) == -4


@needs_chromium
def test_arrow_keys_move_the_input_and_do_not_scroll(opened):
    page = opened({}, body="<p style='height: 3000px'></p>")
    page.get_by_role("application").focus()
    for key, value in [
        ("ArrowRight", -1.9),
        ("ArrowUp", -1.8),
        ("ArrowLeft", -1.9),
        ("Shift+ArrowLeft", -1.92),
        ("ArrowDown", -2.02),
    ]:
        page.keyboard.press(key)
        assert shown_input(page) == value
    assert page.evaluate("scrollY") == 0
    page.keyboard.press("Control+ArrowRight")
    assert shown_input(page) == -2.02


@needs_chromium
def test_finger_scrolls_the_page_but_drags_the_ring(opened):
    page = opened(
        {},
        body="<p style='height: 3000px'></p>",
        viewport={"width": 390, "height": 800},
        has_touch=True,
        is_mobile=True,
    )
    page.wait_for_timeout(100)
    one = pixels_of_one(page)
    swipe(page, ring(page), beside(ring(page), one, 5))
    assert page.evaluate("scrollY") == 0
    assert shown_input(page) == pytest.approx(-1, abs=0.05)
    away = beside(ring(page), 3 * one, -30)
    swipe(page, away, away - [0, 120])
    scrolled = page.evaluate("scrollY")
    assert scrolled > 50
    assert shown_input(page) == pytest.approx(-1, abs=0.05)
    page.touchscreen.tap(*(away - [0, scrolled]))
    assert shown_input(page) == pytest.approx(2, abs=0.05)


@needs_chromium
def test_each_control_sets_its_own_setting(opened):
    page = opened({})
    page.get_by_label("Activation f").select_option("tanh")
    for label, value in {"Layers": 30, "Input x": 1.5, "Weight": 1.2, "Bias": -0.25}.items():
        set_slider(page, label, value)
    settings = {"activation": "tanh", "layers": 30, "x": 1.5, "weight": 1.2, "bias": -0.25}
    assert drawn_faults(page, **settings) == []
    value = activations.Explorer(**settings).numbers()["Value"]
    assert drawn.number(readout(page)["Value"]) == pytest.approx(value, abs=1e-4)


@needs_chromium
def test_keys_have_the_colours_of_what_they_name(opened):
    page = opened({"activation": "tanh", "weight": 1.0})
    stroke = "e => [getComputedStyle(e).stroke, getComputedStyle(e).strokeDasharray].join()"
    for plot, names in {
        "Output": {"f(w × input + b)": "function", "output = input": "next"},
        "Slope": {"f′": "slope", "w × f′": "factor"},
        "Value": {"chain": "value", "x/√(1 + ⅔nx²)": "law"},
        "Product": {"|f′|": "slopes", "|w × f′|": "gradients", "(max f′)ⁿ": "bound"},
    }.items():
        place = page.locator(f"[data-plot={plot}]")
        title = place.locator("xpath=preceding-sibling::p[contains(@class, 'dlx-title')][1]")
        keys = dict(
            zip(
                title.locator(".dlx-key").all_text_contents(),
                [key.evaluate(stroke) for key in title.locator(".dlx-key path").all()],
                strict=True,
            )
        )
        assert keys == {
            text: place.locator(f"[data-mark={mark}]").first.evaluate(stroke)
            for text, mark in names.items()
        }
        assert len(set(keys.values())) == len(keys)
    slopes = [
        page.locator(f"[data-plot={plot}] [data-mark={mark}]").first.evaluate(stroke)
        for plot, mark in (("Slope", "slope"), ("Product", "slopes"))
    ]
    assert slopes[0] == slopes[1], "slopes have one colour in both plots"


@needs_chromium
def test_key_of_the_law_stands_only_where_the_law_holds(opened):
    page = opened({"activation": "tanh"})
    law = page.get_by_text("x/√(1 + ⅔nx²)")
    assert law.count() == 1
    set_slider(page, "Weight", 1.05)
    assert law.count() == 0
