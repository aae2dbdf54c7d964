"""The schedules explorer: its mathematics against dlnotes and torch, and its gestures."""

import json
import math

import drawn
import numpy as np
import pytest
import torch
from browser import needs_chromium
from explorers import JavaScript, beside, number, settle, swipe
from test_schedules import PAIRS, rates
from torch.optim import lr_scheduler

from dlnotes.explorers import esm
from dlnotes.explorers import schedules as explorer
from dlnotes.scratch import schedules

# What test_explorers.py looks at beside the defaults and the extremes.
STATES = [
    {"shape": "linear", "warmup": 0.0, "decay": 0.0, "peak": 0.115, "seed": 3},
    {"shape": "one-cycle", "warmup": 0.3, "steps": 137, "log": False, "peak": 0.46},
    {"shape": "constant", "warmup": 0.25, "peak": 2.2, "noise": 0.4},  # above the edge
    {"shape": "constant", "peak": 4.0, "steps": 300},  # lost
    {"shape": "step", "noise": 0.0, "peak": 1.0, "log": False},  # there at once
    {"shape": "exponential", "warmup": 0.7, "decay": 0.2, "steps": 1000},
    {"shape": "restarts", "warmup": 0.0, "decay": 1.0},
    {"shape": "quadratic", "warmup": 0.05, "decay": 0.3, "peak": 0.2, "log": False, "noise": 2.5},
    {"shape": "restarts", "warmup": 0.1, "decay": 0.3, "steps": 250, "peak": 0.046},
]
SHAPES = list(esm.spec("schedules")["settings"]["shape"]["choices"])
CLOSE = {"rtol": 1e-12, "atol": 1e-15}


def fresh(shape: str, **settings) -> explorer.Explorer:
    """Return an explorer whose rate falls from the first step on."""
    return explorer.Explorer(shape, **{"warmup": 0.0, "decay": 0.0, **settings})


# --- Mathematics ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def js() -> JavaScript:
    return JavaScript(
        "maths/schedules.js", "schedules/model.js", "shared/numbers.js", "shared/settings.js"
    )


SAME = {
    "constant()": (schedules.constant(), "constant"),
    "stepDecay(30, 0.3)": (schedules.step_decay(30, 0.3), "step"),
    "multistep([0, 20, 21, 90], 0.5)": (schedules.multistep([0, 20, 21, 90], 0.5), "multistep"),
    "multistep([7, 70])": (schedules.multistep([7, 70]), None),
    "exponential(0.97)": (schedules.exponential(0.97), "exponential"),
    "polynomial(150)": (schedules.polynomial(150), "linear"),
    "polynomial(150, 2.5)": (schedules.polynomial(150, 2.5), "polynomial"),
    "cosine(120, 0.2)": (schedules.cosine(120, 0.2), None),
    "restarts(17, 2, 0.1)": (schedules.restarts(17, 2, 0.1), "restarts"),
    "restarts(40)": (schedules.restarts(40), "equal restarts"),
    "warmup(40)": (schedules.warmup(40), "warm-up"),
    "warmup(9, cosine(60))": (schedules.warmup(9, schedules.cosine(60)), None),
    "oneCycle(180)": (schedules.one_cycle(180), None),
    "oneCycle(50, 0.5, 0.1, 0.01)": (schedules.one_cycle(50, 0.5, 0.1, 0.01), None),
}


@pytest.mark.parametrize("made", SAME)
def test_javascript_schedule_is_that_of_dlnotes_and_of_torch(js, made):
    ours, in_torch = SAME[made]
    seen = js(f"Array.from({{ length: 200 }}, (_, t) => {made}(t))")
    np.testing.assert_allclose(seen, [*map(ours, range(200))], **CLOSE)
    if in_torch:
        np.testing.assert_allclose(seen, rates(PAIRS[in_torch][1]), **CLOSE)


