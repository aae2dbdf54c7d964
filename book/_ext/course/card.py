"""The picture that stands beside a link to the site where people share it.

Gradient descent on a narrow bowl, computed and drawn here, and the title of the book. It is
made at build time, for sites that know their address: those who show it ask for that.
"""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIZE = 1200, 630  # pixels; what the networks that show such pictures ask for
ALT = "Level lines of a narrow bowl, and a path that zigzags down to its lowest point."

NIGHT, LIGHT, WARM = np.array([18, 28, 44]), np.array([126, 168, 224]), (255, 150, 84)
LOWEST = np.array([745.0, 395.0])  # pixels, where the bowl is lowest
TURN = np.deg2rad(-24)
CURVATURE = np.array([1.0, 5.0])  # along and across the bowl
START, RATE, STEPS = np.array([400.0, -120.0]), 0.34, 12
SPACING = 60  # pixels between level lines, along the bowl
FINE = 3  # the path is drawn this much larger, then reduced, which makes it smooth

_ACROSS = np.array([[np.cos(TURN), -np.sin(TURN)], [np.sin(TURN), np.cos(TURN)]])


def card(title: str) -> Image.Image:
    """Return the picture, with the title at its left."""
    image = Image.fromarray(bowl().round().astype(np.uint8))
    overlay = Image.new("RGBA", (SIZE[0] * FINE, SIZE[1] * FINE))
    draw_path(ImageDraw.Draw(overlay))
    image.paste(small := overlay.resize(SIZE, Image.Resampling.LANCZOS), mask=small)
    lines = wrapped(title, font := ImageFont.load_default(76), 520)
    ImageDraw.Draw(image).multiline_text(
        (76, SIZE[1] / 2), "\n".join(lines), "white", font, anchor="lm", spacing=20
    )
    return image


def bowl() -> np.ndarray:
    """Return (height, width, 3) colours: level lines at equal distances, fainter outwards."""
    columns, rows = np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1]))
    own = (np.stack([columns, rows], axis=-1) - LOWEST) @ _ACROSS
    radius = np.sqrt((CURVATURE * own**2).sum(axis=-1)) + 1e-9
    slope = np.sqrt(((CURVATURE * own) ** 2).sum(axis=-1)) / radius
    away = np.abs(radius - SPACING * np.maximum(np.round(radius / SPACING), 1)) / (slope + 1e-9)
    near = np.exp(-radius / 420)
    left = np.clip((columns - 330) / 420, 0, 1)  # quiet behind the title
    share = near * left * (0.14 + 0.75 * np.clip(1.7 - away, 0, 1))
    colours: np.ndarray = NIGHT + share[..., None] * (LIGHT - NIGHT)
    return colours


def path() -> np.ndarray:
    """Return the (steps + 1, 2) points in pixels: each step is -RATE times the gradient."""
    steps = np.arange(STEPS + 1)[:, None]
    own = START * (1 - RATE * CURVATURE) ** steps  # descent on a quadratic, in closed form
    points: np.ndarray = LOWEST + own @ _ACROSS.T
    return points


def draw_path(draw: ImageDraw.ImageDraw) -> None:
    """Draw the path and its points."""
    points = [(FINE * x, FINE * y) for x, y in path()]
    draw.line(points, WARM, 5 * FINE, joint="curve")
    for number, (x, y) in enumerate(points):
        size = FINE * max(5, 11 - number)
        draw.ellipse([x - size, y - size, x + size, y + size], WARM)


def wrapped(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> list[str]:
    """Return the lines of a text that is at most ``width`` pixels wide."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
