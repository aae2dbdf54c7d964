"""Every chapter is normalised and keeps the conventions; so does what makes them."""

import base64
import io
import json
import os
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from tools import notebooks

PAGES = sorted(notebooks.FOLDER.glob("*.ipynb"))
CHAPTERS = [path for path in PAGES if not path.stem.startswith("myths_")]

# ---- the chapters ----------------------------------------------------------------


def test_there_are_chapters():
    assert CHAPTERS, "notebooks/ is empty: nothing was checked"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_chapter_is_normalised_and_keeps_the_conventions(path):
    assert re.fullmatch(r"\d\d_[a-z0-9_]+|myths_[a-z]+|troubleshooting", path.stem)
    assert notebooks.run(path, check=True) == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapter_has_outputs_and_exercises(path):
    cells = notebooks.code_cells(notebooks.read(path))
    assert any(cell.outputs for cell in cells)
    assert any("exercise" in notebooks.tags(cell) for cell in cells)


def test_the_set_up_cell_is_the_same_in_every_notebook():
    cells = [cell for path in PAGES for cell in notebooks.code_cells(notebooks.read(path))]
    setups = [cell for cell in cells if "setup" in notebooks.tags(cell)]
    assert len(setups) == len(PAGES)
    assert len({(cell.source, json.dumps(cell.metadata)) for cell in setups}) == 1


def test_every_notebook_is_in_the_contents_and_on_the_first_page():
    book = notebooks.FOLDER.parent
    contents = re.findall(r"notebooks/(\w+)$", (book / "_toc.yml").read_text("utf8"), re.MULTILINE)
    assert sorted(contents) == [path.stem for path in PAGES]
    first = re.findall(
        r"\(\.\./notebooks/(\w+)\.ipynb\)", (book / "book/index.md").read_text("utf8")
    )
    assert set(first) == set(contents)


def test_figure_names_are_unique_in_the_book():
    names = [
        notebooks.figure(cell)["name"]
        for path in PAGES
        for cell in notebooks.code_cells(notebooks.read(path))
        if notebooks.figure(cell)
    ]
    assert sorted(names) == sorted(set(names))


def test_unchecked_cells_exist(pytestconfig):
    there = {f"{path.stem}#{cell.id}" for path in PAGES for cell in notebooks.read(path).cells}
    listed = {line.partition(":")[0].strip() for line in pytestconfig.getini("unchecked_cells")}
    assert listed <= there


# ---- executing -------------------------------------------------------------------

ALT = "The sine of x rises to one, falls to minus one and returns to zero."
FIGURE = {"image": {"alt": ALT}, "figure": {"caption": "The sine.", "name": "fig-sine"}}
SETUP = """\
import matplotlib.pyplot as plt
import numpy as np
from ipywidgets import IntSlider, interact


class check:
    @staticmethod
    def one(answer):
        print("right" if answer == 1 else "not yet")

    @staticmethod
    def lab(**answers):
        print(answers)
"""
PLOT = """\
def draw(n):
    plt.plot(np.sin(np.arange(n)))
    plt.show()
"""


def tag(name):
    return {"tags": [name]}


def chapter():
    """Return a notebook that keeps every convention, not executed."""
    code, markdown = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    figure = {**FIGURE, "figure": {"caption": "More or less of it.", "name": "fig-interact"}}
    steps = "check.lab(a=1)\ncheck.lab(\n    b=2,\n    c=3,\n)"
    cells = [
        markdown("# Waves\n\nWhat is $\\sin x$?", id="title"),
        code(SETUP, id="setup", metadata=tag("setup")),
        code(PLOT + "draw(30)", id="sine", metadata={"mystnb": FIGURE}),
        code("interact(draw, n=IntSlider(value=9));", id="drag", metadata={"mystnb": figure}),
        code("print('a', flush=True)\nprint('b')\nobject", id="prints"),
        code("answer = None\ncheck.one(answer)", id="stub", metadata=tag("exercise")),
        code(
            "# @title Solution\nanswer = 1\ncheck.one(answer)",
            id="solution",
            metadata=tag("solution"),
        ),
        code(steps, id="lab", metadata=tag("exercise")),
        code(f"# @title Solution\n{steps}", id="lab-solution", metadata=tag("solution")),
        markdown("<details><summary>Answer</summary>\n\nYes.\n\n</details>", id="thought"),
    ]
    return nbformat.v4.new_notebook(cells=cells)


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """Return the path of the chapter above, executed and normalised."""
    path = tmp_path_factory.mktemp("book") / "99_waves.ipynb"
    path.write_text(notebooks.dumps(chapter()))
    assert notebooks.run(path, check=False) == []
    return path


