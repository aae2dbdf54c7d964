"""The index of the search page: the book section by section, as one script.

A script, because a page that is opened from disk may load scripts and read no files. It
holds the texts themselves, so that what `assets/search.js` finds, it can show.
"""

import json
import posixpath
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.transforms import SphinxTransform

from dlnotes.explorers import esm  # pages.py has made it importable

from . import maths
from .pages import EXPLORER

# "gradient (梯度)", "loss, cost, objective (损失，代价，目标函数)"
ENTRY = re.compile(r"(.+?) \(([^()]*[\u4e00-\u9fff][^()]*)\)")
TAG = re.compile(r"<[^>]*>")
# Of code the index holds the names that one would look for, not the lines: a third of the
# size. Dotted, called, with an underscore or a capital; not what stands in text or comments.
QUOTED = re.compile(r'("""|\'\'\').*?\1|"[^"\n]*"|\'[^\'\n]*\'|#[^\n]*', re.S)
NAME = re.compile(r"[A-Za-z]\w*(?:\.\w+)+|[A-Za-z]\w*(?=\()|[A-Za-z]\w*_\w+|[A-Z]\w+")
PYTHON = {"ipython3", "python", "python3"}
# Headings stand by themselves; what the page folds away gives answers away, or draws.
LEFT_OUT = (nodes.title, nodes.term, nodes.math_block, nodes.Invisible, HideCodeCellNode)


class Part(NamedTuple):
    """What one hit can be: a section, an entry of the glossary, an object of the reference."""

    anchor: str
    heading: str
    prose: str
    code: str
    leads_to: str


def is_part(node: nodes.Node) -> bool:
    """Tell whether a node is found by itself, rather than with what it stands in."""
    if isinstance(node, nodes.definition_list_item):
        return isinstance(node.parent.parent, nodes.section)
    return isinstance(node, nodes.section | addnodes.desc)


class Anchors(SphinxTransform):
    """Give each entry of a glossary an anchor, unless it has one."""

    default_priority = 900

    def apply(self, **kwargs: object) -> None:
        """Go through every entry of the document."""
        for item in filter(is_part, self.document.findall(nodes.definition_list_item)):
            term = item[0]
            anchor = nodes.make_id("term-" + names(term.astext())[0][0])
            if not term["ids"] and anchor not in self.document.ids:
                term["ids"] = [anchor]
                self.document.ids[anchor] = term


def names(heading: str) -> tuple[list[str], list[str]]:
    """Return the English and the Chinese names in the heading of an entry.

    Examples
    --------
    >>> names("learning rate, step size (学习率，步长)")
    (['learning rate', 'step size'], ['学习率', '步长'])
    """
    found = ENTRY.fullmatch(heading)
    english, chinese = found.groups() if found else (heading, "")
    return english.split(", "), chinese.split("，") if chinese else []


def prose(node: nodes.Node) -> str:
    """Return what a node says, without its code, its outputs and the parts inside it."""
    if isinstance(node, nodes.Text):
        return str(node)
    if isinstance(node, nodes.math):
        return formula(node.astext())
    if isinstance(node, addnodes.desc_parameterlist):
        return f"({', '.join(prose(child) for child in node.children)})"
    if isinstance(node, nodes.image):
        return f" {node.get('alt', '')} "
    if isinstance(node, nodes.raw):
        return " ".join(explorer(name) for name in EXPLORER.findall(node.astext()))
    if isinstance(node, nodes.literal_block) and node.get("language") not in PYTHON:
        return "" if "output" in node["classes"] else f" {node.astext()} "
    if isinstance(node, (*LEFT_OUT, nodes.literal_block)):
        return ""
    text = "".join(prose(child) for child in node.children if not is_part(child))
    return text if isinstance(node, nodes.Inline) else f" {text} "


def formula(tex: str) -> str:
    """Return a formula as one would type it in a line: the text of its MathML."""
    try:
        html = maths.typeset(tex, display=False)
    except ValueError:  # a warning where the page is written
        return ""
    return unescape(TAG.sub("", html[html.find("<math") :]))


def explorer(name: str) -> str:
    """Return the words on an explorer: its title and the labels of its settings."""
    if name not in esm.names():  # a warning where the page is written
        return ""
    spec = esm.spec(name)
    labels = [setting.get("label", "") for setting in spec["settings"].values()]
    return f" {spec['title']}: {', '.join(filter(None, labels))}. "


