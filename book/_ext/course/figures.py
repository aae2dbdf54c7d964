"""Pictures: real alt text, a size in the page, and a lighter file that looks the same."""

import re
import shutil
from html import escape
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
import numpy.typing as npt
from docutils import nodes
from PIL import Image
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

from . import dark

Colours = npt.NDArray[np.float64]  # shape (colours, 3): red, green, blue
logger = logging.getLogger(__name__)
CSS_PIXELS = 96  # to the inch
COLOURS = (16, 256)  # a palette has at least and at most so many
LIKENESS = 48  # decibels of signal to noise: an error of one level in 255, which nobody sees
ERROR = 255**2 / 10 ** (LIKENESS / 10)  # the mean square that this allows
ROUNDS = 20  # of k-means, at most
SAMPLE = 20_000  # pixels for the median cut, in the shares of the picture


def describes(alt: str) -> bool:
    """Say whether an alternative text says something, unlike a path or one word.

    Examples
    --------
    >>> describes("The path overshoots the minimum at every step.")
    True
    >>> describes("../_build/jupyter_execute/0c9e.png"), describes("figure")
    (False, False)
    """
    words = re.findall(r"[^\W\d_]{2,}", alt)
    return " " in alt.strip() and len(words) >= 3 and "jupyter_execute" not in alt


