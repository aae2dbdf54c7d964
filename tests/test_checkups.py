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


def filled_root():
    model = nn.Linear(4, 3)
    nn.init.constant_(model.weight, 0.0)
    model.weight.requires_grad_(False)
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
        (filled("0.weight", math.nan), "0.weight: the parameters themselves hold nan"),
        (filled("0.weight", math.inf), "0 (Linear): the first output with nan or infinity"),
        (network(Root()), "1 (Root): the first output with nan or infinity"),
        (network(Cut()), "0.weight, 0.bias: no gradient arrives"),
        (
            frozen(),
            "0.weight, 0.bias: requires_grad is False, so it stays as it is: is that meant?",
        ),
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


def test_infinity_for_all_samples_is_not_called_stuck_as_well():
    report = found(filled("0.bias", math.inf))
    assert "0 (Linear): the first output with nan or infinity" in report
    assert "the same for every sample" not in report


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


def squeezed(output, y):
    return own_loss(output.squeeze(1), y)


def test_a_loss_of_ones_own_that_broadcasts_is_found():
    x, labels = batch()
    model = network(outputs=1)
    message = "does own_loss compare each output with every target? They are (30, 1) and (30,)."
    assert message in found(model, (x, x[:, 0]), own_loss)
    assert message in found(model, (x, labels), own_loss)
    assert found(model, (x, x[:, :1]), own_loss) == ""
    assert found(model, (x, x[:, 0]), squeezed) == ""


class Positions(nn.Module):
    """Adds what it knows of each position, which is the same for every sample."""

    def __init__(self, whole_batch):
        super().__init__()
        self.embedding, self.whole_batch = nn.Embedding(4, 1), whole_batch
        self.answer = nn.Linear(4, 3)

    def forward(self, x):
        places = torch.arange(4)[None]
        places = places.expand(len(x), -1) if self.whole_batch else places
        return self.answer(x + self.embedding(places)[..., 0])


@pytest.mark.parametrize("whole_batch", [True, False])
def test_what_does_not_get_the_input_cannot_lose_it(whole_batch):
    assert found(Positions(whole_batch)) == ""


def test_a_start_from_zero_is_asked_about_and_not_called_broken():
    model = filled("2.weight", 0.0)
    first, second = checkup(model, batch(), loss=CROSS_ENTROPY).findings
    assert first.startswith("2 (Linear): its weights start from zero")
    assert first.endswith("is that meant?")
    assert second == "0.weight, 0.bias: the gradient is exactly zero: is it still, after an update?"
    CROSS_ENTROPY(model(batch()[0]), batch()[1]).backward()
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    assert found(model) == ""


def test_a_residual_branch_that_starts_from_zero_is_asked_about():
    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.BatchNorm1d(8)
            nn.init.zeros_(self.norm.weight)

        def forward(self, h):
            return h + self.norm(h)

    (finding,) = checkup(network(Residual()), batch(), loss=CROSS_ENTROPY).findings
    assert finding.startswith("1.norm (BatchNorm1d): its weights start from zero")


def test_only_the_first_layer_that_is_stuck_is_named():
    dead = filled("0.bias", -100.0)
    assert found(dead).count("its output is the same for every sample") == 1


def test_targets_that_are_all_ignored_are_found():
    x, y = batch()
    findings = checkup(network(), (x, torch.full_like(y, -100)), loss=CROSS_ENTROPY).findings
    assert findings[0].startswith("Every target is -100, which the loss ignores")


def test_torchs_loss_is_refused_as_fit_does():
    x, _ = batch()
    message = found(network(outputs=1), (x, x[:, 0]), nn.MSELoss())
    assert "MSELoss needs output and target of one shape" in message


def test_a_loss_that_breaks_by_itself_is_told_from_a_broken_layer():
    def log_of_zero(output, y):
        return -(output * 0).log().mean()

    (*others, first) = reversed(checkup(network(), batch(), loss=log_of_zero).findings)
    assert first.startswith("The loss is inf and every output is finite")
    assert not any("change places" in other for other in others)


