"""The record of a run."""

import matplotlib as mpl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlnotes.training import History

mpl.use("Agg")
number = st.floats(allow_nan=True, allow_infinity=True)


def rows(n=3):
    return [
        {"epoch": k, "step": 4 * k, "train_loss": 1 / k, "val_loss": 0.1 + (k - 2) ** 2, "lr": 0.1}
        | {"grad_norm": 1.0 * k, "seconds": 0.5}
        for k in range(1, n + 1)
    ]


@settings(max_examples=50)
@given(st.lists(st.tuples(number, number), max_size=5))
def test_csv_gives_every_number_back(tmp_path_factory, values):
    history = History(
        {"epoch": k, "train_loss": a, "val_loss": b} for k, (a, b) in enumerate(values, 1)
    )
    path = tmp_path_factory.mktemp("csv") / "history.csv"
    history.to_csv(path)
    assert History.from_csv(path) == history


def test_equality_leaves_seconds_aside_and_nothing_else():
    for column in rows()[0]:
        other = rows()
        other[1][column] += 1
        assert (History(other) == History(rows())) is (column == "seconds"), column
    assert History(rows(2)) != History(rows(3))
    fewer = [{k: v for k, v in row.items() if k != "val_loss"} for row in rows()]
    assert History(fewer) != History(rows())
    assert History([]) != []


def test_frame_best_and_repr():
    history = History(rows())
    assert history.frame["step"].tolist() == [4, 8, 12]
    assert (history.monitor, history.best_epoch, len(history)) == ("val_loss", 2, 3)
    assert repr(history) == "History(3 epochs, finished; train_loss 0.3333, val_loss 1.1)"
    assert (repr(History()), History().best_epoch) == ("History(0 epochs)", 0)
    assert History().monitor == "train_loss"
    fewer = [{"epoch": 1, "train_loss": 2.0}, {"epoch": 2, "train_loss": 2.0}]
    assert History(fewer).best_epoch == 1, "the first of equals"


def test_plot_draws_the_numbers_on_the_axes_given():
    import matplotlib.pyplot as plt

    ax = plt.subplots()[1]
    assert History(rows()).plot(ax=ax) is ax
    lines = {line.get_label(): line.get_ydata().tolist() for line in ax.lines}
    assert lines == {"training loss": [1, 0.5, 1 / 3], "validation loss": [1.1, 0.1, 1.1]}
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss")
    ax = History(rows()).plot(["grad_norm"])
    assert ax.lines[0].get_ydata().tolist() == [1, 2, 3]
    assert ax.get_ylabel() == "grad norm"
    assert History(rows()).plot(["lr", "grad_norm"]).get_ylabel() == ""
    plt.close("all")


def test_what_cannot_be_plotted_or_read_is_refused(tmp_path):
    with pytest.raises(ValueError, match="nothing to plot"):
        History().plot()
    with pytest.raises(ValueError, match=r"no column \['acc'\]: choose from"):
        History(rows()).plot(["acc"])
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="no epoch column"):
        History.from_csv(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_text("epoch,train_loss\n1,hello\n")
    with pytest.raises(
        ValueError, match="not a history: could not convert string to float: 'hello'"
    ):
        History.from_csv(tmp_path / "b.csv")
