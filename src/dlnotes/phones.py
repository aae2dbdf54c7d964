"""The phone price table of the capstone: generated, or read from a file and checked.

The file that the capstone is modelled on may not be redistributed. `generate` makes
phones of the same schema by a rule that is stated here, so its numbers say nothing
about real prices; ``DLNOTES_PHONE_CSV`` names the real file where there is one.
"""

import csv
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

VARIABLE = "DLNOTES_PHONE_CSV"  #: The environment variable that names the real file.
TARGET = "price_range"  #: The column of the answer, 0 to 3.
#: What the four values of `TARGET` stand for.
CLASSES = ("low", "medium", "high", "very high")

#: Smallest and largest value that a phone can have; bounds are inclusive.
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
        "sc_w": (0, 20),  # cm; 0 is let through: what it stands for is not known
        "talk_time": (2, 20),  # hours
        "three_g": (0, 1),
        "touch_screen": (0, 1),
        "wifi": (0, 1),
    }
)
_DECIMALS = ("clock_speed", "m_dep")

#: What a unit of each column adds to the score that a generated phone's price follows.
WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "ram": 1.0,
        "battery_power": 0.62,
        "px_width": 0.37,
        "px_height": 0.37,
        "mobile_wt": -1.3,
    }
)
NOISE = 29.0  #: Standard deviation, 0.025 of that of the score.
CUTS = (2477.0, 3414.0, 4350.0)  #: Quartiles of 10⁶ scores, where the classes end.


def generate(n: int = 2000, *, seed: int = 0) -> "pd.DataFrame":
    """Make a table of made-up phones: the columns of `FEATURES` and `TARGET`.

    Each feature is uniform on its range, but 4G implies 3G, the front camera is no
    better than the main one, and no screen is higher than wide in pixels or wider than
    high in cm. The price score is the sum of `WEIGHTS` times features, plus normal noise
    of standard deviation `NOISE`; `CUTS` cut it into four classes. The cuts do not depend
    on the table, so a model of one table can be tested on another, and the classes are
    balanced only about.

    Parameters
    ----------
    n : int
        Number of phones, at least 1.
    seed : int
        Of the generator.

    Raises
    ------
    ValueError
        If `n` is below 1.

    Examples
    --------
    >>> generate(3)[["ram", "mobile_wt", "price_range"]].to_numpy().tolist()
    [[1595, 154, 1], [2396, 126, 2], [1461, 200, 0]]
    """
    import pandas as pd

    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    rng = np.random.default_rng(seed)
    columns: dict[str, np.ndarray] = {}
    for name, (low, high) in FEATURES.items():
        unit = rng.random(n)
        if name in _DECIMALS:
            columns[name] = np.round(low + unit * (high - low), 1)
        else:
            columns[name] = (low + unit * (high - low + 1)).astype(np.int64)
    columns["px_height"] = (rng.random(n) * (columns["px_width"] + 1)).astype(np.int64)
    columns["sc_w"] = (rng.random(n) * (columns["sc_h"] + 1)).astype(np.int64)
    columns["fc"] = np.minimum(columns["fc"], columns["pc"])
    columns["three_g"] = np.maximum(columns["three_g"], columns["four_g"])
    score = NOISE * rng.standard_normal(n)
    for name, weight in WEIGHTS.items():
        score = score + weight * columns[name]
    columns[TARGET] = np.searchsorted(CUTS, score)
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
        If it is no CSV text, its header or a row has not exactly these columns, there are
        no rows, a cell is not a number or lies outside its range, or a phone (the same
        features, whatever its class) stands in it twice. The message names line (the
        header is line 1), column and remedy.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     generate(8).to_csv(Path(folder, "phones.csv"), index=False)
    ...     read(Path(folder, "phones.csv")).shape
    (8, 21)
    """
    import pandas as pd

    lines = _lines(path)
    try:
        _, header = next(lines)
    except StopIteration:
        raise ValueError("the file is empty: export the table again") from None
    _check_header(header)
    table: dict[str, list[float]] = {name: [] for name in header}
    first_seen: dict[tuple[float, ...], int] = {}
    for line, cells in lines:
        if len(cells) != len(header):
            raise ValueError(
                f"line {line}: {len(cells)} cells for {len(header)} columns "
                f"(the last is {cells[-1]!r}): add what is missing, remove what is too much, "
                "and put quotes around text that holds a comma"
            )
        phone = tuple(_number(*cell, line) for cell in zip(header, cells, strict=True))
        features = tuple(value for name, value in zip(header, phone, strict=True) if name != TARGET)
        if features in first_seen:
            raise ValueError(
                f"line {line}: the same phone as in line {first_seen[features]}: remove one of "
                "them, or it can be trained on and tested on"
            )
        first_seen[features] = line
        for name, value in zip(header, phone, strict=True):
            table[name].append(value)
    if not first_seen:
        raise ValueError("line 1: a header and no rows below it: export the table again")
    kinds = {name: "float64" if name in _DECIMALS else "int64" for name in table}
    return pd.DataFrame(table).astype(kinds)


def _lines(path: str | os.PathLike[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield line numbers and cells of a CSV file, without lines that are blank."""
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"no file {os.fspath(path)!r}: correct the path, or unset {VARIABLE} "
            "to work with generated phones"
        )
    line = 0
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, strict=True)
        try:
            for cells in rows:
                line = rows.line_num
                if cells:
                    yield line, [cell.strip() for cell in cells]
        except UnicodeDecodeError:
            raise ValueError(
                f"after line {line}: this is not text in UTF-8: save the table as a CSV file "
                "in UTF-8 (a workbook must be exported)"
            ) from None
        except csv.Error as error:
            raise ValueError(
                f"after line {line}: {error}: look for a quote that is not closed"
            ) from None


