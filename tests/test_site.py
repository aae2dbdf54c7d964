"""The site as it is published: its own wheel, and notebooks that install exactly that wheel.

The whole book is built with an address on this machine, served there, and the set-up cell
of a chapter is run as in Colab: in an empty folder, in an environment without the package.
"""

import functools
import json
import os
import subprocess
import sys
import threading
import tomllib
import venv
from collections.abc import Iterator
from email.parser import Parser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zipfile import ZipFile

import pytest
from bs4 import BeautifulSoup
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "book" / "_ext"))

from course.publish import set_wheel  # noqa: E402

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]["version"]
WHEEL = f"_static/dlnotes-{VERSION}-py3-none-any.whl"
CHAPTER = "_sources/notebooks/01_gradients.ipynb"
BRANCH = "owner/repository/blob/gh-pages"
# What Colab had installed in 2025, and older: installing the wheel must not replace these.
COLAB = {
    "ipywidgets": "7.7.1",
    "matplotlib": "3.10.0",
    "numpy": "2.0.2",
    "pandas": "2.2.2",
    "scikit-learn": "1.6.1",
    "torch": "2.6.0",
    "tqdm": "4.67.1",
}

LIKE_COLAB = """
import sys, types
from IPython.core.interactiveshell import InteractiveShell

google = types.ModuleType("google")
google.colab = types.ModuleType("google.colab")
sys.modules.update({"google": google, "google.colab": google.colab})
shell = InteractiveShell.instance()
shell.run_cell(sys.stdin.read()).raise_error()

import dlnotes
import dlnotes.explorers.esm as esm

assert "export default" in esm.module("descent"), "the wheel lacks the explorers' files"
print(dlnotes.__version__, dlnotes.__file__)
"""


def setup_cell(notebook: dict) -> str:
    cells = [c for c in notebook["cells"] if "setup" in c["metadata"].get("tags", [])]
    assert len(cells) == 1
    return "".join(cells[0]["source"])


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Iterator[tuple[str, Path]]:
    """Build the site for an address on this machine, and serve it there."""
    folder = tmp_path_factory.mktemp("site")
    html = folder / "_build" / "html"

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=html))
    address = f"http://127.0.0.1:{server.server_port}"
    program = Path(sys.executable).with_name("jupyter-book")
    settings = {"DLNOTES_SITE_URL": f"{address}/", "DLNOTES_COLAB_PATH": BRANCH}
    done = subprocess.run(
        [program, "build", ROOT, "--path-output", folder, "-W", "-n", "--keep-going", "-q"],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield address, html
    server.shutdown()
    server.server_close()


def test_the_published_notebook_names_the_wheel_of_its_site(published):
    address, html = published
    stored = json.loads((ROOT / "notebooks" / "01_gradients.ipynb").read_text("utf8"))
    copy = json.loads((html / CHAPTER).read_text("utf8"))
    assert f'wheel = "{address}/{WHEEL}"' in setup_cell(copy)
    assert (html / WHEEL).is_file()
    assert setup_cell(stored).replace('wheel = ""', f'wheel = "{address}/{WHEEL}"') == setup_cell(
        copy
    )
    rest = [[c for c in n["cells"] if "setup" not in c["metadata"].get("tags", [])]
            for n in (stored, copy)]  # fmt: skip
    assert rest[0] == rest[1]


def test_the_published_page_links_to_colab_and_to_that_notebook(published):
    _, html = published
    page = BeautifulSoup(
        (html / "notebooks" / "01_gradients.html").read_text("utf8"), "html.parser"
    )
    links = {link.get_text().strip(): link["href"] for link in page.select(".actions a")}
    assert links == {
        "Download the notebook": f"../{CHAPTER}",
        "Open in Colab": f"https://colab.research.google.com/github/{BRANCH}/{CHAPTER}",
    }
    assert (html / ".nojekyll").is_file()


def test_an_ordinary_build_knows_no_address():
    built = ROOT / "_build" / "html"
    assert (built / CHAPTER).read_bytes() == (
        ROOT / "notebooks" / "01_gradients.ipynb"
    ).read_bytes()
    assert not list(built.glob("_static/*.whl"))
    assert "colab.research" not in (built / "notebooks" / "01_gradients.html").read_text("utf8")


def test_the_setup_cell_installs_the_wheel_in_an_empty_folder(published, tmp_path):
    _, html = published
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    pip = [python, "-m", "pip", "--disable-pip-version-check", "-q", "install"]
    subprocess.run([*pip, "ipython", "-c", ROOT / "constraints.txt"], check=True, timeout=300)
    empty = tmp_path / "empty"
    empty.mkdir()
    cell = setup_cell(json.loads((html / CHAPTER).read_text("utf8")))
    done = subprocess.run(
        [python, "-W", "ignore", "-c", LIKE_COLAB],
        input=cell,
        cwd=empty,
        # Colab has what the wheel requires (see the next test); here it is left out, for torch
        # alone would take minutes.
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PIP_NO_DEPS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    version, path = done.stdout.splitlines()[-1].split(maxsplit=1)
    assert version == VERSION
    assert Path(path).is_relative_to(tmp_path / "venv")


def test_the_wheel_replaces_nothing_that_colab_has(published):
    _, html = published
    with ZipFile(html / WHEEL) as wheel:
        name = next(n for n in wheel.namelist() if n.endswith("METADATA"))
        metadata = Parser().parsestr(wheel.read(name).decode("utf8"))
    required = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]
    needed = {r.name: r.specifier for r in required if not r.marker}
    assert set(COLAB) <= set(needed)
    for package, version in COLAB.items():
        assert version in needed[package], f"{package} {version} is outside {needed[package]}"


@pytest.mark.parametrize("sources", [[], ['wheel = ""\n', 'wheel = ""\n']])
def test_a_notebook_that_cannot_be_filled_in_is_refused(sources):
    notebook = {"cells": [{"metadata": {"tags": ["setup"]}, "source": sources}]}
    with pytest.raises(ValueError, match="there must be one"):
        set_wheel(notebook, "http://127.0.0.1/x.whl")
