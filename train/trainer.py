"""The training loop: epochs, mini-batches, checkpoints, history."""

import dataclasses
import hashlib
import json
import logging
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..model.files import write_atomically
from .augment import Augmenter
from .checkpoint import Checkpoint
from .config import NetworkConfig
from .engine import Inputs
from .engines import make_engine
from .losses import both, check_loss, cross_entropy, distance
from .mismatch import mismatched
from .network import Network
from .optimiser import Adam
from .regulariser import add_rate_pull, margin_penalty, wake
from .schedule import best_epoch, kept_epoch, step_factor, stops
from .settings import TrainConfig

__all__ = ["TrainConfig", "evaluate", "train"]

BATCH = 256
"""Samples of the other datasets that are measured at once."""

logger = logging.getLogger(__name__)


def train(
    config: NetworkConfig,
    settings: TrainConfig,
    data: dict,
    seed: int,
    folder: Path | None = None,
    *,
    resume: bool = True,
    progress: bool = True,
    threads: int | None = None,
    engine=None,
    start: Network | None = None,
) -> tuple[Network, list[dict]]:
    """Train a network from scratch, or go on from the checkpoint in ``folder``.

    The result is that of the last epoch, or with ``patience`` that of the best, and is the same to
    the bit for any number of threads and of interruptions. Ctrl-C leaves the last epoch's
    checkpoint.

    Parameters
    ----------
    data : dict of str to Dataset
        ``"train"``, and if wanted ``"validation"`` and ``"test"``, which are only measured.
        Early stopping looks at ``"validation"``, and nothing looks at ``"test"``.
    seed : int
        Fixes the first parameters, the order of samples and the noise on them.
    folder : Path or None
        Where ``checkpoint.safetensors``, ``network.safetensors`` and ``training.json`` go; made if
        missing. None: nothing is written.
    resume : bool
        Whether to go on from a checkpoint there.
    progress : bool
        Whether to show a progress bar on stderr.
    threads : int or None
        Cores to use; None: all.
    engine : Engine, optional
        What runs the network. By default `make_engine` for the settings' tick.
    start : Network, optional
        First parameters; a copy is trained. By default they are drawn.

    Returns
    -------
    network : Network
    history : list of dict
        For each epoch: ``epoch``, ``loss`` and ``validation_loss`` (if there's a validation set),
        ``accuracy`` of each dataset (that of training while it learned), ``penalty`` of spike
        counts, that of the ``margin``, ``spikes`` a hidden neuron and sample, ``silent`` neurons
        (which didn't fire in the whole epoch), ``woken`` ones, ``limited`` spikes (see
        `TrainConfig`), ``seconds``.

    Raises
    ------
    ValueError
        If a dataset doesn't fit the config, the loss not the readout, there's no validation set
        for early stopping, or the checkpoint is another run's.
    FloatingPointError
        If a gradient isn't finite.
    OverflowError
        If the network excites itself without bound.
    """
    if "train" not in data:
        raise ValueError(f"Data must hold 'train', not only {sorted(data)}")
    if settings.patience and "validation" not in data:
        raise ValueError(
            f"Data must hold 'validation' for a patience of {settings.patience} epochs, "
            f"not only {sorted(data)}"
        )
    check_loss(settings.loss, config.readout)
    for name, dataset in data.items():
        check_fit(config, dataset, name)
    digest = _digest(config, settings, data, seed, engine, start)
    engine = engine or make_engine(config, settings.tick, threads)
    run = _Run(engine, settings, data, seed, start, digest)
    path = None
    if folder is not None:
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "checkpoint.safetensors"
        if resume and path.exists():
            run.restore(Checkpoint.load(path, run.sha256))
            logger.info("Going on after epoch %d of %d.", len(run.history), settings.epochs)
    bar = tqdm(
        total=settings.epochs, initial=len(run.history), unit="epoch", disable=not progress
    )  # fmt: skip
    with bar:
        while not stops(run.history, settings.epochs, settings.patience):
            record = run.epoch()
            if path is not None:
                run.checkpoint().save(path)
            bar.set_postfix_str(_summary(record))
            bar.update()
    run.finish()
    if folder is not None:
        run.network.save(folder / "network.safetensors", seed=seed)
        report = {"seed": seed, "settings": settings.to_dict(), "history": run.history,
                  "epoch": kept_epoch(run.history, settings.patience)}
        write_atomically(folder / "training.json", (json.dumps(report, indent=1) + "\n").encode())
    return run.network, run.history


def evaluate(network: Network, dataset, tick: float = 0.0, threads: int | None = None) -> float:
    """Return the fraction of samples that a network puts in the right class.

    ``tick`` : the grid on which it runs, ms, or 0 for continuous time.
    """
    found = network.predict(dataset, tick, threads=threads)
    return float((found == dataset.labels).mean())


