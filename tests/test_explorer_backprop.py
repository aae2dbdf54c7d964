"""The backprop explorer: its mathematics against dlnotes, and its gestures."""

import json
import re

import numpy as np
import pytest
import quickjs
import traitlets
from browser import needs_chromium
from explorers import JavaScript, number, readout, settle

from dlnotes.explorers import backprop, esm
from dlnotes.scratch import backprop as scratch

# --- Mathematics ------------------------------------------------------------------------

EXACT = {"rtol": 1e-12, "atol": 0}
FILES = ("maths/backprop.js", "backprop/model.js", "backprop/diagram.js", "shared/numbers.js")


@pytest.fixture(scope="module")
def js() -> JavaScript:
    return JavaScript(*FILES)


def random_networks(count: int) -> list[dict[str, float]]:
    """Return networks that no symmetry hides a fault in: no two numbers alike."""
    rng = np.random.default_rng(7)
    return [
        {
            **dict(zip(("i1", "i2"), rng.uniform(-2, 2, 2).tolist(), strict=True)),
            **dict(zip(("t1", "t2"), rng.uniform(0, 1, 2).tolist(), strict=True)),
            **dict(zip(scratch.WEIGHTS, rng.uniform(-3, 3, 8).tolist(), strict=True)),
            **dict(zip(scratch.BIASES, rng.uniform(-1, 1, 2).tolist(), strict=True)),
        }
        for _ in range(count)
    ]


NETWORKS = [scratch.example(), *random_networks(40)]
# What test_explorers.py looks at beside the defaults and the extremes.
STATES = [
    {"at": ""},
    {"at": "E"},
    {"at": "dE/dw5", "steps": 3},
    {"at": "b2+", "biases": True, "net": NETWORKS[5], "lr": 1.5, "steps": 7},
    {"at": "w8+", "net": NETWORKS[6], "steps": 200},
    {
        "at": "w8+",
        "net": {**NETWORKS[7], "w5": 999.99},
        "lr": 10.0,
        "steps": 40,
    },  # leaves the range
]


def equal(seen: dict[str, float], expected: dict[str, float]) -> None:
    assert list(seen) == list(expected), "names, in the order of computation"
    np.testing.assert_allclose(list(seen.values()), list(expected.values()), **EXACT)


def agree(js: JavaScript) -> None:
    """Compare everything that network.js computes with dlnotes.scratch.backprop."""
    for net in NETWORKS:
        values = scratch.forward(net)
        given = json.dumps(net)
        equal(js(f"forward({given})"), values)
        equal(js(f"backward({given}, forward({given}))"), scratch.backward(net, values))
        for lr, biases in ((0.5, False), (0.03, True)):
            options = f"{lr}, {json.dumps(biases)}"
            equal(js(f"step({given}, {options})"), scratch.step(net, lr, biases))


def test_javascript_computes_what_dlnotes_does(js):
    assert js("EXAMPLE") == scratch.example()
    agree(js)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("v[a] - v[b]", "v[b] - v[a]"),  # a sign
        ("v[w] - v.lr *", "v[w] + v.lr *"),
        ("v[out] * (1 - v[out])", "v[out]"),  # a missing factor
        ("** 2 / 2", "** 2"),
        ("v[w] - v.lr * v", "v[w] - v"),
        ("...copied(UNITS[o].weights[k])", "...copied(UNITS[o].weights[1 - k])"),  # an index
        ("...copied(UNITS[unit].from[k])", "...copied(UNITS[unit].from[0])"),
        ('weights: ["w3", "w4"]', 'weights: ["w4", "w3"]'),
        ("plus(`dE_o1/dout_${h}`, `dE_o2", "plus(`dE_o1/dout_${h}`, `dE_o1"),  # a path
        ('["b1", "h1", "h2"]', '["b1", "h1", "h1"]'),
    ],
)
def test_a_fault_in_the_javascript_is_seen(right, wrong):
    source = esm.joined(FILES)
    assert source.count(right) == 1
    with pytest.raises(AssertionError):
        agree(JavaScript(*FILES, edit=lambda text: text.replace(right, wrong)))


