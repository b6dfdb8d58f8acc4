"""Cycles of a core, sample by sample, from a twin of its control."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from .bank import (
    BANK,
    COUNTED,
    GROUP_BITS,
    NOBODY,
    VISIT_CYCLES,
    Banks,
)
from .cursorcontrol import WAITS, Wheels
from .cursors import bank_order, cut_rows, stretches
from .events import check_events
from .relay import HEARD, RELAY
from .rows import BankRows, bank_rows
from .schedule import CORE, Stalls, run_core
from .sizes import FEWEST_SLOTS, LOOKUP, WHEEL_TICKS, chunk_bits


@dataclass(frozen=True, eq=False)
class Cycles:
    """What samples cost on a core.

    Members
    -------
    cycles : (samples,) int64
        From the first tick of a sample to its last: the core's register of that name.
    latency : (samples,) int64
        Cycles from the first word that is taken on ``i`` to the decision on ``o``.
    counts : dict of str to (samples,) int64
        What happened, in all banks together: the names are those of `bank.COUNTED`.
    """

    cycles: np.ndarray
    latency: np.ndarray
    counts: dict


def _rows(parameters, bank):
    """Return the `BankRows` of a bank, and the ends of stretches in them, as `Wheels` has both."""
    if not cut_rows(parameters.config):
        return bank_rows(parameters, bank), np.zeros(0, np.int64)
    source, place = bank_order(parameters, bank)
    gap, end = stretches(source, parameters.delay[place])
    sources = parameters.config.sources
    nothing = np.zeros(sources, np.int64)
    start = np.searchsorted(source, np.arange(sources + 1))
    return BankRows(start, nothing, nothing, nothing, place), end * (1 + (gap == 0))


class CycleModel:
    """Predicts what samples cost on a core.

    The numbers are those of the gateware, where input words and outputs wait for nobody. Stalls are
    drawn, as a simulator draws them. A spike that finds no free cursor is lost here too (``lost``
    in the counts), which the emulator doesn't know.

    Parameters
    ----------
    parameters : Parameters

    Raises
    ------
    ValueError
        If the core runs streams.
    """

    def __init__(self, parameters):
        config = parameters.config
        if config.streaming:
            raise ValueError("Cycles can be predicted of a core that runs samples, not streams")
        self._parameters = parameters
        rows, ends = zip(*(_rows(parameters, k) for k in range(config.banks)), strict=True)
        words = np.cumsum([0, *(each.place.size for each in rows)])
        place = np.concatenate([each.place for each in rows])
        self._wheels_fixed = {
            "cursors": config.cursors, "whole": not cut_rows(config),
            "ends": np.concatenate(ends), "row_delay": np.array([each.delay for each in rows]),
        }
        self._fixed = {
            "slots": config.slots, "wheel": max(FEWEST_SLOTS, *config.wheel_sizes),
            "segments": config.segments, "dendritic": config.dendrites > 0,
            "chunk_bits": chunk_bits(config.bank_neurons),
            "jump": config.synapse == "jump", "top": config.trace_top,
            "guard_bits": config.guard_bits, "wake_bits": config.wake_bits,
            "slope_bits": config.slope_bits,
            "visit_cycles": VISIT_CYCLES[config.synapse],
            "spiking": -(-(config.spiking - np.arange(config.banks)) // config.banks),
            "row_start": np.array([k.start + word for k, word in zip(rows, words, strict=False)]),
            "target": np.where(
                place < 0, NOBODY, parameters.target[place].astype(np.int64) // config.banks),
            "delay": parameters.delay[place].astype(np.int64),
            "weight": parameters.weight[place].astype(np.int64),
            "theta0": self._by_bank(parameters.theta0), "beta": self._by_bank(parameters.beta),
            "tables": parameters.tables,
        }

    @property
    def parameters(self):
        """The design whose costs are predicted."""
        return self._parameters

    def _by_bank(self, values):
        """Return values of neurons as (banks, local neurons); 0 where there's none."""
        config = self._parameters.config
        padded = np.zeros(config.bank_neurons * config.banks, np.int64)
        padded[: config.neurons] = values
        return np.ascontiguousarray(padded.reshape(-1, config.banks).T)

    def _banks(self):
        """Return `Banks` at rest."""
        config = self._parameters.config
        shape = (config.banks, config.bank_neurons)
        kinds, places = len(config.wheel_sizes), max(config.wheel_sizes)
        return Banks(
            **self._fixed, traces=np.zeros((*shape, 3), np.int64), last=np.zeros(shape, np.int64),
            wake=np.full(shape, NOBODY, np.int64),
            sums=np.zeros((config.banks, config.slots, config.bank_neurons), np.int64),
            marks=np.zeros((config.banks, kinds, places, config.bank_neurons), np.uint8),
            groups=np.zeros((config.banks, self._fixed["wheel"] >> GROUP_BITS), np.int64))

    def _wheels(self):
        """Return `Wheels` at rest."""
        config = self._parameters.config
        slots = config.wheel_slots if config.cursors else 0
        cursors, heads = (np.zeros((config.banks, count), np.int64)
                          for count in (config.cursors, slots))
        return Wheels(
            **self._wheels_fixed, pointer=cursors, at=cursors.copy(), following=cursors.copy(),
            heads=heads,
            marks=np.zeros((config.banks, slots * WHEEL_TICKS // LOOKUP), np.int64))

    def run(self, samples, *, stall=0.0, seed=0, threads=None):
        """Run samples, each from rest, on ``threads`` threads (default: all processors).

        Parameters
        ----------
        samples : sequence of TickEvents
            As an `Emulator` takes them.
        stall : float
            Probability, below 1, with which each of the three streams is held up on a cycle.
        seed : int
            Of the stalls.

        Returns
        -------
        Cycles

        Raises
        ------
        ValueError
            If events are unsorted, repeated or out of range.
        """
        config = self._parameters.config
        for events in samples:
            check_events(events, config)
        found, counts = np.zeros((len(samples), 2), np.int64), np.zeros(
            (len(samples), len(COUNTED)), np.int64)
        workers = threads or os.cpu_count()

        def work(first):
            banks, wheels = self._banks(), self._wheels()
            for n in range(first, len(samples), workers):
                events = samples[n]
                stalls = Stalls(np.uint64(stall * 2**32), np.uint64((seed << 32) + n))
                found[n] = run_core(
                    np.asarray(events.ticks, np.int64), np.asarray(events.channels, np.int32),
                    config.ticks, config.inputs, config.counting_cycles, config.outputs,
                    np.zeros(1, CORE), np.zeros(1, HEARD),
                    np.zeros(config.banks * config.relays, RELAY), np.zeros(config.banks, BANK),
                    np.zeros(config.banks, WAITS), banks, wheels, stalls, counts[n])

        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(work, range(workers)))
        return Cycles(found[:, 0], found[:, 1], dict(zip(COUNTED, counts.T, strict=True)))
