"""Names of `dlnotes` in the code of a page lead to their entries in the reference.

What a name stands for is read from the imports of the page, cell after cell; nothing is
imported or run. In each cell the first mention of an entry becomes a link.
"""

import ast
import re
from collections.abc import Container, Iterator, Sequence
from html import escape

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.domains.python import PythonDomain
from sphinx.writers.html5 import HTML5Translator

PACKAGE = "dlnotes"
LANGUAGES = {"python", "python3", "ipython", "ipython3"}
MAGIC = re.compile(r"^( *)[%!].*$", re.M)
PIECE = re.compile(r"(<[^>]*>)|&[^;]+;|.", re.S)  # a tag, or what stands for one character
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
Span = tuple[int, int]  # where it begins and ends, in characters


class Names(ast.NodeVisitor):
    """What the names of a page stand for, and where in its code they have entries."""

    def __init__(self, entries: Container[str]) -> None:
        self.entries = entries
        self.known: dict[str, str] = {}
        self.found: dict[str, Span] = {}

    def in_cell(self, source: str) -> dict[str, Span]:
        """Return the entries that a cell names, each with the place of its first mention."""
        self.found = {}
        try:
            tree = ast.parse(MAGIC.sub(r"\1pass", source))
        except SyntaxError:  # on purpose, in a cell that shows an error
            return {}
        self.lines = source.splitlines(keepends=True)
        self.visit(tree)
        return self.found

    def _note(self, name: str, node: ast.expr | ast.alias, length: int | None = None) -> bool:
        """Keep the place of a name if it has an entry; say whether it has one."""
        if name not in self.entries or node.lineno != node.end_lineno:
            return False
        line = self.lines[node.lineno - 1]
        before = sum(map(len, self.lines[: node.lineno - 1]))
        begin = len(line.encode()[: node.col_offset].decode())  # ast counts bytes
        end = len(line.encode()[: node.end_col_offset].decode())
        end = end if length is None else begin + length
        self.found.setdefault(name, (before + begin, before + end))
        return True

    def _full(self, node: ast.expr) -> str:
        """Return what a name or a chain of attributes stands for, or nothing."""
        if isinstance(node, ast.Name):
            return self.known.get(node.id, "")
        if isinstance(node, ast.Attribute) and (owner := self._full(node.value)):
            return f"{owner}.{node.attr}"
        return ""

    def _bind(self, *names: str) -> None:
        for name in names:
            self.known.pop(name, None)

    # What binds a name

    def visit_Import(self, node: ast.Import) -> None:
        """Learn what ``import a.b as c`` binds."""
        for alias in node.names:
            bound = alias.asname or alias.name.partition(".")[0]
            self._bind(bound)
            if alias.name.partition(".")[0] == PACKAGE:
                self.known[bound] = alias.name if alias.asname else PACKAGE

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Learn what ``from a import b as c`` binds, and link b."""
        for alias in node.names:
            bound = alias.asname or alias.name
            self._bind(bound)
            if node.module and node.module.partition(".")[0] == PACKAGE:
                self.known[bound] = f"{node.module}.{alias.name}"
                self._note(self.known[bound], alias, len(alias.name))

    def visit_Assign(self, node: ast.Assign) -> None:
        """Read the value before the targets take their new meaning."""
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)

    def visit_For(self, node: ast.For) -> None:
        """Read what is gone through before its name."""
        self.visit(node.iter)
        for part in (node.target, *node.body, *node.orelse):
            self.visit(part)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Read a function, in which its arguments and what it assigns are its own."""
        for part in (*node.decorator_list, *node.args.defaults, *_given(node.args.kw_defaults)):
            self.visit(part)
        self._bind(node.name)
        self._inside({*_arguments(node.args), *_assigned(node.body)}, node.body)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """Read a function without a name."""
        self._inside(set(_arguments(node.args)), [node.body])

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Read a class; what its body assigns is its own."""
        for part in node.bases:
            self.visit(part)
        self._bind(node.name)
        self._inside(set(_assigned(node.body)), node.body)

    def _comprehension(self, node: Comprehension) -> None:
        targets = [generator.target for generator in node.generators]
        self._inside(set(_assigned(targets)), list(ast.iter_child_nodes(node)))

    visit_ListComp = visit_SetComp = visit_GeneratorExp = _comprehension  # noqa: N815
    visit_DictComp = _comprehension  # noqa: N815

    def _inside(self, own: set[str], body: Sequence[ast.AST]) -> None:
        outside = dict(self.known)
        self._bind(*own)
        for part in body:
            self.visit(part)
        self.known = outside

    # What reads a name

    def visit_Name(self, node: ast.Name) -> None:
        """Keep the place of a name that is read; forget what is written."""
        if isinstance(node.ctx, ast.Load):
            self._note(self._full(node), node)
        else:
            self._bind(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Keep the place of the longest chain that has an entry."""
        if not self._note(self._full(node), node):
            self.visit(node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Leave formatted strings alone: before Python 3.12 their places are wrong."""


def _given(nodes_: list[ast.expr | None]) -> Iterator[ast.expr]:
    return (node for node in nodes_ if node is not None)


def _arguments(arguments: ast.arguments) -> Iterator[str]:
    return (node.arg for node in ast.walk(arguments) if isinstance(node, ast.arg))


def _assigned(body: list[ast.stmt] | list[ast.expr]) -> Iterator[str]:
    for node in (node for part in body for node in ast.walk(part)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name


def linked(html: str, links: list[tuple[Span, str]]) -> str:
    """Put links into highlighted code, whose tags do not count as characters.

    Examples
    --------
    >>> linked('<pre>a = <span class="n">f</span>(1)</pre>', [((4, 5), "page.html")])
    '<pre>a = <a href="page.html"><span class="n">f</span></a>(1)</pre>'
    """
    begins = {begin: uri for (begin, _), uri in links}
    ends = {end for (_, end), _ in links}
    head, opening, rest = html.partition("<pre>")
    out, place, depth = [head, opening], 0, 0
    opened: int | None = None  # how deep in tags the link stands that is open
    for piece in PIECE.finditer(rest):
        text, tag = piece[0], piece[1] or ""
        closing = tag.startswith("</")
        if opened is not None and place in ends and not (closing and depth > opened):
            out.append("</a>")
            opened = None
        if place in begins and opened is None and not closing and tag != "<span>":
            out.append(f'<a href="{escape(begins.pop(place))}">')
            opened = depth
        out.append(text)
        if tag:
            depth += -1 if closing else 1
        else:
            place += 1
    return "".join(out)


def find(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Keep with each block of code on a page the links that it will have."""
    domain = app.env.get_domain("py")
    assert isinstance(domain, PythonDomain)
    names = Names(domain.objects)
    for block in doctree.findall(nodes.literal_block):
        if block.get("language") in LANGUAGES:
            links = []
            for name, span in names.in_cell(block.astext()).items():
                entry = domain.objects[name]
                uri = app.builder.get_relative_uri(page, entry.docname)
                links.append((span, f"{uri}#{entry.node_id}"))
            block["course_links"] = links


def visit_literal_block(translator: HTML5Translator, node: nodes.literal_block) -> None:
    """Write a block of code as Sphinx does, with its links."""
    try:
        HTML5Translator.visit_literal_block(translator, node)
    except nodes.SkipNode:
        if links := node.get("course_links"):
            translator.body[-1] = linked(translator.body[-1], links)
        raise


def depart_literal_block(translator: HTML5Translator, node: nodes.literal_block) -> None:
    """Do as Sphinx does."""
    HTML5Translator.depart_literal_block(translator, node)


def setup(app: Sphinx) -> None:
    """Register the search for names and the writer."""
    app.connect("doctree-resolved", find)
    app.add_node(
        nodes.literal_block, override=True, html=(visit_literal_block, depart_literal_block)
    )