def composed():
    """Yield explorers of every shape, with phases of every length."""
    rng = np.random.default_rng(5)
    for shape in SHAPES:
        for warmup, decay in [(0, 0), (0.1, 0.4), (0.5, 0.2), (0, 1), (1, 0), (1, 1)]:
            yield explorer.Explorer(shape, warmup=warmup, decay=decay, steps=60)
        for _ in range(5):
            warmup, decay = rng.uniform(0, 0.7, 2).round(3)
            yield explorer.Explorer(
                shape,
                peak=float(10 ** rng.uniform(-2, 0.4)),
                steps=int(rng.integers(50, 300)),
                warmup=warmup,
                decay=decay,
                noise=float(rng.uniform(0, 3)),
                seed=int(rng.integers(0, 1000)),
            )


def state(shown: explorer.Explorer) -> str:
    return f"clean({json.dumps(shown.state())})"


def test_javascript_composes_the_schedule_of_dlnotes(js):
    for shown in composed():
        assert js(f"corners({state(shown)})") == list(shown.corners()), shown
        seen = js(f"factors({state(shown)})")
        np.testing.assert_allclose(seen, shown.factors(), err_msg=str(shown), **CLOSE)


def test_javascript_means_are_those_of_dlnotes(js):
    for shown in composed():
        lr, noise = json.dumps(shown.rates().tolist()), shown.noise
        seen = np.array(js(f"theory({lr}, {noise})"), float)
        np.testing.assert_allclose(seen, shown.theory(), err_msg=str(shown), **CLOSE)
        best, _ = shown.best_possible()
        np.testing.assert_allclose(js(f"optimum({shown.steps}, {noise})"), best, **CLOSE)
        found = js(f"best(ends(factors({state(shown)}), {noise}, PEAKS))")
        peak, end = shown.best_peak()
        assert found == pytest.approx({"peak": peak, "end": end}, rel=1e-12), shown


def test_javascript_runs_are_those_of_dlnotes(js):
    for shown in [*composed()][::3]:
        lr = json.dumps(shown.rates().tolist())
        seen = js(f"runs({lr}, {shown.noise}, {shown.seed})")
        some = js(f"some({shown.steps})")
        squares = np.sort(shown.runs()[some] ** 2)
        close = {"rtol": 1e-9, "atol": 1e-15, "err_msg": str(shown)}
        np.testing.assert_allclose(seen["mean"], squares.mean(axis=1), **close)
        np.testing.assert_allclose(seen["low"], squares[:, 20], **close)
        np.testing.assert_allclose(seen["high"], squares[:, 179], **close)


def test_a_hundred_or_fewer_steps_are_drawn_and_the_ends(js):
    for steps in (50, 99, 100, 101, 137, 999, 1000):
        some = js(f"some({steps})")
        assert some[0] == 0
        assert some[-1] == steps
        assert 50 <= len(some) <= 101
        assert len(set(np.diff(some)[:-1])) == 1


def test_noise_goes_on_where_a_shorter_run_ended(js):
    long, short = (js(f"runs(Array({steps}).fill(0.1), 1, 4)['mean']") for steps in (90, 60))
    np.testing.assert_allclose(long[:61], short, rtol=1e-12)
    assert js("runs(Array(60).fill(0.1), 1, 5)['mean']") != short


def test_a_run_that_is_lost_stays_lost(js):
    shown = explorer.Explorer("linear", peak=4.0, warmup=0.0, decay=0.5, steps=120)
    assert shown.rates()[-1] < 0.1
    assert np.isinf(shown.theory()[-1])
    assert np.isinf(shown.runs()[-1]).all()
    lr = json.dumps(shown.rates().tolist())
    assert js(f"theory({lr}, 1).at(-1) === Infinity") is True
    assert js(f"runs({lr}, 1, 0).low.at(-1) === Infinity") is True
    assert js("theory([4, 4, 1], 0)") == [100, 900, 8100, 0]


