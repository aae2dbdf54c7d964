"""The reference: every public name has its entry, and the code of the pages leads there."""

import ast
import importlib
import pkgutil
import re
import shutil
import sys
from functools import cache
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup
from test_book_extension import build

import dlnotes
from dlnotes.data import Pair
from dlnotes.explorers import descent
from dlnotes.training import History, fit

ROOT = Path(__file__).parents[1]
HTML = ROOT / "_build" / "html"
sys.path.insert(0, str(ROOT / "book" / "_ext"))

from course import reference  # noqa: E402

TOC = yaml.safe_load((ROOT / "_toc.yml").read_text("utf8"))
FILES = [chapter["file"] for part in TOC["parts"] for chapter in part["chapters"]]
PAGES = [name for name in FILES if name.startswith("book/reference/")]
LIST = "book/reference/index"


@cache
def soup(name: str) -> BeautifulSoup:
    return BeautifulSoup((HTML / f"{name}.html").read_text("utf8"), "html.parser")


@cache
def entries() -> dict[str, str]:
    """Return the page of each entry."""
    return {
        tag["id"].removeprefix("module-"): page
        for page in PAGES
        if page != LIST
        for tag in soup(page).select("dl.py > dt[id], [id^='module-']")
    }


def modules() -> list[str]:
    """Return the modules that others may import: not what a package with ``__all__`` hides.

    A module below such a package is open again if it declares ``__all__`` itself.
    """
    found = ["dlnotes"]
    for module in pkgutil.walk_packages(dlnotes.__path__, "dlnotes."):
        parts = module.name.split(".")
        above = [".".join(parts[:count]) for count in range(1, len(parts))]
        closed = any(hasattr(importlib.import_module(package), "__all__") for package in above)
        if not closed or hasattr(importlib.import_module(module.name), "__all__"):
            found.append(module.name)
    return found


def public_names(module: str) -> set[str]:
    """Return what a module declares, or else the functions, classes and constants it defines."""
    loaded = importlib.import_module(module)
    if hasattr(loaded, "__all__"):
        return {f"{module}.{name}" for name in loaded.__all__}
    names = set()
    for node in ast.parse(Path(loaded.__file__).read_text("utf8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            written = {
                part.id for t in targets for part in ast.walk(t) if isinstance(part, ast.Name)
            }
            names |= {name for name in written if name.isupper()}
    return {f"{module}.{name}" for name in names if not name.startswith("_")}


@pytest.mark.parametrize("module", modules())
def test_every_public_name_has_an_entry(module):
    assert public_names(module) - set(entries()) == set()


def test_every_entry_is_of_a_name_that_there_is():
    for name in entries():
        parts = name.split(".")
        owner, rest = importlib.import_module("dlnotes"), parts[1:]
        for part in rest:
            if not hasattr(owner, part):
                owner = importlib.import_module(f"{owner.__name__}.{part}")
            else:
                owner = getattr(owner, part)


def test_the_list_names_every_function_and_class_with_a_line_on_each():
    lines = soup(LIST).select(".names li")
    listed = {line.a["href"].rpartition("#")[2]: line.get_text() for line in lines}
    assert len(listed) == len(lines)
    expected = {
        name
        for module in modules()
        for name in public_names(module)
        if callable(getattr(importlib.import_module(module), name.rpartition(".")[2]))
    }
    assert set(listed) == expected
    assert all(re.fullmatch(r"\w+: .{8,}[^,;:]", text) for text in listed.values()), listed


def test_signatures_are_those_of_the_source():
    assert reference.signature(History) == (
        "(rows: Iterable[Mapping[str, Any]]=(), stopped: str='finished')",
        "",
    )
    assert reference.signature(History.plot)[1] == "Axes"
    assert reference.signature(History.from_csv)[0] == "(path: str | os.PathLike[str])"
    assert reference.signature(Pair) == ("(x: Tensor, y: Tensor)", "")
    assert "scheduler_interval: Literal['epoch', 'batch']='epoch'" in reference.signature(fit)[0]
    assert reference.signature(descent.Explorer) is None  # it makes its own


def test_a_name_in_a_signature_leads_to_the_class_of_the_package_or_nowhere():
    def linked(name: str) -> set[str]:
        (line,) = soup(entries()[name]).select(f"dt[id='{name}']")
        return {link["href"].rpartition("#")[2] for link in line.select("a:not(.headerlink)")}

    assert linked("dlnotes.training.fit") == {"dlnotes.training.History"}  # Optimizer is torch's
    assert "dlnotes.scratch.optimizers.Optimizer" in linked("dlnotes.training.sweep")


GOOD = '''"""A module; `step` is its function."""


def step(size: "float | None" = 0.5) -> float:
    """Return half of `size`, as `step` does, and so does `training.fit`."""
    return size / 2
'''


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("`size`", "`length`", "reference target not found: length"),
        ("`training.fit`", "`training.fitting`", "reference target not found: training.fitting"),
        ("`step` is", "`stride` is", "reference target not found: stride"),
        ("half of", ":math:`\\\\frac{1}{2` of", "Missing close brace"),
        ("def step", "def _step", "reference target not found: step"),
        ("", "", ""),
    ],
    ids=["argument", "name elsewhere", "name in the module", "formula", "gone", "none"],
)
def test_a_name_that_leads_nowhere_fails_the_build(tmp_path, old, new, reason):
    (tmp_path / "src" / "dlnotes").mkdir(parents=True)
    shutil.copytree(ROOT / "src/dlnotes/training", tmp_path / "src/dlnotes/training")
    (tmp_path / "src/dlnotes/odd.py").write_text(GOOD.replace(old, new), "utf8")
    text = "".join(
        f"```{{eval-rst}}\n.. {line}\n```\n"
        for line in (
            "public-names:: dlnotes.odd",
            "automodule:: dlnotes.odd",
            "autofunction:: dlnotes.training.fit",
        )
    )
    status, log = build(tmp_path, [], text)
    assert (status != 0) == bool(reason), log
    assert reason in log
