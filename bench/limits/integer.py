"""SHD's shape in integers: int8 weights, int32 state, leaks by shifts; inference only."""

import numba as nb
import numpy as np
from measure import best

from .grid import make_delays

kernel = nb.njit(cache=True, error_model="numpy")


@kernel
def run(start, channels, weights, delays, shifts, theta, ring, score):
    """Run one recording. Returns its hidden spikes; ``score`` gets the outputs' integrals."""
    w_in, w_rec, w_out = weights
    d_in, d_rec = delays
    hidden, outputs = w_out.shape
    mask = ring.shape[0] // hidden - 1
    p, q = np.zeros(hidden, np.int32), np.zeros(hidden, np.int32)
    fired = np.empty(hidden, np.int32)
    slow, quick = shifts
    ring[:] = 0
    score[:] = 0
    steps = start.shape[0] - 1
    total = 0
    for t in range(steps):
        slot = (t & mask) * hidden
        hit = 0
        for h in range(hidden):
            arrived = ring[slot + h]
            ring[slot + h] = 0
            p[h] += arrived - (p[h] >> slow)
            q[h] += arrived - (q[h] >> quick)
            hit += p[h] - q[h] >= theta
        n = 0
        if hit:
            for h in range(hidden):
                if p[h] - q[h] >= theta:
                    p[h] = q[h]
                    fired[n] = h
                    n += 1
        total += n
        for k in range(start[t], start[t + 1]):
            w, d = w_in[channels[k]], d_in[channels[k]]
            for h in range(hidden):
                ring[((t + d[h]) & mask) * hidden + h] += np.int32(w[h])
        for k in range(n):
            w, d = w_rec[fired[k]], d_rec[fired[k]]
            for h in range(hidden):
                ring[((t + d[h]) & mask) * hidden + h] += np.int32(w[h])
            w = w_out[fired[k]]
            for o in range(outputs):
                score[o] += w[o] * (steps - t)
    return total


def inference(task, repeats=5):
    """Return CPU milliseconds a recording."""
    start, channels, _ = task.ticked()
    drawn = task.parameters()
    weights = tuple(
        np.clip(np.rint(drawn["weights"][name] * 600), -127, 127).astype(np.int8)
        for name in ("input", "recurrent", "output")
    )
    delays = [drawn["delays"][name] for name in ("input", "recurrent")]
    delays, slots = make_delays(delays, task.tick)
    ring = np.zeros(slots * task.hidden, np.int32)
    score = np.zeros(task.outputs, np.int64)
    shifts = tuple(round(np.log2(tau / task.tick)) for tau in (task.tau_m, task.tau_s))

    def one(row, theta):
        return run(start[row], channels[row], weights, delays, shifts, theta, ring, score)

    # A higher threshold stands for smaller weights, which couldn't be scaled in 8 bits.
    theta = np.int32(1e4 / task.calibrate(lambda scale: one(0, np.int32(1e4 / scale))))
    spikes = []

    def batch():
        spikes[:] = [one(row, theta) for row in range(task.samples)]

    cpu, wall = best(batch, repeats)
    return {
        "milliseconds": 1e3 * cpu / task.samples, "wall": 1e3 * wall / task.samples,
        "hidden spikes": float(np.mean(spikes)),
    }  # fmt: skip
