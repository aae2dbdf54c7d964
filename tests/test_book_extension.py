"""The book's local Sphinx extension: formulas, figures, folded cells, and refused builds."""

import colorsys
import re
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib
import matplotlib.colors
import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from docutils import nodes
from PIL import Image, ImageDraw

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "book" / "_ext"))

from course import dark, figures, maths  # noqa: E402

from dlnotes import plots  # noqa: E402
from dlnotes.explorers import esm  # noqa: E402

# Formulas


def test_a_formula_is_drawn_and_readable_aloud():
    html = maths.typeset(r"\frac{1}{2} x", display=False)
    formula = BeautifulSoup(html, "html.parser")
    assert formula.find("math").get_text() == "12x"
    assert formula.svg["aria-hidden"] == "true"
    assert len(formula.find_all("use")) == 3
    assert not formula.find("text"), "a glyph that the font does not have"


def test_a_page_holds_the_outline_of_each_glyph_once():
    html = maths.typeset("x + x", display=False) + maths.typeset("x", display=True)
    outlines = BeautifulSoup(maths.outlines(html), "html.parser").find_all("path")
    assert [path["id"] for path in outlines] == ["g-TEX-I-1D465", "g-TEX-N-2B"]
    assert all(path["d"].startswith("M") for path in outlines)


def test_a_page_without_formulas_holds_no_outlines():
    assert maths.outlines("<p>No formula.</p>") == ""


@pytest.mark.parametrize(
    ("tex", "reason"),
    [
        (r"\frac{1}{2", "Missing close brace"),
        (r"\nabla_\foo", r"Undefined control sequence \\foo"),
        (r"\begin{aligned} a", r"Missing \\end{aligned}"),
        ("a_b_c", "Double subscripts"),
    ],
)
def test_wrong_tex_is_refused_with_mathjax_reason(tex, reason):
    with pytest.raises(ValueError, match=reason):
        maths.typeset(tex, display=True)


def test_another_mathjax_is_refused(tmp_path):
    shutil.copytree(maths.engine_folder(), tmp_path / "mathjax")
    assert len(maths.read_engine(tmp_path / "mathjax")) == len(maths.ENGINE)
    entry = tmp_path / "mathjax" / "input" / "tex.js"
    entry.write_text(entry.read_text("utf8") + "\n", "utf8")
    with pytest.raises(RuntimeError, match=r"tex\.js is not MathJax 3\.2\.2"):
        maths.read_engine(tmp_path / "mathjax")
    entry.unlink()
    with pytest.raises(RuntimeError, match="install sphinx-mathjax-offline"):
        maths.read_engine(tmp_path / "mathjax")


# Figures


@pytest.mark.parametrize(
    ("alt", "good"),
    [
        ("The path zigzags across the ravine and reaches the minimum after 40 steps.", True),
        ("", False),
        ("figure", False),
        ("../_build/jupyter_execute/4f2b.png", False),
        ("_images/a b c.png", False),
    ],
)
def test_alt_text_must_describe(alt, good):
    assert figures.describes(alt) is good


def test_size_on_the_page_follows_the_resolution(tmp_path):
    Image.new("RGB", (900, 600)).save(tmp_path / "print.png", dpi=(150, 150))
    Image.new("RGB", (900, 600)).save(tmp_path / "screen.png")
    assert figures.displayed_size(tmp_path / "print.png") == (576, 384)
    assert figures.displayed_size(tmp_path / "screen.png") == (900, 600)


def test_a_figure_keeps_its_looks_and_a_photograph_keeps_every_colour(tmp_path):
    plot = Image.new("RGB", (300, 200), "white")
    ImageDraw.Draw(plot).line([(0, 0), (299, 199)], fill="#0072b2", width=3)
    rainbow = Image.merge("RGB", [Image.effect_noise((300, 200), 90) for _ in range(3)])
    clear = Image.new("RGBA", (300, 200), (255, 0, 0, 100))
    for name, image in [("plot", plot), ("rainbow", rainbow), ("clear", clear)]:
        image.save(tmp_path / f"{name}.png")
        with Image.open(figures.lighter(tmp_path / f"{name}.png", tmp_path / "kept")) as made:
            assert made.convert(image.mode).tobytes() == image.tobytes(), name


def test_a_figure_is_made_once_for_all_builds(tmp_path):
    plot = Image.new("RGB", (300, 200), "white")
    ImageDraw.Draw(plot).line([(0, 0), (299, 199)], fill="#0072b2", width=3)
    for build in ("one", "other"):
        (tmp_path / build).mkdir()
        plot.save(tmp_path / build / "plot.png")
    kept = tmp_path / "kept"
    first = figures.lighter(tmp_path / "one" / "plot.png", kept)
    (stored,) = kept.iterdir()
    stored.write_bytes(b"seen")
    second = figures.lighter(tmp_path / "other" / "plot.png", kept)
    assert second == tmp_path / "other" / first.name
    assert second.read_bytes() == b"seen"


