"""The strict comparison: every fault is planted in a small notebook and seen to fail."""

import base64
import io
import math
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import changed
import nbformat
import numpy as np
import pytest
import strict
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from tools import notebooks

ROOT = Path(__file__).parents[1]
WORDS = ("PASSED", "FAILED")
SETTINGS = ("pyproject.toml", "constraints.txt", "conftest.py")
TESTS = ("tests/strict.py", "tests/changed.py")
TOOLS = ("tools/notebooks.py", "tools/numbers_in_text.py")

SETUP = """\
import sys, warnings
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from ipywidgets import IntSlider, interact

class Explorer:
    def __init__(self, lr):
        self.lr = lr
    def _repr_mimebundle_(self, **kwargs):
        state = f'{{&quot;lr&quot;: {self.lr!r}, &quot;steps&quot;: 30}}'
        return {
            "text/plain": "Explorer()",
            "text/html": f'<div data-dlnotes-explorer="x" data-state="{state}">Needs a page</div>',
            "application/vnd.jupyter.widget-view+json": {"model_id": str(id(self))},
        }

x = np.linspace(0, 6, 200)
points = np.random.default_rng(0).uniform([0, -1], [6, 1], (20, 2))
"""
NUMBERS = "print(f'loss {0.1234:.4f} after {30} steps')"
FLOATS = "print(1 / 3, 2e-7 / 3, np.array([0.1, 1 / 3]))"
TABLE = "pd.DataFrame({'lr': [0.1, 0.01], 'loss': [2.123456789, 13.5]})"
FIGURE = """\
fig, ax = plt.subplots(figsize=(5, 3))
ax.plot(x, np.sin(x), color="C0", linewidth=1)
ax.plot(x, np.cos(x), color="C1", linewidth=1)
ax.scatter(*points.T, s=6, color="C2")
ax.scatter(*points.T / 2, s=6, color="C3")
ax.set(xlim=(0, 6), ylim=(-1.3, 1.3))
None
"""
DESCENT = """\
fig, ax = plt.subplots(figsize=(5, 3))
ax.plot(4 * (1 - 2 * 0.1) ** np.arange(20))
None
"""
EXPLORER = "Explorer(lr=0.1)"
INTERACT = """\
def draw(n):
    plt.figure(figsize=(4, 2))
    plt.plot(np.arange(n) ** 2)
    plt.show()
interact(draw, n=IntSlider(value=5));"""
RAISES = "[1, 2, 3][5]"


def source(old, new):
    """Plant a fault in the code, so that the stored outputs are those of other code."""

    def plant(cell):
        assert old in cell.source
        cell.source = cell.source.replace(old, new)

    return plant


def text(old, new, mime=None):
    """Plant a fault in the stored text."""

    def plant(cell):
        holder, key = (cell.outputs[0].data, mime) if mime else (cell.outputs[0], "text")
        assert old in holder[key]
        holder[key] = holder[key].replace(old, new)

    return plant


def tag(name):
    return lambda cell: cell.metadata.update(tags=[name])


def unrun(cell):
    cell.execution_count, cell.outputs = None, []


def never_shown(cell):
    cell.execution_count = None


def stored_stderr(cell):
    cell.outputs.append(nbformat.v4.new_output("stream", name="stderr", text="careful\n"))


def stored_error(cell):
    cell.metadata.tags = []


def drop_html(cell):
    del cell.outputs[0].data["text/html"]


def other_picture(cell):
    """Store random pixels of the right size."""
    size = strict.pixels(cell.outputs[0].data["image/png"]).shape
    store(cell, np.random.default_rng(0).integers(0, 255, size).astype(np.uint8))


