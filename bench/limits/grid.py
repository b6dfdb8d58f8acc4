"""SHD's shape on a tick grid: a delay per synapse, recurrent, forward and the adjoint back.

At each tick the traces decay, neurons whose V = P - Q has reached 1 fire, and arrivals add to P
and Q: the rules of docs/contract.md. The tape is four numbers a spike.
"""

from math import exp

import numba as nb
import numpy as np
from measure import Peak, best

kernel = nb.njit(cache=True, error_model="numpy", fastmath=True)

F = np.float32


@kernel
def forward(start, channels, weights, delays, decays, rates, readout, ring, tape, first, score):
    """Run one recording. Returns its hidden spikes, or -1 if the tape is full.

    ``start`` : (steps + 1,) int64, where each tick's events begin in ``channels``. ``weights`` :
    (inputs, hidden), (hidden, hidden), (hidden, outputs) float32; ``delays`` : of the first two,
    in ticks. ``readout`` : (2, steps + 1), what an arrival of weight 1 adds to a score, and its
    derivative by time. ``ring`` : (slots * hidden,) float32. ``tape`` : tick, neuron,
    Q and rise of V over the last tick of each spike.
    """
    w_in, w_rec, w_out = weights
    d_in, d_rec = delays
    at, who, q_of, slope_of = tape
    rate_m, rate_s = rates
    hidden, outputs = w_out.shape
    mask = ring.shape[0] // hidden - 1
    p, q = np.zeros(hidden, np.float32), np.zeros(hidden, np.float32)
    slow, quick = decays
    ring[:] = F(0.0)
    score[:] = F(0.0)
    n = 0
    first[0] = 0
    for t in range(start.shape[0] - 1):
        hit = 0
        for h in range(hidden):
            p[h] *= slow
            q[h] *= quick
            hit += p[h] - q[h] >= F(1.0)
        if hit:
            if n + hit > at.shape[0]:
                return -1
            for h in range(hidden):
                if p[h] - q[h] >= F(1.0):
                    at[n], who[n], q_of[n] = t, h, q[h]
                    slope_of[n] = q[h] * rate_s - p[h] * rate_m
                    n += 1
                    p[h] = q[h]
        first[t + 1] = n
        slot = (t & mask) * hidden
        for h in range(hidden):
            arrived = ring[slot + h]
            ring[slot + h] = F(0.0)
            p[h] += arrived
            q[h] += arrived
        for k in range(start[t], start[t + 1]):
            w, d = w_in[channels[k]], d_in[channels[k]]
            for h in range(hidden):
                ring[((t + d[h]) & mask) * hidden + h] += w[h]
        for k in range(first[t], n):
            w, d = w_rec[who[k]], d_rec[who[k]]
            for h in range(hidden):
                ring[((t + d[h]) & mask) * hidden + h] += w[h]
            w = w_out[who[k]]
            for o in range(outputs):
                score[o] += w[o] * readout[0, t + 1]
    return n


@kernel
def backward(start, channels, weights, delays, decays, rates, readout, rings, tape, first, pull,
             gradients):  # fmt: skip
    """Add one recording's gradients. ``pull`` : (outputs,) dL/dscore. ``rings`` : two like
    `forward`'s. ``gradients`` : as ``weights``, then as ``delays``."""
    w_in, w_rec, w_out = weights
    d_in, d_rec = delays
    g_in, g_rec, g_out, gd_in, gd_rec = gradients
    who, q_of, slope_of = tape[1:]
    by_weight, by_time = rings
    hidden, outputs = w_out.shape
    mask = by_weight.shape[0] // hidden - 1
    lp, lq = np.zeros(hidden, np.float32), np.zeros(hidden, np.float32)
    slow, quick = decays
    rate_m, rate_s = rates
    steps = start.shape[0] - 1
    by_weight[:] = F(0.0)
    by_time[:] = F(0.0)
    for back in range(steps):
        t = steps - 1 - back
        slot = (t & mask) * hidden
        for h in range(hidden):
            lp[h] *= slow
            lq[h] *= quick
            by_weight[slot + h] = lp[h] + lq[h]
            by_time[slot + h] = lp[h] * rate_m + lq[h] * rate_s
        for k in range(first[t], first[t + 1]):
            j = who[k]
            g = F(0.0)
            w, gw = w_out[j], g_out[j]
            for o in range(outputs):
                gw[o] += pull[o] * readout[0, t + 1]
                g += pull[o] * w[o] * readout[1, t + 1]
            w, d, gw, gd = w_rec[j], d_rec[j], g_rec[j], gd_rec[j]
            for h in range(hidden):
                i = ((t + d[h]) & mask) * hidden + h
                shift = w[h] * by_time[i]
                gw[h] += by_weight[i]
                gd[h] += shift
                g += shift
            q = q_of[k]
            total = g + lp[j] * q * (rate_m - rate_s)
            r = total / max(slope_of[k], F(1e-3))
            lq[j] += lp[j] + r
            lp[j] = -r
        for k in range(start[t], start[t + 1]):
            c = channels[k]
            w, d, gw, gd = w_in[c], d_in[c], g_in[c], gd_in[c]
            for h in range(hidden):
                i = ((t + d[h]) & mask) * hidden + h
                gw[h] += by_weight[i]
                gd[h] += w[h] * by_time[i]