# Figures on a dark page

BOOK_CSS = (ROOT / "book" / "assets" / "book.css").read_text("utf8")
COURSE_STYLE = matplotlib.rc_params_from_file(
    ROOT / "src" / "dlnotes" / "course.mplstyle", use_default_template=False
)
LINES = [c["color"] for c in COURSE_STYLE["axes.prop_cycle"]][:6]  # the seventh is ink


def luminance(rgb):
    """Relative luminance by WCAG of colours between 0 and 255."""
    part = np.asarray(rgb) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def on_dark(*names):
    colours = np.array([matplotlib.colors.to_rgb(name) for name in names]) * 255
    return dark.turned(colours)[0]


def test_the_paper_of_a_dark_figure_is_that_of_the_page():
    paper = re.search(r"--paper: light-dark\(#ffffff, (#\w+)\)", BOOK_CSS)[1]
    assert on_dark("white") == pytest.approx(np.array([matplotlib.colors.to_rgb(paper)]) * 255)


def test_lines_keep_their_hue_on_a_dark_page_and_are_readable():
    """Text is written in the first two, and in the greys of axes and labels."""
    lines, paper = on_dark(*LINES), luminance(on_dark("white")[0])
    for name, line in zip(LINES, lines, strict=True):
        before, after = (
            colorsys.rgb_to_hls(*rgb)[0] * 360
            for rgb in (matplotlib.colors.to_rgb(name), line / 255)
        )
        assert abs(before - after) < 6, name
    text = [COURSE_STYLE[key] for key in ("text.color", "xtick.color", "axes.labelcolor")]
    inks = np.concatenate([lines, on_dark(*(f"#{c}".replace("##", "#") for c in text))])
    assert ((luminance(inks) + 0.05) / (paper + 0.05) >= 4.5).all()
    assert (luminance(on_dark(plots.CONTOUR_GREY)) + 0.05) / (paper + 0.05) >= 3
    assert luminance(lines[4]) > 1.5 * luminance(lines[0])  # sky blue stays the light blue


@pytest.mark.parametrize("share", [0.1, 0.2, 0.5, 0.8])
def test_a_shaded_area_is_as_faint_on_a_dark_page(share):
    for name in LINES:
        full = np.array(matplotlib.colors.to_rgb(name)) * 255
        shaded, _ = dark.turned((share * full + (1 - share) * 255)[None])
        meant = share * on_dark(name) + (1 - share) * on_dark("white")
        assert np.abs(shaded - meant).max() < 16, name


def test_a_figure_in_other_colours_has_no_dark_copy(tmp_path):
    strange = Image.new("RGB", (90, 60), "white")
    draw = ImageDraw.Draw(strange)
    draw.rectangle([10, 10, 80, 20], fill="#0072b2")
    assert dark.darkened(strange).getpixel((1, 1)) == (0x15, 0x18, 0x1C)
    draw.rectangle([10, 30, 80, 50], fill="#8a00ff")
    assert dark.darkened(strange) is None


def test_a_dark_copy_is_made_once_for_each_content(tmp_path):
    Image.new("RGB", (90, 60), "white").save(tmp_path / "plot.webp")
    first = dark.copy(tmp_path / "plot.webp", tmp_path / "kept")
    first.unlink()
    (tmp_path / "kept" / first.name).write_bytes(b"kept")
    assert dark.copy(tmp_path / "plot.webp", tmp_path / "kept").read_bytes() == b"kept"


@pytest.mark.parametrize(
    ("code", "alt", "caption", "text", "stays"),
    [
        ("ax.plot(x)", "A line that falls.", "Loss.", "It falls.", False),
        ("ax.imshow(digit)", "A line that falls.", "Loss.", "It falls.", True),
        ("left.plot_surface(x, y, z)", "A line that falls.", "Loss.", "It falls.", True),
        ("ax.plot(x)", "A dark line that falls.", "Loss.", "It falls.", True),
        ("ax.plot(x)", "A line that falls.", "Black: the loss.", "It falls.", True),
        ("ax.plot(x)", "A line that falls.", "Loss.", "The white line falls.", True),
    ],
)
def test_a_figure_whose_shades_mean_something_stays_light(code, alt, caption, text, stays):
    image = nodes.image(alt=alt)
    figure = nodes.figure("", image, nodes.caption("", caption))
    cell = nodes.container("", nodes.literal_block(code, code), figure, nb_element="cell_code")
    nodes.section("", cell, nodes.paragraph("", text))
    assert dark.stays_light(image) is stays


# Whole builds


