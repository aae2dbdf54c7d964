"""Random numbers that Python and JavaScript draw alike, for figures that must agree.

Not for research: one stream has a period of 2³² - 1. NumPy and torch have better ones,
whose numbers no page can make.
"""

import math

MASK = 2**32 - 1  #: Keeps the lowest 32 bits.


class Generator:
    """A stream of random numbers, the same in ``explorers/maths/portable.js``.

    The step is the 32-bit xorshift of `Marsaglia 2003
    <https://www.jstatsoft.org/article/view/v008i14>`_.

    Parameters
    ----------
    seed, stream : int
        At least 0. Streams of one seed are for things that must not shift each other:
        data, weights, order, masks.

    Examples
    --------
    >>> one, other = Generator(7), Generator(7, stream=1)
    >>> round(one.uniform(), 6), round(other.uniform(), 6)
    (0.185347, 0.916589)
    """

    def __init__(self, seed: int, stream: int = 0) -> None:
        mixed = (seed * 2654435761 + stream * 2246822519 + 374761393) & MASK
        self.state = mixed or 1  # zero would stay zero
        for _ in range(16):  # neighbouring seeds part ways
            self.uniform()

    def uniform(self) -> float:
        """Return a number in (0, 1)."""
        x = self.state
        x ^= (x << 13) & MASK
        x ^= x >> 17
        x ^= (x << 5) & MASK
        self.state = x
        return x / 2**32

    def normal(self) -> float:
        """Return a standard normal number (Box and Muller: two uniform ones make one)."""
        radius = math.sqrt(-2 * math.log(self.uniform()))
        return radius * math.cos(2 * math.pi * self.uniform())

    def shuffled(self, n: int) -> list[int]:
        """Return 0 to n - 1 in random order (Fisher and Yates)."""
        order = list(range(n))
        for i in range(n - 1, 0, -1):
            j = math.floor(self.uniform() * (i + 1))
            order[i], order[j] = order[j], order[i]
        return order
