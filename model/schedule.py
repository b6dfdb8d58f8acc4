"""The control of a core, cycle by cycle: scheduler, and the joins between its banks."""

from typing import NamedTuple

import numpy as np

from .bank import GROUP, GROUP_BITS, NOBODY
from .control import is_idle, step
from .cursorcontrol import (
    due_cursors,
    fetch_waiting,
    forget,
    rest,
    takes_waiting,
    waits_rest,
)
from .fetch import fetch, takes_source
from .jit import allocating_kernel, kernel
from .relay import carry, seems_idle, tell

LOOK_CYCLES = 6  # from a look at a group to the judgement of what it shows, without relays
RANKING_CYCLES = 2  # to find the decision, besides one per class

CORE = np.dtype([(name, np.int64) for name in (
    # Scheduler.
    "tick", "ticking", "looking", "calm", "later", "busy", "passed", "group", "found", "offset",
    "work_first", "word_first",
    # Spikes and their fork, records, sources and their buffer.
    "spiked", "spike", "latest_spike", "forked", "traced", "latest_trace",
    "sourced", "source", "latest_source", "held", "held_source", "spared", "spare_source",
)] + [("random", np.uint64)], align=True)


class Stalls(NamedTuple):
    """How often each of the three streams is held up: a probability times 2^32, and a seed."""

    rate: np.uint64
    seed: np.uint64


@kernel
def _flows(core, rate):
    """Return whether a stream isn't held up in this cycle (SplitMix64)."""
    if rate == 0:
        return True
    core.random += np.uint64(0x9E3779B97F4A7C15)
    z = core.random
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (z ^ (z >> np.uint64(31))) >> np.uint64(32) >= rate


@kernel
def _turn(valid, latest):
    """Return whose turn it is in a merge, or `NOBODY`: the next one after the latest."""
    for k in range(latest + 1, valid.size):
        if valid[k]:
            return k
    for k in range(latest + 1):
        if valid[k]:
            return k
    return NOBODY


@kernel
def _join_sources(core, event, channel, inputs, served):
    """Merge spikes and input events into the buffer of sources.

    Returns whether the fork's spike and whether the event is taken.
    """
    offered = core.spiked and not core.forked & 2
    free = not (core.sourced and core.spared)
    spike_next = offered and not (event and core.latest_source == 0)
    moves, source = core.sourced, core.source
    ready = not core.spared
    if free:
        core.sourced = offered or event
        if core.sourced:
            core.latest_source = 0 if spike_next else 1
            core.source = inputs + core.spike if spike_next else channel
    if ready:
        core.spare_source = source
    if served or not core.held:
        core.held, core.held_source = core.spared or moves, core.spare_source
        core.spared = 0
    elif moves:
        core.spared = 1
    return free and spike_next, free and event and not spike_next


@kernel
def _join_spikes(core, o_ready, source_taken, turn, neuron):
    """Let the fork hand on its spike, and the merge of spikes take another; returns of whom."""
    served = core.forked | o_ready | source_taken << 1
    taken = core.spiked and served == 3
    if core.spiked:
        core.forked = 0 if taken else served
    if core.spiked and not taken:
        return NOBODY
    core.spiked = turn != NOBODY
    if core.spiked:
        core.latest_spike, core.spike = turn, neuron[turn] * neuron.size + turn
    return turn


@kernel
def _lowest(word):
    """Return the index of the lowest bit that is set; 0 if none is."""
    index = 0
    while index < GROUP - 1 and word and not word >> index & 1:
        index += 1
    return index if word else 0


@kernel
def _schedule(core, settled, busy, valid, taken, word_tick, last, look_cycles):
    """Take the scheduler through a cycle of a tick.

    Returns whether a tick starts, which, whether a group is looked at, and whether the sample
    ends.
    """
    over = core.ticking and core.looking == 0 and core.calm and core.later
    first = core.ticking == 0 and valid
    start = first or (over and (core.work_first or (core.word_first and not last)))
    upcoming = core.group * GROUP + core.offset if core.work_first else word_tick
    upcoming = 0 if first else upcoming
    ends = over and not start and core.word_first
    look = core.looking == 1

    left = core.busy & ~core.passed
    core.work_first = core.found and core.group * GROUP + core.offset < word_tick
    core.word_first = core.found or word_tick >> GROUP_BITS == core.group
    core.found, core.offset, core.busy = left != 0, _lowest(left), busy
    if start:
        core.passed = (2 << (upcoming & (GROUP - 1))) - 1
    if look:
        core.passed = 0
    core.calm = settled and not start and not taken and not ends
    core.later = valid and (last or word_tick != core.tick)
    if core.looking:
        core.looking = 0 if core.looking == look_cycles else core.looking + 1
    elif over and not start and not ends:
        core.group += 1
        core.looking = 1
    if start:
        core.tick, core.ticking = upcoming, 1
    return start, upcoming, look, ends


