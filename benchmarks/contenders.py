"""Whole training runs, each with validation every epoch, returning the last validation loss.

What helps a contender is given to it: the fused optimizer wherever a library lets the
optimizer in, validation in one batch, progress bars, loggers and checkpoints off. `fit`
runs as a reader would run it: history, gradient norm and progress bar on.
"""

import contextlib
import io
import logging
import os
import warnings
from typing import Any

import torch
from torch import nn

from benchmarks.workloads import Workload
from dlnotes.training import fit


def ours(w: Workload, metrics: Any = ()) -> float:
    """Run `dlnotes.training.fit` with validation, history, gradient norm and progress bar."""
    network = w.network()
    with contextlib.redirect_stderr(io.StringIO()):  # the bar is drawn, but not on the terminal
        history = fit(
            *(network, w.train, w.val),
            loss=w.loss,
            optimizer=w.optimizer(network.parameters()),
            epochs=w.epochs,
            batch_size=w.batch_size,
            metrics=metrics,
            device="cpu",
            progress=True,
        )
    return history.rows[-1]["val_loss"]


def scored(w: Workload) -> float:
    """Run the same with the accuracy of every batch, or its mean absolute error."""
    return ours(w, "accuracy" if isinstance(w.loss, nn.CrossEntropyLoss) else "mae")


