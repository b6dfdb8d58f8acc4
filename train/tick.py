"""A network on the tick grid in floats: the contract's rules without any rounding.

It stands between the exact engine and the integers, to tell what time and what rounding cost.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numba as nb
import numpy as np

from ..model.config import CoreConfig
from ..model.tables import ONE, make_tables

kernel = nb.njit(cache=True, error_model="numpy", nogil=True)


@kernel
def _run(ticks, channels, duration, inputs, spiking, jump, adaptive, decays, row_start, target,
         weight, delay, theta0, beta, readout, ring, first_spike, spike_count, integral):
    """Poll every neuron at every tick. ``ring`` (slots, neurons) is zero before and after."""
    neurons = theta0.size
    p, q, a = np.zeros(neurons), np.zeros(neurons), np.zeros(neurons)
    fired = np.empty(neurons, np.int64)
    mask = ring.shape[0] - 1
    event = 0
    for tick in range(duration):
        n = 0
        for j in range(neurons):
            arrival = ring[tick & mask, j]
            ring[tick & mask, j] = 0.0
            if j >= spiking:
                if arrival != 0.0:
                    integral[j] += arrival * readout[tick]
                continue
            p[j] *= decays[0]
            q[j] *= decays[1]
            a[j] *= decays[2]
            if jump:
                p[j] += arrival
            fires = p[j] - q[j] >= theta0[j] + a[j]
            if fires:
                p[j] = q[j]
                if adaptive:
                    a[j] += beta[j]
                fired[n] = inputs + j
                n += 1
                spike_count[j] += 1
                first_spike[j] = min(first_spike[j], tick)
            if not jump:
                p[j] += arrival
                q[j] += arrival
        while event < ticks.size and ticks[event] == tick:
            source = channels[event]
            for s in range(row_start[source], row_start[source + 1]):
                ring[(tick + delay[s]) & mask, target[s]] += weight[s]
            event += 1
        for i in range(n):
            for s in range(row_start[fired[i]], row_start[fired[i] + 1]):
                ring[(tick + delay[s]) & mask, target[s]] += weight[s]
    ring[:] = 0.0


@dataclass(frozen=True, eq=False, kw_only=True)
class TickNetwork:
    """Float64 parameters in the arrangement of `model.parameters.Parameters`.

    Members
    -------
    config : CoreConfig
        Of which the widths play no role.
    row_start, target, delay : as in `Parameters`.
    weight, theta0, beta : (synapses,), (neurons,), (neurons,) float64, threshold units.
    """

    config: CoreConfig
    row_start: np.ndarray
    target: np.ndarray
    delay: np.ndarray
    weight: np.ndarray
    theta0: np.ndarray
    beta: np.ndarray

    def run(self, samples):
        """Return the scores (samples, outputs) for a list of `TickEvents`.

        First spike ticks, spike counts or integrals, by readout, as `Emulator` does.
        """
        config = self.config
        shape = (len(samples), config.neurons)
        first = np.full(shape, config.ticks, np.int64)
        count, integral = np.zeros(shape, np.int64), np.zeros(shape)
        decays = np.exp(-config.tick / np.array([config.tau_m, config.tau_s, config.tau_a]))
        readout = make_tables(config).readout / ONE

        def work(indices):
            ring = np.zeros((config.slots, config.neurons))
            for i in indices:
                _run(samples[i].ticks, samples[i].channels, config.ticks, config.inputs,
                     config.spiking, config.synapse == "jump", config.adaptive, decays,
                     self.row_start, self.target, self.weight, self.delay, self.theta0,
                     self.beta, readout, ring, first[i], count[i], integral[i])

        workers = os.cpu_count() or 1
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(work, (range(k, len(samples), workers) for k in range(workers))))
        scores = {"first-spike": first, "spike-count": count, "leaky": integral}[config.readout]
        return scores[:, config.first_output:]
