"""The playground: what it says and draws against dlnotes.playground, and its gestures.

Its training has a file of its own, ``test_playground.py``.
"""

import contextlib
import io
import json
import math

import numpy as np
import pytest
import traitlets
from browser import needs_chromium
from explorers import JavaScript, number, readout, set_slider, settle

from dlnotes import playground
from dlnotes.explorers.playground import Explorer

PLACED = [[0.5, 0.5, 1], [-0.5, 0.25, 0], [1.3, -1.3, 1], [-0.2, 0.0, 0]]
# What test_explorers.py looks at beside the defaults and the extremes.
STATES = [
    {"epochs": 30},
    {"data": "sine", "epochs": 20, "noise": 0.2},
    {"data": "placed", "placed": PLACED, "epochs": 10},
    {"data": "placed", "epochs": 3},
    {"init": "zero", "epochs": 5},
    {"data": "sine", "lr": 100.0, "epochs": 10},
    {"data": "moons", "lr": 60.0, "epochs": 40, "units1": 8},
    {"data": "spiral", "activation": "sigmoid", "units1": 8, "units2": 8, "units3": 8, "units4": 8,
     "epochs": 60},
    {"units1": 0, "data": "xor", "epochs": 60},
    {"activation": "relu", "init": "kaiming", "lr": 3.0, "epochs": 20},
    {"rule": "adam", "schedule": "warmup_cosine", "planned": 10, "epochs": 7, "penalty": "l2",
     "dropout": 0.3, "lr": 0.01},
]  # fmt: skip


@pytest.fixture(scope="module")
def js() -> JavaScript:
    return JavaScript("playground/model.js", "playground/training.js")


# --- What it says ------------------------------------------------------------------------


def said(js, **settings):
    """Return the message of a state as text, and whether it is a warning."""
    state = json.dumps(Explorer(**settings).state())
    found = js(f"message(trained(clean({state})))")
    return "".join(p if isinstance(p, str) else p["text"] for p in found.get("message", [])), (
        found.get("warning", False)
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"epochs": 30}, ""),
        ({"epochs": 0, "init": "zero"}, ""),
        ({"epochs": 1, "init": "zero"}, "gets no gradient at all"),
        ({"data": "placed", "epochs": 3}, "no two classes yet"),
        ({"data": "placed", "placed": [[0, 0, 1], [1, 0, 1]]}, "no two classes yet"),
        ({"schedule": "cosine", "planned": 10, "epochs": 11}, "planned epochs are over"),
        ({"data": "sine", "lr": 100.0, "epochs": 30}, "no longer a number"),
        ({"lr": 30.0, "epochs": 20}, "well above its start"),
        ({"lr": 30.0, "epochs": 1}, ""),
        ({"epochs": 999}, ""),
        ({"epochs": 1000}, "the last epoch here"),
        ({"units1": 0, "epochs": 150}, "No lower loss in the last 50 epochs"),
    ],
)  # fmt: skip
def test_message_says_what_is_wrong(js, settings, words):
    text, warning = said(js, **settings)
    assert words in text
    assert bool(text) == bool(words)
    calm = ("No lower loss", "no two classes", "planned epochs", "the last epoch")
    assert warning == (bool(words) and not words.startswith(calm))


def test_every_preset_is_a_state_that_can_be_opened_and_asks_something(js):
    for preset in js("Object.values(PRESETS)"):
        explorer = Explorer(**preset["state"])
        state = explorer.state()
        assert js(f"clean({json.dumps(state)})") == state
        assert "?" in preset["question"] or "Make them learn" in preset["question"]


def history(**settings):
    return Explorer(**settings).run().history


def test_presets_show_what_they_promise(js):
    """What a reader is asked to find is there to be found, from several seeds."""
    states = js("Object.fromEntries(Object.entries(PRESETS).map(([k, v]) => [k, v.state]))")

    def ends(name, seeds=range(5), **more):
        return [history(**{**states[name], **more, "seed": s})[-1] for s in seeds]

    def accuracy(rows):
        return np.median([row["train_accuracy"] for row in rows])

    assert (
        accuracy(ends("alike", epochs=60)) < 0.8 < accuracy(ends("alike", epochs=60, init="xavier"))
    )
    few = [row["train_accuracy"] for row in ends("few", epochs=150)]
    more = [row["train_accuracy"] for row in ends("few", epochs=150, units1=3)]
    assert max(few) < 0.95 < np.median(more)
    memory = ends("memory", epochs=300)
    assert np.median([r["test_loss"] for r in memory]) > 3 * np.median(
        [r["train_loss"] for r in memory]
    )


