"""Attention against torch: values, gradients, masks, heads, and what it does not see."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F  # noqa: N812  torch's own short name

from dlnotes.scratch import attention

CLOSE = {"rtol": 1e-9, "atol": 1e-12}


def drawn(shape, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()


@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 4), st.integers(0, 99), st.booleans())
def test_attention_is_torchs_with_its_gradients(queries, keys, d, seed, masked):
    q, k, v = drawn((2, queries, d), seed), drawn((2, keys, d), seed + 1), drawn((2, keys, 3), seed)
    visible = drawn((queries, keys), seed + 2) > 0
    visible[:, 0] = True  # no query looks nowhere
    given = (q, k, v, visible if masked else None)
    ours, weights = attention.attention(*given)
    theirs = F.scaled_dot_product_attention(q, k, v, attn_mask=given[3])
    torch.testing.assert_close(ours, theirs, **CLOSE)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, queries).double(), **CLOSE)
    assert not masked or (weights[:, ~visible] == 0).all()
    pull = torch.cos(torch.arange(ours.numel()).double()).reshape(ours.shape)
    for a, b in zip(
        torch.autograd.grad(ours, (q, k, v), pull),
        torch.autograd.grad(theirs, (q, k, v), pull),
        strict=True,
    ):
        torch.testing.assert_close(a, b, **CLOSE)


def multi(layer, x, visible=None):
    out = layer.out_proj
    parts = layer.in_proj_weight, layer.in_proj_bias, out.weight, out.bias
    return attention.multi_head(x, *parts, layer.num_heads, visible)


@given(st.sampled_from([(4, 1), (6, 2), (6, 3), (4, 4)]), st.integers(1, 6), st.booleans())
def test_multi_head_is_torchs_with_its_gradients(sizes, steps, masked):
    layer = nn.MultiheadAttention(*sizes, batch_first=True).double()
    for k, p in enumerate(layer.parameters()):  # torch starts with biases of zero
        p.data = drawn(p.shape, k).detach()
    x = drawn((2, steps, sizes[0]), steps)
    visible = attention.causal(steps) if masked else None
    out, weights = multi(layer, x, visible)
    theirs, their_weights = layer(
        x, x, x, attn_mask=None if visible is None else ~visible, average_attn_weights=False
    )
    torch.testing.assert_close(out, theirs, **CLOSE)
    torch.testing.assert_close(weights, their_weights, **CLOSE)
    everything = [x, *layer.parameters()]
    assert sum(p.numel() for p in everything[1:]) == 4 * sizes[0] ** 2 + 4 * sizes[0]
    pull = torch.cos(torch.arange(out.numel()).double()).reshape(out.shape)
    for a, b in zip(
        torch.autograd.grad(out, everything, pull),
        torch.autograd.grad(theirs, everything, pull),
        strict=True,
    ):
        torch.testing.assert_close(a, b, **CLOSE)


def test_order_is_not_seen_and_the_future_is_hidden():
    layer = nn.MultiheadAttention(6, 2, batch_first=True).double()
    x, order = drawn((1, 5, 6), 0), torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(multi(layer, x[:, order])[0], multi(layer, x)[0][:, order], **CLOSE)
    changed = x.detach().clone()
    changed[:, 3:] += 1
    before, after = (multi(layer, z, attention.causal(5))[0] for z in (x, changed))
    torch.testing.assert_close(before[:, :3], after[:, :3], **CLOSE)
    assert not torch.allclose(before[:, 3:], after[:, 3:])


def test_what_does_not_fit_is_refused():
    x = torch.zeros(1, 2, 6)
    with pytest.raises(ValueError, match="use a divisor of 6"):
        attention.multi_head(x, *map(torch.zeros, ((18, 6), 18, (6, 6), 6)), heads=4)
    with pytest.raises(ValueError, match="nothing to look at"):
        attention.attention(x, x, x, torch.tensor([[True, False], [False, False]]))
