"""Explorers and folded cells in a real JupyterLab, driven in headless Chromium.

What JupyterLab does with a key depends on where the focus is and on what its own shortcuts
are, which no stand-in shows: plain keys pressed in an explorer once deleted its cell.
"""

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from browser import needs_chromium

from tools import notebooks

pytestmark = [
    needs_chromium,
    pytest.mark.skipif(
        importlib.util.find_spec("jupyterlab") is None,
        reason="no JupyterLab: pip install -e '.[lab]' -c constraints.txt",
    ),
]

CELLS = {
    "descent": "from dlnotes.explorers import backprop, descent\ne = descent.Explorer()\ne",
    "backprop": "b = backprop.Explorer()\nb",
    "solution": "# @title Solution\nsecret = 42",
    "change": "e.lr = 0.07\ne.steps = 20",
    "show": "print(e.lr, e.start, b.net['w5'])",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that the server shows."""
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[str]:
    """Start JupyterLab with settings of its own; return its address with the token."""
    home = folder / ".home"
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    settings = {name: str(home / name.lower()) for name in names}
    options = [
        "--no-browser", "--allow-root", "--ServerApp.port=0", "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={folder}", "--LabApp.extension_manager=readonly",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.news_url=", "--LabApp.collaborative=False",
    ]  # fmt: skip
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            env={**os.environ, **settings},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield address(process, Path(settings["JUPYTER_RUNTIME_DIR"]), folder / "server.log")
    finally:
        process.terminate()
        process.wait(30)


def address(process: subprocess.Popen[bytes], runtime: Path, log: Path) -> str:
    """Wait until the server has written down where it is."""
    for _ in range(600):
        if process.poll() is not None:
            break
        for file in runtime.glob("jpserver-*.json"):
            with contextlib.suppress(json.JSONDecodeError):  # it is being written
                found = json.loads(file.read_text("utf8"))
                return f"{found['url']}lab/tree/NAME?reset&token={found['token']}"
        time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text('utf8')[-2000:]}")


class Lab:
    """A notebook in JupyterLab: the page, and the file behind it."""

    def __init__(self, page: Any, file: Path) -> None:
        self.page, self.file = page, file

    def cell(self, name: str) -> Any:
        """Return a cell of the notebook."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(list(CELLS).index(name))

    def run(self, name: str) -> str:
        """Run a cell as a reader does; return what it prints."""
        before = self.count(name)
        for _ in range(30):  # until the kernel has been connected, JupyterLab drops the key
            self.cell(name).locator(".jp-InputArea-prompt").click()
            self.page.keyboard.press("Control+Enter")
            self.page.wait_for_timeout(1000)
            if self.count(name) != before:
                break
        self.page.wait_for_function(
            "([k, before]) => { const text = document.querySelectorAll('.jp-Notebook .jp-Cell')[k]"
            ".querySelector('.jp-InputArea-prompt').textContent;"
            " return /\\d/.test(text) && text !== before; }",
            arg=[list(CELLS).index(name), before],
        )
        return "".join(self.cell(name).locator(".jp-OutputArea-output pre").all_text_contents())

    def count(self, name: str) -> str:
        """Return the execution count of a cell, as its prompt says it."""
        return self.cell(name).locator(".jp-InputArea-prompt").text_content()

    def saved(self) -> Any:
        """Press Ctrl+S wherever the focus is; return the notebook that is then on disk."""
        before = self.file.stat().st_mtime_ns
        self.page.keyboard.press("Control+s")
        for _ in range(100):
            if self.file.stat().st_mtime_ns != before:
                break
            time.sleep(0.1)
        assert self.file.stat().st_mtime_ns != before, "Ctrl+S did not save"
        self.page.wait_for_timeout(200)
        return nbformat.read(self.file, as_version=4)


@pytest.fixture(scope="module")
def lab(browser: Any, server: str, folder: Path) -> Iterator[Lab]:
    """Open a notebook with both explorers, run; the tests of this file share its kernel."""
    cells = []
    for name, text in CELLS.items():
        folded = {"jupyter": {"source_hidden": True}} if name == "solution" else {}
        cells.append(nbformat.v4.new_code_cell(text, id=name, metadata=folded))
    kernel = {"name": "python3", "display_name": "Python 3"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    file = folder / "explorers.ipynb"
    nbformat.write(notebook, file)
    page = browser.new_page(viewport={"width": 1200, "height": 1000})
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url))
    # What JupyterLab asks a slow machine or a new user is answered with its default.
    dialog = page.locator("dialog.jp-Dialog")
    page.add_locator_handler(dialog, lambda: dialog.locator(".jp-mod-accept").click())
    page.goto(server.replace("NAME", file.name), timeout=120_000)
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=120_000)
    page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]", timeout=120_000)
    opened = Lab(page, file)
    page.set_default_timeout(60_000)
    for name in ("descent", "backprop"):
        opened.run(name)
        opened.cell(name).locator(".dlx").wait_for()
    yield opened
    page.close()
    assert all(url.startswith(("http://127.0.0.1", "blob:", "data:")) for url in asked), asked


