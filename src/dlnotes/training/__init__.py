"""Training networks: one run (`fit`), many at once (`sweep`), and what comes out of them.

Chapters import from here. Behind it, ``loop`` is `fit`, and ``updates`` the step it makes;
``feeds`` and ``batches`` bring the data, ``place`` says where a run happens, ``forward`` runs
the network, ``means`` adds up an epoch, ``run`` keeps weights and ``checkpoints``;
``arguments`` and ``mismatches`` hold what is said about bad input; ``sweeps`` trains many runs
at once, as ``stacks``, with the rules of ``inplace``; ``evaluation`` and ``metrics`` judge;
``history`` is the record; ``checkups`` look at a network that does not learn.
"""

from dlnotes.training.batches import Batches
from dlnotes.training.checkups import Checkup, checkup
from dlnotes.training.evaluation import evaluate, predict
from dlnotes.training.history import History
from dlnotes.training.loop import fit
from dlnotes.training.run import DivergedError
from dlnotes.training.sweeps import sweep

__all__ = [
    "Batches",
    "Checkup",
    "DivergedError",
    "History",
    "checkup",
    "evaluate",
    "fit",
    "predict",
    "sweep",
]
