"""The tasks of the speed rows: the same spikes, shapes and delays for every contestant.

All times are in milliseconds. Only NumPy is needed here, because peers run in environments of
their own.
"""

from dataclasses import dataclass

import numpy as np


class _Calibrated:
    """A task that says how many spikes its hidden neurons have in a sample: its ``aim``."""

    def calibrate(self, spikes, low=0.01, high=100.0):
        """Return the scale of the hidden neurons' weights at which they fire as the task says.

        ``spikes(scale)`` returns the hidden spikes of a sample.
        """
        for _ in range(16):
            scale = (low * high) ** 0.5
            low, high = (low, scale) if spikes(scale) > self.aim else (scale, high)
        return scale


@dataclass(frozen=True, kw_only=True)
class YinYang(_Calibrated):
    """Points of the Yin-Yang disc as five spikes each; one epoch of training is the measure.

    Parameters
    ----------
    samples, batch, hidden : int
        Points of an epoch, points a step, and hidden neurons.
    late, duration : float
        Time of the spike for coordinate 1, and length of a sample, ms.
    delay_max : float
        Largest delay, ms, for those who have delays.
    """

    samples: int = 5000
    batch: int = 64
    hidden: int = 120
    late: float = 30.0
    duration: float = 60.0
    delay_max: float = 10.0
    seed: int = 0

    inputs = 5
    outputs = 3

    @property
    def aim(self):
        """Hidden spikes of a sample: one a neuron."""
        return self.hidden

    def points(self):
        """Return spike times (samples, 5) in ms and labels (samples,) int64."""
        rng = np.random.default_rng(self.seed)
        kept, labels = np.empty((0, 2)), np.empty(0, np.int64)
        while len(kept) < self.samples:
            drawn = rng.random((4 * self.samples, 2))
            side = _side(drawn)
            # As many of each class: the dots are small.
            share = min(np.bincount(side[side >= 0], minlength=3))
            rows = np.concatenate([np.flatnonzero(side == c)[:share] for c in range(3)])
            kept, labels = np.vstack([kept, drawn[rows]]), np.append(labels, side[rows])
        order = rng.permutation(len(kept))[: self.samples]
        points = kept[order]
        values = np.column_stack([points, 1.0 - points, np.zeros(self.samples)])
        return values * self.late, labels[order]

    def raster(self, steps):
        """Return the points as (steps, samples, 5) float32 on a grid over ``duration``."""
        times, labels = self.points()
        out = np.zeros((steps, self.samples, self.inputs), np.float32)
        at = np.minimum((times * (steps / self.duration)).astype(int), steps - 1)
        out[at, np.arange(self.samples)[:, None], np.arange(self.inputs)] = 1.0
        return out, labels

    def parameters(self):
        """Return weights and delays of both connections, (sources, targets) float64."""
        rng = np.random.default_rng([self.seed, 1])
        first, second = (self.inputs, self.hidden), (self.hidden, self.outputs)
        few = 30 / self.hidden
        return {
            "weights": (rng.normal(1.5, 0.8, first), rng.normal(0.8 * few, 0.4 * few**0.5, second)),
            "delays": (rng.uniform(0.1, 5.0, first), rng.uniform(0.1, 1.0, second)),
        }


def _side(points):
    """Return the class of each point of the unit square, -1 outside the disc."""
    x, y = points.T
    centre, left, right = (np.hypot(x - at, y - 0.5) for at in (0.5, 0.25, 0.75))
    yin = (right <= 0.1) | ((left > 0.1) & (left <= 0.25)) | ((y > 0.5) & (right > 0.25))
    side = np.where((left < 0.1) | (right < 0.1), 2, yin.astype(np.int64))
    return np.where(centre > 0.5, -1, side)


@dataclass(frozen=True, kw_only=True)
class Shd(_Calibrated):
    """A recording of the shape of SHD's: Poisson spikes into a recurrent population.

    Parameters
    ----------
    tick : float
        Resolution of those who need one, ms.
    samples : int
        Recordings, which are one batch.
    events : int
        Input spikes of one recording; no channel has two in one millisecond.
    delay_max : float
        Delays are uniform up to this, ms.
    rate : float
        Spikes per hidden neuron and second that the weights are scaled for.
    """

    tick: float = 1.0
    samples: int = 32
    inputs: int = 700
    hidden: int = 256
    outputs: int = 20
    events: int = 8000
    duration: float = 1000.0
    delay_max: float = 60.0
    rate: float = 14.0
    recurrent: bool = True
    seed: int = 0

    tau_m = 20.0
    tau_s = 5.0

    @property
    def aim(self):
        """Hidden spikes of a recording."""
        return self.rate * self.hidden * self.duration * 1e-3

    @property
    def steps(self):
        """Ticks of a recording."""
        return round(self.duration / self.tick)

    def recordings(self):
        """Return times (samples, events) in ms, sorted, their channels, and labels (samples,)."""
        rng = np.random.default_rng(self.seed)
        cells = self.inputs * int(self.duration)
        times, channels = [], []
        for _ in range(self.samples):
            cell = rng.choice(cells, self.events, replace=False)
            time = cell // self.inputs + rng.random(self.events)
            order = np.argsort(time)
            times.append(time[order])
            channels.append(cell[order] % self.inputs)
        labels = rng.integers(0, self.outputs, self.samples)
        return np.array(times), np.array(channels), labels

    def ticked(self):
        """Return the recordings on the grid: (samples, steps + 1) starts, channels, labels."""
        times, channels, labels = self.recordings()
        at = np.minimum((times / self.tick).astype(int), self.steps - 1)
        starts = np.zeros((self.samples, self.steps + 1), np.int64)
        for start, ticks in zip(starts, at, strict=True):
            start[1:] = np.cumsum(np.bincount(ticks, minlength=self.steps))
        return starts, channels, labels

    def raster(self):
        """Return the recordings as (steps, samples, inputs) float32, and labels."""
        times, channels, labels = self.recordings()
        out = np.zeros((self.steps, self.samples, self.inputs), np.float32)
        at = np.minimum((times / self.tick).astype(int), self.steps - 1)
        np.add.at(out, (at, np.arange(self.samples)[:, None], channels), 1.0)
        return out, labels

    def parameters(self):
        """Return weights, not yet scaled, and delays of each connection, by its target's name."""
        rng = np.random.default_rng([self.seed, 1])
        shapes = {
            "input": (self.inputs, self.hidden),
            "recurrent": (self.hidden, self.hidden),
            "output": (self.hidden, self.outputs),
        }
        moments = {"input": (0.03, 0.03), "recurrent": (0.0, 0.02), "output": (0.0, 0.03)}
        top = {"input": self.delay_max, "recurrent": self.delay_max, "output": 1.0}
        return {
            "weights": {name: rng.normal(*moments[name], shape) for name, shape in shapes.items()},
            "delays": {
                name: rng.uniform(1.0, max(top[name], 1.0), shape) for name, shape in shapes.items()
            },
        }
