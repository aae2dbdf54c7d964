"""The glossary in the built book: Chinese marked as such, and links where a page uses a term."""

import re
from collections import Counter
from functools import cache
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from built import DOCUMENTS, NOTEBOOKS, ROOT, every_notebook, fresh_book, soup  # noqa: F401
from course import terms
from docutils import nodes
from docutils.core import publish_doctree
from test_book_extension import build


@cache
def entries() -> dict[str, tuple[str, str]]:
    """Return the English part of each entry, and the page that it leads to, by its anchor."""
    found = {}
    for term in soup("book/glossary").select("dt[id^=term-]"):
        link = term.find_next_sibling("dd").find_all("a")[-1]["href"]
        english = re.sub(r" \([^()]*[\u4e00-\u9fff][^()]*\)$", "", term.get_text())
        found[term["id"]] = english, link.removeprefix("../").partition(".html")[0]
    return found


def test_every_entry_has_an_anchor_and_its_chinese_is_marked():
    glossary = soup("book/glossary")
    assert len(entries()) == len(glossary.select("dl > dt"))
    marked = [tag.get_text() for tag in glossary.select("[lang=zh]")]
    in_source = re.findall(
        r"^[^:\s].*\((.*?)\)$", (ROOT / "book/glossary.md").read_text("utf8"), re.M
    )
    assert marked == in_source


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_chinese_is_left_unmarked(name):
    article = BeautifulSoup(str(soup(name).find("article")), "html.parser")
    for marked in article.select("[lang=zh], code, pre, script, style"):
        marked.decompose()
    assert re.findall(r"[\u3400-\u9fff]+", article.get_text()) == []


@every_notebook
def test_a_page_links_few_terms_each_once_and_none_that_it_explains(name):
    links = soup(name).select("a.term")
    anchors = Counter(link["href"].rpartition("#")[2] for link in links)
    assert len(links) <= terms.MOST
    assert set(anchors.values()) == {1}
    for link in links:
        assert link["href"].startswith("../book/glossary.html#")
        english, page = entries()[link["href"].rpartition("#")[2]]
        assert page != name
        said = link.get_text().lower()
        names = [part.strip().lower() for part in english.split(",")]
        assert any(said in {part, f"{part}s", f"{part}es", f"{part[:-1]}ies"} for part in names)
        assert not link.find_parent(["h1", "h2", "h3", "h4", "th", "td", "code", "figcaption"])
    paragraphs = [id(link.find_parent("p")) for link in links]
    assert len(set(paragraphs)) == len(paragraphs)


# One page


KNOWN = [
    terms.Term(("chain rule",), "term-chain-rule", "notebooks/before"),
    terms.Term(("entropy",), "term-entropy", "notebooks/after"),
    terms.Term(("loss", "cost", "objective"), "term-loss", "notebooks/after"),
    terms.Term(("batch", "mini-batch"), "term-batch", "notebooks/here"),
]


def links(text: str, words: int = 1000) -> list[str]:
    """Return what is linked on a page with a text in reStructuredText, and so many words more."""
    page = publish_doctree(f"{text}\n\n{'word ' * words}\n", settings_overrides={"report_level": 5})
    env = SimpleNamespace(
        toctree_includes={"root": [f"notebooks/{n}" for n in ("before", "here", "after")]}
    )
    builder = SimpleNamespace(get_relative_uri=lambda page, other: "glossary.html")
    app = SimpleNamespace(env=env, builder=builder, config=SimpleNamespace(root_doc="root"))
    link = terms.Links()
    link.learn(KNOWN)
    before = page.astext()
    link(app, page, "notebooks/here")
    assert page.astext() == before
    return [
        f"{node.astext()} > {node['refuri'].removeprefix('glossary.html#term-')}"
        for node in page.findall(nodes.reference)
        if "term" in node["classes"]
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The entropy of it.", ["entropy > entropy"]),
        ("Entropies differ.", ["Entropies > entropy"]),
        ("The loss.\n\nThe loss again.", ["loss > loss"]),
        ("The cross-entropy of it.", []),
        ("At any cost, a weight.", []),
        ("A mini-batch.", []),  # this page explains it
        ("A batched loss-like thing.", []),
        ("A :literal:`loss` and `a loss <https://example.org>`_.", []),
        ("*loss* and :math:`loss`", ["loss > loss"]),
        ("The loss\n========\n\nThe chain rule.", ["chain rule > chain-rule"]),
        ("::\n\n    loss\n\nText.", []),
        ("=====  =====\nloss   loss\n=====  =====", []),
        ("Loss and entropy.\n\nEntropy.", ["Loss > loss"]),  # one a paragraph
        ("The chain rule.\n\nLoss. Loss.", ["chain rule > chain-rule", "Loss > loss"]),
    ],
)
def test_what_is_linked(text, expected):
    assert links(text) == expected


def test_few_words_have_few_links_to_what_comes_later_first():
    text = "The chain rule.\n\nLoss, a loss.\n\nEntropy."
    assert links(text, 2 * terms.WORDS) == ["Loss > loss", "Entropy > entropy"]
    assert links(text, terms.WORDS) == ["Entropy > entropy"]
    assert links(text, 0) == []


def test_chinese_is_marked_as_a_whole_and_code_is_not(tmp_path):
    status, log = build(tmp_path, [], "熵 (S 型函数，逻辑函数), `熵`, and no more.")
    assert status == 0, log
    page = BeautifulSoup((tmp_path / "_build/html/page.html").read_text("utf8"), "html.parser")
    marked = [tag.get_text() for tag in page.select("[lang=zh]")]
    assert marked == ["熵", "S 型函数，逻辑函数"]
    assert page.select_one("article code").get_text() == "熵"
