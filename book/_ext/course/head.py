"""What a page says of itself to search engines, and where a link to it is shared.

Every page has a description: what its front matter or, in a notebook, the metadata of its
first cell gives, else its first sentences. A site that knows its address (see `publish`) also
says which address is a page's own, lists its pages, and has a picture for links to it.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

from . import card

LEAST, MOST = 50, 160  # characters of a description that search engines show whole
PICTURE = "_static/card.png"
OWN = {
    "search": "Find a section of the course by a word of its text, by a term in English or "
    "Chinese, or by a name in its code.",
}


def description(app: Sphinx, page: str, meta: dict[str, Any] | None, doctree: Any) -> str:
    """Return what a page is about, in `LEAST` to `MOST` characters where it says enough."""
    own = OWN.get(page) or (meta or {}).get("description") or described_in_notebook(app, page)
    if own or doctree is None:
        return " ".join(str(own).split())
    text = ""
    for paragraph in doctree.findall(nodes.paragraph):
        text = f"{text} {paragraph.astext()}".strip()
        if len(text) >= LEAST:
            break
    return shortened(text)


def described_in_notebook(app: Sphinx, page: str) -> str:
    """Return what the first cell of a page's notebook declares; '' for any other page."""
    path = Path(app.env.doc2path(page))
    if path.suffix != ".ipynb" or not path.is_file():
        return ""
    cells = json.loads(path.read_text("utf8"))["cells"]
    return str(cells[0]["metadata"].get("dlnotes", {}).get("description", ""))


def shortened(text: str) -> str:
    """Return as many whole sentences as fit, else as many words."""
    text = " ".join(text.split())
    ends = [match.end() for match in re.finditer(r"[.?!](?=\s|$)", text)]
    whole = text[: max((end for end in ends if end <= MOST), default=0)]
    if len(whole) >= LEAST or len(text) <= MOST:
        return whole or text
    cut = text.rfind(" ", 0, MOST)
    return text[: cut if cut > 0 else MOST - 1].rstrip(",;:–") + "…"


def fill(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Give the template what stands in the head."""
    meta, root = context.get("meta"), app.config.root_doc
    if pagename == "index" != root:  # leads to the first page, and is shared as if it were it
        pagename, meta = root, app.env.metadata[root]
        context["pageurl"] = app.config.html_baseurl and address(app, root)
    context["description"] = description(app, pagename, meta, doctree)
    if app.config.html_baseurl:
        width, height = card.SIZE
        context["picture"] = {
            "url": app.config.html_baseurl + PICTURE,
            "width": width,
            "height": height,
            "alt": card.ALT,
        }


def address(app: Sphinx, page: str) -> str:
    """Return the address of a page, where the site has one."""
    return f"{app.config.html_baseurl}{app.builder.get_target_uri(page)}"


def first_page(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield the page that leads from the site's address to the first page of the book."""
    if app.config.root_doc != "index":
        yield "index", {"title": app.config.html_title}, "first.html"


def configure(app: Sphinx, config: Config) -> None:
    """Take the address of the site: Sphinx then tells each page its own."""
    if site := config.course_site_url.rstrip("/"):
        config.html_baseurl = f"{site}/"


def finish(app: Sphinx, error: Exception | None) -> None:
    """Write the list of the pages, what robots may read, and the picture."""
    if error is not None or app.builder.format != "html" or not app.config.html_baseurl:
        return
    output = Path(app.outdir)
    pages = "".join(
        f"<url><loc>{escape(address(app, page))}</loc></url>\n" for page in sorted(app.env.all_docs)
    )
    (output / "sitemap.xml").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{pages}</urlset>\n',
        "utf8",
    )
    # Robots look for it at the root of a host, so it counts for a site that lies there.
    listed = f"Sitemap: {app.config.html_baseurl}sitemap.xml"
    (output / "robots.txt").write_text(f"User-agent: *\nAllow: /\n\n{listed}\n", "utf8")
    picture = card.card(app.config.project).quantize(256)
    picture.save(output / PICTURE, optimize=True)


def setup(app: Sphinx) -> None:
    """Register what fills the head and what is written beside the pages."""
    app.connect("config-inited", configure)
    app.connect("html-page-context", fill)
    app.connect("html-collect-pages", first_page)
    app.connect("build-finished", finish)
