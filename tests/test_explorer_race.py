"""The race: its mathematics against dlnotes, the choice of rates, and its gestures."""

import json

import drawn
import numpy as np
import pytest
import traitlets
from browser import needs_chromium
from explorers import JavaScript, beside, readout, set_slider, settle

from dlnotes import surfaces
from dlnotes.explorers import esm, race, terrain

EVERYONE = dict.fromkeys(race.RULES, True)
NOBODY = dict.fromkeys(race.RULES, False)
# What test_explorers.py looks at beside the defaults and the extremes.
STATES = [
    {**EVERYONE, "angle": 30, "condition": 80},
    {**EVERYONE, "surface": "saddle", "start": [-1.5, 0.2], "steps": 40},
    {**EVERYONE, "surface": "bowl", "gd_lr": 1.5, "momentum_lr": 5, "steps": 100},  # two are lost
    {**EVERYONE, "surface": "bowl", "gd_lr": 0.5},  # one is at the minimum after a step
    NOBODY,
]
CLOSE = {"rtol": 1e-11, "atol": 1e-13}

# --- Mathematics ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def js() -> JavaScript:
    return JavaScript("race/model.js", "shared/numbers.js", "shared/settings.js")


@pytest.mark.parametrize(
    ("surface", "angle"),
    [("ravine", 30), *((s, 0) for s in esm.spec("race")["settings"]["surface"]["choices"])],
)
def test_every_run_is_that_of_dlnotes(js, surface, angle):
    rates = {f"{rule}_lr": 0.02 for rule in ("rmsprop", "adam", "adagrad")}
    gentle = {f"{rule}_lr": 1e-4 for rule in ("gd", "momentum", "nesterov")}
    shown = race.Explorer(**EVERYONE, surface=surface, angle=angle, steps=60, **rates, **gentle)
    seen = js(f"race(clean({json.dumps(shown.state())}))")
    assert list(seen) == list(race.RULES)
    for rule, run in shown.runs().items():
        assert np.ptp(run.points, axis=0).max() > 1e-3, "this run stands still"
        np.testing.assert_allclose(seen[rule]["points"], run.points, **CLOSE)
        np.testing.assert_allclose(seen[rule]["heights"], run.heights, **CLOSE)
        assert seen[rule]["gone"] is run.lost is False


def test_heights_are_above_the_lowest_minimum():
    run = race.Explorer("saddle", gd=True, steps=20).runs()["gd"]
    np.testing.assert_allclose(run.heights, surfaces.saddle().value(run.points) + 0.25, atol=1e-15)


def test_a_run_that_is_lost_ends_there_and_the_others_go_on(js):
    shown = race.Explorer(**STATES[2])
    runs, seen = shown.runs(), js(f"race(clean({json.dumps(shown.state())}))")
    assert {rule for rule, run in runs.items() if run.lost} == {"gd", "momentum"}
    for rule, run in runs.items():
        assert len(run.points) == len(seen[rule]["points"])
        assert seen[rule]["gone"] is run.lost
    # The factor 1 - 2 lr is -2, from -2: 2^12 = 4096 is the first beyond 500 windows of 5.
    assert len(runs["gd"].points) == 12
    assert len(runs["adam"].points) == 101
    said = js(f"message({json.dumps(seen)}, 100)")
    assert said == {
        "message": ["Gradient descent and Momentum: lost. Lower the rate."],
        "warning": True,
    }
    assert "warning" not in js(f"message({json.dumps(seen)}, 3)")


def test_only_those_take_part_that_are_ticked(js):
    assert list(js(f"race(clean({json.dumps({**NOBODY, 'adam': True})}))")) == ["adam"]
    nobody = json.dumps(race.Explorer(**NOBODY).state())
    assert js(f"message(race(clean({nobody})), 5)") == {
        "message": ["No rule takes part: tick one."]
    }


def test_the_lowest_is_named_and_a_tie_is_a_tie(js):
    def runs(**last):
        points = [[0, 0], [1, 1]]
        return json.dumps({rule: {"points": points, "heights": [1, h], "gone": False}
                           for rule, h in last.items()})  # fmt: skip

    said = js(f"textOf(message({runs(gd=0.5, adam=0.25)}, 1).message)")
    assert said == "Lowest at step 1: Adam."
    said = js(f"textOf(message({runs(gd=0, adam=1e-13, rmsprop=1)}, 1).message)")
    assert said == "Lowest at step 1: Gradient descent and Adam."
    assert js(f"lowest({runs(gd=0.5, adam=0.25)}, 1)") == "0.25"


