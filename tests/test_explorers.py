"""What every explorer keeps to, whatever it shows. One that is added is tested here unasked.

Its own test file, ``test_explorer_NAME.py``, holds its mathematics and its gestures, and may
add to the states that are looked at here, as a list ``STATES`` of settings.
"""

import functools
import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import drawn
import pytest
import quickjs
import traitlets
from browser import needs_chromium
from bs4 import BeautifulSoup
from explorers import FALLBACK, JavaScript, settle, source

from dlnotes.explorers import esm, widget

NAMES = esm.names()
every_explorer = pytest.mark.parametrize("name", NAMES)


def explorer(name: str, settings: dict[str, Any] | None = None) -> widget.Widget:
    module = importlib.import_module(f"dlnotes.explorers.{name}")
    return module.Explorer(**(settings or {}))


@functools.cache
def states(name: str) -> list[dict[str, Any]]:
    """Return settings to look at: the defaults, and each setting at each of its extremes."""
    found: list[dict[str, Any]] = [{}]
    for key, setting in esm.spec(name)["settings"].items():
        if setting["type"] == "choice":
            found += [{key: choice} for choice in setting["choices"]]
        elif setting["type"] in ("number", "integer"):
            found += [{key: end} for end in setting["limits"]]
        elif setting["type"] == "boolean":
            found += [{key: not setting["default"]}]
    return [*found, *importlib.import_module(f"test_explorer_{name}").STATES]


# --- The files --------------------------------------------------------------------------


def test_there_are_explorers():
    assert {"backprop", "descent"} <= set(NAMES)


@every_explorer
def test_folder_is_complete(name):
    folder = esm.HERE / name
    assert {"spec.json", "model.js", "picture.js", "__init__.py"} <= {
        p.name for p in folder.iterdir()
    }
    specification = esm.spec(name)
    assert specification["name"] == name
    assert set(specification) == {"name", "title", "height", "settings", "readouts"}
    for setting in specification["settings"].values():
        assert setting["type"] in ("choice", "number", "integer", "boolean", "other")
        assert setting["about"]


@pytest.mark.parametrize("path", sorted(esm.HERE.rglob("*.js")), ids=lambda p: p.stem)
def test_file_imports_what_it_uses_and_what_there_is(path):
    text = path.read_text("utf8")
    code = re.sub(r"^//.*|^import .*", "", text, flags=re.MULTILINE)
    for wanted, other in esm._IMPORT.findall(text):
        names = re.findall(r"\w+", wanted)
        assert all(re.search(rf"\b{name}\b", code) for name in names), f"{wanted}: not all used"
        target = path.parent / other
        if target.suffix == ".js":
            exported = " ".join(map(" ".join, esm._EXPORT.findall(target.read_text("utf8"))))
            assert set(names) <= set(re.findall(r"\w+", exported)), (
                f"{other} lacks some of {wanted}"
            )


def test_each_file_has_a_scope_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(esm, "HERE", tmp_path)
    (tmp_path / "data.json").write_text('{"a": [1, 2]}')
    (tmp_path / "one.js").write_text("export const clean = () => 1;\nconst own = 5;\n")
    (tmp_path / "two.js").write_text(
        'import { clean as other } from "./one.js";\n'
        'import data from "./data.json" with { type: "json" };\n'
        "const own = 2;\nexport function clean() { return other() + own + data.a[1]; }\n"
        "export const [three, four] = [3, 4];\nexport default clean;\n"
    )
    context = quickjs.Context()
    context.eval(esm.joined(["two.js"]).replace("const files", "globalThis.files"))
    assert context.eval('files["two.js"].clean()') == 5
    assert context.eval('files["two.js"].default === files["two.js"].clean') is True
    assert context.eval('files["two.js"].four') == 4
    assert json.loads(context.eval('JSON.stringify(Object.keys(files["one.js"]))')) == ["clean"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.js": 'import { b } from "./b.js";\n'}, "no file .*b.js, which a.js imports"),
        (
            {
                "a.js": 'import { b } from "./b.js";\nexport const a = 1;\n',
                "b.js": 'import { a } from "./a.js";\nexport const b = 1;\n',
            },
            "files import each other: a.js -> b.js -> a.js",
        ),
        ({"a.js": "export { a };\n"}, r"a.js: cannot join 'export \{ a \};'"),
        ({"a.js": 'import * as b from "./b.js";\n'}, "a.js: cannot join 'import"),
    ],
)
def test_what_cannot_be_joined_is_named(tmp_path, monkeypatch, files, message):
    monkeypatch.setattr(esm, "HERE", tmp_path)
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=message):
        esm.joined(["a.js"])


