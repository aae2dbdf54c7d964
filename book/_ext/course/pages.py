"""Every page loads one style sheet, one short script, and nothing from anyone else.

A page with explorers loads one script and one style sheet more, which hold the explorers of
that page; only the search page loads the search index. Sphinx and MyST-NB register more
files, which our theme does not use.
"""

import hashlib
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

BOOK = Path(__file__).parents[2]
sys.path.insert(0, str(BOOK.parent / "src"))  # the book is built without torch, so without dlnotes

from dlnotes.explorers import esm  # noqa: E402

logger = logging.getLogger(__name__)
EXPLORER = re.compile(r'<div [^>]*\bdata-dlnotes-explorer="([^"]*)"')
SOURCES = {".bib", ".css", ".html", ".ipynb", ".js", ".json", ".md", ".py", ".svg", ".toml"}
TOP = ("_config.yml", "_toc.yml", "CHANGELOG.md", "CITATION.cff")
STYLE_SHEETS = {"book.css"}


def digest() -> str:
    """Return a fingerprint of everything that the book is built from."""
    files = [BOOK.parent / name for name in TOP]
    for folder in (BOOK, BOOK.parent / "notebooks", Path(esm.__file__).parents[1]):
        files += [file for file in folder.rglob("*") if file.suffix in SOURCES]
    known = hashlib.sha256()
    for file in sorted(files):
        if ".ipynb_checkpoints" not in file.parts:
            known.update(f"{file.relative_to(BOOK.parent)}\n".encode() + file.read_bytes())
    return known.hexdigest()


def configure(app: Sphinx, config: Config) -> None:
    """Take the version from pyproject.toml, and rebuild every page when a file changes.

    Sphinx on its own looks at the pages' sources only, and would leave an old style sheet.
    """
    project = tomllib.loads((BOOK.parent / "pyproject.toml").read_text("utf8"))["project"]
    config.version = config.release = project["version"]
    config.course_digest = digest()


def explorers_of(app: Sphinx, page: str, body: str) -> str:
    """Write the script and the style sheet that a page's explorers need; return their stem.

    Pages with the same explorers share the files, and a page without any gets none.
    """
    names = sorted(set(EXPLORER.findall(body)))
    if unknown := set(names) - set(esm.names()):
        logger.warning(
            "no explorer named %s: there are %s",
            ", ".join(sorted(unknown)),
            ", ".join(esm.names()),
            location=page,
            type="course",
            subtype="explorer",
        )
    names = [name for name in names if name not in unknown]
    if not names:
        return ""
    stem = "-".join(["explorers", *names])
    static = Path(app.outdir) / "_static"
    static.mkdir(exist_ok=True)
    (static / f"{stem}.js").write_text(esm.classic(names), "utf8")
    (static / f"{stem}.css").write_text(esm.css(names), "utf8")
    return stem


def finish(app: Sphinx, error: Exception | None) -> None:
    """Write what this build was made from."""
    if error is None and app.builder.format == "html":
        (Path(app.outdir) / ".digest").write_text(app.config.course_digest, "utf8")


def trim(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Drop what our pages don't use, and say which explorers' files a page needs."""
    context["css_files"] = [
        sheet for sheet in context["css_files"] if Path(str(sheet.filename)).name in STYLE_SHEETS
    ]
    context["explorers"] = explorers_of(app, pagename, context.get("body") or "")
    context["is_notebook"] = str(context.get("page_source_suffix", "")) == ".ipynb"


def visit_table(translator: HTML5Translator, node: nodes.table) -> None:
    """Let a wide table scroll in its own box."""
    translator.body.append('<div class="scroll table">')
    HTML5Translator.visit_table(translator, node)


def depart_table(translator: HTML5Translator, node: nodes.table) -> None:
    """Close the box."""
    HTML5Translator.depart_table(translator, node)
    translator.body.append("</div>\n")


def setup(app: Sphinx) -> None:
    """Register the theme, the page filter and the table writer."""
    app.add_config_value("course_digest", "", "env", str)
    app.connect("config-inited", configure)
    app.add_html_theme("course", str(BOOK / "_theme"))
    app.connect("html-page-context", trim, priority=900)
    app.connect("build-finished", finish)
    app.add_node(nodes.table, override=True, html=(visit_table, depart_table))
