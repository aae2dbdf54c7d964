"""The initialisation explorer: its mathematics against dlnotes and torch, and its gestures."""

import json
import math
import re

import drawn
import numpy as np
import pytest
import torch
from browser import needs_chromium
from explorers import JavaScript, beside, readout, set_slider, settle, swipe

from dlnotes.explorers import esm, initialisation
from dlnotes.explorers.initialisation import Explorer
from dlnotes.scratch import init, meanfield
from dlnotes.scratch.activations import ACTIVATIONS

# What test_explorers.py looks at beside the defaults and the extremes.
STATES = [
    {"activation": "sigmoid", "scheme": "xavier", "depth": 50},
    {"activation": "sigmoid", "gain": 10.1, "width": 32},
    {"activation": "identity", "gain": 12.0, "depth": 50, "width": 16},
    {"activation": "gelu", "gain": 0.1, "depth": 50},
    {"activation": "tanh", "gain": 12.0, "depth": 15},
    {"activation": "gelu", "scheme": "fitted", "depth": 50},
    {"activation": "tanh", "scheme": "fitted", "seed": 3, "depth": 7},
    {"scheme": "default", "depth": 20, "width": 44},
    {"scheme": "kaiming", "depth": 50},
]
CHOICES = esm.spec("initialisation")["settings"]
SCHEMES, NAMES = (list(CHOICES[key]["choices"]) for key in ("scheme", "activation"))

# --- Mathematics ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def js() -> JavaScript:
    return JavaScript(
        "initialisation/model.js",
        "maths/init.js",
        "maths/meanfield.js",
        "maths/activations.js",
        "shared/numbers.js",
    )


def test_settings_name_what_dlnotes_has(js):
    assert set(NAMES) <= set(ACTIVATIONS) & set(js("Object.keys(activations)"))


def test_javascript_stds_are_those_of_dlnotes(js):
    assert js("GAINS") == init.GAINS
    assert js("xavierStd(20, 12, 1.5)") == pytest.approx(init.xavier_std(20, 12, 1.5), rel=1e-15)
    assert js("kaimingStd(20)") == pytest.approx(init.kaiming_std(20), rel=1e-15)
    assert js("kaimingStd(20, 3)") == pytest.approx(init.kaiming_std(20, 3), rel=1e-15)
    assert js("linearBound(20)") == pytest.approx(init.linear_bound(20), rel=1e-15)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("gain", "bias", "width"), [(0.3, 0.0, 64), (1.0, 0.2, 20), (2**0.5, 0.0, 16), (5.0, 0.01, 64)]
)
def test_javascript_theory_is_that_of_dlnotes(js, name, gain, bias, width):
    activation, depth = ACTIVATIONS[name], 12
    options = json.dumps({"gain": gain, "bias": bias, "width": width, "depth": depth})
    found = js(f"meanField(activations.{name}, {options})")
    q = meanfield.forward(activation, gain, depth, bias)
    np.testing.assert_allclose(found["signals"]["mean"], q, rtol=1e-12)
    down = meanfield.backward(activation, gain, q)
    np.testing.assert_allclose(found["gradients"]["mean"], down, rtol=1e-12)
    scatter = meanfield.scatter(activation, gain, q, width, bias)
    assert found["trusted"] == (scatter is not None)
    for plot, one in zip(("signals", "gradients"), scatter or (), strict=False):
        for fact, values in one._asdict().items():
            np.testing.assert_allclose(found[plot][fact], values, rtol=1e-9, atol=1e-12)
    assert js(f"fittedGain(activations.{name})") == pytest.approx(
        meanfield.fitted_gain(activation), rel=1e-12
    )


def test_band_of_the_explorer_is_there_and_is_not(js):
    """The comparison above compares something: some of its networks have a band, some not."""
    assert "low" in Explorer("relu", "kaiming", width=20).expected()["signals"]
    assert "low" not in Explorer("gelu", "fitted").expected()["signals"]


