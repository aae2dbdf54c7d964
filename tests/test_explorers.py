"""Explorers: JavaScript against dlnotes and torch, the Python class, and a real page."""

import itertools
import json
import re
import subprocess
import sys

import numpy as np
import pytest
import quickjs
import torch
import traitlets
from browser import needs_chromium
from bs4 import BeautifulSoup
from test_optimizers import CASES, CLOSE, STEPS, Case, scratch_path, torch_path

from dlnotes import surfaces
from dlnotes.explorers import descent, esm

# --- JavaScript mathematics -------------------------------------------------------------


class JavaScript:
    """The explorer's own functions, run without a browser."""

    def __init__(self, source: str) -> None:
        self.context = quickjs.Context()
        plain = re.sub(r"^export (default .*;\n)?", "", source, flags=re.MULTILINE)
        self.context.eval(plain)

    def __call__(self, expression: str):
        return json.loads(self.context.eval(f"JSON.stringify({expression})"))


@pytest.fixture(scope="module")
def js() -> JavaScript:
    return JavaScript(esm.module("descent"))


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


def test_javascript_has_the_same_surfaces_and_rules(js):
    assert js("Object.keys(surfaces)") == list(surfaces.SURFACES)
    assert js("Object.keys(optimizers)") == list(descent.OPTIMIZERS)
    assert js("Object.keys(SURFACES)") == list(surfaces.SURFACES)
    assert js("Object.keys(OPTIMIZERS)") == list(descent.OPTIMIZERS)
    assert js("LIMITS") == {name: list(pair) for name, pair in descent.LIMITS.items()}


@pytest.mark.parametrize("name", [*surfaces.SURFACES, "ravine 3"])
def test_javascript_surface_is_that_of_dlnotes_and_of_autograd(js, name):
    name, _, condition = name.partition(" ")
    surface = surfaces.ravine(float(condition)) if condition else surfaces.SURFACES[name]
    made = f"surfaces.{name}({{{f'condition: {condition}' if condition else ''}}})"
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
    text, warning = js(f"(() => {{ const p = trajectory(clean({state})); "
                       "return message(picture(surfaces.bowl()), p, p.diverged); })()")  # fmt: skip
    assert warning is True
    assert text == (
        "Diverges: in 12 steps the loss went from 2 to 3.4 × 10⁷. Lower the learning rate."
    )


def test_a_path_that_converges_says_nothing(js):
    said = js("(() => { const s = clean({surface: 'bowl', lr: 0.1}); "
              "return message(picture(surfaces.bowl()), trajectory(s), 50); })()")  # fmt: skip
    assert said == ["", False]


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
    reach = descent.picture(surfaces.SURFACES[name].window)
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
    seen = js("Array.from({length: 251}, (_, i) => logarithmic.from(-4 + 0.02 * i))")
    assert seen[0] == 1e-4
    assert seen[-1] == 10
    assert all(a < b for a, b in itertools.pairwise(seen)), "a key press that does nothing"
    assert all(len(f"{v:.12g}".lstrip("0.").replace(".", "").rstrip("0")) <= 3 for v in seen)


# --- The files put together -------------------------------------------------------------


def test_files_are_modules_that_import_what_they_use_and_no_more():
    files = {path.stem: path.read_text("utf8") for path in esm.HERE.glob("*.js")}
    exported = {
        name: set(re.findall(r"^export (?:const|function) (\w+)", text, re.MULTILINE))
        | set(re.findall(r"\w+", " ".join(re.findall(r"^export const \[(.*?)\]", text, re.M))))
        for name, text in files.items()
    }
    everything = set().union(*exported.values())
    for name, text in files.items():
        body = esm._IMPORT.sub("", text)
        code = re.sub(r"//.*|\.\.\.", "", body)
        imported = set()
        for names, source in re.findall(r'^import \{([^}]*)\} from "\./(\w+)\.js";', text, re.M):
            wanted = set(re.findall(r"\w+", names))
            assert wanted <= exported[source], f"{name}.js imports what {source}.js has not"
            imported |= wanted
        assert all(re.search(rf"\b{used}\b", code) for used in imported), f"{name}.js: unused"
        called = set(re.findall(r"(?<![\w.])(\w+)\(", code)) & everything
        assert called <= imported | exported[name], f"{name}.js uses what it does not import"


