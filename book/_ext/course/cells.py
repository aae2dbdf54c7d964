"""Notebook cells as the book shows them: folded cells that say what they hold."""

import re
from html import escape

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.writers.html5 import HTML5Translator

TITLE = re.compile(r"\A# ?@title (.*?)(?: *\{.*\})?\n+")
WIDGET = "application/vnd.jupyter.widget-view+json"
NEEDS_KERNEL = (
    "This control retrains a model, so it needs a running notebook: "
    "open the chapter in JupyterLab or Colab to use it."
)


class FoldedTitles(SphinxTransform):
    """Use Colab's ``#@title`` line as the label of a folded cell."""

    default_priority = 401

    def apply(self, **kwargs: object) -> None:
        """Go through every code cell of the document."""
        for cell in self.document.findall(nodes.container):
            if cell.get("nb_element") != "cell_code" or not cell.get("hide_mode"):
                continue
            for source in cell.findall(nodes.literal_block):
                found = TITLE.match(source.astext())
                if found:
                    cell["prompt_show"] = cell["prompt_hide"] = found[1]
                    source.children = [nodes.Text(source.astext()[found.end() :])]
                    source.rawsource = source.astext()
                break


class Widgets(SphinxTransform):
    """Say in place of a live widget where it can be used."""

    default_priority = 402

    def apply(self, **kwargs: object) -> None:
        """Replace the plain-text stand-in of each widget without an HTML form."""
        for bundle in list(self.document.findall(nodes.container)):
            if bundle.get("nb_element") != "mime_bundle":
                continue
            kinds = {child.get("mime_type") for child in bundle.children}
            if WIDGET in kinds and "text/html" not in kinds:
                note = nodes.paragraph("", NEEDS_KERNEL, classes=["needs-kernel"])
                bundle.replace_self(note)


def visit_folded(translator: HTML5Translator, node: HideCodeCellNode) -> None:
    """Open a disclosure whose label is its accessible name."""
    classes = " ".join(["folded", *node["classes"]])
    translator.body.append(
        f'<details class="{classes}"><summary>{escape(node["prompt_show"])}</summary>\n'
    )


def depart_folded(translator: HTML5Translator, node: HideCodeCellNode) -> None:
    """Close the disclosure."""
    translator.body.append("</details>\n")


def setup(app: Sphinx) -> None:
    """Register the transforms and the writer."""
    app.add_transform(FoldedTitles)
    app.add_transform(Widgets)
    app.add_node(HideCodeCellNode, override=True, html=(visit_folded, depart_folded))