def store(cell, pixels, **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png", **options)
    cell.outputs[0].data["image/png"] = base64.b64encode(buffer.getvalue()).decode()


PICTURE = "the picture changed"
FAULTS = {
    "unrun-cell": ("y = 1", unrun, "never run"),
    "unrun-cell-with-output": (NUMBERS, never_shown, "Unrun reference cell"),
    "changed-number": (
        NUMBERS,
        text("0.1234", "0.1235"),
        "output 1, text: line 1\\n  stored: 'loss 0.1235 after",
    ),
    "changed-integer": (NUMBERS, text("30", "31"), "stored: 'loss 0.1234 after 31"),
    "changed-word": (NUMBERS, text("loss", "cost"), "stored: 'cost"),
    "changed-number-in-table": (
        TABLE,
        text("2.123457", "2.123557", "text/html"),
        "text/html: line",
    ),
    "changed-code": (NUMBERS, source("0.1234", "0.2345"), "now: .*0.2345"),
    "another-curve": (FIGURE, source("np.sin(x)", "np.sin(x) ** 3"), PICTURE),
    "moved-curve": (FIGURE, source("np.sin(x)", "np.sin(x) + 0.003"), PICTURE),
    "missing-points": (FIGURE, source("ax.scatter(*points.T, ", "dict(a=0, "), PICTURE),
    "missing-point": (FIGURE, source("*points.T,", "*points[1:].T,"), PICTURE),
    "colour-of-a-curve": (FIGURE, source('"C0"', '"#1f77c4"'), PICTURE),
    "other-learning-rate": (DESCENT, source("0.1)", "0.101)"), PICTURE),
    "random-picture": (FIGURE, other_picture, PICTURE),
    "other-size": (FIGURE, source("(5, 3)", "(5, 3.1)"), r"stored picture has \d+ × \d+ pixels"),
    "missing-output": (NUMBERS, source("print", "str"), "missing output|now execute_result"),
    "missing-picture": (FIGURE, source("None", "plt.close()"), "missing output"),
    "extra-output": (NUMBERS, source("print", "print('more')\nprint"), "now: .*'more'"),
    "extra-result": (NUMBERS, source("steps')", "steps')\n42"), "extra output.*'42'"),
    "extra-picture": (FIGURE, source("None", "plt.figure(); None"), "missing output|extra output"),
    "extra-type": (TABLE, drop_html, r"now execute_result \(text/html, text/plain\)"),
    "stderr": (NUMBERS, source("print", "print('oh', file=sys.stderr)\nprint"), "on stderr: oh"),
    "warning": (NUMBERS, source("print", "warnings.warn('old')\nprint"), "stderr: .*old"),
    "stored-stderr": (NUMBERS, stored_stderr, "stderr: careful"),
    "exception": (NUMBERS, source("print", "1 / 0\nprint"), "caused an exception"),
    "stored-exception": (RAISES, stored_error, "caused an exception"),
    "other-exception": (RAISES, source("[5]", "['a']"), "TypeError"),
    "other-message": (RAISES, source("[1, 2, 3]", "(1, 2)"), "tuple index out of range"),
    "no-exception": (RAISES, source("[5]", "[1]"), "error .*IndexError"),
    "ignore-tag": (NUMBERS, tag("nbval-ignore-output"), "ignore-tag opts out"),
    "skip-tag": (NUMBERS, tag("nbval-skip"), "skip-tag opts out"),
    "ignore-comment": (NUMBERS, source("print", "# NBVAL_IGNORE_OUTPUT\nprint"), "opts out"),
    "raises-comment": (NUMBERS, source("print", "# NBVAL_RAISES_EXCEPTION\nprint"), "opts out"),
    "idle-raises-tag": (NUMBERS, tag("raises-exception"), "raised nothing"),
    "explorer-state": (EXPLORER, source("0.1", "0.11"), r"state\[0\].lr: stored 0.1, now 0.11"),
    "explorer-steps": (EXPLORER, text("30", "40", "text/html"), "changed explorer state"),
    "explorer-text": (EXPLORER, text("Needs", "Wants", "text/html"), "Wants a page"),
    "broken-callback": (INTERACT, source("n) **", "n + nonsense) **"), "nonsense. is not defined"),
    "other-callback": (INTERACT, source("** 2", "** 3"), PICTURE),
    "other-slider": (INTERACT, source("value=5", "value=6"), PICTURE),
    "widget-only": ("y = 1", source("y = 1", "IntSlider()"), "shows only a widget"),
}


def other_encoder(cell):
    """Store the same pixels, in another mode, packed badly, with metadata."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Software", "Another encoder, version 9")
    before = strict.pixels(cell.outputs[0].data["image/png"]).astype(np.uint8)
    assert (before[..., 3] == 255).all()
    store(cell, before, pnginfo=info, compress_level=0, dpi=(72, 72))


def anti_aliasing(cell):
    """Store pixels that are off by a level or two wherever something is drawn."""
    before = strict.pixels(cell.outputs[0].data["image/png"])
    drawn = before[..., :3].min(axis=2, keepdims=True) < 255
    noise = np.random.default_rng(1).integers(-2, 3, before.shape) * drawn
    noise[..., 3] = 0
    store(cell, np.clip(before + noise, 0, 255).astype(np.uint8))


def long_traceback(cell):
    cell.outputs[0].traceback = ["\x1b[31m----", "File /somewhere/else.py:3", "IndexError"]


def split_stream(cell):
    first, second = (cell.outputs[0].copy() for _ in range(2))
    first["text"], second["text"] = cell.outputs[0].text[:4], cell.outputs[0].text[4:]
    cell.outputs = [first, second]


NOISE = {
    "last-digits": (FLOATS, text("0.3333333333333333 6.666", "0.3333333333333337 6.666")),
    "float32-digits": (FLOATS, text("0.33333333]", "0.33333335]")),
    "shorter-float": ("print(0.1 + 0.2, 'end')", text("0.30000000000000004", "0.3")),
    "table-digits": (TABLE, text("2.123457", "2.123456", "text/html")),
    "other-encoder": (FIGURE, other_encoder),
    "anti-aliasing": (FIGURE, anti_aliasing),
    "float-noise-in-data": (FIGURE, source("np.sin(x)", "np.sin(x) * (1 + 1e-7)")),
    "explorer-digits": (EXPLORER, text("0.1,", "0.10000000000000002,", "text/html")),
    "interact": (INTERACT, lambda cell: None),
    "traceback": (RAISES, long_traceback),
    "stream-in-two": (NUMBERS, split_stream),
    "semicolon": ("1 + 1;", lambda cell: None),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return a folder with the real configuration and no notebook yet."""
    root = tmp_path_factory.mktemp("project")
    for name in (*SETTINGS, *TESTS, *TOOLS):
        (root / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    (root / "notebooks").mkdir()
    return root


@pytest.fixture(scope="module")
def verdicts(project):
    """Return what pytest says of each cell: {(notebook, cell id): failure or ''}."""
    sources = {"setup": SETUP} | {key: value[0] for key, value in (FAULTS | NOISE).items()}
    nb = nbformat.v4.new_notebook()
    for name, code in sources.items():
        nb.cells.append(nbformat.v4.new_code_cell(code, id=name))
        nb.cells[-1].metadata.tags = ["raises-exception"] if code == RAISES else []
    notebooks.execute(nb, project)
    nb = notebooks.normalise(nb)
    clean = project / "notebooks" / "clean.ipynb"
    clean.write_text(notebooks.dumps(nb))
    for cell in nb.cells[1:]:
        (FAULTS | NOISE)[cell.id][1](cell)
    clean.with_name("planted.ipynb").write_text(notebooks.dumps(nb))
    result = run_pytest(project, "--nbval", "notebooks", "--junitxml=result.xml", "--color=no")
    assert result.returncode == 1, result.stdout
    found = {}
    for case in ET.parse(project / "result.xml").iter("testcase"):
        name = re.fullmatch(r"Cell \d+ \((.+)\)", case.get("name"))[1]
        bad = [part for part in case if part.tag in ("failure", "error", "skipped")]
        failure = "".join(f"{part.get('message')}\n{part.text}" for part in bad)
        found["clean" if "clean" in case.get("classname") else "planted", name] = failure
    return found | {"summary": result.stdout, "clean file": clean}


def run_pytest(root, *arguments):
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=root,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_fault_fails_for_its_reason(verdicts, fault):
    assert verdicts["clean", fault] == ""
    assert re.search(FAULTS[fault][2], verdicts["planted", fault])


@pytest.mark.parametrize("noise", NOISE)
def test_noise_passes(verdicts, noise):
    assert verdicts["clean", noise] == ""
    assert verdicts["planted", noise] == ""


def test_noise_was_planted(verdicts):
    clean = notebooks.read(verdicts["clean file"])
    planted = notebooks.read(verdicts["clean file"].with_name("planted.ipynb"))
    nothing_to_plant = {"setup", "interact", "semicolon"}
    assert {a.id for a, b in zip(clean.cells, planted.cells, strict=True) if a == b} == (
        nothing_to_plant
    )


def test_changed_picture_is_saved_beside_the_stored_one(verdicts, project):
    """The last line of the failure says where; the three pictures are what they say."""
    last = verdicts["planted", "moved-curve"].rstrip().split("\n")[-1]
    path = re.fullmatch(r"stored \| new \| difference: (.+\.png)", last)[1]
    assert path == "_build/differences/planted/moved-curve-1.png"
    stored = notebooks.read(verdicts["clean file"]).cells
    stored = next(cell for cell in stored if cell.id == "moved-curve").outputs[0]
    old = strict.pixels(stored.data["image/png"])[..., :3]
    height, width, _ = old.shape
    with Image.open(project / path) as image:
        assert image.size == (3 * width + 2 * strict.RULE, height + strict.HEAD)
        sheet = np.asarray(image).astype(int)[strict.HEAD :]
    step = width + strict.RULE
    panels = [sheet[:, left : left + width] for left in (0, step, 2 * step)]
    assert (panels[0] == old).all()
    assert np.abs(panels[0] - panels[1]).max() > 32, "the new picture is the stored one"
    assert (panels[2] == np.clip(255 - 8 * np.abs(panels[0] - panels[1]), 0, 255)).all()


def test_only_changed_pictures_are_saved(verdicts, project):
    saved = {path.stem[:-2] for path in (project / "_build/differences").rglob("*.png")}
    # A callback that raises, or another number of pixels, is more than a changed picture.
    assert {name for name in FAULTS if FAULTS[name][2] == PICTURE} <= saved
    assert saved <= {name for name in FAULTS if FAULTS[name][0] in (FIGURE, DESCENT, INTERACT)}
    assert not (project / "_build/differences/clean").exists()


def test_summary_counts_cells_and_pictures(verdicts):
    cells = 2 * (1 + len(FAULTS) + len(NOISE))
    drawn = (FIGURE, DESCENT, INTERACT)
    pictures = 2 * sum(value[0] in drawn for value in (FAULTS | NOISE).values())
    assert f"{cells} cells compared, {pictures} pictures" in verdicts["summary"]
    assert "0 cells not compared" in verdicts["summary"]


# ---- the list of unchecked cells, and the ways pytest is started ------------------


@pytest.fixture
def single(project, tmp_path):
    """Return a project with one small notebook, whose stored number is wrong."""
    root = shutil.copytree(project, tmp_path / "p", ignore=shutil.ignore_patterns("*.ipynb"))
    cell = nbformat.v4.new_code_cell("print(0.5)", id="half", execution_count=1)
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text="0.6\n")]
    nb = nbformat.v4.new_notebook(cells=[cell], metadata=notebooks.METADATA)
    path = root / "notebooks" / "one.ipynb"
    nbformat.write(nb, path)
    return path


