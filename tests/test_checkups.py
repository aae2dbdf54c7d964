"""What `checkup` finds in networks with planted faults, and that it changes nothing."""

import copy
import math
import random

import numpy as np
import pytest
import torch
from torch import nn

from dlnotes.training import checkup

CROSS_ENTROPY = nn.CrossEntropyLoss()


def network(*middle, inputs=4, outputs=3):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(inputs, 8), *middle, nn.ReLU(), nn.Linear(8, outputs))


def batch(samples=30, inputs=4):
    draw = torch.Generator().manual_seed(1)
    return torch.randn(samples, inputs, generator=draw), torch.arange(samples) % 3


def found(model, data=None, loss=CROSS_ENTROPY, **options):
    return "\n".join(checkup(model, data or batch(), loss=loss, **options).findings)


class Cut(nn.Module):
    def forward(self, h):
        return h.detach()


class Root(nn.Module):
    def forward(self, h):
        return h.sqrt()


def filled(name, value):
    model = network()
    nn.init.constant_(model.get_parameter(name), value)
    return model


def frozen():
    model = network()
    model[0].requires_grad_(False)
    return model


def test_nothing_is_found_in_a_network_that_learns():
    model = network(nn.BatchNorm1d(8), nn.Dropout(0.5))
    optimizer = torch.optim.Adam(model.parameters())
    report = checkup(model, batch(), loss=CROSS_ENTROPY, optimizer=optimizer)
    assert report.findings == ()
    assert repr(report).splitlines()[1] == "- Nothing found."


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (filled("0.bias", -100.0), "1 (ReLU): its output is the same for every sample"),
        (filled("0.bias", -100.0), "0.weight, 0.bias, 2.weight: the gradient is exactly zero."),
        (filled("2.weight", 0.0), "2 (Linear): its output is the same for every sample"),
        (filled("0.weight", math.nan), "0.weight: the parameters themselves hold nan"),
        (filled("0.weight", math.inf), "0 (Linear): the first output with nan or infinity"),
        (network(Root()), "1 (Root): the first output with nan or infinity"),
        (network(Cut()), "0.weight, 0.bias: no gradient arrives"),
        (frozen(), "0.weight, 0.bias: requires_grad is False"),
        (network(nn.Flatten(0)), "The model cannot take its input"),
        (network().append(nn.Softmax(1)), "takes logits, but the model returns probabilities"),
        (network(outputs=2), "labels run from 0 to 2, but the model has 2 outputs"),
    ],
)
def test_a_fault_of_the_network_is_found(model, message):
    assert message.lower() in found(model).lower()


def test_the_layer_that_breaks_is_named_and_not_those_after_it():
    report = checkup(network(Root()), batch(), loss=CROSS_ENTROPY)
    (finding,) = report.findings
    assert finding.startswith("1 (Root)")
    assert report.loss is not None
    assert math.isnan(report.loss)


def test_what_forward_does_between_the_layers_is_told_from_the_loss():
    class Rooted(nn.Linear):
        def forward(self, x):
            return super().forward(x).sqrt()

    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(4, 3)

        def forward(self, x):
            return self.inner(x).sqrt()

    assert found(Rooted(4, 3)).startswith("model (Rooted): the first output")
    report = checkup(Outer(), batch(), loss=CROSS_ENTROPY)
    assert [row[0] for row in report.layers.rows] == ["input", "inner", "output"]
    assert report.findings[0].startswith("output: the first output with nan or infinity")


