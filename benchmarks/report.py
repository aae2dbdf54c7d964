"""The book's tables, written from results and from nothing else."""

from pathlib import Path
from typing import Any

BEGIN = "<!-- begin: written by python -m benchmarks --table -->"
ARCHITECTURES = "<!-- begin: written by python -m benchmarks.architectures --table -->"
END = "<!-- end -->"


def render(result: dict[str, Any]) -> str:
    """Return the Markdown that `result` amounts to."""
    columns = result["workloads"]
    peers = list(dict.fromkeys(p for w in columns.values() for p in w["contenders"]))
    lines = [
        f"Time as a multiple of the hand loop (a): torch {result['torch']}, Python "
        f"{result['python']}, {result['threads']} threads, median of {result['repeats']} rounds "
        "in which all took turns, each beside a run of (a). Smaller is faster.",
        "",
        "| | " + " | ".join(columns) + " |",
        "|---|" + "---:|" * len(columns),
    ]
    for peer in peers:
        name = " ".join(filter(None, [peer, result["versions"].get(peer)]))
        cells = []
        for w in columns.values():
            row = w["contenders"].get(peer)
            cells.append("n/a" if row is None else f"{row['ratio']:.2f}")
        label = name.replace("fit", "**`fit`**", 1) if peer.startswith("fit") else name
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    lines += ["", *(f"- {name}: {w['title']}." for name, w in columns.items())]
    for peer, reason in result["left_out"].items():
        lines.append(f"- Left out: {peer} ({reason}).")
    if sweep := result.get("sweep"):
        lines += [
            "",
            f"A sweep of {sweep['runs']} runs on digits takes {sweep['seconds']:.1f} s; the same "
            f"runs through `fit`, one after the other, take {sweep['faster']:.1f} times as long. "
            "The last validation losses differ by at most "
            f"{sweep['largest_relative_difference']:.0e} of their value.",
        ]
    lines += [
        "",
        f"`import dlnotes` changes the time of `import torch` by {100 * result['import']:+.1f} %.",
    ]
    return "\n".join(lines)


def architectures(result: dict[str, Any]) -> str:
    """Return the Markdown of what the architectures cost."""
    lines = [
        f"Time as a multiple of the first network of each task: torch {result['torch']}, Python "
        f"{result['python']}, {result['threads']} thread, median of {result['repeats']} rounds "
        "in which all took turns, each beside a run of the first, and in brackets the lowest and "
        "the highest. Reached: the median of the rounds, each with a seed of its own.",
        "",
        "| task | network | parameters | updates | reached | time | seconds |",
        "|---|---|---:|---:|---|---:|---:|",
    ]
    for task in result["tasks"]:
        title = task["title"]
        for name, row in task["entries"].items():
            spread = f" ({row['lowest']:.2f} to {row['highest']:.2f})"
            cells = [title, name, row["parameters"], row["updates"] or "none", row["reached"]]
            cells += [f"{row['ratio']:.2f}{spread if name != task['base'] else ''}"]
            lines.append(f"| {' | '.join(map(str, cells))} | {row['seconds']:.2g} |")
            title = ""
    return "\n".join(lines)


def update(page: Path, begin: str, table: str) -> None:
    """Write a table between its mark `begin` and the next end mark of the page."""
    text = page.read_text("utf-8")
    if text.count(begin) != 1 or END not in text.split(begin)[1]:
        raise ValueError(f"{page.name} must hold one line {begin!r} and after it a line {END!r}")
    head, rest = text.split(begin)
    tail = rest.split(END, 1)[1]
    page.write_text(f"{head}{begin}\n\n{table}\n\n{END}{tail}", "utf-8")
