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
from browser import browser, needs_chromium  # noqa: F401
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
        # Constants of a script are not properties of its global object: name what is used.
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
                       "return message(surfaces.bowl(), p, p.diverged); })()")  # fmt: skip
    assert warning is True
    assert text == (
        "Diverges: in 12 steps the loss went from 2 to 3.4 × 10⁷. Lower the learning rate."
    )


def test_a_path_that_converges_says_nothing(js):
    said = js("(() => { const s = clean({surface: 'bowl', lr: 0.1}); "
              "return message(surfaces.bowl(), trajectory(s), 50); })()")  # fmt: skip
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
        # Wherever the picture lets the start be dragged, Python accepts it.
        descent.Explorer(name, start=(x0, y0)).start = [x1, y1]


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
        ({"start": (9.0, 0.0)}, "start x must be from -5 to 5 on the ravine surface, got 9"),
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