def test_javascript_looks_for_the_best_peak_among_the_same(js):
    assert js("PEAKS") == explorer.PEAKS.tolist()
    low, high = esm.spec("schedules")["settings"]["peak"]["limits"]
    assert [explorer.PEAKS[0], explorer.PEAKS[-1]] == [low, high]
    ratio = explorer.PEAKS[1:] / explorer.PEAKS[:-1]
    assert 1 < ratio.min() < ratio.max() < 1.06


# --- The noisy quadratic ------------------------------------------------------------------


@pytest.mark.parametrize(("peak", "noise"), [(0.05, 1.0), (0.5, 2.0), (1.9, 0.3), (1.0, 0.0)])
def test_constant_rate_comes_down_to_its_floor(peak, noise):
    shown = fresh("constant", peak=peak, noise=noise, steps=400)
    floor = shown.numbers()["floor"]
    assert floor == pytest.approx(peak * noise**2 / (2 - peak))
    forgotten = (1 - peak) ** (2 * np.arange(401))
    expected = forgotten * 100 + (1 - forgotten) * floor
    np.testing.assert_allclose(shown.theory(), expected, rtol=1e-10, atol=1e-300)


def test_mean_of_many_runs_is_the_theory():
    for settings in ({}, {"shape": "constant"}, {"shape": "step", "peak": 0.3}):
        shown = explorer.Explorer(**settings)
        means = []
        for seed in range(20):
            shown.seed = seed
            means.append((shown.runs() ** 2).mean(axis=1))
        theory = shown.theory()
        # x is nearly normal with variance V: x² has a standard deviation of about √2 V.
        error = math.sqrt(2 / (20 * explorer.RUNS))
        np.testing.assert_array_less(np.abs(np.mean(means, axis=0) / theory - 1), 4.5 * error)


def test_no_schedule_ends_below_the_best_possible():
    rng = np.random.default_rng(3)
    for noise in (0.2, 1.0, 3.0):
        best, means = explorer.Explorer(noise=noise, steps=60).best_possible()
        c = noise**2 / 100
        np.testing.assert_allclose(means, noise**2 / (c + np.arange(61)), rtol=1e-12)
        others = best[:, None] * np.exp(rng.normal(0, 0.5, (60, 3000)) * rng.uniform(0, 1, 3000))
        assert (explorer.theory(others, noise) >= means[:, None] * (1 - 1e-12)).all()
        spoilt = best.copy()
        spoilt[10] *= 1.01
        assert explorer.theory(spoilt, noise)[-1] > means[-1]


# From an independent computation: best peak and mean of x² after 100 steps.
KNOWN = {
    "constant": (0.052, 0.0290),
    "linear": (0.115, 0.0158),
    "cosine": (0.115, 0.0171),
    "exponential": (0.46, 0.0178),
}


@pytest.mark.parametrize("shape", KNOWN)
def test_best_peaks_are_the_known_ones(shape):
    peak, end = fresh(shape).best_peak()
    assert (peak, round(end, 4)) == KNOWN[shape]


def test_step_decay_can_be_worse_than_a_constant_rate():
    assert fresh("step").best_peak()[1] > fresh("constant").best_peak()[1]
    longer = {"steps": 1000}
    assert fresh("step", **longer).best_peak()[1] < fresh("constant", **longer).best_peak()[1]


def test_warmup_buys_nothing_here():
    with_warmup = explorer.Explorer("cosine", warmup=0.1, decay=0.1).best_peak()
    assert with_warmup == (0.115, pytest.approx(0.0181, abs=5e-5))
    assert with_warmup[1] > fresh("cosine").best_peak()[1]


def test_at_their_best_schedules_have_much_the_same_mean_rate():
    means = []
    for shape in SHAPES:
        shown = fresh(shape, warmup=0.3 if shape == "one-cycle" else 0.0)
        means.append(shown.numbers()["mean.tuned"])
    assert 0.05 < min(means) < max(means) < 0.07
    peaks = [fresh(shape).best_peak()[0] for shape in SHAPES]
    assert max(peaks) > 8 * min(peaks)