@pytest.fixture
def nb(executed):
    return notebooks.read(executed)


def cell_of(nb, name):
    return next(cell for cell in nb.cells if cell.id == name)


def test_twice_in_a_row_is_byte_identical(executed, capsys):
    before = executed.read_bytes()
    assert notebooks.main(["99_waves"], executed.parent) == 0
    assert executed.read_bytes() == before
    assert re.search(r"99_waves\.ipynb: 8 cells, \d+\.\d s, 0\.\d\d MB", capsys.readouterr().out)
    assert notebooks.main(["--check"], executed.parent) == 0
    assert [path.name for path in executed.parent.iterdir()] == ["99_waves.ipynb"]


def test_what_is_stored(nb):
    assert [cell.execution_count for cell in notebooks.code_cells(nb)] == [*range(1, 9)]
    assert [cell.id for cell in nb.cells] == [cell.id for cell in chapter().cells]
    assert cell_of(nb, "prints").outputs[0].text == "a\nb\n"
    assert cell_of(nb, "stub").outputs[0].text == "not yet\n"
    assert cell_of(nb, "solution").outputs[0].text == "right\n"
    text = notebooks.dumps(nb)
    assert "widget-view" not in text
    assert "iopub" not in text


def test_interact_stores_its_first_picture(nb):
    (output,) = cell_of(nb, "drag").outputs
    assert "image/png" in output.data


def test_failing_cell_leaves_the_file_and_is_named(nb, tmp_path, capsys):
    path = tmp_path / "99_waves.ipynb"
    cell_of(nb, "prints").source = "1 / 0"
    path.write_text(notebooks.dumps(nb))
    before = path.read_bytes()
    assert notebooks.main([], tmp_path) == 1
    error = capsys.readouterr().err
    assert "cell 5 (prints: '1 / 0')" in error
    assert "ZeroDivisionError" in error
    assert "untouched" in error
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["99_waves.ipynb"]


def test_failing_callback_is_a_failure(nb, tmp_path, capsys):
    path = tmp_path / "99_waves.ipynb"
    cell_of(nb, "drag").source = "interact(lambda n: nonsense, n=(1, 5));"
    path.write_text(notebooks.dumps(nb))
    before = path.read_bytes()
    assert notebooks.main([], tmp_path) == 1
    assert re.search(r"cell 4 \(drag: .*a callback failed", capsys.readouterr().err)
    assert path.read_bytes() == before


def test_a_widget_alone_is_refused(nb, tmp_path):
    path = tmp_path / "99_waves.ipynb"
    cell_of(nb, "prints").source = "IntSlider()"
    path.write_text(notebooks.dumps(nb))
    (problem,) = notebooks.run(path, check=False)
    assert "cell 5 (prints: 'IntSlider()'): shows only a widget" in problem


def test_declared_numbers_are_evaluated(nb, tmp_path):
    path = tmp_path / "99_waves.ipynb"
    nb.cells[0].source += " It is $0.91$ at 2."
    numbers = (
        nb.cells[0].metadata.setdefault("dlnotes", nbformat.from_dict({"numbers": {}})).numbers
    )
    numbers["0.91"] = "np.sin(2)"
    path.write_text(notebooks.dumps(nb))
    assert notebooks.run(path, check=False) == []
    assert notebooks.run(path, check=True) == []
    numbers["0.91"] = "np.cos(2)"
    path.write_text(notebooks.dumps(nb))
    (problem,) = notebooks.run(path, check=False)
    assert (
        "cell 1 (title: '# Waves'): the text says 0.91, and its declaration gives -0.4" in problem
    )


