"""Metrics by name and by function."""

import pytest
import torch
from sklearn.metrics import accuracy_score, mean_absolute_error, mean_squared_error

from dlnotes.training import metrics


def test_they_agree_with_scikit_learn():
    torch.manual_seed(0)
    scores, labels = torch.randn(50, 4), torch.randint(0, 4, (50,))
    assert metrics.accuracy(scores, labels).item() == pytest.approx(
        accuracy_score(labels, scores.argmax(1))
    )
    logits, truth = torch.randn(50, 1), torch.randint(0, 2, (50, 1)).float()
    assert metrics.accuracy(logits, truth).item() == pytest.approx(
        accuracy_score(truth, logits > 0)
    )
    a, b = torch.randn(2, 50, 1)
    assert metrics.mae(a, b).item() == pytest.approx(mean_absolute_error(b, a))
    assert metrics.mse(a, b).item() == pytest.approx(mean_squared_error(b, a))


def test_sequences_count_each_place():
    scores = torch.zeros(2, 3, 4)
    scores[:, 1] = 1
    target = torch.tensor([[1, 1, 1, 0], [1, 0, 0, 0]])
    assert metrics.accuracy(scores, target).item() == 0.5


@pytest.mark.parametrize("name", ["accuracy", "mae", "mse"])
def test_shapes_that_do_not_fit_are_refused(name):
    with pytest.raises(ValueError, match="got"):
        metrics.KNOWN[name](torch.zeros(4, 2), torch.zeros(3))


def test_names():
    def half(output, target):
        return torch.tensor(0.5)

    assert list(metrics.named([half, "mse"])) == ["half", "mse"]
    assert metrics.named("mae") == {"mae": metrics.mae}
    for bad, error in ((["mae", "mae"], ValueError), ([3], TypeError), ("auc", ValueError)):
        with pytest.raises(error):
            metrics.named(bad)