@every_explorer
def test_module_has_no_imports_and_one_default_export(name):
    text = esm.module(name)
    assert not re.search(r"^\s*import\b", text, re.MULTILINE)
    assert len(re.findall(r"^export ", text, re.MULTILINE)) == 1
    assert re.search(r"^export default ", text, re.MULTILINE)


def test_script_is_classic_and_holds_each_file_once():
    text = esm.classic(NAMES)
    assert not re.search(r"^\s*(import|export)\b", text, re.MULTILINE)
    for once in ("function mountAll(", "function stepCurve(", "function explorer("):
        assert text.count(once) == 1
    quickjs.Context().eval(f"var document = {{querySelectorAll: () => []}};{text}")


@every_explorer
def test_script_for_one_explorer_holds_no_other(name):
    text = esm.classic([name])
    assert f'files["{name}/picture.js"]' in text
    for other in set(NAMES) - {name}:
        assert f'files["{other}/' not in text


def test_unknown_explorer_is_named():
    for function in (esm.module, esm.spec, lambda name: esm.classic([name])):
        with pytest.raises(ValueError, match=r"no explorer named 'decent': .*descent"):
            function("decent")


def test_book_side_needs_only_the_standard_library():
    code = "import sys, dlnotes.explorers.esm as e; e.classic(e.names()); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "dlnotes" in loaded
    assert not loaded & {"torch", "numpy", "anywidget", "ipywidgets", "traitlets"}


def test_environment_may_be_a_link(tmp_path):
    (tmp_path / "link").symlink_to(Path(esm.__file__).parents[2])
    code = "import dlnotes.explorers.esm as e; e.module(e.names()[0]); print(e.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(tmp_path / "link")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path)), "another copy was imported"


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


def bundle(shown: widget.Widget) -> dict[str, Any]:
    made = shown._repr_mimebundle_()
    return made[0] if isinstance(made, tuple) else made


@every_explorer
def test_mimebundle_has_the_widget_and_the_page(name):
    for settings in states(name):
        shown = explorer(name, settings)
        data = bundle(shown)
        assert "application/vnd.jupyter.widget-view+json" in data
        div = BeautifulSoup(data["text/html"], "html.parser").div
        assert div["data-dlnotes-explorer"] == name
        assert json.loads(div["data-state"]) == shown.state()
        assert "run the cell" in div.text
        assert "JavaScript" in div.text


@every_explorer
def test_two_explorers_alike_are_shown_alike(name):
    one, two = (bundle(explorer(name)) for _ in range(2))
    assert one["text/html"] == two["text/html"]
    assert one["text/plain"] == two["text/plain"]
    assert "0x" not in one["text/plain"]


@every_explorer
def test_shown_text_makes_the_same_explorer_again(name):
    module = importlib.import_module(f"dlnotes.explorers.{name}")
    for settings in states(name):
        shown = explorer(name, settings)
        again = eval(repr(shown), {"Explorer": module.Explorer})
        assert again.state() == shown.state()


@every_explorer
def test_help_explains_every_setting(name):
    text = importlib.import_module(f"dlnotes.explorers.{name}").Explorer.__doc__
    for key, setting in esm.spec(name)["settings"].items():
        assert re.search(rf"^{key}\b", text, re.MULTILINE)
        assert " ".join(setting["about"].split()) in " ".join(text.split())


def bad_values(setting: dict[str, Any]) -> list[tuple[Any, str]]:
    if setting["type"] == "choice":
        known = ", ".join(setting["choices"])
        return [(value, f"must be one of {known}, got") for value in ("no such", 3, ["x"], None)]
    if setting["type"] == "boolean":
        return [(value, "must be True or False, got") for value in (1, "yes", None)]
    if setting["type"] == "other":
        return []
    low, high = setting["limits"]
    far = [(value, f"must be from {low:g} to {high:g}, got") for value in (low - 1, high + 1)]
    far += [(float("nan"), f"must be from {low:g} to {high:g}, got nan")]
    far += [(value, "must be a number, got") for value in ("1", True, None)]
    return far + ([(low + 0.5, "must be a whole number")] if setting["type"] == "integer" else [])