def test_module_has_no_imports_and_one_default_export():
    source = esm.module("descent")
    assert not re.search(r"^\s*import\b", source, re.MULTILINE)
    assert len(re.findall(r"^export default ", source, re.MULTILINE)) == 1


def test_script_is_classic_and_holds_each_file_once():
    source = esm.classic(["descent", "descent"])
    assert not re.search(r"^\s*(import|export)\b", source, re.MULTILINE)
    assert source.count("function mountAll(") == source.count("function render(") == 1
    quickjs.Context().eval(f"var document = {{querySelectorAll: () => []}};{source}")


def test_unknown_explorer_is_named():
    with pytest.raises(ValueError, match=r"no explorer file named 'decent': .*descent"):
        esm.module("decent")


def test_book_side_needs_only_the_standard_library():
    code = "import sys, dlnotes.explorers.esm as e; e.classic(['descent']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "dlnotes" in loaded
    assert not loaded & {"torch", "numpy", "anywidget", "ipywidgets", "traitlets"}


def test_html_cannot_be_broken_out_of():
    evil = '"><script>alert(1)</script>'
    text = esm.html("descent", {"surface": evil, "b": "&'"}, f"fallback {evil}")
    soup = BeautifulSoup(text, "html.parser")
    assert soup.find("script") is None
    assert json.loads(soup.div["data-state"]) == {"surface": evil, "b": "&'"}
    assert soup.div.text == f"fallback {evil}"


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_html_refuses_what_json_cannot_hold(bad):
    with pytest.raises(ValueError, match="JSON"):
        esm.html("descent", {"lr": bad}, "")


# --- The Python class -------------------------------------------------------------------


def bundle(explorer: descent.Explorer) -> dict[str, object]:
    made = explorer._repr_mimebundle_()
    return made[0] if isinstance(made, tuple) else made


def test_mimebundle_has_the_widget_and_the_page():
    explorer = descent.Explorer("beale", "adam", lr=0.1)
    data = bundle(explorer)
    assert "application/vnd.jupyter.widget-view+json" in data
    div = BeautifulSoup(data["text/html"], "html.parser").div
    assert div["data-dlnotes-explorer"] == "descent"
    assert json.loads(div["data-state"]) == explorer.state()
    assert "beale" in div.text


def test_two_explorers_alike_are_shown_alike():
    one, two = (bundle(descent.Explorer("wave")) for _ in range(2))
    assert one["text/html"] == two["text/html"]
    assert one["text/plain"] == two["text/plain"]
    assert "0x" not in one["text/plain"]


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
        ({"optimizer": "sgd"}, "optimizer must be one of gd, momentum, .*got 'sgd'"),
        ({"lr": 0.0}, "lr must be from 0.0001 to 10, got 0.0"),
        ({"lr": float("nan")}, "lr must be from"),
        ({"momentum": 1.0}, "momentum must be from 0 to 0.99, got 1.0"),
        ({"steps": 0}, "steps must be from 1 to 500, got 0"),
        ({"condition": 0.5}, "condition must be from 1 to 100, got 0.5"),
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


# --- A real page ------------------------------------------------------------------------

STATES = (
    descent.Explorer("ravine", "momentum", lr=0.03, momentum=0.8, steps=40).state(),
    descent.Explorer("wave", lr=0.02, steps=20).state(),
)


def page_source(*states: dict[str, object], body: str = "") -> str:
    parts = "".join(
        esm.html("descent", state, "what is shown without JavaScript") for state in states
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Explorers</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{esm.css()}</style>"
        f"<body><main><h1>Explorers</h1>{parts}{body}</main>"
        f"<script>{esm.classic(['descent'])}</script></body></html>"
    )


@pytest.fixture
def opened(browser, tmp_path):
    """Return a function that opens explorers from a file and gives the page."""
    pages = []

    def open_page(*states, body="", **context):
        file = tmp_path / "page.html"
        file.write_text(page_source(*states, body=body), "utf8")
        context = {"viewport": {"width": 1000, "height": 900}, **context}
        page = browser.new_page(**context)
        problems = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda entry: problems.append(entry.text))
        pages.append((page, problems))
        page.goto(file.as_uri())
        page.wait_for_selector(".dlx-hills path", state="attached")
        return page

    yield open_page
    for page, problems in pages:
        assert problems == []
        page.close()


