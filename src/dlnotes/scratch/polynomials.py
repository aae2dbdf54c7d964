r"""Fits that are linear in their coefficients, with a penalty: polynomials, ridge, lasso.

The loss of the coefficients c on n points with features Φ, one column a coefficient, is

.. math:: \frac1{2n} \lVert y - \Phi c \rVert^2 + \frac\lambda2 \sum_{k>0} c_k^2
          \qquad\text{or}\qquad \dots + \lambda \sum_{k>0} \lvert c_k \rvert .

The first coefficient, that of a column of ones, goes free, as in scikit-learn, where the
``alpha`` of ``Lasso`` is :math:`\lambda` and that of ``Ridge`` is :math:`n \lambda`. Targets
may have leading axes, one entry a sample, so that one call fits many samples.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def legendre(x: Array, degree: int) -> Array:
    """Return the features 1, √3 P₁(x), … √(2k+1) P_k(x) of a polynomial on [-1, 1].

    The mean of a product of two of them over the interval is 0, and of a square 1: on many
    points spread evenly each coefficient can be fitted by itself.

    Parameters
    ----------
    x : array of shape (points,)
        Inputs.
    degree : int
        The highest power, at least 0.

    Returns
    -------
    array of shape (points, degree + 1)

    Raises
    ------
    ValueError
        If `x` is not one-dimensional or `degree` is negative.

    Examples
    --------
    >>> legendre([0.0, 1.0], 2).round(3).tolist()
    [[1.0, 0.0, -1.118], [1.0, 1.732, 2.236]]
    """
    x = np.asarray(x, dtype=float)
    if x.ndim != 1 or degree < 0:
        raise ValueError(
            f"x must have shape (points,) and degree be at least 0, got {x.shape} and {degree}"
        )
    columns = [np.ones_like(x), x]
    for k in range(1, degree):
        columns.append(((2 * k + 1) * x * columns[k] - k * columns[k - 1]) / (k + 1))
    scale = np.sqrt(2 * np.arange(degree + 1) + 1)
    return np.column_stack(columns[: degree + 1]) * scale


def ridge(features: Array, y: Array, strength: float = 0.0) -> Array:
    """Return the coefficients of the lowest loss with a squared penalty (L2).

    Where many are best, without a penalty, the smallest of them.

    Parameters
    ----------
    features : array of shape (points, coefficients)
        The first column is not penalised.
    y : array of shape (..., points)
        Targets.
    strength : float
        The factor λ of the penalty, not negative; 0 is least squares.

    Returns
    -------
    array of shape (..., coefficients)

    Raises
    ------
    ValueError
        If the shapes do not fit or `strength` is negative.

    Examples
    --------
    >>> x = np.array([[1.0, -1.0], [1.0, 1.0]])
    >>> ridge(x, [0.0, 4.0]).round(9).tolist(), ridge(x, [0.0, 4.0], 1.0).round(9).tolist()
    ([2.0, 2.0], [2.0, 1.0])
    """
    features, y = _checked(features, y, strength)
    n, p = features.shape
    # The penalty is that of more points, one for each coefficient, with target 0.
    more = np.sqrt(n * strength) * np.eye(p)[1:]
    a = np.concatenate([features, more])
    b = np.concatenate([y, np.zeros((*y.shape[:-1], p - 1))], axis=-1)
    flat = np.linalg.lstsq(a, b.reshape(-1, n + p - 1).T)[0].T
    return np.reshape(flat, (*y.shape[:-1], p))


def lasso(features: Array, y: Array, strength: float) -> Array:
    """Return the coefficients of the lowest loss with an absolute penalty (L1), exactly.

    Arguments and errors as in `ridge`. Once it is known which coefficients are 0, and the
    signs of the others, the rest is linear. So: solve for those in use; where one would
    change its sign, go only until the first is 0 and drop it; when none does, take up the
    one whose slope exceeds λ most. The loss falls at each turn, which ends it. Coordinate
    descent needs thousands of rounds where the features are alike, this a few. Source: `Lee
    et al. 2006 <https://papers.nips.cc/paper/2979-efficient-sparse-coding-algorithms>`_.

    Examples
    --------
    >>> x = np.array([[1.0, -1.0], [1.0, 1.0]])
    >>> lasso(x, [0.0, 4.0], 1.5).round(9).tolist(), lasso(x, [0.0, 4.0], 3.0).tolist()
    ([2.0, 0.5], [2.0, 0.0])
    """
    features, y = _checked(features, y, strength)
    n, p = features.shape
    gram, moments = features.T @ features / n, y @ features / n
    found = [_lasso(gram, b, strength) for b in moments.reshape(-1, p)]
    return np.reshape(found, moments.shape)


def _lasso(gram: Array, moments: Array, strength: float) -> Array:
    """Return the c of lowest ½ c·Gc - b·c + λ Σ|c_k|, without the first in the sum."""
    c = np.zeros_like(moments)
    signs = np.zeros_like(moments)
    used = [0]
    while True:
        now, sign = c[used], signs[used]
        to = np.linalg.solve(gram[np.ix_(used, used)], moments[used] - strength * sign)
        turned = np.flatnonzero((sign != 0) & (sign * to <= 0))
        if turned.size:
            shares = now[turned] / (now[turned] - to[turned])
            k = int(np.argmin(shares))
            if shares[k] == 0:  # taken up for what was rounding
                return c
            c[used] = now + shares[k] * (to - now)
            gone = used.pop(int(turned[k]))
            c[gone] = signs[gone] = 0
            continue
        c[used] = to
        slopes = moments - gram @ c
        slopes[used] = 0
        most = int(np.argmax(np.abs(slopes)))
        if abs(slopes[most]) <= strength * (1 + 1e-9):
            return c
        signs[most] = np.sign(slopes[most])
        used.append(most)


class Errors(NamedTuple):
    """What an error is made of, in the squared unit of the targets.

    Attributes
    ----------
    training : float
        The mean squared error on the points that were fitted.
    noise : float
        The part of the test error that no fit can avoid: the variance of the targets.
    bias : float
        How far the mean of the fits lies from the truth: its mean square, bias².
    variance : float
        How far the fits scatter about their mean: the mean square.
    """

    training: float
    noise: float
    bias: float
    variance: float

    @property
    def test(self) -> float:
        """The expected squared error on new targets, noise + bias² + variance."""
        return self.noise + self.bias + self.variance


def measured_errors(
    fits: Array, y: Array, features: Array, tested: Array, truth: Array, noise: float
) -> Errors:
    """Return the errors of fits to many samples, as they were measured.

    The mean of m fits to independent samples is off by chance too: bias² comes out too large
    by 1/m of the variance, and the variance too small by as much.

    Parameters
    ----------
    fits : array of shape (samples, coefficients)
        A fit to each sample.
    y : array of shape (samples, points)
        The targets that were fitted.
    features, tested : arrays of shape (points, coefficients), (places, coefficients)
        Features where it was fitted, and where the fits are tested.
    truth : array of shape (places,)
        The truth where they are tested.
    noise : float
        Standard deviation of the targets about the truth.

    Examples
    --------
    >>> one = np.ones((1, 1))
    >>> fits = y = np.array([[0.0], [2.0]])
    >>> measured_errors(fits, y, one, one, np.array([3.0]), noise=1.0)
    Errors(training=0.0, noise=1.0, bias=4.0, variance=1.0)
    """
    predictions = fits @ tested.T
    return Errors(
        float(((y - fits @ features.T) ** 2).mean()),
        noise**2,
        float(((predictions.mean(0) - truth) ** 2).mean()),
        float(predictions.var(0).mean()),
    )


def expected_errors(
    features: Array, signal: Array, tested: Array, truth: Array, noise: float, strength: float = 0.0
) -> Errors:
    r"""Return the errors that `ridge` has in expectation over the noise, the inputs being fixed.

    A fit is linear in its targets, c = A y. So the mean fit is A f, and with H = Φ A

    .. math:: \text{training} = \tfrac1n \lVert f - Hf \rVert^2
              + \tfrac{\sigma^2}n \lVert I - H \rVert^2, \qquad
              \text{variance} = \tfrac{\sigma^2}m \lVert TA \rVert^2 .

    Without a penalty, tested at the inputs themselves, with p coefficients that can give the
    truth, these are σ² (1 - p/n) and σ² p/n.

    Parameters
    ----------
    features, tested : arrays of shape (points, coefficients), (places, coefficients)
        Φ and T: features where it is fitted, and where it is tested.
    signal, truth : arrays of shape (points,), (places,)
        The truth at both: f, and what the fits are held against.
    noise : float
        Standard deviation σ of the targets about the truth.
    strength : float
        As in `ridge`.

    Examples
    --------
    >>> x = legendre(np.array([-1.0, -0.5, 0.5, 1.0]), 1)
    >>> expected = expected_errors(x, x[:, 1], x, x[:, 1], noise=1.0)
    >>> round(expected.training, 9), round(expected.test, 9)
    (0.5, 1.5)
    """
    n = len(signal)
    fit = ridge(features, np.eye(n), strength).T  # A
    hat, test = features @ fit, tested @ fit
    return Errors(
        float(
            ((signal - hat @ signal) ** 2).mean() + noise**2 * ((np.eye(n) - hat) ** 2).sum() / n
        ),
        noise**2,
        float(((test @ signal - truth) ** 2).mean()),
        float(noise**2 * (test**2).sum() / len(truth)),
    )


def effective_coefficients(features: Array, strength: float) -> float:
    """Return what the coefficients of `ridge` count as: the trace of H, 1 + Σ s / (s + λ).

    The s are the curvatures of the loss, without penalty, in the directions of the others:
    the eigenvalues of XᵀX/n of the centred features X.

    Examples
    --------
    >>> x = np.array([[1.0, -1.0], [1.0, 1.0]])
    >>> round(effective_coefficients(x, 0.0), 9), round(effective_coefficients(x, 1.0), 9)
    (2.0, 1.5)
    """
    return float((features * ridge(features, np.eye(len(features)), strength)).sum())


def _checked(features: Any, y: Any, strength: float) -> tuple[Array, Array]:
    features, y = np.asarray(features, dtype=float), np.asarray(y, dtype=float)
    if features.ndim != 2 or y.ndim < 1 or y.shape[-1] != len(features) or not features.size:
        raise ValueError(
            "features must have shape (points, coefficients) and y (..., points), "
            f"got {features.shape} and {y.shape}"
        )
    if not strength >= 0:
        raise ValueError(f"strength must not be negative, got {strength}")
    return features, y
