"""What makes two executions of a notebook cell the same: pure functions on plain data.

``conftest.py`` hooks them into nbval. The tolerances, and how they were measured:

Numbers. Only numbers with a decimal point or an exponent have a tolerance, of ``REL``.
It covers the last digits of a float64, and what float32 rounding leaves of eight printed
digits. Where at least ``DIGITS`` significant digits are printed, a tie may round the
other way: one unit in the last of them is allowed, which is at most 1e-5. A number
printed with fewer digits must be the same text: 0.12 is not 0.13. Integers, signs, nan,
inf, and digits inside words and versions are text, and text is compared exactly.

Pictures. Differences are in levels (0 to 255) of the most different channel. Measured on
two-panel figures with lines, points and contours, as (RMS, largest mean of a 4×4 block):
data off by 1e-7 gives (0.002, 0.06), by 1e-6 (0.03, 0.8), and chapter 01 executed with
the instruction sets of an older processor (0.007, 0.19): that passes. A line moved by
0.1 pixel gives (0.8, 9.6), a line colour changed from #1f77b4 to #1f77c4 (1.0, 9.7), one
point of twenty missing (2.2, 156): that fails.
"""

import base64
import html
import io
import json
import math
import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np
from nbval.plugin import find_comment_markers, find_metadata_tags
from PIL import Image, ImageDraw

from tools.notebooks import static_outputs, tags

REL = 1e-6
DIGITS = 6
RMS = 0.5
LOCAL = 4.0
BLOCK = 4
SHOWN = 5  # lines of one output: enough to see what happened
HEAD, RULE = 22, 2  # pixels above the pictures, to name them, and between them

NUMBER = re.compile(r"(?<![\w.])((?:\d+\.\d*|\.\d+|\d+(?=[eE]))(?:[eE][+-]?\d+)?)(?!\w|\.\d)")
STATE = re.compile(r'(<[^>]*\bdata-dlnotes-explorer="[^"]*"[^>]*\bdata-state=")([^"]*)"')


class Difference(NamedTuple):
    """What differs, in words; and the two pictures (base64) where it is a picture."""

    text: str
    pictures: tuple[str, str] | None = None


def cell_faults(cell: Any) -> list[str]:
    """Return why the stored cell cannot be trusted, whatever it gives when it runs."""
    faults = [f"stored {fault}" for fault in on_stderr(cell.outputs)]
    if cell.execution_count is None:
        faults.append("the stored cell was never run: run make notebooks")
    raises = [output for output in cell.outputs if output.output_type == "error"]
    if "raises-exception" in tags(cell) and not raises:
        faults.append("tagged raises-exception, and the stored cell raised nothing")
    if "raises-exception" not in tags(cell) and raises:
        faults.append(f"the stored cell raised {raises[0].ename}")
    return faults


def on_stderr(outputs: list[Any]) -> list[str]:
    """Return a line for each output on stderr, warnings included."""
    found = [output.text.strip()[:500] for output in outputs if output.get("name") == "stderr"]
    return [f"output on stderr: {text}" for text in found]


def opts_out(cell: Any) -> bool:
    """Tell whether a tag or a comment asks nbval not to check all of this cell."""
    markers = {*dict(find_comment_markers(cell.source)), *dict(find_metadata_tags(cell.metadata))}
    return bool(markers - ({"check_exception"} if "raises-exception" in tags(cell) else set()))


def compare(stored: list[Any], new: list[Any]) -> Iterator[Difference]:
    """Yield each difference between the outputs of two executions of one cell."""
    yield from map(Difference, on_stderr(new))
    if new and not static_outputs(new):
        yield Difference("shows only a widget: nothing to see, or to compare, without a kernel")
    pairs = zip_longest(static_outputs(stored), static_outputs(new))
    for number, (old, now) in enumerate(pairs, 1):
        where = f"output {number}"
        if old is None:
            yield Difference(f"{where}: extra output, not stored: {brief(now)}")
        elif now is None:
            yield Difference(f"{where}: missing output, stored was: {brief(old)}")
        elif kind(old) != kind(now):
            yield Difference(f"{where}: stored {brief(old)}, now {brief(now)}")
        else:
            for key, before, after in parts(old, now):
                yield from value_difference(f"{where}, {key}", key, before, after)


