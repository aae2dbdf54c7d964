"""The same `fit` under torchrun, started for real: two processes over gloo."""

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from dlnotes.runtime import seed_everything
from dlnotes.training import fit

SCRIPT = Path(__file__)


def train(folder, resume=False, epochs=3, stop=None):
    """Train on 21 samples in batches of 5: parts of 2 and 3, and a last batch of one."""
    torch.set_num_threads(1)
    seed_everything(0)
    x = torch.randn(21, 5)
    y = (x.sum(1) > 0).long()
    model = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 2)).double()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)

    def end(model, step):
        if step == stop:
            raise RuntimeError("stopped on purpose")

    history = fit(
        model, (x.double(), y), (x[:7].double(), y[:7]), loss=nn.CrossEntropyLoss(),
        optimizer=optimizer, epochs=epochs, batch_size=5, metrics="accuracy", seed=0,
        clip_norm=0.5, device="cpu", checkpoint=Path(folder, "run.pt"), resume=resume,
        scheduler=torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9), after_backward=end,
    )  # fmt: skip
    return model, history


def main():
    folder, mode = sys.argv[1:]
    if mode == "split":
        from torch.utils.data import DataLoader, TensorDataset
        from torch.utils.data.distributed import DistributedSampler

        data = TensorDataset(torch.randn(8, 1), torch.randn(8, 1))
        model = nn.Linear(1, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        from dlnotes import runtime

        runtime.processes()
        loader = DataLoader(data, 2, sampler=DistributedSampler(data))
        fit(model, loader, loss=nn.MSELoss(), optimizer=optimizer, epochs=1, progress=False)
    with contextlib.redirect_stderr(io.StringIO()) as bar:
        model, history = train(folder, resume=mode == "resume")
    rank = int(os.environ["RANK"])
    state = {name: value.tolist() for name, value in model.state_dict().items()}
    text = json.dumps({"rows": history.rows, "state": state, "bar": bar.getvalue()})
    Path(folder, f"rank{rank}.json").write_text(text, encoding="utf-8")


def torchrun(folder, mode="train", processes=2):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += [f"--nproc-per-node={processes}", str(SCRIPT), str(folder), mode]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=240, env=environment, check=False
    )


def check(folder, model, history):
    for rank in range(2):
        found = json.loads(Path(folder, f"rank{rank}.json").read_text(encoding="utf-8"))
        for name, value in model.state_dict().items():
            ours = torch.tensor(found["state"][name], dtype=torch.float64)
            torch.testing.assert_close(ours, value, rtol=1e-9, atol=1e-12)
        assert len(found["rows"]) == len(history)
        for row, expected in zip(found["rows"], history.rows, strict=True):
            row.pop("seconds"), expected.pop("seconds", None)
            for column, value in expected.items():
                # a share of right answers is a float32 mean in each process
                rel = 1e-6 if column.endswith("accuracy") else 1e-9
                assert row[column] == pytest.approx(value, rel=rel), column
            assert row.keys() == expected.keys()


@pytest.mark.skipif(
    not torch.distributed.is_available(), reason="this torch is built without distributed"
)
def test_two_processes_give_the_numbers_of_one(tmp_path):
    together, alone = tmp_path / "together", tmp_path / "alone"
    together.mkdir(), alone.mkdir()
    done = torchrun(together)
    assert done.returncode == 0, done.stderr
    model, history = train(alone)
    check(together, model, history)
    assert sorted(os.listdir(together)) == ["rank0.json", "rank1.json", "run.pt"], "one checkpoint"
    bars = [json.loads((together / f"rank{rank}.json").read_text())["bar"] for rank in range(2)]
    assert "15/15" in bars[0]
    assert bars[1] == "", "one progress bar: the second process shows none"

    # A checkpoint of one process, written after two epochs, is taken up by two.
    half = tmp_path / "half"
    half.mkdir()
    with pytest.raises(RuntimeError, match="on purpose"):
        train(half, stop=12)
    done = torchrun(half, "resume")
    assert done.returncode == 0, done.stderr
    check(half, model, history)


@pytest.mark.skipif(
    not torch.distributed.is_available(), reason="this torch is built without distributed"
)
def test_data_that_is_split_already_is_refused(tmp_path):
    done = torchrun(tmp_path, "split")
    assert done.returncode != 0
    assert "without DistributedSampler" in done.stderr


if __name__ == "__main__":
    main()
