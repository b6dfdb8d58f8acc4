"""The family of kinds that change the numbers that a core is loaded with."""

from dataclasses import replace

import numpy as np

from ...model.parameters import Parameters
from .kind import Kind, limited, parts
from .normal import STEPS, largest, normal
from .philox import stream_key, words

__all__ = ["ANALOG", "MILLION", "ValueKind", "axonal_delays", "delay_room", "shift_delays",
           "stored_delays", "with_values"]

MILLION = 1_000_000
ANALOG = "none in digital hardware, whose numbers are what they are: "
"""How the origin of kinds begins that digital hardware doesn't have."""


class ValueKind(Kind):
    """Normally distributed numbers are added to weights, thresholds or delays.

    What a chip has too much of a number is in proportion to it. The sum stays within what the core
    can hold. A word is named by instance and by the number's place.

    Members
    -------
    array : str
        Of `Parameters`.
    """

    array: str
    unit = "standard deviation, share of the value"
    digital = False
    field = "added"
    per_sample = False

    def amount(self, level):
        return parts(level, MILLION, 10, "millionths")

    def values(self, subject):
        """Return the numbers that change, (n,) int64."""
        return getattr(subject.parameters, self.array).astype(np.int64)

    def draw(self, seed, subject, instance, sample):
        values = self.values(subject)
        drawn = words(stream_key(seed, self.number), instance, sample or 0,
                      np.arange(values.size), 0)
        return normal(drawn[:, 0]) * values

    def change(self, drawn, amount):
        return (drawn * amount + STEPS * MILLION // 2) // (STEPS * MILLION)

    def check(self, change, amount, subject, sample):
        values = self.values(subject)
        most = self.change(np.abs(values) * largest(), amount) + 1
        limited(change, values.size, -most, most, f"values of {self.array}")

    def parameters(self, change, subject):
        return with_values(subject.parameters, self.array, self.values(subject) + change)

    def counts(self, change, subject, sample):
        wanted = self.values(subject) + change
        low, high = limits(subject.parameters, self.array)
        return {"values": change.size, "changed": int(np.count_nonzero(change)),
                "clamped": int(np.count_nonzero((wanted < low) | (wanted > high)))}


def limits(parameters: Parameters, array: str) -> tuple[int, int]:
    """Return the least and the largest value that an array of parameters can hold."""
    config = parameters.config
    top = 1 << (config.weight_bits - 1)
    return {"weight": (-top, top - 1), "delay": (1, config.delay_max),
            "theta0": (1, config.trace_top)}[array]


def with_values(parameters: Parameters, array: str, values: np.ndarray) -> Parameters:
    """Return parameters with other weights, delays or thresholds, each as near as the core has it.

    A weight of 0 is no synapse in a core with dense rows: it's left out there.
    """
    own = getattr(parameters, array)
    values = np.clip(values, *limits(parameters, array)).astype(own.dtype)
    if array == "theta0":
        values[parameters.config.spiking :] = own[parameters.config.spiking :]
    if array != "weight" or parameters.config.rows != "dense" or values.all():
        return replace(parameters, **{array: values})
    kept = values != 0
    before = np.concatenate([[0], np.cumsum(kept)])
    return replace(parameters, weight=values[kept], target=parameters.target[kept],
                   delay=parameters.delay[kept], row_start=before[parameters.row_start])


def axonal_delays(parameters: Parameters) -> np.ndarray:
    """Return what of each synapse's delay isn't its target's, (synapses,) int64."""
    delay = parameters.delay.astype(np.int64)
    if not parameters.config.dendrites:
        return delay
    return delay - parameters.dendritic[parameters.target, parameters.kind[_sources(parameters)]]


def stored_delays(parameters: Parameters) -> np.ndarray:
    """Return which stored delay each synapse has, (synapses,) from 0: those that rows share.

    With synaptic delays each synapse has its own, else all of a source that have one axonal part.
    """
    config = parameters.config
    if config.delays == "synaptic":
        return np.arange(parameters.delay.size)
    names = _sources(parameters) * (config.delay_max + 1) + axonal_delays(parameters)
    return np.unique(names, return_inverse=True)[1]


def delay_room(parameters: Parameters) -> tuple[np.ndarray, np.ndarray]:
    """Return how many ticks can be added to each stored delay, at the least and at the most.

    A stored delay is 1 tick at least, and no synapse that has it may exceed the core's longest.
    """
    config, group = parameters.config, stored_delays(parameters)
    size = group.max(initial=-1) + 1
    longest, own = np.zeros(size, np.int64), np.zeros(size, np.int64)
    np.maximum.at(longest, group, parameters.delay)
    own[group] = axonal_delays(parameters)
    return 1 - own, config.delay_max - longest


def shift_delays(parameters: Parameters, added: np.ndarray) -> Parameters:
    """Return parameters with ticks added to the stored delays."""
    if not added.size:
        return parameters
    delay = parameters.delay + added[stored_delays(parameters)]
    return with_values(parameters, "delay", delay)


def _sources(parameters):
    return np.repeat(np.arange(parameters.config.sources), np.diff(parameters.row_start))
