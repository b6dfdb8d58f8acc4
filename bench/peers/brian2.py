"""Brian2 on its Cython target: simulation only, delays per synapse; needs g++."""

import brian2 as b2
import numpy as np
from measure import best

PACKAGES = ("brian2", "numpy")
THETA = 4000
"""The threshold, before it's set to what gives the task's rate."""


def inference(task, repeats, threads):
    """Return CPU milliseconds a recording: int8 weights and integer state."""
    b2.BrianLogger.log_level_error()
    b2.prefs.codegen.target = "cython"  # rather fail than fall back on a slower one
    b2.defaultclock.dt = task.tick * b2.ms
    b2.seed(task.seed)
    spikes = b2.SpikeGeneratorGroup(task.inputs, [], [] * b2.ms)
    hidden = b2.NeuronGroup(
        task.hidden, "v : integer\ncur : integer\ntheta : integer (shared)",
        threshold="v >= theta", reset="v -= theta",
    )  # fmt: skip
    hidden.run_regularly("v = v - (v // 16) + cur\ncur = cur - (cur // 4)")
    out = b2.NeuronGroup(task.outputs, "v : integer")
    out.run_regularly("v = v - (v // 16)")
    delay = f"rand() * {task.delay_max} * ms"
    parts = [
        _synapses(spikes, hidden, "cur_post += w", "int(clip(6 + 20*randn(), -127, 127))", delay),
        _synapses(hidden, out, "v_post += w", "int(30*randn())", None),
    ]
    if task.recurrent:
        parts.append(_synapses(hidden, hidden, "cur_post += w", "int(20*randn())", delay))
    monitor = b2.SpikeMonitor(hidden, record=False)
    net = b2.Network(spikes, hidden, out, monitor, *parts)
    net.store("first")
    recordings = list(zip(*task.recordings()[:2], strict=True))

    def record(times, channels, theta):
        net.restore("first")
        hidden.theta = theta
        spikes.set_spikes(channels, np.floor(times / task.tick) * task.tick * b2.ms)
        net.run(task.duration * b2.ms)
        return int(monitor.num_spikes)

    scale = task.calibrate(lambda scale: record(*recordings[0], round(THETA / scale)))
    theta = round(THETA / scale)

    def run():
        counts[:] = [record(*recording, theta) for recording in recordings]

    counts = []
    cpu, wall = (1e3 * seconds / task.samples for seconds in best(run, repeats))
    return {
        "milliseconds": cpu, "wall": wall, "hidden spikes": float(np.mean(counts)),
        "arithmetic": "integers",
    }  # fmt: skip


def _synapses(source, target, act, weights, delay):
    synapses = b2.Synapses(source, target, "w : integer", on_pre=act)
    synapses.connect()
    synapses.w = weights
    if delay is not None:
        synapses.delay = delay
    return synapses