@pytest.mark.parametrize("settings", STATES, ids=str)
def test_copied_python_trains_the_same_network(js, settings):
    explorer = Explorer(**settings)
    code = js(f"python(clean({json.dumps(explorer.state())}))")
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(code, {})
    expected = explorer.run().history[-1]
    assert out.getvalue().split() == [repr(expected["train_loss"]), repr(expected["test_loss"])]
    # and the numbers are those of the page
    last = js(f"trained(clean({json.dumps(explorer.state())})).history.at(-1)")
    for name, value in expected.items():
        assert last[name] is None if not math.isfinite(value) else (
            last[name] == pytest.approx(value, rel=1e-6)
        )  # fmt: skip


def test_training_goes_on_from_where_it_was(js):
    state = json.dumps(Explorer(epochs=5).state())
    seen = js(
        f"(() => {{ const state = clean({state}); const five = trained(state);"
        "const ten = trained({...state, epochs: 10}, five);"
        "const again = trained({...state, epochs: 10});"
        "const other = trained({...state, lr: 0.3}, ten);"
        "return [ten === five, ten.history, again.history, other === ten, other.history.length];"
        "})()"
    )
    assert seen[0] is True
    assert seen[1] == seen[2]
    assert seen[3:] == [False, 6]


def test_report_is_that_of_python(js):
    for settings in STATES:
        explorer = Explorer(**settings)
        if not np.isfinite(explorer.run().history[-1]["train_loss"]):
            continue
        seen = js(f"report(trained(clean({json.dumps(explorer.state())})))")
        expected = playground.report(explorer.run())
        assert [row["norm"] for row in seen] == pytest.approx([n for n, _ in expected], rel=1e-6)
        assert [row["stuck"] for row in seen] == [share for _, share in expected]


# --- The Python class -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("placed", "message"),
    [
        ("ab", "placed must be a list of at most 200 points"),
        ([[0, 0, 1]] * 201, "at most 200"),
        ([[0, 0]], r"a placed point is \[x, y, class\]"),
        ([[0, 2.0, 1]], "coordinates from -1.3 to 1.3"),
        ([[0, 0, 2]], "class 0 or 1, got"),
    ],
)
def test_bad_points_say_what_to_change(placed, message):
    with pytest.raises(traitlets.TraitError, match=message):
        Explorer(placed=placed)


def test_layers_end_at_the_first_without_units(js):
    explorer = Explorer(units1=3, units2=0, units3=5)
    assert list(explorer.settings().hidden) == [3]
    assert js(f"hiddenOf({json.dumps(explorer.state())})") == [3]
    assert js("hiddenOf({units1: 1, units2: 2, units3: 3, units4: 4})") == [1, 2, 3, 4]


# --- Gestures and pictures --------------------------------------------------------------


@pytest.fixture
def opened(opened):
    return lambda *states, **context: opened(
        *(("playground", s) for s in states or ({},)), **context
    )


def pixels(page, selector: str, nth: int = 0) -> np.ndarray:
    """Return a canvas as (rows, columns, 4) levels."""
    settle(page)
    data = (
        page.locator(selector)
        .nth(nth)
        .evaluate(
            "c => [c.width, c.height,"
            " [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]]"
        )
    )
    return np.array(data[2], float).reshape(data[1], data[0], 4)


@needs_chromium
def test_decision_surface_is_that_of_python_the_right_way_up(opened):
    explorer = Explorer(data="moons", epochs=60, lr=1.0, seed=3)
    page = opened(explorer.state())
    image = pixels(page, ".dlx-heat")
    middle = -1.3 + 2.6 * (np.arange(30) + 0.5) / 30
    x, y = np.meshgrid(middle, -middle)
    run = explorer.run()
    z = playground.forward(run.params, np.column_stack([x.ravel(), y.ravel()]), run.settings)
    expected = np.tanh(z.outs[-1][:, 0].reshape(30, 30) / 2)  # 2 sigmoid - 1
    blue = image[..., 2] > image[..., 0]
    sure = np.abs(expected) > 0.05
    assert (blue == (expected > 0))[sure].all()
    np.testing.assert_allclose(image[..., 3], 200 * np.abs(expected), atol=1.5)
    assert not np.array_equal(blue, blue.T), "a symmetric picture would prove nothing"
    assert not np.array_equal(blue, blue[::-1]), "nor one that is the same upside down"