def edit(path, **changes):
    nb = notebooks.read(path)
    nb.cells[0].update(changes)
    path.write_text(notebooks.dumps(nb))


@pytest.mark.parametrize("arguments", [["--nbval", "notebooks/one.ipynb"], [], ["-n", "2"]])
def test_strict_however_started(single, arguments):
    result = run_pytest(single.parents[1], *arguments)
    assert result.returncode == 1
    assert "stored: '0.6'" in result.stdout
    assert "1 cells compared, 0 pictures" in result.stdout


def test_strict_from_inside_the_folder(single):
    assert "stored: '0.6'" in run_pytest(single.parent, "--nbval", ".").stdout


def test_lax_is_strict(single):
    assert "stored: '0.6'" in run_pytest(single.parents[1], "--nbval-lax", "notebooks").stdout


def test_without_the_strict_layer_pytest_does_not_start(single):
    (single.parents[1] / "conftest.py").unlink()
    result = run_pytest(single.parents[1], "--nbval", "notebooks")
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    assert "unchecked_cells" in result.stderr


def test_listed_cell_is_not_compared_and_its_reason_is_printed(single):
    edit(single, metadata={"tags": ["nbval-ignore-output"]})
    option = "unchecked_cells=one#half: shows the time"
    result = run_pytest(single.parents[1], "--nbval", "notebooks", "-o", option)
    assert result.returncode == 0, result.stdout
    assert "0 cells compared" in result.stdout
    assert "1 cells not compared\n  one#half: shows the time" in result.stdout


