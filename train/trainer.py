"""The training loop: epochs, mini-batches, checkpoints, history."""

import hashlib
import json
import logging
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..model.files import write_atomically
from .checkpoint import Checkpoint
from .engine import Engine, Inputs, sample_of
from .losses import cross_entropy
from .network import Network, NetworkConfig
from .optimiser import Adam, cosine
from .regulariser import add_rate_pull
from .settings import TrainConfig

__all__ = ["TrainConfig", "evaluate", "train"]

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
) -> tuple[Network, list[dict]]:
    """Train a network from scratch, or go on from the checkpoint in ``folder``.

    The result is that of the last epoch, and is the same to the bit for any number of threads and
    of interruptions. Ctrl-C leaves the last epoch's checkpoint.

    Parameters
    ----------
    data : dict of str to Dataset
        ``"train"``, and if wanted ``"validation"`` and ``"test"``, which are only measured.
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

    Returns
    -------
    network : Network
    history : list of dict
        For each epoch: ``epoch``, ``loss``, ``accuracy`` of each dataset (that of training while
        it learned), ``spikes`` a hidden neuron and sample, ``limited`` spikes (see
        `TrainConfig`), ``seconds``.

    Raises
    ------
    ValueError
        If a dataset doesn't fit the config, or the checkpoint is another run's.
    FloatingPointError
        If a gradient isn't finite.
    """
    if "train" not in data:
        raise ValueError(f"Data must hold 'train', not only {sorted(data)}")
    for name, dataset in data.items():
        check_fit(config, dataset, name)
    run = _Run(config, settings, data, seed, threads)
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
        while len(run.history) < settings.epochs:
            record = run.epoch()
            if path is not None:
                run.checkpoint().save(path)
            bar.set_postfix_str(_summary(record))
            bar.update()
    if folder is not None:
        run.network.save(folder / "network.safetensors", seed=seed)
        report = {"seed": seed, "settings": settings.to_dict(), "history": run.history}
        write_atomically(folder / "training.json", (json.dumps(report, indent=1) + "\n").encode())
    return run.network, run.history


def evaluate(network: Network, dataset, threads: int | None = None) -> float:
    """Return the fraction of samples that a network puts in the right class."""
    return float((network.predict(dataset, threads=threads) == dataset.labels).mean())


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

    def __init__(self, config, settings, data, seed, threads):
        self._settings = settings
        self._data = data
        self._seed = seed
        self._engine = Engine(config, threads)
        self._inputs = Inputs.of(data["train"])
        self.network = Network.random(config, settings, seed)
        self.history = []
        self.sha256 = _digest(config, settings, data, seed)
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
        own = {
            name.removeprefix("adam/"): array
            for name, array in checkpoint.arrays.items()
            if name.startswith("adam/")
        }
        self._optimiser.restore(own)
        self.network.check()
        self.history = list(checkpoint.history)

    def checkpoint(self):
        """Return the state."""
        arrays = {f"network/{name}": array for name, array in self.network.arrays().items()}
        arrays |= {f"adam/{name}": array for name, array in self._optimiser.arrays().items()}
        return Checkpoint(run=self.sha256, history=self.history, arrays=arrays)

    def epoch(self):
        """Train for one epoch and append its record to the history."""
        began = time.perf_counter()
        settings, engine = self._settings, self._engine
        epoch = len(self.history)
        rng = np.random.default_rng([self._seed, 1, epoch])
        labels = self._data["train"].labels
        inputs = self._noisy(rng)
        order = rng.permutation(len(labels))
        batches = [order[k : k + settings.batch] for k in range(0, len(order), settings.batch)]
        loss, right, spikes, limited = 0.0, 0, 0, 0
        for turn, rows in enumerate(batches):
            net = engine.pack(self.network)
            net.theta0[:] *= 1.0 + settings.theta_noise * rng.standard_normal(net.theta0.size)
            result = engine.forward(net, inputs, rows)
            losses, pull = cross_entropy(
                result.score, labels[rows], readout=engine.config.readout,
                scale=settings.loss_scale, duration=engine.config.duration,
            )  # fmt: skip
            done = (epoch * len(batches) + turn) / (settings.epochs * len(batches))
            counts = engine.counts(result)
            limited += self._step(net, result, pull, counts, labels[rows], done)
            loss += losses.sum()
            right += int((engine.decide(result) == labels[rows]).sum())
            spikes += sum(int(n.sum()) for name, n in counts.items() if name.startswith("hidden"))
        accuracy = {"train": right / len(labels)}
        for name in self._data.keys() - {"train"}:
            accuracy[name] = evaluate(self.network, self._data[name], engine.threads)
        record = {
            "epoch": epoch + 1,
            "loss": float(loss) / len(labels),
            "accuracy": dict(sorted(accuracy.items())),
            "spikes": spikes / len(labels) / max(1, sum(engine.config.hidden)),
            "limited": limited,
            "seconds": time.perf_counter() - began,
        }
        self.history.append(record)
        return record

    def _step(self, net, result, pull, counts, labels, done):
        """Go one step down a batch's mean gradient. Returns how many spikes were limited."""
        settings = self._settings
        sums, limited = self._engine.backward(
            net, result, pull, settings.slope_floor, settings.spike_cap
        )
        gradients = {name: array / len(labels) for name, array in sums.items()}
        if settings.rate_strength:
            add_rate_pull(
                gradients, self._engine.config, counts, labels, low=settings.rate_low,
                high=settings.rate_high, strength=settings.rate_strength,
            )  # fmt: skip
        self._optimiser.step(gradients, cosine(done, settings.final_rate))
        self.network.order_taus()
        return limited

    def _noisy(self, rng):
        """Return the training inputs with this epoch's jitter and dropout."""
        settings, dataset = self._settings, self._data["train"]
        if not settings.jitter and not settings.dropout:
            return self._inputs
        keep = rng.random(len(dataset.times)) >= settings.dropout
        time_ms = dataset.times[keep] * 1e-3
        time_ms = np.abs(time_ms + rng.normal(0.0, settings.jitter, len(time_ms)))
        return Inputs.arrange(
            time_ms, dataset.channels[keep], sample_of(dataset)[keep], len(dataset.labels),
            dataset.n_channels,
        )  # fmt: skip


def _digest(config, settings, data, seed):
    """Hash everything that fixes a run."""
    text = json.dumps({"network": config.to_json(), "train": settings.to_dict(), "seed": seed})
    digest = hashlib.sha256(text.encode())
    for name in sorted(data):
        digest.update(name.encode())
        for part in ("times", "channels", "offsets", "labels"):
            digest.update(np.ascontiguousarray(getattr(data[name], part)))
    return digest.hexdigest()


def _summary(record):
    accuracy = ", ".join(f"{name} {value:.1%}" for name, value in record["accuracy"].items())
    return f"loss {record['loss']:.3f}, {accuracy}"
