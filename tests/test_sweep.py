"""Many runs at once have the numbers of the runs one by one."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from dlnotes.data import digits
from dlnotes.runtime import seed_everything
from dlnotes.scratch import optimizers
from dlnotes.training import Batches, fit, sweep


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Many threads make tiny networks slow, most of all beside other tests."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def classes(n=50, seed=0):
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 6, generator=draw)
    return x, x[:, :3].argmax(1)


def plain(width=8):
    return nn.Sequential(nn.Linear(6, width), nn.Tanh(), nn.Linear(width, 3))


def normed():
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))


def frozen():
    model = plain()
    model[0].weight.requires_grad = False
    return model


def convolution():
    return nn.Sequential(
        nn.Unflatten(1, (1, 6)), nn.Conv1d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3)
    )


def run(model=plain, grid=None, **options):
    defaults = {
        "loss": nn.CrossEntropyLoss(), "optimizer": optimizers.adam, "epochs": 3,
        "seeds": [0, 3], "batch_size": 16, "metrics": "accuracy", "device": "cpu",
        "progress": False,
    }  # fmt: skip
    data = options.pop("train", classes()), options.pop("val", classes(20, seed=1))
    return sweep(model, *data, grid=grid or {"lr": [0.003, 0.03]}, **defaults | options)


def double(n=50, seed=0):
    """Return data in float64: Adam blows rounding up where a gradient is 0, as under batch norm."""
    x, y = classes(n, seed)
    return x.double(), y


def one(model, rule, lr, seed, data=classes, batch_size=16):
    seed_everything(seed)
    network = model()
    trained = [p for p in network.parameters() if p.requires_grad]
    return fit(
        network, Batches(*data(), batch_size, seed=seed), data(20, 1),
        loss=nn.CrossEntropyLoss(), optimizer=rule(trained, lr), epochs=3, metrics="accuracy",
        device="cpu", progress=False,
    )  # fmt: skip


RULES = {
    "gd": (optimizers.gd, lambda p, lr: torch.optim.SGD(p, lr=lr)),
    "momentum": (optimizers.momentum, lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9)),
    "rmsprop": (optimizers.rmsprop, lambda p, lr: torch.optim.RMSprop(p, lr=lr)),
    "adam": (optimizers.adam, lambda p, lr: torch.optim.Adam(p, lr=lr)),
    "adamw": (optimizers.adamw, lambda p, lr: torch.optim.AdamW(p, lr=lr)),
}
CASES = [(plain, name) for name in RULES]
CASES += [(normed, "adam"), (frozen, "momentum"), (convolution, "adam")]


@pytest.mark.parametrize(
    ("model", "rule"), CASES, ids=lambda value: getattr(value, "__name__", value)
)
def test_equal_to_the_runs_one_by_one(model, rule):
    scratch, library = RULES[rule]
    frame = run(lambda: model().double(), optimizer=scratch, train=double(), val=double(20, 1))
    assert len(frame) == 2 * 2 * 3
    for (lr, seed), rows in frame.groupby(["lr", "seed"]):
        history = one(lambda: model().double(), library, lr, seed, double).frame
        assert rows["epoch"].tolist() == [1, 2, 3]
        for column in ("train_loss", "val_loss", "val_accuracy"):
            assert rows[column].tolist() == pytest.approx(history[column].tolist(), rel=1e-8)


def marked(y):
    """Return the labels with some to be ignored, of another number in each batch."""
    return torch.where(torch.arange(len(y)) % 7 > 4, -100, y)


def likely(y):
    return torch.softmax(3 * F.one_hot(y, 3).double(), 1)


def per_place(y):
    return torch.stack([y, (y + 1) % 3, y.flip(0), torch.zeros_like(y)], 1)


def places():
    return nn.Sequential(nn.Linear(6, 12), nn.Unflatten(1, (3, 4)))


WEIGHT = torch.tensor([0.1, 1.0, 3.0]).double()
LOSSES = {
    "cross-entropy": (nn.CrossEntropyLoss(), lambda y: y, plain),
    "smoothed": (nn.CrossEntropyLoss(label_smoothing=0.2), lambda y: y, plain),
    "weighted": (nn.CrossEntropyLoss(weight=WEIGHT), lambda y: y, plain),
    "ignoring": (nn.CrossEntropyLoss(), marked, plain),
    "ignoring some in training": (
        nn.CrossEntropyLoss(),
        lambda y: y if len(y) < 50 else marked(y),
        plain,
    ),
    "probabilities": (nn.CrossEntropyLoss(), likely, plain),
    "sequences": (nn.CrossEntropyLoss(), per_place, places),
    "nll": (nn.NLLLoss(), lambda y: y, lambda: nn.Sequential(plain(), nn.LogSoftmax(1))),
    "function": (F.cross_entropy, lambda y: y, plain),
    "own": (lambda output, y: (output - y).abs().mean() ** 2, likely, plain),
    "mse": (nn.MSELoss(), likely, plain),
    "huber": (nn.HuberLoss(delta=0.3), likely, plain),
    "binary": (nn.BCEWithLogitsLoss(pos_weight=WEIGHT), likely, plain),
    "binary weighted": (nn.BCEWithLogitsLoss(weight=WEIGHT), likely, plain),
}


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_is_that_of_fit(name, monkeypatch):
    monkeypatch.setattr(
        "dlnotes.training.stacks.PASSED", 28
    )  # validation of 20 samples in three parts
    loss, targets, model = LOSSES[name]
    (x, y), (x_val, y_val) = double(), double(20, 1)
    pairs = (x, targets(y)), (x_val, targets(y_val))
    frame = run(
        lambda: model().double(), train=pairs[0], val=pairs[1], loss=loss, metrics=(),
        optimizer=optimizers.gd, grid={"lr": [0.1, 0.5]},
    )  # fmt: skip
    for (lr, seed), rows in frame.groupby(["lr", "seed"]):
        seed_everything(seed)
        network = model().double()
        history = fit(
            network, Batches(*pairs[0], 16, seed=seed), pairs[1], loss=loss, epochs=3,
            optimizer=torch.optim.SGD(network.parameters(), lr), device="cpu", progress=False,
        ).frame  # fmt: skip
        for column in ("train_loss", "val_loss"):
            assert rows[column].tolist() == pytest.approx(history[column].tolist(), rel=1e-10)


def test_validation_goes_through_the_networks_in_parts(monkeypatch):
    monkeypatch.setattr("dlnotes.training.stacks.PASSED", 28)
    seen = []

    class Watched(nn.Linear):
        def forward(self, x):
            if not self.training:
                seen.append(len(x))
            return super().forward(x)

    run(lambda: Watched(6, 3), epochs=1)  # four runs: 7 samples of each make 28
    assert seen[-3:] == [7, 7, 6]


def test_equal_in_float32_to_its_rounding():
    frame = run(optimizer=optimizers.momentum)
    for (lr, seed), rows in frame.groupby(["lr", "seed"]):
        history = one(plain, RULES["momentum"][1], lr, seed).frame
        assert rows["val_loss"].tolist() == pytest.approx(history["val_loss"].tolist(), rel=1e-5)


def test_digits_with_momentum():
    splits = digits()
    frame = sweep(
        lambda: nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)),
        splits.train, splits.val, loss=nn.CrossEntropyLoss(), optimizer=optimizers.momentum,
        grid={"lr": [0.01, 0.1]}, seeds=range(2), epochs=6, metrics="accuracy", device="cpu",
        progress=False,
    )  # fmt: skip
    last = frame[frame["epoch"] == 6]
    assert (last["val_accuracy"] > 0.9).all()


@pytest.mark.parametrize("chunk", [1, 2, 3])
def test_chunks_change_nothing(chunk):
    whole, parts = run(), run(chunk=chunk)
    assert list(whole.columns) == list(parts.columns)
    for column in whole.columns:
        assert parts[column].tolist() == pytest.approx(whole[column].tolist(), rel=1e-4)


def test_any_scalar_can_be_in_the_grid():
    grid = {"lr": [0.01], "beta": [0.0, 0.9], "width": [4, 8], "batch_size": [10, 50]}
    frame = run(grid=grid, optimizer=optimizers.momentum, seeds=[1], epochs=1)
    assert list(frame.columns[:6]) == ["lr", "beta", "width", "batch_size", "seed", "epoch"]
    assert len(frame.drop_duplicates(["beta", "width", "batch_size"])) == 8
    same = frame[(frame["batch_size"] == 50) & (frame["width"] == 4)]["train_loss"]
    assert same.nunique() == 1, "the only step of an epoch has no momentum yet"
    assert frame["train_loss"].nunique() > 4


def test_what_is_left_out_is_five_seeds_and_the_batches_of_fit():
    options = {"loss": nn.CrossEntropyLoss(), "optimizer": optimizers.gd, "grid": {"lr": [0.1]}}
    frame = sweep(plain, classes(), epochs=1, device="cpu", progress=False, **options)
    assert frame["seed"].tolist() == list(range(5))
    seed_everything(2)
    network = plain()
    history = fit(
        network, classes(), loss=nn.CrossEntropyLoss(), seed=2, epochs=1, progress=False,
        optimizer=torch.optim.SGD(network.parameters(), lr=0.1), device="cpu",
    )  # fmt: skip
    expected = history.rows[0]["train_loss"]
    assert frame["train_loss"][2] == pytest.approx(expected, rel=1e-5)


def test_a_schedule_scales_every_step():
    def half_then_none(step):
        return 0.5 if step < 4 else 0.0

    frame = run(schedule=half_then_none, optimizer=optimizers.gd, grid={"lr": [0.2]}, seeds=[0])
    assert frame["val_loss"].iloc[0] == frame["val_loss"].iloc[1]
    plain_run = run(optimizer=optimizers.gd, grid={"lr": [0.1]}, seeds=[0])
    assert frame["val_loss"].iloc[0] == pytest.approx(plain_run["val_loss"].iloc[0])


def test_dropout_differs_between_runs_and_is_off_in_validation():
    def dropped():
        return nn.Sequential(nn.Dropout(0.5), nn.Linear(6, 3))

    frame = run(dropped, grid={"lr": [0.0, 1e-12]}, seeds=[0], epochs=2)
    first = frame[frame["epoch"] == 1]
    assert first["train_loss"].nunique() == 2, "each run has masks of its own"
    assert frame["val_loss"].nunique() == 1


def settled():
    """Return a network whose batch norm is in ``eval()`` on purpose."""
    model = normed()
    model[1].eval()
    return model


def test_layers_in_eval_stay_so_as_in_fit():
    frame = run(lambda: settled().double(), train=double(), val=double(20, 1), chunk=3)
    other = run(lambda: normed().double(), train=double(), val=double(20, 1))
    assert frame["val_loss"].tolist() != other["val_loss"].tolist()
    for (lr, seed), rows in frame.groupby(["lr", "seed"]):
        history = one(lambda: settled().double(), RULES["adam"][1], lr, seed, double).frame
        assert rows["val_loss"].tolist() == pytest.approx(history["val_loss"].tolist(), rel=1e-8)


def test_a_rule_of_ones_own():
    def own():
        return optimizers.Optimizer(lambda params: (), update)

    def update(grads, state, params, lr):
        rates = {k: lr.reshape(-1, *[1] * (p.ndim - 1)) for k, p in params.items()}
        return {k: p - rates[k] * grads[k] for k, p in params.items()}, ()

    expected = run(optimizer=optimizers.gd)
    assert run(optimizer=own)["val_loss"].tolist() == pytest.approx(expected["val_loss"].tolist())


def test_a_diverging_run_leaves_the_others_alone():
    frame = run(grid={"lr": [0.01, 1e38]}, optimizer=optimizers.gd, seeds=[0])
    assert frame[frame["lr"] == 1e38]["train_loss"].isna().any()
    alone = run(grid={"lr": [0.01]}, optimizer=optimizers.gd, seeds=[0])
    calm = frame[frame["lr"] == 0.01]["train_loss"]
    assert calm.tolist() == pytest.approx(alone["train_loss"].tolist())


def test_progress_bar(capfd):
    run(progress=True)
    assert "12/12" in capfd.readouterr().err


class Branch(nn.Linear):
    def forward(self, x):
        return super().forward(x) * (1.0 if x.sum().item() > 0 else 2.0)


X, Y = classes()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: run(plain()), TypeError, "returns a new network"),
        (lambda: run(optimizer=optimizers.adam()), TypeError, "without calling it"),
        (lambda: run(optimizer=torch.optim.Adam), TypeError, "pass e.g. scratch.optimizers.adam"),
        (lambda: run(grid=[0.1]), TypeError, r"grid must be a mapping.*got \[0.1\]"),
        (lambda: run(grid={"lr": 0.1}), TypeError, r"grid\['lr'\] .*pass e.g. \[0.1\]"),
        (lambda: run(seeds=3), TypeError, r"seeds .*got 3: pass e.g. range\(3\)"),
        (lambda: run(grid={"beta": [0.9]}), ValueError, 'add "lr"'),
        (lambda: run(grid={"lr": [0.1], "depth": [1]}), ValueError, "names 'depth'.*choose from"),
        (lambda: run(grid={"lr": []}), ValueError, "no values for 'lr'"),
        (lambda: run(grid={"lr": [-0.1]}), ValueError, "not negative"),
        (lambda: run(seeds=[]), ValueError, "seeds is empty"),
        (lambda: run(seeds=[1, 1]), ValueError, "seeds repeat"),
        (lambda: run(epochs=0), ValueError, "epochs must be at least 1"),
        (lambda: run(batch_size=0), ValueError, "batch_size must be at least 1"),
        (lambda: run(chunk=0), ValueError, "chunk must be at least 1"),
        (lambda: run(device="cudaa"), ValueError, "there is no device 'cudaa' here"),
        (
            lambda: run(grid={"lr": [0.1], "batch_size": [16, 2.5]}),
            TypeError,
            "batch_size must be an integer, got 2.5",
        ),
        (lambda: run(train=X), TypeError, r"train must be a pair \(x, y\)"),
        (lambda: run(train=(X[:0], Y[:0])), ValueError, "no samples"),
        (lambda: run(train=(X, Y + 1)), ValueError, "labels run from 1 to 3"),
        (lambda: run(train=(X[:, :2], Y)), ValueError, "the model cannot take its input"),
        (lambda: run(train=(X, Y.float())), ValueError, r"y\.long\(\)"),
        (lambda: run(lambda: Branch(6, 3)), ValueError, "cannot be batched over runs"),
        (
            lambda: run(lambda: nn.Sequential(plain(), nn.Softmax(1))),
            ValueError,
            "takes logits",
        ),
    ],
)
def test_bad_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
