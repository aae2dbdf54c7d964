"""The phone table: made up by rule, or read and checked."""

import numpy as np
import pytest
import torch

from dlnotes import data, phones


def test_generated_phones_pass_the_check_of_files(tmp_path):
    made = phones.generate(400)
    made.to_csv(tmp_path / "phones.csv", index=False)
    read = phones.read(tmp_path / "phones.csv")
    assert read.equals(made[list(read.columns)])


def test_generated_phones_keep_the_rules():
    made = phones.generate(20_000, seed=3)
    for smaller, larger in (
        ("fc", "pc"),
        ("four_g", "three_g"),
        ("px_height", "px_width"),
        ("sc_w", "sc_h"),
    ):
        assert (made[smaller] <= made[larger]).all()
    for name, (low, high) in phones.FEATURES.items():
        assert made[name].between(low, high).all()
    shares = made[phones.TARGET].value_counts(normalize=True)
    assert shares.between(0.235, 0.265).all()  # four standard errors round a quarter
    assert len(shares) == 4


def test_the_class_is_the_cut_score_but_for_the_noise():
    made = phones.generate(20_000, seed=4)
    score = sum(weight * made[name] for name, weight in phones.WEIGHTS.items())
    assert pytest.approx(0.025 * score.std(), rel=0.03) == phones.NOISE
    differ = np.searchsorted(phones.CUTS, score) != made[phones.TARGET]
    assert 0.01 < differ.mean() < 0.04
    nearest = abs(score.to_numpy()[:, None] - np.array(phones.CUTS)).min(1)
    assert nearest[differ].max() < 5 * phones.NOISE


def test_the_seed_decides_and_the_cuts_do_not_move():
    assert phones.generate(8, seed=1).equals(phones.generate(8, seed=1))
    assert not phones.generate(8, seed=1).equals(phones.generate(8, seed=2))
    scores = []
    for seed in range(5):  # quartiles of each table would balance each of them exactly
        scores.append(phones.generate(400, seed=seed)[phones.TARGET].value_counts().tolist())
    assert scores != [[100] * 4] * 5


def test_the_variable_names_the_file(tmp_path, monkeypatch):
    phones.generate(40, seed=9).to_csv(tmp_path / "phones.csv", index=False)
    monkeypatch.setenv(phones.VARIABLE, str(tmp_path / "phones.csv"))
    splits = data.phone_prices(scale=False)
    assert sum(len(p.x) for p in (splits.train, splits.val, splits.test)) == 40
    assert torch.cat([splits.train.x, splits.val.x, splits.test.x])[:, 13].sum() == float(
        phones.generate(40, seed=9)["ram"].sum()
    )


def cell(column, text):
    """Return a change of the lines of a file: this text in a column of line 4."""

    def change(lines):
        cells = lines[3].split(",")
        cells[lines[0].split(",").index(column)] = text
        return [*lines[:3], ",".join(cells), *lines[4:]]

    return change