def test_listed_cell_may_not_write_to_stderr(single):
    edit(
        single,
        metadata={"tags": ["nbval-ignore-output"]},
        source="import sys\nprint('oh', file=sys.stderr)",
    )
    option = "unchecked_cells=one#half: shows the time"
    result = run_pytest(single.parents[1], "--nbval", "notebooks", "-o", option)
    assert result.returncode == 1
    assert "output on stderr: oh" in result.stdout


@pytest.mark.parametrize("entry", ["one#half: it is checked", "one#gone: no such cell"])
def test_stale_entry_fails(single, entry):
    result = run_pytest(single.parents[1], "--nbval", "notebooks", "-o", f"unchecked_cells={entry}")
    assert result.returncode != 0
    assert f"no cell asks for {entry.split(':')[0]}" in result.stdout


@pytest.mark.parametrize("entry", ["one#half", "one#half:", "one: reason"])
def test_entry_without_cell_or_reason_is_refused(single, entry):
    result = run_pytest(single.parents[1], "--nbval", "notebooks", "-o", f"unchecked_cells={entry}")
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    assert "is not NOTEBOOK#CELL-ID: reason" in result.stderr


# ---- numbers that a text declares -------------------------------------------------


def test_declared_numbers_are_evaluated_after_the_last_cell(single):
    """In the kernel, where the last cell's value of a variable counts."""
    numbers = {"0.5": "half", "0.6": "half", "0.7": "none", "50%": "half", "0.8": "print(1)"}
    nb = notebooks.read(single)
    nb.cells[0].update(source="half = 0.6", outputs=[])
    nb.cells.append(nbformat.v4.new_markdown_cell(str(numbers), id="text"))
    nb.cells[-1].metadata.dlnotes = {"numbers": numbers}
    nb.cells.append(nbformat.v4.new_code_cell("half = 0.5", id="last", execution_count=2))
    single.write_text(notebooks.dumps(nb))
    result = run_pytest(single.parents[1], "--nbval", "notebooks", "-rpf")
    passed, failed = (re.findall(rf"{word} .*Number (\S+)", result.stdout) for word in WORDS)
    assert (passed, failed) == (["0.5", "50%"], ["0.6", "0.7", "0.8"])
    assert "cell 2 (text: " in result.stdout
    assert "the text says 0.6, and its declaration gives 0.5" in result.stdout
    assert "0.7 cannot be computed: NameError: name 'none' is not defined" in result.stdout
    assert "0.8 cannot be computed: " in result.stdout


