"""Training networks: one run (`fit`), many at once (`sweep`), and what comes out of them.

Chapters import from here; each room beside this file holds one thing and says so.
"""

from dlnotes.training.batches import Batches
from dlnotes.training.evaluation import evaluate, predict
from dlnotes.training.history import History
from dlnotes.training.loop import fit
from dlnotes.training.run import DivergedError
from dlnotes.training.sweeps import sweep

__all__ = ["Batches", "DivergedError", "History", "evaluate", "fit", "predict", "sweep"]
