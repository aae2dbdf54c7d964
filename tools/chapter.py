"""Begin a chapter: notebook, exercise module, its lines in the contents and on the first page.

What it makes runs, builds and keeps the conventions, so that writing starts from green.
A chapter may have a second notebook, a further part with the same number.

Usage: python tools/chapter.py [--part] NN_topic [TITLE]
"""

import re
import sys
from pathlib import Path

import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

sys.path.insert(0, str(Path(__file__).parents[1]))  # where this runs as a script

from tools import notebooks

ROOT = Path(__file__).parents[1]
CONTENTS = re.compile(r"      - file: notebooks/(\d\d)_\w+\n        title: .*\n")
FIRST_PAGE = re.compile(r"- \*\*(\d+)\*\* \[.*\n")
EXERCISES = '''\
"""The exercises of chapter {number}, {lower}."""

from dlnotes.exercises import Check

warm_up = Check(
    cases=[(3.0,), (-0.5,)],
    right=lambda x: 2 * x,
    mistakes={{"The sign is flipped.": lambda x: -2 * x}},
)
'''
TEXT = """\
# {title}

Which question does this chapter answer, and what will the reader be able to do at its end?
"""
EXERCISE = """\
## Exercises

Replace the `...` in each cell and run it. The last line checks your answer and says what is \
wrong with it, without giving the answer away. A solution is folded under each.

### 1. Warm-up

Write the derivative of $x^2$.
"""
STUB = '''\
def slope(x):
    """Return the derivative of x² at x."""
    ...


check.warm_up(slope)'''
SOLUTION = """\
# @title Solution
def slope(x):
    return 2 * x


check.warm_up(slope)"""


def begin(name: str, title: str = "", root: Path = ROOT, part: bool = False) -> list[str]:
    """Write the four files of a new chapter; return what its notebook breaks: nothing.

    With `part` it is a further part of a chapter that is there, and comes after it.

    Raises
    ------
    ValueError
        If the name is none for a chapter, or a file is taken; if the number is, unless it
        is a part's, whose number must be. Then nothing is written.
    """
    match = re.fullmatch(r"(\d\d)_([a-z][a-z0-9_]*)", name)
    if match is None:
        raise ValueError(f"{name!r} is no name for a chapter: write it like 08_optimizers")
    number, topic = match.groups()
    title = title or topic.replace("_", " ").capitalize()
    notebook = root / f"notebooks/{name}.ipynb"
    module = root / f"src/dlnotes/exercises/{topic}.py"
    there = sorted((root / "notebooks").glob("*.ipynb"))
    parts = [path for path in there if path.name.startswith(f"{number}_")]
    if part and not parts:
        raise ValueError(f"there is no chapter {number} that {name} could be a part of")
    if taken := [*([] if part else parts), *filter(Path.exists, (notebook, module))]:
        raise ValueError(f"{taken[0].relative_to(root)} exists: choose another name")
    contents, first_page = root / "_toc.yml", root / "book/index.md"
    numbered = f"{number} · {title}"
    quoted = yaml.safe_dump(numbered, allow_unicode=True, width=1000).split("\n")[0]
    entry = f"      - file: notebooks/{name}\n        title: {quoted}\n"
    line = f"- **{number}** [{title}](../notebooks/{name}.ipynb). What it is about.\n"
    texts = {
        contents: insert(contents.read_text("utf8"), CONTENTS, int(number), entry),
        first_page: insert(first_page.read_text("utf8"), FIRST_PAGE, int(number), line),
        module: EXERCISES.format(number=number, lower=title[0].lower() + title[1:]),
        notebook: notebooks.dumps(first_cells(notebooks.read(there[0]), title, topic)),
    }
    for path, text in texts.items():
        path.write_text(text, "utf8")
    return notebooks.run(notebook, check=False)


def insert(text: str, pattern: re.Pattern[str], number: int, entry: str) -> str:
    """Return the text with the entry of a chapter among those of the others, in order."""
    others = list(pattern.finditer(text))
    before = [other for other in others if int(other[1]) <= number]
    at = before[-1].end() if before else others[0].start()
    return text[:at] + entry + text[at:]


def first_cells(model: notebooks.Notebook, title: str, topic: str) -> notebooks.Notebook:
    """Return the notebook of a new chapter, with the set-up cell of another."""
    setup = next(cell for cell in model.cells if "setup" in notebooks.tags(cell))
    cells = [
        new_markdown_cell(TEXT.format(title=title), id="title"),
        new_markdown_cell(
            "The first cell prepares Google Colab and does nothing elsewhere.", id="about"
        ),
        new_code_cell(setup.source, id=setup.id, metadata={"tags": ["setup"]}),
        new_code_cell(f"from dlnotes.exercises import {topic} as check", id="imports"),
        new_markdown_cell(EXERCISE, id="warm-up"),
        new_code_cell(STUB, id="warm-up-stub", metadata={"tags": ["exercise"]}),
        new_code_cell(SOLUTION, id="warm-up-solution", metadata={"tags": ["solution"]}),
    ]
    return notebooks.normalise(new_notebook(cells=cells))


if __name__ == "__main__":
    given, heading = [*(word for word in sys.argv[1:] if word != "--part"), "", ""][:2]
    try:
        found = begin(given, heading, part="--part" in sys.argv)
    except ValueError as error:
        sys.exit(f"{error}\nUsage: make chapter NB=08_optimizers [TITLE='Optimizers'] [PART=yes]")
    sys.exit("\n".join(found) or 0)