# ---- the report of what other versions change --------------------------------------


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_report_says_what_changed_and_does_not_fail(single, workers):
    nb = notebooks.read(single)
    nb.cells[0].update(source="half = 0.5\nprint(half)\nprint(half / 2)")
    nb.cells[0].outputs[0].text = "0.6\n0.25\n"
    nb.cells[0].metadata.dlnotes = {"numbers": {"0.7": "half"}}
    picture = "import matplotlib.pyplot as plt\nplt.plot([1, 2]);"
    nb.cells.append(nbformat.v4.new_code_cell(picture, id="line", execution_count=2))
    notebooks.execute(nb, single.parent)
    nb = notebooks.normalise(nb)
    nb.cells[0].outputs[0].text = "0.6\n0.25\n"
    nb.cells[1].source = picture.replace("[1, 2]", "[2, 1]")
    single.write_text(notebooks.dumps(nb))
    root = single.parents[1]
    result = run_pytest(root, "--nbval", "notebooks", "--changed", "out/report.md", *workers)
    assert result.returncode == 0, result.stdout
    assert "3 changed: out/report.md" in result.stdout
    report = (root / "out/report.md").read_text("utf8")
    assert "3 outputs differ from the stored ones, in 2 cells compared." in report
    assert "| one | 3 |" in report
    assert "line 1\n  stored: '0.6'\n  now:    '0.5'\n````" in report
    assert "the text says 0.7, and its declaration gives 0.5" in report
    assert "stored | new | difference: `_build/differences/one/line-1.png`" in report
    assert (root / "_build/differences/one/line-1.png").is_file()
    assert re.search(r"\| numpy \| [\d.]+ \| [\d.]+ \|", report)
    assert "failed" not in report


