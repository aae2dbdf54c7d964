"""What the architectures of the gallery cost to train: ``python -m benchmarks.architectures``.

Models, data and training are those of chapter 12: the cells that define them are taken
from its three notebooks and run. Nothing is defined a second time, so a chapter that changes
is measured as it then is. Written are ``architectures.json`` and the table in the book's
page; it takes a few minutes, and needs nothing but dlnotes.
"""

import argparse
import contextlib
import io
import json
import platform
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks import report
from benchmarks.turns import take_turns

HERE = Path(__file__).parent
RESULTS = HERE / "architectures.json"
PAGE = HERE.parent / "book" / "performance.md"
NOTEBOOKS = HERE.parent / "notebooks"

# The cells that define what is trained, by their ids, in the order of the chapter.
IMAGES = (
    *("imports", "connected-code", "cnn-code", "contest-code"),
    *("depth-code", "growth-code", "clip-code"),
)
GENERATORS = ("imports", "digits-code", "autoencoder-code", "gan-code", "gan-loop")
SEQUENCES = (
    *("imports", "reader-code", "adding-code", "adding-network", "adding-training"),
    *("digits-code", "block-code", "names-code", "ngrams-code", "models-code"),
)
# The rates that the first two parts' tables have found; `tests/test_benchmarks.py` makes sure.
RATES = {
    "50 units": 0.04,
    "CNN 8, 16": 0.02,
    "plain": 0.016,
    "skip, normalised": 0.016,
    "autoencoder": 0.01,
}


@dataclass(frozen=True)
class Entry:
    """A row of the table: `train` gets a seed and returns what was reached."""

    train: Callable[[int], float]
    parameters: int
    updates: int
    reached: str  # how to write it


@dataclass(frozen=True)
class Task:
    """Entries that are compared with one of them, the `base`."""

    title: str
    base: str
    entries: dict[str, Entry]


def chapter(notebook: str, cells: tuple[str, ...]) -> dict[str, Any]:
    """Run the cells of a notebook that have these ids; return the names that they define."""
    stored = json.loads((NOTEBOOKS / f"{notebook}.ipynb").read_text("utf-8"))["cells"]
    sources = {cell["id"]: "".join(cell["source"]) for cell in stored}
    if missing := [cell for cell in cells if cell not in sources]:
        raise ValueError(f"{notebook} has no cell {missing}: bring the list of cells up to date")
    names: dict[str, Any] = {"__name__": notebook}
    with contextlib.redirect_stdout(io.StringIO()):
        for cell in cells:
            exec(compile(sources[cell], f"{notebook}, {cell}", "exec"), names)
    return names


def size(*networks: nn.Module) -> int:
    """Return how many parameters these have together."""
    return sum(parameter.numel() for network in networks for parameter in network.parameters())


def images() -> list[Task]:
    """Return the networks of the first two parts, at the rates that the chapter has found."""
    c = chapter("12_architectures", IMAGES)
    g = chapter("12_generators", GENERATORS)

    def contest(name: str) -> Entry:
        def train(seed: int) -> float:
            return c["score"](c["networks"][name], RATES[name], "digits", seed)[0]

        return Entry(train, size(c["networks"][name]()), 153, "accuracy {:.2f}")

    def blocks(design: str) -> Entry:
        def train(seed: int) -> float:
            task = design, c["optimizers"].momentum, c["test"]
            return c["deep_scores"](*task, [RATES[design]], [seed]).median().item()

        return Entry(train, size(c["deep"](design)), 68, "accuracy {:.2f}")

    def reproduce(seed: int) -> float:
        def make() -> nn.Module:
            return g["autoencoder"](2)

        rates = [RATES["autoencoder"]]
        return g["autoencoder_errors"](make, g["test"][0], rates, [seed]).median().item()

    def play(seed: int) -> float:
        made, _, _ = g["play"](games=1, seed=seed)
        return g["modes_covered"](made[300]).item()

    players = [g["Players"](1, *sizes) for sizes in (g["GENERATOR"], g["JUDGE"])]
    return [
        Task(
            "digits and a ring of points",
            "50 units",
            {
                "50 units": contest("50 units"),
                "CNN 8, 16": contest("CNN 8, 16"),
                "20 blocks, plain": blocks("plain"),
                "20 blocks, skips, normalised": blocks("skip, normalised"),
                "autoencoder, code 2": Entry(
                    reproduce, size(g["autoencoder"](2)), 340, "error {:.2g}"
                ),
                "GAN, both players": Entry(play, size(*players), 300, "{:.0f} of 8 modes"),
            },
        )
    ]


