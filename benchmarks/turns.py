"""Contenders in turn, each beside a run of the one that they are measured against."""

import gc
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch


@dataclass
class Runs:
    """One entry for each counted run of a contender."""

    seconds: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)  # to the base, run right before or after
    results: list[float] = field(default_factory=list)


def take_turns(
    contenders: Mapping[str, Callable[[int], float]], base: str, repeats: int
) -> tuple[dict[str, Runs], dict[str, str]]:
    """Run every contender `repeats` times in turn, in a new order each round.

    Each run has one of the base right before or after it, and the ratio is that of the
    two: a machine that is slow for some seconds is slow for both. A contender gets the
    number of the round, from 1, as seed, and returns what it reached.

    Returns
    -------
    runs : dict of str to Runs
        In the order of `contenders`.
    failed : dict of str to str
        Those that raised, with the error, and are not in `runs`. The base must not.
    """
    runs = {name: Runs() for name in contenders}
    failed: dict[str, str] = {}
    order, shuffler = list(contenders), random.Random(0)
    for turn in range(repeats + 1):  # the first round warms up and is not counted
        shuffler.shuffle(order)
        for contender in [name for name in order if name not in failed]:
            seconds: dict[str, float] = {}
            reached: dict[str, float] = {}
            pair = sorted({base, contender})
            shuffler.shuffle(pair)
            for name in pair:
                torch.manual_seed(turn)
                gc.collect()
                started = time.perf_counter()
                try:
                    reached[name] = contenders[name](turn)
                except Exception as error:
                    if name == base:
                        raise
                    failed[name] = f"{type(error).__name__}: {str(error).splitlines()[0][:120]}"
                    break
                seconds[name] = time.perf_counter() - started
            if turn > 0 and contender not in failed:
                runs[contender].seconds.append(seconds[contender])
                runs[contender].ratios.append(seconds[contender] / seconds[base])
                runs[contender].results.append(reached[contender])
    return {name: of for name, of in runs.items() if name not in failed}, failed
