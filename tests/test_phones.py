"""The phone table: made up by rule, or read and checked."""

import pytest
import torch

from dlnotes import data, phones


def test_generated_phones_pass_the_check_of_files(tmp_path):
    made = phones.generate(400)
    made.to_csv(tmp_path / "phones.csv", index=False)
    read = phones.read(tmp_path / "phones.csv")
    assert read.equals(made[list(read.columns)])
    assert made[phones.TARGET].value_counts().tolist() == [100] * 4
    assert (made["fc"] <= made["pc"]).all()
    assert (made["three_g"] >= made["four_g"]).all()
    assert made.corr()[phones.TARGET].drop(phones.TARGET).idxmax() == "ram"


def test_the_seed_decides():
    assert phones.generate(8, seed=1).equals(phones.generate(8, seed=1))
    assert not phones.generate(8, seed=1).equals(phones.generate(8, seed=2))


def test_the_variable_names_the_file(tmp_path, monkeypatch):
    phones.generate(40, seed=9).to_csv(tmp_path / "phones.csv", index=False)
    monkeypatch.setenv(phones.VARIABLE, str(tmp_path / "phones.csv"))
    splits = data.phone_prices(scale=False)
    assert sum(len(p.x) for p in (splits.train, splits.val, splits.test)) == 40
    assert torch.cat([splits.train.x, splits.val.x, splits.test.x])[:, 13].sum() == float(
        phones.generate(40, seed=9)["ram"].sum()
    )


def broken(frame, how):
    frame = frame.astype(object)
    if how == "missing":
        return frame.drop(columns="ram")
    if how == "extra":
        return frame.assign(colour=1)
    if how == "no rows":
        return frame.iloc[:0]
    cells = {"empty": "", "text": "much", "range": 99999, "fraction": 1.5, "nan": "nan"}
    frame.loc[2, phones.TARGET if how == "label" else "ram"] = 4 if how == "label" else cells[how]
    return frame


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("missing", r"missing \['ram'\]"),
        ("extra", r"unknown \['colour'\]"),
        ("no rows", "no rows"),
        ("empty", "'ram', row 3: '' is not a whole number from 256 to 4000"),
        ("text", "'ram', row 3: 'much'"),
        ("range", "'ram', row 3: '99999'"),
        ("fraction", "'ram', row 3: '1.5'"),
        ("nan", "'ram', row 3: 'nan'"),
        ("label", "'price_range', row 3: '4' is not a whole number from 0 to 3"),
    ],
)
def test_a_broken_file_is_refused_by_cell(tmp_path, how, message):
    broken(phones.generate(8), how).to_csv(tmp_path / "phones.csv", index=False)
    with pytest.raises(ValueError, match=message):
        phones.read(tmp_path / "phones.csv")


def test_a_missing_file_and_too_few_phones(tmp_path):
    with pytest.raises(FileNotFoundError, match="correct the path"):
        phones.read(tmp_path / "none.csv")
    with pytest.raises(ValueError, match="at least 4"):
        phones.generate(3)