def test_plain_keys_stay_in_the_explorer(lab):
    for name, places in {
        "descent": (".dlx-surface", "input[type=range]", "button", "select"),
        "backprop": ("button", "input[type=range]", "input[type=number]", "summary"),
    }.items():
        for place in places:
            lab.cell(name).locator(f".dlx {place}").first.focus()
            for key in ("a", "b", "d", "d", "x", "m", "z", "ArrowDown", "ArrowUp", "Escape"):
                lab.page.keyboard.press(key)
            focused = lab.page.evaluate("document.activeElement.closest('.dlx') !== null")
            assert focused, f"the focus has left {place}"
    after = lab.saved()
    assert [cell.id for cell in after.cells] == list(CELLS)
    assert {cell.cell_type for cell in after.cells} == {"code"}


def test_arrow_keys_move_slider_and_start_and_python_knows(lab):
    number = lab.cell("descent").locator(".dlx-head [data-number=lr]")
    before = float(number.text_content())
    x_before = float(lab.run("show").split("[")[1].split(",")[0])
    lab.cell("descent").get_by_label("Learning rate").focus()
    for _ in range(5):
        lab.page.keyboard.press("ArrowRight")
    lab.cell("descent").locator(".dlx-surface").focus()
    lab.page.keyboard.press("ArrowRight")
    field = lab.cell("backprop").get_by_label("w5", exact=True)
    field.fill("0.75")
    field.press("Enter")
    shown = number.text_content()
    assert float(shown) > before
    lr, x, y, w5 = lab.run("show").replace("[", "").replace("]", "").replace(",", "").split()
    assert float(lr) == float(shown)
    assert float(x) > x_before
    assert (float(y), float(w5)) == (0.8, 0.75)


def test_picture_follows_python(lab):
    lab.run("change")
    lab.page.wait_for_function(
        "() => document.querySelector('.dlx-descent .dlx-state dd').textContent === '20 of 20'"
    )
    assert lab.cell("descent").locator("[data-number=lr]").first.text_content() == "0.07"


def test_readouts_stand_side_by_side(lab):
    for name in ("descent", "backprop"):
        first, second = (lab.cell(name).locator(".dlx-state dt").nth(k) for k in (0, 1))
        assert first.bounding_box()["y"] == pytest.approx(second.bounding_box()["y"], abs=1)


def test_solution_is_folded_until_it_is_opened(lab):
    cell = lab.cell("solution")
    assert "Solution" in cell.text_content()
    assert "secret" not in cell.text_content()
    cell.locator(".jp-Placeholder-content").click()
    cell.get_by_text("secret").wait_for()


def test_a_save_changes_what_was_edited_and_nothing_else(browser, server, folder):
    """A chapter is opened, one cell is edited, and JupyterLab saves it in its own way."""
    stored = notebooks.FOLDER / "02_autograd.ipynb"
    file = folder / stored.name
    file.write_bytes(stored.read_bytes())
    page = browser.new_page(viewport={"width": 1200, "height": 1000})
    page.goto(server.replace("NAME", file.name), timeout=120_000)
    page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]", timeout=120_000)
    page.locator(".jp-Notebook .jp-Cell").first.dblclick(timeout=60_000)
    page.locator(".jp-Cell.jp-mod-active .cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" Edited here.")
    for _ in range(30):
        saved = Lab(page, file).saved()
        if "version" in saved.metadata.language_info:  # the kernel has said what it is
            break
        page.wait_for_timeout(1000)
    page.close()
    expected = notebooks.read(stored)
    expected.cells[0].source += " Edited here."
    assert notebooks.dumps(notebooks.normalise(saved)) == notebooks.dumps(expected)
    assert file.read_bytes() != notebooks.dumps(expected).encode(), "JupyterLab added nothing"
