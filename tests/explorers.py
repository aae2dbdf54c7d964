"""What tests of explorers share: their JavaScript without a browser, and a page that holds them.

The fixture ``opened`` is registered once, by the import in ``conftest.py``.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import quickjs

from dlnotes.explorers import esm

SETTLE = "() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))"
FALLBACK = "what is shown without JavaScript"


class JavaScript:
    """What some files of the explorers export, run without a browser.

    `edit` changes the source first, to plant a fault.
    """

    def __init__(self, *paths: str, edit: Callable[[str], str] = str) -> None:
        self.context = quickjs.Context()
        self.context.eval(edit(esm.joined(paths)).replace("const files", "globalThis.files"))
        for path in paths:
            self.context.eval(f'Object.assign(globalThis, files["{path}"])')

    def __call__(self, expression: str) -> Any:
        return json.loads(self.context.eval(f"JSON.stringify({expression})"))


def source(*explorers: tuple[str, dict[str, Any]], body: str = "") -> str:
    """Return a page that holds explorers, each by its name and state."""
    parts = "".join(esm.html(name, state, FALLBACK) for name, state in explorers)
    names = sorted({name for name, _ in explorers})
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Explorers</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{esm.css(names)}</style>"
        f"<body><main><h1>Explorers</h1>{parts}{body}</main>"
        f"<script>{esm.classic(names)}</script></body></html>"
    )


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Return a function that opens explorers from a file and gives the page."""
    pages = []

    def open_page(*explorers: tuple[str, dict[str, Any]], body: str = "", **context: Any) -> Any:
        file = tmp_path / "page.html"
        file.write_text(source(*explorers, body=body), "utf8")
        page = browser.new_page(**{"viewport": {"width": 1000, "height": 900}, **context})
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda entry: problems.append(entry.text))
        pages.append((page, problems))
        page.goto(file.as_uri())
        page.wait_for_function(
            "n => document.querySelectorAll('[data-mounted] .dlx').length === n",
            arg=len(explorers),
        )
        settle(page)
        return page

    yield open_page
    for page, problems in pages:
        assert problems == []
        page.close()


def settle(page: Any) -> None:
    """Wait for the redraw that the last input asked for."""
    page.evaluate(SETTLE)


def readout(page: Any, nth: int = 0) -> dict[str, str]:
    """Return the read-outs of an explorer by their labels."""
    settle(page)
    box = page.locator(".dlx").nth(nth)
    terms = box.locator(".dlx-state dt").all_text_contents()
    return dict(zip(terms, box.locator(".dlx-state dd").all_text_contents(), strict=True))


def set_slider(page: Any, label: str, value: float, nth: int = 0) -> None:
    """Move a slider to a position as a mouse does: `input` only."""
    page.locator(".dlx").nth(nth).get_by_label(label).evaluate(
        "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); }", value
    )
    settle(page)


def number(text: str) -> float:
    """Return a number as the page writes it: a true minus, × 10ᵏ."""
    mantissa, _, power = text.replace("−", "-").partition(" × 10")
    digits = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    return float(mantissa) * 10.0 ** int(power.translate(digits) or 0)


def beside(point: np.ndarray, right: float, down: float) -> np.ndarray:
    """Return a point that many pixels away."""
    return point + np.array([right, down])


def swipe(page: Any, begin: np.ndarray, end: np.ndarray, held: Callable[[], Any] = bool) -> Any:
    """Swipe with one finger between two places in pixels; return what `held` saw on the way.

    Playwright can tap but not swipe, so the browser is told directly.
    """
    touch = page.context.new_cdp_session(page)

    def send(kind: str, *fingers: np.ndarray) -> None:
        points = [{"x": float(x), "y": float(y)} for x, y in fingers]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    send("touchStart", begin)
    for share in np.linspace(0, 1, 8)[1:]:
        send("touchMove", np.add(begin, np.subtract(end, begin) * share))
        page.wait_for_timeout(20)
    page.wait_for_timeout(100)
    seen = held()
    send("touchEnd")
    page.wait_for_timeout(200)
    touch.detach()
    return seen