@pytest.mark.parametrize("biases", [False, True])
def test_javascript_after_a_hundred_steps_is_that_of_dlnotes(js, biases):
    for net in NETWORKS[:8]:
        trained, errors = net, []
        for _ in range(100):
            errors.append(scratch.forward(trained)["E"])
            trained = scratch.step(trained, 0.5, biases)
        errors.append(scratch.forward(trained)["E"])
        options = f"{{lr: 0.5, biases: {json.dumps(biases)}}}"
        seen = js(f"train({json.dumps(net)}, 100, {options})")
        equal(seen["net"], trained)
        np.testing.assert_allclose(seen["errors"], errors, **EXACT)


def test_training_goes_on_from_where_it_was(js):
    seen = js(
        "(() => { const options = {lr: 0.5, biases: false}; "
        "const done = train(EXAMPLE, 30, options); "
        "return [train(EXAMPLE, 100, {...options, done}), train(EXAMPLE, 100, options)]; })()"
    )
    assert seen[0] == seen[1]
    assert len(seen[0]["errors"]) == 101


def test_training_stops_where_a_weight_is_lost(js):
    net = json.dumps({**scratch.example(), "w5": 5.0, "w6": 999.9})
    seen = js(f"train({net}, 10, {{lr: 10, biases: false, lost: outOfRange}})")
    assert len(seen["errors"]) == 11, "saturated: nothing moves"
    seen = js(f"train({net}, 10, {{lr: 10, biases: false, lost: (n) => n.w7 > 0.5}})")
    assert len(seen["errors"]) < 11
    assert js(f"outOfRange({net})") is False
    assert js(f"outOfRange({{...{net}, b2: -1000.1}})") is True


@pytest.mark.parametrize("biases", ["false", "true"])
def test_operations_are_those_of_dlnotes_and_in_a_possible_order(js, biases):
    listed = js(f"operations({biases}).map((o) => [o.name, o.phase, operands(o.formula)])")
    assert tuple(name for name, _, _ in listed) == backprop.operations(biases == "true")
    phases = [phase for _, phase, _ in listed]
    assert phases == sorted(phases, key=["Forward", "Backward", "Update"].index)
    known = {*scratch.example(), "lr"}
    for name, _, operands in listed:
        assert set(operands) <= known, f"{name} is computed too early"
        known.add(name)


def arithmetic(text: str) -> str:
    """Return a formula with numbers as the page writes it, as JavaScript."""
    for sign, code in {"·": "*", "−": "-", "½": "0.5", "²": "**2", "exp": "Math.exp"}.items():
        text = text.replace(sign, code)
    return text


def test_each_formula_is_what_is_computed(js):
    for net in NETWORKS[:5]:
        given = json.dumps({**net, "lr": 0.5})
        values = js(f"(() => ({{...{given}, ...results(operations(true), {given})}}))()")
        filled = js(
            f"(() => {{ const values = {json.dumps(values)}; return operations(true).map((o) => "
            '[o.name, fill(o.formula, (name) => `(${values[name]})`).join("")]); })()'
        )
        for name, formula in filled:
            assert not re.search("[a-df-z]", formula.replace("exp", "")), "a name is left"
            computed = json.loads(quickjs.Context().eval(f"String({arithmetic(formula)})"))
            np.testing.assert_allclose(computed, values[name], **EXACT)


def explained(js: JavaScript, name: str) -> dict[str, str]:
    return js(
        "(() => { const all = operations(true), given = {...EXAMPLE, lr: 0.5};"
        f"const text = explain(all, all.findIndex((o) => o.name === '{name}') + 1, "
        "{...given, ...results(all, given)});"
        "return {...text, where: textOf(text.where), filled: textOf(text.filled)}; })()"
    )


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("net_h1", "net_h1 = 0.15·0.05 + 0.20·0.10 + 0.35 = 0.3775"),
        ("out_h1", "out_h1 = 1 / (1 + exp(−0.3775)) = 0.593269992"),
        ("E_o1", "E_o1 = ½ · (0.01 − 0.75136507)² = 0.274811083"),
        ("E", "E = 0.274811083 + 0.023560026 = 0.298371109"),
        ("dE/dout_o1", "∂E/∂out_o1 = 0.75136507 − 0.01 = 0.74136507"),
        ("dout_o1/dnet_o1", "∂out_o1/∂net_o1 = 0.75136507 · (1 − 0.75136507) = 0.186815602"),
        ("dnet_o1/dw5", "∂net_o1/∂w5 = 0.593269992"),
        ("dE/dw5", "∂E/∂w5 = 0.138498562 · 0.593269992 = 0.082167041"),
        ("dE_o2/dout_h1", "∂E_o2/∂out_h1 = −0.038098237 · 0.50 = −0.019049118"),
        ("dE/dout_h1", "∂E/∂out_h1 = 0.055399425 + (−0.019049118) = 0.036350306"),
        ("dE/dw1", "∂E/∂w1 = 0.008771355 · 0.05 = 0.000438568"),
        ("w5+", "w5⁺ = 0.40 − 0.50 · 0.082167041 = 0.35891648"),
        ("w1+", "w1⁺ = 0.15 − 0.50 · 0.000438568 = 0.149780716"),
    ],
)
def test_operation_is_written_with_the_numbers_of_the_chapter(js, name, line):
    assert explained(js, name)["filled"] == line