def _nearest(colours: Colours, palette: Colours) -> npt.NDArray[np.intp]:
    """Return for each colour the index of the nearest in a palette."""
    parts = np.array_split(colours, len(colours) // 10_000 + 1)  # a table of all is large
    return np.concatenate(
        [((palette**2).sum(1) - 2 * part @ palette.T).argmin(1) for part in parts]
    )


def _fewest_colours(full: Image.Image) -> Image.Image:
    """Return an RGB picture in the fewest colours that keep it like itself, or as it is.

    The palette comes from a median cut and a few rounds of k-means. Everything is counted
    on the distinct colours: a plot has some thousand, and half a million pixels.
    """
    packed = np.asarray(full, np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    codes, where, counts = np.unique(packed, return_inverse=True, return_counts=True)
    colours = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1).astype(float)
    shares = -(-counts * SAMPLE // counts.sum())  # at least one pixel for each colour
    sample = Image.fromarray(np.repeat(colours.astype(np.uint8), shares, axis=0)[np.newaxis])

    def with_colours(size: int) -> Colours | None:
        cut = sample.quantize(size, dither=Image.Dither.NONE).getpalette() or []
        palette = np.array(cut[: 3 * size], float).reshape(-1, 3)
        before = np.inf
        for left in reversed(range(ROUNDS)):
            near = _nearest(colours, palette)
            chosen: Colours = np.rint(palette)[near]
            error = counts @ ((chosen - colours) ** 2).mean(axis=1) / counts.sum()
            if error <= ERROR:
                return chosen
            if error - left * (before - error) > ERROR:
                break  # out of reach: each round gains less than the one before
            before = error
            sizes = np.bincount(near, counts, len(palette))
            sums = [np.bincount(near, counts * channel, len(palette)) for channel in colours.T]
            palette = np.where(sizes, sums / np.maximum(sizes, 1), palette.T).T
        return None

    too_few, enough = COLOURS
    best = with_colours(enough)
    if best is None:
        return full
    while enough - too_few > 4:  # bisection: four colours more cost next to nothing
        middle = (too_few + enough) // 2
        fewer = with_colours(middle)
        if fewer is None:
            too_few = middle
        else:
            enough, best = middle, fewer
    return Image.fromarray(best.astype(np.uint8)[where.reshape(full.height, full.width)])


def lighter(png: Path, kept: Path) -> Path:
    """Write a figure as a WebP beside its PNG, and return the smaller of the two.

    A plot has few colours, and a thousand shades where lines are smoothed. It gets the
    fewest colours that keep it like the original by `LIKENESS`, or keeps them all. The file
    is made once for each content (myst-nb names a picture by its digest) and copied from
    the folder `kept` when the book is built elsewhere.
    """
    webp = png.with_name(f"{png.stem[:20]}-{LIKENESS}-fewest.webp")
    stored = kept / webp.name
    if not stored.exists():
        with Image.open(png) as image:
            best = image.convert("RGBA")
        if best.getchannel("A").getextrema() == (255, 255):
            best = _fewest_colours(best.convert("RGB"))
        kept.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=kept, suffix=".webp", delete=False) as begun:
            best.save(begun, "WEBP", lossless=True, quality=100, method=4, exact=True)
        Path(begun.name).replace(stored)  # at once: another build may look for it
    if not webp.exists():
        shutil.copyfile(stored, webp)
    return webp if webp.stat().st_size < png.stat().st_size else png


def displayed_size(path: Path) -> tuple[int, int]:
    """Return the width and height of a picture in CSS pixels, from its resolution."""
    with Image.open(path) as image:
        width, height = image.size
        dpi = float(image.info.get("dpi", (CSS_PIXELS,))[0])
    scale = CSS_PIXELS / dpi if dpi > CSS_PIXELS else 1.0
    return round(width * scale), round(height * scale)


class Figures(SphinxTransform):
    """Check and convert the pictures of a page before Sphinx collects them."""

    default_priority = 400

    def apply(self, **kwargs: object) -> None:
        """Go through every picture of the document."""
        kept = Path(self.env.srcdir) / "_build" / "figures"
        for count, node in enumerate(list(self.document.findall(nodes.image))):
            if not describes(node.get("alt", "")):
                logger.warning(
                    "a picture without alt text that says what it shows: set "
                    "mystnb.image.alt in the cell's metadata",
                    location=node,
                    type="course",
                    subtype="alt",
                )
            node["first"] = count == 0
            # relfn2path's second value may be below a symbolic link: keep it as it is
            path = Path(self.env.relfn2path(node["uri"], self.env.docname)[1])
            if path.suffix == ".png" and path.is_file():
                node["width"], node["height"] = displayed_size(path)
                light = lighter(path, kept)
                node["uri"] = str(Path(node["uri"]).with_name(light.name))
                copy = None if dark.stays_light(node) else dark.copy(light, kept)
                if copy:
                    name = str(Path(node["uri"]).with_name(copy.name))
                    node["dark"] = copy.name
                    # Sphinx copies what is in the document; the writer leaves this one out
                    node.parent.insert(node.parent.index(node), nodes.image(uri=name, copy=True))


def visit_image(translator: HTML5Translator, node: nodes.image) -> None:
    """Write the picture with its size, so that the page does not move as it loads."""
    if node.get("copy"):
        return
    images, folder = translator.builder.images, translator.builder.imgpath

    def address(uri: str) -> str:
        return f"{folder}/{images[uri]}" if uri in images else uri

    uri = node["uri"]
    attributes = {"src": address(uri), "alt": node.get("alt", "")}
    for name in ("width", "height"):
        if node.get(name):
            attributes[name] = str(node[name])
    if node.get("classes"):
        attributes["class"] = " ".join(node["classes"])
    attributes["decoding"] = "async"
    if not node.get("first"):
        attributes["loading"] = "lazy"
    text = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
    html = f"<img {text}>"
    if node.get("dark"):
        other = escape(address(str(Path(uri).with_name(node["dark"]))))
        media = "(prefers-color-scheme: dark)"
        html = f'<picture><source srcset="{other}" media="{media}">{html}</picture>'
    translator.body.append(html)


def depart_image(translator: HTML5Translator, node: nodes.image) -> None:
    """Do nothing: the element has no end."""


def number_by_page(app: Sphinx, env: BuildEnvironment) -> None:
    """Begin the numbers of the figures anew on each page.

    Sphinx counts through the whole book, so that a new chapter would renumber the figures
    of all that follow it.
    """
    for kinds in env.toc_fignumbers.values():
        for numbers in kinds.values():
            numbers.update({name: (count,) for count, name in enumerate(numbers, 1)})


def setup(app: Sphinx) -> None:
    """Register the transform, the numbers and the writer."""
    app.add_transform(Figures)
    app.connect("env-check-consistency", number_by_page)
    app.add_node(nodes.image, override=True, html=(visit_image, depart_image))
