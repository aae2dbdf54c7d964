"""Links within a notebook, as Jupyter writes them.

JupyterLab gives a heading an anchor that keeps its capitals, ``#The-loss-is-flat``; the book's
are in lower case. A link in a Markdown cell is written for JupyterLab and works in both.
"""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform


class LowerCase(SphinxTransform):
    """Write links to headings of the same page as the book names them, before MyST looks."""

    default_priority = 870  # MyST resolves them at 879, and warns of one that leads nowhere

    def apply(self, **options: Any) -> None:
        """Change the links of one page."""
        for link in self.document.findall(nodes.reference):
            if link.get("id_link"):
                link["refuri"] = link["refuri"].lower()


def setup(app: Sphinx) -> None:
    """Register the transform."""
    app.add_transform(LowerCase)