def test_slow_chapter_is_reported(nb, tmp_path, monkeypatch):
    path = tmp_path / "99_waves.ipynb"
    path.write_text(notebooks.dumps(nb))
    monkeypatch.setattr(notebooks, "MAX_SECONDS", 0.1)
    (problem,) = notebooks.run(path, check=False)
    assert re.search(r"took \d+ s, over 0: make the experiments smaller", problem)


def test_file_that_is_no_notebook_is_left_alone(tmp_path, capsys):
    path = tmp_path / "01_broken.ipynb"
    path.write_text("{ not JSON")
    assert notebooks.main([], tmp_path) == 1
    assert "01_broken.ipynb: " in capsys.readouterr().err
    assert path.read_text() == "{ not JSON"


@pytest.mark.parametrize(
    ("names", "message"), [(["02_no"], "no notebook 02_no: there is 01_a"), ([], "")]
)
def test_unknown_name(tmp_path, names, message, capsys):
    if names:
        (tmp_path / "01_a.ipynb").touch()
    with pytest.raises(SystemExit):
        notebooks.main(names, tmp_path)
    assert (message or "no notebook in ") in capsys.readouterr().err


# ---- normalising -----------------------------------------------------------------


def test_normalising_is_idempotent_and_leaves_the_original(nb):
    before = json.dumps(nb)
    once = notebooks.normalise(nb)
    assert notebooks.dumps(notebooks.normalise(once)) == notebooks.dumps(once)
    assert json.dumps(nb) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda nb: nb.metadata.update(widgets={"state": {}}),
        lambda nb: nb.metadata.language_info.update(version="3.11.7"),
        lambda nb: nb.metadata.kernelspec.update(display_name="my env"),
        lambda nb: nb.cells[1].metadata.update(execution={"iopub.status.busy": "2026"}),
        lambda nb: nb.cells[1].metadata.update(id="AbC", outputId="x", colab={"height": 3}),
        lambda nb: nb.cells[4].outputs[-1].update(execution_count=77),
        lambda nb: nb.cells[4].outputs[-1].data.update({notebooks.WIDGET: {"model_id": "a"}}),
        lambda nb: nb.cells[4].outputs.insert(
            1, nbformat.v4.new_output("stream", name="stdout", text="")
        ),
        lambda nb: nb.cells[1].update(source=nb.cells[1].source + "\n\n"),
    ],
)
def test_noise_is_taken_out(nb, change):
    clean = notebooks.dumps(nb)
    if "html" not in (data := nb.cells[4].outputs[-1].data):
        data["text/html"] = "<b>object</b>"
        clean = notebooks.dumps(nb)
    change(nb)
    assert notebooks.dumps(nb) != clean
    assert notebooks.dumps(notebooks.normalise(nb)) == clean


# ---- what each editor writes into a file when it saves it ----------------------------


def jupyterlab(nb):
    """JupyterLab 4: settings of the cells that were looked at, times, what was folded."""
    nb.metadata.kernelspec.update(display_name="Python 3 (ipykernel)")
    nb.metadata.language_info.update(version="3.12.4", codemirror_mode={"name": "ipython"})
    nb.metadata.update(
        toc={"base_numbering": 1},
        widgets={"application/vnd.jupyter.widget-state+json": {"state": {"ab": {}}}},
    )
    for number, cell in enumerate(nb.cells):
        cell.metadata.update(editable=True, slideshow={"slide_type": ""}, trusted=True)
        cell.metadata.setdefault("tags", [])
        if cell.cell_type == "code":
            cell.execution_count = number + 40
            cell.metadata.execution = {"iopub.status.busy": "2026-11-21T23:16:36.1Z"}
            cell.metadata.update(collapsed=False, scrolled=True)
            cell.metadata.jupyter = {"source_hidden": False, "outputs_hidden": True}
        else:
            cell.metadata["jp-MarkdownHeadingCollapsed"] = True
    return json.dumps(nb, indent=1, ensure_ascii=False) + "\n"


