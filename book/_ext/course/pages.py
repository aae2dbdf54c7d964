"""Every page loads one style sheet, one short script, and nothing from anyone else.

A page with an explorer loads the explorers' script as well; only the search page loads
the search index. Sphinx and MyST-NB register more files, which our theme does not use.
"""

import hashlib
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.writers.html5 import HTML5Translator

BOOK = Path(__file__).parents[2]
sys.path.append(str(BOOK.parent / "src"))  # the book's environment has no torch, so no dlnotes

from dlnotes.explorers import esm  # noqa: E402

EXPLORERS = ["descent"]
EXPLORER_MARK = "data-dlnotes-explorer"
STYLE_SHEETS = {"book.css"}


def mark_sources(app: Sphinx, config: Config) -> None:
    """Make Sphinx rebuild every page when the theme, the assets or this extension change.

    Otherwise it looks at the pages' own sources only, and leaves the old style sheet.
    """
    folders = [BOOK / "_theme", BOOK / "assets", BOOK / "_ext", Path(esm.__file__).parent]
    files = sorted(file for folder in folders for file in folder.rglob("*.*") if file.is_file())
    contents = b"".join(file.read_bytes() for file in files if file.suffix != ".pyc")
    config.course_sources = hashlib.sha256(contents).hexdigest()


def write_explorers(app: Sphinx, error: Exception | None) -> None:
    """Write the explorers' classic script and style sheet, from the package's sources."""
    if error is None and app.builder.format == "html":
        static = Path(app.outdir) / "_static"
        (static / "explorers.js").write_text(esm.classic(EXPLORERS), "utf8")
        (static / "explorers.css").write_text(esm.css(), "utf8")


def trim(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Drop what our pages don't use, and say which explorers' files a page needs."""
    context["css_files"] = [
        sheet for sheet in context["css_files"] if Path(str(sheet.filename)).name in STYLE_SHEETS
    ]
    context["has_explorer"] = EXPLORER_MARK in (context.get("body") or "")
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
    app.add_config_value("course_sources", "", "env", str)
    app.connect("config-inited", mark_sources)
    app.add_html_theme("course", str(BOOK / "_theme"))
    app.connect("html-page-context", trim, priority=900)
    app.connect("build-finished", write_explorers)
    app.add_node(nodes.table, override=True, html=(visit_table, depart_table))
