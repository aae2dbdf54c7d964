"""Means of numbers that stay on the device."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dlnotes.training import means as module
from dlnotes.training.means import Means

numbers = st.floats(-1e3, 1e3, width=32)


@given(
    st.lists(st.tuples(st.integers(1, 9), numbers, numbers, st.integers(0, 3)), min_size=1),
    st.sampled_from([1, 5, 4096]),
)
def test_means_are_weighted_and_rows_may_be_ragged(batches, block):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)
        means = Means()
        for size, a, b, extra in batches:
            means.add(size, [torch.tensor(a), torch.tensor(b), *[torch.tensor(7.0)] * extra])
        rows = means.read()
    assert [row[2:] for row in rows] == [[7.0] * extra for *_, extra in batches]
    samples = sum(size for size, *_ in batches)
    expected = [math.fsum(b[0] * b[k] for b in batches) / samples for k in (1, 2)]
    found = means.over(["loss", "mae"], rows)
    assert list(found.values()) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_a_row_of_weight_0_does_not_count_even_as_nan():
    means = Means()
    means.add(2, [torch.tensor(3.0)])
    means.add(0, [torch.tensor(math.nan)])
    assert means.over(["loss"], means.read()) == {"loss": 3.0}