@needs_chromium
def test_classes_have_the_colours_and_shapes_of_their_side(opened):
    page = opened({"data": "placed", "placed": PLACED})
    assert page.locator(".dlx-surface rect.dlx-class0").count() == 2
    assert page.locator(".dlx-surface circle.dlx-class1").count() == 2

    def fill(selector):
        found = page.locator(selector).first.evaluate("e => getComputedStyle(e).fill")
        return [float(v) for v in found[found.index("(") + 1 : -1].split(",")[:3]]

    (r0, _, b0), (r1, _, b1) = fill(".dlx-class0"), fill(".dlx-class1")
    assert r0 > b0
    assert b1 > r1


@needs_chromium
def test_unit_pictures_are_what_the_units_compute(opened):
    explorer = Explorer(units1=3, units2=0, epochs=20, seed=4)
    page = opened(explorer.state())
    middle = -1.3 + 2.6 * (np.arange(30) + 0.5) / 30
    x, y = np.meshgrid(middle, -middle)
    run = explorer.run()
    kept = playground.forward(run.params, np.column_stack([x.ravel(), y.ravel()]), run.settings)
    for k, layer in enumerate(kept.outs):
        for j, out in enumerate(layer.T):
            image = pixels(page, ".dlx-net canvas", sum(o.shape[1] for o in kept.outs[:k]) + j)
            strength = 200 * np.abs(out / np.abs(out).max()).reshape(30, 30)
            np.testing.assert_allclose(image[..., 3], strength, atol=1.5)


@needs_chromium
def test_play_trains_and_pause_keeps(opened):
    page = opened({"pace": 60})
    page.get_by_role("button", name="Play").click()
    page.wait_for_function(
        "() => Number(document.querySelector('.dlx-state dd').textContent) >= 20", timeout=20_000
    )
    page.get_by_role("button", name="Pause").click()
    settle(page)
    seen = readout(page)
    epochs = int(seen["Epoch"])
    expected = Explorer(epochs=epochs).numbers()
    assert number(seen["Training loss"]) == pytest.approx(expected["Training loss"], rel=0.005)
    page.get_by_role("button", name="One epoch").click()
    assert int(readout(page)["Epoch"]) == epochs + 1
    page.get_by_role("button", name="Reset").click()
    assert readout(page)["Epoch"] == "0"


@needs_chromium
def test_a_changed_setting_starts_anew_and_a_new_seed_draws_anew(opened):
    page = opened({"epochs": 20})
    before = readout(page)
    set_slider(page, "Learning rate", 0)
    assert readout(page)["Epoch"] == "0"
    assert readout(page)["Learning rate now"] == "1"
    page.get_by_role("button", name="New seed").click()
    assert readout(page)["Training loss"] != before["Training loss"]
    assert page.get_by_label("Seed", exact=False).input_value() == "1"


@needs_chromium
def test_reduced_motion_trains_at_once(opened):
    page = opened({}, reduced_motion="reduce")
    page.get_by_role("button", name="50 epochs").click()
    assert readout(page)["Epoch"] == "50"
    for name in ("Play", "Pause"):  # the button says what it does
        assert page.get_by_role("button", name=name).count() == 0


@needs_chromium
def test_points_are_placed_with_mouse_and_keyboard(opened):
    page = opened({"data": "placed"})
    surface = page.get_by_role("application", name="Place points")
    box = surface.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 3)
    assert page.locator(".dlx-surface circle.dlx-train").count() == 1
    page.get_by_label("Class to place").select_option("square")
    surface.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    settle(page)
    square = page.locator(".dlx-surface rect.dlx-train")
    assert square.count() == 1
    assert square.get_attribute("data-mark") == "train 0"
    page.keyboard.press("Delete")
    settle(page)
    assert square.count() == 0
    assert page.locator(".dlx-surface circle.dlx-train").count() == 1
    page.get_by_role("button", name="Remove all points").click()
    settle(page)
    assert page.locator(".dlx-surface .dlx-train").count() == 0
    assert "no two classes yet" in page.locator(".dlx-message").text_content()


