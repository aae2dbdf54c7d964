"""Execute the chapters, take out what changes from run to run, check the conventions.

The stored outputs are what readers see and what ``pytest --nbval`` compares, so this is
the only way they are made. Nothing is compared here: ``tests/strict.py`` does that.

Usage: python tools/notebooks.py [--check] [NAME...]

With ``--check`` nothing is executed or written. Without a name, all of ``notebooks/``.
"""

import argparse
import ast
import base64
import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))  # where this runs as a script

from tools import numbers_in_text

FOLDER = Path(__file__).parents[1] / "notebooks"
MAX_BYTES = 2_000_000
MAX_SECONDS = 60.0
CELL_TIMEOUT = 300
WIDGET = "application/vnd.jupyter.widget-view+json"

# What the course reads of a cell's metadata. JupyterLab, Colab, VS Code and nbclient write
# more there with every save (times, ids, sizes, what is folded), which says nothing.
KEPT = ("dlnotes", "mystnb", "tags")
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "pygments_lexer": "ipython3"},
}
# A tag that nothing reads is a typing error: "hide_cell" would hide nothing.
TAGS = {
    *("setup", "exercise", "solution", "raises-exception"),
    *("hide-cell", "hide-input", "hide-output", "nbval-ignore-output", "nbval-skip"),
}
MYST = re.compile(
    r"(?<!`)\{[\w:.+-]+\}`(?=[^`\s])|^\s*:::|^\s*(?:```|~~~)+\{|^\([\w-]+\)=\s*$", re.MULTILINE
)
ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}")
MACHINE_PATH = re.compile(r"(?<![\w.:/])/(?:home|root|tmp|Users|usr|opt|var|content)/")
HEADING = re.compile(r"^#{1,3} (.+)$", re.MULTILINE)
LOCAL_LINK = re.compile(r"\]\(#([^)\s]+)\)")
CHECK = re.compile(r"check\.\w+\(.*\)", re.DOTALL)
DETAILS = re.compile(r"</summary>(?!\s*\n[ \t]*\n)|(?<!\n)\n</details>")

Notebook = Any  # nbformat.NotebookNode: a dict whose keys are attributes too
Cell = Any