def kind(output: Any) -> tuple[Any, ...]:
    """Return what must be the same of two outputs before their contents are compared."""
    return output.output_type, output.get("name"), sorted(output.get("data", {}))


def brief(output: Any) -> str:
    """Return one line that says what an output is."""
    data = output.get("data", {})
    what = output.get("text") or output.get("evalue") or data.get("text/plain", "")
    name = output.get("name") or output.get("ename") or ", ".join(sorted(data))
    return f"{output.output_type} ({name}) {str(what).strip()[:120]!r}"


def parts(old: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield the parts of two outputs of one kind: name or MIME type, stored, new."""
    for key in ("text", "ename", "evalue", "metadata"):
        yield key, old.get(key, ""), now.get(key, "")
    for mime in sorted(old.get("data", {})):
        yield mime, old.data[mime], now.data[mime]


def value_difference(where: str, key: str, old: Any, now: Any) -> Iterator[Difference]:
    """Yield the difference of one part of an output, compared as its type asks for."""
    if key in ("image/png", "image/jpeg"):
        if text := picture_difference(pixels(old), pixels(now)):
            yield Difference(f"{where}: {text}", (old, now))
        return
    if key == "text/html":
        if text := json_difference(states(old), states(now), "state"):
            yield Difference(f"{where}: changed explorer state: {text}")
        old, now = STATE.sub(r"\1", old), STATE.sub(r"\1", now)
    text = text_difference(old, now) if isinstance(old, str) else json_difference(old, now)
    if text:
        yield Difference(f"{where}: {text}")


# ---- text ------------------------------------------------------------------------


def text_difference(old: str, now: str) -> str:
    """Return how two texts differ, '' if they do not: the first lines of them that do."""
    lines = zip_longest(str(old).split("\n"), str(now).split("\n"))
    found = [
        f"line {number}\n  stored: {before!r}\n  now:    {after!r}"
        for number, (before, after) in enumerate(lines, 1)
        if before is None or after is None or not same_line(before, after)
    ]
    more = [f"and {len(found) - SHOWN} lines more"] * (len(found) > SHOWN)
    return "\n".join(found[:SHOWN] + more)


def same_line(old: str, now: str) -> bool:
    """Tell whether two lines are the same but for the last digits of their floats.

    Where a float is printed in another width (0.3, 0.30000000000000004), the spaces that
    align the line may differ too.
    """
    # Splitting by a pattern with a group gives text and numbers in turn.
    before, after = NUMBER.split(old), NUMBER.split(now)
    numbers = list(zip(before[1::2], after[1::2], strict=False))
    if len(before) != len(after) or not all(same_number(*pair) for pair in numbers):
        return False
    if any(len(a) != len(b) for a, b in numbers):
        return [t.replace(" ", "") for t in before[::2]] == [t.replace(" ", "") for t in after[::2]]
    return before[::2] == after[::2]


def same_number(old: str, now: str) -> bool:
    """Tell whether two printed numbers without sign are the same within the tolerance."""
    if old == now:
        return True
    (value, digits, decimals), (other, other_digits, other_decimals) = printed(old), printed(now)
    gap, size = abs(value - other), max(value, other)
    if decimals == other_decimals:
        if old.endswith(".") and now.endswith("."):
            return False
        unit = 10.0**-decimals if min(digits, other_digits) >= DIGITS else 0.0
        return gap <= max(REL * size, 1.001 * unit)
    # Another number of decimals is another format, unless the longer one is all there is:
    # the shortest text that gives the float back. That has no zeros at its end.
    mantissa = max(old, now, key=len).lower().partition("e")[0]
    return printed(mantissa.rstrip("0"))[1] > DIGITS and gap <= REL * size


def printed(number: str) -> tuple[float, int, int]:
    """Return value, count of significant digits, and decimals of a printed number.

    Decimals are those of the value: 1.5e-3 has four.
    """
    mantissa, _, exponent = number.lower().partition("e")
    digits = len(mantissa.replace(".", "").lstrip("0"))
    return float(number), digits, len(mantissa.partition(".")[2]) - int(exponent or 0)


# ---- explorer state and other JSON -----------------------------------------------


def states(text: str) -> list[Any]:
    """Return the states of the explorers in an HTML output; as text where not JSON."""
    found = [html.unescape(match[2]) for match in STATE.finditer(text)]
    try:
        return [json.loads(state) for state in found]
    except ValueError:
        return found


def json_difference(old: Any, now: Any, path: str = "value") -> str:
    """Return where two JSON values differ, '' if nowhere but in the last digits of floats."""
    if type(old) is type(now) is float:
        same = math.isclose(old, now, rel_tol=REL) or (math.isnan(old) and math.isnan(now))
        return "" if same else f"{path}: stored {old}, now {now}"
    if isinstance(old, dict) and isinstance(now, dict) and old.keys() == now.keys():
        found = (json_difference(old[key], now[key], f"{path}.{key}") for key in old)
        return next(filter(None, found), "")
    if isinstance(old, list) and isinstance(now, list) and len(old) == len(now):
        pairs = enumerate(zip(old, now, strict=True))
        found = (json_difference(a, b, f"{path}[{index}]") for index, (a, b) in pairs)
        return next(filter(None, found), "")
    same = type(old) is type(now) and old == now
    return "" if same else f"{path}: stored {old!r}, now {now!r}"


# ---- pictures --------------------------------------------------------------------


def pixels(encoded: str) -> np.ndarray:
    """Return a base64 picture as (height, width, 4) levels, RGB multiplied by alpha.

    So what is behind transparent paper matters as little as it does to the eye, and
    transparent paper is not white paper.
    """
    image = Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGBA")
    levels = np.asarray(image).astype(float)
    levels[..., :3] *= levels[..., 3:] / 255
    return levels


def picture_difference(old: np.ndarray, now: np.ndarray) -> str:
    """Return how two pictures differ beyond the tolerance, '' if they do not."""
    if old.shape != now.shape:
        sizes = [f"{width} × {height}" for height, width, _ in (old.shape, now.shape)]
        return f"stored picture has {sizes[0]} pixels, now {sizes[1]}"
    difference = np.abs(old - now).max(axis=2)
    rms = float(np.sqrt((difference**2).mean()))
    bottom, right = (-size % BLOCK for size in difference.shape)
    padded = np.pad(difference, ((0, bottom), (0, right)))
    height, width = padded.shape
    blocks = padded.reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK).mean(axis=(1, 3))
    if rms <= RMS and blocks.max() <= LOCAL:
        return ""
    row, column = np.unravel_index(blocks.argmax(), blocks.shape)
    return (
        f"the picture changed: RMS {rms:.2f} levels (at most {RMS}), largest {BLOCK}×{BLOCK} block "
        f"{blocks.max():.1f} (at most {LOCAL}) at x={column * BLOCK}, y={row * BLOCK}"
    )


def side_by_side(old: np.ndarray, now: np.ndarray) -> Image.Image:
    """Return stored picture, new picture and their difference (amplified, dark) in one."""
    height, width = (max(a, b) for a, b in zip(old.shape[:2], now.shape[:2], strict=True))
    canvas = np.full((2, height, width, 3), 255.0)
    for sheet, levels in zip(canvas, (old, now), strict=True):
        on_white = levels[..., :3] + 255 - levels[..., 3:]
        sheet[: levels.shape[0], : levels.shape[1]] = on_white
    gap = np.clip(255 - 8 * np.abs(canvas[0] - canvas[1]), 0, 255)
    image = Image.new("RGB", (3 * width + 2 * RULE, HEAD + height), "#444")
    draw = ImageDraw.Draw(image)
    names = ("stored", "new", "difference, 8 times as strong")
    for number, (name, sheet) in enumerate(zip(names, [*canvas, gap], strict=True)):
        left = number * (width + RULE)
        image.paste(Image.fromarray(sheet.round().astype(np.uint8)), (left, HEAD))
        draw.text((left + 6, HEAD / 2), name, "white", anchor="lm", font_size=14)
    return image
