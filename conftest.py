"""Make nbval strict, for every way in which pytest is started in this repository.

It lies at the root because pytest loads only the conftest files above what it is asked
to run: one in ``tests/`` would not see ``pytest --nbval notebooks``. Without it, pytest
stops at the option ``unchecked_cells`` in pyproject.toml, which only it knows.
What is compared, and how closely, is in ``tests/strict.py``.

With ``--changed FILE``, what differs from the stored outputs is no failure but a line of a
report, for versions of the libraries that the outputs were not made with.
"""

import re
import shutil
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import changed
import nbformat
import pytest
import strict
from nbval.plugin import IPyNbCell, IPyNbFile

from tools import notebooks, numbers_in_text

Unchecked = dict[tuple[str, str], str]
UNCHECKED = pytest.StashKey[Unchecked]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the list of the cells whose outputs are not compared, and the report."""
    parser.addoption(
        "--changed",
        type=Path,
        metavar="FILE",
        help="write which outputs of notebooks changed to FILE (Markdown) instead of failing",
    )
    parser.addini(
        "unchecked_cells",
        type="linelist",
        help="cells whose output is not compared, one a line: NOTEBOOK#CELL-ID: reason",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Read the list of unchecked cells."""
    unchecked: Unchecked = {}
    for line in config.getini("unchecked_cells"):
        where, _, reason = line.partition(":")
        notebook, _, cell = where.partition("#")
        if not (cell.strip() and reason.strip()):
            raise pytest.UsageError(f"unchecked_cells: {line!r} is not NOTEBOOK#CELL-ID: reason")
        unchecked[notebook.strip(), cell.strip()] = reason.strip()
    config.stash[UNCHECKED] = unchecked


