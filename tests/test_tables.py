"""Tables: as text, as HTML, and what is refused."""

import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup

from dlnotes.tables import table

ROWS = [("gd", 0.5, torch.tensor(12), None), ("a<b", np.float64(-0.25), 3, "late")]
TABLE = table(["rule", "rate", "steps", "note"], ROWS, ["", ".2f", "d", ""])


def test_text_is_aligned_numbers_to_the_right():
    assert repr(TABLE).split("\n") == [
        "rule   rate  steps  note",
        "gd     0.50     12  –",
        "a<b   −0.25      3  late",
    ]


def test_html_is_a_table_with_headings_and_the_same_texts():
    page = BeautifulSoup(TABLE._repr_html_(), "html.parser")
    assert [th.text for th in page.select("thead th[scope=col]")] == [
        "rule",
        "rate",
        "steps",
        "note",
    ]
    cells = [[td.text for td in row.select("td")] for row in page.select("tbody tr")]
    assert cells == [["gd", "0.50", "12", "–"], ["a<b", "−0.25", "3", "late"]]
    sides = [td["style"].split()[-1] for td in page.select("tbody tr")[0].select("td")]
    assert sides == ["left", "right", "right", "left"]


def test_floats_have_four_digits_unless_told():
    assert table(["x", "n", "ok"], [(1 / 3, 1000000, True)]).rows == (
        ("0.3333", "1000000", "True"),
    )


def test_an_empty_table_shows_its_headings():
    assert repr(table(["a", "b"], [])) == "a  b"


@pytest.mark.parametrize(
    ("rows", "formats", "message"),
    [
        ([(1, 2), (1,)], None, r"row 1 has 1 entries for 2 headings: \[1\]"),
        ([(1, 2)], ["d"], "formats has 1 entries for 2 headings"),
    ],
)
def test_what_does_not_fit_is_refused(rows, formats, message):
    with pytest.raises(ValueError, match=message):
        table(["a", "b"], rows, formats)