@every_explorer
def test_bad_setting_says_what_to_change_and_changes_nothing(name):
    shown = explorer(name)
    before = shown.state()
    for key, setting in esm.spec(name)["settings"].items():
        for value, message in bad_values(setting):
            with pytest.raises(traitlets.TraitError, match=re.escape(f"{key} {message}")):
                explorer(name, {key: value})
            with pytest.raises(traitlets.TraitError, match=re.escape(f"{key} {message}")):
                setattr(shown, key, value)
            assert shown.state() == before
    with pytest.raises(TypeError, match="no_such_setting"):
        explorer(name, {"no_such_setting": 1})


@every_explorer
def test_state_cannot_be_changed_by_half(name):
    shown = explorer(name)
    before = shown.state()
    for key in before:
        value = getattr(shown, key)
        if isinstance(value, dict):
            first = next(iter(value))
            for change in (lambda v, k=first: v.update({k: 0}), lambda v, k=first: v.pop(k)):
                with pytest.raises(TypeError, match=rf"set it as a whole: explorer.{key} = "):
                    change(value)
            with pytest.raises(TypeError, match=rf"explorer.{key} = {{\*\*explorer.{key}, "):
                value[first] = 0
        elif isinstance(value, list):
            with pytest.raises(TypeError, match=rf"set it as a whole: explorer.{key} = \["):
                value[0] = 0
            with pytest.raises(TypeError, match=key):
                value.append(0)
    assert shown.state() == before
    assert json.loads(json.dumps(shown.get_state([*before]))) == before


@every_explorer
def test_kernel_can_be_sent_any_state(name):
    shown = explorer(name)
    for settings in states(name):
        state = explorer(name, settings).state()
        shown.set_state(state)
        assert shown.state() == state


# --- The same in JavaScript -------------------------------------------------------------


def same(one: Any, other: Any) -> bool:
    """Tell whether two states are equal, numbers but for their last digits."""
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other or (isinstance(one, float) and one == pytest.approx(other, rel=1e-12))


@every_explorer
def test_state_of_python_means_the_same_in_javascript(name):
    js = JavaScript(f"{name}/model.js")
    for settings in states(name):
        state = explorer(name, settings).state()
        assert same(state, js(f"clean({json.dumps(state)})"))
    assert same(explorer(name).state(), js("clean({})"))


NONSENSE = [None, True, "toString", "<img>", -1e9, 1e9, 0.5, [], [None, 99], {}, {"a": 1}]


@every_explorer
def test_impossible_state_becomes_one_that_python_accepts(name):
    js = JavaScript(f"{name}/model.js")
    for key in esm.spec(name)["settings"]:
        for value in NONSENSE:
            state = js(f"clean({json.dumps({key: value})})")
            assert same(explorer(name, state).state(), state)
    assert js("clean({" + ", ".join(f"{k}: NaN" for k in state) + "})") == js("clean({})")


# --- Every number that is drawn or read out ----------------------------------------------


@needs_chromium
@every_explorer
@pytest.mark.parametrize("width", [390, 1000])
def test_every_number_is_that_of_dlnotes(opened, name, width):
    shown = [explorer(name, settings) for settings in states(name)]
    page = opened(*((name, one.state()) for one in shown), viewport={"width": width, "height": 900})
    seen = page.locator(".dlx").evaluate_all(f"all => all.map((root) => ({drawn.READ})(root))")
    assert len(seen) == len(shown)
    assert seen[0]["numbers"]
    faults = [
        f"{settings}: {fault}"
        for settings, one, read in zip(states(name), shown, seen, strict=True)
        for fault in drawn.faults(name, read, one)
    ]
    assert not faults, "\n".join(faults)


