"""The reference: every public name has its entry, and the code of the pages leads there."""

import ast
import importlib
import pkgutil
import re
from functools import cache
from pathlib import Path

import nbformat
import pytest
from built import DOCUMENTS, HTML, NOTEBOOKS, ROOT, every_notebook, fresh_book, soup  # noqa: F401
from course import codelinks, reference
from test_book_extension import build

import dlnotes
from dlnotes.data import Pair
from dlnotes.explorers import descent
from dlnotes.training import History, fit

PAGES = [name for name in DOCUMENTS if name.startswith("book/reference/")]
LIST = "book/reference/index"


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
    """Return half of `size`, as `step` does, and so does `even.fit`."""
    return size / 2
'''


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("`size`", "`length`", "reference target not found: length"),
        ("`even.fit`", "`even.fitting`", "reference target not found: even.fitting"),
        ("`step` is", "`stride` is", "reference target not found: stride"),
        ("half of", ":math:`\\\\frac{1}{2` of", "Missing close brace"),
        ("def step", "def _step", "reference target not found: step"),
        ("", "", ""),
    ],
    ids=["argument", "name elsewhere", "name in the module", "formula", "gone", "none"],
)
def test_a_name_that_leads_nowhere_fails_the_build(tmp_path, old, new, reason):
    (tmp_path / "src" / "dlnotes").mkdir(parents=True)
    (tmp_path / "src/dlnotes/odd.py").write_text(GOOD.replace(old, new), "utf8")
    (tmp_path / "src/dlnotes/even.py").write_text(GOOD.replace("step", "fit"), "utf8")
    text = "".join(
        f"```{{eval-rst}}\n.. {line}\n```\n"
        for line in (
            "public-names:: dlnotes.odd",
            "automodule:: dlnotes.odd",
            "automodule:: dlnotes.even",
        )
    )
    status, log = build(tmp_path, [], text)
    assert (status != 0) == bool(reason), log
    assert reason in log


# Links from code


def page_links(name: str) -> set[str]:
    return {
        a["href"].rpartition("#")[2] for a in soup(name).select(".highlight a[href*=reference]")
    }


def mentioned(name: str) -> set[str]:
    """Return the entries that a notebook's code names, found without reading it as code."""
    cells = nbformat.read(ROOT / f"{name}.ipynb", as_version=4).cells
    code = [
        re.sub(r'"""[^"]*"""|#.*', "", cell.source) for cell in cells if cell.cell_type == "code"
    ]
    imported = {}
    found = set()
    imports = r"^ *from (dlnotes[.\w]*) import (?:\(([^)]*)\)|(.*))$"
    for module, *names in (match for source in code for match in re.findall(imports, source, re.M)):
        for alias in filter(None, map(str.strip, "".join(names).split(","))):
            imported[alias.split()[-1]] = f"{module}.{alias.split()[0]}"
    found = set(imported.values())
    for source in code:
        for chain in re.findall(r"(?<![\w.\"'])[A-Za-z_]\w*(?:\.\w+)+", source):
            owner, *rest = chain.split(".")
            if owner in imported:
                chains = [".".join([imported[owner], *rest[:n]]) for n in range(len(rest), 0, -1)]
                found |= set([chain for chain in chains if chain in entries()][:1])
    return found & set(entries())


@every_notebook
def test_names_in_the_code_of_a_notebook_lead_to_their_entries(name):
    assert {entry.removeprefix("module-") for entry in page_links(name)} == mentioned(name)


@every_notebook
def test_a_link_in_code_says_the_name_that_it_leads_to(name):
    source = (ROOT / f"{name}.ipynb").read_text("utf8")
    for link in soup(name).select(".highlight a"):
        entry = link["href"].rpartition("#")[2].removeprefix("module-")
        assert entry in entries()
        last, said = entry.rpartition(".")[2], link.get_text().rpartition(".")[2]
        assert said == last or f"{last} as {said}" in source


def test_code_is_the_same_with_links_and_without():
    cells = nbformat.read(ROOT / "notebooks/01_gradients.ipynb", as_version=4).cells
    stored = [re.sub(r"\A# ?@title.*\n+", "", c.source) for c in cells if c.cell_type == "code"]
    shown = [
        pre.get_text().rstrip("\n")
        for pre in soup("notebooks/01_gradients").select(".cell_input pre")
    ]
    assert shown == [source.rstrip("\n") for source in stored]


ENTRIES = {f"dlnotes.{name}": "page" for name in ("data", "data.split", "plots.curve", "fit")}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["from dlnotes import data\ndata.split()"], ["data", "data.split"]),
        (["from dlnotes import data", "data.split(); data.split()"], ["data", "data.split"]),
        (["from dlnotes import data", "data = 1", "data.split()"], ["data"]),
        (["from dlnotes import data", "data = data.split()"], ["data", "data.split"]),
        (["from dlnotes import data as d\nd.split.copy()"], ["data", "data.split"]),
        (["import dlnotes.data\ndlnotes.data.split()"], ["data.split"]),
        (["import data\ndata.split()"], []),
        (["from dlnotes import data\nfrom other import data", "data.split()"], ["data"]),
        (["from dlnotes import data", "def f(data):\n    data.split()"], ["data"]),
        (
            ["from dlnotes import data", "def f(x=data.split):\n    data = x"],
            ["data", "data.split"],
        ),
        (["from dlnotes import data", "[data.split for data in x]"], ["data"]),
        (["from dlnotes import data", "lambda data: data.split"], ["data"]),
        (["from dlnotes import plots", "%matplotlib inline\nplots.curve()"], ["plots.curve"]),
        (["from dlnotes import plots", "plots.curve(", "plots.curve()"], ["plots.curve"]),
        (["from dlnotes import plots\nplots.unknown()"], []),
        (["split = 1\nobject.data.split()"], []),
    ],
)
def test_what_a_name_stands_for_is_read_from_the_imports(cells, expected):
    names = codelinks.Names(ENTRIES)
    found = [name for cell in cells for name in names.in_cell(cell)]
    assert [name.removeprefix("dlnotes.") for name in dict.fromkeys(found)] == expected


def test_places_count_characters_and_links_do_not_cross_tags():
    names = codelinks.Names(ENTRIES)
    source = "from dlnotes import fit\ns = 'µ²'; fit(s)"
    (span,) = names.in_cell(source).values()
    assert source[slice(*span)] == "fit"
    names.in_cell("")
    (span,) = names.in_cell("s = 'µ²'; fit(s)").values()
    html = "<pre><span></span>s = <span>&#39;µ²&#39;</span>; <span class='n'>fit</span>(s)</pre>"
    assert "; <a href=\"x\"><span class='n'>fit</span></a>(s)" in codelinks.linked(
        html, [(span, "x")]
    )
    inside = codelinks.linked("<pre><span class='nd'>@fit</span>\n</pre>", [((1, 4), "x")])
    assert inside == "<pre><span class='nd'>@<a href=\"x\">fit</a></span>\n</pre>"