@pytest.mark.parametrize(
    ("heights", "step"), [([8, 1, 0.001], 2), ([8, 0.001, 0.1, 0.001], 3), ([8, 1], None)]
)
def test_a_thousandth_counts_from_where_it_stays(js, heights, step):
    assert js(f"thousandth({{heights: {heights}, gone: false}})") == step
    assert js(f"thousandth({{heights: {heights}, gone: true}})") is None


@pytest.mark.parametrize("state", [{}, {"surface": "saddle"}, {"angle": 45, "steps": 150}])
def test_best_rate_is_the_best_of_the_grid(js, state):
    shown = race.Explorer(**EVERYONE, **state)
    grid = js("Array.from({length: 51}, (_, k) => SCALES.log.from(-4 + k / 10))")
    chosen = js(f"best(clean({json.dumps(shown.state())}))")
    assert list(chosen) == [f"{rule}_lr" for rule in race.RULES]

    def ends(rule):
        """Return the last height at each rate; inf where the path leaves the picture."""
        low, high = np.transpose(terrain.picture(shown._chosen().window))
        for lr in grid:
            run = race.Explorer(**{**shown.state(), **NOBODY, rule: True, f"{rule}_lr": lr})
            (run,) = run.runs().values()
            inside = ((run.points >= low) & (run.points <= high)).all()
            yield max(run.heights[-1], terrain.FLOOR) if inside else np.inf

    for rule in race.RULES:
        heights = list(ends(rule))
        assert heights[grid.index(chosen[f"{rule}_lr"])] == pytest.approx(min(heights), rel=1e-6)


def test_default_rates_are_the_best_for_the_default_race(js):
    everyone = json.dumps(race.Explorer(**EVERYONE).state())
    defaults = {key: s["default"] for key, s in esm.spec("race")["settings"].items()}
    best = js(f"best(clean({everyone}))")
    assert {key: defaults[key] for key in best} == best


def test_turning_the_ravine_changes_nothing_for_gradient_descent_and_much_for_adagrad():
    heights = [
        {rule: run.heights for rule, run in race.Explorer(**EVERYONE, angle=a).runs().items()}
        for a in (0, 45)
    ]
    for rule in ("gd", "momentum", "nesterov"):
        np.testing.assert_allclose(heights[1][rule], heights[0][rule], rtol=1e-9, atol=1e-15)
    assert heights[1]["adagrad"][-1] > 1e3 * heights[0]["adagrad"][-1]


def test_impossible_state_is_made_possible(js):
    state = js("clean({surface: 'wave', gd: 1, gd_lr: 1e9, start: [99, null], angle: -3})")
    assert state["surface"] == "ravine"
    assert state["gd"] is True
    assert state["gd_lr"] == 10
    assert state["angle"] == 0
    assert state["start"] == [2.5, 0.8]


# --- The Python class -------------------------------------------------------------------


def test_start_follows_the_surface_and_the_angle():
    assert race.Explorer("himmelblau").start == [0.0, 0.0]
    turned = race.Explorer(angle=90)
    np.testing.assert_allclose(turned.start, surfaces.ravine(50, 90).start)
    shown = race.Explorer("himmelblau", start=[5, 5])
    shown.surface = "rosenbrock"
    assert shown.start == [-1.2, 1.0]


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"surface": "wave"}, "surface must be one of bowl, ravine, .*got 'wave'"),
        ({"start": (9.0, 0.0)}, "start x must be from -2.5 to 2.5 on the ravine surface, got 9"),
        ({"start": 3.0}, r"start needs 2 number\(s\) on the ravine surface, got 3.0"),
        ({"angle": 100}, "angle must be from 0 to 90, got 100"),
        ({"condition": "a"}, "condition must be a number, got 'a'"),
        ({"gd": 1}, "gd must be True or False, got 1"),
    ],
)
def test_bad_argument_says_what_to_change(argument, message):
    with pytest.raises(traitlets.TraitError, match=message):
        race.Explorer(**argument)


# --- Gestures ---------------------------------------------------------------------------


@pytest.fixture
def opened(opened):
    return lambda *states, **context: opened(*(("race", s) for s in states), **context)


def paths(page) -> dict[str, str]:
    """Return the paths on the surface, in pixels, by rule."""
    settle(page)
    return page.locator(".dlx-surface polyline:not(.dlx-casing)").evaluate_all(
        "all => Object.fromEntries(all.map((e) => [e.dataset.mark, e.getAttribute('points')]))"
    )


@needs_chromium
def test_a_tick_lets_a_rule_take_part(opened):
    page = opened({})
    before = paths(page)
    assert set(before) == {"gd", "momentum", "adagrad", "adam"}
    assert page.get_by_label("Rate, RMSprop").is_disabled()
    page.get_by_label("RMSprop", exact=True).check()
    page.get_by_label("Momentum", exact=True).uncheck()
    after = paths(page)
    assert set(after) == {"gd", "adagrad", "rmsprop", "adam"}
    assert after["gd"] == before["gd"]
    assert page.get_by_label("Rate, RMSprop").is_enabled()
    assert page.get_by_label("Rate, Momentum").is_disabled()


