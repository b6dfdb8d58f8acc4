"""Ranvier itself on the tasks of the speed rows."""

import hashlib
from dataclasses import replace
from time import perf_counter, process_time

import numpy as np
from measure import Peak, best

from ranvier.model.emulator import Emulator
from ranvier.model.events import encode
from ranvier.train.config import NetworkConfig
from ranvier.train.design import DesignConfig
from ranvier.train.engine import Engine, Inputs
from ranvier.train.grid import TickEngine
from ranvier.train.losses import cross_entropy
from ranvier.train.network import Network
from ranvier.train.optimiser import Adam
from ranvier.train.quantise import quantise
from ranvier.train.samples import Dataset
from ranvier.train.settings import TrainConfig
from ranvier.train.trainer import train

STILL = 1e-9
"""A step size at which training costs what it costs, and activity stays as it was scaled."""


def dataset(times, channels, labels, n_channels, n_classes):
    """Return (samples, events) times in ms and channels as a `Dataset`."""
    samples, events = times.shape
    micros = np.rint(times * 1e3).astype(np.int64)
    order = np.argsort(micros, axis=1, kind="stable")
    return Dataset(
        times=np.take_along_axis(micros, order, axis=1).ravel(),
        channels=np.take_along_axis(channels, order, axis=1).ravel().astype(np.int32),
        offsets=np.arange(0, samples * events + 1, events),
        labels=labels.astype(np.int64),
        n_channels=n_channels,
        n_classes=n_classes,
    )


def epoch_cost(run, repeats):
    """Return least CPU and wall seconds of an epoch, where ``run(epochs)`` trains.

    What three epochs take beyond one is two epochs: what's done once isn't an epoch's.
    """
    costs = []
    for epochs in (1, 3):
        run(epochs)
        rows = []
        for _ in range(repeats):
            cpu, wall = process_time(), perf_counter()
            run(epochs)
            rows.append((process_time() - cpu, perf_counter() - wall))
        costs.append(np.min(rows, axis=0))
    return (costs[1] - costs[0]) / 2


# ------------------------------------------------------------------------------- Yin-Yang


def yinyang_case(task):
    """Return config, settings and data: everything is trained, and neurons fire about once."""
    config = NetworkConfig(
        inputs=5, hidden=(task.hidden,), outputs=3, readout="first-spike",
        delay_min=0.1, delay_max=task.delay_max, duration=task.duration,
    )  # fmt: skip
    few = 30 / task.hidden
    settings = TrainConfig(
        epochs=1, batch=task.batch, weight_rate=0.01, delay_rate=0.2,
        theta_rate=0.003, beta_rate=0.003, beta=3.0,
        rate_low=1.0, rate_strength=4.0, spike_cap=10.0, hidden_mean=1.5, hidden_sd=0.8,
        output_mean=0.8 * few, output_sd=0.4 * few**0.5, hidden_delay=5.0, output_delay=1.0,
    )  # fmt: skip
    times, labels = task.points()
    channels = np.broadcast_to(np.arange(5), times.shape)
    return config, settings, {"train": dataset(times, channels, labels, 5, 3)}


def yinyang(task, repeats=5, threads=1):
    """Return the CPU seconds of one epoch of training, all of it."""
    config, settings, data = yinyang_case(task)

    def run(epochs):
        train(config, replace(settings, epochs=epochs), data, 0, progress=False, threads=threads)

    return {"seconds": float(epoch_cost(run, repeats)[0])}


# ------------------------------------------------------------------------------------ SHD


def shd_config(task):
    """Return the `NetworkConfig` of a `tasks.Shd`."""
    chain = [("input", "hidden0"), ("hidden0", "hidden0"), ("hidden0", "output")]
    return NetworkConfig(
        inputs=task.inputs, hidden=(task.hidden,), outputs=task.outputs, adaptive=False,
        connections=tuple(pair for pair in chain if task.recurrent or len(set(pair)) == 2),
        tau_m=task.tau_m, tau_s=task.tau_s, delay_min=1.0, delay_max=task.delay_max,
        duration=task.duration,
    )  # fmt: skip