def settle(page) -> None:
    """Wait for the redraw that the last input asked for."""
    page.evaluate("() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")


def readout(page, nth: int = 0) -> dict[str, str]:
    settle(page)
    box = page.locator(".dlx").nth(nth)
    terms = box.locator(".dlx-state dt").all_text_contents()
    return dict(zip(terms, box.locator(".dlx-state dd").all_text_contents(), strict=True))


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


def beside(point: np.ndarray, right: float, down: float) -> np.ndarray:
    return point + np.array([right, down])


def set_slider(page, label: str, value: float, nth: int = 0) -> None:
    page.locator(".dlx").nth(nth).get_by_label(label).evaluate(
        "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); }", value
    )
    settle(page)


@needs_chromium
def test_page_draws_the_path_that_python_computes(opened):
    page = opened(*STATES)
    path = descent.Explorer(**STATES[0]).path()
    drawn = trace(page)
    # One scale for both axes and y upwards: pixels are an affine image of the path.
    scale = (drawn[-1] - drawn[0])[0] / (path[-1] - path[0])[0]
    expected = drawn[0] + (path - path[0]) * [scale, -scale]
    np.testing.assert_allclose(drawn, expected, atol=0.2)
    shown = readout(page)
    assert shown["Step"] == "40 of 40"
    assert page.get_by_text("what is shown without JavaScript").count() == 0
    position = [float(v.replace("−", "-")) for v in shown["Position"].split(", ")]
    np.testing.assert_allclose(position, path[-1], rtol=5e-3)


@needs_chromium
def test_mouse_drags_the_start_and_click_places_it(opened):
    page = opened(*STATES)
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
    page = opened(STATES[0])
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
    page = opened(STATES[0], body="<p style='height: 3000px'></p>")
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
    page = opened(STATES[0])
    before = start_of(page)
    page.get_by_role("application").evaluate(
        "e => { for (const key of ['ArrowRight', 'ArrowDown', 'ArrowDown']) "
        "e.dispatchEvent(new KeyboardEvent('keydown', {key})); }"
    )
    right, down = start_of(page) - before
    assert right > 4
    assert down == pytest.approx(1.5 * right, abs=2)  # twice as often, three quarters as far


@needs_chromium
def test_everything_is_reached_with_tab_and_has_a_name(opened):
    page = opened(STATES[0])
    names = []
    for _ in range(11):
        page.keyboard.press("Tab")
        names.append(
            page.evaluate(
                "() => document.activeElement.ariaLabel ?? (document.activeElement.labels?.length "
                "? document.activeElement.labels[0].querySelector('span').innerText.split('\\n')[0]"
                " : document.activeElement.innerText)"
            )
        )
    assert names == [
        "Surface", "Optimizer", "Condition number", "Learning rate", "Momentum β", "Steps",
        "Start point: move it with the arrow keys", "Play", "Step", "Reset", "Shown up to step",
    ]  # fmt: skip


@needs_chromium
def test_controls_change_the_path_and_reset_brings_it_back(opened):
    page = opened(STATES[0])
    first, shown = trace(page), readout(page)
    page.get_by_label("Learning rate").focus()
    page.keyboard.press("ArrowRight")
    assert not np.array_equal(trace(page), first)
    page.get_by_label("Surface").select_option("himmelblau")
    page.get_by_label("Optimizer").select_option("adam")
    settle(page)
    assert page.get_by_label("Momentum β₁").is_enabled()
    assert page.get_by_label("Condition number").is_disabled()
    page.get_by_label("Optimizer").select_option("gd")
    settle(page)
    assert page.get_by_label("Momentum β").is_disabled()
    assert readout(page)["Position"] != shown["Position"]
    page.get_by_role("button", name="Reset").click()
    np.testing.assert_array_equal(trace(page), first)
    assert readout(page) == shown
    assert page.get_by_label("Surface").input_value() == "ravine"