@needs_chromium
def test_a_click_on_a_point_takes_it_away_and_one_beside_the_picture_does_nothing(opened):
    page = opened({"data": "placed"})
    box = page.locator(".dlx-surface").bounding_box()
    page.mouse.click(box["x"] + 3, box["y"] + box["height"] / 2)
    settle(page)
    assert page.locator(".dlx-surface .dlx-train").count() == 0
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.click(*middle)
    settle(page)
    assert page.locator(".dlx-surface circle.dlx-train").count() == 1, "as the select says"
    page.mouse.click(middle[0] + 3, middle[1])
    settle(page)
    assert page.locator(".dlx-surface .dlx-train").count() == 0


@needs_chromium
def test_what_is_changed_while_it_plays_starts_anew_and_plays_on(opened):
    page = opened({"pace": 60})
    page.get_by_role("button", name="Play").click()
    epoch = "Number(document.querySelector('.dlx-state dd').textContent)"
    page.wait_for_function(f"() => {epoch} >= 20", timeout=20_000)
    page.get_by_label("Epochs a second").press("ArrowLeft")
    assert page.get_by_role("button", name="Pause").count() == 1
    assert page.evaluate(epoch) >= 20
    set_slider(page, "Learning rate", -0.5)
    assert page.get_by_role("button", name="Pause").count() == 1
    page.wait_for_function(f"() => {epoch} >= 3", timeout=20_000)
    page.get_by_role("button", name="Pause").click()
    settle(page)
    seen = readout(page)
    rate = number(seen["Learning rate now"])
    expected = Explorer(pace=59, lr=rate, epochs=int(seen["Epoch"])).numbers()
    assert number(seen["Training loss"]) == pytest.approx(expected["Training loss"], rel=0.005)


@needs_chromium
def test_a_finger_places_a_point(opened):
    page = opened(
        {"data": "placed"}, viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True
    )
    surface = page.get_by_role("application", name="Place points")
    surface.scroll_into_view_if_needed()
    box = surface.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    settle(page)
    assert page.locator(".dlx-surface .dlx-train").count() == 1


@needs_chromium
def test_preset_opens_its_state_and_asks(opened):
    page = opened({"epochs": 10, "noise": 0.4})
    page.get_by_label("Something to find out").select_option(label="Dead units")
    settle(page)
    assert "Which rate leaves most of them alive" in page.locator(".dlx-question").text_content()
    assert page.get_by_label("Activation").input_value() == "relu"
    assert page.get_by_label("Noise").input_value() == "0.1"
    assert readout(page)["Epoch"] == "0"


@needs_chromium
def test_link_opens_the_same_state(opened):
    page = opened({"data": "xor", "epochs": 12, "units1": 3})
    shown = readout(page)
    page.get_by_role("button", name="Copy link").click()
    link = page.locator(".dlx-code").input_value()
    assert "#playground=" in link
    page.goto("about:blank")
    page.goto(link)
    page.wait_for_selector("[data-mounted] .dlx")
    assert readout(page) == shown
    assert page.get_by_label("Kind of data").input_value() == "xor"


@needs_chromium
def test_a_cut_link_opens_the_page_as_it_is(opened):
    page = opened({"data": "xor"})
    address = page.url
    page.goto("about:blank")
    page.goto(f"{address}#playground=%7B%22data%22")
    page.wait_for_selector("[data-mounted] .dlx")
    assert page.get_by_label("Kind of data").input_value() == "xor"


@needs_chromium
@pytest.mark.parametrize("width", [390, 1000])
def test_code_to_copy_is_shown(opened, width):
    page = opened({"epochs": 3, "data": "xor", "lr": 0.05, "seed": 3, "rule": "adam", "noise": 0.2})
    page.set_viewport_size({"width": width, "height": 900})
    page.get_by_role("button", name="Copy as Python").click()
    code = page.locator(".dlx-code")
    assert "playground.train(" in code.input_value()
    assert "epochs=3" in code.input_value()
    assert code.evaluate("box => box.scrollHeight <= box.clientHeight"), "every line is seen"
    page.get_by_role("button", name="One epoch").click()
    settle(page)
    assert page.locator(".dlx-code").count() == 0, "it belongs to a run that is gone"
