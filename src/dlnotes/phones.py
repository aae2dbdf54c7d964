"""The phone price table of the capstone: generated, or read from a file and checked.

The file that the capstone is modelled on may not be redistributed. `generate` makes
phones of the same schema by a rule that is stated here, so its numbers say nothing
about real prices; ``DLNOTES_PHONE_CSV`` names the real file where there is one.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

VARIABLE = "DLNOTES_PHONE_CSV"
TARGET = "price_range"
CLASSES = ("low", "medium", "high", "very high")

# Smallest and largest value that a phone can have; bounds are inclusive.
FEATURES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "battery_power": (500, 2000),  # mAh
        "blue": (0, 1),  # bluetooth
        "clock_speed": (0.5, 3.0),  # GHz
        "dual_sim": (0, 1),
        "fc": (0, 20),  # front camera, megapixels
        "four_g": (0, 1),
        "int_memory": (2, 64),  # GB
        "m_dep": (0.1, 1.0),  # depth, cm
        "mobile_wt": (80, 200),  # weight, g
        "n_cores": (1, 8),
        "pc": (0, 20),  # main camera, megapixels
        "px_height": (0, 2000),
        "px_width": (500, 2000),
        "ram": (256, 4000),  # MB
        "sc_h": (5, 20),  # screen, cm
        "sc_w": (0, 20),
        "talk_time": (2, 20),  # hours
        "three_g": (0, 1),
        "touch_screen": (0, 1),
        "wifi": (0, 1),
    }
)
_DECIMALS = ("clock_speed", "m_dep")


def generate(n: int = 2000, *, seed: int = 0) -> "pd.DataFrame":
    """Make a table of made-up phones: the columns of `FEATURES` and `TARGET`.

    Each feature is uniform on its range; 4G implies 3G and the front camera is no
    better than the main one. The price score is ``2.5 ram + 0.7 battery + 0.5 px_width
    + 0.5 px_height`` (each scaled to [0, 1]) plus normal noise of standard deviation
    0.1; the four classes are its quarters, so they are balanced.

    Parameters
    ----------
    n : int
        Number of phones, at least 4.
    seed : int
        Of the generator.

    Raises
    ------
    ValueError
        If `n` is below 4.

    Examples
    --------
    >>> generate(8)["price_range"].value_counts().tolist()
    [2, 2, 2, 2]
    """
    import pandas as pd

    if n < 4:
        raise ValueError(f"n must be at least 4, one phone a class, got {n}")
    rng = np.random.default_rng(seed)
    unit = {name: rng.random(n) for name in FEATURES}
    columns: dict[str, np.ndarray] = {}
    for name, (low, high) in FEATURES.items():
        if name in _DECIMALS:
            columns[name] = np.round(low + unit[name] * (high - low), 1)
        else:
            columns[name] = (low + unit[name] * (high - low + 1)).astype(np.int64)
    columns["fc"] = np.minimum(columns["fc"], columns["pc"])
    columns["three_g"] = np.maximum(columns["three_g"], columns["four_g"])
    score = 2.5 * unit["ram"] + 0.7 * unit["battery_power"]
    score = score + 0.5 * unit["px_width"] + 0.5 * unit["px_height"] + rng.normal(0, 0.1, n)
    columns[TARGET] = score.argsort().argsort() * 4 // n
    return pd.DataFrame(columns)


def read(path: str | os.PathLike[str]) -> "pd.DataFrame":
    """Read a table of phones from a CSV file and check every cell.

    Parameters
    ----------
    path : path
        A file with the columns of `FEATURES` and `TARGET`, in any order.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If columns are missing or unknown, there are no rows, a cell is empty or not
        a number, or a value lies outside its range. The message names column and row;
        row 1 is the first after the header.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     generate(8).to_csv(Path(folder, "phones.csv"), index=False)
    ...     read(Path(folder, "phones.csv")).shape
    (8, 21)
    """
    import pandas as pd

    if not Path(path).is_file():
        raise FileNotFoundError(
            f"no file {os.fspath(path)!r}: correct the path, or unset {VARIABLE}"
        )
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    expected = [*FEATURES, TARGET]
    missing = [c for c in expected if c not in frame.columns]
    extra = [c for c in frame.columns if c not in expected]
    if missing or extra:
        raise ValueError(f"wrong columns: missing {missing}, unknown {extra}")
    if frame.empty:
        raise ValueError("the file has a header and no rows")
    numbers = {}
    for name in expected:
        column = pd.to_numeric(frame[name], errors="coerce")
        low, high = FEATURES.get(name, (0, len(CLASSES) - 1))
        bad = ~column.between(low, high)  # also true for what is not a number
        if name not in _DECIMALS:
            bad |= column % 1 != 0
        if bad.any():
            row = int(bad.to_numpy().argmax())
            kind = "a number" if name in _DECIMALS else "a whole number"
            raise ValueError(
                f"column {name!r}, row {row + 1}: {frame[name].iloc[row]!r} is not {kind} "
                f"from {low} to {high} ({int(bad.sum())} such cell(s) in the column)"
            )
        numbers[name] = column if name in _DECIMALS else column.astype("int64")
    return pd.DataFrame(numbers)


def table() -> "pd.DataFrame":
    """Return the file that ``DLNOTES_PHONE_CSV`` names, or the generated phones.

    Examples
    --------
    >>> table().shape
    (2000, 21)
    """
    path = os.environ.get(VARIABLE)
    return read(path) if path else generate()
