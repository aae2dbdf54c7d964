"""Measure, write the result, and put its table into the book's page.

``python -m benchmarks`` takes a few minutes; ``--help`` lists what can be left out.
"""

import argparse
import importlib.metadata
import json
import platform
import statistics
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks import report
from benchmarks.contenders import CONTENDERS, PACKAGES, quiet
from benchmarks.sweeps import measure_sweep
from benchmarks.turns import take_turns
from benchmarks.workloads import Workload, workloads

BASE = "hand loop (a)"
HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
PAGE = HERE.parent / "book" / "performance.md"


def installed(peers: list[str]) -> tuple[list[str], dict[str, str], dict[str, str]]:
    """Return the contenders that can run, their versions, and why the others cannot."""
    able, versions, left_out = [], {}, {}
    for peer in peers:
        if package := PACKAGES.get(peer):
            try:
                versions[peer] = importlib.metadata.version(package)
            except importlib.metadata.PackageNotFoundError:
                left_out[peer] = "not installed: pip install -e '.[bench]' -c constraints.txt"
                continue
        able.append(peer)
    return able, versions, left_out


def measure(w: Workload, peers: list[str], repeats: int) -> tuple[dict[str, Any], dict[str, str]]:
    """Return ratio, seconds and loss of every contender, and why the others are left out."""
    in_order = [peer for peer in CONTENDERS if peer in peers]
    contenders = {peer: partial(_once, peer, w) for peer in in_order}
    runs, failed = take_turns(contenders, BASE, repeats)
    found = {
        peer: {
            "ratio": statistics.median(of.ratios),
            "seconds": statistics.median(of.seconds),
            "val_loss": of.results[-1],
        }
        for peer, of in runs.items()
    }
    return found, failed


def _once(peer: str, w: Workload, _seed: int) -> float:
    return CONTENDERS[peer](w)


def measure_import(repeats: int) -> float:
    """Return how much longer ``import torch, dlnotes`` takes than ``import torch``, as a share."""
    ratios = []
    for _ in range(repeats):
        times = []
        for code in ("import torch", "import torch, dlnotes"):
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            times.append(time.perf_counter() - started)
        ratios.append(times[1] / times[0] - 1)
    return statistics.median(ratios)


def main() -> None:
    """Parse the command line and do what it says."""
    names = list(workloads())
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--peers", nargs="*", choices=list(CONTENDERS), default=list(CONTENDERS))
    parser.add_argument("--workloads", nargs="*", choices=names, default=names)
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-sweep", action="store_true", help="leave the sweep out")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true", help="only rewrite the page from --out")
    parser.add_argument("--no-page", action="store_true", help="leave the page as it is")
    options = parser.parse_args()
    if not options.table:
        quiet()
        torch.set_num_threads(options.threads)
        peers = list(dict.fromkeys([BASE, *options.peers]))
        able, versions, left_out = installed(peers)
        result: dict[str, Any] = {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "threads": options.threads,
            "repeats": options.repeats,
            "versions": versions,
            "workloads": {},
        }
        for name in options.workloads:
            w = workloads()[name]
            found, failed = measure(w, able, options.repeats)
            result["workloads"][name] = {"title": w.title, "contenders": found}
            left_out |= {f"{peer} on {name}": reason for peer, reason in failed.items()}
            print(name, {peer: round(row["ratio"], 2) for peer, row in found.items()}, flush=True)
        if not options.no_sweep:
            result["sweep"] = measure_sweep(max(1, options.repeats // 2))
            print("sweep", {k: round(v, 3) for k, v in result["sweep"].items()}, flush=True)
        result["import"] = measure_import(options.repeats)
        result["left_out"] = left_out
        for peer, reason in left_out.items():
            print(f"left out: {peer}: {reason}")
        options.out.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", "utf-8")
    if not options.no_page:
        table = report.render(json.loads(options.out.read_text("utf-8")))
        report.update(PAGE, report.BEGIN, table)


if __name__ == "__main__":
    main()
