"""Files written whole or not at all."""

import errno
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from dlnotes.training import checkpoints


def test_what_is_saved_is_loaded(tmp_path):
    state = {"weights": torch.arange(3.0), "rows": [{"epoch": 1}], "none": None, "pair": (1, "a")}
    checkpoints.save(tmp_path / "a.pt", state)
    loaded = checkpoints.load(tmp_path / "a.pt")
    assert torch.equal(loaded.pop("weights"), state.pop("weights"))
    assert loaded == state
    assert os.listdir(tmp_path) == ["a.pt"]


def test_a_process_killed_while_it_writes_leaves_the_older_file_whole(tmp_path):
    path = tmp_path / "a.pt"
    checkpoints.save(path, {"epoch": 1})
    code = (
        "import os, signal, sys, torch\n"
        "from dlnotes.training import checkpoints\n"
        "os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)\n"
        "checkpoints.save(sys.argv[1], {'epoch': 2, 'weights': torch.zeros(100_000)})\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert sorted(os.listdir(tmp_path)) == ["a.pt", "a.pt.part"], "it died half-way"
    assert checkpoints.load(path) == {"epoch": 1}
    checkpoints.save(path, {"epoch": 3})
    assert checkpoints.load(path) == {"epoch": 3}
    assert os.listdir(tmp_path) == ["a.pt"], "the next write clears what was left"


FULL = """
import resource, sys, torch
from dlnotes.training import checkpoints
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))  # the kernel refuses to write more
try:
    checkpoints.save(sys.argv[1], {"weights": torch.zeros(100_000)})
except OSError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX resource limits")
def test_a_full_disk_is_reported_and_the_older_file_is_whole(tmp_path):
    path = tmp_path / "a.pt"
    checkpoints.save(path, {"epoch": 1})
    command = [sys.executable, "-c", FULL, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "cannot write the checkpoint" in done.stdout
    assert "the older checkpoint there is whole" in done.stdout
    assert os.listdir(tmp_path) == ["a.pt"]
    assert checkpoints.load(path) == {"epoch": 1}


def test_an_error_before_the_rename_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device\. Free some space"):
        checkpoints.save(tmp_path / "a.pt", {"epoch": 1})
    assert os.listdir(tmp_path) == []


class Malice:
    def __reduce__(self):
        return (Path.touch, (Path("ran"),))


def test_code_in_a_file_does_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"epoch": Malice()}, "a.pt")
    with pytest.raises(ValueError, match="not a checkpoint that can be read"):
        checkpoints.load("a.pt")
    assert os.listdir(tmp_path) == ["a.pt"]
    torch.save([1], "b.pt")
    with pytest.raises(ValueError, match="holds a list"):
        checkpoints.load("b.pt")
    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        checkpoints.load("c.pt")


def test_random_state_survives_the_file(tmp_path):
    checkpoints.save(tmp_path / "a.pt", checkpoints.random_state())

    def draw():
        return random.random(), np.random.rand(), np.random.randn(), torch.rand(()).item()  # noqa: NPY002

    first = draw()
    checkpoints.set_random_state(checkpoints.load(tmp_path / "a.pt"))
    assert draw() == first