def test_a_refused_loss_leaves_no_numbers_that_look_like_symptoms():
    model = network().append(nn.Softmax(1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    report = checkup(model, batch(), loss=CROSS_ENTROPY, optimizer=optimizer)
    assert report.loss is None
    assert report.summary == "loss: not computed"
    assert {row[5:] for row in report.layers.rows} == {("–", "–")}
    message = found(model, loss=nn.functional.cross_entropy)
    assert message.startswith("cross_entropy takes logits")


def test_a_softmax_over_the_samples_is_found():
    nll = nn.NLLLoss()
    assert "over the classes, axis 1" in found(network().append(nn.LogSoftmax(0)), loss=nll)
    report = checkup(network().append(nn.LogSoftmax(1)), batch(), loss=nll)
    assert report.findings == ()
    assert report.constant == pytest.approx(math.log(3))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_hole_in_the_data_is_found(value):
    x, y = batch()
    x[7, 2] = value
    assert "The input holds 1 value(s) that are nan or infinite." in found(network(), (x, y))


def test_targets_that_are_all_the_same_or_ignored_are_found():
    x, y = batch()
    assert "Every target of the batch is the same" in found(network(), (x, y * 0))
    assert "is the one that CrossEntropyLoss ignores" in found(network(), (x, y * 0 - 100))


def test_only_the_first_layer_that_blocks_is_named():
    assert found(filled("0.bias", -100.0)).count("nothing of the input passes") == 1


def test_a_layer_that_gets_no_input_of_the_samples_is_not_blamed():
    class Placed(nn.Module):
        def __init__(self):
            super().__init__()
            self.place, self.answer = nn.Embedding(4, 4), nn.Linear(4, 3)

        def forward(self, x):
            places = torch.arange(4).expand(len(x), 4)
            return self.answer(x.unsqueeze(2) + self.place(places)).mean(1)

    report = checkup(Placed(), batch(), loss=CROSS_ENTROPY)
    assert report.layers.rows[1][3] == "1.00"
    assert report.findings == ()


def own_loss(output, y):
    return ((output - y) ** 2).mean()


@pytest.mark.parametrize("integer", [False, True])
def test_a_loss_of_ones_own_that_broadcasts_is_found(integer):
    x, labels = batch()
    y = labels if integer else x[:, 0]
    assert "Are (30, 1) and (30,) broadcast?" in found(network(outputs=1), (x, y), own_loss)


@pytest.mark.parametrize(
    "loss", [own_loss, lambda output, y: nn.functional.mse_loss(output.squeeze(1), y.squeeze(1))]
)
def test_a_loss_of_ones_own_that_compares_each_sample_with_its_target_is_not(loss):
    x, _ = batch()
    assert found(network(outputs=1), (x, x[:, :1]), loss) == ""
    model = filled("2.weight", 0.0)  # all outputs alike: no loss can tell them apart
    assert "broadcast" not in found(model, (x, x[:, :3]), own_loss)


def test_torchs_loss_is_refused_as_fit_does():
    x, _ = batch()
    message = found(network(outputs=1), (x, x[:, 0]), nn.MSELoss())
    assert "MSELoss needs output and target of one shape" in message


def test_a_loss_that_breaks_by_itself_is_told_from_a_broken_layer():
    def log_of_zero(output, y):
        return -(output * 0).log().mean()

    assert "The loss is inf and every output is finite" in found(network(), loss=log_of_zero)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (lambda model: model[2].parameters(), "['0.weight', '0.bias'], which would stay"),
        (lambda model: network().parameters(), "holds none of the model's parameters"),
    ],
)
def test_an_optimizer_of_other_parameters_is_found(parameters, message):
    model = network()
    optimizer = torch.optim.SGD(parameters(model), lr=0.1)
    assert message in found(model, optimizer=optimizer)


def test_numbers_are_those_of_one_step():
    model, (x, y) = network(), batch()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    report = checkup(model, (x, y), loss=CROSS_ENTROPY, optimizer=optimizer)
    CROSS_ENTROPY(model(x), y).backward()
    hidden = model[0](x)
    gradient = torch.cat([p.grad.ravel() for p in model[0].parameters()]).norm().item()
    weights = torch.cat([p.ravel() for p in model[0].parameters()]).norm().item()
    assert report.layers.rows[0][:2] == ("input", "")
    row = report.layers.rows[1]
    assert row[:2] == ("0", "Linear")
    assert float(row[2]) == pytest.approx(hidden.square().mean().sqrt().item(), rel=0.01)
    assert float(row[5]) == pytest.approx(gradient, rel=0.05)
    assert float(row[6]) == pytest.approx(0.1 * gradient / weights, rel=0.5)
    assert report.loss == pytest.approx(CROSS_ENTROPY(model(x), y).item())
    assert report.constant == pytest.approx(math.log(3))


def test_the_two_modes_are_told_apart():
    report = checkup(network(nn.Dropout(0.9)), batch(), loss=CROSS_ENTROPY)
    assert abs(report.loss - report.loss_in_use) > 0.01
    report = checkup(network(), batch(), loss=CROSS_ENTROPY)
    assert report.loss == pytest.approx(report.loss_in_use)


