"""Rows on cycles: synaptic events per cycle, what banks and finer ticks bring, real words."""

import dataclasses

import numpy as np
from registry import ENGINE, row

from ranvier.hw.payloads import GROUP
from ranvier.hw.scheduler import LOOK_CYCLES
from ranvier.model.cursors import STRETCH
from ranvier.model.events import TickEvents
from ranvier.model.parameters import Parameters
from ranvier.model.tables import make_tables
from ranvier.sim.cxxrtl import CxxrtlSimulator

from .networks import design
from .synthesis import CORE, SEEDS, SHAPE, detail, synthesised

SIMULATED = (*CORE, "sim/cxxrtl.py", "sim/simulation.py", "bench/rows/throughput.py")
TRAINED = (*SIMULATED, *ENGINE)
WORDS = 30

# Sixteen banks of this one fill a device: 64 neurons, as many inputs to each, delays of 4 bits.
BANK = dataclasses.replace(SHAPE, inputs=64, neurons=64, synapses=1 << 12, fan_in=64, ticks=100,
                           delay_max=15)
BANKS = 16


def dense(config, rng, delays=None):
    """Return `Parameters` of all inputs to all neurons, which never fire and sleep at once."""
    shape = (config.inputs, config.neurons)
    top = config.weight_top
    if delays is None:
        delays = rng.integers(1, config.delay_max + 1, shape)
    rows = np.arange(config.sources + 1) * config.neurons
    return Parameters(
        config=config, row_start=np.minimum(rows, config.inputs * config.neurons),
        target=np.tile(np.arange(config.neurons, dtype=np.int32), config.inputs),
        weight=rng.integers(-top, 0, shape).astype(np.int32).ravel(),
        delay=delays.astype(np.int32).ravel(),
        theta0=np.full(config.neurons, config.trace_top), beta=np.zeros(config.neurons, np.int64),
        tables=make_tables(config),
    )  # fmt: skip


def rate(context, config, spiking, *, delays=None):
    """Return synaptic events per cycle and bank, if every input spikes in the ``spiking`` ticks."""
    parameters = dense(config, np.random.default_rng(1), delays)
    spikes = [(tick, channel) for tick in spiking for channel in range(config.inputs)]
    events = TickEvents(*(np.array(column) for column in zip(*spikes, strict=True)))
    core = CxxrtlSimulator(parameters, context.results / "cxxrtl")
    (run,) = core.run([events])
    return run.counters["synaptic_events"] / run.counters["cycles"] / config.banks, {
        name: run.counters[name] for name in ("synaptic_events", "cycles", "touches", "ticks")}


@row("sop-ring", "synaptic events per cycle and bank, ring buffer, sustained", "", SIMULATED)
def sop_ring(context):
    # The sample ends with its last input: what is still to arrive isn't sustained work.
    ticks = 4 if context.quick else 40
    return rate(context, dataclasses.replace(SHAPE, ticks=ticks), range(ticks))


@row("sop-cursor", "the same, cursor buffer: every synapse goes on by itself", "", SIMULATED)
def sop_cursor(context):
    # Each synapse of a row is a stretch of its own. All rows reach a neuron in the same tick, so
    # that the buffer is what takes time.
    delays = np.tile(1 + STRETCH * np.arange(SHAPE.neurons), (SHAPE.inputs, 1))
    longest = int(delays.max())
    config = dataclasses.replace(SHAPE, rows="sparse", buffer="cursor", cursors=512,
                                 delay_max=longest, ticks=3 * longest + 2)
    return rate(context, config, range(0, (1 if context.quick else 2) * longest, longest),
                delays=delays)


@row("scaling", "synaptic events per second at the clock, 16 banks over 16 times one; 16 banks by "
     "one place", "", SIMULATED)
def scaling(context):
    """Sixteen banks take place and route half an hour from each seed."""
    many = dataclasses.replace(BANK, neurons=BANKS * BANK.neurons, banks=BANKS)
    found = {}
    for name, config, seeds in (("one", BANK, 1 if context.quick else SEEDS),
                                ("many", BANK if context.quick else many, 1)):
        each, counts = rate(context, config, range(config.ticks))
        report = synthesised(context, f"bank-{name}", config, "ecp5-85k", seeds=seeds)
        if not report["fits"]:
            raise RuntimeError(f"{config.banks} banks must fit, and don't: "
                               f"{report['reason'] or report['lacking']}")
        found[name] = {"rate": each, **counts, **detail(report)}
    speeds = {name: one["rate"] * one["fmax_mhz"] for name, one in found.items()}
    return speeds["many"] / speeds["one"], found


def words(context, **changes):
    """Return the config of a design of spoken digits, and the RTL's counters of some words."""
    parameters, samples = design(context, "spoken_digits", **changes)
    core = CxxrtlSimulator(parameters, context.results / "cxxrtl")
    few = samples[: 2 if context.quick else WORDS]
    return parameters.config, [run.counters for run in core.run(few)]


@row("resolution", "cycles per spoken digit without idle ticks: 0.1 ms over 1 ms, 0.01 over 0.1",
     "", TRAINED)
def resolution(context):
    found = {}
    # Traces need more bits where they decay less in a tick; a ring of 65,536 slots is no choice.
    for tick in (1.0, 0.1, 0.01):
        config, counters = words(context, tick=tick, trace_bits=24, buffer="cursor")
        means = {name: float(np.mean([one[name] for one in counters]))
                 for name in ("cycles", "ticks", "touches", "looks")}
        idle = (LOOK_CYCLES + 1) * (config.ticks // GROUP)  # groups of ticks that are looked up
        found[tick] = means | {"cycles without idle ticks": means["cycles"] - idle}
    busy = [one["cycles without idle ticks"] for one in found.values()]
    return [busy[1] / busy[0], busy[2] / busy[1]], found


@row("latency", "one spoken digit on 8 banks: speed against real time", "", TRAINED)
def latency(context):
    # With the ring, whose slots reach over 800 ticks, it lacks block RAM.
    config, counters = words(context, banks=8, buffer="cursor")
    report = synthesised(context, "digits-8", config, "ecp5-85k", seeds=1)
    cycles = float(np.mean([one["cycles"] for one in counters]))
    duration = config.ticks * config.tick / 1000
    return duration * report["fmax_mhz"] * 1e6 / cycles, {
        "cycles": cycles, "sample, s": duration, **detail(report)}