@allocating_kernel
def run_core(ticks, channels, duration, inputs, counting, outputs, cores, heard, relays, units,
             waits, banks, wheels, stalls, counts):
    """Run one sample; banks and wheels are at rest and are left so, ``counts`` are added to.

    ``cores`` (1,), ``heard`` (1,), ``relays`` (banks,), or (0,) without, ``units`` and ``waits``
    (banks,) are registers, all 0. They're the caller's, since a record doesn't keep its array.
    Returns the sample's cycles, and those from the first word that is taken to the decision.
    """
    core, waiting, far = cores[0], wheels.cursors > 0, relays.size > 0
    for k in range(units.size):
        units[k].due = units[k].changed = NOBODY
        rest(waits[k])
    spiking, tracing = np.zeros(units.size, np.bool_), np.zeros(units.size, np.bool_)
    takes, idle = np.zeros(units.size, np.bool_), np.zeros(units.size, np.bool_)
    free, neuron = np.zeros(units.size, np.bool_), np.zeros(units.size, np.int64)
    core.random = stalls.seed
    word, offered, cycle, first = 0, False, 0, -1
    while True:
        offered = offered or _flows(core, stalls.rate)
        o_ready, trace_ready = _flows(core, stalls.rate), _flows(core, stalls.rate)
        last = word == ticks.size
        word_tick = duration if last else ticks[word]
        event = offered and core.ticking and not last and word_tick == core.tick
        for k in range(units.size):
            if far:
                relay = relays[k]
                spiking[k], tracing[k], neuron[k] = relay.spiked, relay.traced, relay.neuron
            else:
                spiking[k], tracing[k], neuron[k] = units[k].spike, units[k].traced, units[k].neuron
        trace_taken = NOBODY
        if trace_ready or not core.traced:
            trace_taken = _turn(tracing, core.latest_trace)
            core.traced = trace_taken != NOBODY
            core.latest_trace = trace_taken if core.traced else core.latest_trace
        settled = not (core.spiked or core.sourced or core.held)
        busy, served = 0, True
        for k in range(units.size):
            bank = units[k]
            busy |= bank.busy
            idle[k] = is_idle(bank, not relays[k].traced if far else trace_taken == k)
            takes[k] = takes_source(bank)
            if waiting:
                busy |= due_cursors(waits[k])
                idle[k] = idle[k] and waits_rest(bank, waits[k])
                takes[k] = takes[k] and takes_waiting(waits[k], wheels)
            seems = seems_idle(relays[k], heard[0].start, trace_taken == k) if far else idle[k]
            settled = settled and seems
            free[k] = not relays[k].spared if far else takes[k]
            served = served and (bank.served or free[k])
        held, held_source, tick = core.held, core.held_source, core.tick
        source_taken, event_taken = _join_sources(
            core, event, 0 if last else channels[word], inputs, served)
        spike_taken = _join_spikes(core, o_ready, source_taken, _turn(spiking, core.latest_spike),
                                   neuron)
        group, expected = core.group, core.ticking and core.work_first
        foreseen = core.group * GROUP + core.offset if core.found else NOBODY
        start, upcoming, look, ends = _schedule(
            core, settled, busy, offered, event_taken, word_tick, last, LOOK_CYCLES + far)
        if far:
            tick, start, look, upcoming, group, foreseen, expected = tell(
                heard[0], tick, start, look, upcoming, group, foreseen, expected)
        for k in range(units.size):
            bank = units[k]
            offers, source = held and not bank.served, held_source
            if held:
                bank.served = not served and (bank.served or free[k])
            spike_ready, trace_ready = spike_taken == k, trace_taken == k
            if far:
                offers, source, spike_ready, trace_ready = carry(
                    relays[k], bank, idle[k], start, offers, source, takes[k], spike_ready,
                    trace_ready)
            ready = step(bank, k, tick, start, look, upcoming, group, foreseen, expected,
                         spike_ready, trace_ready, banks, counts)
            if waiting:
                fetch_waiting(bank, waits[k], ready, k, tick, start, look, upcoming, group, offers,
                              source, banks, wheels, counts)
            else:
                fetch(bank, ready, k, offers, source, banks, counts)
        if (event_taken or ends) and first < 0:
            first = cycle
        if ends:
            break
        if event_taken:
            word, offered = word + 1, False
        cycle += core.ticking
    decided = cycle + 1 + counting + outputs + RANKING_CYCLES
    while not _flows(core, stalls.rate):
        decided += 1
    _forget(banks)
    forget(wheels)
    return cycle, decided - first


@kernel
def _forget(banks):
    """Bring what a sample changes to rest."""
    banks.traces[:] = 0
    banks.last[:] = 0
    banks.wake[:] = NOBODY
    banks.sums[:] = 0
    banks.marks[:] = 0
    banks.groups[:] = 0
