"""The exercises of chapter 12, first part: images and depth."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dlnotes.exercises import Check, Lab
from dlnotes.scratch import convolution

Array = npt.NDArray[np.float64]
RNG = np.random.default_rng(12)


def _drawn(*shape: int) -> Array:
    return np.round(RNG.normal(size=shape), 2)


def _cost(inputs: int, outputs: int, kernel: int, side: int) -> tuple[int, int]:
    weights = outputs * inputs * kernel**2
    return weights + outputs, weights * side**2


# Parameters and multiply-adds of a convolution that keeps the size of its images.
cost = Check(
    cases=[(1, 16, 3, 28), (16, 32, 3, 14), (3, 5, 5, 7)],
    parts=("parameters", "multiply-adds"),
    right=_cost,
    mistakes={
        "The biases are missing: one for each channel that comes out.": (
            lambda i, o, k, s: (o * i * k**2, o * i * k**2 * s**2)
        ),
        "Each kernel reads all the channels that come in.": (
            lambda i, o, k, s: (o * (k**2 + 1), o * k**2 * s**2)
        ),
        "The weights are shared by all places, so the size of the image adds none.": (
            lambda i, o, k, s: ((o * i * k**2 + o) * s**2, o * i * k**2 * s**2)
        ),
        "A kernel is used once at every place of the image.": (
            lambda i, o, k, s: (_cost(i, o, k, s)[0], o * i * k**2)
        ),
        "The image keeps its size: a kernel has as many places as there are pixels.": (
            lambda i, o, k, s: (_cost(i, o, k, s)[0], o * i * k**2 * (s - k + 1) ** 2)
        ),
        "There is one bias for each channel that comes out, not for each pair of channels.": (
            lambda i, o, k, s: (o * i * (k**2 + 1), o * i * k**2 * s**2)
        ),
        "A bias is added, not multiplied: it does not count among the multiply-adds.": (
            lambda i, o, k, s: (_cost(i, o, k, s)[0], (o * i * k**2 + o) * s**2)
        ),
    },
)


def _field(layers: Sequence[tuple[int, int]]) -> int:
    field, jump = 1, 1
    for kernel, stride in layers:
        field, jump = field + (kernel - 1) * jump, jump * stride
    return field


def _no_jump(layers: Sequence[tuple[int, int]]) -> int:
    return 1 + sum(kernel - 1 for kernel, _ in layers)


def _early(layers: Sequence[tuple[int, int]]) -> int:
    field, jump = 1, 1
    for kernel, stride in layers:
        jump *= stride
        field += (kernel - 1) * jump
    return field


def _last_stride(layers: Sequence[tuple[int, int]]) -> int:
    field, before = 1, 1
    for kernel, stride in layers:
        field, before = field + (kernel - 1) * before, stride
    return field


# How many pixels in a row one unit at the end depends on.
field = Check(
    cases=[
        ([(3, 1), (3, 1)],),
        ([(3, 1), (2, 2), (3, 1)],),
        ([(3, 1), (2, 2), (3, 1), (2, 2), (3, 1)],),
        ([(5, 3)],),
    ],
    right=_field,
    mistakes={
        "After a stride of 2, neighbours are two pixels apart: a kernel reaches further.": _no_jump,
        "The stride of a layer acts on the layers after it, not on its own kernel.": _early,
        "Strides multiply: after two of them neighbours are four pixels apart.": _last_stride,
        "Each kernel adds what lies beside its centre; the widths do not add up.": (
            lambda layers: sum(kernel for kernel, _ in layers)
        ),
    },
)

_RIGHTWARDS = np.array([[0.0, 0, 0], [1, 0, 0], [0, 0, 0]])

# The kernel that moves an image one pixel to the right.
mover = Check(
    right=lambda: _RIGHTWARDS.copy(),
    mistakes={
        "This one moves it to the left: the kernel says which pixel is *read*.": lambda: (
            _RIGHTWARDS[:, ::-1]
        ),
        "This one moves it down.": lambda: _RIGHTWARDS.T,
        "This one moves it up.": lambda: _RIGHTWARDS.T[::-1],
        "This one leaves the image where it is.": lambda: np.diag([0.0, 1, 0]),
    },
)


def _both(dout: Array, weight: Array, given: Array) -> Array:
    """Return the gradient at the input of a block: over the skip, and through the branch."""
    return dout + (dout @ weight) * (given > 0)


def _blocks_backward(
    h: Array, weights: Sequence[Array], dout: Array, back: Callable[..., Array] = _both
) -> list[Array]:
    """Run the blocks h + W relu(h) forward, then back; return the gradients at the weights."""
    inputs = []
    for weight in weights:
        inputs.append(h)
        h = h + np.maximum(h, 0) @ weight.T
    gradients = []
    for weight, given in zip(weights[::-1], inputs[::-1], strict=True):
        gradients.append(dout.T @ np.maximum(given, 0))
        dout = back(dout, weight, given)
    return gradients[::-1]


def _with(back: Callable[..., Array]) -> Callable[..., Any]:
    """Return the gradients of all blocks if one went back through a block like this."""
    return _stacked(lambda h, w, d: _blocks_backward(h, w, d, back))


def _relu_last(h: Array, weights: Sequence[Array], dout: Array) -> list[Array]:
    """Return the gradients for the other order, h + relu(W h)."""
    inputs = []
    for weight in weights:
        inputs.append(h)
        h = h + np.maximum(h @ weight.T, 0)
    gradients = []
    for weight, given in zip(weights[::-1], inputs[::-1], strict=True):
        dz = dout * (given @ weight.T > 0)
        gradients.append(dz.T @ given)
        dout = dout + dz @ weight
    return gradients[::-1]


_BLOCKS = [
    (_drawn(2, 3), [_drawn(3, 3)], _drawn(2, 3)),
    (_drawn(4, 3), [_drawn(3, 3) for _ in range(4)], _drawn(4, 3)),
]


def _stacked(answer: Callable[..., Any]) -> Callable[..., Any]:
    """Return the gradients as one array."""
    return lambda h, weights, dout: np.stack(answer(h, weights, dout))


# Forward and backward through a stack of residual blocks.
blocks = Check(
    cases=_BLOCKS,
    right=_stacked(_blocks_backward),
    mistakes={
        "The gradient goes back by two ways, through the branch and over the skip: add both.": (
            _with(lambda dout, weight, given: (dout @ weight) * (given > 0))
        ),
        "The gradients come out last block first.": (
            _stacked(lambda h, w, d: _blocks_backward(h, w, d)[::-1])
        ),
        "The branch hands a gradient back too, not only the skip.": _with(
            lambda dout, weight, given: dout
        ),
        "The slope of the ReLU is missing on the way back.": (
            _with(lambda dout, weight, given: dout + dout @ weight)
        ),
        "On the way back the weight stands the other way round than on the way forward.": (
            _with(lambda dout, weight, given: dout + (dout @ weight.T) * (given > 0))
        ),
        "Here the ReLU comes before the weight, not after it.": _stacked(_relu_last),
        "Row k of a gradient belongs to output k: these are the transposes.": (
            _stacked(lambda h, w, d: [g.T for g in _blocks_backward(h, w, d)])
        ),
        "The gradient at a weight is a sum over the samples, not the mean.": (
            _stacked(lambda h, w, d: [g / len(h) for g in _blocks_backward(h, w, d)])
        ),
    },
)


# ---- the lab ---------------------------------------------------------------------------


def _correlate(image: Array, kernel: Array, stride: int = 1) -> Any:
    zero = np.zeros(1)
    return convolution.conv2d(image[None, None], kernel[None, None], zero, 0, stride)[0, 0]


def _mean_pool(image: Array, size: int) -> Any:
    down, across = (side // size for side in image.shape)
    cut = image[: down * size, : across * size]
    return cut.reshape(down, size, across, size).mean(axis=(1, 3))


def _max_pool(image: Array, size: int) -> Any:
    return convolution.max_pool2d(image[None, None], size)[0, 0]


def _overlapping(image: Array, size: int, reduce: Callable[..., Any]) -> Any:
    windows = np.lib.stride_tricks.sliding_window_view(image, (size, size))
    return np.asarray(reduce(windows, axis=(2, 3)))


def _matrix(kernel: Array, height: int, width: int) -> Any:
    unit = np.eye(height * width).reshape(-1, 1, height, width)
    out = convolution.conv2d(unit, kernel[None, None], np.zeros(1))
    return out.reshape(height * width, -1).T


def _to_weight(dout: Array, image: Array) -> Any:
    return _correlate(image, dout)


def _full(dout: Array, kernel: Array) -> Any:
    """Correlate the padded gradient with a kernel as it stands."""
    down, across = (side - 1 for side in kernel.shape)
    return _correlate(np.pad(dout, [(down, down), (across, across)]), kernel)


def _wrapped(image: Array, kernel: Array, mode: str = "wrap") -> Any:
    return _correlate(np.pad(image, 1, mode=mode), kernel)  # type: ignore[call-overload]


def _pool_back(dout: Array, image: Array, size: int) -> Any:
    given = image[None, None]
    return convolution.max_pool2d_backward(dout[None, None], given, size)[0, 0]


def _spread(dout: Array, image: Array, size: int) -> Any:
    out = np.zeros_like(image)
    spread = np.repeat(np.repeat(dout, size, 0), size, 1)
    out[: spread.shape[0], : spread.shape[1]] = spread
    return out


def _jacobian(h: Array, weight: Array) -> Any:
    return np.eye(len(h)) + weight * (h > 0)


def _channels(image: Array, weight: Array, bias: Array) -> Any:
    return convolution.conv2d(image[None], weight, bias)[0]


_IMAGE, _KERNEL = _drawn(6, 5), _drawn(3, 2)
_POOLED = [(_drawn(4, 6), 2), (_drawn(7, 6), 3), (-1 - abs(_drawn(4, 4)), 2)]

lab = Lab(
    places=Check(
        cases=[
            (28, 3, 0, 1),
            (28, 3, 1, 1),
            (9, 3, 0, 2),
            (8, 3, 1, 2),
            (7, 2, 0, 2),
            (11, 4, 2, 3),
        ],
        right=convolution.output_size,
        mistakes={
            "Padding is added on both sides.": (lambda n, k, p, s: (n + p - k) // s + 1),
            "The first place counts too: add 1.": lambda n, k, p, s: (n + 2 * p - k) // s,
            "Rounded down: a last step that does not fit is not taken.": (
                lambda n, k, p, s: -((k - n - 2 * p) // s) + 1
            ),
            "Divide before you add 1.": lambda n, k, p, s: (n + 2 * p - k + 1) // s,
        },
    ),
    pad=Check(
        cases=[(_IMAGE, 1), (_drawn(2, 3), 2), (_drawn(2, 2), 0)],
        right=lambda image, p: np.pad(image, p),
        mistakes={
            "The padding is made of zeros, not of the pixels at the edge.": (
                lambda image, p: np.pad(image, p, mode="edge")
            ),
        },
    ),
    correlate=Check(
        cases=[(_IMAGE, _KERNEL, 1), (_drawn(7, 7), _drawn(3, 3), 2), (_IMAGE, _drawn(2, 2), 3)],
        right=_correlate,
        mistakes={
            "The kernel is flipped: torch does not do that.": (
                lambda image, kernel, stride: _correlate(image, kernel[::-1, ::-1], stride)
            ),
        },
    ),
    channels=Check(
        cases=[
            (_drawn(2, 5, 4), _drawn(3, 2, 3, 3), _drawn(3)),
            (_drawn(1, 4, 4), _drawn(2, 1, 2, 2), _drawn(2)),
        ],
        right=_channels,
        mistakes={
            "The bias is missing.": lambda x, w, b: _channels(x, w, 0 * b),
            "The bias is added once to each sum, not once for each channel that is read.": (
                lambda x, w, b: _channels(x, w, b * len(x))
            ),
            "The products are summed over the channels, not averaged.": (
                lambda x, w, b: _channels(x, w, 0 * b) / len(x) + b[:, None, None]
            ),
        },
    ),
    max_pool=Check(
        cases=_POOLED,
        right=_max_pool,
        mistakes={
            "The mean of each block is not its maximum.": _mean_pool,
            "The largest in size is not the largest: mind the signs.": (
                lambda image, size: _max_pool(abs(image), size)
            ),
            "The blocks do not overlap: the window moves by its own size.": (
                lambda image, size: _overlapping(image, size, np.max)
            ),
            "The maximum starts at the first value of a block, not at zero.": (
                lambda image, size: np.maximum(_max_pool(image, size), 0)
            ),
        },
    ),
    mean_pool=Check(
        cases=_POOLED,
        right=_mean_pool,
        mistakes={
            "That is the sum of each block.": lambda image, size: _mean_pool(image, size) * size**2,
            "A block has size times size pixels.": lambda image, size: (
                _mean_pool(image, size) * size
            ),
            "The blocks do not overlap: the window moves by its own size.": (
                lambda image, size: _overlapping(image, size, np.mean)
            ),
        },
    ),
    matrix=Check(
        cases=[(_drawn(2, 2), 3, 3), (_KERNEL, 4, 3)],
        right=_matrix,
        mistakes={
            "A row is a place of the kernel and a column is a pixel.": (
                lambda kernel, height, width: _matrix(kernel, height, width).T
            ),
            "The kernel is flipped.": lambda kernel, height, width: _matrix(
                kernel[::-1, ::-1], height, width
            ),
        },
    ),
    to_weight=Check(
        cases=[(_drawn(4, 4), _IMAGE), (_drawn(2, 3), _drawn(4, 4))],
        right=_to_weight,
        mistakes={
            "The result is upside down: entry (i, j) belongs to the pixels i and j further on.": (
                lambda dout, image: _to_weight(dout, image)[::-1, ::-1]
            ),
            "Sum over the places, without dividing by their number.": (
                lambda dout, image: _to_weight(dout, image) / dout.size
            ),
        },
    ),
    to_image=Check(
        cases=[(_drawn(4, 4), _KERNEL), (_drawn(2, 3), _drawn(3, 3))],
        right=lambda dout, kernel: _full(dout, kernel[::-1, ::-1]),
        mistakes={
            "Each weight hands the gradient back to the pixel that it read: which way round?": (
                _full
            ),
        },
    ),
    pool_back=Check(
        cases=[
            (_drawn(2, 3), _drawn(4, 6), 2),
            (_drawn(2, 2), _drawn(7, 6), 3),
            (_drawn(1, 1), np.array([[0.0, 2], [2, 1]]), 2),
        ],
        right=_pool_back,
        mistakes={
            "Only the largest pixel of a block gets a gradient.": _spread,
            "That is the gradient of the mean.": lambda dout, image, size: (
                _spread(dout, image, size) / size**2
            ),
            "Where two are largest, torch gives all of it to the first.": (
                lambda dout, image, size: (
                    _spread(dout, image, size)
                    * (image == _spread(_max_pool(image, size), image, size))
                )
            ),
        },
    ),
    circular=Check(
        cases=[(_IMAGE, _drawn(3, 3)), (_drawn(3, 4), _drawn(3, 3))],
        right=_wrapped,
        mistakes={
            "Beyond the edge stand zeros here; the image should go on at the other side.": (
                lambda image, kernel: _wrapped(image, kernel, "constant")
            ),
            "The centre of the kernel stands on the pixel that is computed.": (
                lambda image, kernel: np.roll(_wrapped(image, kernel), (-1, -1), (0, 1))
            ),
            "The kernel is flipped.": lambda image, kernel: _wrapped(image, kernel[::-1, ::-1]),
        },
    ),
    jacobian=Check(
        cases=[(_drawn(4), _drawn(4, 4)), (_drawn(3), _drawn(3, 3))],
        right=_jacobian,
        mistakes={
            "The skip is missing: it adds the identity.": (
                lambda h, w: _jacobian(h, w) - np.eye(len(h))
            ),
            "The slope belongs to the columns: column k is that of input k.": (
                lambda h, w: np.eye(len(h)) + w * (h > 0)[:, None]
            ),
            "Here the ReLU comes before the weight, not after it.": (
                lambda h, w: np.eye(len(h)) + (w @ h > 0)[:, None] * w
            ),
            "The slope of the ReLU is missing.": lambda h, w: np.eye(len(h)) + w,
            "Row k of the Jacobian belongs to output k: this is the transpose.": (
                lambda h, w: _jacobian(h, w).T
            ),
        },
    ),
    growth=Check(
        cases=[(20, 1.0), (20, 0.25), (4, 0.5)],
        right=lambda depth, scale: (1 + scale**2) ** depth,
        mistakes={
            "The branch is scaled before it is squared.": lambda depth, scale: (1 + scale) ** depth,
            "The squares grow by the square of the scale, and the skip keeps what there was.": (
                lambda depth, scale: scale ** (2 * depth)
            ),
            "Branch and input are uncorrelated: their squares add, not their lengths.": (
                lambda depth, scale: (1 + scale) ** (2 * depth)
            ),
            "Each block multiplies; the gains do not add up.": (
                lambda depth, scale: 1 + depth * scale**2
            ),
            "Asked is the mean square, not its root.": (
                lambda depth, scale: (1 + scale**2) ** (depth / 2)
            ),
        },
    ),
)
