"""What the book needs of Sphinx and no published extension gives.

`typeset` draws formulas at build time, `figures` checks, sizes and compresses pictures,
`cells` labels folded cells, `anchors` leads links to headings as Jupyter does, `reference`
shows the docstrings of the package, `codelinks` leads to them from the code of the pages, and
`terms` to the glossary from their text. `pages` keeps every page small and self-contained,
`search` makes its index of sections, `head` says what a page is about, and `publish` makes the
copy of the site that Colab can use.
"""

from sphinx.application import Sphinx

from . import (
    anchors,
    cells,
    codelinks,
    figures,
    head,
    pages,
    publish,
    reference,
    search,
    terms,
    typeset,
)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register every part with Sphinx."""
    # Jupyter Book sets this for an extension that the book does not load.
    app.add_config_value("comments_config", {}, "")
    shown = (typeset, figures, cells, anchors, reference, codelinks, terms)
    for part in (*shown, pages, search, publish, head):
        part.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
