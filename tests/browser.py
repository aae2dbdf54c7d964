"""Headless Chromium for the tests that need a real page.

The fixture ``browser`` is registered once, by the import in ``conftest.py``: a
second import would start a second Playwright beside the first, which it refuses. Tests
that use it carry `needs_chromium`: without Chromium they are skipped, and pytest prints
why.
"""

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# The first draws as the others do and opens a page four times as fast: it has no windows.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")

# No sandbox, because CI runs as root; the rest stops Chromium from calling its maker.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium_path() -> str | None:
    """Return the path of an installed Chromium or Chrome, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


CHROMIUM = chromium_path()

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason=f"no Chromium on PATH (looked for {', '.join(NAMES)})"
)


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """One Chromium for the session; Playwright gives it a new, empty profile."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()
