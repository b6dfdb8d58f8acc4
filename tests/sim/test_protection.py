"""Cores whose words have check bits, with flipped bits: the RTL against the model."""

import numpy as np
import pytest

from ranvier.hw.images import synapse_places
from ranvier.hw.registers import ERRORS
from ranvier.model.emulator import Emulator
from ranvier.model.protection import read_weights
from ranvier.sim.cxxrtl import CxxrtlSimulator
from ranvier.sim.simulation import check_results

from ..designs import random_config, random_events, random_parameters

BOTH = {"delays": "axonal+dendritic", "segments": 2}
CURSORS = {"buffer": "cursor", "cursors": 1024, "delay_max": 40}
CASES = {
    "parity": {"protection": "parity"},
    "secded": {"protection": "secded", "banks": 1, "readout": "leaky"},
    "dense, secded": BOTH | {"protection": "secded", "rows": "dense"},
    "dense, parity": {"protection": "parity", "rows": "dense", "synapse": "jump"},
    "cursors, secded": CURSORS | {"protection": "secded", "banks": 1},
    "axonal cursors, parity": CURSORS | BOTH | {"protection": "parity"},
}


def draw(name):
    """Return parameters of a case, two samples, and what draws flips."""
    rng = np.random.default_rng(sorted(CASES).index(name))
    config = random_config(rng, neurons=9, inputs=6, **{"delay_max": 20, "banks": 2} | CASES[name])
    parameters = random_parameters(rng, config)
    return parameters, [random_events(rng, config, rate=0.1) for _ in range(2)], rng


def random_flips(rng, words, bits, most):
    """Return up to ``most`` flips in each of some words, (flips, 2): place and bit."""
    return np.array([(place, bit) for place in np.flatnonzero(rng.random(words) < 0.3)
                     for bit in rng.choice(bits, rng.integers(1, most + 1), replace=False)])


def spikes(parameters, events, result):
    """Return how often each source has spiked, (sources,) int64."""
    config = parameters.config
    fired = result.trace["neuron"][result.trace["fired"] == 1]
    return np.concatenate([np.bincount(events.channels, minlength=config.inputs),
                           np.bincount(fired, minlength=config.neurons)])


def check_counts(run, corrected, detected, *, all_sent=True):
    """Check the counters of bad words of a run, and the error's bit."""
    counts = run.counters["corrected"], run.counters["detected"]
    if all_sent:
        assert counts == (corrected, detected)
    else:  # rows that arrive after the end aren't always sent before it
        assert counts[0] <= corrected and counts[1] <= detected
    assert run.counters["errors"] == (counts[1] > 0) << ERRORS.index("detected")


@pytest.mark.parametrize("name", CASES)
def test_flipped_weights_are_read_as_the_model_says(builds, name):
    parameters, samples, rng = draw(name)
    config, protection = parameters.config, parameters.config.protection
    simulator = CxxrtlSimulator(parameters, builds)
    bank, address = synapse_places(parameters)
    source = np.repeat(np.arange(config.sources), np.diff(parameters.row_start))
    bits = config.code(config.weight_bits).bits
    for events in samples:
        flips = random_flips(rng, source.size, bits, 3 if protection == "parity" else 2)
        reading = read_weights(config, parameters.weight, flips)
        result = Emulator(parameters).run(events, weight=reading.values)
        run, = simulator.run([events], flips=[list(zip(
            bank[flips[:, 0]].tolist(), address[flips[:, 0]].tolist(), flips[:, 1].tolist(),
            strict=True))])
        check_results([run], [result])
        times = spikes(parameters, events, result)[source]
        check_counts(run, times @ reading.corrected, times @ reading.detected,
                     all_sent=config.buffer == "ring")
        assert run.counters["detected"] > 0
        assert (run.counters["corrected"] > 0) == (protection == "secded")
        assert reading.values.tolist() != parameters.weight.tolist()
    run, = simulator.run([samples[0]], expected=[Emulator(parameters).run(samples[0])])
    assert run.counters["corrected"] == run.counters["detected"] == 0