def test_a_forward_that_breaks_by_itself_is_told_from_the_loss():
    class Rooted(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(4, 3)

        def forward(self, x):
            return self.linear(x).sqrt()

    assert found(Rooted()).startswith("Every layer's output is finite and the model's is not")


def test_a_loss_that_is_refused_makes_no_update():
    model = network().append(nn.Softmax(1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    report = checkup(model, batch(), loss=CROSS_ENTROPY, optimizer=optimizer)
    assert {row[5:] for row in report.layers.rows} == {("–", "–")}
    assert [row[0] for row in report.layers.rows] == ["input", "0", "1", "2", "3"]
    assert report.loss is None
    assert report.summary == "loss: not computed"


def test_a_function_of_torch_keeps_its_name_at_the_start_of_a_sentence():
    message = found(network().append(nn.Softmax(1)), loss=nn.functional.cross_entropy)
    assert message.startswith("cross_entropy takes logits")


def test_a_softmax_over_the_samples_is_found():
    nll = nn.NLLLoss()
    assert "over the classes, axis 1" in found(network().append(nn.LogSoftmax(0)), loss=nll)
    assert found(network().append(nn.LogSoftmax(1)), loss=nll) == ""


def test_a_network_of_one_layer_has_a_name():
    assert found(filled_root()).startswith("model (Linear): its output is the same")


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


RARE = torch.tensor([0, 0, 0, 1])
YES = torch.tensor([[0.0], [0.0], [0.0], [1.0]])
SKEWED = torch.tensor([[1.0], [1.0], [2.0], [9.0]])


@pytest.mark.parametrize(
    ("loss", "y"),
    [
        (CROSS_ENTROPY, RARE),
        (nn.functional.cross_entropy, RARE),
        (nn.CrossEntropyLoss(weight=torch.tensor([1.0, 9.0])), RARE),
        (nn.CrossEntropyLoss(weight=torch.tensor([0.0, 9.0])), RARE),
        (nn.CrossEntropyLoss(label_smoothing=0.3), RARE),
        (nn.CrossEntropyLoss(torch.tensor([1.0, 4.0]), label_smoothing=0.2), RARE),
        (nn.CrossEntropyLoss(ignore_index=0), torch.tensor([0, 1, 1, 0])),
        (nn.CrossEntropyLoss(), torch.tensor([[0.2, 0.8], [0.5, 0.5], [1.0, 0.0], [0.9, 0.1]])),
        (nn.BCEWithLogitsLoss(), YES),
        (nn.BCEWithLogitsLoss(pos_weight=torch.tensor([9.0])), YES),
        (nn.BCEWithLogitsLoss(weight=torch.tensor([[1.0], [2.0], [1.0], [5.0]])), YES),
        (nn.MSELoss(), SKEWED),
        (nn.L1Loss(), SKEWED),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_no_constant_answer_costs_less(loss, y, dtype):
    loss = copy.deepcopy(loss).to(dtype) if isinstance(loss, nn.Module) else loss
    labels = not y.is_floating_point() or y.shape[1] == 2
    y = y.to(dtype) if y.is_floating_point() else y
    model = network(outputs=2 if labels else 1).to(dtype)
    report = checkup(model, (batch(4)[0].to(dtype), y), loss=loss)
    grid = torch.linspace(-12, 12, 24001, dtype=dtype)[:, None]
    answers = torch.cat([torch.zeros_like(grid), grid], 1) if labels else grid
    costs = torch.func.vmap(lambda answer: loss(answer.expand(4, -1), y))(answers)
    assert report.constant == pytest.approx(costs.min().item(), abs=2e-5)
    assert "constant" in report.summary


def test_log_probabilities_have_the_constant_of_their_logits():
    weight, data = torch.tensor([1.0, 2.0, 4.0]), batch()
    logits = checkup(network(), data, loss=nn.CrossEntropyLoss(weight))
    report = checkup(network().append(nn.LogSoftmax(1)), data, loss=nn.NLLLoss(weight))
    assert report.constant == pytest.approx(logits.constant)


@pytest.mark.parametrize("loss", [own_loss, nn.HuberLoss()])
def test_where_the_best_constant_answer_is_not_known_none_is_given(loss):
    report = checkup(network(outputs=1), (batch(4)[0], SKEWED), loss=loss)
    assert math.isnan(report.constant)
    assert "constant" not in report.summary


class Noisy(nn.Module):
    """Draws with three generators, and keeps what it computed, as hooks for features do."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 3)
        self.kept = {}

    def forward(self, x):
        self.kept["last"] = self.linear(x + random.random() + np.random.rand())  # noqa: NPY002
        return self.kept["last"] + torch.rand(())


def test_in_the_middle_of_a_training_other_generators_and_activations_stay():
    model = Noisy()
    kept = model(batch()[0]) * 0 + model.kept["last"]
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    expected = random.Random(0).random(), np.random.RandomState(0).rand()
    checkup(model, batch(), loss=CROSS_ENTROPY)
    assert (random.random(), np.random.rand()) == expected  # noqa: NPY002
    assert torch.equal(model.kept["last"], kept)
    assert model.kept["last"].requires_grad


def test_a_loss_with_parameters_is_left_as_it_is():
    class Tempered(nn.Module):
        def __init__(self):
            super().__init__()
            self.t, self.calls = nn.Parameter(torch.ones(())), 0

        def forward(self, output, y):
            self.calls += 1
            return nn.functional.cross_entropy(output / self.t, y)

    loss = Tempered()
    assert math.isfinite(checkup(network(), batch(), loss=loss).loss)
    assert loss.t.grad is None
    assert loss.calls == 0


def test_a_model_that_cannot_be_copied_is_refused():
    model = network()
    model.source = iter(n for n in range(3))
    with pytest.raises(TypeError, match=r"cannot be copied .*: keep out of them what"):
        checkup(model, batch(), loss=CROSS_ENTROPY)


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
        ({"batch": torch.zeros(3, 4).numpy()}, TypeError, "not ndarray"),
        ({"batch": iter([batch()])}, TypeError, r"pass next\(iter\(loader\)\)"),
        ({"batch": batch(1)}, ValueError, r"the batch has 1 sample\(s\).*: pass at least two"),
        ({"loss": nn.CrossEntropyLoss}, TypeError, r"pass e\.g\. CrossEntropyLoss\(\)"),
        ({"optimizer": 0.1}, TypeError, "optimizer must be a torch.optim.Optimizer, not float"),
    ],
)
def test_what_cannot_be_looked_at_is_refused(arguments, error, message):
    given = {"model": network(), "batch": batch(), "loss": CROSS_ENTROPY} | arguments
    with pytest.raises(error, match=message):
        checkup(given.pop("model"), given.pop("batch"), **given)