@pytest.mark.parametrize("settings", [{}, *STATES], ids=str)
def test_javascript_network_is_that_of_python(js, settings):
    explorer = Explorer(**settings)
    state = f"clean({json.dumps(explorer.state())})"
    found, levels = js(f"network({state})"), explorer.measured()
    # Rounding grows like any difference between inputs, by as much as the gradient does.
    close = 1e-9 * max(1, 1e-3 * levels.gradients[0])
    if explorer.activation == "identity":  # unless all is in proportion
        close = 1e-9
    for plot in ("signals", "gradients"):
        seen = np.array(found[plot], dtype=float)
        np.testing.assert_allclose(seen, getattr(levels, plot), rtol=close)
    assert found["cosine"] == pytest.approx(levels.cosine, abs=close)
    assert found["flat"] == pytest.approx(levels.flat, rel=1e-12)
    theory, expected = js(f"expected({state})"), explorer.expected()
    assert theory["gain"] == pytest.approx(explorer.numbers()["Gain of these weights"], rel=1e-12)
    for plot, curves in expected.items():
        assert {name for name, curve in theory[plot].items() if curve} == set(curves)
        for name, curve in curves.items():
            seen = np.array(theory[plot][name], dtype=float)
            np.testing.assert_allclose(seen, curve, rtol=1e-9)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", NAMES)
def test_signals_and_gradients_are_those_of_autograd(name, scheme):
    explorer = Explorer(name, scheme, gain=1.3, depth=6, width=24, seed=2)
    net = explorer.network()
    functions = {"identity": lambda z: z, "relu": torch.relu, "tanh": torch.tanh,
                 "sigmoid": torch.sigmoid, "gelu": torch.nn.functional.gelu,
                 "silu": torch.nn.functional.silu}  # fmt: skip
    out, pre = torch.from_numpy(net.inputs), []
    for weight, bias in zip(net.weights, net.biases, strict=True):
        z = torch.nn.functional.linear(out, torch.from_numpy(weight), torch.from_numpy(bias))
        pre.append(z.requires_grad_())
        pre[-1].retain_grad()
        out = functions[name](z)
    (pre[-1][0] @ torch.from_numpy(net.top)).backward()
    levels = explorer.measured()
    rms = [z[0].detach().square().mean().sqrt().item() for z in pre]
    np.testing.assert_allclose(levels.signals, rms, rtol=1e-12)
    slopes = [z.grad[0].square().mean().sqrt().item() for z in pre]
    np.testing.assert_allclose(levels.gradients, slopes, rtol=1e-12)
    cosine = torch.nn.functional.cosine_similarity(*pre[-1].detach(), dim=0).item()
    assert levels.cosine == pytest.approx(cosine, rel=1e-9)
    assert (net.inputs**2).mean(axis=1) == pytest.approx([1, 1])
    assert levels.gradients[-1] == pytest.approx(1)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_weights_are_as_wide_as_their_scheme_says(scheme):
    n = 64
    net = Explorer("tanh", scheme, gain=1.7, depth=50, width=n).network()
    expected = {
        "normal": init.kaiming_std(n, 1.7),
        "xavier": init.xavier_std(n, n),
        "kaiming": init.kaiming_std(n),
        "fitted": init.kaiming_std(n, 1.5925),
        "default": init.linear_bound(n) / math.sqrt(3),
    }[scheme]
    assert net.weights.std() == pytest.approx(expected, rel=0.01)
    assert net.weights.mean() == pytest.approx(0, abs=0.01 * expected)
    if scheme == "default":
        for drawn_numbers in (net.weights, net.biases):
            assert np.abs(drawn_numbers).max() == pytest.approx(init.linear_bound(n), rel=0.001)
        assert net.biases.std() == pytest.approx(expected, rel=0.03)
    else:
        assert np.abs(net.weights).max() > 4 * expected
        assert (net.biases == 0).all()


