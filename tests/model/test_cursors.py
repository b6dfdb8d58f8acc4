"""Rows of the cursor buffer, and how many cursors they need."""
from dataclasses import replace

import numpy as np
import pytest

from ranvier.model.counters import SYNAPTIC_EVENTS
from ranvier.model.cursors import STRETCH, bank_order, holds, stretches
from ranvier.model.emulator import Emulator
from ranvier.model.events import TickEvents
from ranvier.model.flight import needed_cursors
from ranvier.model.parameters import Parameters
from ranvier.model.sizes import WHEEL_TICKS

from ..designs import random_config, random_events, random_parameters


def cursor_design(seed, **fixed):
    rng = np.random.default_rng(seed)
    config = random_config(rng, buffer="cursor", cursors=64, **fixed)
    return random_parameters(rng, config), random_events(rng, config)


@pytest.mark.parametrize("seed", range(4))
def test_stretches_are_short_and_far_apart(seed):
    parameters, _ = cursor_design(seed, delay_max=60)
    for bank in range(parameters.config.banks):
        source, place = bank_order(parameters, bank)
        assert sorted(place) == np.flatnonzero(
            parameters.target % parameters.config.banks == bank).tolist()
        delay = parameters.delay[place].tolist()
        gap, end = stretches(source, delay)
        first = 0
        for k in range(source.size):
            assert parameters.row_start[source[k]] <= place[k] < parameters.row_start[source[k] + 1]
            last = k + 1 == source.size or source[k + 1] != source[k]
            assert gap[k] == (0 if last else delay[k + 1] - delay[k])
            assert delay[k] - delay[first] < STRETCH
            assert holds(parameters)[place[k]] == delay[first]
            if end[k]:
                assert last or delay[k + 1] - delay[first] >= STRETCH
                first = k + 1
            assert end[k] or not last


def waiting(parameters, spikes):
    """Return the most spikes that wait at once in a bank after a tick, counted tick by tick."""
    config = parameters.config
    hold, most = holds(parameters), 0
    for bank in range(config.banks):
        ends = []
        for tick, source in spikes:
            row = range(parameters.row_start[source], parameters.row_start[source + 1])
            rests = [int(hold[s]) for s in row if parameters.target[s] % config.banks == bank]
            slot = (tick + max(rests, default=0)) // WHEEL_TICKS - 1
            if slot > tick // WHEEL_TICKS:  # until its last tick at the latest
                ends.append((tick, (slot + 1) * WHEEL_TICKS - 1))
        for now in range(config.ticks):
            most = max(most, sum(tick <= now < end for tick, end in ends))
    return most


@pytest.mark.parametrize("seed", range(4))
def test_needed_cursors_are_those_of_all_spikes_that_wait(seed):
    parameters, events = cursor_design(seed, ticks=80)
    quiet = TickEvents(ticks=events.ticks[:2], channels=events.channels[:2])
    fired = Emulator(parameters).run(events).trace
    fired = fired[fired["fired"] == 1]
    spikes = list(zip(events.ticks, events.channels, strict=True)) + list(
        zip(fired["tick"], fired["neuron"] + parameters.config.inputs, strict=True))
    assert needed_cursors(parameters, [quiet, events]) == 1 + waiting(parameters, spikes)
    assert needed_cursors(parameters, []) == 1


def test_the_buffer_changes_no_result_but_what_is_never_sent():
    parameters, events = cursor_design(5, ticks=70, delay_max=300)
    ring = Parameters(**{**vars(parameters), "config": replace(
        parameters.config, buffer="ring", cursors=0)})
    here, there = (Emulator(design).run(events) for design in (parameters, ring))
    assert here.trace.tolist() == there.trace.tolist()
    assert here.counters[SYNAPTIC_EVENTS] < there.counters[SYNAPTIC_EVENTS]
    others = np.arange(here.counters.size) != SYNAPTIC_EVENTS
    assert here.counters[others].tolist() == there.counters[others].tolist()
