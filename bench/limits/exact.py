"""SHD's input layer in continuous time: a delay per synapse, forward and back; tau_m = 2 tau_s.

Neuron by neuron: the arrivals are put in order by buckets, then each interval costs one
exponential, and a crossing is the root of a quadratic.
"""

from math import exp, log, sqrt

import numba as nb
import numpy as np
from measure import best

kernel = nb.njit(cache=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz", "arcp"})

TAU_M = 20.0


@kernel
def _order(times, channels, delays, latest, at, who, fill):
    """Put a neuron's arrivals into ``at`` and ``who``, sorted: into buckets, then by insertion."""
    n = times.shape[0]
    scale = n / (latest * 1.0001)
    fill[:] = 0
    for k in range(n):
        fill[int((times[k] + delays[channels[k]]) * scale) + 1] += 1
    for k in range(n):
        fill[k + 1] += fill[k]
    for k in range(n):
        arrival = times[k] + delays[channels[k]]
        bucket = int(arrival * scale)
        at[fill[bucket]], who[fill[bucket]] = arrival, channels[k]
        fill[bucket] += 1
    for k in range(1, n):
        arrival, channel = at[k], who[k]
        slot = k
        while slot > 0 and at[slot - 1] > arrival:
            at[slot], who[slot] = at[slot - 1], who[slot - 1]
            slot -= 1
        at[slot], who[slot] = arrival, channel


@kernel
def neuron(times, channels, weights, delays, duration, latest, rate, g, buffers, spikes, by_weight,
           by_delay):  # fmt: skip
    """Run one neuron over a recording and sweep back. Returns its spikes.

    ``spikes`` : (room, 3), filled with each spike's time, Q and interval. Every spike has
    dL/dt = ``g``. The threshold is 1.
    """
    at, who, shrink, fill = buffers
    _order(times, channels, delays, latest, at, who, fill)
    n = times.shape[0]
    while n and at[n - 1] > duration:
        n -= 1
    p, q = 0.0, 0.0
    count = 0
    for k in range(n):
        p += weights[who[k]]
        q += weights[who[k]]
        gap = (at[k + 1] if k + 1 < n else duration) - at[k]
        x = exp(-gap * rate)
        shrink[k] = x
        passed = 1.0
        room = p * p - 4.0 * q
        while q > 0.0 and room >= 0.0 and p > 0.0:
            y = (p + sqrt(room)) / (2.0 * q)
            if y > 1.0 or passed * y < x:
                break
            passed *= y
            q *= y * y
            if count == spikes.shape[0]:
                return -1
            spikes[count, 0], spikes[count, 1], spikes[count, 2] = at[k] - log(passed) / rate, q, k
            count += 1
            p = q
            room = p * p - 4.0 * q
        p *= x / passed
        q *= (x / passed) * (x / passed)
    lp, lq = 0.0, 0.0
    last = count - 1
    for back in range(n):
        k = n - 1 - back
        left = at[k + 1] if k + 1 < n else duration
        x = shrink[k]
        while last >= 0 and spikes[last, 2] == k:
            x = exp((spikes[last, 0] - left) * rate)
            left = spikes[last, 0]
            lp *= x
            lq *= x * x
            fast = spikes[last, 1]
            total = g - lp * fast * rate
            r = total / max(2.0 * fast * rate - (1.0 + fast) * rate, 1e-9)
            lq += lp + r
            lp = -r
            last -= 1
            x = exp((at[k] - left) * rate)
        lp *= x
        lq *= x * x
        c = who[k]
        by_weight[c] += lp + lq
        by_delay[c] += weights[c] * rate * (lp + 2.0 * lq)
    return count


class Exact:
    """The kernel's arrays for a `tasks.Shd`, with weights scaled to its rate."""

    def __init__(self, task):
        self.task = task
        self.times, self.channels, _ = task.recordings()
        drawn = task.parameters()
        self.weights = np.ascontiguousarray(drawn["weights"]["input"].T)
        self.delays = np.ascontiguousarray(drawn["delays"]["input"].T)
        self.by_weight, self.by_delay = np.zeros_like(self.weights), np.zeros_like(self.weights)
        n = task.events
        self._buffers = (np.empty(n), np.empty(n, np.int64), np.empty(n), np.empty(n + 1, np.int64))
        self.spikes = np.empty((n, 3))
        plain = self.weights.copy()

        def spikes(scale):
            np.multiply(plain, scale, out=self.weights)
            return self.run(0)

        self.scale = task.calibrate(spikes)

    def one(self, row, j, g):
        """Run neuron ``j`` over recording ``row``; returns its spikes."""
        latest = self.task.duration + self.task.delay_max
        return neuron(
            self.times[row], self.channels[row], self.weights[j], self.delays[j],
            self.task.duration, latest, 1.0 / TAU_M, g, self._buffers, self.spikes,
            self.by_weight[j], self.by_delay[j],
        )  # fmt: skip

    def run(self, row, g=1.0):
        """Run a recording, adding gradients; returns its spikes."""
        return sum(self.one(row, j, g) for j in range(self.task.hidden))


def shd_exact(task, repeats=3):
    """Return CPU milliseconds a recording, input layer only, forward and backward."""
    exact = Exact(task)
    spikes = []

    def batch():
        spikes[:] = [exact.run(row) for row in range(task.samples)]

    cpu, wall = best(batch, repeats)
    return {
        "milliseconds": 1e3 * cpu / task.samples, "wall": 1e3 * wall / task.samples,
        "hidden spikes": float(np.mean(spikes)),
    }  # fmt: skip
