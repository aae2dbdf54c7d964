"""Every statement that the course answers for is settled by a cell that exists.

``statements.csv`` has one row for each statement of the collection that the course was
planned from: its id there, its topic, our verdict, and where it is settled, NOTEBOOK#CELL,
or ``chapter NN`` until that chapter is written. Only the ids are kept here, and the file
lies beside its test because no reader needs it. A chapter that joins the course takes over
the rows that wait for it; a new topic adds its rows, and its number of statements below.
"""

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
STATEMENTS = {"autograd": 19, "backprop": 23, "gradients": 77}
MYTHS = {"wrong": "**Wrong.**", "misleading": "**Misleading.**"}
# "open": the course says that it does not settle it.
VERDICTS = {"holds", "open", *MYTHS}

with (Path(__file__).parent / "statements.csv").open(encoding="utf8", newline="") as file:
    ROWS = list(csv.DictReader(file))
SETTLED = [row for row in ROWS if "#" in row["where"]]


def cells(notebook):
    nb = json.loads((NOTEBOOKS / f"{notebook}.ipynb").read_text("utf8"))
    return {cell["id"]: cell for cell in nb["cells"]}


def ids(row):
    return row["id"]


def test_every_statement_is_mapped_once():
    assert Counter(row["topic"] for row in ROWS) == STATEMENTS
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    assert {row["verdict"] for row in ROWS} <= VERDICTS


@pytest.mark.parametrize("row", SETTLED, ids=ids)
def test_a_statement_is_settled_by_a_cell_that_shows_something(row):
    notebook, _, name = row["where"].partition("#")
    cell = cells(notebook)[name]
    # Figures from the literature, and what is left open, are in the text.
    assert cell["cell_type"] == "markdown" or cell["outputs"]
    assert cell["cell_type"] == "code" or name.endswith("-reading")
    assert cell["cell_type"] == "markdown" or row["verdict"] != "open"


@pytest.mark.parametrize("row", [row for row in ROWS if row not in SETTLED], ids=ids)
def test_a_statement_waits_only_for_a_chapter_that_is_not_there(row):
    word, number = row["where"].split()
    assert word == "chapter"
    assert not list(NOTEBOOKS.glob(f"{number}_*.ipynb")), "the chapter is there: name the cell"


@pytest.mark.parametrize("row", [row for row in ROWS if row["verdict"] in MYTHS], ids=ids)
def test_what_is_wrong_or_misleading_has_a_myth_entry_that_says_so(row):
    notebook, _, name = row["where"].partition("#")
    assert notebook == "myths"
    assert name.endswith("-code")
    reading = "".join(cells("myths")[name.replace("-code", "-reading")]["source"])
    assert reading.startswith(MYTHS[row["verdict"]])


def test_every_myth_entry_answers_a_statement():
    entries = {name for name in cells("myths") if name.endswith("-code")}
    named = {row["where"] for row in ROWS if row["verdict"] in MYTHS}
    assert entries == {where.partition("#")[2] for where in named}
