"""What only a GPU can show."""

import pytest
import torch
from torch import nn

from dlnotes.runtime import seed_everything
from dlnotes.scratch import optimizers
from dlnotes.training import Batches, evaluate, fit, predict, sweep
from dlnotes.training import batches as module

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")


def classes(n=512):
    seed_everything(0)
    x = torch.randn(n, 6)
    return x, x[:, :3].argmax(1)


def network():
    seed_everything(1)
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3))


def train(model, data, val=None, **options):
    options = {"epochs": 3, "batch_size": 32, "seed": 2, "progress": False} | options
    options.setdefault("optimizer", torch.optim.Adam(model.parameters(), lr=0.01, fused=True))
    return fit(model, data, val, loss=nn.CrossEntropyLoss(), metrics="accuracy", **options)


@pytest.fixture(autouse=True)
def waiting_is_allowed_again():
    yield
    torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("amp", [None, "bf16", "fp16"])
def test_no_batch_waits_for_the_device(amp):
    model = network()

    def guard(model, step):  # batches 2 to 15 of 16: the epoch's end may wait, and does once
        torch.cuda.set_sync_debug_mode("error" if step % 16 not in (0, 15) else "default")

    history = train(model, classes(), amp=amp, after_backward=guard, clip_norm=1.0)
    assert history.rows[-1]["train_loss"] < history.rows[0]["train_loss"]


def test_data_that_does_not_fit_is_pinned_and_gives_the_same_numbers(monkeypatch):
    one, two = network(), network()
    first = train(one, classes())
    monkeypatch.setattr(module, "DEVICE_SHARE", 0.0)
    moved = Batches(*classes(), 32).to("cuda")
    assert moved.pin
    assert all(x.is_pinned() for x, _ in moved)
    second = train(two, classes())
    assert [r["train_loss"] for r in first.rows] == [r["train_loss"] for r in second.rows]


def test_the_order_is_that_of_the_cpu():
    x = torch.arange(100)
    cpu = torch.cat([x for x, _ in Batches(x, seed=1)])
    gpu = torch.cat([x for x, _ in Batches(x, seed=1).to("cuda")])
    assert torch.equal(cpu, gpu.cpu())


def test_numbers_agree_with_the_cpu():
    on_gpu, on_cpu = network(), network()
    a = train(on_gpu, classes(), classes(), device="cuda")
    b = train(on_cpu, classes(), classes(), device="cpu")
    for row, expected in zip(a.rows, b.rows, strict=True):
        for column in ("train_loss", "val_loss", "grad_norm"):
            assert row[column] == pytest.approx(expected[column], rel=1e-3)


def test_a_model_stays_on_the_accelerator_it_is_on_and_takes_its_optimizer_along():
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    train(model, classes(), device="cpu", optimizer=optimizer)
    train(model, classes(), device="cuda", optimizer=optimizer)
    train(model, classes(), optimizer=optimizer)
    assert next(model.parameters()).is_cuda
    assert predict(model, classes()[0]).device.type == "cpu"
    assert evaluate(model, classes(), loss=nn.CrossEntropyLoss())["loss"] < 1


def test_resume_on_the_gpu(tmp_path):
    path = tmp_path / "run.pt"
    model = network()
    whole = train(network(), classes(), epochs=4)
    train(model, classes(), epochs=2, checkpoint=path)
    history = train(network(), classes(), epochs=4, checkpoint=path, resume=True)
    for row, expected in zip(history.rows, whole.rows, strict=True):
        assert row["train_loss"] == pytest.approx(expected["train_loss"], rel=1e-4)


def test_sweep_on_the_gpu():
    options = {
        "loss": nn.CrossEntropyLoss(), "optimizer": optimizers.adam, "grid": {"lr": [0.01]},
        "epochs": 2, "seeds": [0], "progress": False,
    }  # fmt: skip
    x, y = classes()
    gpu = sweep(network, (x, y), (x, y), device="cuda", **options)
    cpu = sweep(network, (x, y), (x, y), device="cpu", **options)
    assert gpu["val_loss"].tolist() == pytest.approx(cpu["val_loss"].tolist(), rel=1e-3)