def check_fit(config: NetworkConfig, dataset, name: str) -> None:
    """Raise ValueError unless a dataset has the config's channels and classes."""
    for field, value in (("inputs", dataset.n_channels), ("outputs", dataset.n_classes)):
        if getattr(config, field) != value:
            raise ValueError(
                f"{field.capitalize()} of the network must be {value} for dataset {name!r}, "
                f"not {getattr(config, field)}"
            )


class _Run:
    """One training run between two epochs."""

    def __init__(self, engine, settings, data, seed, start, digest):
        config = engine.config
        self._settings = settings
        self._data = data
        self._seed = seed
        self._engine = engine
        self._inputs = {name: Inputs.of(dataset) for name, dataset in data.items()}
        self._augmenter = Augmenter(data["train"], settings)
        self.network = start.copy() if start else Network.random(config, settings, seed)
        self._best = {}  # the network's arrays after the best epoch, with early stopping
        self.history = []
        self.sha256 = digest
        kinds = {"weights": "weight", "delays": "delay", "theta0": "theta", "beta": "beta"}
        kinds["tau"] = "tau"
        rates = {kind: getattr(settings, f"{name}_rate") for kind, name in kinds.items()}
        if not config.adaptive:
            rates["beta"] = 0.0
        self._optimiser = Adam(
            self.network.arrays(),
            rates=rates,
            bounds={
                "delays": Network.bounds(config)["delays"],
                "theta0": (settings.theta_min, np.inf),
                "beta": (0.0, np.inf),
            },
            first=settings.first_moment,
            second=settings.second_moment,
        )

    def restore(self, checkpoint):
        """Take the state of a checkpoint."""
        for name, array in self.network.arrays().items():
            array[...] = checkpoint.arrays[f"network/{name}"]
        self._optimiser.restore(_part(checkpoint.arrays, "adam/"))
        self._best = _part(checkpoint.arrays, "best/")
        self.network.check()
        self.history = list(checkpoint.history)

    def checkpoint(self):
        """Return the state."""
        arrays = {f"network/{name}": array for name, array in self.network.arrays().items()}
        arrays |= {f"adam/{name}": array for name, array in self._optimiser.arrays().items()}
        arrays |= {f"best/{name}": array for name, array in self._best.items()}
        return Checkpoint(run=self.sha256, history=self.history, arrays=arrays)

    def finish(self):
        """Give the network the parameters of the best epoch, if there's early stopping."""
        for name, array in self._best.items():
            self.network.arrays()[name][...] = array

    def epoch(self):
        """Train for one epoch and append its record to the history."""
        began = time.perf_counter()
        settings, epoch = self._settings, len(self.history)
        rng = np.random.default_rng([self._seed, 1, epoch])
        labels = self._data["train"].labels
        order = rng.permutation(len(labels))
        batches = [order[k : k + settings.batch] for k in range(0, len(order), settings.batch)]
        tally = _Tally()
        for turn, rows in enumerate(batches):
            factor = step_factor(
                epoch * len(batches) + turn, settings.epochs * len(batches),
                schedule=settings.schedule, final=settings.final_rate,
                warmup=settings.warmup * len(batches),
            )  # fmt: skip
            self._step(rows, rng, factor, tally)
        totals = {name: tally.spikes[name] for name in self._engine.config.spiking}
        woken = wake(self.network, totals, settings.wake) if settings.wake else 0
        record = {"epoch": epoch + 1, "loss": tally.loss / len(labels)}
        accuracy = {"train": tally.right / len(labels)}
        for name in sorted(self._data.keys() - {"train"}):
            loss, accuracy[name] = self._measure(name)
            if name == "validation":
                record["validation_loss"] = loss
        hidden = sum(int(n.sum()) for name, n in totals.items() if name != "output")
        record |= {
            "accuracy": dict(sorted(accuracy.items())),
            "penalty": tally.penalty / len(labels),
            "margin": tally.margin / len(labels),
            "spikes": hidden / len(labels) / max(1, sum(self._engine.config.hidden)),
            "silent": sum(int((n == 0).sum()) for n in totals.values()),
            "woken": woken,
            "limited": tally.limited,
            "seconds": time.perf_counter() - began,
        }
        self.history.append(record)
        if settings.patience and best_epoch(self.history) == len(self.history):
            self._best = {name: array.copy() for name, array in self.network.arrays().items()}
        return record

    def _step(self, rows, rng, factor, tally):
        """Go one step down the mean gradient of a batch, and count it."""
        settings, engine, labels = self._settings, self._engine, self._data["train"].labels[rows]
        net = engine.pack(mismatched(self.network, settings, rng))
        inputs, picked = self._inputs["train"], rows
        if self._augmenter.active:
            inputs, picked = self._augmenter.draw(rows, rng), np.arange(len(rows))
        peaks = {"silent": True} if settings.margin_strength else {}
        result = engine.forward(net, inputs, picked, **peaks)
        losses, pull = self._loss(result.score, labels)
        options = {"tau": True} if settings.tau_rate else {}
        if settings.margin_strength:
            margin, peak_pull = self._margin(net, result)
            options["peak_pull"] = peak_pull / len(rows)
            tally.margin += float(margin.sum())
        gradients, limited = engine.backward(
            net, result, pull / len(rows), settings.slope_floor, settings.spike_cap / len(rows),
            **options,
        )  # fmt: skip
        self._complete(gradients, options.get("peak_pull"))
        counts, penalty = engine.counts(result), 0.0
        totals = {name: spikes.sum(axis=0) for name, spikes in counts.items()}
        if settings.rate_strength:
            penalty = add_rate_pull(
                gradients, engine.config, totals, counts["output"] > 0, labels,
                low=settings.rate_low, high=settings.rate_high, strength=settings.rate_strength,
            )  # fmt: skip
        self._optimiser.step(gradients, factor)
        self.network.order_taus()
        tally.loss += float(losses.sum())
        tally.penalty += penalty * len(rows)
        tally.right += int((engine.decide(result) == labels).sum())
        tally.limited += limited
        for name, total in totals.items():
            tally.spikes[name] = tally.spikes.get(name, 0) + total

    def _margin(self, net, result):
        """Return the margin penalty of each sample and its derivative by all neurons' peaks."""
        settings, layout = self._settings, self._engine.layout
        spikes = result.counts[:, self._engine.config.inputs :]
        value, pull = np.zeros(len(spikes)), np.zeros(spikes.shape)
        for name in self._engine.config.spiking:
            place = layout.population(name)
            one, pull[:, place] = margin_penalty(
                result.peaks.value[:, place], spikes[:, place], net.theta0[place],
                margin=settings.margin, strength=settings.margin_strength,
            )  # fmt: skip
            value += one
        return value, pull

    def _complete(self, gradients, peak_pull):
        """Add what the engine doesn't know: thresholds in the margin penalty, shared constants."""
        config, layout = self._engine.config, self._engine.layout
        for name in config.spiking if peak_pull is not None else ():
            pull = peak_pull[:, layout.population(name)]
            gradients[f"theta0/{name}"] -= self._settings.margin * pull.sum(axis=0)
        if config.taus == "shared" and self._settings.tau_rate:
            total = sum(gradients[f"tau/{name}"] for name in config.populations)
            gradients |= {f"tau/{name}": total for name in config.populations}

    def _loss(self, score, labels):
        """Return the loss of each sample and dL/dscore."""
        settings, config = self._settings, self._engine.config
        if settings.loss == "distance":
            return distance(score, labels, gap=settings.loss_gap, duration=config.duration)
        if settings.loss == "cross-entropy+distance":
            return both(
                score, labels, scale=settings.loss_scale, gap=settings.loss_gap,
                strength=settings.distance_strength, duration=config.duration,
            )  # fmt: skip
        return cross_entropy(
            score, labels, readout=config.readout, scale=settings.loss_scale,
            duration=config.duration,
        )  # fmt: skip

    def _measure(self, name):
        """Return a dataset's mean loss and accuracy."""
        labels, engine = self._data[name].labels, self._engine
        net = engine.pack(self.network)
        loss, right = 0.0, 0
        for start in range(0, len(labels), BATCH):
            rows = np.arange(start, min(start + BATCH, len(labels)))
            result = engine.forward(net, self._inputs[name], rows)
            loss += float(self._loss(result.score, labels[rows])[0].sum())
            right += int((engine.decide(result) == labels[rows]).sum())
        return loss / len(labels), right / len(labels)