def test_symbols_place_and_reason_are_written(js):
    text = explained(js, "dE/dout_h1")
    assert text["where"] == "Backward, operation 19 of 38"
    assert text["symbols"] == "∂E/∂out_h1 = ∂E_o1/∂out_h1 + ∂E_o2/∂out_h1"
    assert "two paths" in text["why"]
    assert "Next takes the step" in explained(js, "b2+")["why"]
    assert js("explain(operations(), 0, {})")["filled"] == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (0.5, "0.50"), (1, "1.00"), (-0.25, "−0.25"), (0.123456789123, "0.123456789"),
        (0.0000123, "0.0000123"), (2.5e-8, "2.5000 × 10⁻⁸"), (-3e7, "−3.0000 × 10⁷"),
        (100.0, "100.00"), (0.1005, "0.1005"),
    ],
)  # fmt: skip
def test_numbers_have_the_digits_of_the_chapter(js, value, text):
    assert js(f"decimals({value!r})") == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.593269992, "0.5933"), (-0.000438568, "−0.00044"), (1.6, "1.60"), (4.4e-7, "4.4 × 10⁻⁷")],
)
def test_numbers_beside_an_edge_are_short(js, value, text):
    assert js(f"decimals({value!r}, 4)") == text


@pytest.mark.parametrize(
    ("given", "cleaned"),
    [
        ({"net": None, "lr": "1"}, {"net": scratch.example(), "lr": 0.5}),
        ({"net": {"w5": -2000, "i1": 11, "t1": -1}}, {"w5": -1000, "i1": 10, "t1": 0}),
        ({"net": {"w5": None, "<img>": 1}}, {"net": scratch.example()}),
        ({"lr": 1e9, "steps": 1e9}, {"lr": 10, "steps": 10000}),
        ({"steps": 2.4, "biases": 1}, {"steps": 2, "biases": False}),
        ({"at": "toString"}, {"at": "net_h1"}),
        ({"at": ""}, {"at": ""}),
        ({"at": "b1+"}, {"at": "net_h1"}),
        ({"at": "b1+", "biases": True}, {"at": "b1+"}),
    ],
)
def test_impossible_state_is_made_possible(js, given, cleaned):
    result = js(f"clean({json.dumps(given)})")
    result = {**result["net"], **result}
    assert {key: result[key] for key in cleaned} == cleaned


def test_thicker_is_larger(js):
    seen = js("[0, 0.1, -0.5, 2, 1000].map(thickness)")
    assert seen == sorted(seen)
    assert seen[0] > 0.5
    assert seen[-1] < 8


# --- The Python class -------------------------------------------------------------------


def test_default_is_the_worked_example():
    explorer = backprop.Explorer()
    assert explorer.state() == {
        "net": scratch.example(), "lr": 0.5, "biases": False, "steps": 0, "at": "net_h1",
    }  # fmt: skip
    assert repr(explorer).startswith("Explorer(net={'i1': 0.05, ")


