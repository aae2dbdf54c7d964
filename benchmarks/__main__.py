"""Measure, write the result, and put its table into the book's page.

``python -m benchmarks`` takes a few minutes; ``--help`` lists what can be left out.
"""

import argparse
import gc
import importlib.metadata
import json
import platform
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks import report
from benchmarks.contenders import CONTENDERS, PACKAGES, quiet
from benchmarks.sweeps import measure_sweep
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
    """Run every contender `repeats` times in turn, in a new order each round.

    Each run has one of the hand loop right before or after it, and the ratio is that of
    the two: a machine that is slow for some seconds is slow for both.
    """
    times: dict[str, list[float]] = {peer: [] for peer in peers}
    ratios: dict[str, list[float]] = {peer: [] for peer in peers}
    losses: dict[str, float] = {}
    failed: dict[str, str] = {}
    shuffler = random.Random(0)
    for turn in range(-1, repeats):  # the first round warms up and is not counted
        shuffler.shuffle(peers)
        for peer in [p for p in peers if p not in failed]:
            seconds: dict[str, float] = {}
            pair = sorted({BASE, peer})
            shuffler.shuffle(pair)
            for name in pair:
                torch.manual_seed(turn + 1)
                gc.collect()
                started = time.perf_counter()
                try:
                    losses[name] = CONTENDERS[name](w)
                except Exception as error:
                    if name == BASE:
                        raise
                    failed[name] = f"{type(error).__name__}: {str(error).splitlines()[0][:120]}"
                    break
                seconds[name] = time.perf_counter() - started
            if turn >= 0 and peer not in failed:
                times[peer].append(seconds[peer])
                ratios[peer].append(seconds[peer] / seconds[BASE])
    found = {
        peer: {
            "ratio": statistics.median(ratios[peer]),
            "seconds": statistics.median(times[peer]),
            "val_loss": losses[peer],
        }
        for peer in CONTENDERS
        if peer in times and peer not in failed
    }
    return found, failed


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
            found, failed = measure(w, able.copy(), options.repeats)
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
        report.update(PAGE, json.loads(options.out.read_text("utf-8")))


if __name__ == "__main__":
    main()