def test_report_still_fails_where_a_cell_raises(single):
    edit(single, source="import sys\nraise KeyError('moved')")
    root = single.parents[1]
    result = run_pytest(root, "--nbval", "notebooks", "--changed", "report.md")
    assert result.returncode == 1
    report = (root / "report.md").read_text("utf8")
    assert "- `notebooks/one.ipynb::Cell 0 (half)`: `` KeyError: 'moved' ``" in report
    assert "**1 failed**" in report


def test_report_names_what_failed_first_in_each_file():
    raised = "Cell 3\n\x1b[31mZeroDivisionError\x1b[0m: division\n"
    after = "Cell 4\nNameError: name 'x'\n"
    failed = [("a.ipynb::3", raised), ("a.ipynb::4", after), ("b.ipynb::1", "Cell 1\nno kernel\n")]
    lines = changed.report([], failed, 9).splitlines()
    assert [line for line in lines if line.startswith("- ")] == [
        "- `a.ipynb::3`: `` ZeroDivisionError: division ``",
        "- `b.ipynb::1`: `` no kernel ``",
    ]


def test_report_of_no_change_says_so(single):
    edit(single, source="print(0.6)")
    root = single.parents[1]
    assert run_pytest(root, "--nbval", "notebooks", "--changed", "report.md").returncode == 0
    report = (root / "report.md").read_text("utf8")
    assert "0 outputs differ from the stored ones, in 1 cells compared." in report
    assert "##" not in report


def test_report_marks_other_versions_and_cuts_long_lines(monkeypatch):
    monkeypatch.setattr(changed, "version", lambda name: "0.0.1" if name == "numpy" else "1")
    rows = dict(row.strip("| ").split(" | ", 1) for row in changed.versions())
    assert rows["numpy"].endswith(" | **0.0.1**")
    assert "torch" in rows
    entry = {"notebook": "a", "cell": "c", "code": "", "texts": ["x" * 5000], "pictures": []}
    assert len("\n".join(changed.described(entry))) < changed.MAX_LINE + 50


# ---- the pure functions ----------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "now"),
    [
        ("0.30000000000000004", "0.3"),
        ("loss 0.123456", "loss 0.123457"),
        ("[0.3        1.25]", "[0.30000001 1.25]"),
        ("lr=1.2345678e-05", "lr=1.2345679e-05"),
        ("tensor([0.12345678, 1.])", "tensor([0.12345679, 1.])"),
        ("-0.3333333333333333", "-0.33333333333333337"),
        ("1.00000000", "1.00000090"),
    ],
)
def test_same_line(old, now):
    assert strict.same_line(old, now)
    assert strict.same_line(now, old)


@pytest.mark.parametrize(
    ("old", "now"),
    [
        ("0.12", "0.13"),
        ("0.59326", "0.59327"),
        ("0.12", "0.120"),
        ("0.12", "0.1200000000"),
        ("0.123456", "0.123458"),
        ("1.0", "1"),
        ("1000000", "1000001"),
        ("1000000.", "1000001."),
        ("0.0", "-0.0"),
        ("1e-17", "-1e-17"),
        ("0.0", "1e-17"),
        ("nan", "0.0"),
        ("inf", "-inf"),
        ("inf", "1e999"),
        ("1e999", "2e999"),
        ("torch 2.13.0", "torch 2.13.1"),
        ("v1.23456789", "v1.23456780"),
        ("0x1.234567p3", "0x1.234568p3"),
        ("1.23456789e5", "1.23456789e6"),
        ("a  0.5", "a 0.5"),
        ("0.5 cm", "0.5 mm"),
        ("1.00000000", "1.00000150"),
    ],
)
def test_other_line(old, now):
    assert not strict.same_line(old, now)
    assert not strict.same_line(now, old)


def test_the_first_lines_that_differ_are_named_and_the_others_counted():
    old, now = "\n".join("abcdefgh"), "\n".join("aBCDEFGh")
    found = strict.text_difference(old, now)
    assert re.findall(r"^line (\d)$", found, re.MULTILINE) == list("23456")
    assert found.endswith("\nand 1 lines more")
    assert "more" not in strict.text_difference("a\nb", "a\nc")


def test_a_line_more_or_less_is_a_difference_and_named():
    for old, now in (("a\nb", "a"), ("a", "a\nb")):
        assert strict.text_difference(old, now).startswith("line 2\n")


