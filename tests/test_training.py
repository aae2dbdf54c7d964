"""The training loop: right numbers, manners, and what it refuses."""

import copy
import errno
import functools
import math
import os

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.optim import SGD, Adam
from torch.optim import lr_scheduler as schedulers
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from dlnotes.runtime import seed_everything
from dlnotes.training import Batches, DivergedError, History, evaluate, fit, predict
from dlnotes.training.checkpoints import load


def regression(n=22, seed=0):
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 3, generator=draw)
    return x, x @ torch.tensor([[1.0], [-2.0], [0.5]]) + 0.1 * torch.randn(n, 1, generator=draw)


def classes(n=30, seed=0):
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 3, generator=draw)
    return x, x.argmax(1)


def network(*layers, seed=0):
    seed_everything(seed)
    model = nn.Sequential(*layers) if layers else nn.Sequential(nn.Linear(3, 1))
    for module in model.modules():
        if hasattr(module, "reset_parameters"):  # the layers were made before the seed was set
            module.reset_parameters()
    return model


def train(model, data, val=None, *, epochs=3, lr=0.05, loss=None, optimizer=None, **options):
    optimizer = optimizer or SGD(model.parameters(), lr=lr, momentum=0.9)
    options = {"batch_size": 8, "seed": 1, "progress": False, "device": "cpu"} | options
    return fit(
        model, data, val, loss=loss or nn.MSELoss(), optimizer=optimizer, epochs=epochs, **options
    )


def weights(model):
    return [p.detach().clone() for p in model.parameters()]


def same(a, b):
    return all(torch.equal(u, v) for u, v in zip(a, b, strict=True))


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Many threads make tiny networks slow, most of all beside other tests."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


# --- right numbers ----------------------------------------------------------------------


def test_it_is_the_loop_one_would_write():
    (x, y), model = regression(), network()
    twin = copy.deepcopy(model)
    history = train(model, (x, y), regression(9, seed=1), lr=0.05)
    optimizer = SGD(twin.parameters(), lr=0.05, momentum=0.9)
    batches = Batches(x, y, 8, seed=1)
    for epoch in range(3):
        losses, norms = 0.0, []
        for xb, yb in batches:
            optimizer.zero_grad()
            loss = F.mse_loss(twin(xb), yb)
            loss.backward()
            norms.append(nn.utils.clip_grad_norm_(twin.parameters(), 1e9).item())
            optimizer.step()
            losses += loss.item() * len(xb)
        row = history.rows[epoch]
        assert row["train_loss"] == pytest.approx(losses / 22, rel=1e-6)
        assert row["grad_norm"] == pytest.approx(sum(norms) / 3, rel=1e-6)
        assert (row["epoch"], row["step"], row["lr"]) == (epoch + 1, 3 * epoch + 3, 0.05)
        with torch.no_grad():
            held_out = regression(9, seed=1)
            expected = F.mse_loss(twin(held_out[0]), held_out[1]).item()
        assert row["val_loss"] == pytest.approx(expected, rel=1e-6)
    assert same(weights(model), weights(twin))


@settings(max_examples=25)
@given(n=st.integers(1, 40), size=st.integers(1, 17))
def test_means_are_weighted_by_batch_size(n, size):
    x = torch.arange(float(n)).unsqueeze(1) ** 2
    model = network(nn.Linear(1, 1))
    nn.init.constant_(model[0].weight, 1.0)
    nn.init.zeros_(model[0].bias)
    zero = torch.zeros(n, 1)
    exact = (x.double() ** 2).mean().item()
    scores = evaluate(model, (x, zero), loss=nn.MSELoss(), metrics="mae", batch_size=size)
    assert scores["loss"] == pytest.approx(exact, rel=1e-5)
    assert scores["mae"] == pytest.approx(x.double().mean().item(), rel=1e-5)
    history = train(model, (x, zero), batch_size=size, lr=0.0, epochs=1, metrics="mae")
    assert history.rows[0]["train_loss"] == pytest.approx(exact, rel=1e-5)
    assert history.rows[0]["train_mae"] == pytest.approx(x.double().mean().item(), rel=1e-5)


class Stream(IterableDataset):
    def __init__(self, *tensors):
        self.tensors = tensors

    def __iter__(self):
        return zip(*self.tensors, strict=True)


