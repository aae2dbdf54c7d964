"""The glossary's terms: marked as Chinese where they are, and linked where a page uses them.

A notebook stays plain Markdown. While the book is built, the first mention of a term in the
running text of a notebook becomes a link to its entry, unless the same page explains the
term. So that a page stays quiet, there is at most one link in a paragraph, one for each
`WORDS` words, and `MOST` on a page: first to terms that the course explains later, then to
those that the page mentions least.
"""

import re
from dataclasses import dataclass

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform

from . import search

GLOSSARY = "book/glossary"
MOST, WORDS = 15, 150
HAN = "\u3400-\u9fff"
# A whole parenthesis (Latin letters may be part of a term), or Chinese on its own.
CHINESE = re.compile(rf"(?<=\()[^()]*[{HAN}][^()]*(?=\))|[{HAN}](?:[{HAN}，、 ]*[{HAN}])?")
# Everyday words too, in which a link would often be wrong.
EVERYDAY = {"bias", "cost", "depth", "gain", "objective", "skip", "temperature", "unit"}
EVERYDAY |= {"update", "weight", "width"}
APART = (
    *(nodes.title, nodes.caption, nodes.table, nodes.reference, addnodes.pending_xref),
    *(nodes.literal, nodes.literal_block, nodes.math, nodes.raw),
)

Mention = tuple[nodes.paragraph, nodes.Text, int, int]  # from one character to another


@dataclass(frozen=True)
class Term:
    """An entry of the glossary: its names, its anchor and the page that explains it."""

    names: tuple[str, ...]
    anchor: str
    page: str


class Languages(SphinxTransform):
    """Say of Chinese words that they are Chinese, for voices and fonts."""

    default_priority = 410

    def apply(self, **kwargs: object) -> None:
        """Go through the text of the document, but not through code."""
        for text in list(self.document.findall(nodes.Text)):
            if CHINESE.search(text) and not _within(text, (nodes.literal, nodes.literal_block)):
                _put(text, [(*m.span(), _chinese(m[0])) for m in CHINESE.finditer(text)])


def _chinese(words: str) -> nodes.inline:
    return nodes.inline("", words, classes=["language-zh"])  # docutils makes it lang="zh"


def _put(text: nodes.Text, parts: list[tuple[int, int, nodes.Node]]) -> None:
    """Replace parts of a text by nodes."""
    new: list[nodes.Node] = []
    place = 0
    for begin, end, node in sorted(parts, key=lambda part: part[0]):
        new += [nodes.Text(text[place:begin]), node]
        place = end
    text.parent.replace(text, [*new, nodes.Text(text[place:])])


def _within(node: nodes.Node | None, kinds: tuple[type[nodes.Node], ...]) -> bool:
    while node is not None and not isinstance(node, kinds):
        node = node.parent
    return node is not None


def terms(env: BuildEnvironment) -> list[Term]:
    """Read the glossary's entries; none in a book without a glossary."""
    if GLOSSARY not in env.all_docs:
        return []
    found = []
    for item in env.get_doctree(GLOSSARY).findall(nodes.definition_list_item):
        term = next(item.findall(nodes.term))
        links = [link["reftarget"] for link in item.findall(addnodes.pending_xref)]
        english = tuple(search.names(term.astext())[0])
        found.append(Term(english, term["ids"][0], links[-1]))
    return found


def pattern(known: list[Term]) -> re.Pattern[str]:
    """Return what finds any of the terms, in one or several; the longer name first.

    Examples
    --------
    >>> found = pattern([Term(("entropy",), "", ""), Term(("batch", "mini-batch"), "", "")])
    >>> found.findall("Entropies of mini-batches; the cross-entropy of a batch.")
    ['Entropies', 'mini-batches', 'batch']
    """
    names = {name for term in known for name in term.names if name not in EVERYDAY}
    forms = sorted({form for name in names for form in _forms(name)}, key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, forms))})(?![\w-])", re.I)


def _forms(name: str) -> set[str]:
    """Return a name and its plural, in small letters."""
    ending = "es" if re.search(r"(s|x|ch|sh)$", name) else "s"
    plural = f"{name[:-1]}ies" if name.endswith("y") else name + ending
    return {name.lower(), plural.lower()}


class Links:
    """The links to the glossary, made page after page."""

    def __init__(self) -> None:
        self.known: list[Term] | None = None

    def learn(self, known: list[Term]) -> None:
        """Take the entries of the glossary."""
        self.known = known
        self.find = pattern(known)
        self.entry = {form: t for t in known for name in t.names for form in _forms(name)}

    def __call__(self, app: Sphinx, doctree: nodes.document, page: str) -> None:
        """Link the terms of one page."""
        if not page.startswith("notebooks/"):
            return
        if self.known is None:
            self.learn(terms(app.env))
        if not self.known:
            return
        mentions, words = self._mentions(doctree)
        order = list(app.env.toctree_includes[app.config.root_doc])
        here = order.index(page)

        def rank(term: Term) -> tuple[bool, int]:
            return order.index(term.page) < here, len(mentions[term])

        uri = app.builder.get_relative_uri(page, GLOSSARY)
        left = min(MOST, words // WORDS)
        taken: set[nodes.Element] = set()
        for term in sorted((term for term in mentions if term.page != page), key=rank):
            paragraph, text, begin, end = mentions[term][0]
            if left and paragraph not in taken:
                link = nodes.reference("", text[begin:end], internal=True, classes=["term"])
                link["refuri"] = f"{uri}#{term.anchor}"
                _put(text, [(begin, end, link)])
                taken.add(paragraph)
                left -= 1

    def _mentions(self, doctree: nodes.document) -> tuple[dict[Term, list[Mention]], int]:
        """Return where running text mentions each term, and how many words it has."""
        found: dict[Term, list[Mention]] = {}
        words = 0
        for paragraph in doctree.findall(nodes.paragraph):
            for text in paragraph.findall(nodes.Text):
                if not _within(text, APART):
                    words += len(text.split())
                    for match in self.find.finditer(text):
                        term = self.entry[match[0].lower()]
                        found.setdefault(term, []).append((paragraph, text, *match.span()))
        return found, words


def setup(app: Sphinx) -> None:
    """Register the transform and the links."""
    app.add_transform(Languages)
    app.connect("doctree-resolved", Links())
