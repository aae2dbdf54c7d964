"""The report of what other versions of the libraries change in the notebooks' outputs.

``pytest --nbval --changed FILE notebooks`` writes it; ``conftest.py`` collects what stands in
it. It is Markdown, as GitHub shows it in the summary of a job: the versions, a table of the
notebooks, and for each cell that differs what was stored and what came out.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
KEY = "changed output"
MAX_LINE = 300  # a table is one line of HTML, and GitHub drops a summary over 1 MiB
COLOUR = re.compile(r"\x1b\[[\d;]*m")

Difference = dict[str, Any]


def difference(item: Any, texts: Sequence[str], pictures: Sequence[str] = ()) -> Difference:
    """Return what goes to the report of a cell that differs, also from a pytest worker."""
    return {
        "notebook": item.parent.path.stem,
        "cell": item.name,
        "code": item.cell.source.strip().split("\n")[0],
        "texts": list(texts),
        "pictures": list(pictures),
    }


def report(differences: list[Difference], failed: list[tuple[str, str]], compared: int) -> str:
    """Return the whole report.

    Parameters
    ----------
    differences : list of dict
        What `difference` made of each cell that differs.
    failed : list of (str, str)
        Each cell that raised, and what pytest says of it.
    compared : int
        The number of cells that were compared.
    """
    count = Counter(entry["notebook"] for entry in differences)
    lines = [
        "# Which outputs changed",
        *("", "| package | stored with | run with |", "|---|---|---|", *versions(), ""),
        f"{len(differences)} outputs differ from the stored ones, in {compared} cells compared.",
    ]
    if failed:
        lines += ["", f"**{len(failed)} failed**, which is named here by its first in a file:", ""]
        first = {where.split("::")[0]: (where, text) for where, text in reversed(failed)}
        lines += [f"- `{where}`: {code(cause(text))}" for where, text in reversed(first.values())]
    if count:
        lines += ["", "| notebook | outputs that differ |", "|---|---|"]
        lines += [f"| {name} | {number} |" for name, number in sorted(count.items())]
    for name in sorted(count):
        lines += ["", f"## {name}"]
        for entry in differences:
            if entry["notebook"] == name:
                lines += described(entry)
    return "\n".join(lines) + "\n"


def described(entry: Difference) -> Iterator[str]:
    """Yield the lines of the report about one cell."""
    yield from ("", f"**{entry['cell']}** {code(entry['code'])}", "", "````text")
    for text in entry["texts"]:
        yield from (line[:MAX_LINE] + "…" * (len(line) > MAX_LINE) for line in text.split("\n"))
    yield "````"
    for path in entry["pictures"]:
        yield from ("", f"stored | new | difference: `{path}`")


def versions() -> Iterator[str]:
    """Yield a row for each package that the notebooks need: its pinned and its own version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]
    pins = dict(
        line.split("==")
        for line in (ROOT / "constraints.txt").read_text("utf8").splitlines()
        if "==" in line and not line.startswith("#")
    )
    pinned = {canonicalize_name(name): number for name, number in pins.items()}
    for line in project["dependencies"]:
        name = canonicalize_name(Requirement(line).name)
        try:
            here = version(name)
        except PackageNotFoundError:
            here = "missing"
        yield f"| {name} | {pinned[name]} | {here if here == pinned[name] else f'**{here}**'} |"


def cause(text: str) -> str:
    """Return the last line that names an exception, or the last line, without colours."""
    lines = [line for line in COLOUR.sub("", text).splitlines() if line.strip()] or [""]
    named = [line for line in lines if line.split(":")[0].endswith(("Error", "Exception"))]
    return (named or lines)[-1].strip()


def code(text: str) -> str:
    """Return one line of text as code in Markdown."""
    return f"`` {text[:MAX_LINE]} ``" if text else ""