def test_layers_are_unlike_and_a_smaller_network_is_a_corner_of_a_larger_one():
    large = Explorer(depth=9, width=64).network().weights * math.sqrt(64)
    small = Explorer(depth=5, width=20).network().weights * math.sqrt(20)
    np.testing.assert_allclose(large[:5, :20, :20], small, rtol=1e-12)
    alike = np.corrcoef(large.reshape(9, -1)) - np.eye(9)
    assert np.abs(alike).max() < 5 / 64
    other = Explorer(depth=9, width=64, seed=1).network().weights * math.sqrt(64)
    assert abs(np.corrcoef(large.ravel(), other.ravel())[0, 1]) < 5 / 64 / 3


def test_draws_of_the_page_lie_in_the_band_19_times_of_20():
    explorer = Explorer("relu", "kaiming", depth=20, width=32)
    inside = []
    for seed in range(100):
        explorer.seed = seed
        levels, theory = explorer.measured(), explorer.expected()
        for values, limits in zip(levels[:2], theory.values(), strict=True):
            inside.append((limits["low"] <= values + 1e-9) & (values <= limits["high"] + 1e-9))
    assert 0.9 < np.mean(inside) < 0.99
    initialisation._standard.cache_clear()


@pytest.mark.parametrize("plot", ["signals", "gradients"])
@pytest.mark.parametrize(
    ("name", "level"), [("relu", 1e-8), ("relu", 30.0), ("identity", 1.0), ("gelu", 0.1),
                        ("tanh", 0.3), ("sigmoid", 0.4)]
)  # fmt: skip
def test_gain_is_found_that_puts_the_end_where_it_is_dragged(js, plot, name, level):
    explorer = Explorer(name, "kaiming", depth=25)
    state = f"clean({json.dumps(explorer.state())})"
    gain = js(f"gainFor({state}, '{plot}', {level})")
    theory = Explorer(name, gain=gain, depth=25).expected()[plot]["theory"]
    assert theory[-1 if plot == "signals" else 0] == pytest.approx(level, rel=0.01)


def test_gain_for_what_cannot_be_reached_is_a_limit(js):
    for level, limit in ((1e-60, 0.1), (1e60, 12)):
        state = f"clean({json.dumps(Explorer('tanh').state())})"
        assert js(f"gainFor({state}, 'signals', {level})") == pytest.approx(limit)


@pytest.mark.parametrize(
    ("signals", "gradients", "trusted", "words", "warning"),
    [
        ([1, 0.5], [0.5, 1], True, "", False),
        ([2, 1e-3], [0.5, 1], True, "The signal vanishes: from layer 1 to 30 by a factor of "
         "5.0 × 10⁻⁴.", True),
        ([2, 1e5], [0.5, 1], True, "The signal explodes: from layer 1 to 30 by a factor of "
         "5.0 × 10⁴.", True),
        ([1, 1], [1e-4, 1], True, "The gradient vanishes: down to layer 1 by a factor of "
         "1.0 × 10⁻⁴.", True),
        ([1, 1], [5e3, 1], True, "The gradient explodes: down to layer 1 by a factor of 5000.",
         True),
        ([1, 1], [1e10, 1], True, "The gradient explodes: down to layer 1 by a factor of "
         "1.0 × 10¹⁰. So does every rounding error on its way up: another machine draws "
         "another curve.", True),
        ([1, 0], [0, 1], True, "All units of a layer are off: nothing comes after it. "
         "No gradient reaches layer 1.", True),
        ([1, 1], [1, 1], False, "No band: such networks differ by more than first-order theory "
         "can say.", False),
    ],
)  # fmt: skip
def test_message_says_what_is_wrong(js, signals, gradients, trusted, words, warning):
    net = json.dumps({"signals": signals, "gradients": gradients})
    found = js(f"message({{depth: 30}}, {net}, {{trusted: {json.dumps(trusted)}}})")
    assert js(f"textOf({json.dumps(found['message'])})").strip() == words
    assert found["warning"] is warning


