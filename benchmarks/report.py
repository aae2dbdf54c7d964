"""The book's table, written from a result and from nothing else."""

from pathlib import Path
from typing import Any

BEGIN = "<!-- begin: written by python -m benchmarks --table -->"
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


def update(page: Path, result: dict[str, Any]) -> None:
    """Write the table between the page's two marks."""
    text = page.read_text("utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"{page.name} must hold one line {BEGIN!r} and one line {END!r}")
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    page.write_text(f"{head}{BEGIN}\n\n{render(result)}\n\n{END}{tail}", "utf-8")