@pytest.mark.parametrize(
    ("loss", "y", "constant"),
    [
        (CROSS_ENTROPY, torch.tensor([0, 0, 0, 1]), 0.5623),
        (nn.BCEWithLogitsLoss(), torch.tensor([[0.0], [0.0], [0.0], [1.0]]), 0.5623),
        (nn.MSELoss(), torch.tensor([[1.0], [3.0], [1.0], [3.0]]), 1.0),
        (nn.L1Loss(), torch.tensor([[0.0], [0.0], [0.0], [4.0]]), 1.0),
        (own_loss, torch.tensor([[1.0], [3.0], [1.0], [3.0]]), math.nan),
        (nn.HuberLoss(), torch.tensor([[1.0], [3.0], [1.0], [3.0]]), math.nan),
        (nn.CrossEntropyLoss(torch.tensor([1.0, 9.0])), torch.tensor([0, 0, 0, 1]), math.nan),
        (nn.CrossEntropyLoss(label_smoothing=0.3), torch.tensor([0, 0, 0, 1]), math.nan),
        (nn.BCEWithLogitsLoss(pos_weight=torch.tensor([9.0])), torch.ones(4, 1), math.nan),
    ],
)
def test_the_loss_of_a_constant_answer(loss, y, constant):
    model = network(outputs=2 if isinstance(loss, nn.CrossEntropyLoss) else 1)
    report = checkup(model, (batch(4)[0], y), loss=loss)
    assert report.constant == pytest.approx(constant, abs=1e-4, nan_ok=True)
    assert ("constant" in report.summary) != math.isnan(constant)


@pytest.mark.parametrize("training", [True, False])
def test_nothing_changes(training):
    class Noise(nn.Module):
        def forward(self, h):
            return h + random.random() + np.random.rand()  # noqa: NPY002

    model = network(nn.BatchNorm1d(8), nn.Dropout(0.5), Noise()).train(training)
    model[0].weight.grad = torch.ones(8, 4)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    optimizer.step()
    state, slots = copy.deepcopy((model.state_dict(), optimizer.state_dict()))
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()  # noqa: NPY002
    checkup(model, batch(), loss=CROSS_ENTROPY, optimizer=optimizer)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert (np.random.get_state()[1] == before[2][1]).all()  # noqa: NPY002
    assert model.training is training
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert str(optimizer.state_dict()) == str(slots)
    assert torch.equal(model[0].weight.grad, torch.ones(8, 4))
    assert not model[0]._forward_hooks


def test_a_loss_with_parameters_is_left_alone():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale, self.calls = nn.Parameter(torch.ones(())), 0

        def forward(self, output, y):
            self.calls += 1
            return CROSS_ENTROPY(self.scale * output, y)

    loss = Scaled()
    checkup(network(), batch(), loss=loss)
    assert loss.scale.grad is None
    assert loss.calls == 0


def test_a_model_that_keeps_an_activation_is_refused_with_a_remedy():
    class Keeper(nn.Linear):
        def forward(self, x):
            self.last = super().forward(x)
            return self.last

    model = Keeper(4, 3)
    assert found(model) == ""
    model(batch()[0])
    with pytest.raises(ValueError, match=r"cannot be copied: .* set that to None first"):
        checkup(model, batch(), loss=CROSS_ENTROPY)


def test_layers_with_parts_and_pairs_have_their_row():
    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            self.read, self.scale = nn.LSTM(4, 5, batch_first=True), nn.Parameter(torch.ones(5))
            self.answer = nn.Linear(5, 3)

        def forward(self, x):
            return self.answer(self.read(x)[0][:, -1] * self.scale)

    x, y = torch.randn(6, 7, 4), torch.arange(6) % 3
    report = checkup(Reader(), (x, y), loss=CROSS_ENTROPY)
    assert [row[1] for row in report.layers.rows] == ["", "LSTM", "Linear", "Reader"]
    assert report.findings == ()


def test_it_shows_itself_as_text_and_as_html():
    report = checkup(network(nn.BatchNorm1d(8)), batch(), loss=CROSS_ENTROPY)
    assert "BatchNorm1d" in repr(report)
    html = report._repr_html_()
    assert "<td" in html
    assert "<li>Nothing found.</li>" in html
    assert "update / weights" not in html


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"model": "a network"}, TypeError, "model must be a torch.nn.Module"),
        ({"batch": torch.zeros(3, 4).numpy()}, TypeError, "not ndarray"),
        ({"batch": iter([batch()])}, TypeError, r"pass next\(iter\(loader\)\)"),
        ({"batch": ({}, torch.zeros(3))}, TypeError, "batch yields a tuple of dict, Tensor"),
        ({"batch": batch(1)}, ValueError, r"the batch has 1 sample\(s\).*: pass at least two"),
        ({"loss": nn.CrossEntropyLoss}, TypeError, r"pass e\.g\. CrossEntropyLoss\(\)"),
        ({"optimizer": 0.1}, TypeError, "optimizer must be a torch.optim.Optimizer, not float"),
    ],
)
def test_what_cannot_be_looked_at_is_refused(arguments, error, message):
    given = {"model": network(), "batch": batch(), "loss": CROSS_ENTROPY} | arguments
    with pytest.raises(error, match=message):
        checkup(given.pop("model"), given.pop("batch"), **given)