def test_without_noise_there_is_no_floor():
    shown = fresh("constant", noise=0.0, peak=0.5, steps=50)
    assert shown.theory()[-1] == pytest.approx(100 * 0.25**50)
    assert shown.numbers()["floor"] == 0
    assert shown.best_possible()[1].tolist() == [100] + [0] * 50
    assert fresh("constant", noise=0.0, steps=1000).best_constant() == (1, 0)


def test_three_phases_are_those_of_torch():
    shown = explorer.Explorer("cosine", warmup=0.1, decay=0.4, steps=100, peak=1.0)

    def phases(optimizer):
        rise = lr_scheduler.LinearLR(optimizer, 0.1, 1.0, 9)
        hold = lr_scheduler.ConstantLR(optimizer, 1.0)
        fall = lr_scheduler.CosineAnnealingLR(optimizer, 60)
        return lr_scheduler.SequentialLR(optimizer, [rise, hold, fall], [10, 40])

    np.testing.assert_allclose(shown.rates(), rates(phases, 100), rtol=1e-12, atol=1e-15)


def test_one_cycle_is_that_of_torch():
    shown = explorer.Explorer("one-cycle", warmup=0.3, steps=120, peak=1.0)
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    scheduler = lr_scheduler.OneCycleLR(optimizer, 1.0, 120, cycle_momentum=False)
    used = []
    for _ in range(119):
        used.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    np.testing.assert_allclose(shown.rates()[:-1], used, rtol=1e-12)
    assert shown.corners() == (35, 35)
    assert shown.rates()[35] == 1


def test_step_decay_falls_at_half_and_three_quarters():
    shown = explorer.Explorer("step", warmup=0.0, decay=0.2, steps=100, peak=1.0)
    falls = np.flatnonzero(np.diff(shown.rates())) + 1
    assert falls.tolist() == [60, 80]
    np.testing.assert_allclose(shown.rates()[[59, 60, 80]], [1, 0.1, 0.01], rtol=1e-12)


# --- What is said -------------------------------------------------------------------------


def said(js: JavaScript, **settings) -> str:
    shown = explorer.Explorer(**settings)
    lr = json.dumps(shown.rates().tolist())
    return js(f"textOf(message({state(shown)}, {lr}, 2).message)")


def test_message_says_what_is_to_be_seen(js):
    assert said(js) == "At the end x² is 2 times that of the best possible schedule."
    assert said(js, shape="constant").startswith("A constant rate comes down to 0.0526, its floor")
    assert said(js, noise=0.0).startswith("Without noise there is no floor")
    assert said(js, peak=2.1).startswith("Rates above the edge of stability")
    assert "edge" not in said(js, peak=2.0)
    # Above the edge is what the rate gets to, not the peak that is set.
    assert "edge" in said(js, shape="constant", peak=2.1)
    assert "edge" not in said(js, shape="linear", warmup=1.0, decay=1.0, peak=2.0)


# --- Gestures ---------------------------------------------------------------------------

RATE, MEANS, SWEEP = list(explorer.Explorer().marks())


@pytest.fixture
def opened(opened):
    """Return a function that opens pages of this explorer."""

    def open_states(*settings, **context):
        states = (explorer.Explorer(**one).state() for one in settings or [{}])
        return opened(*(("schedules", one) for one in states), **context)

    return open_states


def right(page, **settings) -> None:
    """Check every number and mark against Python, for the state that is now shown."""
    settle(page)
    seen = page.locator(".dlx").first.evaluate(drawn.READ, arg=False)
    assert drawn.faults("schedules", seen, explorer.Explorer(**settings)) == []


def value(page, name: str) -> float:
    settle(page)
    return number(page.locator(f'[data-number="{name}"]').first.text_content())


PLACES = {"warm-up ends": "End of warm-up", "decay starts": "Start of decay"}