RECORDING = """async ([source, state, names]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const explorer = (await import(url)).default;
  const listeners = new Map();
  window.model = {
    state, sent: [], saved: 0, listeners,
    get: (key) => state[key],
    set(key, value) {
      if (JSON.stringify(state[key]) === JSON.stringify(value)) return;
      state[key] = value;
      model.sent.push(key);
      listeners.get(`change:${key}`)?.();
    },
    save_changes: () => { model.saved += 1; },
    on: (event, listener) => listeners.set(event, listener),
    off: (event) => listeners.delete(event),
  };
  const el = document.querySelector("main").appendChild(document.createElement("div"));
  window.unmount = explorer.render({ model, el });
}"""


@pytest.fixture
def connected(opened):
    """Return a function that opens an explorer as Jupyter does: with a model that it follows."""

    def open_connected(name: str, settings: dict[str, Any] | None = None, **context: Any) -> Any:
        page = opened((name, explorer(name).state()), **context)
        page.locator("[data-mounted]").evaluate("e => e.remove()")
        page.evaluate(RECORDING, [esm.module(name), explorer(name, settings).state(), []])
        settle(page)
        return page

    return open_connected


@needs_chromium
@every_explorer
def test_picture_follows_the_kernel_in_every_number(connected, name):
    page = connected(name)
    for settings in [*states(name)[1:], {}]:
        shown = explorer(name, settings)
        page.evaluate(
            "state => Object.entries(state).forEach(([k, v]) => model.set(k, v))", shown.state()
        )
        settle(page)
        seen = page.locator(".dlx").evaluate(drawn.READ, arg=False)
        faults = drawn.faults(name, seen, shown)
        assert not faults, "\n".join([str(settings), *faults])
    page.wait_for_timeout(700)  # the live region speaks once things are quiet
    faults = drawn.faults(name, page.locator(".dlx").evaluate(drawn.READ, arg=True), shown)
    assert not faults, "\n".join(["what is spoken at the end", *faults])


@needs_chromium
@every_explorer
def test_explorer_lets_go_of_its_model(connected, name):
    page = connected(name)
    assert page.evaluate("model.listeners.size") == len(esm.spec(name)["settings"])
    page.evaluate("unmount()")
    assert page.evaluate("model.listeners.size") == 0
    before = page.locator(".dlx").inner_html()
    page.set_viewport_size({"width": 500, "height": 900})
    settle(page)
    assert page.locator(".dlx").inner_html() == before


# --- Controls ---------------------------------------------------------------------------

CONTROLS = ".dlx :is(button, input, select, summary, [tabindex='0'])"

CHOICE = "select-one"


def in_turn(controls: Any) -> Iterator[Any]:
    """Yield controls, choices last: one may turn off others, or put others in their places."""
    handles = controls.element_handles()
    for handle in sorted(handles, key=lambda control: control.evaluate("e => e.type") == CHOICE):
        if handle.evaluate("e => e.isConnected && !e.disabled"):
            yield handle


def look(page: Any, nth: int = 0) -> Any:
    """Return everything that an explorer shows, in a form that can be compared."""
    settle(page)
    return (
        page.locator(".dlx")
        .nth(nth)
        .evaluate(
            """root => {
          const tell = (node) => node.nodeType === Node.TEXT_NODE ? node.data : [
            node.tagName,
            [...node.attributes].map(({ name, value }) => `${name}=${value}`).sort(),
            [...node.childNodes].filter((child) => child.role !== "status").map(tell),
          ];
          const inputs = [...root.querySelectorAll('input, select')];
          return [tell(root), inputs.map((e) => e.value + e.checked)];
        }"""
        )
    )


@needs_chromium
@every_explorer
def test_every_control_is_reached_with_tab_in_order_and_is_seen_there(opened, name):
    page = opened((name, explorer(name, states(name)[-1]).state()))
    count = page.locator(f"{CONTROLS}:not(:disabled)").count()
    assert count > 1
    for k in range(count):
        page.keyboard.press("Tab")
        reached = page.evaluate(
            """([selector, k]) => {
              const all = [...document.querySelectorAll(selector)].filter((e) => !e.disabled);
              const style = getComputedStyle(all[k]);
              return [all[k] === document.activeElement, style.outlineStyle, style.outlineWidth];
            }""",
            [CONTROLS, k],
        )
        assert reached == [True, "solid", "3px"], k


