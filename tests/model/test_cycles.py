import dataclasses

import numpy as np

from ranvier.model.counters import COUNTERS, INPUT_EVENTS, LOOKS, SPIKES, SYNAPTIC_EVENTS, TOUCHES
from ranvier.model.cycles import predicted_cycles, traffic
from ranvier.model.emulator import Emulator

from ..designs import random_config, random_events, random_parameters


def test_traffic_counts_words():
    counters = np.zeros(COUNTERS, np.int64)
    counters[[TOUCHES, LOOKS, SPIKES]] = 10, 5, 3
    counters[[INPUT_EVENTS, SYNAPTIC_EVENTS]] = 4, 100
    found = traffic(counters)
    assert (found.state, found.synapses, found.accumulators, found.rows) == (30, 100, 210, 14)
    assert found.total == 354


def test_more_banks_take_fewer_cycles():
    rng = np.random.default_rng(2)
    config = random_config(rng, neurons=8, banks=1)
    counters = Emulator(random_parameters(rng, config)).run(random_events(rng, config)).counters
    one = predicted_cycles(config, counters)
    four = predicted_cycles(dataclasses.replace(config, banks=4), counters)
    assert config.ticks < four < one