def place(page, mark: str, plot: str = RATE) -> np.ndarray:
    """Return where in the page a mark of one point is."""
    settle(page)
    found = page.locator(f'[data-plot="{plot}"] [data-mark="{mark}"]').first.evaluate(
        """e => {
          const [x, y] = e.tagName === "circle" ? [e.cx.baseVal.value, e.cy.baseVal.value]
            : e.getAttribute("d").match(/M([-\\d.]+) ([-\\d.]+)h0/).slice(1).map(Number);
          const at = new DOMPoint(x, y).matrixTransform(e.getScreenCTM());
          return [at.x, at.y];
        }"""
    )
    return np.array(found)


def drag(page, begin, *places) -> None:
    page.mouse.move(*begin)
    page.mouse.down()
    for where in places:
        page.mouse.move(*where, steps=4)
    page.mouse.up()


@needs_chromium
@pytest.mark.parametrize("settings", [{}, {"log": False}])
def test_peak_is_dragged_up_and_down_anywhere_in_the_picture(opened, settings):
    page = opened(settings, {})
    ring = place(page, "peak")
    drag(page, ring + 3, beside(ring, -120, -27))
    np.testing.assert_allclose(place(page, "peak"), beside(ring, 0, -30), atol=2.5)
    peak = value(page, "rate.own")
    assert peak > 0.1
    right(page, **settings, peak=peak)
    # A press elsewhere brings it to that height.
    drag(page, beside(ring, -200, -10))
    np.testing.assert_allclose(place(page, "peak"), beside(ring, 0, -10), atol=2.5)
    lower = value(page, "rate.own")
    assert 0.1 < lower < peak
    right(page, **settings, peak=lower)
    assert page.locator('[data-number="rate.own"]').nth(1).text_content() == "0.1"


@needs_chromium
def test_peak_stays_within_its_limits(opened):
    page = opened({"peak": 2.0})
    ring = place(page, "peak")
    drag(page, ring, beside(ring, 0, -600))
    right(page, peak=4.0)
    ring = place(page, "peak")
    drag(page, ring, beside(ring, 0, 600))
    right(page, peak=0.001)


@needs_chromium
def test_axis_stands_still_under_a_drag_and_follows_when_it_is_let_go(opened):
    page = opened({"log": False, "peak": 0.15})
    labels = page.locator(f'[data-plot="{RATE}"] [data-tick="y"]')
    before = labels.all_text_contents()
    ring = place(page, "peak")
    page.mouse.move(*ring)
    page.mouse.down()
    for _ in range(3):
        page.mouse.move(*beside(ring, 0, -300), steps=2)
        page.mouse.move(*beside(ring, 0, -301), steps=2)
        settle(page)
        assert labels.all_text_contents() == before
    held = value(page, "rate.own")
    assert held >= 0.2
    page.mouse.up()
    settle(page)
    assert labels.all_text_contents() != before
    assert value(page, "rate.own") == held
    right(page, log=False, peak=held)


def shares(page) -> list[float]:
    """Return the steps at which the warm-up ends and the decay starts."""
    return [value(page, "risen"), value(page, "falls")]


@needs_chromium
def test_half_discs_are_dragged_sideways(opened):
    page = opened()
    width = place(page, "peak")[0] - place(page, "warm-up ends")[0]
    step = width / 90
    disc = place(page, "warm-up ends")
    drag(page, beside(disc, -4, 2), beside(disc, 10 * step - 4, 60))
    right(page, warmup=0.2)
    disc = place(page, "decay starts")
    drag(page, beside(disc, 4, 2), beside(disc, 30 * step + 4, -60))
    right(page, warmup=0.2, decay=0.7)
    # As far as the ends, and each takes the other along.
    drag(page, beside(disc, 30 * step, 0), beside(disc, 900, 0))
    right(page, warmup=0.2, decay=1.0)
    disc = place(page, "warm-up ends")
    drag(page, disc, beside(disc, -900, 0))
    right(page, warmup=0.0, decay=1.0)