@pytest.mark.parametrize("source", ["pair", "dataset", "stream", "loader", "list"])
def test_every_kind_of_data_trains(source):
    x, y = classes()
    data = {
        "pair": (x, y),
        "dataset": TensorDataset(x, y),
        "stream": Stream(x, y),
        "loader": DataLoader(TensorDataset(x, y), 8),
        "list": list(zip(x.split(8), y.split(8), strict=True)),
    }[source]
    model = network(nn.Linear(3, 3))
    history = train(
        model, data, data, loss=nn.CrossEntropyLoss(), metrics=["accuracy"], epochs=20, lr=0.2
    )
    assert history.rows[-1]["step"] == 80
    assert history.rows[-1]["val_accuracy"] > 0.9
    assert list(history.frame.columns) == [
        *("epoch", "step", "train_loss", "train_accuracy", "val_loss", "val_accuracy"),
        *("lr", "grad_norm", "seconds"),
    ]


def test_a_tensor_alone_is_its_own_target():
    x = torch.randn(40, 2) @ torch.randn(2, 6)
    model = network(nn.Linear(6, 2), nn.Linear(2, 6))
    history = train(model, x, x, epochs=60, lr=0.02)
    assert history.rows[-1]["val_loss"] < 0.1 * history.rows[0]["train_loss"]
    assert predict(model, x).shape == x.shape


def test_sequences_train_too():
    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.out = nn.LSTM(1, 8, batch_first=True), nn.Linear(8, 5)

        def forward(self, x):
            return self.out(self.lstm(x)[0]).transpose(1, 2)

    seed_everything(0)
    y = torch.randint(0, 5, (40, 6))
    model = Last()
    optimizer = Adam(model.parameters(), lr=0.02, fused=True)
    history = train(
        model, (y.unsqueeze(2).float(), y), loss=nn.CrossEntropyLoss(), optimizer=optimizer,
        metrics="accuracy", epochs=40,
    )  # fmt: skip
    assert history.rows[-1]["train_accuracy"] > history.rows[0]["train_accuracy"] + 0.3


def test_float64_and_binary_logits():
    x, y = classes()
    model = network(nn.Linear(3, 1)).double()
    data = x.double(), (y == 1).double().unsqueeze(1)
    history = train(
        model, data, data, loss=nn.BCEWithLogitsLoss(), metrics="accuracy", epochs=30, lr=0.5
    )
    assert history.rows[-1]["val_accuracy"] > 0.9