BROKEN = {
    "no header": (lambda lines: lines[1:], r"line 1: no header.*write the names"),
    "missing column": (
        lambda lines: [line.partition(",")[2] for line in lines],
        "line 1: missing: column 'battery_power': add it",
    ),
    "unknown column": (
        lambda lines: [lines[0] + ",colour", *(line + ",1" for line in lines[1:])],
        "line 1: unknown: column 'colour': remove it",
    ),
    "saved index": (
        lambda lines: ["," + lines[0], *(f"{k},{x}" for k, x in enumerate(lines[1:]))],
        "line 1: unknown: column '': remove it .an empty name is a saved index",
    ),
    "column twice": (
        lambda lines: [lines[0] + ",ram", *(line + ",300" for line in lines[1:])],
        "line 1: twice: column 'ram': remove one",
    ),
    "semicolons": (
        lambda lines: [line.replace(",", ";") for line in lines],
        "line 1: the cells are separated by semicolons: export with commas",
    ),
    "tabs": (
        lambda lines: [line.replace(",", "\t") for line in lines],
        "line 1: the cells are separated by tabs",
    ),
    "no rows": (lambda lines: lines[:1], "line 1: a header and no rows"),
    "empty": (lambda lines: [], "the file is empty: export"),
    "short row": (
        lambda lines: [*lines[:4], lines[4].rpartition(",")[0], *lines[5:]],
        "line 5: 20 cells for 21 columns.*add what is missing",
    ),
    "long row": (
        lambda lines: [*lines[:4], lines[4] + ",7", *lines[5:]],
        "line 5: 22 cells for 21 columns .the last is '7'.*remove what is too much",
    ),
    "phone twice": (
        lambda lines: [*lines, lines[2]],
        "line 10: the same phone as in line 3: remove one",
    ),
    "quote": (lambda lines: [*lines[:3], '"1' + lines[3]], "after line 3: .*a quote"),
    "nothing in a cell": (
        cell("ram", ""),
        "line 4, column 'ram': the cell is empty: look the value up.*whole number from 256 to 4000",
    ),
    "text": (cell("ram", "much"), "line 4, column 'ram': 'much' is not a number: look"),
    "nan": (cell("wifi", "nan"), "line 4, column 'wifi': 'nan' is not a number"),
    "infinite": (cell("m_dep", "inf"), "line 4, column 'm_dep': 'inf' is out of range: correct"),
    "decimal comma": (
        cell("clock_speed", '"2,2"'),
        "line 4, column 'clock_speed': '2,2' has a decimal comma: write a point",
    ),
    "fraction": (cell("ram", "512.5"), "line 4, column 'ram': '512.5' is not whole: correct"),
    "range": (cell("ram", "4"), "line 4, column 'ram': '4' is out of range: .*unit"),
    "label": (
        cell(phones.TARGET, "4"),
        "line 4, column 'price_range': '4' is no class: number the classes from 0 to 3",
    ),
    "label's name": (cell(phones.TARGET, "low"), "line 4, column 'price_range': 'low' is not a"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_file_is_refused_with_line_column_and_remedy(tmp_path, how):
    change, message = BROKEN[how]
    lines = phones.generate(8).to_csv(index=False).splitlines()
    file = tmp_path / "phones.csv"
    file.write_text("".join(f"{line}\n" for line in change(lines)))
    with pytest.raises(ValueError, match=message):
        phones.read(file)


def test_lines_are_counted_as_an_editor_counts_them(tmp_path):
    """A blank line counts, and so does a line break between quotes."""
    lines = phones.generate(8).to_csv(index=False).splitlines()
    lines[1] = '"' + lines[1].replace(",", '\n",', 1)
    lines[5] = "," + lines[5].partition(",")[2]
    (tmp_path / "phones.csv").write_text("\n".join([*lines[:3], "", *lines[3:]]))
    with pytest.raises(ValueError, match="line 8, column 'battery_power': the cell is empty"):
        phones.read(tmp_path / "phones.csv")


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "phones.xlsx").write_bytes(b"PK\x03\x04\xff\xfe\x80")
    with pytest.raises(ValueError, match="not text in UTF-8: save the table as a CSV"):
        phones.read(tmp_path / "phones.xlsx")


def test_what_does_no_harm_is_read(tmp_path):
    """A byte-order mark, blank lines, spaces, whole numbers with a point, another order."""
    made = phones.generate(8)
    text = made[made.columns[::-1]].astype(float).to_csv(index=False)
    text = "\ufeff" + text.replace(",", ", ").replace("\n", "\r\n\r\n")
    (tmp_path / "phones.csv").write_text(text, encoding="utf8", newline="")
    read = phones.read(tmp_path / "phones.csv")
    assert read[list(made.columns)].equals(made)


def test_a_missing_file_and_too_few_phones(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"correct the path, or unset DLNOTES_PHONE_CSV"):
        phones.read(tmp_path / "none.csv")
    with pytest.raises(ValueError, match="at least 1"):
        phones.generate(0)