@needs_chromium
def test_a_half_disc_takes_the_other_along(opened):
    page = opened()
    early, late = place(page, "warm-up ends"), place(page, "decay starts")
    step = (late - early)[0] / 30
    page.mouse.move(*early)
    page.mouse.down()
    page.mouse.move(*beside(late, -10 * step, 0), steps=4)
    right(page, warmup=0.3)
    page.mouse.move(*beside(late, 20 * step, 0), steps=4)
    right(page, warmup=0.6, decay=0.6)
    page.mouse.move(*beside(late, -10 * step, 0), steps=4)
    right(page, warmup=0.3)  # where the decay started is not forgotten on the way
    page.mouse.move(*beside(late, 20 * step, 0), steps=4)
    page.mouse.up()
    # Together they are one disc: its halves are still two.
    disc = place(page, "decay starts")
    drag(page, beside(disc, 5, 0), beside(disc, 10 * step + 5, 0))
    right(page, warmup=0.6, decay=0.7)
    drag(page, beside(disc, 10 * step + 3, 0), beside(disc, -30 * step + 3, 0))
    right(page, warmup=0.3, decay=0.3)
    disc = place(page, "decay starts")
    drag(page, beside(disc, -5, 0), beside(disc, -20 * step - 5, 0))
    right(page, warmup=0.1, decay=0.3)


@needs_chromium
def test_half_discs_have_keys_and_are_sliders(opened):
    page = opened()
    rise, fall = (page.get_by_role("slider", name=name, exact=True) for name in PLACES.values())
    for disc, key, expected in (
        (rise, "ArrowRight", [15, 40]),
        (rise, "Shift+ArrowUp", [16, 40]),
        (fall, "ArrowDown", [16, 35]),
        (fall, "Shift+ArrowLeft", [16, 34]),
        (rise, "ArrowLeft", [11, 34]),
    ):
        disc.press(key)
        assert shares(page) == expected
    right(page, warmup=0.11, decay=0.34)
    assert rise.get_attribute("aria-valuenow") == "11"
    assert fall.get_attribute("aria-valuenow") == "34"
    assert fall.get_attribute("aria-valuetext") == "step 34"
    assert fall.get_attribute("aria-valuemax") == "100"
    assert value(page, "rate.own") == 0.1


@needs_chromium
def test_only_a_rate_that_falls_has_a_start_of_decay(opened):
    page = opened()
    choice = page.locator("select")
    fall = page.get_by_role("slider", name="Start of decay", exact=True)
    slider = page.get_by_label("Decay starts at step")
    for shape in SHAPES:
        choice.select_option(shape)
        right(page, shape=shape)
        assert fall.count() == slider.is_enabled() == (shape not in ("constant", "one-cycle"))
    disc = place(page, "warm-up ends")
    width = place(page, "peak")[0] - disc[0]
    drag(page, beside(disc, -3, 0), beside(disc, width * 20 / 91 - 3, 0))
    right(page, shape="one-cycle", warmup=0.3)


@needs_chromium
def test_ring_by_peak_is_dragged_sideways(opened):
    page = opened()
    ring = place(page, "now", SWEEP)
    drag(page, ring + 2, beside(ring, -28, 60))
    peak = value(page, "rate.own")
    assert place(page, "now", SWEEP)[0] == pytest.approx(ring[0] - 30, abs=2)
    assert peak < 0.06
    right(page, peak=peak)


@needs_chromium
def test_best_peak_is_set_and_new_noise_moves_the_runs_only(opened):
    page = opened({"shape": "linear", "warmup": 0.0, "decay": 0.0, "seed": 999})
    page.get_by_role("button", name="Best peak").click()
    right(page, shape="linear", warmup=0.0, decay=0.0, peak=0.115, seed=999)
    lines = page.locator(f'[data-plot="{MEANS}"] [data-mark="your schedule"]')
    before, runs = lines.get_attribute("points"), value(page, "end.runs")
    page.get_by_role("button", name="New noise").click()
    right(page, shape="linear", warmup=0.0, decay=0.0, peak=0.115, seed=0)
    assert lines.get_attribute("points") == before
    assert value(page, "end.runs") != runs