@needs_chromium
@every_explorer
def test_every_control_does_something_and_reset_undoes_all(connected, name):
    page = connected(name)
    first, state = look(page), page.evaluate("structuredClone(model.state)")
    for control in in_turn(page.locator(f"{CONTROLS}:not(:disabled, button, summary)")):
        kind, value, most, step = control.evaluate("e => [e.type, e.value, e.max, e.step]")
        before = look(page)
        if kind == "range":
            control.press("ArrowLeft" if value == most else "ArrowRight")
        elif kind == "number":
            control.fill(f"{float(value) + float(step):g}")
            control.press("Enter")
        elif kind == "checkbox":
            control.press("Space")
        elif kind == CHOICE:
            control.select_option(index=1 if control.evaluate("e => e.selectedIndex") != 1 else 0)
        else:
            control.press("ArrowRight")
        assert look(page) != before, control.evaluate("e => e.outerHTML")
    assert page.evaluate("model.saved") > 0
    page.get_by_role("button", name="Reset", exact=True).click()
    assert look(page) == first
    assert page.evaluate("model.state") == state


@needs_chromium
@every_explorer
def test_plain_keys_stay_and_commands_go_on(opened, name):
    page = opened((name, explorer(name).state()))
    page.evaluate(
        "() => { window.heard = []; document.addEventListener('keydown', (e) => {"
        " window.heard.push(e.key); if (e.ctrlKey) e.preventDefault(); }); }"
    )
    for control in in_turn(page.locator(f"{CONTROLS}:not(:disabled)")):
        control.focus()
        for key in ("a", "x", "d", "ArrowDown", "Escape", "Shift+M"):
            page.keyboard.press(key)
        assert page.evaluate("window.heard") == []
    for key in ("Control+s", "Alt+1", "Meta+k"):
        page.keyboard.press(key)
    assert [key for key in page.evaluate("window.heard") if len(key) == 1] == ["s", "1", "k"]


@needs_chromium
@every_explorer
def test_number_out_of_range_is_refused_with_its_limits(opened, name):
    page = opened((name, explorer(name).state()))
    for field in page.locator("input[type=number]").all():
        before = look(page)[1]
        limits = field.evaluate("e => [Number(e.min), Number(e.max)]")
        field.fill(str(limits[1] + 1))
        field.press("Enter")
        settle(page)
        assert field.get_attribute("aria-invalid") == "true"
        message = page.locator(".dlx-message [data-number]")
        seen = [drawn.number(text) for text in message.all_text_contents()]
        assert seen == limits
        field.press("Escape")
        settle(page)
        assert look(page)[1] == before
        assert page.locator(".dlx-message").text_content() == ""


# --- The page ---------------------------------------------------------------------------


@needs_chromium
@every_explorer
@pytest.mark.parametrize(("width", "theme"), [(390, "dark"), (1000, "light")])
def test_axe_finds_nothing(opened, name, theme, width):
    from axe_playwright_python.sync_playwright import Axe

    shown = [(name, explorer(name, settings).state()) for settings in states(name)[-2:]]
    page = opened(*shown, color_scheme=theme, viewport={"width": width, "height": 900})
    for summary in page.locator("summary").all():
        summary.click()
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    results = Axe().run(page, options={"runOnly": tags})
    assert results.response["passes"], "axe ran"
    assert results.violations_count == 0, results.generate_report()