class Reads(TorchDispatchMode):
    """Counts what makes the host wait for a device."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        names = ("_local_scalar_dense", "nonzero", "equal", "is_nonzero")
        self.count += func.overloadpacket.__name__ in names
        return func(*args, **(kwargs or {}))


def test_nothing_is_read_per_batch_and_the_losses_once_an_epoch(monkeypatch):
    x, y = classes(64)
    lists = []
    tolist = torch.Tensor.tolist
    monkeypatch.setattr(
        torch.Tensor, "tolist", lambda self: lists.append(self.numel()) or tolist(self)
    )

    def reads(size, epochs):
        model = network(nn.Linear(3, 3))
        lists.clear()
        with Reads() as mode:
            train(
                model, Batches(x, y, size, seed=0), (x, y), loss=nn.CrossEntropyLoss(),
                metrics="accuracy", epochs=epochs, seed=None,
            )  # fmt: skip
        return mode.count, len(lists)

    few, many = reads(32, 1), reads(2, 1)
    assert many == few, "the number of reads depends on the number of batches"
    assert reads(2, 3)[0] == few[0], "only the checks of the first batch read single numbers"
    assert reads(2, 3)[1] == 3 * 2, "one read for training and one for validation an epoch"


def test_a_rate_that_is_a_tensor_is_read_once_an_epoch_and_is_the_one_used():
    def reads(size, interval):
        model = network()
        rate = torch.tensor(0.1)
        optimizer = Adam(model.parameters(), lr=rate, fused=True)
        fall = schedulers.ExponentialLR(optimizer, 0.5)
        with Reads() as mode:
            history = train(
                model, regression(16), optimizer=optimizer, batch_size=size, epochs=1,
                scheduler=fall, scheduler_interval=interval,
            )  # fmt: skip
        return mode.count, history.rows[0]["lr"]

    for interval, used in (("epoch", 0.1), ("batch", 0.1 * 0.5**7)):
        assert reads(2, interval)[1] == pytest.approx(used)
        assert reads(2, interval)[0] == reads(16, interval)[0], "a read a batch"


# --- modes ------------------------------------------------------------------------------


class Spy(nn.Module):
    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, x):
        self.seen.append((self.training, torch.is_inference_mode_enabled()))
        return x


def test_modes_in_training_and_validation_and_after():
    spy, frozen = Spy(), nn.BatchNorm1d(3)
    model = network(spy, frozen, nn.Linear(3, 1))
    frozen.eval()
    before = frozen.running_mean.clone()
    train(model, regression(8), regression(8), epochs=2)
    assert spy.seen == [(True, False), (False, True)] * 2
    assert [m.training for m in model.modules()] == [True, True, False, True]
    assert torch.equal(frozen.running_mean, before), "a layer in eval() stays so"
    model.eval()
    spy.seen.clear()
    train(model, regression(8), epochs=1)
    assert spy.seen == [(True, False)], "a model in eval() is trained in train()"
    assert not any(m.training for m in model.modules()), "and handed back in eval()"


def test_modes_are_restored_after_an_error():
    model = network(nn.Linear(3, 1), nn.Dropout())
    model[1].eval()
    with pytest.raises(ValueError, match="one shape"):
        evaluate(model, (torch.zeros(4, 3), torch.zeros(4)), loss=nn.MSELoss())
    assert [m.training for m in model.modules()] == [True, True, False]


def test_predict_keeps_order_and_mode_and_can_be_differentiated_on():
    model = network(nn.Linear(3, 2), nn.Dropout())
    x = torch.randn(11, 3)
    output = predict(model, (x, torch.zeros(11)), batch_size=4)
    torch.testing.assert_close(output, model[0](x).detach())
    assert model.training
    (output * torch.ones(2, requires_grad=True)).sum().backward()  # no inference tensor


# --- schedules --------------------------------------------------------------------------


@settings(max_examples=20)
@given(
    interval=st.sampled_from(["epoch", "batch"]),
    n=st.integers(1, 20),
    size=st.integers(1, 9),
    epochs=st.integers(1, 4),
)
def test_schedulers_step_at_their_interval_and_the_rate_recorded_was_used(
    interval, n, size, epochs
):
    model = network()
    optimizer = SGD(model.parameters(), lr=1e-3)
    used = []
    history = train(
        model, regression(n), optimizer=optimizer, batch_size=size, epochs=epochs,
        scheduler=schedulers.ExponentialLR(optimizer, 0.5), scheduler_interval=interval,
        after_backward=lambda model, step: used.append(optimizer.param_groups[0]["lr"]),
    )  # fmt: skip
    batches = -(-n // size)
    steps = [k if interval == "batch" else k // batches for k in range(epochs * batches)]
    assert used == pytest.approx([1e-3 * 0.5**k for k in steps])
    assert [row["lr"] for row in history.rows] == used[batches - 1 :: batches]


def test_plateau_gets_the_validation_loss():
    model = network()
    optimizer = SGD(model.parameters(), lr=1e-5)
    plateau = schedulers.ReduceLROnPlateau(optimizer, factor=0.1, patience=0, threshold=0.5)
    history = train(
        model, regression(), regression(9), optimizer=optimizer, scheduler=plateau, epochs=4
    )
    assert [row["lr"] for row in history.rows] == pytest.approx([1e-5, 1e-5, 1e-6, 1e-7])
    assert plateau.best == history.rows[0]["val_loss"]


def test_one_cycle_in_the_other_unit_is_refused():
    model = network()
    optimizer = SGD(model.parameters(), lr=0.1)
    cycle = schedulers.OneCycleLR(optimizer, 0.1, total_steps=9)
    with pytest.raises(ValueError, match="scheduler_interval='batch'"):
        train(model, regression(24), optimizer=optimizer, scheduler=cycle)
    history = train(
        model, regression(24), optimizer=optimizer, scheduler=cycle, scheduler_interval="batch"
    )
    assert history.rows[-1]["lr"] < 1e-3


# --- hook, clipping, precision ----------------------------------------------------------


def test_hook_comes_after_backward_and_before_clipping_and_step():
    model, seen = network(), []
    start = weights(model)

    def hook(inner, step):
        assert inner is model
        assert all(p.grad is not None for p in inner.parameters())
        seen.append((step, same(weights(inner), start)))
        for p in inner.parameters():
            p.grad.fill_(3.0)

    history = train(
        model, regression(8), after_backward=hook, epochs=2, lr=0.1, clip_norm=1.0,
        optimizer=SGD(model.parameters(), lr=0.1),
    )  # fmt: skip
    assert seen == [(0, True), (1, False)]
    assert history.rows[0]["grad_norm"] == pytest.approx(6.0), "before clipping, after the hook"
    for p, q in zip(weights(model), start, strict=True):  # 4 entries of 3, clipped to 1/2 each
        torch.testing.assert_close(p, q - 2 * 0.1 * 0.5)


def counted(calls):
    return lambda *_: calls.append(None)


@pytest.mark.parametrize(
    "register",
    [
        lambda opt, hook: opt.register_step_pre_hook(hook),
        lambda opt, hook: opt.register_step_post_hook(hook),
        lambda opt, hook: register_optimizer_step_pre_hook(hook),
        lambda opt, hook: register_optimizer_step_post_hook(hook),
    ],
    ids=["pre", "post", "pre of all", "post of all"],
)
def test_the_optimizer_s_own_hooks_run_also_when_they_come_during_training(register):
    """Although its wrapper, which runs them, is left out where there are none."""
    for start in (0, 2):
        calls, handles, model = [], [], network()
        optimizer = SGD(model.parameters(), lr=0.1)

        def look(inner, step, start=start, optimizer=optimizer, calls=calls, handles=handles):
            if step == start:
                handles.append(register(optimizer, counted(calls)))

        try:
            train(model, regression(16), optimizer=optimizer, epochs=2, after_backward=look)
        finally:
            handles[0].remove()
        assert len(calls) == 4 - start


def test_updates_go_without_the_wrapper_only_where_it_has_nothing_to_do():
    def labels(optimizer, model):
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as seen:
            train(model, regression(16), optimizer=optimizer, epochs=1)
        return [e.count for e in seen.key_averages() if e.key.startswith("Optimizer.step")]

    model = network()
    assert labels(SGD(model.parameters(), lr=0.1), model) == []
    hooked = SGD(model.parameters(), lr=0.1)
    hooked.register_step_pre_hook(counted([]))
    assert labels(hooked, model) == [2]


def test_a_step_that_was_wrapped_again_is_taken_as_it_is():
    calls, model = [], network()

    class Own(SGD):
        @functools.wraps(SGD.step)
        def step(self, closure=None):
            calls.append("subclass")
            return super().step(closure)

    train(model, regression(16), optimizer=Own(model.parameters(), lr=0.1), epochs=1)
    assert calls == ["subclass"] * 2
    optimizer = SGD(model.parameters(), lr=0.1)
    plain = optimizer.step
    optimizer.step = lambda: (calls.append("instance"), plain())
    train(model, regression(16), optimizer=optimizer, epochs=1)
    assert calls[2:] == ["instance"] * 2

    outer = SGD.step
    try:
        SGD.step = functools.wraps(outer)(lambda self: (calls.append("class"), outer(self)))
        train(model, regression(16), optimizer=SGD(model.parameters(), lr=0.1), epochs=1)
    finally:
        SGD.step = outer
    assert calls[4:] == ["class"] * 2


def test_bf16_runs_the_model_in_bf16_and_keeps_float32_weights():
    seen = []

    class Watch(nn.Linear):
        def forward(self, x):
            output = super().forward(x)
            seen.append(output.dtype)
            return output

    model = network(Watch(3, 3))
    history = train(model, classes(), classes(), loss=nn.CrossEntropyLoss(), amp="bf16", epochs=5)
    assert set(seen) == {torch.bfloat16}
    assert model[0].weight.dtype == torch.float32
    assert history.rows[-1]["train_loss"] < history.rows[0]["train_loss"]


def test_fp16_scales_the_loss_and_survives_overflow():
    model = network(nn.Linear(3, 3))
    x, y = classes()
    norms = []

    def overflow_once(model, step):
        norms.append(model[0].weight.grad.norm().item())

    history = train(
        model, (x, y), loss=nn.CrossEntropyLoss(), amp="fp16", epochs=5,
        optimizer=SGD(model.parameters(), lr=0.1, fused=True), after_backward=overflow_once,
    )  # fmt: skip
    assert max(n for n in norms if math.isfinite(n)) < 10, "gradients come unscaled to the hook"
    assert history.rows[-1]["train_loss"] < history.rows[0]["train_loss"]
    assert all(math.isfinite(row["grad_norm"]) for row in history.rows)


# --- patience, Ctrl-C, divergence -------------------------------------------------------


def test_patience_stops_and_gives_the_best_weights_back():
    model = network()
    data = regression()
    kept = {}

    def keep(model, step):
        kept[step] = weights(model)

    bad = (data[0], -data[1])  # learning the training data makes this one worse
    history = train(model, data, bad, epochs=50, patience=2, after_backward=keep)
    assert (history.stopped, history.best_epoch, len(history)) == ("early", 1, 3)
    assert same(weights(model), kept[3]), "the weights at the end of epoch 1"


def test_patience_that_does_not_run_out_restores_the_best_too():
    model, data = network(), regression()
    history = train(model, data, (data[0], -data[1]), epochs=3, patience=9)
    assert history.stopped == "finished"
    again = evaluate(model, (data[0], -data[1]), loss=nn.MSELoss())["loss"]
    assert again == pytest.approx(min(row["val_loss"] for row in history.rows))


def test_interrupt_in_epoch_3_keeps_two_epochs_and_the_best_weights():
    model, data = network(), regression(24)
    kept = {}

    def press(model, step):
        kept[step] = weights(model)
        if step == 7:
            raise KeyboardInterrupt

    history = train(model, data, (data[0], -data[1]), epochs=9, after_backward=press)
    assert (len(history), history.stopped, history.best_epoch) == (2, "interrupted", 1)
    assert same(weights(model), kept[3])


def test_interrupt_in_the_first_epoch_leaves_the_model_as_it_was():
    model = network()
    start = weights(model)

    def press(model, step):
        if step == 1:
            raise KeyboardInterrupt

    history = train(model, regression(), after_backward=press)
    assert (len(history), history.stopped) == (0, "interrupted")
    assert same(weights(model), start)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_names_epoch_and_batch(value):
    model, kept, calls = network(), {}, []

    def loss(output, y):
        calls.append(1)
        return F.mse_loss(output, y) * (value if len(calls) == 5 else 1)

    def keep(model, step):
        kept[step] = weights(model)

    with pytest.raises(DivergedError, match=r"(nan|inf) in epoch 2, batch 2; .*learning rate") as e:
        train(model, regression(24), loss=loss, after_backward=keep)
    assert same(weights(model), kept[3]), "the last good weights are those of epoch 1"
    assert len(e.value.history) == 1


def test_a_gradient_that_is_no_number_in_the_last_batch_is_caught():
    model = network()
    start = weights(model)

    def spoil(model, step):
        if step == 2:
            model[0].bias.grad.fill_(math.nan)

    with pytest.raises(DivergedError, match="gradient's norm is nan in epoch 1, batch 3"):
        train(model, regression(24), after_backward=spoil)
    assert same(weights(model), start)


def test_a_validation_loss_that_is_no_number_is_caught():
    x, y = regression(8)
    with pytest.raises(DivergedError, match="validation loss is nan in epoch 1"):
        train(network(), (x, y), (x * math.nan, y))


def test_any_error_carries_the_history():
    def fail(model, step):
        if step == 4:
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match=r"^mine$") as caught:
        train(network(), regression(24), after_backward=fail)
    assert len(caught.value.history) == 1


# --- progress ---------------------------------------------------------------------------


def test_the_bar_can_be_turned_off(capfd):
    train(network(), regression(), progress=False)
    assert capfd.readouterr() == ("", "")
    train(network(), regression(), regression(), progress=True)
    assert "9/9" in capfd.readouterr().err


# --- bad input --------------------------------------------------------------------------


def stuck(model):
    for p in model.parameters():
        p.requires_grad = False
    return model


def other_optimizer(**_):
    return SGD(nn.Linear(3, 1).parameters(), lr=0.1)


def negative():
    model = network()
    optimizer = SGD(model.parameters(), lr=0.1)
    optimizer.param_groups[0]["lr"] = -0.1
    return model, optimizer


X, Y = regression()
XC, YC = classes()
LOGITS = nn.CrossEntropyLoss()

REFUSED = {
    "epochs 0": (lambda: train(network(), (X, Y), epochs=0), ValueError, "epochs must be at least"),
    "epochs 2.5": (lambda: train(network(), (X, Y), epochs=2.5), TypeError, "must be an integer"),
    "patience": (lambda: train(network(), (X, Y), patience=0), ValueError, "patience must be"),
    "clip": (lambda: train(network(), (X, Y), clip_norm=0), ValueError, "clip_norm must be"),
    "device misspelt": (
        lambda: train(network(), (X, Y), device="cudaa"),
        ValueError,
        "there is no device 'cudaa' here: leave device out",
    ),
    "amp": (lambda: train(network(), (X, Y), amp="half"), ValueError, "amp must be 'bf16'"),
    "metric": (
        lambda: train(network(), (X, Y), metrics="acc"),
        ValueError,
        r"unknown metric 'acc': choose from \['accuracy'",
    ),
    "metric not a mean": (
        lambda: train(network(), (X, Y), metrics=[lambda o, y: o]),
        ValueError,
        "return the mean over the batch",
    ),
    "loss class": (lambda: train(network(), (X, Y), loss=nn.MSELoss), TypeError, r"MSELoss\(\)"),
    "loss summed": (
        lambda: train(network(), (X, Y), loss=nn.MSELoss(reduction="sum")),
        ValueError,
        "reduction='mean'",
    ),
    "loss per sample": (
        lambda: train(network(), (X, Y), loss=lambda o, y: (o - y) ** 2),
        ValueError,
        "one number is needed",
    ),
    "no model": (lambda: train(lambda x: x, (X, Y), optimizer=1), TypeError, "nn.Module"),
    "no parameters": (
        lambda: train(nn.Flatten(), (X, Y), optimizer=other_optimizer()),
        ValueError,
        "no parameters",
    ),
    "all frozen": (lambda: train(stuck(network()), (X, Y)), ValueError, "nothing to train"),
    "other optimizer": (
        lambda: train(network(), (X, Y), optimizer=other_optimizer()),
        ValueError,
        "none of the model's parameters",
    ),
    "optimizer class": (lambda: train(network(), (X, Y), optimizer=SGD), TypeError, "Adam"),
    "parameter left out": (
        lambda: train(m := network(), (X, Y), optimizer=SGD([m[0].weight], lr=0.1)),
        ValueError,
        r"does not hold \['0.bias'\].*requires_grad=False",
    ),
    "parameter too many": (
        lambda: train(
            m := network(), (X, Y), optimizer=SGD([*m.parameters(), torch.zeros(1)], lr=0.1)
        ),
        ValueError,
        "not parameters of the model",
    ),
    "lbfgs": (
        lambda: train(m := network(), (X, Y), optimizer=torch.optim.LBFGS(m.parameters())),
        TypeError,
        "closure",
    ),
    "negative rate": (
        lambda: train((m := negative())[0], (X, Y), optimizer=m[1]),
        ValueError,
        "lr=-0.1: a learning rate must be finite and not negative",
    ),
    "meta": (
        lambda: train(network().to("meta"), (X, Y)),
        ValueError,
        "meta device and has no values",
    ),
    "empty pair": (lambda: train(network(), (X[:0], Y[:0])), ValueError, "no samples"),
    "empty loader": (
        lambda: train(network(), DataLoader(TensorDataset(X[:3], Y[:3]), 8, drop_last=True)),
        ValueError,
        "train is empty",
    ),
    "empty validation": (lambda: train(network(), (X, Y), []), ValueError, "val is empty"),
    "generator": (
        lambda: train(network(), ((X, Y) for _ in range(3))),
        TypeError,
        "once only",
    ),
    "batches of three": (lambda: train(network(), [(X, Y, Y)]), TypeError, r"pair \(x, y\)"),
    "batch of arrays": (lambda: train(network(), [(X.numpy(), Y)]), TypeError, "must be tensors"),
    "uneven batch": (lambda: train(network(), [(X, Y[1:])]), ValueError, "22 inputs with 21"),
    "wrong width": (
        lambda: train(network(), (X[:, :2], Y)),
        ValueError,
        r"input of shape \(8, 2\)",
    ),
    "float64 input": (lambda: train(network(), (X.double(), Y)), ValueError, r"x\.float\(\)"),
    "integer input": (lambda: train(network(), (X.long(), Y)), ValueError, r"x\.float\(\)"),
    "broadcast": (
        lambda: train(network(), (X, Y.squeeze(1))),
        ValueError,
        r"\(8, 1\) and the target is \(8,\).*unsqueeze",
    ),
    "integer target": (lambda: train(network(), (X, Y.long())), ValueError, r"y\.float\(\)"),
    "labels as floats": (
        lambda: train(network(nn.Linear(3, 3)), (XC, YC.float()), loss=LOGITS),
        ValueError,
        r"integer labels.*y\.long\(\)",
    ),
    "labels as a column": (
        lambda: train(network(nn.Linear(3, 3)), (XC, YC.unsqueeze(1)), loss=LOGITS),
        ValueError,
        r"y\.squeeze\(1\)",
    ),
    "labels from 1": (
        lambda: train(network(nn.Linear(3, 3)), (XC, YC + 1), loss=LOGITS),
        ValueError,
        "from 1 to 3.*count labels from 0",
    ),
    "labels too many": (
        lambda: train(network(nn.Linear(3, 2)), (XC, YC), loss=LOGITS),
        ValueError,
        "2 outputs, which fit labels from 0 to 1.*3 outputs",
    ),
    "late label": (
        lambda: train(
            network(nn.Linear(3, 3)), [(XC[:8], YC[:8]), (XC[8:9], YC[8:9] + 9)], loss=LOGITS
        ),
        ValueError,
        "labels run from",
    ),
    "classes last": (
        lambda: train(
            network(nn.Linear(3, 5)), (torch.zeros(8, 4, 3), torch.zeros(8, 4).long()), loss=LOGITS
        ),
        ValueError,
        r"output\.transpose\(1, 2\)",
    ),
    "places that do not match": (
        lambda: train(
            network(nn.Unflatten(1, (1, 3)), nn.Linear(3, 5)),
            (XC, torch.zeros(30, 2).long()),
            loss=LOGITS,
        ),
        ValueError,
        r"cannot take output \(8, 1, 5\).*, target \(8, 2\)",
    ),
    "labels one-hot as integers": (
        lambda: train(network(nn.Linear(3, 3)), (XC, F.one_hot(YC, 3)), loss=LOGITS),
        ValueError,
        r"cannot take output \(8, 3\).*, target \(8, 3\)",
    ),
    "no axis of classes": (
        lambda: train(network(nn.Linear(3, 1), nn.Flatten(0)), (XC, YC), loss=LOGITS),
        ValueError,
        r"cannot take output \(8,\).*, target \(8,\)",
    ),
    "softmax into cross-entropy": (
        lambda: train(network(nn.Linear(3, 3), nn.Softmax(1)), (XC, YC), loss=LOGITS),
        ValueError,
        "takes logits.*remove the softmax",
    ),
    "sigmoid into logits loss": (
        lambda: train(
            network(nn.Linear(3, 1), nn.Sigmoid(), nn.Flatten(0), nn.Unflatten(0, (-1, 1))),
            (X, (Y > 0).float()),
            loss=nn.BCEWithLogitsLoss(),
        ),
        ValueError,
        "ends in a sigmoid",
    ),
    "logits into bce": (
        lambda: train(network(), (X, (Y > 0).float()), loss=nn.BCELoss()),
        ValueError,
        "takes probabilities.*BCEWithLogitsLoss",
    ),
    "logits into nll": (
        lambda: train(network(nn.Linear(3, 3)), (XC, YC), loss=nn.NLLLoss()),
        ValueError,
        "takes log-probabilities",
    ),
    "model returns a pair": (
        lambda: train(m := nn.LSTM(3, 1), (X, Y), optimizer=SGD(m.parameters(), lr=0.1)),
        TypeError,
        "first part",
    ),
    "interval": (
        lambda: train(network(), (X, Y), scheduler_interval="step"),
        ValueError,
        "'epoch' or 'batch'",
    ),
    "scheduler of another": (
        lambda: train(network(), (X, Y), scheduler=schedulers.StepLR(other_optimizer(), 1)),
        ValueError,
        "another optimizer",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_refused_with_what_to_change(name):
    call, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        call()


def test_plateau_by_batch_and_a_rate_that_turns_negative_are_refused():
    model = network()
    optimizer = SGD(model.parameters(), lr=0.1)
    plateau = schedulers.ReduceLROnPlateau(optimizer)
    with pytest.raises(ValueError, match="use scheduler_interval='epoch'"):
        train(model, (X, Y), optimizer=optimizer, scheduler=plateau, scheduler_interval="batch")
    model = network()
    optimizer = SGD(model.parameters(), lr=0.1)
    falling = schedulers.LambdaLR(optimizer, lambda epoch: 1 - epoch)
    with pytest.raises(ValueError, match=r"lr=-0\.1") as caught:
        train(model, (X, Y), optimizer=optimizer, scheduler=falling, epochs=5)
    assert len(caught.value.history) == 2


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_a_device_that_is_not_here_is_named():
    calls = [
        lambda: train(network(), (X, Y), device="cuda"),
        lambda: evaluate(network(), (X, Y), loss=nn.MSELoss(), device="cuda"),
        lambda: predict(network(), X, device=torch.device("cuda", 1)),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=r"no device 'cuda(:1)?' here: leave device out.*cpu"):
            call()


def test_data_that_cannot_be_batches_is_called_by_its_argument():
    bad = [(X, Y, Y)]
    with pytest.raises(TypeError, match=r"^train yields a tuple of Tensor, Tensor, Tensor"):
        train(network(), bad)
    with pytest.raises(TypeError, match=r"^val yields"):
        train(network(), (X, Y), bad)
    with pytest.raises(TypeError, match=r"^data yields"):
        evaluate(network(), bad, loss=nn.MSELoss())
    with pytest.raises(TypeError, match=r"^data yields"):
        predict(network(), bad)


def test_a_loss_of_ones_own_is_taken_as_it_is():
    model = network(nn.Linear(3, 3), nn.Softmax(1))
    history = train(model, (XC, YC), loss=lambda output, y: F.cross_entropy(output, y))
    assert len(history) == 3


class Once:
    """An iterable that is empty from its second reading on."""

    def __init__(self, batches):
        self.batches = iter(batches)

    def __iter__(self):
        return self.batches


def test_batches_that_can_be_read_once_only_do_not_make_empty_epochs():
    with pytest.raises(ValueError, match=r"no batches in epoch 2.*only once") as caught:
        train(network(), Once([(X, Y)]))
    assert len(caught.value.history) == 1
    with pytest.raises(ValueError, match="train is empty"):
        train(network(), Once([]))
    with pytest.raises(ValueError, match="starts anew"):
        train(network(), (X, Y), Once([(X, Y)]))


def test_a_frozen_parameter_may_stay_out_of_the_optimizer():
    model = network(nn.Linear(3, 3), nn.Linear(3, 1))
    stuck(model[0])
    before = weights(model[0])
    train(model, (X, Y), optimizer=SGD(model[1].parameters(), lr=0.1))
    assert same(weights(model[0]), before)


# --- checkpoints ------------------------------------------------------------------------


def run(folder, epochs, stop=None, *, kind="batches", name="run.pt", **options):
    """A run with all that has a state: dropout, batch norm, momentum, schedule, order."""
    model = network(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 3))
    optimizer = Adam(model.parameters(), lr=0.01)
    cycle = schedulers.OneCycleLR(optimizer, 0.05, total_steps=24)
    x, y = classes()
    data = (x, y) if kind == "batches" else DataLoader(TensorDataset(x, y), 8, shuffle=True)

    def interrupt(model, step):
        if step == stop:
            raise KeyboardInterrupt

    history = train(
        model, data, (x, y), loss=LOGITS, optimizer=optimizer, epochs=epochs, scheduler=cycle,
        scheduler_interval="batch", after_backward=interrupt, metrics="accuracy",
        checkpoint=folder / name, **options,
    )  # fmt: skip
    return model, history


@pytest.mark.parametrize("kind", ["batches", "loader"])
@settings(max_examples=6)
@given(stop=st.integers(4, 23))
def test_resumed_equals_uninterrupted_bit_for_bit(tmp_path_factory, kind, stop):
    folder = tmp_path_factory.mktemp("resume")
    whole_model, whole = run(folder, 6, kind=kind, name="whole.pt")
    _, part = run(folder, 6, stop, kind=kind)
    assert (len(part), part.stopped) == (stop // 4, "interrupted")
    torch.rand(7)  # the world goes on in between
    model, history = run(folder, 6, kind=kind, resume=True)
    assert history == whole
    for a, b in zip(model.state_dict().values(), whole_model.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_resuming_a_finished_run_trains_no_further(tmp_path):
    model, history = run(tmp_path, 3)
    again, same_history = run(tmp_path, 3, resume=True)
    assert same_history == history
    assert same(weights(again), weights(model))


def test_an_existing_checkpoint_is_not_overwritten_by_accident(tmp_path):
    run(tmp_path, 1)
    before = (tmp_path / "run.pt").read_bytes()
    with pytest.raises(FileExistsError, match="resume=True"):
        run(tmp_path, 1)
    assert (tmp_path / "run.pt").read_bytes() == before
    with pytest.raises(FileNotFoundError, match="no folder"):
        run(tmp_path / "none", 1)


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    run(tmp_path, 1)
    path = tmp_path / "run.pt"
    model = network(nn.Linear(3, 4))
    before = weights(model)
    with pytest.raises(ValueError, match=r"another model: 0.bias.*differ"):
        train(model, (XC, YC), loss=LOGITS, checkpoint=path, resume=True)
    assert same(weights(model), before)
    model = network(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 3))
    with pytest.raises(ValueError, match="with optimizer Adam, but this run has SGD"):
        train(model, (XC, YC), loss=LOGITS, checkpoint=path, resume=True)
    path.write_bytes(b"something else")
    with pytest.raises(ValueError, match="not a checkpoint"):
        run(tmp_path, 2, resume=True)


def test_a_full_disk_in_epoch_2_keeps_the_older_checkpoint_and_the_history(tmp_path, monkeypatch):
    path = tmp_path / "run.pt"

    def fill(model, step):
        if step == 3:
            monkeypatch.setattr(os, "fsync", full)

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    model = network()
    with pytest.raises(OSError, match="the older checkpoint there is whole") as caught:
        train(model, (X, Y), checkpoint=path, after_backward=fill)
    assert len(caught.value.history) == 2
    assert len(load(path)["rows"]) == 1


def test_the_best_weights_are_in_the_checkpoint(tmp_path):
    model = network()
    kept = {}

    def keep(model, step):
        kept[step] = weights(model)

    train(model, (X, Y), (X, -Y), checkpoint=tmp_path / "run.pt", after_backward=keep)
    best = load(tmp_path / "run.pt")["best"]
    assert same(best.values(), kept[3]), "epoch 1"


def test_the_best_epoch_of_before_stays_the_best_after_resuming(tmp_path):
    model, path = network(), tmp_path / "run.pt"
    kept = {}

    def keep(model, step):
        kept[step] = weights(model)

    train(model, (X, Y), (X, -Y), epochs=2, checkpoint=path, after_backward=keep)
    again = network()
    history = train(again, (X, Y), (X, -Y), epochs=4, patience=9, checkpoint=path, resume=True)
    assert history.best_epoch == 1
    assert same(weights(again), kept[3])


def test_history_is_a_history():
    assert isinstance(train(network(), (X, Y)), History)
