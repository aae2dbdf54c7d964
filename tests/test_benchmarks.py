"""The benchmark measures what it says, and the book's table is what it wrote."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.utils.data import DataLoader

from benchmarks import report
from benchmarks.contenders import CONTENDERS, PACKAGES
from benchmarks.workloads import workloads

ROOT = Path(__file__).parent.parent
RESULT = json.loads((ROOT / "benchmarks" / "results.json").read_text("utf-8"))
PAGE = (ROOT / "book" / "performance.md").read_text("utf-8")


def test_the_table_in_the_book_is_what_the_command_writes(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(PAGE.replace("0.", "9."), "utf-8")
    report.update(page, RESULT)
    written = PAGE[PAGE.index(report.BEGIN) : PAGE.index(report.END)]
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
    (tmp_path / "page.md").write_text("# Title\n", "utf-8")
    with pytest.raises(ValueError, match=r"page\.md must hold one line"):
        report.update(tmp_path / "page.md", RESULT)


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