@pytest.mark.parametrize("biases", [False, True])
def test_numbers_are_those_of_the_picture(js, biases):
    explorer = backprop.Explorer(NETWORKS[3], lr=2.0, biases=biases, steps=5)
    seen = js(
        f"(() => {{ const s = clean({json.dumps(explorer.state())});"
        "const {net} = train(s.net, s.steps, s);"
        "return {...net, ...results(operations(s.biases), {...net, lr: s.lr})}; })()"
    )
    numbers = explorer.numbers()
    equal(seen, {name: numbers[name] for name in seen})
    assert set(backprop.operations(biases)) < set(seen)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"net": {"w1": 1.0}}, r"net: missing or not known: b1, b2, .*example\(\)"),
        ({"net": {**scratch.example(), "w9": 1.0}}, "net: missing or not known: w9;"),
        ({"net": {**scratch.example(), "w5": "1"}}, "w5 must be a number, got '1'"),
        ({"net": {**scratch.example(), "w5": True}}, "w5 must be a number, got True"),
        ({"net": {**scratch.example(), "w5": float("nan")}}, "w5 must be from -1000 to 1000"),
        ({"net": {**scratch.example(), "t1": 2.0}}, "t1 must be from 0 to 1, got 2.0"),
        ({"lr": 0.0}, "lr must be from 0.0001 to 10, got 0.0"),
        ({"steps": -1}, "steps must be from 0 to 10000, got -1"),
        ({"at": "dE/dw9"}, "at must be a name that .*got 'dE/dw9'$"),
        ({"at": "b1+"}, "need biases=True"),
    ],
)
def test_bad_argument_says_what_to_change(argument, message):
    with pytest.raises(traitlets.TraitError, match=message):
        backprop.Explorer(**argument)
    explorer = backprop.Explorer()
    before = explorer.state()
    ((name, value),) = argument.items()
    with pytest.raises(traitlets.TraitError, match=message):
        setattr(explorer, name, value)
    assert explorer.state() == before


def test_operation_that_biases_brought_goes_with_them():
    explorer = backprop.Explorer(biases=True, at="b2+")
    explorer.biases = False
    assert explorer.at == "w8+"


def test_picture_can_send_its_whole_state():
    explorer = backprop.Explorer()
    explorer.set_state({"biases": True, "at": "b2+", "net": {**scratch.example(), "w1": -2}})
    assert (explorer.biases, explorer.at, explorer.net["w1"]) == (True, "b2+", -2.0)


# --- Gestures ---------------------------------------------------------------------------


@pytest.fixture
def opened(opened):
    return lambda *states, **context: opened(*(("backprop", s) for s in states or ({},)), **context)


def enter(field, text: str) -> None:
    field.fill(text)
    field.press("Enter")


def panel(page, nth: int = 0) -> list[str]:
    """Return where, the formula, the formula with numbers, and why."""
    settle(page)
    return page.locator(".dlx-panel").nth(nth).locator("p").all_text_contents()


def drawn(page, nth: int = 0) -> dict[str, str]:
    """Return what each box and edge of the picture says."""
    settle(page)
    places = page.locator(".dlx").nth(nth).locator("[data-place]")
    found = places.evaluate_all(
        "all => all.map(g => [g.dataset.place,"
        " [...g.querySelectorAll('text')].map(t => t.textContent).join(' ')])"
    )
    return dict(found)


def listed(page, nth: int = 0) -> dict[str, float]:
    """Return every number in the list below the picture, by its name in dlnotes."""
    settle(page)
    found = {}
    for line in page.locator(".dlx").nth(nth).locator(".dlx-list li").all_text_contents():
        parts = line.split(" = ")
        found[parts[0].replace("∂", "d").replace("⁺", "+")] = number(parts[-1])
    return found


def compare(seen: dict[str, float], numbers: dict[str, float]) -> None:
    assert seen
    for name, value in seen.items():
        assert value == pytest.approx(numbers[name], abs=6e-10), name


@needs_chromium
def test_page_shows_the_chapter(opened):
    page = opened()
    where, symbols, filled, _ = panel(page)
    assert where == "Forward, operation 1 of 11"
    assert symbols == "net_h1 = w1·i1 + w2·i2 + b1"
    assert filled == "net_h1 = 0.15·0.05 + 0.20·0.10 + 0.35 = 0.3775"
    assert readout(page)["Error E"] == "0.298371109"
    for name, value in {**scratch.example(), "Learning rate η": 0.5}.items():
        assert float(page.get_by_label(name, exact=True).input_value()) == value
    picture = drawn(page)
    assert picture["w5"] == "w5 0.40"
    assert "net 0.3775" in picture["h1"]
    assert "0.5933" not in " ".join(picture.values()), "what is not computed yet is not shown"
    assert page.get_by_role("status").text_content().count("net_h1 = 0.15·0.05") == 1


