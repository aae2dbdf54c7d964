"""The published copy of the site: it carries its own wheel, and notebooks that install it.

A course breaks when its notebooks meet another version of its package. So the site that
is deployed holds the wheel built from the same commit, and copies of the notebooks whose
set-up cell installs exactly that file from the site's own address. The address is in no
source: the deployment sets it in the environment, and without it nothing here happens.

``DLNOTES_SITE_URL``
    Where the site will be served, for example what GitHub Pages assigns.
``DLNOTES_COLAB_PATH``
    ``owner/repository/blob/branch`` of the branch that holds the built site. Colab opens
    notebooks from GitHub only, so the launch link appears when this is set as well.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError

ROOT = Path(__file__).parents[3]
COLAB = "https://colab.research.google.com/github"
UNSET = 'wheel = ""'


def set_wheel(notebook: dict[str, Any], url: str) -> dict[str, Any]:
    """Return a copy of a notebook whose set-up cell installs the wheel at ``url``.

    Raises
    ------
    ValueError
        If not exactly one cell tagged ``setup`` holds the line to fill in.
    """
    notebook = json.loads(json.dumps(notebook))
    filled = 0
    for cell in notebook["cells"]:
        if "setup" not in cell["metadata"].get("tags", []):
            continue
        source = "".join(cell["source"])
        filled += source.count(UNSET)
        source = source.replace(UNSET, f"wheel = {json.dumps(url)}")
        cell["source"] = source.splitlines(keepends=True)
    if filled != 1:
        raise ValueError(f"{filled} places say {UNSET} in cells tagged setup: there must be one")
    return notebook


def build_wheel(folder: Path) -> Path:
    """Build the package's wheel into a folder, where no older one is left."""
    for old in folder.glob("dlnotes-*.whl"):
        old.unlink()
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", "wheel"]
    # From a copy: setuptools builds in place, and would pick up files of earlier builds.
    with TemporaryDirectory() as copy:
        for name in ("pyproject.toml", "LICENSE", "README.md"):
            if (ROOT / name).is_file():
                shutil.copy(ROOT / name, copy)
        leave = shutil.ignore_patterns("*.egg-info", "__pycache__")
        shutil.copytree(ROOT / "src", Path(copy) / "src", ignore=leave)
        subprocess.run([*command, "--no-deps", "-w", str(folder), copy], check=True)
    return next(folder.glob("dlnotes-*.whl"))


def publish(app: Sphinx, error: Exception | None) -> None:
    """Add the wheel to the built site and name it in the site's notebooks."""
    site: str = app.config.course_site_url.rstrip("/")
    if error is not None or app.builder.format != "html" or not site:
        return
    output = Path(app.outdir)
    wheel = build_wheel(output / "_static")
    for path in sorted((output / "_sources").rglob("*.ipynb")):
        notebook = json.loads(path.read_text("utf8"))
        try:
            filled = set_wheel(notebook, f"{site}/_static/{wheel.name}")
        except ValueError as reason:
            raise ConfigError(f"{path.name}: {reason}") from None
        path.write_text(json.dumps(filled, indent=1, ensure_ascii=False) + "\n", "utf8")
    (output / ".nojekyll").touch()  # else GitHub Pages leaves out folders named _static


def link(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Give the page the address of its notebook in Colab, where there is one."""
    branch: str = app.config.course_colab_path.strip("/")
    if app.config.course_site_url and branch and context.get("sourcename"):
        context["colab"] = f"{COLAB}/{branch}/_sources/{context['sourcename']}"


def check(app: Sphinx, config: Config) -> None:
    """Refuse an address that no reader could open."""
    if not re.fullmatch(r"(https?://[^\s?#]+)?", config.course_site_url):
        raise ConfigError(f"DLNOTES_SITE_URL must be a web address, not {config.course_site_url}")


def setup(app: Sphinx) -> None:
    """Register the two settings, read from the environment, and what uses them."""
    app.add_config_value("course_site_url", os.environ.get("DLNOTES_SITE_URL", ""), "html", str)
    app.add_config_value("course_colab_path", os.environ.get("DLNOTES_COLAB_PATH", ""), "html", str)
    app.connect("config-inited", check)
    app.connect("html-page-context", link)
    app.connect("build-finished", publish)