def _check_header(header: list[str]) -> None:
    expected = [*FEATURES, TARGET]
    for separator, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(header) == 1 and separator in header[0]:
            raise ValueError(f"line 1: the cells are separated by {name}: export with commas")
    if not set(header) & set(expected):
        raise ValueError(
            f"line 1: no header, it begins with {header[0]!r}: write the names of the columns "
            f"there, {', '.join(expected)}"
        )
    repeated = sorted({name for name in header if header.count(name) > 1})
    missing = [name for name in expected if name not in header]
    unknown = [name for name in header if name not in expected]
    for fault, names, remedy in (
        ("twice", repeated, "remove one of each"),
        ("missing", missing, "add it, spelled like this"),
        ("unknown", unknown, "remove it (an empty name is a saved index)"),
    ):
        if names:
            raise ValueError(f"line 1: {fault}: column {', '.join(map(repr, names))}: {remedy}")


def _number(name: str, cell: str, line: int) -> float:
    """Return the number in a cell, or raise a ValueError that says what to change."""
    low, high = FEATURES.get(name, (0, len(CLASSES) - 1))
    kind = "a number" if name in _DECIMALS else "a whole number"
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if low <= value <= high and (name in _DECIMALS or value % 1 == 0):
        return value
    if cell == "":
        found, remedy = "the cell is empty", "look the value up, or remove the line"
    elif math.isnan(value) and cell.count(",") == 1:
        found, remedy = f"{cell!r} has a decimal comma", "write a point"
    elif math.isnan(value):
        found, remedy = f"{cell!r} is not a number", "look the value up, or remove the line"
    elif low <= value <= high:
        found, remedy = f"{cell!r} is not whole", "correct it"
    elif name == TARGET:
        found, remedy = f"{cell!r} is no class", f"number the classes from 0 to {high}"
    else:
        found, remedy = f"{cell!r} is out of range", "correct it; is the unit another one?"
    raise ValueError(
        f"line {line}, column {name!r}: {found}: {remedy} ({kind} from {low} to {high})"
    )


def table() -> "pd.DataFrame":
    """Return the file that ``DLNOTES_PHONE_CSV`` names, or the generated phones.

    Examples
    --------
    >>> table().shape
    (2000, 21)
    """
    path = os.environ.get(VARIABLE)
    return read(path) if path else generate()