@needs_chromium
def test_every_number_so_far_is_that_of_python(opened):
    explorer = backprop.Explorer(NETWORKS[5], lr=1.5, biases=True, steps=7, at="b2+")
    page = opened(explorer.state())
    seen = listed(page)
    assert tuple(seen) == backprop.operations(True)
    compare(seen, explorer.numbers())


@needs_chromium
def test_each_number_stands_under_its_name(opened):
    numbers = backprop.Explorer(NETWORKS[5], biases=True).numbers()
    page = opened({"net": NETWORKS[5], "biases": True, "at": "b2+"})
    names = {"net": "net_{0}", "out": "out_{0}", "∂E_o1/∂out": "dE_o1/dout_{0}",
             "∂E_o2/∂out": "dE_o2/dout_{0}", "∂E/∂out": "dE/dout_{0}",
             "∂out/∂net": "dout_{0}/dnet_{0}", "∂E/∂net": "dE/dnet_{0}",
             "∂E": "dE/d{0}"}  # fmt: skip
    places = drawn(page)
    count = 0
    for place, text in places.items():
        for label, value in re.findall(r"(\S+) (−?\d+\.\d+)(?= |$)", text):
            name = names.get(label, label.replace("⁺", "+")).format(place)
            assert number(value) == pytest.approx(numbers[name], rel=0.05, abs=6e-7), name
            count += 1
    # Inputs and targets 4, E 3, hidden 2 x 7, outputs 2 x 5, weights and biases 10 x 3.
    assert count == 4 + 3 + 14 + 10 + 30


@needs_chromium
@pytest.mark.parametrize("width", [1000, 390])
def test_each_operation_is_marked_with_what_it_takes(opened, js, width):
    page = opened({"biases": True, "at": ""}, viewport={"width": width, "height": 900})
    numbers = backprop.Explorer(biases=True).numbers()
    places = 6 if width == 1000 else 4
    for name, operands in js("operations(true).map((o) => [o.name, operands(o.formula)])"):
        page.get_by_role("button", name="Next").click()
        settle(page)
        marked = page.locator(".dlx-network text.dlx-current").all_text_contents()
        assert 1 <= len(marked) <= 2, name
        shown = [js(f"decimals({numbers[name]!r}, {p})") for p in {places, 6}]
        assert any(marked[-1].endswith(text) for text in shown), (name, marked, shown)
        assert page.locator(".dlx-network .dlx-mark-current").count() == 1
        used = page.locator(".dlx-network .dlx-mark-used").count()
        assert used == len([o for o in operands if o != "lr"]), name


@needs_chromium
def test_mouse_steps_on_and_back(opened):
    page = opened()
    first, picture = panel(page), drawn(page)
    page.get_by_role("button", name="Next").click()
    assert panel(page)[2] == "out_h1 = 1 / (1 + exp(−0.3775)) = 0.593269992"
    assert "out 0.59327" in drawn(page)["h1"]
    page.get_by_role("button", name="Back").click()
    assert panel(page) == first
    assert drawn(page) == picture
    back = page.get_by_role("button", name="Back")
    back.click()
    assert panel(page)[0] == "Before the first operation"
    assert back.get_attribute("aria-disabled") == "true"
    page.get_by_role("button", name="Back").click(force=True)
    assert panel(page)[0] == "Before the first operation"


@needs_chromium
def test_keyboard_steps_on_and_back(opened):
    page = opened()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Next"
    page.keyboard.press("Enter")
    assert panel(page)[1].startswith("out_h1 = ")
    page.keyboard.press("Space")
    assert panel(page)[1].startswith("net_h2 = ")
    page.keyboard.press("Tab")
    for key, name in (("ArrowRight", "out_h2"), ("ArrowLeft", "net_h2"), ("End", "w8⁺")):
        page.keyboard.press(key)
        assert panel(page)[1].startswith(f"{name} = ")
    slider = page.get_by_label("Operation")
    assert slider.get_attribute("aria-valuetext") == "57 of 57: w8⁺"
    page.keyboard.press("Home")
    settle(page)
    assert slider.get_attribute("aria-valuetext") == "0 of 57: nothing computed yet"


