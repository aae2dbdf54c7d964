"""The JavaScript, style and HTML of the explorers, as text.

The ``.js`` files are ES modules that import each other and ``spec.json``. Neither anywidget
(one file) nor a page opened from disk (no module scripts on ``file://``) can follow an
import, so this module joins the files: each becomes a function that runs once and returns
what it exports, so that two files may use one name. Nothing here knows what an explorer
shows, and nothing beyond the standard library is imported.
"""

import html as _html
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

#: The folder of the explorers; an environment may be reached through a link.
HERE = Path(__file__).resolve().parent

# What the files may say of importing and exporting: each at the start of a line.
_IMPORT = re.compile(
    r'^import (\{[^}]*\}|\w+) from "(\.\.?/[\w./]+)"(?: with \{ type: "json" \})?;$', re.M
)
_EXPORT = re.compile(r"^export (?=(?:const|function) (?:(\w+)|\[([\w, ]+)\]))", re.M)
_DEFAULT = re.compile(r"^export default ", re.M)
_COMMENT = re.compile(r"^ *//.*\n", re.M)
_OTHER = re.compile(r"^(?:import|export)\b.*", re.M)

# Keeps the place of an explorer that has not started yet, so that the page stays put.
_PLACE = """@media (scripting: enabled) {{ {place} {{ min-height: {wide}rem; }} }}
@media (scripting: enabled) and (max-width: 40rem) {{ {place} {{ min-height: {narrow}rem; }} }}
"""


def names() -> list[str]:
    """Return the explorers that there are: the folders with a specification.

    Examples
    --------
    >>> "descent" in names(), "shared" in names()
    (True, False)
    """
    return sorted(path.parent.name for path in HERE.glob("*/spec.json"))


def spec(name: str) -> dict[str, Any]:
    """Return the specification of an explorer: its name, title, settings and read-outs.

    Raises
    ------
    ValueError
        If there is no such explorer.

    Examples
    --------
    >>> spec("descent")["settings"]["lr"]["limits"]
    [0.0001, 10]
    """
    if name not in names():
        raise ValueError(f"no explorer named {name!r}: there are {', '.join(names())}")
    found: dict[str, Any] = json.loads((HERE / name / "spec.json").read_text("utf8"))
    return found


def _module(path: Path, text: str) -> str:
    """Return a file as a function that returns its exports."""
    here = path.relative_to(HERE).as_posix()
    if path.suffix == ".json":
        data = json.loads(text)
        for setting in data.get("settings", {}).values():
            del setting["about"]  # for Python's documentation only
        return f'files["{here}"] = {{ default: {json.dumps(data, ensure_ascii=False)} }};\n'

    def take(match: re.Match[str]) -> str:
        wanted, source = match.groups()
        wanted = wanted.replace(" as ", ": ") if wanted[0] == "{" else f"{{ default: {wanted} }}"
        source = (path.parent / source).resolve().relative_to(HERE).as_posix()
        return f'const {wanted} = files["{source}"];'

    given = [name for pair in _EXPORT.findall(text) for name in re.findall(r"\w+", " ".join(pair))]
    if _DEFAULT.search(text):
        given.append("default: standard")
    text = _COMMENT.sub("", text)
    body = _DEFAULT.sub("const standard = ", _EXPORT.sub("", _IMPORT.sub(take, text)))
    if left := _OTHER.search(body):
        raise ValueError(f"{here}: cannot join {left[0]!r}; see how the other files write it")
    return f'files["{here}"] = (() => {{\n{body}return {{ {", ".join(given)} }};\n}})();\n'


def joined(paths: Iterable[str]) -> str:
    """Return a script that puts what files export into ``files``, by their paths.

    Parameters
    ----------
    paths : iterable of str
        Files below this folder. What they import comes along, each file once.

    Raises
    ------
    ValueError
        If a file imports one that is not there, imports itself on a way round, or uses a
        form of import or export that cannot be joined.

    Examples
    --------
    >>> print(joined(["shared/numbers.js"])[:18])
    const files = {};
    <BLANKLINE>
    """
    done: dict[Path, str] = {}

    def visit(path: Path, way: tuple[Path, ...]) -> None:
        if path in done:
            return
        if path in way:
            round_trip = " -> ".join(p.relative_to(HERE).as_posix() for p in (*way, path))
            raise ValueError(f"files import each other: {round_trip}")
        if not path.is_file():
            importer = f", which {way[-1].relative_to(HERE).as_posix()} imports" if way else ""
            raise ValueError(f"no file {path}{importer}")
        text = path.read_text("utf8")
        for _, source in _IMPORT.findall(text):
            visit((path.parent / source).resolve(), (*way, path))
        done[path] = _module(path, text)

    for path in paths:
        visit((HERE / path).resolve(), ())
    return "const files = {};\n" + "".join(done.values())


def module(name: str) -> str:
    """Return one explorer as a single ES module without imports, for anywidget.

    Parameters
    ----------
    name : str
        The explorer, for example ``"descent"``.

    Raises
    ------
    ValueError
        If there is no such explorer.

    Examples
    --------
    >>> "export default" in module("descent"), "import " in module("descent")
    (True, False)
    """
    entry = f"{spec(name)['name']}/picture.js"
    return f'{joined([entry])}export default files["{entry}"].default;\n'


def classic(names: Iterable[str]) -> str:
    """Return one classic script that mounts every explorer div of a page.

    It runs from ``file://`` too, and leaves no name behind.

    Parameters
    ----------
    names : iterable of str
        The explorers that the page may hold.

    Raises
    ------
    ValueError
        If there is no such explorer.

    Examples
    --------
    >>> "export" in classic(["descent"])
    False
    """
    entries = {name: f"{spec(name)['name']}/picture.js" for name in names}
    explorers = ", ".join(f'{name}: files["{path}"].default' for name, path in entries.items())
    script = joined(["shared/mount.js", *entries.values()])
    mount = f'files["shared/mount.js"].mountAll({{ {explorers} }});\n'
    return f'(() => {{\n"use strict";\n{script}{mount}}})();\n'


def css(names: Iterable[str]) -> str:
    """Return the style sheet for some explorers: what all share, then their own.

    Examples
    --------
    >>> ".dlx" in css([]), ".dlx-dots" in css([]), ".dlx-dots" in css(["descent"])
    (True, False, True)
    """
    sheets = [(HERE / "shared/explorer.css").read_text("utf8")]
    for name in names:
        height = spec(name)["height"]
        place = f'[data-dlnotes-explorer="{name}"]:not([data-mounted])'
        sheets.append(_PLACE.format(place=place, **height))
        if (own := HERE / name / "style.css").is_file():
            sheets.append(f".dlx-{name} {{\n{own.read_text('utf8')}}}\n")
    return "\n".join(sheets)


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
