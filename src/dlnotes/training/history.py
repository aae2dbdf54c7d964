"""What a training run recorded: one row an epoch.

Nothing here trains.
"""

import csv
import math
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

Row = dict[str, float]


class History:
    """The rows of a run and why it stopped.

    Parameters
    ----------
    rows : iterable of mappings
        One an epoch, in order; each has the keys of the first, ``epoch`` among them.
    stopped : str
        ``"finished"``, ``"early"`` (patience ran out) or ``"interrupted"`` (Ctrl-C).

    Notes
    -----
    Columns: ``epoch`` from 1; ``step``, the updates made so far; ``train_loss`` and
    ``val_loss``; ``train_<metric>`` and ``val_<metric>``; ``lr``, the rate that the
    epoch's last update used in the first parameter group; ``grad_norm``, the mean over
    batches of the gradient's 2-norm before clipping; ``seconds``.

    Two histories are equal if all columns but ``seconds`` are.

    Examples
    --------
    >>> history = History([{"epoch": 1, "train_loss": 0.5, "seconds": 0.1}])
    >>> history.frame["train_loss"].tolist()
    [0.5]
    >>> history == History([{"epoch": 1, "train_loss": 0.5, "seconds": 9.0}])
    True
    """

    __hash__ = None  # type: ignore[assignment]  # rows are added while a run goes on

    def __init__(self, rows: Iterable[Mapping[str, Any]] = (), stopped: str = "finished") -> None:
        self.rows: list[Row] = [dict(row) for row in rows]
        self.stopped = stopped

    @property
    def frame(self) -> "pd.DataFrame":
        """A new DataFrame of the rows, one an epoch."""
        import pandas as pd

        return pd.DataFrame(self.rows)

    @property
    def monitor(self) -> str:
        """The column that decides which epoch is best, ``val_loss`` where there is one."""
        return "val_loss" if self.rows and "val_loss" in self.rows[0] else "train_loss"

    @property
    def best_epoch(self) -> int:
        """The epoch of the smallest loss in `monitor`, the first of equals; 0 without rows."""
        best = min(self.rows, key=lambda row: row[self.monitor], default=None)
        return 0 if best is None else int(best["epoch"])

    def __len__(self) -> int:
        """Return the number of epochs."""
        return len(self.rows)

    def __eq__(self, other: object) -> bool:
        """Compare all columns but ``seconds``; nan equals nan."""
        if not isinstance(other, History):
            return NotImplemented
        return len(self) == len(other) and all(map(_same, self.rows, other.rows))

    def __repr__(self) -> str:
        if not self.rows:
            return "History(0 epochs)"
        last = ", ".join(
            f"{k} {v:.4g}" for k, v in self.rows[-1].items() if k.startswith(("train", "val"))
        )
        return f"History({len(self)} epochs, {self.stopped}; {last})"

    def plot(self, columns: Iterable[str] | None = None, ax: "Axes | None" = None) -> "Axes":
        """Draw columns against the epoch and return the axes.

        Parameters
        ----------
        columns : iterable of str, optional
            The losses if not given.
        ax : matplotlib.axes.Axes, optional
            Where to draw; new axes if not given.

        Raises
        ------
        ValueError
            If there are no rows or a column is unknown.
        """
        if not self.rows:
            raise ValueError("there is nothing to plot: the history has no epochs")
        import matplotlib.pyplot as plt
        from matplotlib.ticker import MaxNLocator

        known = [c for c in self.rows[0] if c != "epoch"]
        chosen = list(columns) if columns is not None else [c for c in known if c in _LOSSES]
        if unknown := [c for c in chosen if c not in known]:
            raise ValueError(f"no column {unknown}: choose from {known}")
        if ax is None:
            ax = plt.subplots()[1]
        epochs = [row["epoch"] for row in self.rows]
        marker = "o" if len(self) == 1 else None  # a line needs two points
        for column in chosen:
            label = column.replace("train_", "training ").replace("val_", "validation ")
            label = label.replace("_", " ")
            ax.plot(epochs, [row[column] for row in self.rows], label=label, marker=marker)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_xlabel("epoch")
        kinds = {c.removeprefix("train_").removeprefix("val_") for c in chosen}
        ax.set_ylabel(kinds.pop().replace("_", " ") if len(kinds) == 1 else "")
        ax.legend()
        return ax

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the rows to a CSV file; `from_csv` reads back every number exactly."""
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(self.rows[0]) if self.rows else ["epoch"])
            writer.writeheader()
            writer.writerows(self.rows)

    @classmethod
    def from_csv(cls, path: str | os.PathLike[str]) -> "History":
        """Read what `to_csv` wrote.

        Raises
        ------
        ValueError
            If the file has no ``epoch`` column or a cell is not a number.
        """
        with open(path, newline="", encoding="utf-8") as file:
            table = list(csv.DictReader(file))
        try:
            rows = [{name: _number(text) for name, text in row.items()} for row in table]
        except (TypeError, ValueError) as error:  # a short row has None
            raise ValueError(f"{os.fspath(path)!r} is not a history: {error}") from error
        if rows and "epoch" not in rows[0]:
            raise ValueError(f"{os.fspath(path)!r} is not a history: it has no epoch column")
        return cls(rows)


_LOSSES = ("train_loss", "val_loss")


def _same(a: Row, b: Row) -> bool:
    return (a.keys() - {"seconds"}) == (b.keys() - {"seconds"}) and all(
        a[k] == b[k] or (math.isnan(a[k]) and math.isnan(b[k])) for k in a if k != "seconds"
    )


def _number(text: str) -> float:
    return int(text) if text.lstrip("-").isdecimal() else float(text)
