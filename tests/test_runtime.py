"""Devices, seeds, precision; starting costs."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from dlnotes import runtime


@pytest.fixture
def nothing_here(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.xpu, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    return monkeypatch


def test_the_best_device_wins(nothing_here):
    assert runtime.pick_device().type == "cpu"
    for module, name in ((torch.backends.mps, "mps"), (torch.xpu, "xpu"), (torch.cuda, "cuda")):
        nothing_here.setattr(module, "is_available", lambda: True)
        assert runtime.pick_device().type == name


def test_one_seed_for_all_generators():
    import random

    def draw():
        return random.random(), np.random.rand(), torch.rand(()).item()  # noqa: NPY002

    runtime.seed_everything(7)
    first = draw()
    assert draw() != first
    runtime.seed_everything(np.int64(7))
    assert draw() == first
    runtime.seed_everything(8)
    assert draw() != first


@pytest.mark.parametrize(
    ("seed", "error"), [(1.5, TypeError), (True, TypeError), (-1, ValueError), (2**32, ValueError)]
)
def test_bad_seeds_are_refused(seed, error):
    with pytest.raises(error, match="seed must be"):
        runtime.seed_everything(seed)


def test_tf32_is_switched_for_products_and_convolutions():
    before = torch.backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()
    try:
        for enabled, precision in ((True, "high"), (False, "highest")):
            runtime.set_tf32(enabled)
            assert torch.backends.cudnn.allow_tf32 is enabled
            assert torch.get_float32_matmul_precision() == precision
    finally:
        torch.backends.cudnn.allow_tf32 = before[0]
        torch.set_float32_matmul_precision(before[1])


HEAVY = ("matplotlib", "pandas", "sklearn", "scipy", "tqdm", "ipywidgets", "anywidget")


@pytest.mark.parametrize("module", ["training", "data", "phones", "runtime"])
def test_heavy_libraries_are_imported_where_they_are_used(module):
    code = (
        "import sys, torch\nbefore = set(sys.modules)\n"
        f"import dlnotes.{module}\n"
        f"print(sorted(set(sys.modules) - before & set({HEAVY}) & set({HEAVY})))\n"
        f"assert not (set(sys.modules) - before) & set({HEAVY})\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