class Trainer:
    """One batch of recordings, and one step of training on it, by an engine of choice."""

    def __init__(self, engine, task):
        self.data = shd_data(task)
        self.inputs = Inputs.of(self.data)
        self._engine = engine
        self._rows = np.arange(task.samples)
        self._scale = 100.0
        self.network = self._draw(task)
        self._optimiser = Adam(
            self.network.arrays(), bounds=Network.bounds(engine.config),
            rates=dict.fromkeys(("weights", "delays"), STILL)
            | dict.fromkeys(("theta0", "beta", "tau"), 0.0),
        )  # fmt: skip

    def _draw(self, task):
        """Return a network whose hidden neurons fire at the task's rate."""
        settings = TrainConfig(
            epochs=1, recurrent_sd=0.02, output_sd=0.03, hidden_delay=task.delay_max,
            recurrent_delay=task.delay_max, output_delay=1.0,
        )  # fmt: skip

        def network(scale):
            changed = replace(settings, hidden_mean=0.03 * scale, hidden_sd=0.03 * scale)
            return Network.random(self._engine.config, changed, task.seed)

        def spikes(scale):
            net = self._engine.pack(network(scale))
            result = self._engine.forward(net, self.inputs, self._rows[:1])
            return int(self._engine.counts(result)["hidden0"].sum())

        return network(task.calibrate(spikes))

    def forward(self):
        """Return the packed network and a `Result`."""
        net = self._engine.pack(self.network)
        return net, self._engine.forward(net, self.inputs, self._rows)

    def gradients(self):
        """Return the batch's gradients by name."""
        net, result = self.forward()
        config = self._engine.config
        _, pull = cross_entropy(
            result.score, self.data.labels, readout=config.readout, scale=self._scale,
            duration=config.duration,
        )  # fmt: skip
        return self._engine.backward(net, result, pull, slope_floor=1e-3)[0]

    def step(self):
        """Forward, backward, and a step of the optimiser."""
        self._optimiser.step(self.gradients())

    def digest(self):
        """Return a hash over the bits of all gradients."""
        digest = hashlib.sha256()
        for _, array in sorted(self.gradients().items()):
            digest.update(np.ascontiguousarray(array))
        return digest.hexdigest()


def shd_data(task):
    """Return the recordings as a `Dataset`."""
    return dataset(*task.recordings(), task.inputs, task.outputs)


def shd(task, repeats=3, threads=1):
    """Return CPU and wall milliseconds a recording on the tick grid, and the peak in MiB."""
    return _shd(task, lambda config: TickEngine(config, task.tick, threads), repeats)


def shd_exact(task, repeats=3, threads=1):
    """Return the same of the exact engine."""
    return _shd(task, lambda config: Engine(config, threads), repeats)


def _shd(task, engine, repeats):
    small = replace(task, samples=2, events=50, duration=50.0)
    Trainer(engine(shd_config(small)), small).step()  # compiles, outside the measure of memory
    trainer = Trainer(engine(shd_config(task)), task)
    with Peak() as peak:
        trainer.step()
    cpu, wall = (1e3 * seconds / task.samples for seconds in best(trainer.step, repeats))
    counts = trainer.forward()[1].counts
    hidden = slice(task.inputs, task.inputs + task.hidden)
    return {
        "milliseconds": cpu, "wall": wall, "peak": peak.mebibytes,
        "hidden spikes": float(counts[:, hidden].sum(axis=1).mean()), "digest": trainer.digest(),
    }  # fmt: skip


# ------------------------------------------------------------------------------ inference


def inference(task, repeats=5, threads=1):
    """Return CPU milliseconds a recording of the integer model."""
    trainer = Trainer(TickEngine(shd_config(task), task.tick, 1), task)
    parameters, data = quantise(trainer.network, DesignConfig(tick=task.tick))[0], trainer.data
    samples = [
        encode(data.times[a:b], data.channels[a:b], parameters.config)
        for a, b in zip(data.offsets[:-1], data.offsets[1:], strict=True)
    ]
    emulator = Emulator(parameters)
    cpu, wall = best(lambda: emulator.run_batch(samples, threads=threads, counters=False), repeats)
    return {"milliseconds": 1e3 * cpu / task.samples, "wall": 1e3 * wall / task.samples}