# One worker would still be busy with these files when the others are done. What their tests
# share belongs to a page or an explorer: the last of their parameters.
LONGEST = ("tests/test_book.py", "tests/test_explorers.py")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give a worker a file at a time, of the longest files a page or an explorer at a time."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file, _, test = nodeid.partition("::")
            return f"{file}[{re.split('[-[]', test)[-1]}" if file in LONGEST else file

    return ByFile(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Generator[None, Any, Any]:
    """Put a strict notebook in the place of each that nbval collects."""
    collected = yield
    return [
        StrictNotebook.from_parent(parent, path=file_path) if isinstance(node, IPyNbFile) else node
        for node in collected
    ]


class StrictNotebook(IPyNbFile):
    """A notebook whose cells are compared strictly."""

    def collect(self) -> Iterator[IPyNbCell]:
        """Yield the cells, and the numbers that their metadata declares.

        An entry in unchecked_cells that is not needed is an error.
        """
        asked = set()
        for cell in super().collect():
            name = (self.path.stem, cell.cell.get("id", ""))
            asked |= {name} if strict.opts_out(cell.cell) else set()
            yield StrictCell.from_parent(
                self,
                name=f"{cell.name} ({name[1]})",
                cell_num=cell.cell_num,
                cell=cell.cell,
                options=cell.options,
            )
        unchecked = self.config.stash[UNCHECKED]
        if stale := {name for name in unchecked if name[0] == self.path.stem} - asked:
            entries = ", ".join("#".join(name) for name in sorted(stale))
            raise self.CollectError(f"unchecked_cells: no cell asks for {entries}: remove it")
        for cell, written, code in numbers_in_text.to_evaluate(self.nb):
            yield DeclaredNumber.from_parent(
                self,
                name=f"Number {written} ({cell.get('id', '')})",
                cell_num=self.nb.cells.index(cell),
                cell=nbformat.v4.new_code_cell(code),
                options={"check": False, "check_exception": True, "skip": False},
            )

    @property
    def differences(self) -> Path:
        """Return the folder for pictures of what differs, the same in every run."""
        return self.config.rootpath / "_build" / "differences" / self.path.stem

    def setup(self) -> None:
        """Start the kernel, and run cells as JupyterLab does, where a final ; counts."""
        shutil.rmtree(self.differences, ignore_errors=True)
        super().setup()
        kernel = self.kernel
        kernel.execute_cell_input = lambda source, allow_stdin=None: kernel.kc.execute(
            source, allow_stdin=allow_stdin, stop_on_error=False
        )


class StrictCell(IPyNbCell):
    """A cell whose every output is compared, unless unchecked_cells gives a reason."""

    saved: Sequence[str] = ()  # paths of the pictures of what differs

    def runtest(self) -> None:
        """Run the cell; fail on what nbval lets pass."""
        self.faults = strict.cell_faults(self.cell)
        name = (self.parent.path.stem, self.cell.get("id", ""))
        reason = self.config.stash[UNCHECKED].get(name, "")
        if strict.opts_out(self.cell) and not reason:
            self.faults.append(f"{'#'.join(name)} opts out and is not in unchecked_cells")
        if not reason:
            self.options.update(check=True, skip=False)
        pictures = sum("image/png" in out.get("data", {}) for out in self.cell.outputs)
        unchecked = reason and f"{'#'.join(name)}: {reason}"
        self.user_properties.append(("notebook cell", [pictures, unchecked]))
        if self.options["skip"]:
            pytest.skip(reason)
        super().runtest()
        if reason:
            self.faults += strict.on_stderr(self.test_outputs)
        if self.faults:
            self.raise_cell_error("\n".join(self.faults))

    def compare_outputs(self, test: Any, ref: Any, skip_compare: Any = None) -> bool:
        """Compare the outputs; nbval calls this and shows ``comparison_traceback``."""
        found = list(strict.compare(ref, test))
        self.saved = [
            self.save(difference.pictures, number)
            for number, difference in enumerate(found, 1)
            if difference.pictures
        ]
        texts = [difference.text for difference in found]
        if found and self.config.option.changed:
            self.user_properties.append((changed.KEY, changed.difference(self, texts, self.saved)))
            return True
        self.comparison_traceback = self.faults + texts
        return not found

    def save(self, pictures: tuple[str, str], number: int) -> str:
        """Write stored and new picture and their difference side by side; return where."""
        folder = self.parent.differences
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.cell.get('id', self.cell_num)}-{number}.png"
        strict.side_by_side(*map(strict.pixels, pictures)).save(path)
        return str(path.relative_to(self.config.rootpath))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> str:
        """Return what nbval says, and at its end where to look."""
        lines = [super().repr_failure(excinfo)]
        lines += [f"stored | new | difference: {path}" for path in self.saved]
        return "\n".join(lines)


class DeclaredNumber(IPyNbCell):
    """A number in the text compared with what the expression in its cell's metadata gives."""

    def runtest(self) -> None:
        """Evaluate the expression in the chapter's kernel, after its last cell."""
        super().runtest()
        written = self.name.split()[1]
        if fault := numbers_in_text.disagreement(written, self.test_outputs):
            where = notebooks.label(self.parent.nb, self.parent.nb.cells[self.cell_num])
            if not self.config.option.changed:
                self.raise_cell_error(f"{where}: {fault}")
            entry = changed.difference(self, [f"{where}: {fault}"])
            self.user_properties.append((changed.KEY, entry))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much of the notebooks was compared, and what was not and why."""
    compared = pictures = 0
    unchecked = []
    differences = []
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") != "call":
                continue
            for key, value in report.user_properties:
                if key == "notebook cell" and value[1]:
                    unchecked.append(value[1])
                elif key == "notebook cell":
                    compared, pictures = compared + 1, pictures + value[0]
                elif key == changed.KEY:
                    differences.append(value)
    if compared or unchecked:
        terminalreporter.section("notebooks")
        terminalreporter.line(f"{compared} cells compared, {pictures} pictures among their outputs")
        terminalreporter.line(f"{len(unchecked)} cells not compared")
        for line in unchecked:
            terminalreporter.line(f"  {line}")
    if file := terminalreporter.config.option.changed:
        failed = [
            (report.nodeid, report.longreprtext)
            for outcome in ("failed", "error")
            for report in terminalreporter.getreports(outcome)
        ]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(changed.report(differences, failed, compared), "utf8")
        terminalreporter.line(f"{len(differences)} changed: {file}")