# axe looks at HTML text only: what is drawn is held to WCAG 1.4.3 and 1.4.11 here. What lies
# under a text or a mark is asked of the browser and painted together.
CONTRAST = r"""() => {
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    return { rgb: [r, g, b], a };
  };
  const over = (top, share, ground) => ground.map((v, i) => v + share * (top[i] - v));
  const layer = (e) => {
    const style = getComputedStyle(e);
    if (!(e instanceof SVGElement)) return [style.backgroundColor, 1];
    const blank = style.fill === "none" || ["svg", "text", "tspan", "line"].includes(e.tagName);
    return blank ? null : [style.fill, Number(style.fillOpacity)];
  };
  const ground = ([x, y], but) => {
    let colour = [255, 255, 255];
    for (const e of document.elementsFromPoint(x, y).reverse()) {
      if (but.contains(e) || e.closest("[data-mark]") || e.matches(".dlx-handle")) continue;
      const paint = layer(e);
      if (!paint) continue;
      const { rgb, a } = parse(paint[0]);
      colour = over(rgb, a * paint[1], colour);
    }
    return colour;
  };
  const light = (rgb) => rgb.map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (a, b) => {
    const [low, high] = [light(a), light(b)].sort((p, q) => p - q);
    return (high + 0.05) / (low + 0.05);
  };
  const found = [];
  const check = (e, at, least, colours) => {
    const below = ground(at, e);
    const seen = colours.filter((c) => c !== "none").map((c) => contrast(parse(c).rgb, below));
    found.push([Math.max(...seen), least, e.outerHTML.slice(0, 120)]);
  };
  const middle = (box) => [box.x + box.width / 2, box.y + box.height / 2];
  const inView = ([x, y]) => x >= 0 && y >= 0 && x < innerWidth && y < innerHeight;
  for (const e of document.querySelectorAll(".dlx svg text")) {
    for (const part of e.children.length ? e.children : [e]) {
      const [at, { fill }] = [middle(part.getBoundingClientRect()), getComputedStyle(part)];
      if (part.textContent.trim() && inView(at)) check(part, at, 4.5, [fill]);
    }
  }
  const marks = "[data-mark]:not(.dlx-casing), .dlx-frame, .dlx-keys svg *, [data-paint]";
  for (const e of document.querySelectorAll(marks)) {
    const { stroke, fill } = getComputedStyle(e);
    const length = e.getTotalLength();
    if (length === 0 && e.tagName === "polyline") continue; // nothing is seen of it
    // What leaves its picture is cut off there.
    const { left, right, top, bottom } = e.closest("svg").getBoundingClientRect();
    const seen = ([x, y]) => inView([x, y]) && x >= left && x <= right && y >= top && y <= bottom;
    const spots = [0, 0.37, 0.99].map((share) => e.getPointAtLength(share * length))
      .map((p) => new DOMPoint(p.x, p.y).matrixTransform(e.getScreenCTM()))
      .map(({ x, y }) => [x, y]).filter(seen);
    for (const at of spots) check(e, at, 3, [stroke, fill]);
  }
  return found;
}"""


@needs_chromium
@every_explorer
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_drawn_has_contrast(opened, name, theme):
    for settings in states(name)[-3:]:
        page = opened(
            (name, explorer(name, settings).state()),
            color_scheme=theme,
            viewport={"width": 1000, "height": 1400},
        )
        found = page.evaluate(CONTRAST)
        assert len(found) > 10
        faint = [entry for entry in found if entry[0] < entry[1]]
        assert faint == []


LIGHT, DARK = ("rgb(255, 255, 255)", "rgb(31, 35, 40)"), ("rgb(20, 24, 30)", "rgb(232, 234, 237)")


def colours(page: Any) -> tuple[str, str]:
    style = "e => { const s = getComputedStyle(e); return [s.backgroundColor, s.color]; }"
    return tuple(page.locator(".dlx").evaluate(style))


@needs_chromium
@every_explorer
def test_theme_of_the_book_wins_and_is_followed_live(opened, name):
    page = opened((name, {}), color_scheme="dark")
    assert colours(page) == DARK
    for theme, expected in (("light", LIGHT), ("dark", DARK), ("light", LIGHT)):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        assert colours(page) == expected


@needs_chromium
@every_explorer
def test_theme_of_jupyterlab_wins(opened, name):
    page = opened((name, {}), color_scheme="light")
    assert colours(page) == LIGHT
    page.evaluate("() => { document.body.dataset.jpThemeLight = 'false'; }")
    assert colours(page) == DARK