def build(folder: Path, cells: list[nbformat.NotebookNode], text: str = "") -> tuple[int, str]:
    """Build a book of one notebook and one page with the real configuration."""
    for name in ("_config.yml", "pyproject.toml", "CITATION.cff"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "src" / "dlnotes" / "explorers", folder / "src/dlnotes/explorers")
    shutil.copy(ROOT / "src/dlnotes/__init__.py", folder / "src/dlnotes/__init__.py")
    shutil.copytree(ROOT / "book", folder / "book")
    (folder / "CHANGELOG.md").write_text("# Changelog\n", "utf8")
    (folder / "_toc.yml").write_text("{format: jb-book, root: page, chapters: [{file: chapter}]}")
    (folder / "page.md").write_text(f"# A page\n\n{text}\n", "utf8")
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("# A chapter"), *cells],
        metadata={"language_info": {"name": "python", "pygments_lexer": "ipython3"}},
    )
    nbformat.write(notebook, folder / "chapter.ipynb")
    program = Path(sys.executable).with_name("jupyter-book")
    done = subprocess.run(
        [program, "build", folder, "-W", "-n", "--keep-going", "-q"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def code(source: str, output: nbformat.NotebookNode | None = None, **metadata: object):
    return nbformat.v4.new_code_cell(
        source, outputs=[output] if output else [], execution_count=1, metadata=metadata
    )


def picture() -> nbformat.NotebookNode:
    dot = (
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5"
        "ErkJggg=="
    )
    return nbformat.v4.new_output("display_data", {"image/png": dot})


WIDGET = nbformat.v4.new_output(
    "display_data",
    {
        "application/vnd.jupyter.widget-view+json": {"model_id": "1", "version_major": 2},
        "text/plain": "interactive(children=())",
    },
)


def test_cells_are_folded_under_their_titles_and_widgets_say_what_they_need(tmp_path):
    cells = [
        code("# @title Solution\nanswer = 12", tags=["hide-cell"]),
        code("draw()", tags=["hide-input"]),
        code("interact(train)", WIDGET),
    ]
    status, log = build(tmp_path, cells, "A formula $x^2$, then text (and $y$).")
    assert status == 0, log
    page = BeautifulSoup((tmp_path / "_build/html/chapter.html").read_text("utf8"), "html.parser")
    assert [s.get_text() for s in page.select("summary")] == ["Solution", "Show the code"]
    assert "@title" not in page.get_text()
    assert "running notebook" in page.select_one(".needs-kernel").get_text()
    assert "interactive(children" not in page.get_text()
    page = BeautifulSoup((tmp_path / "_build/html/page.html").read_text("utf8"), "html.parser")
    bound = page.select(".bound")
    assert [b.get_text()[-1] for b in bound] == [",", "."]
    assert not page.select("a:-soup-contains('Colab')"), "a launch link without an address"


def test_a_page_loads_the_explorers_that_it_holds_and_no_other(tmp_path):
    page = esm.html("backprop", {}, "A network.")
    cell = code("explorer", nbformat.v4.new_output("display_data", {"text/html": page}))
    status, log = build(tmp_path, [cell], esm.html("descent", {}, "A path."))
    assert status == 0, log
    html = tmp_path / "_build/html"
    for page, name, other in (("page", "descent", "backprop"), ("chapter", "backprop", "descent")):
        soup = BeautifulSoup((html / f"{page}.html").read_text("utf8"), "html.parser")
        (script,) = soup.select("script[src*=explorers]")
        (style,) = soup.select("link[href*=explorers]")
        assert script["src"] == f"_static/explorers-{name}.js"
        for file, mark in ((script["src"], 'files["{}/'), (style["href"], ".dlx-{} {{")):
            text = (html / file).read_text("utf8")
            assert mark.format(name) in text
            assert mark.format(other) not in text
    search = BeautifulSoup((html / "search.html").read_text("utf8"), "html.parser")
    assert not search.select("script[src*=explorers]")


def test_a_link_to_a_heading_of_the_page_is_written_as_for_jupyter(tmp_path):
    status, log = build(tmp_path, [], "[down](#The-loss-is-flat)\n\n## The loss is flat")
    assert status == 0, log
    page = BeautifulSoup((tmp_path / "_build/html/page.html").read_text("utf8"), "html.parser")
    (link,) = page.article.find_all("a", string="down")
    assert page.find(id=link["href"].removeprefix("#")).h2.get_text().startswith("The loss is flat")


@pytest.mark.parametrize(
    ("cells", "text", "reason"),
    [
        ([], r"$\frac{1}{2$", "Missing close brace"),
        ([code("plot()", picture())], "", "a picture without alt text"),
        ([], "[lost](nowhere.md)", "nowhere.md"),
        ([], "[lost](chapter.ipynb#nowhere)", "nowhere"),
        ([], "[lost](#Nowhere-at-all)", "nowhere-at-all"),
        ([], esm.html("decent", {}, "A path."), "no explorer named decent: there are activations"),
        (
            [code("warn()", nbformat.v4.new_output("stream", name="stderr", text="careful"))],
            "",
            "stderr",
        ),
    ],
    ids=["formula", "alt text", "link", "section", "heading", "explorer", "error stream"],
)
def test_a_faulty_page_fails_the_build(tmp_path, cells, text, reason):
    status, log = build(tmp_path, cells, text)
    assert status != 0
    assert reason in log
