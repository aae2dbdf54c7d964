"""A chapter that ``make chapter`` begins runs, builds, and keeps the conventions."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import chapter, notebooks

ROOT = Path(__file__).parents[1]
BUILD = (
    f"{Path(sys.executable).parent}/jupyter-book",
    "build",
    ".",
    "-W",
    "-n",
    "--keep-going",
    "-q",
)


@pytest.fixture
def project(tmp_path):
    """Return a copy of what a chapter touches."""
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    shutil.copytree(ROOT / "src/dlnotes", tmp_path / "src/dlnotes")
    shutil.copytree(ROOT / "book", tmp_path / "book")
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    if (ROOT / "_build/figures").exists():  # drawn already: a minute less
        shutil.copytree(ROOT / "_build/figures", tmp_path / "_build/figures")
    names = (
        "_toc.yml",
        "_config.yml",
        "CHANGELOG.md",
        "CITATION.cff",
        "pyproject.toml",
        "Makefile",
    )
    for name in names:
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def run(project, *command):
    env = {**os.environ, "PYTHONPATH": str(project / "src")}
    return subprocess.run(
        [sys.executable, *command],
        cwd=project,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def files(project):
    return {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}


def test_a_begun_chapter_runs_builds_and_keeps_the_conventions(project):
    begun = run(project, "tools/chapter.py", "42_momentum_methods", "Rules: momentum")
    assert begun.returncode == 0, begun.stderr
    check = run(project, "tools/notebooks.py", "--check", "42_momentum_methods")
    assert check.returncode == 0, check.stderr
    build = run(project, *BUILD)
    assert build.returncode == 0, build.stderr
    page = (project / "_build/html/notebooks/42_momentum_methods.html").read_text("utf8")
    assert "No answer yet" in page
    assert "Right." in page
    first = (project / "_build/html/book/index.html").read_text("utf8")
    assert "Rules: momentum</a>. What it is about." in first.replace("</span>", "")
    before = files(project)
    again = run(project, "tools/chapter.py", "42_momentum_methods")
    assert again.returncode == 1
    assert "notebooks/42_momentum_methods.ipynb exists: choose another name" in again.stderr
    assert files(project) == before


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("optimizers", "'optimizers' is no name for a chapter: write it like 08_optimizers"),
        ("08_Optimizers", "is no name for a chapter"),
        ("../08_x", "is no name for a chapter"),
        ("01_optimizers", "notebooks/01_gradients.ipynb exists"),
        ("42_gradients", "src/dlnotes/exercises/gradients.py exists"),
    ],
)
def test_a_name_that_is_taken_or_none_writes_nothing(project, name, message):
    before = files(project)
    with pytest.raises(ValueError, match=message):
        chapter.begin(name, root=project)
    assert files(project) == before


def test_a_part_shares_the_number_of_its_chapter_and_comes_after_it(project):
    before = files(project)
    for name, message in (
        ("42_waves", "there is no chapter 42 that 42_waves could be a part of"),
        ("01_gradients", "notebooks/01_gradients.ipynb exists"),
        ("01_networks", "src/dlnotes/exercises/networks.py exists"),
    ):
        with pytest.raises(ValueError, match=message):
            chapter.begin(name, root=project, part=True)
    assert files(project) == before
    begun = run(project, "tools/chapter.py", "--part", "01_waves", "Waves")
    assert begun.returncode == 0, begun.stderr
    contents = (project / "_toc.yml").read_text("utf8")
    assert chapter.CONTENTS.findall(contents)[:3] == ["01", "01", "02"]
    assert contents.index("01_gradients") < contents.index("01_waves")
    first_page = (project / "book/index.md").read_text("utf8")
    assert chapter.FIRST_PAGE.findall(first_page)[:3] == ["01", "01", "02"]


@pytest.mark.parametrize(
    ("number", "order"), [(3, ["03", "05", "07"]), (6, ["05", "06", "07"]), (8, ["05", "07", "08"])]
)
def test_entries_are_in_the_order_of_the_chapters(number, order):
    entry = "      - file: notebooks/{0:02}_a\n        title: {0:02} · A: b\n"
    text = f"before\n{entry.format(5)}{entry.format(7)}after\n"
    result = chapter.insert(text, chapter.CONTENTS, number, entry.format(number))
    assert chapter.CONTENTS.findall(result) == order
    assert chapter.CONTENTS.sub("", result) == "before\nafter\n"


def test_the_set_up_cell_is_that_of_the_other_chapters():
    model = notebooks.read(sorted(notebooks.FOLDER.glob("*.ipynb"))[0])
    begun = chapter.first_cells(model, "Title", "topic")
    setups = [
        next(cell for cell in nb.cells if "setup" in notebooks.tags(cell))
        for nb in (notebooks.normalise(model), begun)
    ]
    assert setups[0].source == setups[1].source
    assert setups[0].metadata == setups[1].metadata
