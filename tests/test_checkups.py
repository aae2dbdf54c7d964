"""What `checkup` finds in networks with planted faults, and that it changes nothing."""

import copy
import math

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
    assert repr(report).endswith("- Nothing found.")


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
    assert math.isnan(report.loss)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_hole_in_the_data_is_found(value):
    x, y = batch()
    x[7, 2] = value
    assert "The input holds 1 value(s) that are nan or infinite." in found(network(), (x, y))


def test_targets_that_are_all_the_same_are_found():
    x, y = batch()
    assert "Every target of the batch is the same" in found(network(), (x, y * 0))


def own_loss(output, y):
    return ((output - y) ** 2).mean()


def test_shapes_that_a_loss_of_ones_own_broadcasts_are_found():
    x, _ = batch()
    model = network(outputs=1)
    assert "The output is (30, 1) and the target (30,)" in found(model, (x, x[:, 0]), own_loss)
    assert found(model, (x, x[:, :1]), own_loss) == ""


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
        (own_loss, torch.tensor([[1.0], [3.0], [1.0], [3.0]]), math.nan),
    ],
)
def test_the_loss_of_a_constant_answer(loss, y, constant):
    model = network(outputs=2 if loss is CROSS_ENTROPY else 1)
    report = checkup(model, (batch(4)[0], y), loss=loss)
    assert report.constant == pytest.approx(constant, abs=1e-4, nan_ok=True)
    assert ("constant" in report.summary) != math.isnan(constant)


@pytest.mark.parametrize("training", [True, False])
def test_nothing_changes(training):
    model = network(nn.BatchNorm1d(8), nn.Dropout(0.5)).train(training)
    model[0].weight.grad = torch.ones(8, 4)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    optimizer.step()
    state, slots = copy.deepcopy((model.state_dict(), optimizer.state_dict()))
    before = torch.get_rng_state()
    checkup(model, batch(), loss=CROSS_ENTROPY, optimizer=optimizer)
    assert torch.equal(torch.get_rng_state(), before)
    assert model.training is training
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert str(optimizer.state_dict()) == str(slots)
    assert torch.equal(model[0].weight.grad, torch.ones(8, 4))
    assert not model[0]._forward_hooks


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
        ({"batch": torch.zeros(3, 4).numpy()}, TypeError, "batch yields a ndarray"),
        ({"batch": batch(1)}, ValueError, r"the batch has 1 sample\(s\).*: pass at least two"),
        ({"loss": nn.CrossEntropyLoss}, TypeError, r"pass e\.g\. CrossEntropyLoss\(\)"),
        ({"optimizer": 0.1}, TypeError, "optimizer must be a torch.optim.Optimizer, not float"),
    ],
)
def test_what_cannot_be_looked_at_is_refused(arguments, error, message):
    given = {"model": network(), "batch": batch(), "loss": CROSS_ENTROPY} | arguments
    with pytest.raises(error, match=message):
        checkup(given.pop("model"), given.pop("batch"), **given)