def hand(w: Workload) -> float:
    """Run (a), the fastest loop by hand that we know with public torch only."""
    network = w.network()
    optimizer = w.optimizer(network.parameters())
    (x, y), (x_val, y_val) = w.train, w.val
    for _ in range(w.epochs):
        order = torch.randperm(len(x))
        xs, ys = x.index_select(0, order), y.index_select(0, order)
        total = torch.zeros(())
        parts = zip(xs.split(w.batch_size), ys.split(w.batch_size), strict=True)
        for xb, yb in parts:
            loss = w.loss(network(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total.add_(loss.detach(), alpha=len(xb))
        (total / len(x)).item()
        with torch.inference_mode():
            val_loss = w.loss(network(x_val), y_val).item()
    return val_loss


def textbook(w: Workload) -> float:
    """Run (b), the loop of most tutorials: DataLoader, default optimizer, item() each batch.

    Its validation batches are as large as its training batches, as in PyTorch's own
    `quickstart <https://docs.pytorch.org/tutorials/beginner/basics/quickstart_tutorial.html>`_.
    """
    network = w.network()
    optimizer = w.optimizer(network.parameters(), fused=False)
    train, val = w.loaders(w.batch_size)
    for _ in range(w.epochs):
        network.train()
        total = 0.0
        for xb, yb in train:
            optimizer.zero_grad()
            loss = w.loss(network(xb), yb)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(xb)
        network.eval()
        val_total = 0.0
        with torch.no_grad():
            for xb, yb in val:
                val_total += w.loss(network(xb), yb).item() * len(xb)
    return val_total / len(w.val[0])


def lightning(w: Workload) -> float:
    """Run Lightning's Trainer."""
    import lightning as pl

    class Module(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.network = w.network()

        def training_step(self, batch: Any, index: int) -> torch.Tensor:
            return w.loss(self.network(batch[0]), batch[1])

        def validation_step(self, batch: Any, index: int) -> None:
            self.log("val_loss", w.loss(self.network(batch[0]), batch[1]))

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return w.optimizer(self.parameters())

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    trainer = pl.Trainer(
        max_epochs=w.epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    trainer.fit(Module(), *w.loaders())
    return float(trainer.callback_metrics["val_loss"])


def skorch(w: Workload) -> float:
    """Run skorch's NeuralNet."""
    from skorch import NeuralNet
    from skorch.helper import predefined_split
    from torch.utils.data import TensorDataset

    optimizer = w.optimizer([nn.Parameter(torch.zeros(1))])
    keep = ("lr", "momentum", "fused")
    options = {k: v for k, v in optimizer.defaults.items() if k in keep}
    net = NeuralNet(
        w.network(),
        criterion=type(w.loss),
        optimizer=type(optimizer),
        batch_size=w.batch_size,
        max_epochs=w.epochs,
        iterator_train__shuffle=True,
        iterator_valid__batch_size=len(w.val[0]),
        train_split=predefined_split(TensorDataset(*w.val)),
        verbose=0,
        **{f"optimizer__{k}": v for k, v in options.items()},
    )
    net.fit(*w.train)
    return float(net.history[-1, "valid_loss"])


def fastai(w: Workload) -> float:
    """Run fastai's Learner over torch's loaders, with torch's optimizer in its wrapper."""
    import fastai.callback.progress  # noqa: F401  gives Learner its no_bar
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner
    from fastai.optimizer import OptimWrapper

    def optimizer(parameters: Any, lr: float) -> Any:
        flat = [p for group in parameters for p in (group if isinstance(group, list) else [group])]
        return OptimWrapper(opt=w.optimizer(flat))

    made = w.optimizer([nn.Parameter(torch.zeros(1))])
    learner = Learner(
        DataLoaders(*w.loaders(), device=torch.device("cpu")),
        w.network(),
        loss_func=w.loss,
        opt_func=optimizer,
        lr=made.defaults["lr"],
    )
    with learner.no_bar(), learner.no_logging():
        learner.fit(w.epochs)
    return float(learner.recorder.values[-1][1])


def keras(w: Workload) -> float:
    """Run Keras on its torch backend, with its own layers and optimizers."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras as k

    as_torch = k.initializers.VarianceScaling(1 / 3, mode="fan_in", distribution="uniform")

    def layer(module: nn.Module) -> Any:
        match module:
            case nn.Linear():
                return k.layers.Dense(module.out_features, kernel_initializer=as_torch)
            case nn.Conv2d():
                return k.layers.Conv2D(
                    module.out_channels, 3, padding="same", kernel_initializer=as_torch
                )
            case nn.ReLU():
                return k.layers.ReLU()
            case nn.MaxPool2d():
                return k.layers.MaxPooling2D(2)
            case nn.Flatten():
                return k.layers.Flatten()
        raise TypeError(f"no Keras layer for {module}")

    network, defaults = w.network(), w.optimizer([nn.Parameter(torch.zeros(1))]).defaults
    modules = list(network) if isinstance(network, nn.Sequential) else [network]
    (x, y), (x_val, y_val) = w.train, w.val
    if x.ndim == 4:  # channels last, as Keras has them by default
        x, x_val = x.permute(0, 2, 3, 1).contiguous(), x_val.permute(0, 2, 3, 1).contiguous()
    model = k.Sequential([k.layers.Input(x.shape[1:]), *map(layer, modules)])
    model.compile(
        optimizer=k.optimizers.Adam(defaults["lr"])
        if "betas" in defaults
        else k.optimizers.SGD(defaults["lr"], momentum=float(defaults["momentum"])),
        loss=k.losses.SparseCategoricalCrossentropy(from_logits=True)
        if isinstance(w.loss, nn.CrossEntropyLoss)
        else "mse",
    )
    with torch.device("cpu"):
        history = model.fit(
            *(x.numpy(), y.numpy()),
            batch_size=w.batch_size,
            epochs=w.epochs,
            validation_data=(x_val.numpy(), y_val.numpy()),
            validation_batch_size=len(x_val),
            verbose=0,
        )
    return float(history.history["val_loss"][-1])


def ignite(w: Workload) -> float:
    """Run Ignite's supervised trainer and evaluator."""
    from ignite.engine import Events, create_supervised_evaluator, create_supervised_trainer
    from ignite.metrics import Loss

    network = w.network()
    train, val = w.loaders()
    trainer = create_supervised_trainer(network, w.optimizer(network.parameters()), w.loss)
    evaluator = create_supervised_evaluator(network, metrics={"loss": Loss(w.loss)})
    trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda engine: evaluator.run(val))
    trainer.run(train, max_epochs=w.epochs)
    return float(evaluator.state.metrics["loss"])


def poutyne(w: Workload) -> float:
    """Run Poutyne's Model."""
    from poutyne import Model

    network = w.network()
    model = Model(network, w.optimizer(network.parameters()), w.loss)
    rows = model.fit_generator(*w.loaders(), epochs=w.epochs, verbose=False)
    return float(rows[-1]["val_loss"])


def accelerate(w: Workload) -> float:
    """Run the textbook loop with Accelerate's objects, fused optimizer and no .item()."""
    from accelerate import Accelerator

    accelerator = Accelerator(cpu=True)
    network = w.network()
    optimizer = w.optimizer(network.parameters())
    network, optimizer, train, val = accelerator.prepare(network, optimizer, *w.loaders())
    for _ in range(w.epochs):
        network.train()
        total = torch.zeros(())
        for xb, yb in train:
            optimizer.zero_grad()
            loss = w.loss(network(xb), yb)
            accelerator.backward(loss)
            optimizer.step()
            total += loss.detach() * len(xb)
        network.eval()
        with torch.no_grad():
            val_loss = sum(w.loss(network(xb), yb).item() for xb, yb in val)
    return float(val_loss)


CONTENDERS = {
    "fit": ours,
    "fit with a metric": scored,
    "hand loop (a)": hand,
    "textbook loop (b)": textbook,
    "Lightning": lightning,
    "skorch": skorch,
    "fastai": fastai,
    "Keras on torch": keras,
    "Ignite": ignite,
    "Poutyne": poutyne,
    "Accelerate": accelerate,
}
PACKAGES = {  # what has to be installed, and is asked for its version
    "Lightning": "lightning",
    "skorch": "skorch",
    "fastai": "fastai",
    "Keras on torch": "keras",
    "Ignite": "pytorch-ignite",
    "Poutyne": "poutyne",
    "Accelerate": "accelerate",
}


def quiet() -> None:
    """Silence what the peers say about workers, loggers and deprecations."""
    warnings.filterwarnings("ignore")
    for name in ("lightning", "pytorch_lightning", "ignite", "accelerate"):
        logging.getLogger(name).setLevel(logging.ERROR)