@needs_chromium
def test_every_surface_and_rule_can_be_drawn(opened):
    page = opened(STATES[0])
    for surface in surfaces.SURFACES:
        page.get_by_label("Surface").select_option(surface)
        for optimizer in descent.OPTIMIZERS:
            page.get_by_label("Optimizer").select_option(optimizer)
            assert np.isfinite(trace(page)).all()
            svgs = "".join(
                page.locator(".dlx-plot svg").evaluate_all("all => all.map(s => s.innerHTML)")
            )
            assert "NaN" not in svgs
            assert "Infinity" not in svgs


@needs_chromium
def test_contours_are_kept_while_the_path_changes(opened):
    page = opened(STATES[0])
    first = page.locator(".dlx-hills path").first
    first.evaluate("e => e.setAttribute('data-old', '')")
    set_slider(page, "Learning rate", -2)
    assert first.get_attribute("data-old") == ""
    set_slider(page, "Condition number", 7)
    assert first.get_attribute("data-old") is None


@needs_chromium
def test_single_steps_and_scrubbing(opened):
    page = opened(STATES[0])
    step = page.get_by_role("button", name="Step", exact=True)
    step.click()
    assert readout(page)["Step"] == "1 of 40"
    assert len(trace(page)) == 2
    step.click()
    assert readout(page)["Step"] == "2 of 40"
    set_slider(page, "Shown up to step", 17)
    assert readout(page)["Step"] == "17 of 40"
    assert len(trace(page)) == 18


@needs_chromium
def test_play_runs_to_the_end_and_pauses(opened):
    page = opened(STATES[0])
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
    page = opened(STATES[0], reduced_motion="reduce")
    set_slider(page, "Shown up to step", 3)
    page.get_by_role("button", name="Play").click()
    assert readout(page)["Step"] == "40 of 40"
    assert page.get_by_role("button", name="Pause").count() == 0


@needs_chromium
def test_divergence_is_said_in_plain_words(opened):
    page = opened({**STATES[0], "surface": "bowl", "optimizer": "gd", "start": [-2, 1.5]})
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


def colours(page) -> tuple[str, str]:
    style = "e => { const s = getComputedStyle(e); return [s.backgroundColor, s.color]; }"
    return tuple(page.locator(".dlx").evaluate(style))


LIGHT, DARK = ("rgb(255, 255, 255)", "rgb(31, 35, 40)"), ("rgb(20, 24, 30)", "rgb(232, 234, 237)")


@needs_chromium
def test_theme_of_the_book_wins_and_is_followed_live(opened):
    page = opened(STATES[0], color_scheme="dark")
    assert colours(page) == DARK
    for theme, expected in (("light", LIGHT), ("dark", DARK), ("light", LIGHT)):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        assert colours(page) == expected


@needs_chromium
def test_theme_of_jupyterlab_wins(opened):
    page = opened(STATES[0], color_scheme="light")
    assert colours(page) == LIGHT
    page.evaluate("() => { document.body.dataset.jpThemeLight = 'false'; }")
    assert colours(page) == DARK


@needs_chromium
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1000])
def test_axe_finds_nothing(opened, theme, width):
    from axe_playwright_python.sync_playwright import Axe

    page = opened(*STATES, color_scheme=theme, viewport={"width": width, "height": 900})
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    results = Axe().run(page, options={"runOnly": tags})
    assert results.response["passes"], "axe ran"
    assert results.violations_count == 0, results.generate_report()


def luminance(colour: str) -> float:
    channels = np.array(re.findall(r"[\d.]+", colour)[:3], float) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


