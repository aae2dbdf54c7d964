"""The JavaScript and HTML of the explorers, as text.

The ``.js`` files beside this module are ES modules that import each other. Neither
anywidget (one file) nor a page opened from disk (no module scripts on ``file://``) can
follow an import, so this module joins the files. Nothing here knows what an explorer
shows, and nothing beyond the standard library is imported.
"""

import html as _html
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\w+)\.js";\n', re.MULTILINE)
_DEFAULT = re.compile(r"^export default (.+);\n", re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)


def _source(name: str) -> str:
    try:
        return (HERE / f"{name}.js").read_text("utf8")
    except FileNotFoundError:
        known = ", ".join(sorted(p.stem for p in HERE.glob("*.js")))
        raise ValueError(f"no explorer file named {name!r}: there are {known}") from None


def _files(names: Iterable[str]) -> list[str]:
    """Return the names and everything they import, each once, imports first."""
    found: list[str] = []

    def visit(name: str) -> None:
        for dependency in _IMPORT.findall(_source(name)):
            visit(dependency)
        if name not in found:
            found.append(name)

    for name in names:
        visit(name)
    return found


def names() -> list[str]:
    """Return the explorers that there are: the files with a default export.

    Examples
    --------
    >>> "descent" in names(), "controls" in names()
    (True, False)
    """
    return sorted(p.stem for p in HERE.glob("*.js") if _DEFAULT.search(p.read_text("utf8")))


def module(name: str) -> str:
    """Return one explorer as a single ES module without imports, for anywidget.

    Parameters
    ----------
    name : str
        The explorer, for example ``"descent"``.

    Raises
    ------
    ValueError
        If there is no such file.

    Examples
    --------
    >>> "export default" in module("descent"), "import " in module("descent")
    (True, False)
    """
    return "\n".join(_IMPORT.sub("", _source(file)) for file in _files([name]))


def classic(names: Iterable[str]) -> str:
    """Return one classic script that mounts every explorer div of a page.

    It runs from ``file://`` too. Each explorer has a block of its own, so two of them
    may use the same names inside; the files that they share appear once.

    Parameters
    ----------
    names : iterable of str
        The explorers that pages may hold.

    Raises
    ------
    ValueError
        If there is no such file.

    Examples
    --------
    >>> "export" in classic(["descent"])
    False
    """
    names = list(dict.fromkeys(names))
    parts = []
    for file in _files(["controls", *names]):
        source = _EXPORT.sub(
            "", _DEFAULT.sub(rf'explorers["{file}"] = \1;\n', _IMPORT.sub("", _source(file)))
        )
        parts.append(f"{{\n{source}}}" if file in names else source)
    body = "\n".join(parts)
    return (
        f'(() => {{\n"use strict";\nconst explorers = {{}};\n{body}\nmountAll(explorers);\n}})();\n'
    )


def css() -> str:
    """Return the style sheet that every explorer uses, in Jupyter and in the book.

    Examples
    --------
    >>> ".dlx" in css()
    True
    """
    return (HERE / "explorer.css").read_text("utf8")


def html(name: str, state: Mapping[str, Any], fallback: str) -> str:
    """Return the ``text/html`` part of an explorer: a div that `classic` mounts.

    Parameters
    ----------
    name : str
        The explorer.
    state : mapping
        What it starts with; must be plain JSON.
    fallback : str
        Plain text for a reader without JavaScript: what the figure shows.

    Raises
    ------
    ValueError
        If the state holds a number that JSON cannot write (nan or inf).

    Examples
    --------
    >>> print(html("descent", {"lr": 0.1}, "A path."))
    <div data-dlnotes-explorer="descent" data-state="{&quot;lr&quot;: 0.1}"><p>A path.</p></div>
    """
    text = json.dumps(dict(state), sort_keys=True, allow_nan=False)
    return (
        f'<div data-dlnotes-explorer="{_html.escape(name)}" data-state="{_html.escape(text)}">'
        f"<p>{_html.escape(fallback)}</p></div>"
    )
