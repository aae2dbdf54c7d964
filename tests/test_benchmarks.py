"""The benchmark measures what it says, and the book's table is what it wrote."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.utils.data import DataLoader

from benchmarks import architectures, report
from benchmarks.contenders import CONTENDERS, PACKAGES
from benchmarks.turns import take_turns
from benchmarks.workloads import workloads

ROOT = Path(__file__).parent.parent
RESULT = json.loads((ROOT / "benchmarks" / "results.json").read_text("utf-8"))
ARCHITECTURES = json.loads((ROOT / "benchmarks" / "architectures.json").read_text("utf-8"))
PAGE = (ROOT / "book" / "performance.md").read_text("utf-8")


def table_of(mark: str) -> str:
    return PAGE[PAGE.index(mark) : PAGE.index(report.END, PAGE.index(mark))]


def test_the_table_in_the_book_is_what_the_command_writes(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(PAGE.replace("0.", "9."), "utf-8")
    report.update(page, report.BEGIN, report.render(RESULT))
    written = table_of(report.BEGIN)
    assert written in page.read_text("utf-8"), "run: python -m benchmarks --table"
    for contender in RESULT["workloads"]["W1"]["contenders"].values():
        assert f"| {contender['ratio']:.2f} " in written


def test_every_contender_is_in_the_result_or_left_out_with_a_reason():
    for name, workload in RESULT["workloads"].items():
        for peer in CONTENDERS:
            reason = RESULT["left_out"].get(peer) or RESULT["left_out"].get(f"{peer} on {name}")
            assert (peer in workload["contenders"]) is (reason is None), (peer, name)


def test_contenders_did_the_same_work():
    for name, workload in RESULT["workloads"].items():
        losses = [row["val_loss"] for row in workload["contenders"].values()]
        if name == "W3":  # after two epochs the seed decides by how much it is below log(10)
            assert max(losses) < 0.75 * math.log(10), losses
        else:
            assert max(losses) < 1.5 * min(losses) + 0.02, losses


def test_a_page_without_marks_is_refused(tmp_path):
    for text in ("# Title\n", f"{report.END}\n{report.BEGIN}\n"):
        (tmp_path / "page.md").write_text(text, "utf-8")
        with pytest.raises(ValueError, match=r"page\.md must hold one line"):
            report.update(tmp_path / "page.md", report.BEGIN, "")


def test_an_absent_contender_shows_as_such():
    result = json.loads(json.dumps(RESULT))
    del result["workloads"]["W1"]["contenders"]["fit"]
    result["left_out"] = {"fit on W1": "on holiday"}
    table = report.render(result)
    assert "| **`fit`** | n/a |" in table
    assert "- Left out: fit on W1 (on holiday)." in table


@pytest.mark.parametrize("name", workloads())
@pytest.mark.parametrize("peer", [p for p in CONTENDERS if p not in PACKAGES])
def test_our_contenders_make_every_update(name, peer):
    w = workloads()[name]
    w = replace(w, epochs=2, train=tuple(t[:70] for t in w.train))
    steps = []
    handle = register_optimizer_step_post_hook(lambda *_: steps.append(1))
    try:
        assert math.isfinite(CONTENDERS[peer](w))
    finally:
        handle.remove()
    assert len(steps) == 2 * math.ceil(70 / w.batch_size)


def test_loaders_hold_the_same_data():
    w = workloads()["W1"]
    train, val = w.loaders()
    assert isinstance(train, DataLoader)
    assert sum(len(x) for x, _ in train) == 2000
    assert [len(x) for x, _ in val] == [500]


def test_contenders_take_turns_each_beside_the_base():
    calls = []

    def contender(name):
        def run(seed):
            calls.append((name, seed))
            return float(seed)

        return run

    names = ["base", "other", "third"]
    runs, failed = take_turns({name: contender(name) for name in names}, "base", 4)
    assert (list(runs), failed) == (names, {})
    for of in runs.values():
        assert of.results == [1.0, 2.0, 3.0, 4.0]
        assert len(of.ratios) == len(of.seconds) == 4
    assert set(runs["base"].ratios) == {1.0}
    for seed in range(5):  # in each round once alone, and once beside each other contender
        assert sorted(name for name, at in calls if at == seed) == sorted([*names, *["base"] * 2])
    order = [name for name, _ in calls]
    for at, name in enumerate(order):
        assert name == "base" or "base" in order[max(at - 1, 0) : at + 2]


def test_one_that_fails_is_left_out_with_its_error_and_the_base_must_not():
    def fails(seed):
        raise ValueError("no such thing\nand more")

    runs, failed = take_turns({"base": float, "other": fails}, "base", 2)
    assert list(runs) == ["base"]
    assert failed == {"other": "ValueError: no such thing"}
    with pytest.raises(ValueError, match="no such thing"):
        take_turns({"base": fails, "other": float}, "base", 2)


@pytest.fixture(scope="module")
def tasks():
    """Chapter 12 as the benchmark runs it; what its cells set is put back."""
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    with plt.rc_context():
        yield [*architectures.images(), *architectures.sequences()]
    torch.set_default_dtype(dtype)
    torch.set_num_threads(threads)


def test_the_table_of_architectures_is_what_the_command_writes(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(PAGE.replace("0.", "9."), "utf-8")
    report.update(page, report.ARCHITECTURES, report.architectures(ARCHITECTURES))
    written = table_of(report.ARCHITECTURES)
    remedy = "run: python -m benchmarks.architectures --table"
    assert written in page.read_text("utf-8"), remedy
    assert table_of(report.BEGIN) not in page.read_text("utf-8"), "the other table was touched"
    for task in ARCHITECTURES["tasks"]:
        for row in task["entries"].values():
            assert f"| {row['reached']} | {row['ratio']:.2f} " in written


def test_the_measured_networks_are_those_of_the_chapter(tasks):
    assert [task.title for task in tasks] == [task["title"] for task in ARCHITECTURES["tasks"]]
    for task, stored in zip(tasks, ARCHITECTURES["tasks"], strict=True):
        assert task.base == stored["base"] == next(iter(stored["entries"]))
        now = {name: (e.parameters, e.updates) for name, e in task.entries.items()}
        then = {
            name: (row["parameters"], row["updates"]) for name, row in stored["entries"].items()
        }
        assert now == then, "run: python -m benchmarks.architectures"


def test_the_rates_are_those_that_the_chapter_has_found():
    shown = {}
    for name in ("12_architectures", "12_generators"):
        cells = json.loads((ROOT / f"notebooks/{name}.ipynb").read_text("utf-8"))["cells"]
        shown |= {cell["id"]: json.dumps(cell.get("outputs")) for cell in cells}
    rows = {
        "50 units": ("contest-table", "digits +50 units +"),
        "CNN 8, 16": ("contest-table", "digits +CNN 8, 16 +"),
        "plain": ("depth-table", r"plain +none +\d +"),
        "skip, normalised": ("depth-table", r"skip, normalised +none +\d +"),
        "autoencoder": ("autoencoder-table", "2 +with ReLUs +"),
    }
    assert rows.keys() == architectures.RATES.keys()
    for name, (cell, row) in rows.items():
        found = re.search(rf"{row}([\d.]+)", shown[cell])
        assert found, f"{cell} shows no row {row!r}"
        assert float(found[1]) == architectures.RATES[name], name


def test_what_is_measured_has_learned(tasks):
    entries = {name: entry for task in tasks for name, entry in task.entries.items()}
    assert entries["50 units"].train(1) > 0.9
    assert entries["GAN, both players"].train(1) >= 7
    assert entries["6-gram"].train(1) < 1


def test_a_cell_that_the_chapter_no_longer_has_is_named():
    with pytest.raises(ValueError, match=r"no cell \['no-such-cell'\]: bring the list"):
        architectures.chapter("12_architectures", ("imports", "no-such-cell"))