@needs_chromium
def test_a_rate_moves_its_own_path_only(opened):
    page = opened(EVERYONE)
    before = paths(page)
    set_slider(page, "Rate, Adam", -2)
    after = paths(page)
    assert {rule for rule in after if after[rule] != before[rule]} == {"adam"}


@needs_chromium
def test_rates_for_all_and_the_best_for_each(opened):
    page = opened({**EVERYONE, "surface": "rosenbrock"})
    page.get_by_role("button", name="All at gradient descent's rate").click()
    settle(page)
    values = page.locator(".dlx-racer .dlx-value").all_text_contents()
    assert values == ["0.032"] * len(race.RULES)
    assert "lost. Lower the rate." in page.locator(".dlx-message").text_content()
    page.get_by_role("button", name="Best rate for each").click()
    settle(page)
    assert "lost" not in page.locator(".dlx-message").text_content()
    assert page.locator(".dlx-message").text_content().startswith("Lowest at step 100: ")
    page.get_by_role("button", name="Reset").click()
    shown = race.Explorer(**EVERYONE, surface="rosenbrock")
    settle(page)
    seen = page.locator(".dlx").first.evaluate(drawn.READ, arg=False)
    assert drawn.faults("race", seen, shown) == []


@needs_chromium
def test_dragging_the_start_moves_every_path(opened):
    page = opened(EVERYONE)
    before = paths(page)
    ring = page.locator(".dlx-handle").bounding_box()
    where = np.array([ring["x"] + ring["width"] / 2, ring["y"] + ring["height"] / 2])
    page.mouse.move(*where)
    page.mouse.down()
    page.mouse.move(*beside(where, 60, -40), steps=4)
    page.mouse.up()
    after = paths(page)
    assert all(after[rule] != before[rule] for rule in race.RULES)
    box = page.locator(".dlx-handle").bounding_box()
    np.testing.assert_allclose([box["x"] - ring["x"], box["y"] - ring["y"]], [60, -40], atol=2)


@needs_chromium
def test_all_are_shown_up_to_the_same_step(opened):
    page = opened({**EVERYONE, "steps": 30})
    set_slider(page, "Shown up to step", 12)
    assert readout(page)["Step"] == "12 of 30"
    shown = race.Explorer(**EVERYONE, steps=30)
    seen = page.locator(".dlx").first.evaluate(drawn.READ, arg=False)
    known = {**drawn.named("race", shown), **shown.numbers(12)}
    assert drawn.text_faults("race", seen, known) == []
    assert [drawn.plot_faults(plot, shown.marks(12)) for plot in seen["plots"]] == [[], []]
    page.get_by_role("button", name="Step", exact=True).click()
    assert readout(page)["Step"] == "13 of 30"


@needs_chromium
def test_turning_the_ravine_takes_the_start_along(opened):
    page = opened({})
    set_slider(page, "Angle of the ravine", 45)
    shown = race.Explorer(angle=45)
    seen = page.locator(".dlx").first.evaluate(drawn.READ, arg=False)
    assert drawn.faults("race", seen, shown) == []


@needs_chromium
def test_a_rule_has_one_colour_wherever_it_is_shown(opened):
    page = opened({**EVERYONE, "steps": 30})
    seen = page.evaluate(
        """names => Object.fromEntries(Object.entries(names).map(([rule, name]) => {
          const style = (e) => getComputedStyle(e);
          const card = [...document.querySelectorAll(".dlx-racer")]
            .find((e) => e.querySelector(".dlx-check").textContent === name);
          const path = document.querySelector(`.dlx-surface [data-mark=${rule}]:not(.dlx-casing)`);
          const end = document.querySelector(`[data-mark="${rule} now"]`);
          const curve = document.querySelector(`.dlx-curve [data-mark=${rule}]`);
          const lines = [card.querySelector("path"), path, curve].map(style);
          return [rule, {
            colours: [...lines.map((s) => s.stroke), style(end).fill],
            dashes: lines.map((s) => s.strokeDasharray),
          }];
        }))""",
        {rule: esm.spec("race")["settings"][rule]["label"] for rule in race.RULES},
    )
    for rule in race.RULES:
        assert len(set(seen[rule]["colours"])) == len(set(seen[rule]["dashes"])) == 1, rule
    looks = {(seen[rule]["colours"][0], seen[rule]["dashes"][0]) for rule in race.RULES}
    assert len(looks) == len(race.RULES), "two rules look alike"
