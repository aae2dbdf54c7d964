"""The site as it is published: its own wheel, and notebooks that install exactly that wheel.

The whole book is built with an address on this machine, served there, and the set-up cell
of a chapter is run as in Colab: in an empty folder, in an environment without the package.
"""

import functools
import itertools
import json
import os
import subprocess
import sys
import threading
import tomllib
import types
import venv
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from email.parser import Parser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from bs4 import BeautifulSoup
from packaging.requirements import Requirement
from PIL import Image, ImageFont
from sphinx.errors import ConfigError

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "book" / "_ext"))

from course import card, head, publish  # noqa: E402
from course.publish import set_wheel  # noqa: E402

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]["version"]
WHEEL = f"_static/dlnotes-{VERSION}-py3-none-any.whl"
CHAPTER = "_sources/notebooks/01_gradients.ipynb"
BRANCH = "owner/repository/blob/gh-pages"
# What Colab has: installing the wheel must not replace it.
COLAB = dict(
    line.split("==")
    for line in (ROOT / "tests/colab/requirements.txt").read_text("utf8").splitlines()
    if not line.startswith("#")
)

LIKE_COLAB = """
import sys
from IPython.core.interactiveshell import InteractiveShell

assert "google.colab" in sys.modules
shell = InteractiveShell.instance()
shell.run_cell(sys.stdin.read()).raise_error()

import dlnotes
import dlnotes.explorers.esm as esm

assert "export default" in esm.module("descent"), "the wheel lacks the explorers' files"
print(dlnotes.__version__, dlnotes.__file__)
"""


