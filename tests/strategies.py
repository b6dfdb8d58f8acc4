"""Random pairs of network and stimulus for whole cores, with what the model says of them."""

from dataclasses import dataclass
from itertools import product

import numpy as np

from ranvier.model.config import READOUTS, SYNAPSES
from ranvier.model.emulator import Emulator, Result
from ranvier.model.events import TickEvents
from ranvier.model.parameters import Parameters

from . import naive
from .designs import random_config, random_events, random_parameters

RATES = (None, None, None, 0.0, 1.0)  # None: drawn


@dataclass(frozen=True)
class Pair:
    """A network, a stimulus and the emulator's result, which the oracle has confirmed."""

    parameters: Parameters
    events: TickEvents
    result: Result


def core_configs():
    """Return 19 configs: 1 to 4 banks, both synapses, with and without adaptation, both buffers.

    Four of the last five have delays of sources, or of sources and targets; the last has 8 banks.
    """
    kinds = list(product(SYNAPSES, (True, False)))
    shapes = [*product((1, 2), kinds), (3, kinds[0]), (3, kinds[3]), (4, kinds[1]), (4, kinds[2])]
    shapes += [(1, kinds[0]), (2, kinds[2])]
    configs = []
    for n, (banks, (synapse, adaptive)) in enumerate(shapes):
        rng = np.random.default_rng(100 + n)
        narrow = {"guard_bits": 8, "trace_bits": 18} if n % 2 else {}  # traces that saturate
        cursor = {"buffer": "cursor", "cursors": 1024, "delay_max": 7 ** (n - 11)}
        configs.append(random_config(
            rng, **(cursor if n > 11 else {}), banks=banks, synapse=synapse,
            adaptive=adaptive, readout=READOUTS[n % 3],
            neurons=int(rng.integers(4, 14)), ticks=int(rng.integers(60, 150)), **narrow))
    return configs + [_parted(n) for n in range(4)] + [random_config(
        np.random.default_rng(118), banks=8, synapse="exponential", readout="leaky", neurons=12,
        ticks=100)]


def _parted(n):
    """Return one of four configs in which delays aren't synaptic: dense or with cursors too."""
    axonal = {"delays": "axonal", "segments": 2, "delay_max": 45}
    both = {"delays": "axonal+dendritic", "segments": 2}
    cursor = {"buffer": "cursor", "cursors": 2048, "rows": "dense"}
    fixed = [both, cursor | axonal, both | {"rows": "dense", "dendrites": 4},
             cursor | both | {"delay_max": 90, "dendritic_max": 20, "rows": "sparse"}][n]
    return random_config(
        np.random.default_rng(200 + n), banks=1 + n % 2, synapse=SYNAPSES[n // 3],
        readout=READOUTS[n % 3], neurons=6 + 2 * n, ticks=110, **fixed)


def random_pairs(config, count, seed=0):
    """Return ``count`` pairs for a config: feedforward and recurrent networks in turn.

    Raises
    ------
    AssertionError
        If emulator and oracle differ.
    """
    pairs = []
    for n in range(count):
        rng = np.random.default_rng([seed, n])
        parameters = random_parameters(rng, config, recurrent=bool(n % 2))
        events = random_events(rng, config, rate=RATES[n % len(RATES)])
        result = Emulator(parameters).run(events)
        records, decision, saturations = naive.run(parameters, events.ticks, events.channels)
        assert result.trace.tolist() == records
        assert (result.decision, result.counters[0]) == (decision, saturations)
        pairs.append(Pair(parameters, events, result))
    return pairs