@needs_chromium
def test_past_the_last_operation_the_step_is_taken(opened):
    page = opened({"at": "w8+"})
    last = panel(page)
    page.get_by_role("button", name="Next").click()
    assert panel(page)[0] == "Forward, operation 1 of 11"
    assert readout(page)["Descent steps"] == "1"
    assert drawn(page)["w5"] == "w5 0.358916"
    page.get_by_role("button", name="Back").click()
    page.get_by_role("button", name="Back").click()
    assert panel(page) == last
    assert readout(page)["Descent steps"] == "0"


@needs_chromium
@pytest.mark.parametrize(
    ("label", "name", "value"),
    [("w5", "w5", -1.25), ("w1", "w1", 0.7), ("i2", "i2", 3.0), ("t1", "t1", 0.5),
     ("b2", "b2", 0.25), ("Learning rate η", "lr", 2.0)],
)  # fmt: skip
def test_edit_moves_every_number_that_depends_on_it_and_no_other(opened, label, name, value):
    page = opened({"at": "w8+"})
    before = listed(page)
    enter(page.get_by_label(label, exact=True), str(value))
    after = listed(page)
    explorer = backprop.Explorer(at="w8+")
    old = explorer.numbers()
    if name == "lr":
        explorer.lr = value
    else:
        explorer.net = {**explorer.net, name: value}
    new = explorer.numbers()
    compare(after, new)
    moved = {key for key in after if after[key] != before[key]}
    assert moved == {key for key in after if round(old[key], 9) != round(new[key], 9)}
    assert 0 < len(moved) < len(after)
    if name != "lr":
        place = "E_o1" if name == "t1" else name
        assert f"{name} {value:.2f}".replace("-", "−") in drawn(page)[place]


@needs_chromium
def test_steps_lower_the_error_and_reset_brings_everything_back(opened):
    page = opened({"at": "E"})
    first, picture, shown = panel(page), drawn(page), readout(page)
    page.get_by_role("button", name="1 step", exact=True).click()
    assert readout(page)["Descent steps"] == "1"
    assert float(readout(page)["Error E"]) < 0.298371109
    page.get_by_role("button", name="100 steps").click()
    numbers = backprop.Explorer(steps=101).numbers()
    seen = readout(page)
    assert seen["Descent steps"] == "101"
    assert float(seen["Error E"]) == pytest.approx(numbers["E"], abs=6e-10)
    assert float(seen["Error E"]) < 0.1
    points = page.locator(".dlx-curve .dlx-trace").get_attribute("points").split()
    heights = [float(point.split(",")[1]) for point in points]
    assert len(heights) == 102
    assert heights == sorted(heights), "further down each step"
    page.get_by_role("button", name="1000 steps").click()
    assert readout(page)["Descent steps"] == "1101"
    enter(page.get_by_label("w3"), "9")
    page.get_by_role("button", name="Reset").click()
    assert (panel(page), drawn(page), readout(page)) == (first, picture, shown)
    assert page.get_by_label("w3").input_value() == "0.25"


@needs_chromium
def test_edit_goes_on_from_the_numbers_shown(opened):
    page = opened({"at": "w8+", "steps": 50})
    enter(page.get_by_label("w1", exact=True), "1")
    net = {n: v for n, v in backprop.Explorer(steps=50).numbers().items() if n in NETWORKS[0]}
    compare(listed(page), backprop.Explorer({**net, "w1": 1.0}).numbers())
    assert readout(page)["Descent steps"] == "0"


@needs_chromium
def test_biases_are_moved_when_asked(opened):
    page = opened({"at": "w8+"})
    page.get_by_label("update the biases too").check()
    page.get_by_label("Operation").press("End")
    assert panel(page)[1] == "b2⁺ = b2 − η · ∂E/∂b2"
    compare(listed(page), backprop.Explorer(biases=True).numbers())
    page.get_by_label("update the biases too").uncheck()
    assert panel(page)[1] == "w8⁺ = w8 − η · ∂E/∂w8"
    assert "b1⁺ " in drawn(page)["b1"]