@needs_chromium
@every_explorer
def test_phone_has_room_and_targets(opened, name):
    page = opened(
        (name, {}), viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    targets = page.locator(
        ".dlx :is(button, select, summary, input:not([type=checkbox]), .dlx-check, .dlx-handle)"
    )
    assert targets.count() > 1
    for target in targets.all():
        size = target.bounding_box()
        assert min(size["width"], size["height"]) >= 24, target.evaluate("e => e.outerHTML")
    widths = page.locator(".dlx *:not(svg *, .dlx-spoken, option)").evaluate_all(
        "all => all.filter(e => e.clientWidth && e.scrollWidth > e.clientWidth + 1)"
        ".map(e => e.className)"
    )
    assert widths == [], "text is cut off"


@needs_chromium
@every_explorer
@pytest.mark.parametrize("width", [390, 700, 1000])
def test_drawn_text_is_in_its_picture_and_apart(opened, name, width):
    shown = [(name, explorer(name, settings).state()) for settings in states(name)]
    page = opened(*shown, viewport={"width": width, "height": 900})
    faults = page.locator(".dlx svg").evaluate_all(
        """all => all.flatMap((svg) => {
          const frame = svg.getBoundingClientRect(), found = [];
          const texts = [...svg.querySelectorAll('text')].filter((t) => t.textContent.trim());
          const boxes = texts.map((t) => t.getBoundingClientRect());
          texts.forEach((t, i) => {
            const a = boxes[i];
            if (a.left < frame.left - 1 || a.right > frame.right + 1 ||
                a.top < frame.top - 1 || a.bottom > frame.bottom + 1) found.push(t.textContent);
            for (let j = i + 1; j < texts.length; j += 1) {
              const b = boxes[j];
              const [wide, high] = [Math.min(a.right, b.right) - Math.max(a.left, b.left),
                Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)];
              if (wide > 1 && high > 4) found.push(`${t.textContent} | ${texts[j].textContent}`);
            }
          });
          return found;
        })"""
    )
    assert faults == []


@needs_chromium
@every_explorer
@pytest.mark.parametrize("width", [390, 1000])
def test_place_is_kept_until_the_explorer_stands(browser, tmp_path, name, width):
    file = tmp_path / "page.html"
    heights = []
    for text in (
        source((name, {})),
        re.sub("<script>.*</script>", "", source((name, {})), flags=re.S),
    ):
        file.write_text(text, "utf8")
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.goto(file.as_uri())
        settle(page)
        heights.append(page.locator("[data-dlnotes-explorer]").bounding_box()["height"])
        page.close()
    stands, kept = heights
    assert abs(stands - kept) < 100


@needs_chromium
@every_explorer
def test_nothing_moves_by_itself_for_those_who_ask(opened, name):
    page = opened((name, {}), reduced_motion="reduce")
    for press in page.locator(".dlx button").all():
        press.click()
        before = look(page)
        page.wait_for_timeout(150)
        assert look(page) == before
    assert page.evaluate("document.getAnimations().length") == 0


@needs_chromium
@every_explorer
def test_without_javascript_the_fallback_is_read(browser, tmp_path, name):
    file = tmp_path / "page.html"
    file.write_text(source((name, {})), "utf8")
    page = browser.new_page(java_script_enabled=False)
    page.goto(file.as_uri())
    assert page.get_by_text(FALLBACK).is_visible()
    page.close()


@needs_chromium
@every_explorer
def test_a_broken_state_does_not_stop_the_next_explorer(browser, tmp_path, name):
    broken = f'<div data-dlnotes-explorer="{name}" data-state="{{">left as it was</div>'
    unknown = '<div data-dlnotes-explorer="toString" data-state="{}">unknown</div>'
    file = tmp_path / "page.html"
    file.write_text(source((name, {}), body=broken + unknown + esm.html(name, {}, "")), "utf8")
    page = browser.new_page()
    page.goto(file.as_uri())
    settle(page)
    assert page.locator("[data-mounted] .dlx").count() == 2
    assert page.get_by_text("left as it was").is_visible()
    assert page.get_by_text("unknown").is_visible()
    page.close()


@needs_chromium
@every_explorer
def test_explorers_on_a_page_do_not_know_each_other(opened, name):
    page = opened((name, {}), (name, {}), *((other, {}) for other in NAMES))
    ids = page.locator(".dlx [id]").evaluate_all("all => all.map(e => e.id)")
    assert len(ids) == len(set(ids))
    for reference in page.locator("[aria-describedby]").all():
        assert page.locator(f"#{reference.get_attribute('aria-describedby')}").count() == 1
    others = [look(page, nth) for nth in range(1, 2 + len(NAMES))]
    alone = look(page)
    for control in page.locator(".dlx").first.locator("input[type=range]:not(:disabled)").all():
        control.press("ArrowLeft")
    assert look(page) != alone
    assert [look(page, nth) for nth in range(1, 2 + len(NAMES))] == others
