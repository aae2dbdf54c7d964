"""Print the requirements of some extras of pyproject.toml, one a line, for pip.

``make book`` renders stored outputs: it needs what the ``book`` extra names and not
the package itself, whose own requirements include torch. This keeps one version list.

Usage: python tools/requirements.py EXTRA...
"""

import sys
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


def requirements(extras: list[str]) -> list[str]:
    """Return the sorted requirements of the named extras.

    Raises
    ------
    ValueError
        If pyproject.toml has no such extra.
    """
    known = tomllib.loads(PYPROJECT.read_text("utf8"))["project"]["optional-dependencies"]
    unknown = sorted(set(extras) - set(known))
    if unknown:
        raise ValueError(f"no extra {', '.join(unknown)}: pyproject.toml has {', '.join(known)}")
    return sorted({line for extra in extras for line in known[extra]})


if __name__ == "__main__":
    print("\n".join(requirements(sys.argv[1:])))
