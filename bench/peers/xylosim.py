"""xylosim: the integer simulator of a chip, bit-exact for it; inference only, no delays."""

import numpy as np
from measure import best
from xylosim.v2 import XyloLayer, XyloSynapse

PACKAGES = ("xylosim", "numpy")
THRESHOLD = 4000
"""The threshold, before it's set to what gives the task's rate."""


def inference(task, repeats, threads):
    """Return CPU milliseconds a recording, with 8-bit weights and 16-bit state."""
    rng = np.random.default_rng(task.seed)
    hidden, outputs = task.hidden, task.outputs
    first = _synapses(rng, 6, 20, (task.inputs, hidden))
    loop = [[] for _ in range(hidden)]
    if task.recurrent:
        loop = _synapses(rng, 0, 20, (hidden, hidden))
    second = _synapses(rng, 0, 30, (hidden, outputs))

    def build(threshold):
        return XyloLayer(
            synapses_in=first, synapses_rec=loop, synapses_out=second,
            aliases=[[] for _ in range(hidden)], threshold=[threshold] * hidden,
            threshold_out=[30000] * outputs, has_bias=False, bias=[0] * hidden,
            bias_out=[0] * outputs, weight_shift_inp=0, weight_shift_rec=0, weight_shift_out=0,
            dash_mem=[4] * hidden, dash_mem_out=[4] * outputs,
            dash_syns=[[2, 2] for _ in range(hidden)], dash_syns_out=[[2] for _ in range(outputs)],
            name="bench",
        )  # fmt: skip

    raster = task.raster()[0].astype(int)
    samples = [raster[:, k].tolist() for k in range(task.samples)]

    def record(layer, sample):
        layer.reset_all()
        layer.evolve(sample)
        return int(np.sum(layer.rec_recurrent_spikes))

    def threshold(scale):
        return min(round(THRESHOLD / scale), 32767)

    layer = build(threshold(task.calibrate(lambda s: record(build(threshold(s)), samples[0]))))

    def run():
        for sample in samples:
            layer.reset_all()
            layer.evolve(sample)

    cpu, wall = (1e3 * seconds / task.samples for seconds in best(run, repeats))
    return {
        "milliseconds": cpu, "wall": wall, "delays": "none", "arithmetic": "integers",
        "hidden spikes": float(np.mean([record(layer, sample) for sample in samples])),
    }  # fmt: skip


def _synapses(rng, mean, sd, shape):
    weights = np.clip(np.rint(rng.normal(mean, sd, shape)), -127, 127).astype(int)
    return [[XyloSynapse(j, 0, int(w)) for j, w in enumerate(row) if w] for row in weights]
