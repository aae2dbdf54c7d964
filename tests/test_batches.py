"""Batches: every sample once an epoch, in an order that the seed fixes."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from dlnotes.runtime import seed_everything
from dlnotes.training import Batches
from dlnotes.training import batches as module
from dlnotes.training.feeds import as_batches


@settings(max_examples=60)
@given(
    n=st.integers(1, 70),
    size=st.integers(1, 80),
    shuffle=st.booleans(),
    seed=st.integers(0, 2**31 - 1),
    at_once=st.sampled_from([1, 7, 2**20]),
)
def test_every_sample_once_an_epoch(n, size, shuffle, seed, at_once):
    batches = Batches(torch.arange(n), -torch.arange(n), size, shuffle=shuffle, seed=seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "GATHERED", at_once)
        for _ in range(2):
            pairs = list(batches)
            x, y = (torch.cat(parts) for parts in zip(*pairs, strict=True))
            assert sorted(x.tolist()) == list(range(n))
            assert torch.equal(x, -y), "a target left its input"
            assert len(pairs) == len(batches) == -(-n // size)
            assert all(len(x) == size for x, _ in pairs[:-1])
            if not shuffle:
                assert x.tolist() == list(range(n))


@settings(max_examples=30)
@given(n=st.integers(1, 50), size=st.integers(1, 50))
def test_drop_last_keeps_whole_batches_only(n, size):
    if n < size:
        with pytest.raises(ValueError, match="smaller batch_size"):
            Batches(torch.arange(n), batch_size=size, drop_last=True)
        return
    pairs = list(Batches(torch.arange(n), batch_size=size, drop_last=True))
    assert [len(x) for x, _ in pairs] == [size] * (n // size)
    assert len({int(v) for x, _ in pairs for v in x}) == n // size * size


def order(batches):
    return torch.cat([x for x, _ in batches]).tolist()


def test_seed_fixes_the_order_and_epochs_differ():
    one, two = (Batches(torch.arange(100), seed=3) for _ in range(2))
    first = order(one)
    assert first == order(two)
    assert order(one) == order(two) != first
    assert order(Batches(torch.arange(100), seed=4)) != first


def test_a_seed_from_numpy_is_a_seed():
    assert order(Batches(torch.arange(100), seed=np.int64(3))) == order(
        Batches(torch.arange(100), seed=3)
    )


def test_without_a_seed_the_global_one_decides():
    seed_everything(5)
    one = order(Batches(torch.arange(50)))
    seed_everything(5)
    assert order(Batches(torch.arange(50))) == one


def test_order_does_not_draw_from_the_global_generator():
    batches = Batches(torch.arange(50), seed=1)
    before = torch.get_rng_state()
    list(batches)
    assert torch.equal(torch.get_rng_state(), before)


def test_moved_batches_share_the_order():
    batches = Batches(torch.arange(9), seed=0)
    moved = batches.to("cpu")
    first = order(moved)
    assert order(batches) != first, "the second epoch, although another object draws it"
    assert order(Batches(torch.arange(9), seed=0)) == first


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
@pytest.mark.parametrize(
    ("targets", "size"), [(None, 80), (torch.zeros(10, dtype=torch.int16), 100)], ids=["x", "x, y"]
)
def test_data_stays_where_it_is_if_it_takes_more_than_half_of_the_memory(
    targets, size, monkeypatch
):
    batches = Batches(torch.zeros(10, 2), targets)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (2 * size - 1, 10**9))
    moved = batches.to("cuda")
    assert moved.pin
    assert moved.x is batches.x
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (2 * size, 10**9))
    with pytest.raises((AssertionError, RuntimeError)):  # it fits, but there is no such device
        batches.to("cuda")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.zeros(3),), TypeError, "x must be a tensor.*torch.as_tensor"),
        ((torch.zeros(3), [1, 2, 3]), TypeError, "y must be a tensor"),
        ((torch.zeros(3), torch.zeros(2)), ValueError, "x has 3 samples and y has 2"),
        ((torch.zeros(0, 4),), ValueError, "no samples"),
        ((torch.tensor(1.0),), ValueError, "scalar"),
        ((torch.zeros(3), torch.zeros(3), 0), ValueError, "batch_size must be a positive"),
        ((torch.zeros(3), torch.zeros(3), 2.5), ValueError, "batch_size must be a positive"),
    ],
)
def test_batches_refuse(arguments, error, message):
    with pytest.raises(error, match=message):
        Batches(*arguments)


class Squares(Dataset):
    def __len__(self):
        return 5

    def __getitem__(self, k):
        return torch.tensor([float(k)]), torch.tensor([float(k * k)])


class Stream(IterableDataset):
    def __iter__(self):
        return iter([(torch.tensor([1.0]), torch.tensor([2.0]))] * 5)


@pytest.mark.parametrize(
    "source",
    [
        torch.arange(5.0).unsqueeze(1),
        (torch.zeros(5, 1), torch.zeros(5, 1)),
        [torch.zeros(5, 1), torch.zeros(5, 1)],
        TensorDataset(torch.zeros(5, 1), torch.zeros(5, 1)),
        Squares(),
        Stream(),
        DataLoader(Squares(), 2),
        [(torch.zeros(2, 1), torch.zeros(2, 1))] * 2 + [(torch.zeros(1, 1), torch.zeros(1, 1))],
    ],
    ids=lambda source: type(source).__name__,
)
def test_whatever_holds_samples_becomes_batches(source):
    batches = as_batches(source, 2, shuffle=False)
    for _ in range(2):
        assert [len(x) for x, _ in batches] == [2, 2, 1]


def test_a_tensor_dataset_is_not_collated_sample_by_sample():
    pair = TensorDataset(torch.zeros(5, 1), torch.zeros(5, 1))
    assert isinstance(as_batches(pair, 2, shuffle=True), Batches)


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ((torch.zeros(2),) * 3, TypeError, "holds 3 tensors"),
        (iter([1]), TypeError, "once only.*list"),
        (np.zeros((2, 2)), TypeError, "torch.as_tensor"),
        (None, TypeError, "not NoneType"),
        ({"x": 1}, TypeError, "not dict"),
        ([], ValueError, "train is empty"),
        (TensorDataset(torch.zeros(0, 1), torch.zeros(0, 1)), ValueError, "no samples"),
        (torch.utils.data.Subset(Squares(), []), ValueError, "train is empty"),
    ],
)
def test_what_cannot_be_batches_is_refused(source, error, message):
    with pytest.raises(error, match=message):
        as_batches(source, 2, shuffle=True)