def code(node: nodes.Node) -> Iterator[str]:
    """Yield the names in the Python code of a node, without the parts inside it."""
    if isinstance(node, nodes.literal_block) and node.get("language") in PYTHON:
        yield from NAME.findall(QUOTED.sub("", node.astext()))
    for child in node.children:
        if not isinstance(child, LEFT_OUT) and not is_part(child):
            yield from code(child)


def place(part: nodes.Element) -> tuple[str, str]:
    """Return the anchor and the heading of a part; no anchor if it can't be linked to."""
    if isinstance(part, addnodes.desc):
        signature = part[0]
        name = f"{signature.get('module') or ''}.{signature.get('fullname', '')}".strip(".")
        return "".join(signature["ids"][:1]), name
    heading = part[part.first_child_matching_class((nodes.title, nodes.term))]
    anchored = part if isinstance(part, nodes.section) else heading
    return "".join(anchored["ids"][:1]), squeezed("".join(map(prose, heading.children)))


def squeezed(text: str) -> str:
    """Return a text with single spaces."""
    return " ".join(text.split())


def target(part: nodes.Element, page: str) -> str:
    """Return where the explanation of a glossary's entry leads, from the book's root."""
    link = part.next_node(nodes.reference)
    if not isinstance(part, nodes.definition_list_item) or link is None:
        return ""
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), link.get("refuri", "")))


def weight(page: str) -> float:
    """Return how much a hit on a page counts: a chapter explains, the other pages refer."""
    if page.startswith("book/reference/"):
        return 0.4  # unless its very name is asked for
    return 1 if page.startswith("notebooks/") and "/myths_" not in page else 0.7


class Index:
    """What the pages of one build say, gathered as they are written."""

    def __init__(self) -> None:
        self.parts: dict[str, list[Part]] = {}

    def gather(self, app: Sphinx, document: nodes.document, page: str) -> None:
        """Take the parts of a page."""
        parts = []
        for node in document.findall(is_part):
            anchor, heading = place(node)
            if anchor:
                used = " ".join(dict.fromkeys(code(node)))
                parts.append(Part(anchor, heading, squeezed(prose(node)), used, target(node, page)))
        self.parts[page] = parts

    def data(self, app: Sphinx) -> dict[str, list[Any]]:
        """Return what `assets/search.js` reads: pages, parts and terms in the book's order."""
        env = app.env
        toctrees = [tree for toc in env.tocs.values() for tree in toc.findall(addnodes.toctree)]
        titles = {page: title or "" for tree in toctrees for title, page in tree["entries"]}
        data: dict[str, list[Any]] = {"pages": [], "parts": [], "terms": []}
        numbers, entries = {}, []
        for page in env.collect_relations():
            uri = app.builder.get_target_uri(page)
            # "5 · Initialisation" or "Myths, checked: initialisation" before "Initialisation"
            title = max(env.titles[page].astext(), titles.get(page, ""), key=len)
            for part in self.parts[page]:
                number = numbers[f"{uri}#{part.anchor}"] = len(data["parts"])
                data["parts"].append([len(data["pages"]), *part[:-1]])
                if part.leads_to:
                    entries.append((*names(part.heading), number, part.leads_to))
            data["pages"].append([uri, title, weight(page)])
        data["terms"] = [[*entry, numbers.get(target, -1)] for *entry, target in entries]
        return data

    def write(self, app: Sphinx, error: Exception | None) -> None:
        """Write the index beside the other scripts, unless it stands from the last build."""
        if error is None and app.builder.format == "html" and self.parts:
            data = json.dumps(self.data(app), ensure_ascii=False, separators=(",", ":"))
            path = Path(app.outdir) / "_static" / "search-index.js"
            path.write_text(f"const BOOK = {data};\n", "utf8")


def configure(app: Sphinx) -> None:
    """Leave Sphinx's own index and its scripts out; `html_additional_pages` has the page."""
    if isinstance(app.builder, StandaloneHTMLBuilder):
        app.builder.search = False


def setup(app: Sphinx) -> None:
    """Register the anchors and the index."""
    index = Index()
    app.add_transform(Anchors)
    app.connect("builder-inited", configure)
    app.connect("doctree-resolved", index.gather)
    app.connect("build-finished", index.write)