def setup_cell(notebook: dict) -> str:
    cells = [c for c in notebook["cells"] if "setup" in c["metadata"].get("tags", [])]
    assert len(cells) == 1
    return "".join(cells[0]["source"])


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Iterator[tuple[str, Path]]:
    """Build the site for an address on this machine, and serve it there."""
    folder = tmp_path_factory.mktemp("site")
    html = folder / "_build" / "html"

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=html))
    address = f"http://127.0.0.1:{server.server_port}"
    program = Path(sys.executable).with_name("jupyter-book")
    settings = {"DLNOTES_SITE_URL": f"{address}/", "DLNOTES_COLAB_PATH": BRANCH}
    done = subprocess.run(
        [program, "build", ROOT, "--path-output", folder, "-W", "-n", "--keep-going", "-q"],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield address, html
    server.shutdown()
    server.server_close()


def test_the_published_notebook_names_the_wheel_of_its_site(published):
    address, html = published
    stored = json.loads((ROOT / "notebooks" / "01_gradients.ipynb").read_text("utf8"))
    copy = json.loads((html / CHAPTER).read_text("utf8"))
    assert f'wheel = "{address}/{WHEEL}"' in setup_cell(copy)
    assert (html / WHEEL).is_file()
    assert setup_cell(stored).replace('wheel = ""', f'wheel = "{address}/{WHEEL}"') == setup_cell(
        copy
    )
    rest = [[c for c in n["cells"] if "setup" not in c["metadata"].get("tags", [])]
            for n in (stored, copy)]  # fmt: skip
    assert rest[0] == rest[1]


def test_the_published_page_links_to_colab_and_to_that_notebook(published):
    _, html = published
    page = BeautifulSoup(
        (html / "notebooks" / "01_gradients.html").read_text("utf8"), "html.parser"
    )
    links = {link.get_text().strip(): link["href"] for link in page.select(".actions a")}
    assert links == {
        "Download the notebook": f"../{CHAPTER}",
        "Open in Colab": f"https://colab.research.google.com/github/{BRANCH}/{CHAPTER}",
    }
    assert (html / ".nojekyll").is_file()


def test_an_ordinary_build_knows_no_address():
    built = ROOT / "_build" / "html"
    assert (built / CHAPTER).read_bytes() == (
        ROOT / "notebooks" / "01_gradients.ipynb"
    ).read_bytes()
    assert not list(built.glob("_static/*.whl"))
    assert "colab.research" not in (built / "notebooks" / "01_gradients.html").read_text("utf8")


def test_the_setup_cell_installs_the_wheel_in_an_empty_folder(published, tmp_path):
    _, html = published
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    pip = [python, "-m", "pip", "--disable-pip-version-check", "-q", "install"]
    subprocess.run([*pip, "ipython", "-c", ROOT / "constraints.txt"], check=True, timeout=300)
    empty = tmp_path / "empty"
    empty.mkdir()
    cell = setup_cell(json.loads((html / CHAPTER).read_text("utf8")))
    done = subprocess.run(
        [python, "-W", "ignore", "-c", LIKE_COLAB],
        input=cell,
        cwd=empty,
        # Colab has what the wheel requires (see the next test); here it is left out, for torch
        # alone would take minutes.
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PIP_NO_DEPS": "1",
            "PYTHONPATH": str(ROOT / "tests/colab"),
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    version, path = done.stdout.splitlines()[-1].split(maxsplit=1)
    assert version == VERSION
    assert Path(path).is_relative_to(tmp_path / "venv")


def test_the_wheel_replaces_nothing_that_colab_has(published):
    _, html = published
    with ZipFile(html / WHEEL) as wheel:
        name = next(n for n in wheel.namelist() if n.endswith("METADATA"))
        metadata = Parser().parsestr(wheel.read(name).decode("utf8"))
    required = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]
    needed = {r.name: r.specifier for r in required if not r.marker}
    both = COLAB.keys() & needed.keys()
    assert needed.keys() - both == {"anywidget", "torchinfo"}, "what Colab lacks is installed"
    for package, version in ((name, COLAB[name]) for name in both):
        assert version in needed[package], f"{package} {version} is outside {needed[package]}"


@pytest.mark.parametrize("sources", [[], ['wheel = ""\n', 'wheel = ""\n']])
def test_a_notebook_that_cannot_be_filled_in_is_refused(sources):
    notebook = {"cells": [{"metadata": {"tags": ["setup"]}, "source": sources}]}
    with pytest.raises(ValueError, match="there must be one"):
        set_wheel(notebook, "http://127.0.0.1/x.whl")


# ---- what a page says of itself ------------------------------------------------------


def heads(html: Path) -> dict[str, BeautifulSoup]:
    """Return the head of each page of a built book, by its path."""
    files = [file for file in html.rglob("*.html") if "_static" not in file.parts]
    texts = {str(f.relative_to(html)): f.read_text("utf8").partition("<body")[0] for f in files}
    return {name: BeautifulSoup(text, "html.parser").head for name, text in texts.items()}


def said(page: BeautifulSoup, name: str) -> list[str]:
    """Return what the head says under a name, each time that it does."""
    return [tag["content"] for tag in page.select(f'[name="{name}"], [property="{name}"]')]


def wrong(pages: dict[str, BeautifulSoup], site: str = "") -> Iterator[str]:
    """Yield what is wrong with the heads of the pages; with the site's address, if it has one."""
    own = {name: page for name, page in pages.items() if name != "index.html"}  # leads to another
    for what in ("title", "description"):
        texts = {}
        for name, page in own.items():
            found = [page.title.text] if what == "title" else said(page, what)
            texts[name] = " ".join(found)
            if len(found) != 1:
                yield f"{name}: {len(found)} {what}s"
        often = {text for text, count in Counter(texts.values()).items() if count > 1}
        yield from (f"{name}: {what} of another page" for name in own if texts[name] in often)
    for name, page in pages.items():
        (text,) = said(page, "description") or [""]
        if not head.LEAST <= len(text) <= head.MOST:
            yield f"{name}: description of {len(text)} characters: {text}"
        if said(page, "og:description") != [text] or not "".join(said(page, "og:title")):
            yield f"{name}: no title or another description where it is shared"
        canonical = [link["href"] for link in page.select("link[rel=canonical]")]
        address = f"{site}/{'book/index.html' if name == 'index.html' else name}"
        if canonical != ([address] if site else []) or said(page, "og:url") != canonical:
            yield f"{name}: its address is said to be {canonical}"
        if said(page, "og:image") != ([f"{site}/{head.PICTURE}"] if site else []):
            yield f"{name}: picture {said(page, 'og:image')}"
        if said(page, "twitter:card") != ["summary_large_image" if site else "summary"]:
            yield f"{name}: card {said(page, 'twitter:card')}"
        if bool(said(page, "robots")) != (name == "search.html"):
            yield f"{name}: robots are told {said(page, 'robots')}"


def test_every_page_says_what_it_is(published):
    address, html = published
    pages = heads(html)
    assert len(pages) > 30
    assert list(wrong(pages, address)) == []


def test_without_an_address_no_page_gives_one():
    html = ROOT / "_build" / "html"
    assert list(wrong(heads(html))) == []
    for name in ("sitemap.xml", "robots.txt", head.PICTURE):
        assert not (html / name).exists()


def meta(name, content):
    def plant(page):
        (tag,) = page.select(f'[name="{name}"], [property="{name}"]')
        tag["content"] = content

    return plant


TOO_LONG = "A sentence that goes on and on, " * 6
PLANTED = {
    "title of another": (lambda page: page.title.string.replace_with("Same"), "title of another"),
    "no description": (lambda page: page.select_one("[name=description]").decompose(), "0 descr"),
    "description of another": (meta("description", "x" * 60), "description of another page"),
    "short description": (meta("description", "Short."), "description of 6 characters"),
    "long description": (meta("description", TOO_LONG), "description of 192 characters"),
    "other description": (meta("og:description", "x" * 60), "where it is shared"),
    "no title": (meta("og:title", ""), "where it is shared"),
    "relative picture": (meta("og:image", head.PICTURE), "picture"),
    "other address": (meta("og:url", "https://elsewhere.org/"), "its address"),
    "other canonical": (
        lambda page: page.select_one("[rel=canonical]").attrs.update(href="/"),
        "its address",
    ),
    "small card": (meta("twitter:card", "summary"), "card"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_planted_fault_in_a_head_is_seen(published, name):
    address, html = published
    plant, message = PLANTED[name]
    pages = heads(html)
    for page in ("notebooks/06_losses.html", "book/start.html"):
        plant(pages[page])
    found = list(wrong(pages, address))
    assert len([line for line in found if message in line]) == 2, found


def test_sitemap_lists_every_page_of_the_book(published):
    address, html = published
    root = ET.parse(html / "sitemap.xml").getroot()
    listed = [element.text for element in root.findall(".//{*}loc")]
    pages = heads(html).keys() - {"index.html", "search.html"}
    assert sorted(listed) == sorted(f"{address}/{name}" for name in pages)
    robots = (html / "robots.txt").read_text("utf8")
    assert f"Sitemap: {address}/sitemap.xml\n" in robots
    assert "Disallow" not in robots


def test_address_of_the_site_leads_to_the_first_page(published):
    _, html = published
    page = heads(html)["index.html"]
    assert page.select_one("[http-equiv=refresh]")["content"] == "0; url=book/index.html"
    assert said(page, "description") == said(heads(html)["book/index.html"], "description")


def test_picture_has_the_size_that_is_said_and_the_title_in_it(published):
    _, html = published
    with Image.open(html / head.PICTURE) as image:
        assert image.size == card.SIZE == (1200, 630)
        left = np.asarray(image.convert("RGB")).astype(int)[:, :560].min(axis=2)
    assert (html / head.PICTURE).stat().st_size < 200_000
    assert (left > 240).sum() > 5000, "no title"
    assert len(np.unique(left)) > 20


def test_path_of_the_picture_is_descent_on_its_bowl():
    """Each point follows from the one before by the gradient of the bowl that is drawn."""
    points = card.path()
    for point, after in itertools.pairwise(points):
        own = card._ACROSS.T @ (point - card.LOWEST)
        step = card._ACROSS @ (-card.RATE * card.CURVATURE * own)
        np.testing.assert_allclose(after, point + step, rtol=1e-12)
    assert ((points > 0) & (points < card.SIZE)).all()
    assert np.linalg.norm(points[-1] - card.LOWEST) < 5


def test_title_is_wrapped_to_its_width():
    font = ImageFont.load_default(76)
    lines = card.wrapped("How neural networks are trained", font, 520)
    assert " ".join(lines) == "How neural networks are trained"
    assert all(font.getlength(line) <= 520 for line in lines)
    assert len(lines) == 3
    assert card.wrapped("Internationalisation of everything", font, 90)[0] == "Internationalisation"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("One. Two.", "One. Two."),
        ("A. " + "b" * 60 + ". " + "c" * 100 + ".", "A. " + "b" * 60 + "."),
        ("word " * 50, ("word " * 32).strip() + "…"),
        ("Short. " + "word " * 50, "Short. " + ("word " * 30).strip() + "…"),
        ("At a rate of 0.1 it works, says\nthe text.", "At a rate of 0.1 it works, says the text."),
        ("字" * 200, "字" * 159 + "…"),
    ],
)
def test_text_is_shortened_at_a_sentence_or_a_word(text, kept):
    assert head.shortened(text) == kept


@pytest.mark.parametrize(
    "site", ["example.org", "ftp://example.org", "https://x.org/?a", "file:///x"]
)
def test_address_that_is_none_is_refused(site):
    config = types.SimpleNamespace(course_site_url=site)
    with pytest.raises(ConfigError, match="must be a web address"):
        publish.check(None, config)


@pytest.mark.parametrize("site", ["", "https://example.org", "http://127.0.0.1:80/course/"])
def test_address_of_a_site_is_taken_with_one_slash_at_its_end(site):
    config = types.SimpleNamespace(course_site_url=site, html_baseurl="")
    publish.check(None, config)
    head.configure(None, config)
    assert config.html_baseurl == (f"{site.rstrip('/')}/" if site else "")
