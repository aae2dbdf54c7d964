"""Print requirements of pyproject.toml, one a line, for pip: its only list of versions.

``make book`` renders stored outputs: it needs what the ``book`` extra names and not
the package itself, whose own requirements include torch. ``--lowest`` pins what the
package itself needs to the lower ends of its ranges, as constraints for the job that
tries them out.

Usage: python tools/requirements.py EXTRA... | --lowest
"""

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


def project() -> dict[str, Any]:
    """Return the table ``project`` of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads(PYPROJECT.read_text("utf8"))["project"]
    return table


def requirements(extras: list[str]) -> list[str]:
    """Return the sorted requirements of the named extras.

    Raises
    ------
    ValueError
        If pyproject.toml has no such extra.
    """
    known = project()["optional-dependencies"]
    unknown = sorted(set(extras) - set(known))
    if unknown:
        raise ValueError(f"no extra {', '.join(unknown)}: pyproject.toml has {', '.join(known)}")
    return sorted({line for extra in extras for line in known[extra]})


def lowest(dependencies: list[str]) -> list[str]:
    """Return each dependency pinned to the lower end of its range.

    Raises
    ------
    ValueError
        If one has no lower end.

    Examples
    --------
    >>> lowest(["ipywidgets>=7.7.1,<9", "torch>=2.6"])
    ['ipywidgets==7.7.1', 'torch==2.6']
    """
    found = []
    for line in dependencies:
        match = re.match(r"([\w-]+).*?>=\s*([\w.]+)", line)
        if match is None:
            raise ValueError(f"{line!r} has no lower end: write e.g. {line.split('<')[0]}>=1.0")
        found.append(f"{match[1]}=={match[2]}")
    return found


if __name__ == "__main__":
    asked = sys.argv[1:]
    lines = lowest(project()["dependencies"]) if asked == ["--lowest"] else requirements(asked)
    print("\n".join(lines))