class Client(NotebookClient):
    """An nbclient that stores what the kernel sends, as nbval compares it.

    nbclient acts as a browser for ``Output`` widgets: what ``interact`` draws would go
    into the widget state, out of the page and out of the comparison, and an exception in
    its callback would go unseen. Without that, the first picture of an ``interact``
    is an ordinary output: shown in the static page, and compared.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.comm_open_handlers = {"jupyter.widget": lambda msg: None}

    def clear_output(self, outs: list[Any], msg: dict[str, Any], cell_index: int) -> None:
        """Keep what is there: nbval does not clear either."""


def execute(nb: Notebook, folder: Path) -> tuple[float, list[str]]:
    """Run every cell of ``nb`` in place, in a fresh kernel, then what its numbers declare.

    Returns
    -------
    seconds : float
        What it took.
    problems : list of str
        The declared numbers that are not what their expressions give.

    Raises
    ------
    ValueError
        If a cell raises, also inside a widget callback; with cell and traceback.
    """
    for cell in code_cells(nb):
        cell.execution_count, cell.outputs = None, []
    client = Client(
        nb,
        kernel_name="python3",
        timeout=CELL_TIMEOUT,
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    declarations = list(numbers_in_text.to_evaluate(nb))
    raises = {"tags": ["raises-exception"]}
    extra = [nbformat.v4.new_code_cell(code, metadata=raises) for _, _, code in declarations]
    nb.cells += extra
    start = time.perf_counter()
    try:
        client.execute(stderr=subprocess.DEVNULL)  # the kernel's own log
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        running = [cell for cell in nb.cells if cell.get("execution_count")][-1:]
        where = f"{label(nb, running[0])}: " if running else ""
        raise ValueError(f"{where}execution failed\n{error}") from None
    finally:
        del nb.cells[len(nb.cells) - len(extra) :]
    seconds = time.perf_counter() - start
    for cell in code_cells(nb):
        for output in cell.outputs:
            if output.output_type == "error" and "raises-exception" not in tags(cell):
                trace = "\n".join(output.traceback)
                raise ValueError(f"{label(nb, cell)}: a callback failed\n{trace}")
    return seconds, [
        f"{label(nb, cell)}: {fault}"
        for (cell, written, _), evaluated in zip(declarations, extra, strict=True)
        if (fault := numbers_in_text.disagreement(written, evaluated.outputs))
    ]


# ---- normalising -----------------------------------------------------------------


def read(path: Path) -> Notebook:
    """Read a notebook as it is: ``nbformat.read`` would give random ids to bare cells."""
    return nbformat.v4.reads(path.read_text("utf8"))


def normalise(nb: Notebook) -> Notebook:
    """Return a copy of ``nb`` without what differs between two runs. Idempotent."""
    nb = nbformat.from_dict(json.loads(json.dumps(nb)))
    nb.nbformat, nb.nbformat_minor = 4, 5
    nb.metadata = nbformat.from_dict(METADATA)
    # Colab puts its badge, with the address of a repository, above what it saves to GitHub.
    nb.cells = [cell for cell in nb.cells if cell.metadata.get("id") != "view-in-github"]
    seen: set[str] = set()
    for cell in nb.cells:
        cell.source = cell.source.replace("\r\n", "\n").strip("\n")
        cell.id = cell_id(cell, seen)
        seen.add(cell.id)
        kept = {key: cell.metadata[key] for key in KEPT if cell.metadata.get(key)}
        cell.metadata = nbformat.from_dict(kept)
        if cell.cell_type == "code":
            fold(cell)
            cell.outputs = static_outputs(cell.outputs)
            for output in cell.outputs:
                if "execution_count" in output:
                    output.execution_count = cell.execution_count
    return nb


def fold(cell: Cell) -> None:
    """Fold a code cell in the book, in JupyterLab and in Colab, as its tags ask for.

    The book reads ``hide-cell`` and ``hide-input``, JupyterLab ``source_hidden``, Colab
    ``cellView``, which also needs a first line ``# @title …``.
    """
    folded = not {"setup", "solution"}.isdisjoint(tags(cell))
    if folded and "hide-cell" not in tags(cell):
        cell.metadata.tags = [*tags(cell), "hide-cell"]
    for key in ("cellView", "jupyter"):
        cell.metadata.pop(key, None)
    if folded:
        cell.metadata.cellView = "form"
    if not {"hide-cell", "hide-input"}.isdisjoint(tags(cell)):
        cell.metadata.jupyter = {"source_hidden": True}


def static_outputs(outputs: list[Any]) -> list[Any]:
    """Return the outputs that a page without a kernel can show, in their stored form.

    A widget view is a random id that needs a kernel. It goes; with it goes the whole
    output where only the widget's ``text/plain`` stands beside it. Streams of one name
    are merged, pictures lose their metadata, tracebacks their frames (paths, numbers of
    lines in libraries).
    """
    kept: list[Any] = []
    streams: dict[str, Any] = {}
    for original in outputs:
        output = nbformat.from_dict(original)
        output.pop("transient", None)
        if output.output_type == "stream":
            if output.name in streams:
                streams[output.name].text += output.text
                continue
            streams[output.name] = output
        elif output.output_type == "error":
            output.traceback = [f"{output.ename}: {output.evalue}"]
        elif "data" in output:
            if output.data.pop(WIDGET, None) is not None and set(output.data) <= {"text/plain"}:
                continue
            if "image/png" in output.data:
                output.data["image/png"] = clean_png(output.data["image/png"])
        kept.append(output)
    return kept


def clean_png(encoded: str) -> str:
    """Return a base64 PNG without metadata, losslessly packed where that is shorter.

    A picture with no metadata is returned as it is, so that a second pass, with whatever
    version of zlib, changes nothing.
    """
    data = base64.b64decode(encoded)
    if chunks(data) <= {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}:
        return base64.b64encode(data).decode("ascii")
    image: Image.Image = Image.open(io.BytesIO(data))
    if image.mode == "RGBA" and np.asarray(image)[..., 3].min() == 255:
        image = image.convert("RGB")
    if image.mode == "RGB" and image.getcolors(256):
        pixels = np.asarray(image)
        palette, index = np.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True)
        image = Image.fromarray(index.reshape(pixels.shape[:2]).astype(np.uint8), mode="P")
        image.putpalette(palette.astype(np.uint8).tobytes())
    image.info = {}  # or Pillow writes the resolution again
    buffer = io.BytesIO()
    image.save(buffer, "png", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def chunks(png: bytes) -> set[bytes]:
    """Return the types of the chunks in a PNG file."""
    types, at = set(), 8
    while at + 8 <= len(png):
        types.add(png[at + 4 : at + 8])
        at += 12 + int.from_bytes(png[at : at + 4], "big")
    return types


def cell_id(cell: Cell, taken: set[str]) -> str:
    """Return the cell's own id where it is valid and free, else one made from its text.

    Where a file is older than cell ids (nbformat 4.5), Colab keeps its own in the metadata.
    """
    own = str(cell.get("id") or cell.metadata.get("id", ""))
    if re.fullmatch(r"[\w-]{1,64}", own, re.ASCII) and own not in taken:
        return own
    words = re.findall(r"[a-z0-9]+", f"{cell.cell_type} {cell.source.lower()}")
    slug = "-".join(words[:6])[:56]
    return next(name for n in range(1, 10_000) if (name := f"{slug}-{n}") not in taken)


def dumps(nb: Notebook) -> str:
    """Return the one text form of a notebook: sorted keys, indent 1, a final newline."""
    nbformat.validate(nb)
    return str(nbformat.v4.writes(nb)).rstrip("\n") + "\n"


# ---- conventions -----------------------------------------------------------------


def problems(nb: Notebook) -> Iterator[str]:
    """Yield what breaks the conventions of an executed chapter: which cell, what to do."""
    size = len(dumps(nb).encode())
    if size >= MAX_BYTES:
        yield f"{size / 1e6:.1f} MB, over {MAX_BYTES / 1e6:.0f}: draw fewer or simpler pictures"
    first = nb.cells[0] if nb.cells else None
    if first is None or first.cell_type != "markdown" or not first.source.startswith("# "):
        yield "the first cell must be Markdown and start with the title: # Title"
    code = code_cells(nb)
    setups = [cell for cell in code if "setup" in tags(cell)]
    if setups != code[:1] or not setups:
        yield 'the first code cell, and only that, carries the tag "setup"'
    strays = [cell for cell in code if not cell.source.strip()]  # not run, so the rest is late
    for number, cell in enumerate(code, 1):
        if cell.execution_count != number and not strays:
            yield f"{label(nb, cell)}: not run in order: run make notebooks"
    for cell in nb.cells:
        found = code_problems(cell) if cell.cell_type == "code" else text_problems(cell)
        yield from (f"{label(nb, cell)}: {text}" for text in found)
    names = [figure(cell).get("name") for cell in code if figure(cell)]
    for name in sorted({str(name) for name in names if names.count(name) > 1}):
        yield f"the figure name {name!r} is used twice"
    yield from exercise_problems(nb)
    yield from hidden_names(nb)
    yield from lost_links(nb)
    yield from (f"{label(nb, cell)}: {text}" for cell, text in numbers_in_text.problems(nb))


def text_problems(cell: Cell) -> Iterator[str]:
    """Yield what Colab or a screen reader could not make sense of in a Markdown cell."""
    if cell.cell_type == "markdown" and (match := MYST.search(cell.source)):
        yield f"MyST syntax {match[0].strip()!r} shows up raw in Colab: use plain Markdown"
    if "![](" in cell.source:
        yield "an image without alt text: ![what it shows](…)"
    if cell.cell_type == "markdown" and DETAILS.search(cell.source):
        yield "leave an empty line after <summary>…</summary> and before </details>"


def code_problems(cell: Cell) -> Iterator[str]:
    """Yield what is wrong with one code cell: tags, outputs, figure metadata."""
    if not cell.source.strip():
        yield "empty code cell: delete it"
    for tag in sorted(set(tags(cell)) - TAGS):
        yield f"unknown tag {tag!r}: known are {', '.join(sorted(TAGS))}"
    pictures = 0
    for output in cell.outputs:
        if output.get("name") == "stderr":
            yield f"writes to stderr, remove the cause: {output.text.strip()[:200]}"
        if output.output_type == "error" and "raises-exception" not in tags(cell):
            yield f"raised {output.ename}: mend it, or tag the cell raises-exception"
        data = output.get("data", {})
        pictures += "image/png" in data
        if "image/svg+xml" in data:
            yield "an SVG output carries a date: leave the format at PNG"
        text = output.get("text", "") + "".join(str(v) for k, v in data.items() if "text" in k)
        for what, pattern in (("a memory address", ADDRESS), ("a path", MACHINE_PATH)):
            if match := pattern.search(text):
                yield f"prints {what} ({match[0]}…), which differs elsewhere"
    yield from figure_problems(cell, pictures)


def figure_problems(cell: Cell, pictures: int) -> Iterator[str]:
    """Yield what is missing in the metadata of a cell that shows a picture."""
    alt = str(cell.metadata.get("mystnb", {}).get("image", {}).get("alt", ""))
    if pictures == 0:
        if alt or figure(cell):
            yield "has figure metadata and shows no picture: remove metadata.mystnb"
        return
    if pictures > 1:
        yield f"shows {pictures} pictures: one a cell, each has its own caption and alt text"
    if len(alt.split()) < 5 or re.search(r"\.(png|jpe?g|svg)\b", alt):
        yield "metadata.mystnb.image.alt must say in words what the figure shows"
    if not str(figure(cell).get("caption", "")).strip():
        yield "metadata.mystnb.figure.caption is missing"
    if not re.fullmatch(r"fig-[a-z0-9-]+", str(figure(cell).get("name", ""))):
        yield "metadata.mystnb.figure.name must look like fig-learning-rates"


def exercise_problems(nb: Notebook) -> Iterator[str]:
    """Yield stubs without check or solution, and solutions without check or stub."""
    stubs: dict[str, int] = {}
    solved: dict[str, int] = {}
    for index, cell in enumerate(nb.cells):
        if "exercise" in tags(cell):
            stubs |= dict.fromkeys(checked(cell), index)
            if CHECK.fullmatch(last_statement(cell)) is None:
                yield f"{label(nb, cell)}: the last line of a stub is: check.<exercise>(…)"
        if "solution" in tags(cell):
            solved |= dict.fromkeys(checked(cell), index)
            if not cell.source.startswith("# @title Solution"):
                yield f"{label(nb, cell)}: the first line of a solution is: # @title Solution"
            if not checked(cell):
                yield f"{label(nb, cell)}: the solution must call check.<exercise>(…)"
    for name, index in stubs.items():
        if solved.get(name, -1) < index:
            yield f"{label(nb, nb.cells[index])}: no solution cell after it checks {name}"
    for name, index in solved.items():
        if name not in stubs:
            yield f"{label(nb, nb.cells[index])}: no stub (tag exercise) checks {name}"


def hidden_names(nb: Notebook) -> Iterator[str]:
    """Yield what a cell takes from a folded solution: who solves alone does not have it."""
    open_names: set[str] = set()
    folded: set[str] = set()
    for cell in code_cells(nb):
        bound, used = bindings(cell)
        if "solution" in tags(cell):
            folded |= bound
            continue
        for name in sorted((used - bound) & (folded - open_names)):
            yield f"{label(nb, cell)}: {name!r} is made in a solution only: make it in a cell"
        open_names |= bound


def lost_links(nb: Notebook) -> Iterator[str]:
    """Yield links to a heading of the same notebook that would not work everywhere.

    JupyterLab names a heading by its text, with hyphens for spaces; Colab needs an anchor.
    The book makes both lower case, and its build refuses what it does not find.
    """
    texts = [cell for cell in nb.cells if cell.cell_type == "markdown"]
    whole = "\n".join(cell.source for cell in texts)
    headings = {heading.replace(" ", "-") for heading in HEADING.findall(whole)}
    for cell in texts:
        for target in LOCAL_LINK.findall(cell.source):
            if target not in headings:
                yield f"{label(nb, cell)}: no heading #{target}: write it as the heading, A-heading"
            elif f'<a name="{target}"></a>' not in whole:
                yield f'{label(nb, cell)}: for Colab, put <a name="{target}"></a> below the heading'


def bindings(cell: Cell) -> tuple[set[str], set[str]]:
    """Return the names that a cell binds, in its functions too, and those that it reads."""
    bound: set[str] = set()
    used: set[str] = set()
    try:
        tree = ast.parse(cell.source)
    except SyntaxError:
        return bound, used
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).split(".")[0])
    return bound, used


def checked(cell: Cell) -> list[str]:
    """Return what a cell has checked: "slope" for check.slope(…), "lab.step" for a step."""
    try:
        nodes = list(ast.walk(ast.parse(cell.source)))
    except SyntaxError:
        return []
    found: list[str] = []
    for node in nodes:
        if isinstance(node, ast.Call) and CHECK.fullmatch(ast.unparse(node)):
            name = ast.unparse(node.func).removeprefix("check.")
            found += [f"{name}.{step.arg}" for step in node.keywords] or [name]
    return found


def last_statement(cell: Cell) -> str:
    """Return the last statement of a cell, '' if there is none or the code is no Python."""
    try:
        return ast.unparse(ast.parse(cell.source).body[-1:])
    except SyntaxError:
        return ""


def code_cells(nb: Notebook) -> list[Cell]:
    """Return the code cells."""
    return [cell for cell in nb.cells if cell.cell_type == "code"]


def tags(cell: Cell) -> list[str]:
    """Return the tags of a cell."""
    return list(cell.metadata.get("tags", []))


def figure(cell: Cell) -> dict[str, Any]:
    """Return the figure metadata of a cell: caption and name."""
    return dict(cell.metadata.get("mystnb", {}).get("figure", {}))


def label(nb: Notebook, cell: Cell) -> str:
    """Return how a message names a cell: its number in the notebook, its id, its start."""
    start = cell.source.strip().split("\n")[0][:50]
    return f"cell {nb.cells.index(cell) + 1} ({cell.get('id', 'no id')}: {start!r})"


# ---- command line ----------------------------------------------------------------


def run(path: Path, check: bool) -> list[str]:
    """Execute, normalise and write one notebook, or only check it; return the problems.

    The file is replaced in one step, and only after everything ran: a failure leaves it
    as it was.
    """
    nb = normalise(read(path))
    if check:
        text = dumps(nb)
        stale = text != path.read_text("utf8")
        return [*problems(nb), *["not normalised: run make notebooks"] * stale]
    seconds, disagreements = execute(nb, path.parent)
    bare = [
        cell.source for cell in code_cells(nb) if cell.outputs and not static_outputs(cell.outputs)
    ]
    nb = normalise(nb)
    text = dumps(nb)
    spare = path.with_suffix(".ipynb.new")
    try:
        spare.write_text(text, "utf8")
        os.replace(spare, path)
    finally:
        spare.unlink(missing_ok=True)
    print(f"{path.name}: {len(code_cells(nb))} cells, {seconds:.1f} s, {len(text) / 1e6:.2f} MB")
    slow = f"took {seconds:.0f} s, over {MAX_SECONDS:.0f}: make the experiments smaller"
    found = [*problems(nb), *disagreements, *[slow] * (seconds > MAX_SECONDS)]
    for cell in code_cells(nb):
        if cell.source in bare:
            found.append(f"{label(nb, cell)}: shows only a widget, so nothing without a kernel")
    return found


def find(names: list[str], folder: Path) -> list[Path]:
    """Return the notebooks to work on: those named, or all of ``folder``.

    Raises
    ------
    ValueError
        If a name fits no notebook, or there are none.
    """
    there = {path.stem: path for path in sorted(folder.glob("*.ipynb"))}
    wanted = [Path(name).stem for name in names] or list(there)
    if unknown := sorted(set(wanted) - set(there)):
        raise ValueError(f"no notebook {', '.join(unknown)}: there is {', '.join(there)}")
    if not wanted:
        raise ValueError(f"no notebook in {folder.name}/")
    return [there[name] for name in wanted]


def main(arguments: list[str], folder: Path = FOLDER) -> int:
    """Run the command line; return the exit status: 0 only if there is no problem."""
    parser = argparse.ArgumentParser(description="Execute and normalise the chapters.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as 01_gradients")
    parser.add_argument("--check", action="store_true", help="execute and write nothing")
    options = parser.parse_args(arguments)
    try:
        paths = find(options.names, folder)
    except ValueError as error:
        parser.error(str(error))
    count = 0
    for path in paths:
        try:
            found = run(path, options.check)
        except ValueError as error:
            found = [f"{error}\n  The file is untouched."]
        count += len(found)
        for text in found:
            print(f"{path.name}: {text}", file=sys.stderr)
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
