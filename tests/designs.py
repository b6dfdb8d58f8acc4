"""Random small designs and stimuli, the same for the same seed."""

import numpy as np

from ranvier.model.config import CoreConfig
from ranvier.model.events import TickEvents
from ranvier.model.parameters import Parameters
from ranvier.model.tables import make_tables


def random_config(rng, **fixed):
    """Return a small `CoreConfig`; ``fixed`` fields are kept."""
    neurons = fixed.get("neurons") or int(rng.integers(2, 14))
    guard_bits = fixed.get("guard_bits") or int(rng.integers(5, 9))
    tau_s = float(rng.uniform(1, 4))
    tau_m = tau_s * float(rng.uniform(1.3, 4))
    values = {
        "inputs": int(rng.integers(1, 9)), "neurons": neurons,
        "outputs": int(rng.integers(1, min(4, neurons) + 1)),
        "readout": str(rng.choice(["first-spike", "spike-count", "leaky"])),
        "synapse": str(rng.choice(["exponential", "jump"])), "adaptive": bool(rng.integers(2)),
        "tick": float(rng.choice([0.1, 0.25, 1.0])), "ticks": int(rng.integers(60, 200)),
        "tau_m": tau_m, "tau_s": tau_s, "tau_a": tau_m * float(rng.uniform(1, 6)),
        "delay_max": int(rng.integers(1, 40)), "fan_in": 32, "synapses": 400,
        "trace_bits": int(rng.integers(guard_bits + 11, 25)), "guard_bits": guard_bits,
        "banks": int(rng.integers(1, min(4, neurons) + 1)),
    }
    values["trace_bits"] = max(18, values["trace_bits"])
    values |= fixed
    if values.get("delays") == "axonal+dendritic":
        values["delay_max"] = max(2, values["delay_max"])
        longest = int(rng.integers(1, values["delay_max"]))
        values = {"dendrites": 2, "dendritic_max": longest} | values
    return CoreConfig(**values)


def random_parameters(rng, config, *, recurrent=True):
    """Return `Parameters` that make neurons fire now and then, some traces saturate."""
    target, weight, delay, row_start = [], [], [], [0]
    left = np.full(config.neurons, config.fan_in)
    top = 1 << (config.weight_bits - 1)
    for source in range(config.sources):
        sends = recurrent or source < config.inputs
        for j in range(config.neurons):
            copies = int(rng.choice([0, 1, 1, 2])) if sends else 0
            for _ in range(min(copies, left[j])):
                target.append(j)
                weight.append(int(rng.integers(-top // 2, top)))
                delay.append(int(rng.integers(1, config.delay_max + 1)))
                left[j] -= 1
        row_start.append(len(target))
    (row_start, target, weight, delay), split = _stored(
        rng, config, *(np.array(values) for values in (row_start, target, weight, delay)))
    unit = 1 << config.guard_bits
    theta0 = rng.integers(1, max(2, min(150 * unit, config.trace_top)), config.neurons)
    beta = rng.integers(0, 60 * unit, config.neurons) if config.adaptive else np.zeros(
        config.neurons)
    return Parameters(
        config=config, row_start=row_start.astype(np.int64), target=target.astype(np.int32),
        weight=weight.astype(np.int32), delay=delay.astype(np.int32),
        theta0=theta0.astype(np.int64),
        beta=np.minimum(beta, config.trace_top).astype(np.int64), tables=make_tables(config),
        **split)


def _stored(rng, config, row_start, target, weight, delay):
    """Return synapses that the config's rows can hold, and how their delays are split."""
    source, split = np.repeat(np.arange(config.sources), np.diff(row_start)), {}
    if config.delays != "synaptic":
        longest = config.delay_max - config.dendritic_max
        own = rng.integers(1, longest + 1, (config.sources, config.segments))
        delay = own[source, rng.integers(config.segments, size=delay.size)]
    if config.dendrites:
        shape = config.neurons, config.dendrites
        split = {"dendritic": rng.integers(config.dendritic_max + 1, size=shape).astype(np.int32),
                 "kind": rng.integers(config.dendrites, size=config.sources).astype(np.int32)}
        delay = delay + split["dendritic"][target, split["kind"][source]]
    if config.rows == "dense":
        _, kept = np.unique(source * config.neurons + target, return_index=True)
        kept = np.sort(kept[weight[kept] != 0])
        source, target, weight, delay = (array[kept] for array in (source, target, weight, delay))
    row_start = np.searchsorted(source, np.arange(config.sources + 1))
    return (row_start, target, weight, delay), split


def random_events(rng, config, *, rate=None):
    """Return `TickEvents` with about ``rate`` events per channel and tick."""
    rate = float(rng.choice([0.01, 0.05, 0.3])) if rate is None else rate
    ticks, channels = np.nonzero(rng.random((config.ticks, config.inputs)) < rate)
    return TickEvents(ticks=ticks.astype(np.int64), channels=channels.astype(np.int32))


def stream_config(rng, **fixed):
    """Return a small `CoreConfig` for streams, whose tick numbers wrap after a few windows."""
    tau_s = float(rng.uniform(1, 2))
    tau_m = tau_s * float(rng.uniform(1.3, 2))
    values = {"tick": 1.0, "ticks": int(rng.integers(20, 50)), "tau_m": tau_m, "tau_s": tau_s,
              "tau_a": tau_m * float(rng.uniform(1, 2)), "delay_max": int(rng.integers(1, 20))}
    return random_config(rng, streaming=True, **{**values, **fixed})


def random_windows(rng, config, count):
    """Return ``count`` windows: `TickEvents`, and how many ticks.

    Channels fall silent for some windows, and so do all of them at times.
    """
    windows, rates, silence = [], np.zeros(config.inputs), 0
    for _ in range(count):
        ticks = int(rng.choice([config.ticks, rng.integers(config.ticks + 1), 0], p=[0.6, 0.35,
                                                                                     0.05]))
        if silence:
            silence -= 1
        elif rng.random() < 0.15:
            silence = int(rng.integers(1, 3 + (2 << config.tick_bits) // config.ticks))
        rates = np.where(rng.random(config.inputs) < 0.3,
                         rng.choice([0, 0, 0.02, 0.2], config.inputs), rates)
        happens = rng.random((ticks, config.inputs)) < (0 if silence else rates)
        at, channels = np.nonzero(happens)
        windows.append((TickEvents(ticks=at.astype(np.int64), channels=channels.astype(np.int32)),
                        ticks))
    return windows
