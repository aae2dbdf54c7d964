"""Losses and their gradients, as in ``torch.nn.functional``.

Each takes predictions and targets and returns two things: the mean loss over the
samples, and its gradient with respect to the predictions, of their shape. The mean runs
over every entry, except where classes are on the last axis: there it runs over samples.
Logits are what a layer without an activation puts out.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from dlnotes.scratch.activations import log_softmax, sigmoid

Array = npt.NDArray[np.float64]
Loss = tuple[float, Array]


def _mean(values: Array, slopes: Array) -> Loss:
    """Average over all entries: the gradient of a mean holds its 1/N."""
    return float(values.mean()), slopes / values.size


def mse(prediction: Array, target: Array) -> Loss:
    """Squared error r², with r = prediction - target; slope 2r.

    Examples
    --------
    >>> mse(np.array([1.0, 3.0]), np.array([0.0, 0.0]))
    (5.0, array([1., 3.]))
    """
    r = _residual(prediction, target)
    return _mean(r**2, 2 * r)


def mae(prediction: Array, target: Array) -> Loss:
    """Absolute error |r|; slope sign(r), and 0 at 0."""
    r = _residual(prediction, target)
    return _mean(np.abs(r), np.sign(r))


def huber(prediction: Array, target: Array, delta: float = 1.0) -> Loss:
    """Squared near 0 (r²/2), straight beyond delta; slope r cut off at ±delta.

    Delta times torch's ``smooth_l1_loss`` with ``beta=delta``.
    """
    r = _residual(prediction, target)
    near = np.abs(r) <= delta
    return _mean(
        np.where(near, r**2 / 2, delta * (np.abs(r) - delta / 2)), np.clip(r, -delta, delta)
    )


def pinball(prediction: Array, target: Array, quantile: float) -> Loss:
    """Cost `quantile` a unit below the target and 1 - quantile above: least at the quantile."""
    r = _residual(prediction, target)
    slopes = np.where(r > 0, 1 - quantile, np.where(r < 0, -quantile, 0.0))
    return _mean(slopes * r, slopes)


def bce_with_logits(z: Array, y: Array, pos_weight: float = 1.0) -> Loss:
    """Binary cross-entropy of logits: log(1 + exp(-z)) where y = 1, log(1 + exp(z)) where 0.

    Slope sigmoid(z) - y. The sigmoid itself is never formed inside a logarithm:
    ``logaddexp`` does not overflow. `pos_weight` multiplies the terms with y.
    """
    z, y = np.asarray(z, float), np.asarray(y, float)
    values = pos_weight * y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z)
    return _mean(values, (1 - y) * sigmoid(z) - pos_weight * y * sigmoid(-z))


def cross_entropy(z: Array, labels: npt.NDArray[np.int_], smoothing: float = 0.0) -> Loss:
    """Cross-entropy of logits (samples, classes) with labels; gradient (p - y) / samples.

    With smoothing ε the target y is (1 - ε) one-hot + ε / classes.

    Examples
    --------
    >>> loss, gradient = cross_entropy(np.zeros((1, 4)), np.array([2]))
    >>> round(loss, 4), gradient.tolist()
    (1.3863, [[0.25, 0.25, -0.75, 0.25]])
    """
    n, classes = z.shape
    y = (1 - smoothing) * np.eye(classes)[labels] + smoothing / classes
    log_p = log_softmax(z)
    return float(-(y * log_p).sum() / n), (np.exp(log_p) - y) / n


def kl_divergence(log_q: Array, p: Array) -> Loss:
    """KL(P ‖ Q) = Σ p (log p - log q), a mean over samples; 0 log 0 is 0.

    torch: ``kl_div(log_q, p, reduction="batchmean")``; its ``"mean"`` also divides by
    the number of classes.

    Examples
    --------
    >>> round(kl_divergence(np.log([[0.7, 0.2, 0.1]]), np.array([[1.0, 0.0, 0.0]]))[0], 3)
    0.357
    """
    log_p = np.log(np.where(p > 0, p, 1))
    return float((p * (log_p - log_q)).sum() / len(p)), -p / len(p)


def zero_one(margin: Array) -> float:
    """Return the share of margins y z that are not positive. Its slope is 0 or undefined."""
    return float(np.mean(margin <= 0))


def hinge(margin: Array) -> Loss:
    """max(0, 1 - m) of margins m = y z with y = ±1; slope -1 where m < 1, else 0."""
    return _mean(np.maximum(0, 1 - margin), np.where(margin < 1, -1.0, 0.0))


def focal(z: Array, y: Array, gamma: float = 2.0) -> Loss:
    """Binary cross-entropy times (1 - p)^gamma, with p the probability of the true class.

    Slope with respect to the true class's logit: (1 - p)^γ (γ p log p - (1 - p)).
    Source: `Lin et al. 2017 <https://arxiv.org/abs/1708.02002>`_, without its class weight.
    """
    sign = 2 * np.asarray(y, float) - 1
    p, log_p = sigmoid(sign * z), -np.logaddexp(0, -sign * z)
    far = sigmoid(-sign * z)
    return _mean(-(far**gamma) * log_p, sign * far**gamma * (gamma * p * log_p - far))


def dice(p: Array, y: Array) -> Loss:
    """1 - 2 I / A of one mask, with I = Σ p y and A = Σ p + Σ y; not a mean over pixels.

    IoU of the same mask is D / (2 - D), with D = 2 I / A.
    """
    overlap, area = (p * y).sum(), p.sum() + y.sum()
    return float(1 - 2 * overlap / area), -2 * (y * area - overlap) / area**2


def triplet(anchor: Array, positive: Array, negative: Array, margin: float = 1.0) -> Loss:
    """max(0, |a - p| - |a - n| + margin), rows of shape (samples, features).

    The gradient is that of the anchor. Distances are at least 1e-12, so that the slope at
    distance 0 is 0. torch adds 1e-6 to each difference instead.
    """
    near, far = anchor - positive, anchor - negative
    lengths = [np.maximum(np.linalg.norm(d, axis=1, keepdims=True), 1e-12) for d in (near, far)]
    values = np.maximum(0, lengths[0] - lengths[1] + margin)
    return _mean(values, np.where(values > 0, near / lengths[0] - far / lengths[1], 0.0))


def generator_loss(z: Array, saturating: bool = False) -> Loss:
    """Return what a GAN's generator lowers, from the discriminator's logits z on fakes.

    With D = sigmoid(z): -log D, slope -(1 - D); or, saturating, log(1 - D), slope -D,
    which is nothing where the generator loses.
    """
    if saturating:
        return _mean(-np.logaddexp(0, z), -sigmoid(z))
    return _mean(np.logaddexp(0, -z), -sigmoid(-z))


def _residual(prediction: Any, target: Any) -> Array:
    """Return prediction - target, and refuse shapes that would broadcast to N by N.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    prediction, target = np.asarray(prediction, float), np.asarray(target, float)
    if prediction.shape != target.shape:
        raise ValueError(
            f"prediction has shape {prediction.shape} and target {target.shape}: make them equal, "
            "e.g. with target[:, None]"
        )
    residual: Array = prediction - target
    return residual