# --- Gestures ---------------------------------------------------------------------------


@pytest.fixture
def opened(opened):
    def open_states(*settings, **context):
        states = (("initialisation", Explorer(**one).state()) for one in settings)
        return opened(*states, **context)

    return open_states


def ring(page, plot: str) -> np.ndarray:
    """Return the page position of the handle of a plot."""
    settle(page)
    box = page.locator(f"[data-plot='{plot}'] .dlx-handle").first.bounding_box()
    return np.array([box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])


def ticks(page) -> list[str]:
    return page.locator(".dlx").first.locator("[data-tick=y]").all_text_contents()


def value(page, label: str) -> str:
    settle(page)
    return page.get_by_label(label).first.evaluate("e => e.value")


@needs_chromium
@pytest.mark.parametrize("plot", ["Pre-activations", "Gradients"])
@pytest.mark.parametrize("settings", [{"scheme": "kaiming"}, {"activation": "tanh", "gain": 2.0}])
def test_mouse_drags_the_end_of_the_theory_line(opened, plot, settings):
    page = opened({**settings, "depth": 20}, {})
    other = readout(page, 1)
    before, scale = ring(page, plot), ticks(page)
    gain = drawn.number(readout(page)["Gain of these weights"])
    page.mouse.move(*(before + 4))
    page.mouse.down()
    page.mouse.move(*beside(before, 10, 40), steps=5)
    low = ring(page, plot)
    np.testing.assert_allclose(low, beside(before, 0, 36), atol=1.5)
    assert drawn.number(readout(page)["Gain of these weights"]) < gain
    page.mouse.move(*beside(before, 4, -10), steps=5)
    np.testing.assert_allclose(ring(page, plot), beside(before, 0, -14), atol=1.5)
    assert drawn.number(readout(page)["Gain of these weights"]) > gain
    assert ticks(page) == scale, "the axis stays while it is dragged on"
    page.mouse.move(before[0], before[1] + 500)
    assert ticks(page) == scale
    page.mouse.up()
    assert ticks(page) != scale, "and fits again afterwards"
    assert value(page, "Initial weights") == "normal"
    after = ring(page, plot)
    page.mouse.move(*beside(after, 0, -30))
    np.testing.assert_array_equal(ring(page, plot), after)
    assert readout(page, 1) == other


@needs_chromium
def test_arrow_keys_move_the_gain_by_a_hundredth_or_a_thousandth(opened):
    page = opened({"scheme": "xavier"})
    handle = page.get_by_role("slider", name="Theory in the last layer")
    gains = []
    for key in ("ArrowUp", "ArrowDown", "ArrowDown", "Shift+ArrowRight", "Shift+ArrowLeft"):
        handle.press(key)
        settle(page)
        gains.append(float(handle.get_attribute("aria-valuenow")))
    np.testing.assert_allclose(gains, [1.01, 1.0, 0.9901, 0.9911, 0.9901], atol=1e-4)
    assert page.evaluate("scrollY") == 0
    assert value(page, "Initial weights") == "normal"
    for _ in range(300):
        handle.press("ArrowDown")
    settle(page)
    assert handle.get_attribute("aria-valuenow") == handle.get_attribute("aria-valuemin") == "0.1"


