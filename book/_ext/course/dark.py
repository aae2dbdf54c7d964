"""The copy of a figure for a dark page: ink and paper change places, lines keep their colour.

No CSS filter does this: one that turns white dark turns a light line dark too, and then sky
blue is darker than blue, and amber is brown.
"""

import hashlib
import re
import shutil
from itertools import combinations
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
import numpy.typing as npt
from docutils import nodes
from PIL import Image

Colours = npt.NDArray[np.float64]  # shape (colours, 3): red, green, blue, 0 to 255
STRANGE = 10  # levels of 255 from the course's colours, on average: drawn in other colours
IMAGES = re.compile(r"\.(imshow|matshow|pcolor\w*|hist2d|hexbin|plot_surface)\(")
SHADES = re.compile(r"\b(black|white|dark)\b", re.IGNORECASE)  # no longer true when turned
VERSION = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]

# What the course draws in, and what becomes of it. Paper is the page's, so that there is no
# card; text and thin lines in blue would fall below 4.5:1 there, so it is lightened, and sky
# blue with it, to stay the lighter of the two.
TURNED = {
    "ffffff": "15181c",
    "000000": "f4f6f8",
    "0072b2": "3a94d8",
    "d55e00": "d55e00",
    "009e73": "009e73",
    "cc79a7": "cc79a7",
    "56b4e9": "9ad2f5",
    "e69f00": "e69f00",
}


def _rgb(names: list[str]) -> Colours:
    return np.array([list(bytes.fromhex(name)) for name in names], float)


def turned(colours: Colours) -> tuple[Colours, npt.NDArray[np.float64]]:
    """Return what colours become on a dark page, and how far each is from those of the course.

    A pixel of a plot is a mix of two colours: of a line and the paper below it where it is
    smoothed or shaded, of two lines where they meet. Each pair of the course's colours is a
    segment in the cube of colours, with a segment of the dark page that belongs to it. A
    colour goes where the segments near it send the point next to it; the weights fall fast
    with the distance.
    """
    light, dark = _rgb(list(TURNED)), _rgb(list(TURNED.values()))
    goes = np.zeros_like(colours)
    total = np.zeros(len(colours))
    nearest = np.full(len(colours), np.inf)
    for one, other in combinations(range(len(light)), 2):
        along = light[other] - light[one]
        share = np.clip((colours - light[one]) @ along / (along @ along), 0, 1)[:, None]
        distance = ((colours - light[one] - share * along) ** 2).sum(1)
        weight = 1 / (distance + 1) ** 2
        goes += weight[:, None] * (dark[one] + share * (dark[other] - dark[one]))
        total += weight
        nearest = np.minimum(nearest, distance)
    return goes / total[:, None], np.sqrt(nearest)


def stays_light(node: nodes.image) -> bool:
    """Say whether a figure has to look the same on a dark page.

    So does one whose cell draws an image, a map of values or a surface, whose shades mean
    something, and one whose alt text, caption or section calls something black, white or dark.
    """
    above: list[nodes.Element] = []
    parent = node.parent
    while parent is not None:
        above.append(parent)
        parent = parent.parent
    cell = next((one for one in above if one.get("nb_element") == "cell_code"), node)
    section = next((one for one in above if isinstance(one, nodes.section)), node)
    said = [node.get("alt", "")]
    said += [one.astext() for one in section.findall(nodes.paragraph)]
    said += [one.astext() for one in node.parent.findall(nodes.caption)]
    return bool(IMAGES.search(cell.astext()) or SHADES.search(" ".join(said)))


def darkened(full: Image.Image) -> Image.Image | None:
    """Return an RGB picture as on a dark page, or None if it is drawn in other colours."""
    packed = np.asarray(full, np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    codes, where, counts = np.unique(packed, return_inverse=True, return_counts=True)
    colours = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1).astype(float)
    goes, strange = turned(colours)
    drawn = counts * (colours.min(1) < 250)
    if drawn @ strange > STRANGE * drawn.sum():
        return None
    return Image.fromarray(np.rint(goes).astype(np.uint8)[where.reshape(full.height, full.width)])


def copy(light: Path, kept: Path) -> Path | None:
    """Write a figure's dark copy beside it and return it, or None if there is none.

    As `figures.lighter`, it makes each copy once and keeps it in the folder `kept`.
    """
    path = light.with_name(f"{light.stem[:20]}-dark-{VERSION}.webp")
    stored = kept / path.name
    if not stored.exists():
        with Image.open(light) as image:
            if image.mode != "RGB":  # what shows through is the paper already
                return None
            made = darkened(image)
        if made is None:
            return None
        kept.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=kept, suffix=".webp", delete=False) as begun:
            made.save(begun, "WEBP", lossless=True, quality=100, method=4)
        Path(begun.name).replace(stored)
    if not path.exists():
        shutil.copyfile(stored, path)
    return path
