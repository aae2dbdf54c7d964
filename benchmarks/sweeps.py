"""Thirty runs on digits, at once and in turn."""

import statistics
import time

import pandas as pd
import torch
from torch import nn

from benchmarks.workloads import mlp
from dlnotes.data import Splits, digits
from dlnotes.runtime import seed_everything
from dlnotes.scratch.optimizers import momentum
from dlnotes.training import Batches, fit, sweep

RATES, SEEDS, EPOCHS = (0.003, 0.01, 0.02, 0.05, 0.1, 0.2), range(5), 5


def together(splits: Splits) -> pd.DataFrame:
    """Train 6 learning rates × 5 seeds with `sweep`."""
    return sweep(
        *(lambda: mlp(64, 128, 10), splits.train, splits.val),
        loss=nn.CrossEntropyLoss(),
        optimizer=momentum,
        grid={"lr": RATES},
        seeds=SEEDS,
        epochs=EPOCHS,
        device="cpu",
        progress=False,
    )


def in_turn(splits: Splits) -> list[float]:
    """Train them one by one with `fit` and the fused optimizer; return their last losses."""
    losses = []
    for rate in RATES:
        for seed in SEEDS:
            seed_everything(seed)
            network = mlp(64, 128, 10)
            history = fit(
                *(network, Batches(*splits.train, 32, seed=seed), splits.val),
                loss=nn.CrossEntropyLoss(),
                optimizer=torch.optim.SGD(network.parameters(), rate, momentum=0.9, fused=True),
                epochs=EPOCHS,
                device="cpu",
                progress=False,
            )
            losses.append(history.rows[-1]["val_loss"])
    return losses


def measure_sweep(repeats: int) -> dict[str, float]:
    """Return how many times faster the runs are together, and how far results differ."""
    ratios, seconds, difference, splits = [], [], 0.0, digits()
    for turn in range(-1, repeats):  # the first round warms up
        started = time.perf_counter()
        frame = together(splits)
        between = time.perf_counter()
        losses = in_turn(splits)
        ended = time.perf_counter()
        if turn >= 0:
            ratios.append((ended - between) / (between - started))
            seconds.append(between - started)
        last = frame[frame["epoch"] == EPOCHS]["val_loss"].tolist()
        difference = max(abs(a - b) / b for a, b in zip(last, losses, strict=True))
    return {
        "runs": len(losses),
        "faster": statistics.median(ratios),
        "seconds": statistics.median(seconds),
        "largest_relative_difference": difference,
    }