def colab(nb):
    """Colab: its settings, a badge, sizes of outputs; in a file that it made, no cell ids."""
    nb.nbformat_minor = 0
    nb.metadata = {
        "colab": {"provenance": [], "toc_visible": True, "gpuType": "T4"},
        "accelerator": "GPU",
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "language_info": {"name": "python"},
    }
    for cell in nb.cells:
        cell.metadata.update(id=cell.pop("id"), colab_type="text")
        cell.source = cell.source.splitlines(keepends=True)
        if cell.cell_type == "code":
            cell.execution_count = None
            cell.metadata.update(colab_type="code", outputId="19fe063e-d6eb")
            cell.metadata.colab = {"base_uri": "https://localhost:8080/", "height": 35}
    badge = '<a href="https://colab.research.google.com/…" target="_parent"><img src="…"></a>'
    head = {"cell_type": "markdown", "source": [badge]}
    head["metadata"] = {"id": "view-in-github", "colab_type": "text"}
    nb.cells.insert(0, nbformat.from_dict(head))
    order = ("nbformat", "nbformat_minor", "metadata", "cells")
    return json.dumps({key: nb[key] for key in order}, indent=2)  # no line end, all in ASCII


def vscode(nb):
    """VS Code: the kernel that was chosen, an interpreter's hash, Windows' line ends."""
    nb.metadata.kernelspec.update(display_name=".venv (3.11.9)")
    nb.metadata.language_info.update(
        version="3.11.9",
        file_extension=".py",
        mimetype="text/x-python",
        nbconvert_exporter="python",
    )
    nb.metadata.update(orig_nbformat=4, vscode={"interpreter": {"hash": "31f2aee4e71d21fbe5cf"}})
    for cell in nb.cells:
        cell.source = (cell.source + "\n").replace("\n", "\r\n")
        if cell.cell_type == "code":
            cell.metadata.vscode = {"languageId": "python"}
    return json.dumps(nb, indent=4, ensure_ascii=False).replace("\n", "\r\n")


EDITORS = [jupyterlab, colab, vscode]


@pytest.mark.parametrize("save", EDITORS)
def test_a_save_and_make_notebooks_change_what_was_edited_and_nothing_else(
    executed, tmp_path, save
):
    """In the bytes: the source of the cell, its outputs, and those that follow from them."""
    nb = notebooks.read(executed)
    cell_of(nb, "prints").source = "print('ä', flush=True)\nprint('b')\nobject"
    nb.cells.append(nbformat.v4.new_markdown_cell("![dot](attachment:dot.png)", id="dot"))
    nb.cells[-1].attachments = {"dot.png": {"image/png": png(np.zeros((2, 2, 3), np.uint8))}}
    expected = nbformat.from_dict(json.loads(json.dumps(nb)))
    cell_of(expected, "prints").outputs[0].text = "ä\nb\n"
    path = tmp_path / executed.name
    path.write_bytes(save(nb).encode())
    assert path.read_text("utf8") != notebooks.dumps(expected)
    assert notebooks.main([], tmp_path) == 0
    assert path.read_bytes() == notebooks.dumps(expected).encode()


@pytest.mark.parametrize("save", EDITORS)
def test_every_page_comes_back_from_every_editor(save):
    """Without being executed; Colab has none of the outputs' counts, which are made anew."""
    for path in PAGES:
        nb = notebooks.read(path)
        counts = [cell.execution_count for cell in notebooks.code_cells(nb)]
        saved = nbformat.v4.reads(save(nb).replace("\r\n", "\n"))
        for cell, count in zip(notebooks.code_cells(saved), counts, strict=True):
            cell.execution_count = count
        assert notebooks.dumps(notebooks.normalise(saved)) == path.read_text("utf8")


FOLDED = {"cellView": "form", "jupyter": {"source_hidden": True}}


@pytest.mark.parametrize(
    ("tags", "metadata"),
    [
        (["setup"], {"tags": ["setup", "hide-cell"], **FOLDED}),
        (["hide-cell", "solution"], {"tags": ["hide-cell", "solution"], **FOLDED}),
        (["hide-input"], {"tags": ["hide-input"], "jupyter": FOLDED["jupyter"]}),
        (["exercise"], {"tags": ["exercise"]}),
    ],
)
def test_cells_are_folded_as_their_tags_ask_for(nb, tags, metadata):
    """In the book, in JupyterLab and in Colab; and opened where nothing asks for it."""
    cell = cell_of(nb, "prints")
    for before in ({}, FOLDED, {"jupyter": {"outputs_hidden": True}, "cellView": "code"}):
        cell.metadata = nbformat.from_dict({"tags": tags, **before})
        assert cell_of(notebooks.normalise(nb), "prints").metadata == metadata


