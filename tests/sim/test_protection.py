"""Cores whose words have check bits, with flipped bits: the RTL against the model."""

import numpy as np
import pytest

from ranvier.hw.images import synapse_places
from ranvier.hw.payloads import Memory
from ranvier.hw.registers import ERRORS
from ranvier.model.cycles import CycleModel
from ranvier.model.disturbed import disturbed
from ranvier.model.emulator import Emulator
from ranvier.model.rows import bank_rows
from ranvier.sim.bus import flip_program, load_program
from ranvier.sim.cxxrtl import CxxrtlSimulator
from ranvier.sim.simulation import check_results

from ..designs import random_config, random_events, random_parameters

BOTH = {"delays": "axonal+dendritic", "segments": 2}
CURSORS = {"buffer": "cursor", "cursors": 1024, "delay_max": 40}
CASES = {
    "parity": {"protection": "parity"},
    "secded": {"protection": "secded", "banks": 1, "readout": "leaky", "outputs": 3},
    "dense, secded": BOTH | {"protection": "secded", "rows": "dense"},
    "dense, parity": {"protection": "parity", "rows": "dense", "synapse": "jump"},
    "cursors, secded": CURSORS | {"protection": "secded", "banks": 1},
    "axonal cursors, parity": CURSORS | BOTH | {"protection": "parity"},
}
MOST = {"parity": 1, "secded": 2}  # flips of a word after which no wrong one is taken for right


def draw(name):
    """Return parameters of a case, two samples, and what draws flips."""
    rng = np.random.default_rng(sorted(CASES).index(name))
    fixed = {"adaptive": True, "delay_max": 20, "banks": 2} | CASES[name]
    config = random_config(rng, neurons=9, inputs=6, **fixed)
    parameters = random_parameters(rng, config)
    return parameters, [random_events(rng, config, rate=0.1) for _ in range(2)], rng


def places(parameters):
    """Return where each word is that `disturbed` knows: banks and addresses, by memory."""
    config = parameters.config
    neurons, rows = np.arange(config.neurons), np.arange(config.banks * config.row_words)
    found = {name: (neurons % config.banks, neurons // config.banks) for name in ("theta0", "beta")}
    found["rows"] = rows // config.row_words, rows % config.row_words
    found["weights"] = synapse_places(parameters)
    if config.link_bits:
        found["links"] = found["weights"]
    if config.dendrites:
        found["dendrites"] = (
            np.repeat(neurons % config.banks, config.dendrites),
            ((neurons // config.banks)[:, None] * config.dendrites
             + np.arange(config.dendrites)).ravel())
    return found


def random_flips(rng, config, name, words):
    """Return some flips in some words of a memory, (flips, 2): place and bit."""
    width = {"rows": config.row_bits, "weights": config.weight_bits, "links": config.link_bits,
             "dendrites": config.dendritic_bits}.get(name, config.threshold_bits)
    share = 0.05 if name == "rows" else 0.3
    return np.array([
        (place, bit) for place in np.flatnonzero(rng.random(words) < share)
        for bit in rng.choice(config.code(width).bits, rng.integers(1, MOST[config.protection] + 1),
                              replace=False)], np.int64).reshape(-1, 2)


def run_flipped(simulator, events, flips, where, *, restore=True):
    """Return a run with flips in some memories of the core, which is loaded."""
    back = []
    for name, some in flips.items():
        bank, address = (values[some[:, 0]].tolist() for values in where[name])
        rows = list(zip(bank, address, some[:, 1].tolist(), strict=True))
        there, home = flip_program(simulator.parameters, rows, Memory[name.upper()])
        simulator._bus(there)
        back.append(home)
    run, = simulator.run([events])
    for program in back if restore else ():
        simulator._bus(program)
    return run


class Counts:
    """How often each word of a core with the ring is used in a sample.

    ``read`` is the design as the core reads it, ``readings`` what was bad.
    """

    def __init__(self, parameters, read, readings, events, result):
        self.parameters, self.read, config = parameters, read, parameters.config
        fired = result.trace["neuron"][result.trace["fired"] == 1]
        self.times = np.concatenate([np.bincount(events.channels, minlength=config.inputs),
                                     np.bincount(fired, minlength=config.neurons)])
        self.touches = np.bincount(result.trace["neuron"], minlength=config.neurons)
        self.touches[config.spiking :] = 0  # leaky outputs have no thresholds
        self.bad_rows = np.zeros((config.banks, config.row_words), bool)
        if "rows" in readings:
            self.bad_rows = readings["rows"].detected.reshape(self.bad_rows.shape)

    def synapses(self, parameters):
        """Return how often each synapse's source has spiked."""
        return np.repeat(self.times, np.diff(parameters.row_start))

    def streamed(self):
        """Return how often each synapse was streamed: not in rows between bad words."""
        bank, address = synapse_places(self.parameters)
        row = np.zeros_like(bank)
        for k in range(self.parameters.config.banks):
            start = bank_rows(self.parameters, k).start
            row[bank == k] = np.searchsorted(start, address[bank == k], "right") - 1
        bad = self.bad_rows[bank, row] | self.bad_rows[bank, row + 1]
        return self.synapses(self.parameters) * ~bad

    def of(self, memory, flags):
        """Return how often the words that have flags are used."""
        config, read = self.parameters.config, self.read
        if memory in ("weights", "links"):
            return self.streamed() @ flags
        if memory == "rows":
            flags = flags.reshape(self.bad_rows.shape)
            pairs = flags[:, :-1].astype(int) + flags[:, 1:]
            return (np.repeat(self.times, config.segments) * pairs).sum()
        if memory == "dendrites":
            kind = np.repeat(read.kind, np.diff(read.row_start)) if config.dendrites else 0
            return self.synapses(read) @ flags[read.target * config.dendrites + kind]
        return self.touches @ flags


@pytest.mark.parametrize("name", CASES)
def test_flipped_words_are_read_as_the_model_says(builds, name):
    parameters, samples, rng = draw(name)
    config = parameters.config
    simulator, where = CxxrtlSimulator(parameters, builds), places(parameters)
    clean = Emulator(parameters).run(samples[0])
    run, = simulator.run([samples[0]], expected=[clean])
    assert run.counters["corrected"] == run.counters["detected"] == run.counters["errors"] == 0
    assert CycleModel(parameters).run(samples[:1]).latency.tolist() == [simulator.latency]
    total = np.zeros(2, int)
    for memories in (*([memory] for memory in where), list(where)):
        for events in samples:
            flips = {memory: random_flips(rng, config, memory, where[memory][0].size)
                     for memory in memories}
            read, readings = disturbed(parameters, flips)
            result = Emulator(read).run(events)
            run = run_flipped(simulator, events, flips, where)
            counts = Counts(parameters, read, readings, events, result)
            check_results([run], [result])
            got = [run.counters["corrected"], run.counters["detected"]]
            total += got
            if config.cursors:
                continue  # rows that arrive after the end aren't always sent before it
            wanted = [sum(counts.of(memory, getattr(reading, kind))
                          for memory, reading in readings.items())
                      for kind in ("corrected", "detected")]
            assert got == wanted, memories
            if got[1]:
                assert run.counters["errors"] == 1 << ERRORS.index("detected")
    run = run_flipped(simulator, samples[0], flips, where, restore=False)
    assert run.counters["detected"] > 0
    simulator._bus(load_program(parameters))  # a reload is all that a scrub would be
    run, = simulator.run(samples[:1], expected=[clean])
    assert run.counters["corrected"] == run.counters["detected"] == 0
    assert (total > 0).tolist() == [config.protection == "secded", True]