@kernel
def _adam(parameter, gradient, mean, square, size):
    p, g, m, v = parameter.ravel(), gradient.ravel(), mean.ravel(), square.ravel()
    for i in range(p.shape[0]):
        m[i] += F(0.1) * (g[i] - m[i])
        v[i] += F(0.001) * (g[i] * g[i] - v[i])
        p[i] -= size * m[i] / (np.sqrt(v[i]) + F(1e-8))
        g[i] = F(0.0)


def make_delays(delays, tick):
    """Return delays in ticks, at least 1, in the smallest type, and the ring's slots."""
    largest = max(array.max() for array in delays)
    slots = 1 << int(np.ceil(np.log2(largest / tick + 2)))
    kind = np.uint8 if slots <= 256 else np.uint16
    return tuple(np.maximum(np.rint(d / tick), 1).astype(kind) for d in delays), slots


def make_readout(task):
    """Return the integral over V exp(-t/T)/T from an arrival on, and its derivative, by tick."""
    t, span = np.arange(task.steps + 1) * task.tick, task.duration
    value, change = np.zeros((2, task.steps + 1))
    for sign, tau in ((1, task.tau_m), (-1, task.tau_s)):
        part = sign / (1 + span / tau)
        rest = np.exp(-1 - (span - t) / tau)
        value += part * (np.exp(-t / span) - rest)
        change -= part * (np.exp(-t / span) / span + rest / tau)
    return np.stack([value, change]).astype(F)


class Grid:
    """The kernels' arrays for a `tasks.Shd`, with weights scaled to its rate."""

    def __init__(self, task):
        self.task = task
        self.start, self.channels, self.labels = task.ticked()
        drawn = task.parameters()
        names = ("input", "recurrent", "output")
        self.weights = [drawn["weights"][name].astype(F) for name in names]
        self.delays, slots = make_delays(
            [drawn["delays"][name] for name in ("input", "recurrent")], task.tick
        )
        self.decays = tuple(F(exp(-task.tick / tau)) for tau in (task.tau_m, task.tau_s))
        # By how much the traces were larger a tick ago: on a grid these are the slopes.
        self.rates = tuple(F((1.0 / decay - 1.0) / task.tick) for decay in self.decays)
        self.readout = make_readout(task)
        self.rings = [np.zeros(slots * task.hidden, F) for _ in range(2)]
        self.tape = self._tape(60 * task.hidden)
        self.first = np.empty(task.steps + 1, np.int64)
        self.score = np.empty(task.outputs, F)
        plain = self.weights[0].copy()

        def spikes(scale):
            np.multiply(plain, F(scale), out=self.weights[0])
            return self.forward(0)

        self.scale = task.calibrate(spikes)

    @staticmethod
    def _tape(room):
        return tuple(np.empty(room, kind) for kind in (np.int32, np.int32, F, F))

    def forward(self, row):
        """Run one recording; returns its hidden spikes."""
        while True:
            n = forward(self.start[row], self.channels[row], tuple(self.weights), self.delays,
                        self.decays, self.rates, self.readout, self.rings[0], self.tape, self.first,
                        self.score)  # fmt: skip
            if n >= 0:
                return n
            self.tape = self._tape(2 * len(self.tape[0]))

    def backward(self, row, pull, gradients):
        """Add the gradients of the recording that `forward` has just run."""
        backward(self.start[row], self.channels[row], tuple(self.weights), self.delays,
                 self.decays, self.rates, self.readout, tuple(self.rings), self.tape, self.first,
                 pull, gradients)  # fmt: skip

    def gradients(self):
        """Return zeros for `backward`."""
        return tuple(np.zeros(array.shape, F) for array in (*self.weights, *self.delays))


def shd(task, repeats=5):
    """Return CPU milliseconds a recording, forward, backward and a step, and the peak in MiB."""
    _compile(task)
    grid = Grid(task)
    with Peak() as peak:
        trained = [*grid.weights, *(array.astype(F) for array in grid.delays)]
        sums = grid.gradients()
        moments = [[np.zeros_like(array) for array in trained] for _ in range(2)]

        def batch():
            for row in range(task.samples):
                grid.forward(row)
                p = np.exp(grid.score - grid.score.max())
                p /= p.sum()
                p[grid.labels[row]] -= F(1.0)
                grid.backward(row, p, sums)
            for parts in zip(trained, sums, *moments, strict=True):
                _adam(*parts, F(1e-6))

        cpu, wall = best(batch, repeats)
    spikes = np.mean([grid.forward(row) for row in range(task.samples)])
    return {
        "milliseconds": 1e3 * cpu / task.samples, "wall": 1e3 * wall / task.samples,
        "peak": peak.mebibytes, "hidden spikes": float(spikes),
    }  # fmt: skip


def _compile(task):
    """Load all kernels, so that the compiler's memory isn't taken for theirs."""
    from dataclasses import replace

    grid = Grid(replace(task, samples=1, duration=20.0, events=20))
    grid.backward(0, np.zeros(task.outputs, F), grid.gradients())
    for array in (np.zeros((2, 2), F), np.zeros(2, F)):
        _adam(array, array.copy(), array.copy(), array.copy(), F(0.0))
