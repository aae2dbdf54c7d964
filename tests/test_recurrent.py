"""Recurrent cells against torch: values, gradients, many networks at once, bad input."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from dlnotes.scratch import recurrent

LAYERS = {
    recurrent.rnn_cell: nn.RNN,
    recurrent.gru_cell: nn.GRU,
    recurrent.lstm_cell: nn.LSTM,
}
CELLS = pytest.mark.parametrize("cell", LAYERS, ids=lambda cell: cell.__name__)
SIZES = st.tuples(*[st.integers(1, 4)] * 4)  # batch, time, inputs, hidden


def weights_of(layer):
    names = [f"{name}_l0" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    return recurrent.Weights(*(getattr(layer, name) for name in names))


def drawn(cell, sizes, seed):
    """Return inputs and a layer of torch whose two biases differ."""
    batch, time, inputs, hidden = sizes
    generator = torch.Generator().manual_seed(seed)
    layer = LAYERS[cell](inputs, hidden, batch_first=True).double()
    for p in layer.parameters():
        p.data = torch.randn(p.shape, generator=generator, dtype=torch.float64)
    return torch.randn(batch, time, inputs, generator=generator, dtype=torch.float64), layer


@CELLS
@given(sizes=SIZES, seed=st.integers(0, 99), begun=st.booleans())
def test_layers_are_torchs_with_their_gradients(cell, sizes, seed, begun):
    x, layer = drawn(cell, sizes, seed)
    x.requires_grad_()
    first = torch.linspace(-1, 1, sizes[0] * sizes[3]).double().reshape(1, sizes[0], sizes[3])
    parts = 2 if cell is recurrent.lstm_cell else 1
    theirs_given = (first, first / 2) if parts == 2 else first
    ours_given = (first[0], first[0] / 2)[:parts]
    theirs, last = layer(x, theirs_given) if begun else layer(x)
    ours, state = recurrent.unroll(cell, x, weights_of(layer), ours_given if begun else None)
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12)
    for part, wanted in zip(state, last if parts == 2 else (last,), strict=True):
        torch.testing.assert_close(part, wanted[0], rtol=1e-9, atol=1e-12)
    everything = [x, *layer.parameters()]
    pull = torch.cos(torch.arange(theirs.numel()).double()).reshape(theirs.shape)
    for a, b in zip(
        torch.autograd.grad(ours, everything, pull),
        torch.autograd.grad(theirs, everything, pull),
        strict=True,
    ):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)


@CELLS
def test_one_call_runs_many_networks(cell):
    networks = [drawn(cell, (3, 5, 2, 4), seed) for seed in range(3)]
    stacked = recurrent.Weights(
        *map(torch.stack, zip(*(weights_of(layer) for _, layer in networks), strict=True))
    )
    together, _ = recurrent.unroll(cell, torch.stack([x for x, _ in networks]), stacked)
    for out, (x, layer) in zip(together, networks, strict=True):
        torch.testing.assert_close(out, layer(x)[0], rtol=1e-9, atol=1e-12)


@given(sizes=SIZES, seed=st.integers(0, 99))
def test_backpropagation_through_time_is_autograds(sizes, seed):
    x, layer = drawn(recurrent.rnn_cell, sizes, seed)
    outputs, _ = layer(x)
    pull = torch.cos(torch.arange(outputs.numel()).double()).reshape(outputs.shape)
    wanted = torch.autograd.grad(outputs, weights_of(layer), pull)
    with torch.no_grad():
        found = recurrent.rnn_backward(pull, outputs, x, weights_of(layer))
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)


@CELLS
def test_a_start_is_drawn_as_torch_draws_it(cell):
    weights = recurrent.start(cell, 3, 100, torch.Generator().manual_seed(0))
    layer = LAYERS[cell](3, 100)
    for ours, theirs in zip(weights, weights_of(layer), strict=True):
        assert ours.shape == theirs.shape
        assert 0.09 < ours.abs().max() <= 0.1
        assert ours.std().item() == pytest.approx(0.1 / 3**0.5, rel=0.15)


def test_what_does_not_fit_is_refused():
    generator = torch.Generator().manual_seed(0)
    weights = recurrent.start(recurrent.gru_cell, 2, 4, generator)
    with pytest.raises(ValueError, match="lstm_cell needs 4 blocks of 4 rows"):
        recurrent.unroll(recurrent.lstm_cell, torch.zeros(1, 3, 2), weights)
    with pytest.raises(ValueError, match="no steps"):
        recurrent.unroll(recurrent.gru_cell, torch.zeros(1, 0, 2), weights)
