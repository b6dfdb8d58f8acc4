"""What the kernels share: a network on the grid, a tape of spikes, their adjoints."""

from typing import NamedTuple

import numpy as np

LEAKY, FIRST_SPIKE, SPIKE_COUNT = 0, 1, 2

FULL = -1
"""Instead of the number of spikes: they don't fit."""


class Grid(NamedTuple):
    """A network on the grid. ``real`` is float32 or float64.

    ``inputs``, ``neurons``, ``ticks`` : how many. ``slots`` : rows of a ring, 1 more than the
    longest delay. ``spiking`` : populations that fire, before those that don't. ``tick``,
    ``duration`` : ms. ``first`` : (populations + 1,) int64, first neuron of each.

    By population: ``decay`` : (populations, 3) real, factors of P, Q, A in a tick. ``rate`` :
    (populations, 3) real, by how much they were larger a tick ago, 1/ms. ``power`` :
    (populations, 2, ticks) real, factors of lP and lQ in ``ticks``, ``ticks`` - 1, .. 1 ticks.
    ``theta0``, ``beta`` : (neurons,) real.

    By synapse: ``row_start`` : (sources + 1,) int64, where a source's begin. ``weight`` :
    (synapses,) real. ``hop`` : (synapses,) uint32, delay * neurons + target. ``connections`` :
    (connections, 5) int64: target population, first source, sources, first synapse, and the step
    from a source's synapses to the next one's.

    ``readout`` : (ticks + slots,) complex, for leaky outputs K and, as the imaginary part, its
    derivative, 1/ms; 0 after the end.
    """

    inputs: int
    neurons: int
    ticks: int
    slots: int
    spiking: int
    jump: bool
    tick: float
    duration: float
    first: np.ndarray
    decay: np.ndarray
    rate: np.ndarray
    power: np.ndarray
    theta0: np.ndarray
    beta: np.ndarray
    row_start: np.ndarray
    weight: np.ndarray
    hop: np.ndarray
    connections: np.ndarray
    readout: np.ndarray


class Tape(NamedTuple):
    """What a batch did, a row a sample.

    ``begin`` : (batch, inputs + 1) int32 and ``at`` : (batch, events) uint32, the ticks of each
    channel's events. ``tick``, ``neuron`` : (batch, room) int32 of each spike, in order. ``fast``,
    ``slope`` : (batch, room) real, Q just before it and the slope of f, 1/ms; of a jump synapse
    ``slope`` counts the arrivals.
    """

    begin: np.ndarray
    at: np.ndarray
    tick: np.ndarray
    neuron: np.ndarray
    fast: np.ndarray
    slope: np.ndarray


class Spikes(NamedTuple):
    """Adjoints at all spikes of a batch, a row a sample, neuron by neuron.

    ``begin`` : (batch, neurons + 1) int32, where a neuron's spikes begin. ``at`` : (batch, room)
    uint32, their ticks. ``lp``, ``lq`` : (batch, room) real, lP and lQ just before them; with a
    jump synapse ``lq`` holds what the spike's time is worth to each arrival of its tick. ``order``
    : (batch, sources) int32, for each connection's sources an order by number of spikes, counted
    from its first source: loops over spikes of equal length in a row run twice as fast.
    """

    begin: np.ndarray
    at: np.ndarray
    lp: np.ndarray
    lq: np.ndarray
    order: np.ndarray
