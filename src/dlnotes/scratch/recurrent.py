"""Recurrent cells as functions: the plain RNN, the LSTM and the GRU of ``torch.nn``.

A cell gets what the input says and what the old state says, both already multiplied by
their weights, and returns the new state. Nothing here trains: gradients are autograd's,
except those of `rnn_backward`, which are written out.

Tensors may have more axes in front. With one for the run, ``(runs, batch, time, inputs)``
and weights ``(runs, ...)``, one call runs many networks.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

State = tuple[Tensor, ...]  # (h,), or (h, c) for the LSTM; each (..., batch, hidden)
Cell = Callable[[Tensor, Tensor, State], State]


class Weights(NamedTuple):
    """The parameters of a layer, as torch keeps them, with g blocks of ``hidden`` rows.

    ``w_ih`` is (..., g hidden, inputs), ``w_hh`` (..., g hidden, hidden), and both biases
    are (..., g hidden): together g hidden (hidden + inputs + 2) numbers.
    """

    w_ih: Tensor
    w_hh: Tensor
    b_ih: Tensor
    b_hh: Tensor


def rnn_cell(from_input: Tensor, from_state: Tensor, state: State) -> State:
    """Return ``h = tanh(from_input + from_state)``; g = 1 (Elman 1990)."""
    return (torch.tanh(from_input + from_state),)


def lstm_cell(from_input: Tensor, from_state: Tensor, state: State) -> State:
    """Return (h, c) with ``c = f c + i g`` and ``h = o tanh(c)``; g = 4 blocks: i, f, g, o.

    Source: `Hochreiter and Schmidhuber 1997 <https://doi.org/10.1162/neco.1997.9.8.1735>`_,
    with the forget gate f of `Gers and others 2000
    <https://doi.org/10.1162/089976600300015015>`_.
    """
    i, f, g, o = (from_input + from_state).chunk(4, -1)
    c = torch.sigmoid(f) * state[1] + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def gru_cell(from_input: Tensor, from_state: Tensor, state: State) -> State:
    """Return ``h = (1 - z) n + z h``; g = 3 blocks: r, z, n.

    z is the share of the *old* state, and r multiplies the old state after its weights,
    as in torch; `Cho and others 2014 <https://arxiv.org/abs/1406.1078>`_ multiply before.
    """
    r_input, z_input, n_input = from_input.chunk(3, -1)
    r_state, z_state, n_state = from_state.chunk(3, -1)
    r = torch.sigmoid(r_input + r_state)
    z = torch.sigmoid(z_input + z_state)
    n = torch.tanh(n_input + r * n_state)
    return (n + z * (state[0] - n),)


#: By cell, how many blocks of rows its weights have.
BLOCKS: dict[Cell, int] = {rnn_cell: 1, gru_cell: 3, lstm_cell: 4}


def start(cell: Cell, inputs: int, hidden: int, generator: torch.Generator) -> Weights:
    """Draw weights as torch does, uniform within 1 / sqrt(hidden)."""
    rows, bound = BLOCKS[cell] * hidden, 1 / math.sqrt(hidden)
    shapes = (rows, inputs), (rows, hidden), (rows,), (rows,)
    return Weights(*((2 * torch.rand(s, generator=generator) - 1) * bound for s in shapes))


def unroll(
    cell: Cell, x: Tensor, weights: Weights, state: State | None = None
) -> tuple[Tensor, State]:
    """Apply one cell at every step; return h at all steps, and the last state.

    Parameters
    ----------
    cell : callable
        One of the cells of this module.
    x : Tensor
        Inputs ``(..., batch, time, inputs)``.
    weights : Weights
        The same at every step.
    state : tuple of Tensor, optional
        Before the first step; zeros if not given.

    Returns
    -------
    outputs : Tensor
        ``(..., batch, time, hidden)``.
    state : tuple of Tensor
        After the last step.

    Raises
    ------
    ValueError
        If there is no step, or the weights have another number of blocks.

    Examples
    --------
    >>> ones = Weights(torch.ones(1, 1), torch.ones(1, 1), torch.zeros(1), torch.zeros(1))
    >>> outputs, _ = unroll(rnn_cell, torch.tensor([[[0.5], [0.0]]]), ones)
    >>> [round(h, 3) for h in outputs.flatten().tolist()]  # tanh(0.5), then tanh of that
    [0.462, 0.432]
    """
    *leading, batch, time, _ = x.shape
    hidden = weights.w_hh.shape[-1]
    if time == 0:
        raise ValueError("x has no steps: its second axis from the end is time")
    if weights.w_hh.shape[-2] != BLOCKS[cell] * hidden:
        raise ValueError(
            f"{cell.__name__} needs {BLOCKS[cell]} blocks of {hidden} rows in its weights, "
            f"and w_hh has {weights.w_hh.shape[-2]} rows"
        )
    if state is None:
        zeros = x.new_zeros(*leading, batch, hidden)
        state = (zeros, zeros) if cell is lstm_cell else (zeros,)
    flat = x.flatten(-3, -2) @ weights.w_ih.mT + weights.b_ih.unsqueeze(-2)  # all steps at once
    w_hh, b_hh, outputs = weights.w_hh.mT, weights.b_hh.unsqueeze(-2), []
    for from_input in flat.reshape(*leading, batch, time, -1).unbind(-2):
        state = cell(from_input, state[0] @ w_hh + b_hh, state)
        outputs.append(state[0])
    return torch.stack(outputs, -2), state


def rnn_backward(doutputs: Tensor, outputs: Tensor, x: Tensor, weights: Weights) -> Weights:
    """Return the gradients of a plain RNN's weights: backpropagation through time.

    Parameters
    ----------
    doutputs : Tensor
        Gradient of the loss at each output, ``(batch, time, hidden)``.
    outputs, x : Tensor
        What `unroll` returned, from a state of zeros, and its inputs.
    weights : Weights
        Of the layer.

    Source: `Werbos 1990 <https://doi.org/10.1109/5.58337>`_.
    """
    grads = [torch.zeros_like(w) for w in weights]
    dh = torch.zeros_like(outputs[:, 0])
    for t in reversed(range(x.shape[1])):
        before = outputs[:, t - 1] if t else torch.zeros_like(dh)
        da = (dh + doutputs[:, t]) * (1 - outputs[:, t] ** 2)  # at the argument of tanh
        for grad, term in zip(
            grads, (da.mT @ x[:, t], da.mT @ before, da.sum(0), da.sum(0)), strict=True
        ):
            grad += term
        dh = da @ weights.w_hh  # what the step before is told
    return Weights(*grads)
