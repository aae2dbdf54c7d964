"""Attention as functions: scaled dot products, a causal mask, several heads.

The numbers are those of ``torch.nn.functional.scaled_dot_product_attention`` and
``torch.nn.MultiheadAttention``. Source: `Vaswani and others 2017
<https://arxiv.org/abs/1706.03762>`_.
"""

import math

import torch
from torch import Tensor


def attention(
    q: Tensor, k: Tensor, v: Tensor, visible: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    r"""Return the means of the values that each query asks for, and their weights.

    .. math:: \operatorname{softmax}(q k^\top / \sqrt d)\, v

    Parameters
    ----------
    q : Tensor
        Queries ``(..., queries, d)``.
    k, v : Tensor
        Keys ``(..., keys, d)`` and values ``(..., keys, values)``.
    visible : Tensor of bool, optional
        ``(..., queries, keys)``, True where a query may look: the convention of
        ``scaled_dot_product_attention``. ``MultiheadAttention`` has it the other way round.

    Returns
    -------
    out, weights : Tensor
        ``(..., queries, values)`` and ``(..., queries, keys)``; each row of weights sums to 1.

    Raises
    ------
    ValueError
        If a query may look nowhere: it would be divided by zero.

    Examples
    --------
    >>> keys, values = torch.tensor([[0.0], [0.0]]), torch.tensor([[1.0], [3.0]])
    >>> attention(torch.tensor([[5.0]]), keys, values)[0].tolist()  # both keys fit as well
    [[2.0]]
    """
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if visible is not None:
        if not visible.any(-1).all():
            raise ValueError("a query has nothing to look at: each row of visible needs a True")
        scores = scores.masked_fill(~visible, -math.inf)
    weights = scores.softmax(-1)
    return weights @ v, weights


def causal(steps: int) -> Tensor:
    """Return the mask of a sequence read from left to right: (steps, steps), True up to now.

    Examples
    --------
    >>> causal(3).int().tolist()
    [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    """
    return torch.ones(steps, steps, dtype=torch.bool).tril()


def multi_head(
    x: Tensor,
    w_in: Tensor,
    b_in: Tensor,
    w_out: Tensor,
    b_out: Tensor,
    heads: int,
    visible: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Return self-attention of several heads, as ``torch.nn.MultiheadAttention`` does.

    Parameters
    ----------
    x : Tensor
        ``(..., time, d)``; d is a multiple of `heads`.
    w_in, b_in : Tensor
        ``(3 d, d)`` and ``(3 d,)``: queries, keys and values below each other.
    w_out, b_out : Tensor
        ``(d, d)`` and ``(d,)``; in all 4 d² + 4 d parameters, for any number of heads.
    heads : int
        Each works on d / heads features.
    visible : Tensor of bool, optional
        ``(time, time)``, as for `attention`.

    Returns
    -------
    out, weights : Tensor
        ``(..., time, d)`` and ``(..., heads, time, time)``.

    Raises
    ------
    ValueError
        If d is no multiple of `heads`.
    """
    d = x.shape[-1]
    if d % heads:
        raise ValueError(f"{d} features cannot be shared among {heads} heads: use a divisor of {d}")
    q, k, v = (
        part.reshape(*x.shape[:-1], heads, d // heads).transpose(-3, -2)
        for part in (x @ w_in.mT + b_in).chunk(3, -1)
    )  # each (..., heads, time, d / heads)
    out, weights = attention(q, k, v, visible)
    return out.transpose(-3, -2).flatten(-2) @ w_out.mT + b_out, weights