# axe looks at HTML text only: what is drawn is held to WCAG 1.4.3 and 1.4.11 here.
@needs_chromium
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_drawn_has_contrast(opened, theme):
    page = opened(STATES[0], color_scheme=theme)
    paint = {
        name: page.locator(selector).first.evaluate(f"e => getComputedStyle(e).{name_of}")
        for name, selector, name_of in (
            ("back", ".dlx", "backgroundColor"),
            ("text", ".dlx text", "fill"),
            ("path", ".dlx-trace", "stroke"),
            ("minimum", ".dlx-minimum", "stroke"),
            ("frame", ".dlx-frame", "stroke"),
            ("hill", ".dlx-hills path", "fill"),
        )
    }
    opacity = float(
        page.locator(".dlx-hills path").first.evaluate("e => getComputedStyle(e).fillOpacity")
    )
    hills = page.locator(".dlx-hills path").count()
    back, hill = (np.array(re.findall(r"[\d.]+", paint[n])[:3], float) for n in ("back", "hill"))
    deepest = hill + (back - hill) * (1 - opacity) ** hills

    def contrast(a, b):
        high, low = sorted((luminance(a), luminance(b)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    assert contrast(paint["text"], paint["back"]) >= 4.5
    for ground in (paint["back"], str(deepest.tolist())):
        for drawn in ("path", "minimum"):
            assert contrast(paint[drawn], ground) >= 3
    assert contrast(paint["frame"], paint["back"]) >= 3


@needs_chromium
def test_phone_has_room_and_targets(opened):
    page = opened(*STATES, viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for box in page.locator(".dlx :is(button, select, input, .dlx-handle)").all():
        size = box.bounding_box()
        assert size["width"] >= 24
        assert size["height"] >= 24
    widths = page.locator(".dlx *:not(svg *, .dlx-spoken, option)").evaluate_all(
        "all => all.filter(e => e.clientWidth && e.scrollWidth > e.clientWidth + 1)"
        ".map(e => e.className)"
    )
    assert widths == [], "text is cut off"


@needs_chromium
def test_finger_scrolls_the_page_but_drags_the_ring(opened):
    page = opened(
        STATES[0],
        body="<p style='height: 3000px'></p>",
        viewport={"width": 390, "height": 800},
        has_touch=True,
        is_mobile=True,
    )
    page.wait_for_timeout(100)
    touch = page.context.new_cdp_session(page)

    def swipe(begin, end):
        at = lambda p: {"touchPoints": [{"x": float(p[0]), "y": float(p[1])}]}  # noqa: E731
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart", **at(begin)})
        for share in np.linspace(0, 1, 8)[1:]:
            where = np.add(begin, np.subtract(end, begin) * share)
            touch.send("Input.dispatchTouchEvent", {"type": "touchMove", **at(where)})
            page.wait_for_timeout(20)
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        page.wait_for_timeout(200)

    ring = start_of(page)
    swipe(ring, beside(ring, 60, 25))
    assert page.evaluate("scrollY") == 0
    np.testing.assert_allclose(start_of(page), beside(ring, 60, 25), atol=3)
    ring = start_of(page)
    away = beside(ring, 120, 80)
    swipe(away, away - [0, 120])
    scrolled = page.evaluate("scrollY")
    assert scrolled > 50
    np.testing.assert_allclose(start_of(page), ring - [0, scrolled], atol=1)
    page.touchscreen.tap(*(away - [0, scrolled]))
    np.testing.assert_allclose(start_of(page), away - [0, scrolled], atol=2)


@needs_chromium
def test_several_explorers_share_no_id(opened):
    page = opened(*STATES, *STATES)
    ids = page.locator(".dlx [id]").evaluate_all("all => all.map(e => e.id)")
    assert len(ids) == len(set(ids)) == 8
    for reference in page.locator("[aria-describedby]").all():
        assert page.locator(f"#{reference.get_attribute('aria-describedby')}").count() == 1


@needs_chromium
def test_without_javascript_the_fallback_is_read(browser, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(page_source(STATES[0]), "utf8")
    page = browser.new_page(java_script_enabled=False)
    page.goto(file.as_uri())
    assert page.get_by_text("what is shown without JavaScript").is_visible()
    page.close()


@needs_chromium
def test_a_broken_state_does_not_stop_the_next_explorer(browser, tmp_path):
    broken = '<div data-dlnotes-explorer="descent" data-state="{">left as it was</div>'
    unknown = '<div data-dlnotes-explorer="toString" data-state="{}">unknown</div>'
    file = tmp_path / "page.html"
    file.write_text(page_source({}, body=broken + unknown + esm.html("descent", {}, "")), "utf8")
    page = browser.new_page()
    page.goto(file.as_uri())
    page.wait_for_selector(".dlx-hills path", state="attached")
    assert page.locator(".dlx").count() == 2
    assert page.get_by_text("left as it was").is_visible()
    assert page.get_by_text("unknown").is_visible()
    page.close()
