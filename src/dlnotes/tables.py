"""Tables of results: text in a terminal, a real table in a page, in JupyterLab and in Colab."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, repr=False)
class Table:
    """Headings and the texts below them; shows itself. Made by `table`."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]

    def __repr__(self) -> str:
        widths = [max(map(len, column)) for column in zip(self.headings, *self.rows, strict=True)]
        lines = [
            "  ".join(
                text.rjust(width) if right else text.ljust(width)
                for text, width, right in zip(line, widths, self.numeric, strict=True)
            ).rstrip()
            for line in (self.headings, *self.rows)
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        def line(tag: str, texts: tuple[str, ...]) -> str:
            scope = ' scope="col"' if tag == "th" else ""
            return "".join(
                f'<{tag}{scope} style="text-align: {"right" if right else "left"}">'
                f"{html.escape(text)}</{tag}>"
                for text, right in zip(texts, self.numeric, strict=True)
            )

        body = "\n".join(f"<tr>{line('td', row)}</tr>" for row in self.rows)
        return (
            f'<table class="dataframe">\n<thead><tr>{line("th", self.headings)}</tr></thead>\n'
            f"<tbody>\n{body}\n</tbody>\n</table>"
        )


def table(
    headings: Sequence[str], rows: Sequence[Sequence[Any]], formats: Sequence[str] | None = None
) -> Table:
    """Return a table that shows itself when it is the last line of a cell.

    Parameters
    ----------
    headings : sequence of str
        One for each column.
    rows : sequence of sequences
        Numbers, texts, or None where there is nothing to say. Tensors and arrays of one
        element count as numbers.
    formats : sequence of str, optional
        The `format specification
        <https://docs.python.org/3/library/string.html#formatspec>`_ of each column's
        numbers. By default 4 significant digits for floats. With one number of decimals
        the points of a column lie below each other.

    Raises
    ------
    ValueError
        If a row or `formats` has not one entry for each heading.

    Examples
    --------
    >>> table(["rule", "rate", "steps"], [("gd", 0.1, 250), ("adam", 0.025, None)],
    ...       ["", ".3f", "d"])
    rule   rate  steps
    gd    0.100    250
    adam  0.025      –
    """  # fmt: skip
    formats = list(formats or [""] * len(headings))
    for name, entries in (("formats", formats), *((f"row {k}", row) for k, row in enumerate(rows))):
        if len(entries) != len(headings):
            raise ValueError(
                f"{name} has {len(entries)} entries for {len(headings)} headings: {list(entries)}"
            )
    values = [[_plain(value) for value in row] for row in rows]
    return Table(
        tuple(headings),
        tuple(
            tuple(_text(v, spec) for v, spec in zip(row, formats, strict=True)) for row in values
        ),
        tuple(
            any(isinstance(v, int | float) for v in column)
            for column in (zip(*values, strict=True) if values else [()] * len(headings))
        ),
    )


def _plain(value: Any) -> Any:
    """Return the number in a tensor, an array or a NumPy scalar, and the rest as it is."""
    return value.item() if hasattr(value, "item") else value


def _text(value: Any, spec: str) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if isinstance(value, float) and not spec:
        spec = ".4g"
    text = format(value, spec) if spec else str(value)
    return text.replace("-", "−", 1) if text.lstrip().startswith("-") else text