@needs_chromium
def test_finger_drags_the_ring_and_scrolls_elsewhere(opened):
    page = opened({}, viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    page.wait_for_timeout(100)
    before = ring(page, "Pre-activations")
    np.testing.assert_allclose(
        swipe(page, before, beside(before, 0, -60), lambda: ring(page, "Pre-activations")),
        beside(before, 0, -60),
        atol=3,
    )
    assert page.evaluate("scrollY") == 0
    assert readout(page)["Gain of these weights"] != "1"
    here = ring(page, "Pre-activations")
    swipe(page, beside(here, -150, 0), beside(here, -150, -120))
    assert page.evaluate("scrollY") > 50


def points(page, plot: str, mark: str) -> str:
    settle(page)
    line = page.locator(f"[data-plot='{plot}'] polyline[data-mark='{mark}']")
    return line.get_attribute("points")


@needs_chromium
def test_another_draw_moves_the_network_and_not_the_theory(opened):
    page = opened({"scheme": "kaiming", "seed": 998})
    again = page.get_by_role("button", name="Another draw")
    handle = page.get_by_role("slider", name="Theory in the last layer")
    seen = []
    for seed in (999, 0):
        before = {m: points(page, "Gradients", m) for m in ("measured", "theory", "low")}
        again.click()
        settle(page)
        after = {m: points(page, "Gradients", m) for m in ("measured", "theory", "low")}
        assert [m for m in before if before[m] != after[m]] == ["measured"]
        assert handle.get_attribute("aria-valuetext") == "gain 1.414"
        seen.append(readout(page))
        expected = Explorer("relu", "kaiming", seed=seed).numbers()
        assert drawn.says(seen[-1]["Gradient, first layer / last"],
                          expected["Gradient, first layer / last"])  # fmt: skip
    assert seen[0] != seen[1]


@needs_chromium
def test_gain_is_taken_along_to_weights_of_your_own(opened):
    page = opened({"activation": "tanh", "scheme": "fitted"})
    assert page.get_by_role("slider", name=re.compile("^Gain")).is_disabled()
    before = points(page, "Pre-activations", "theory")
    page.get_by_label("Initial weights").select_option("normal")
    assert drawn.number(readout(page)["Gain of these weights"]) == pytest.approx(1.59)
    assert page.get_by_role("slider", name=re.compile("^Gain")).is_enabled()
    after = points(page, "Pre-activations", "theory")
    np.testing.assert_allclose(
        *(np.array([p.split(",") for p in text.split()], float) for text in (before, after)),
        atol=0.5,
    )
    page.get_by_label("Initial weights").select_option("xavier")
    assert drawn.number(readout(page)["Gain of these weights"]) == 1


@needs_chromium
def test_sliders_move_what_they_name(opened):
    page = opened({"scheme": "kaiming"})
    set_slider(page, "Layers", 12)
    assert len(points(page, "Pre-activations", "theory").split()) == 12
    wide = points(page, "Gradients", "high")
    set_slider(page, "Units in each layer", 16)
    assert points(page, "Gradients", "high") != wide
    assert page.locator(".dlx-band").count() == 3  # two plots and the key


@needs_chromium
def test_key_has_the_colours_of_the_curves(opened):
    page = opened({"scheme": "kaiming"})
    stroke = "e => getComputedStyle(e).stroke + getComputedStyle(e).strokeDasharray"
    for text, mark in (("this network", "measured"), ("theory, infinitely wide", "theory"),
                       ("19 of 20 networks this wide", "low"), ("drag this", "end")):  # fmt: skip
        sample = page.locator(".dlx-keys span", has_text=text).locator("svg > *").last
        for curve in page.locator(f"[data-plot] :is(polyline, circle)[data-mark='{mark}']").all():
            if mark == "measured":  # its key ends with the dot on the line
                sample = page.locator(".dlx-keys .dlx-trace")
            assert sample.evaluate(stroke) == curve.evaluate(stroke)
    area = page.locator(".dlx-band").evaluate_all("all => all.map(e => getComputedStyle(e).fill)")
    assert len(area) == 3
    assert len(set(area)) == 1


@needs_chromium
def test_area_lies_between_the_edges_of_the_band(opened):
    page = opened({"scheme": "kaiming"})
    for plot in ("Pre-activations", "Gradients"):
        area = page.locator(f"[data-plot='{plot}'] polygon").get_attribute("points").split()
        low, high = (points(page, plot, mark).split() for mark in ("low", "high"))
        assert area == low + high[::-1]
