"""A Sphinx mathematics renderer that needs no script in the page: see ``maths.py``."""

import re
from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

from . import maths

logger = logging.getLogger(__name__)
# A browser may break the line between a formula and the comma after it. Bind the two.
BOUND = re.compile(r'(\(?)(<span class="math">(?:(?!</span>).)*</span>)([.,;:!?)’”%]+|-\w+|)', re.S)


def _typeset(node: nodes.Element, *, display: bool) -> str:
    tex = node.astext()
    try:
        return maths.typeset(tex, display=display)
    except ValueError as error:
        logger.warning("%s", error, location=node, type="course", subtype="maths")
        return f"<code>{escape(tex)}</code>"


def inline(translator: HTML5Translator, node: nodes.math) -> None:
    """Write a formula in a line of text."""
    translator.body.append(f'<span class="math">{_typeset(node, display=False)}</span>')
    raise nodes.SkipNode


def block(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Write a displayed formula, with its number where it has a label."""
    names = " ".join(node.get("ids", []))
    anchor = f' id="{escape(names)}"' if names else ""
    number = ""
    if node.get("number"):
        text = get_node_equation_number(translator, node)
        number = f'<a class="eqno" href="#{escape(names)}">({text})</a>'
    formula = f'<div class="scroll">{_typeset(node, display=True)}</div>'
    translator.body.append(f'<div class="math"{anchor}>{formula}{number}</div>\n')
    raise nodes.SkipNode


def _bind(match: re.Match[str]) -> str:
    before, formula, after = match.groups()
    whole = f"{before}{formula}{after}"
    return f'<span class="bound">{whole}</span>' if before or after else whole


def finish(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Put the glyphs that a page uses at its start, and bind punctuation to formulas."""
    for part in ("body", "toc", "title"):
        if context.get(part):
            context[part] = BOUND.sub(_bind, context[part])
    context["glyphs"] = maths.outlines((context.get("body") or "") + (context.get("toc") or ""))


def setup(app: Sphinx) -> None:
    """Register the renderer; ``html_math_renderer: typeset`` selects it."""
    app.add_html_math_renderer("typeset", (inline, None), (block, None))
    app.connect("html-page-context", finish, priority=600)
