"""Every statement that the course answers for is settled by a cell that exists.

``statements.csv`` has one row for each statement of the collection that the course was
planned from, in its order: its id there, its topic, our verdict, and where it is settled,
NOTEBOOK#CELL. Only the ids are kept here, and the file lies beside its test because no
reader needs it. What is wrong or misleading gets an entry on a page of myths, named by its
cell of code; what is open there is named by the reading, which says what is known.
"""

import csv
import json
import re
from collections import Counter
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
# Fixed by the collection: a chapter that settles statements changes none of these.
STATEMENTS = {
    "activations": 137,
    "autograd": 19,
    "backprop": 23,
    "capstone": 21,
    "gradients": 79,
    "initialisation": 78,
    "losses": 82,
    "networks": 82,
    "optimizers": 61,
    "regularisation": 26,
    "schedulers": 12,
    "tensors": 9,
}
MYTHS = {"wrong": "**Wrong.**", "misleading": "**Misleading.**"}
# What a paragraph of a myth's reading begins with. Open: the course does not settle it.
OPENINGS = {**MYTHS, "open": "**Open.**"}
VERDICTS = {"holds", *OPENINGS}
# Entries about what is often said, though not in the collection: they answer no row.
FURTHER = {
    *(f"myths_schedules#{name}" for name in ("settles", "drop", "greedy", "range", "adam")),
    *(f"myths_regularisation#{name}" for name in ("shrinks", "zeros", "estimate", "mode")),
}

with (Path(__file__).parent / "statements.csv").open(encoding="utf8", newline="") as file:
    ROWS = list(csv.DictReader(file))


def cells(notebook):
    nb = json.loads((NOTEBOOKS / f"{notebook}.ipynb").read_text("utf8"))
    return {cell["id"]: cell for cell in nb["cells"]}


PAGES = sorted(path.stem for path in NOTEBOOKS.glob("myths_*.ipynb"))
ENTRIES = sorted(
    {
        f"{page}#{name.rpartition('-')[0]}"
        for page in PAGES
        for name in cells(page)
        if name.endswith(("-code", "-reading"))
    }
)


def test_every_statement_is_mapped_once():
    assert Counter(row["topic"] for row in ROWS) == STATEMENTS
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    assert {row["verdict"] for row in ROWS} <= VERDICTS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_a_statement_is_settled_by_a_cell_that_shows_something(row):
    notebook, _, name = row["where"].partition("#")
    cell = cells(notebook)[name]
    # Figures from the literature, and what is left open, are in the text.
    assert cell["cell_type"] == "markdown" or cell["outputs"]
    assert cell["cell_type"] == "code" or name.endswith("-reading")
    assert cell["cell_type"] == "markdown" or row["verdict"] != "open"
    assert row["verdict"] not in MYTHS or notebook in PAGES


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_myth_entry_gives_the_verdicts_of_the_statements_that_it_answers(entry):
    """It is a quoted claim, a cell, and a reading with one paragraph for each verdict."""
    page, _, name = entry.partition("#")
    names = list(cells(page))
    at = names.index(name)
    assert names[at + 1 : at + 3] == [f"{name}-code", f"{name}-reading"]
    claim, code, reading = (cells(page)[part] for part in names[at : at + 3])
    assert re.search(r"^### “[^”]+”\n", "".join(claim["source"]), re.MULTILINE)
    assert code["outputs"]
    paragraphs = "".join(reading["source"]).split("\n\n")
    given = [key for text in paragraphs for key in OPENINGS if text.startswith(OPENINGS[key])]
    assert paragraphs[0].startswith(tuple(OPENINGS.values()))
    where = {f"{entry}-code", f"{entry}-reading"}
    answers = {row["verdict"] for row in ROWS if row["where"] in where} & set(OPENINGS)
    if entry in FURTHER:
        assert not answers, f"{entry} answers statements now: take it out of FURTHER"
        assert len(given) == len(set(given))
    else:
        assert sorted(given) == sorted(answers)


def test_further_entries_are_there():
    assert set(ENTRIES) >= FURTHER