@dataclasses.dataclass
class _Tally:
    """Sums over the batches of an epoch; ``spikes`` are (neurons,) for each population."""

    loss: float = 0.0
    penalty: float = 0.0
    margin: float = 0.0
    right: int = 0
    limited: int = 0
    spikes: dict = dataclasses.field(default_factory=dict)


def _part(arrays, prefix):
    """Return the arrays whose names start with a prefix, under the rest of their names."""
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items() if name.startswith(prefix)
    }  # fmt: skip


def _digest(config, settings, data, seed, engine, start):
    """Hash everything that fixes a run; ``engine`` and ``start`` may be None."""
    values = {"network": config.to_json(), "train": settings.to_dict(), "seed": seed}
    values |= {"engine": engine.settings} if engine else {}
    digest = hashlib.sha256(json.dumps(values).encode())
    for name, array in (start.arrays() if start else {}).items():
        digest.update(name.encode() + np.ascontiguousarray(array).tobytes())
    for name in sorted(data):
        digest.update(name.encode())
        for part in ("times", "channels", "offsets", "labels"):
            digest.update(np.ascontiguousarray(getattr(data[name], part)))
    return digest.hexdigest()


def _summary(record):
    accuracy = ", ".join(f"{name} {value:.1%}" for name, value in record["accuracy"].items())
    return f"loss {record['loss']:.3f}, {accuracy}"