@given(st.text())
def test_text_is_itself(text):
    assert strict.text_difference(text, text) == ""


@given(st.text("ab .-e0123456789\n"), st.text("ab .-e0123456789\n"))
def test_text_difference_is_symmetric(old, now):
    assert bool(strict.text_difference(old, now)) == bool(strict.text_difference(now, old))


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(-1e-7, 1e-7))
def test_repr_of_a_float_may_have_other_last_digits(value, noise):
    other = value * (1 + noise)
    long = all(len(re.sub(r"\D", "", repr(x).split("e")[0])) > 8 for x in (value, other))
    if long and "e" not in repr(value) + repr(other):
        assert strict.same_line(f"x = {value!r}.", f"x = {other!r}.") or repr(value) == "0.0"


@given(st.floats(1e-6, 1e6), st.integers(0, 5), st.integers(1, 1000))
def test_few_digits_must_be_the_same(value, decimals, units):
    other = value + units * 10.0**-decimals
    old, now = f"{value:.{decimals}f}", f"{other:.{decimals}f}"
    digits = len(re.sub(r"\D", "", now).lstrip("0"))
    if old != now and digits < strict.DIGITS:
        assert not strict.same_line(old, now)


@given(st.floats(1e-30, 1e30), st.floats(1.001, 1e6))
def test_a_thousandth_is_always_seen(value, factor):
    assert not strict.same_line(f"{value:.8e}", f"{value * factor:.8e}")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_json_is_itself(value):
    assert strict.json_difference(value, value) == ""


@given(JSON, JSON)
def test_json_difference_is_symmetric(old, now):
    assert bool(strict.json_difference(old, now)) == bool(strict.json_difference(now, old))


@pytest.mark.parametrize(
    ("old", "now"),
    [(1, 1.0), (1, True), (0.1, 0.1001), ([1], [1, 2]), ({"a": 1}, {"b": 1}), (0.0, math.nan)],
)
def test_json_difference(old, now):
    assert "stored" in strict.json_difference([old], [now], "state")


def test_json_difference_says_where():
    old, now = {"paths": [{"lr": 0.1}, {"lr": 0.2}]}, {"paths": [{"lr": 0.1}, {"lr": 0.3}]}
    assert strict.json_difference(old, now, "state") == "state.paths[1].lr: stored 0.2, now 0.3"


def paper(height=30, width=40):
    return np.full((height, width, 4), 255.0)


@pytest.mark.parametrize(("row", "column"), [(0, 0), (250, 131), (401, 602)])
def test_one_dark_pixel_is_seen_anywhere(row, column):
    marked = paper(402, 603)
    marked[row, column, :3] = 0
    text = strict.picture_difference(paper(402, 603), marked)
    assert "RMS 0.52 levels (at most 0.5), largest 4×4 block 15.9 (at most 4.0)" in text
    assert f"x={column // 4 * 4}, y={row // 4 * 4}" in text
    assert strict.picture_difference(marked, marked) == ""


def test_local_change_is_seen_where_the_mean_hides_it():
    marked = paper(600, 800)
    marked[300, 400, :3] = 155
    assert "RMS 0.14" in strict.picture_difference(paper(600, 800), marked)
    marked[300, 400, :3] = 200
    assert strict.picture_difference(paper(600, 800), marked) == ""


def test_many_small_differences_are_seen():
    assert "RMS 1.00" in strict.picture_difference(paper(), paper() - 1)
    assert strict.picture_difference(paper(), paper() - 0.4) == ""


def test_transparent_paper_is_not_white():
    """And what is painted under full transparency does not matter."""
    pictures = []
    for colour in [(255, 255, 255, 255), (255, 255, 255, 0), (0, 0, 0, 0)]:
        buffer = io.BytesIO()
        Image.new("RGBA", (8, 8), colour).save(buffer, "png")
        pictures.append(strict.pixels(base64.b64encode(buffer.getvalue()).decode()))
    white, clear, also_clear = pictures
    assert strict.picture_difference(white, clear)
    assert strict.picture_difference(clear, also_clear) == ""


def test_size_is_named():
    assert "40 × 30 pixels, now 41 × 30" in strict.picture_difference(paper(), paper(30, 41))