def test_hard_line_breaks_are_kept(nb):
    nb.cells[0].source = "# T\n\nfirst  \nsecond"
    assert notebooks.normalise(nb).cells[0].source == nb.cells[0].source


def test_not_normalised_is_reported(nb, tmp_path):
    path = tmp_path / "99_waves.ipynb"
    nb.metadata.widgets = {}
    path.write_text(notebooks.dumps(nb))
    assert notebooks.run(path, check=True) == ["not normalised: run make notebooks"]


def test_ids_are_kept_or_made_from_the_text(nb):
    nb.cells[2].id = nb.cells[1].id
    nb.cells[3].pop("id")
    nb.cells[4].id = "not valid!"
    ids = [cell.id for cell in notebooks.normalise(nb).cells]
    assert ids == [
        *("title", "setup", "code-def-draw-n-plt-plot-1", "code-interact-draw-n-intslider-value-1"),
        *("code-print-a-flush-true-print-1", "stub", "solution", "lab", "lab-solution", "thought"),
    ]
    assert ids == [cell.id for cell in notebooks.normalise(nb).cells]


def png(pixels, **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png", **options)
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.mark.parametrize("colours", [1, 2, 200, 256, 257, 5000])
@pytest.mark.parametrize("channels", [3, 4])
def test_png_loses_metadata_and_no_pixel(colours, channels):
    rng = np.random.default_rng(colours)
    palette = rng.integers(0, 256, (colours, channels), dtype=np.uint8)
    for alpha in (None, 255):
        if alpha and channels == 4:
            palette[:, 3] = alpha
        pixels = palette[rng.integers(0, colours, (60, 80))]
        info = PngImagePlugin.PngInfo()
        info.add_text("Software", "Matplotlib version")
        before = png(pixels, pnginfo=info, dpi=(100, 100))
        after = notebooks.clean_png(before)
        image = Image.open(io.BytesIO(base64.b64decode(after)))
        mode = "RGB" if channels == 3 else "RGBA"
        assert (np.asarray(image.convert(mode)) == pixels).all()
        assert notebooks.chunks(base64.b64decode(after)) <= {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
        assert len(after) < len(before)
        assert notebooks.clean_png(after) == after


# ---- conventions: each broken once -----------------------------------------------


def meta(name, **changes):
    return lambda nb: cell_of(nb, name).metadata.update(changes)


def code(name, text, **others):
    def plant(nb):
        for cell, source in {name: text, **others}.items():
            cell_of(nb, cell).update(source=source)

    return plant


def figure(**changes):
    """Break the figure metadata of the cell "sine"."""
    alt = {"alt": changes.pop("alt", ALT)}
    return meta("sine", mystnb={"image": alt, "figure": {**FIGURE["figure"], **changes}})


def stream(name, text):
    output = nbformat.v4.new_output("stream", name=name, text=text)
    return lambda nb: cell_of(nb, "prints").outputs.append(output)


def title(text):
    return lambda nb: nb.cells[0].update(source=text)


BROKEN = {
    "title": (title("Waves"), "the first cell must be Markdown"),
    "no-setup": (meta("setup", tags=[]), "the first code cell, and only that"),
    "two-setups": (meta("prints", tags=["setup"]), "the first code cell, and only that"),
    "order": (lambda nb: cell_of(nb, "sine").update(execution_count=7), "sine: .*not run in order"),
    "unrun": (lambda nb: cell_of(nb, "sine").update(execution_count=None), "not run in order"),
    "empty": (code("prints", " "), "prints: .*empty code cell"),
    "unknown-tag": (meta("prints", tags=["hide_cell"]), "unknown tag 'hide_cell'"),
    "role": (title("# T\n\n{math}`x`"), "MyST syntax '{math}`'"),
    "directive": (title("# T\n\n```{note}\nx\n```"), "MyST syntax '```{'"),
    "colon-fence": (title("# T\n\n:::{note}\nx\n:::"), "MyST syntax ':::'"),
    "target": (title("# T\n\n(label)=\n"), r"MyST syntax '\(label\)='"),
    "image-without-alt": (title("# T\n\n![](a.png)"), "an image without alt text"),
    "stderr": (stream("stderr", "old\n"), "writes to stderr, remove the cause: old"),
    "address": (stream("stdout", "<object at 0x7f001122>"), "prints a memory address"),
    "path": (stream("stdout", "in /home/me/x.py"), "prints a path"),
    "svg": (
        lambda nb: cell_of(nb, "sine").outputs[0].data.update({"image/svg+xml": "<svg/>"}),
        "an SVG output carries a date",
    ),
    "error": (
        lambda nb: cell_of(nb, "prints").outputs.append(
            nbformat.v4.new_output("error", ename="KeyError", evalue="a", traceback=[])
        ),
        "raised KeyError",
    ),
    "no-alt": (figure(alt=""), "image.alt must say in words"),
    "path-as-alt": (figure(alt="a b c d ../_images/abc.png"), "image.alt must say in words"),
    "no-caption": (figure(caption=" "), "figure.caption is missing"),
    "name": (figure(name="sine"), "figure.name must look like"),
    "same-name": (figure(name="fig-interact"), "the figure name 'fig-interact' is used twice"),
    "no-picture": (meta("prints", mystnb=FIGURE), "shows no picture"),
    "two-pictures": (
        lambda nb: cell_of(nb, "sine").outputs.append(cell_of(nb, "sine").outputs[0]),
        "shows 2 pictures",
    ),
    "stub-without-check": (code("stub", "check.one(1)\nanswer = None"), "last line of a stub"),
    "stub-without-solution": (code("stub", "check.two(1)"), "no solution cell .* checks two"),
    "step-without-solution": (code("lab", "check.lab(a=1, b=2, d=3)"), "no solution .* lab.d"),
    "step-without-stub": (code("lab", "check.lab(a=1)"), r"no stub \(tag exercise\) checks lab.b"),
    "solution-without-stub": (meta("stub", tags=[]), "no stub"),
    "solution-first": (lambda nb: nb.cells.insert(1, nb.cells.pop(6)), "no solution cell after it"),
    "solution-without-check": (code("solution", "# @title Solution"), "must call check"),
    "solution-title": (code("solution", "check.one(1)"), "first line of a solution"),
    "hidden-name": (
        code("lab", "check.lab(a=helper, b=2, c=3)", solution="# @title Solution\nhelper = 1"),
        "lab.*'helper' is made in a solution only",
    ),
    "details": (title("# T\n<details><summary>A</summary>\nb\n\n</details>"), "an empty line"),
    "details-end": (title("# T\n<details><summary>A</summary>\n\nb\n</details>"), "an empty line"),
    "lost-link": (title("# T\n\n[a](#B-c)"), "title: .*no heading #B-c"),
    "link-without-anchor": (title("# B c\n\n[a](#B-c)"), 'put <a name="B-c"></a> below'),
    "number": (title("# T\n\nIt is $0.91$."), "title: .*the text says 0.91, which no code cell"),
    "size": (stream("stdout", "long " * 400_000), "MB, over 2"),
}


def test_a_good_chapter_has_no_problem(nb):
    assert list(notebooks.problems(nb)) == []


@pytest.mark.parametrize("name", BROKEN)
def test_broken_convention_is_reported(nb, name):
    plant, message = BROKEN[name]
    plant(nb)
    assert any(re.search(message, problem) for problem in notebooks.problems(nb))


@pytest.mark.parametrize(
    "text",
    [
        '[b](#T)\n\n<a name="T"></a>',
        "A set $\\{x\\}$ and `a`.",
        "`{x}` and code: `{`",
        "> **Key idea.** (see below)",
        "a ::: b",
    ],
)
def test_plain_markdown_is_no_myst(nb, text):
    title(f"# T\n\n{text}")(nb)
    assert list(notebooks.problems(nb)) == []


def test_make_notebooks_runs_this_tool():
    makefile = (Path(notebooks.FOLDER).parent / "Makefile").read_text()
    assert "tools/notebooks.py $(NB)" in makefile
