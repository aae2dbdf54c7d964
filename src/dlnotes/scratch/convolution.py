"""Convolution and pooling of images, as in ``torch.nn.functional``, with their gradients.

Arrays are float64. Images have the shape (samples, channels, height, width), weights the
shape (channels out, channels in, height, width). Loops run over the few places inside a
kernel; everything else is one operation on arrays. The chapter has the plain loops.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def output_size(size: int, kernel: int, padding: int = 0, stride: int = 1) -> int:
    """Return a kernel's places along one axis, (size + 2 padding - kernel) // stride + 1.

    Examples
    --------
    >>> output_size(28, 3), output_size(28, 3, padding=1), output_size(26, 2, stride=2)
    (26, 28, 13)
    """
    if kernel < 1 or stride < 1 or padding < 0:
        raise ValueError(
            "kernel and stride must be positive and padding not negative, "
            f"got {kernel}, {stride} and {padding}"
        )
    if kernel > size + 2 * padding:
        raise ValueError(
            f"a kernel of {kernel} does not fit into {size} pixels with padding {padding}: "
            "use a smaller kernel or more padding"
        )
    return (size + 2 * padding - kernel) // stride + 1


def conv2d(x: Array, weight: Array, bias: Array, padding: int = 0, stride: int = 1) -> Array:
    """Slide each kernel over the images: the sum of products at every place, plus the bias.

    As in `torch.nn.functional.conv2d
    <https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.conv2d.html>`_ the
    kernel is not flipped: what is called convolution is a cross-correlation.

    Parameters
    ----------
    x, weight, bias : array
        Shapes (samples, channels in, height, width), (channels out, channels in, k, l),
        (channels out,).
    padding, stride : int
        Zeros on each side; pixels from place to place.

    Returns
    -------
    array of shape (samples, channels out, places down, places across)

    Examples
    --------
    >>> image = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> conv2d(image, np.ones((1, 1, 2, 2)), np.zeros(1))[0, 0].tolist()
    [[8.0, 12.0], [20.0, 24.0]]
    """
    if x.shape[1] != weight.shape[1]:
        raise ValueError(f"x has {x.shape[1]} channels and the weight reads {weight.shape[1]}")
    padded = _pad(x, padding)
    out = np.zeros((len(x), len(weight), *_places(x, weight.shape[2:], padding, stride)))
    for i, j, seen in _windows(padded, weight.shape[2:], stride):
        out += np.tensordot(seen, weight[:, :, i, j], axes=([1], [1])).transpose(0, 3, 1, 2)
    return out + bias[:, None, None]


def conv2d_backward(
    dout: Array, x: Array, weight: Array, padding: int = 0, stride: int = 1
) -> tuple[Array, Array, Array]:
    """Return the gradients at x, weight and bias, from that at the output of `conv2d`.

    A weight is used at every place, so its gradient is a sum over places; a pixel lies in
    several windows, so its gradient is a sum over kernels and windows.

    Examples
    --------
    >>> x, weight = np.arange(9.0).reshape(1, 1, 3, 3), np.ones((1, 1, 2, 2))
    >>> dx, dweight, dbias = conv2d_backward(np.ones((1, 1, 2, 2)), x, weight)
    >>> dx[0, 0].tolist(), dbias.tolist()
    ([[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]], [4.0])
    """
    padded = _pad(x, padding)
    dpadded, dweight = np.zeros_like(padded), np.zeros_like(weight)
    places = _windows(padded, weight.shape[2:], stride)
    added = _windows(dpadded, weight.shape[2:], stride)
    for (i, j, seen), (_, _, into) in zip(places, added, strict=True):
        dweight[:, :, i, j] = np.tensordot(dout, seen, axes=([0, 2, 3], [0, 2, 3]))
        into += np.tensordot(dout, weight[:, :, i, j], axes=([1], [0])).transpose(0, 3, 1, 2)
    height, width = x.shape[2:]
    dx = dpadded[:, :, padding : padding + height, padding : padding + width]
    return dx, dweight, dout.sum(axis=(0, 2, 3))


def max_pool2d(x: Array, size: int = 2) -> Array:
    """Keep the largest value of each block of size × size; rows and columns left over are dropped.

    Examples
    --------
    >>> max_pool2d(np.arange(16.0).reshape(1, 1, 4, 4))[0, 0].tolist()
    [[5.0, 7.0], [13.0, 15.0]]
    """
    largest: Array = _blocks(x, size).max(axis=-1)
    return largest


def max_pool2d_backward(dout: Array, x: Array, size: int = 2) -> Array:
    """Return the gradient at x: all of it goes to the largest value of a block, the first of ties.

    Examples
    --------
    >>> max_pool2d_backward(np.ones((1, 1, 1, 1)), np.array([[[[1.0, 4.0], [4.0, 2.0]]]])).tolist()
    [[[[0.0, 1.0], [0.0, 0.0]]]]
    """
    blocks = _blocks(x, size)
    winners = np.arange(size * size) == blocks.argmax(axis=-1)[..., None]
    samples, channels, down, across = dout.shape
    shared = (winners * dout[..., None]).reshape(samples, channels, down, across, size, size)
    dx = np.zeros_like(x)
    dx[:, :, : down * size, : across * size] = shared.transpose(0, 1, 2, 4, 3, 5).reshape(
        samples, channels, down * size, across * size
    )
    return dx


def _pad(x: Array, padding: int) -> Array:
    return np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])


def _places(x: Array, kernel: tuple[int, ...], padding: int, stride: int) -> list[int]:
    """Return the number of places down and across."""
    return [
        output_size(size, side, padding, stride)
        for size, side in zip(x.shape[2:], kernel, strict=True)
    ]


def _windows(
    padded: Array, kernel: tuple[int, ...], stride: int
) -> Iterator[tuple[int, int, Array]]:
    """Yield for each place (i, j) inside the kernel what it sees, a view, at every stop."""
    down, across = _places(padded, kernel, 0, stride)
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            rows = slice(i, i + stride * (down - 1) + 1, stride)
            columns = slice(j, j + stride * (across - 1) + 1, stride)
            yield i, j, padded[:, :, rows, columns]


def _blocks(x: Array, size: int) -> Array:
    """Return the blocks as rows: (samples, channels, down, across, size * size)."""
    samples, channels, *sides = x.shape
    down, across = (output_size(side, size, stride=size) for side in sides)
    cut = x[:, :, : down * size, : across * size]
    split = cut.reshape(samples, channels, down, size, across, size)
    return split.transpose(0, 1, 2, 4, 3, 5).reshape(samples, channels, down, across, size**2)