@needs_chromium
def test_controls_follow_an_event_before_the_next_one(opened):
    """A reader who ticks the box and presses End at once gets to the new end."""
    page = opened({"at": "w8+"})
    ends = page.evaluate(
        """async () => {
          const slider = document.querySelector(".dlx-walk input");
          const before = slider.max;
          document.querySelector(".dlx-check input").click();
          await null; // as between two events: what was queued runs, no frame is drawn
          return [before, slider.max];
        }"""
    )
    assert ends == [str(len(backprop.operations(biases))) for biases in (False, True)]


@needs_chromium
def test_bad_input_is_kept_marked_and_said(opened):
    page = opened({"at": "E"})
    field, note = page.get_by_label("t1", exact=True), page.locator(".dlx-message")
    before = listed(page)
    for bad in ("2", "", "-0.1"):
        enter(field, bad)
        assert listed(page) == before
        assert field.input_value() == bad
        assert field.get_attribute("aria-invalid") == "true"
        assert note.text_content().strip() == "t1 must be a number from 0 to 1."
    page.wait_for_function(
        "() => document.querySelector('[role=status]').textContent.includes('t1 must be')"
    )
    enter(page.get_by_label("w1", exact=True), "0.9")
    assert field.input_value() == "-0.1", "another edit leaves it"
    page.get_by_role("button", name="Reset").click()
    settle(page)
    assert (field.input_value(), note.text_content()) == ("0.01", "")
    enter(field, "1.5")
    enter(field, "0.25")
    assert listed(page)["E_o1"] == pytest.approx((0.25 - 0.7513650695) ** 2 / 2, abs=6e-10)
    assert (field.get_attribute("aria-invalid"), note.text_content()) == ("false", "")


@needs_chromium
@pytest.mark.parametrize("finish", ["Enter", "Tab"])
def test_half_typed_number_does_not_count(opened, finish):
    page = opened()
    field = page.get_by_label("w1", exact=True)
    field.press("Control+a")
    for key in "-0.1234567":
        page.keyboard.press(key)
        settle(page)
    assert field.input_value() == "-0.1234567"
    assert field.get_attribute("aria-invalid") == "false"
    assert drawn(page)["w1"] == "w1 0.15"
    page.keyboard.press(finish)
    assert drawn(page)["w1"] == "w1 −0.123457"


@needs_chromium
def test_escape_brings_the_number_back(opened):
    page = opened()
    field = page.get_by_label("w1", exact=True)
    enter(field, "5000")
    assert field.get_attribute("aria-invalid") == "true"
    field.fill("3")
    field.press("Escape")
    assert (field.input_value(), field.get_attribute("aria-invalid")) == ("0.15", "false")
    assert page.locator(".dlx-message").text_content() == ""
    field.press("Tab")
    assert drawn(page)["w1"] == "w1 0.15"


@needs_chromium
def test_sign_is_told_by_colour_and_dashes_and_text(opened):
    page = opened({"net": {**scratch.example(), "w5": -0.4}})
    style = "e => { const s = getComputedStyle(e); return [s.stroke, s.strokeDasharray]; }"
    negative = page.locator("[data-weight=w5]").evaluate(style)
    positive = page.locator("[data-weight=w6]").evaluate(style)
    assert negative[0] != positive[0]
    assert (negative[1] != "none", positive[1]) == (True, "none")
    assert drawn(page)["w5"] == "w5 −0.40"
    widths = page.locator("[data-weight]").evaluate_all(
        "all => all.map(e => Number(e.getAttribute('stroke-width')))"
    )
    assert widths[0] < widths[1] < widths[2] < widths[3]


@needs_chromium
def test_limit_of_steps_is_said(opened):
    page = opened({"steps": 9950})
    page.get_by_role("button", name="100 steps").click()
    assert readout(page)["Descent steps"] == "10000"
    assert float(readout(page)["Error E"]) == pytest.approx(3.5e-5, rel=0.01)
    assert "10 000 steps" in page.locator(".dlx-message").text_content()
    page.get_by_role("button", name="1 step", exact=True).click()
    assert readout(page)["Descent steps"] == "10000"


@needs_chromium
@pytest.mark.parametrize("width", [390, 1000])
def test_page_stays_put_while_stepping(opened, width):
    page = opened({"at": "", "steps": 100}, viewport={"width": width, "height": 900})
    heights = set()
    for _ in range(58):
        settle(page)
        heights.add(page.locator(".dlx-panel").bounding_box()["height"])
        page.get_by_role("button", name="Next").click()
    assert len(heights) == 1
