"""The built book, for the tests that read it: its pages, and whether it is the present one."""

import functools
import sys
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[1]
HTML = ROOT / "_build" / "html"
sys.path.insert(0, str(ROOT / "book" / "_ext"))

from course import pages  # noqa: E402

TOC = yaml.safe_load((ROOT / "_toc.yml").read_text("utf8"))
DOCUMENTS = [TOC["root"], *(c["file"] for part in TOC["parts"] for c in part["chapters"])]
NOTEBOOKS = [name for name in DOCUMENTS if name.startswith("notebooks/")]

every_document = pytest.mark.parametrize("name", DOCUMENTS)
every_notebook = pytest.mark.parametrize("name", NOTEBOOKS)


@pytest.fixture(scope="session", autouse=True)
def fresh_book():
    """Refuse to test a book that is missing or was built from other sources."""
    built = HTML / ".digest"
    if not built.is_file():
        pytest.fail(f"there is no built book in {HTML}: run `make book` first", pytrace=False)
    if built.read_text("utf8") != pages.digest():
        pytest.fail("the book is older than its sources: run `make book`", pytrace=False)


@functools.cache
def soup(name: str) -> BeautifulSoup:
    """Return a page of the book."""
    return BeautifulSoup((HTML / f"{name}.html").read_text("utf8"), "html.parser")
