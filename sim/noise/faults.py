"""Single faults: one bit of one word of a memory, in one sample."""

from typing import NamedTuple

import numpy as np

from ...model.emulator import Emulator, Result
from ...model.protection import read_weights
from ...model.upsets import NO_UPSETS, Site, site_bits
from .kinds import KINDS
from .philox import WORD, stream_key, words
from .subject import Subject
from .values import stored_delays

__all__ = ["MEMORIES", "Effect", "Fault", "draw_faults", "effect", "memory_bits", "neuron",
           "population", "run_fault", "told"]

NUMBER = 40  # of the stream; kinds of noise have smaller ones
TRIES = 64  # draws until a fault is one whose outcome is defined


class Fault(NamedTuple):
    """A bit of a memory flips: in a parameter before the sample, in the state at a tick of it.

    Members
    -------
    memory : str
        One of `MEMORIES`.
    word, bit : int
        Word: synapse, stored delay or neuron.
    tick : int
        -1 for a parameter.
    sample : int
    """

    memory: str
    word: int
    bit: int
    tick: int
    sample: int


PARAMETERS = {"weights": "weight_flips", "delays": "delay_flips", "thresholds": "threshold_flips"}
STATE = {"P": Site.P, "Q": Site.Q, "A": Site.A, "sums": Site.SUM}
MEMORIES = (*PARAMETERS, *STATE)
"""Memories in which faults strike."""


def memory_bits(subject: Subject) -> dict[str, tuple[int, int]]:
    """Return words and bits per word of each memory that the design has, check bits included.

    With check bits, only memories of which the model knows what they do: weights and thresholds.
    """
    config = subject.parameters.config
    unprotected = config.protection == "none"
    found = {}
    for name, kind in PARAMETERS.items():
        if unprotected or KINDS[kind].protected:
            stored, bits = KINDS[kind].memory(subject)
            found[name] = (stored.size, bits)
    widths = site_bits(config) if unprotected else {}
    for name, site in STATE.items():
        if site in widths:
            neurons = config.neurons if site == Site.SUM else config.spiking
            found[name] = (neurons, widths[site])
    return {name: sizes for name, sizes in found.items() if sizes[0]}


def draw_faults(subject: Subject, seed: int, count: int) -> list[Fault]:
    """Return so many faults, as many of each memory, give or take one.

    Word, bit, tick and sample are uniform. A delay whose flip isn't defined is drawn again.
    """
    sizes, key = memory_bits(subject), stream_key(seed, NUMBER)
    names = list(sizes)
    drawn = words(key, np.arange(count)[:, None], np.arange(TRIES), 0, 0).astype(np.uint64)
    faults = []
    for i in range(count):
        name = names[i % len(names)]
        for trial in range(TRIES):
            fault = _fault(subject, name, *sizes[name], drawn[i, trial].tolist())
            if name != "delays" or np.any(_delay_added(subject, fault)):
                break
        faults.append(fault)
    return faults


def _fault(subject, memory, size, bits, drawn):
    place, tick, sample = (word * limit // WORD for word, limit in zip(
        drawn, (size * bits, subject.parameters.config.ticks, len(subject)), strict=False))
    return Fault(memory, place // bits, place % bits, tick if memory in STATE else -1, sample)


def _delay_added(subject, fault):
    return KINDS["delay_flips"].added(_flip(fault), subject)


def _flip(fault):
    return np.array([[fault.word, fault.bit]], np.int64)


class Effect(NamedTuple):
    """What a fault changes: arguments of the model and of the RTL."""

    parameters: object
    flips: np.ndarray
    upsets: np.ndarray


def effect(subject: Subject, fault: Fault) -> Effect:
    """Return what the core is loaded with, its flipped weight bits, and its upsets."""
    parameters, flips, upsets = subject.parameters, np.empty((0, 2), np.int64), NO_UPSETS
    if fault.memory in STATE:
        change = np.array([[fault.tick, STATE[fault.memory], fault.word, fault.bit]], np.int64)
        upsets = KINDS["state_upsets"].upsets(change)
    else:
        kind = KINDS[PARAMETERS[fault.memory]]
        parameters = kind.parameters(_flip(fault), subject)
        flips = kind.flips(_flip(fault))
    return Effect(parameters, flips, upsets)


def run_fault(subject: Subject, fault: Fault, emulator: Emulator) -> Result:
    """Return what the model does with a fault's sample; ``emulator`` is that of the design."""
    parameters, flips, upsets = effect(subject, fault)
    own = emulator if parameters is subject.parameters else Emulator(parameters)
    weight = read_weights(parameters.config, parameters.weight, flips).values
    return own.run(subject.clean[fault.sample], upsets=upsets, weight=weight)


def told(subject: Subject, fault: Fault, result: Result) -> tuple[bool, bool]:
    """Return whether check bits corrected a fault, and whether they detected and couldn't.

    They tell when a word is used: a weight when its source spikes, a threshold when its neuron is
    touched.

    Parameters
    ----------
    subject : Subject
    fault : Fault
    result : Result
        What `run_fault` gives.
    """
    parameters = subject.parameters
    config, records = parameters.config, result.trace
    if config.protection == "none":
        return False, False
    if fault.memory == "weights":
        reading = read_weights(config, parameters.weight, _flip(fault))
        source = _source(parameters, fault.word)
        used = np.any(subject.clean[fault.sample].channels == source) or np.any(
            records["neuron"][records["fired"] == 1] == source - config.inputs)
    else:
        reading = KINDS[PARAMETERS[fault.memory]].read(_flip(fault), subject)
        used = np.any(records["neuron"] == fault.word)
    return bool(used and reading.corrected.any()), bool(used and reading.detected.any())


def _source(parameters, synapse):
    return int(np.searchsorted(parameters.row_start, synapse, side="right")) - 1


def population(subject: Subject, fault: Fault) -> str:
    """Return where a fault strikes: a layer of synapses, or of neurons."""
    parameters = subject.parameters
    config = parameters.config

    def layer(neuron):
        return "output" if neuron >= config.first_output else "hidden"

    if fault.memory in ("weights", "delays"):
        synapse = int(_synapses(parameters, fault)[0])
        source = _source(parameters, synapse)
        origin = "input" if source < config.inputs else layer(source - config.inputs)
        return f"{origin} to {layer(int(parameters.target[synapse]))}"
    return layer(fault.word)


def neuron(subject: Subject, fault: Fault) -> int | None:
    """Return the neuron that a fault strikes, or onto which its synapse leads.

    None for a stored delay whose synapses lead onto several.
    """
    parameters = subject.parameters
    if fault.memory not in ("weights", "delays"):
        return fault.word
    targets = np.unique(parameters.target[_synapses(parameters, fault)])
    return int(targets[0]) if len(targets) == 1 else None


def _synapses(parameters, fault):
    """Return the synapses that a fault of a weight or of a stored delay changes."""
    if fault.memory == "weights":
        return np.array([fault.word])
    return np.flatnonzero(stored_delays(parameters) == fault.word)