LOOK = """root => {
  const style = (e) => {
    const { stroke, strokeDasharray, fill } = getComputedStyle(e);
    return [stroke, strokeDasharray, fill];
  };
  const all = (selector) => [...root.querySelectorAll(selector)];
  return {
    keys: all(".dlx-key").map((e) => [e.textContent, style(e.querySelector("path"))]),
    curves: all("polyline").map((e) => [e.dataset.mark, style(e)]),
    rows: all("tbody tr").map((e) => [e.querySelector("th").textContent,
      [...e.querySelectorAll("td [data-number]")].map((n) => n.dataset.number)]),
    head: all("thead th").map((e) => e.textContent),
  };
}"""
KEYS = {
    "yours": "your schedule",
    "theory": "your schedule",
    "mean of 200 runs": "mean of the runs",
    "middle 80 %": "middle of the runs",
    "best constant": "best constant",
    "best possible": "best possible",
}


@needs_chromium
def test_legend_has_the_look_of_what_it_names(opened):
    seen = opened().locator(".dlx").evaluate(LOOK)
    looks: dict[str, list] = {}
    for mark, style in seen["curves"]:
        looks.setdefault(mark, []).append(style)
    assert {text for text, _ in seen["keys"]} == set(KEYS)
    for text, style in seen["keys"]:
        assert looks[KEYS[text]] == [style] * len(looks[KEYS[text]]), text
    alike = [style for mark in KEYS.values() for style in looks[mark][:1]]
    assert len({json.dumps(style) for style in alike}) == len(set(KEYS.values()))


@needs_chromium
def test_table_says_what_its_numbers_are(opened):
    seen = opened().locator(".dlx").evaluate(LOOK)
    assert seen["head"] == ["Schedule", "peak", "mean rate", "x² at the end"]
    facts = ["rate", "mean", "end"]
    names = {"yours": "own", "yours, best peak": "tuned"}
    names |= {f"best {name}": name for name in ("constant", "possible")}
    rows = dict(seen["rows"])
    assert rows.pop("mean of 200 runs") == ["end.runs"]
    assert rows == {head: [f"{fact}.{name}" for fact in facts] for head, name in names.items()}


@needs_chromium
@pytest.mark.parametrize("width", [390, 580, 740, 1000])
def test_nothing_is_cut_off_in_any_state(opened, width):
    page = opened(*STATES, viewport={"width": width, "height": 900})
    # A plot cuts off the handle of a point at its edge.
    cut = page.locator(".dlx *:not(svg *, .dlx-spoken, option, .dlx-plot)").evaluate_all(
        "all => all.filter(e => e.clientWidth && e.scrollWidth > e.clientWidth + 1)"
        ".map(e => `${e.className}: ${e.textContent.slice(0, 60)}`)"
    )
    assert cut == []


@needs_chromium
def test_finger_drags_what_can_be_dragged_and_scrolls_elsewhere(opened):
    page = opened({}, {}, viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    disc, ring = place(page, "decay starts"), place(page, "peak")
    step = (ring - disc)[0] / 60
    swipe(page, disc, beside(disc, 20 * step, 90))
    assert shares(page) == [10, 60]
    ring = place(page, "peak")
    swipe(page, ring, beside(ring, 0, 30))
    np.testing.assert_allclose(place(page, "peak"), beside(ring, 0, 30), atol=3)
    assert page.evaluate("scrollY") == 0
    peak = value(page, "rate.own")
    page.touchscreen.tap(*beside(ring, -60, 0))
    assert value(page, "rate.own") == pytest.approx(0.1, rel=0.06) != peak
    swipe(page, beside(ring, -100, 60), beside(ring, -100, -80))
    assert page.evaluate("scrollY") > 50
    assert value(page, "rate.own") == pytest.approx(0.1, rel=0.06)