def sequences() -> list[Task]:
    """Return the networks of the third part, at the rates that the chapter gives them."""
    c = chapter("12_sequences", SEQUENCES)

    def adder(kind: str, rate: float) -> Entry:
        cell = getattr(c["recurrent"], f"{kind}_cell")

        def train(seed: int) -> float:
            params = c["train_adders"](cell, 30, [rate], [seed])
            return c["test_adders"](cell, params, 30).item()

        parameters = sum(p.numel() for p in c["begin"](cell, [0]).values())
        return Entry(train, parameters, 500, "error {:.2g}")

    def reader(name: str) -> Entry:
        def train(seed: int) -> float:
            return c["accuracy"](c["train_digits"](c["makers"][name], seed), *c["test"])

        return Entry(train, size(c["makers"][name]()), 170, "accuracy {:.2f}")

    def writer(kind: str, *arguments: int) -> Entry:
        def make() -> nn.Module:
            return c[kind](len(c["letters"]) + 1, *arguments)

        def train(seed: int) -> float:
            model, (x, y) = c["train_letters"](make, 0.02, seed), c["asked"]
            with torch.no_grad():
                return c["nats"](model(x), y).item()

        return Entry(train, size(make()), 224, "{:.2f} nats")

    def ngrams(n: int) -> Entry:
        counts = c["counts_of"](c["learned_from"], n)
        stored = sum(len(followers) for followers in counts.values())
        return Entry(lambda _: c["table_score"](n)[0], stored, 0, "{:.2f} nats")

    return [
        Task(
            "adding problem, 30 steps",
            "RNN",
            {"RNN": adder("rnn", 0.02), "GRU": adder("gru", 0.04), "LSTM": adder("lstm", 0.04)},
        ),
        Task(
            "digits, row by row",
            "RNN",
            {name: reader(name) for name in ("RNN", "GRU", "LSTM", "64 units")},
        ),
        Task(
            "characters of names",
            "GRU",
            {
                "GRU": writer("NextLetter"),
                "Transformer": writer("Transformer", c["STEPS"]),
                "4-gram": ngrams(4),
                "6-gram": ngrams(6),
            },
        ),
    ]


def measure(task: Task, repeats: int) -> dict[str, Any]:
    """Return what the table shows of a task."""
    contenders = {name: entry.train for name, entry in task.entries.items()}
    runs, failed = take_turns(contenders, task.base, repeats)
    if failed:
        raise RuntimeError(f"{task.title}: {failed}")
    rows = {
        name: {
            "parameters": entry.parameters,
            "updates": entry.updates,
            "reached": entry.reached.format(statistics.median(runs[name].results)),
            "ratio": statistics.median(runs[name].ratios),
            "lowest": min(runs[name].ratios),
            "highest": max(runs[name].ratios),
            "seconds": statistics.median(runs[name].seconds),
        }
        for name, entry in task.entries.items()
    }
    return {"title": task.title, "base": task.base, "entries": rows}


def main() -> None:
    """Parse the command line and do what it says."""
    summary = __doc__.split("\n\n")[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.architectures", description=summary)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true", help="only rewrite the page from --out")
    parser.add_argument("--no-page", action="store_true", help="print the table, leave the page")
    options = parser.parse_args()
    if not options.table:
        tasks = []
        for part in (images, sequences):  # their cells set threads and precision
            for task in part():
                tasks.append(measure(task, options.repeats))
                print(task.title, "measured", flush=True)
        result = {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
            "repeats": options.repeats,
            "tasks": tasks,
        }
        options.out.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", "utf-8")
    table = report.architectures(json.loads(options.out.read_text("utf-8")))
    print(table)
    if not options.no_page:
        report.update(PAGE, report.ARCHITECTURES, table)


if __name__ == "__main__":
    main()
