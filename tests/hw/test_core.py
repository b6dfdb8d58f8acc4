"""The whole core in Amaranth's simulator, against the emulator: every touch, spike and count."""
from types import SimpleNamespace

import numpy as np
import pytest

from ranvier.hw.core import NeuronCore
from ranvier.hw.images import load_words
from ranvier.hw.registers import BusMap
from ranvier.model import _kernels as kernels
from ranvier.model.emulator import Emulator
from ranvier.sim.benches import get, put, random_stalls, simulate

from ..designs import random_config, random_events, random_parameters

COUNTERS = {
    "input_events": kernels.INPUT_EVENTS, "spikes": kernels.SPIKES, "touches": kernels.TOUCHES,
    "looks": kernels.LOOKS, "synaptic_events": kernels.SYNAPTIC_EVENTS,
    "saturations": kernels.SATURATIONS,
}


async def write(ctx, bus, address, word):
    ctx.set(bus.address, int(address))
    ctx.set(bus.w_data, int(word))
    ctx.set(bus.w_en, 1)
    await ctx.tick()
    ctx.set(bus.w_en, 0)


async def read(ctx, bus, address):
    ctx.set(bus.address, int(address))
    ctx.set(bus.r_en, 1)
    await ctx.tick()
    ctx.set(bus.r_en, 0)
    return ctx.get(bus.r_data)


def words(events, ticks):
    some = [{"tick": int(tick), "channel": int(channel), "last": 0}
            for tick, channel in zip(events.ticks, events.channels, strict=True)]
    return [*some, {"tick": ticks, "channel": 0, "last": 1}]


def run(parameters, samples, *, loaded=False, busy=1.0, cycles=200_000):
    """Run ``samples`` on a core, loaded through the bus or from the start. Returns what came out.

    The registers are read between samples.
    """
    config = parameters.config
    dut = NeuronCore(config, None if loaded else parameters)
    bus = BusMap(config)
    runs = [SimpleNamespace(registers={}) for _ in samples]

    async def control(ctx):
        if loaded:
            for address, word in zip(*load_words(parameters), strict=True):
                await write(ctx, dut.bus, address, word)
        for k, events in enumerate(samples):
            await put(ctx, dut.i, words(events, config.ticks), random_stalls([k, 1], busy))
            while not (hasattr(runs[k], "o") and hasattr(runs[k], "trace")):
                await ctx.tick()
            for name in (*COUNTERS, "samples", "errors", "decision", "ticks"):
                runs[k].registers[name] = await read(ctx, dut.bus, bus.register(name))

    def collector(name, number):
        async def collect(ctx):
            for k in range(len(samples)):
                stalls = random_stalls([k, number], busy)
                received = await get(ctx, getattr(dut, name), stalls=stalls,
                                     last=lambda word: word["last"])
                setattr(runs[k], name, received)
        return collect

    simulate(dut, control, collector("o", 2), collector("trace", 3), cycles=cycles)
    return runs


def check(parameters, samples, runs):
    config = parameters.config
    emulator = Emulator(parameters)
    for k, (events, got) in enumerate(zip(samples, runs, strict=True)):
        want = emulator.run(events)
        records = sorted(tuple(word[name] for name in want.trace.dtype.names)
                         for word in got.trace[:-1])
        assert records == [tuple(record) for record in want.trace.tolist()]
        ticks = [word["tick"] for word in got.trace[:-1]]
        assert ticks == sorted(ticks)
        fired = want.trace[want.trace["fired"] == 1]
        spikes = [(word["tick"], word["neuron"]) for word in got.o[:-1]]
        assert sorted(spikes) == list(zip(fired["tick"], fired["neuron"], strict=True))
        assert [tick for tick, _ in spikes] == sorted(tick for tick, _ in spikes)
        assert got.o[-1] == {"tick": config.ticks, "neuron": want.decision, "last": 1}
        assert got.trace[-1] == {"tick": config.ticks, "neuron": 0, "fired": 0, "last": 1,
                                 "p": 0, "q": 0, "a": 0}
        counts = {name: int(want.counters[column]) for name, column in COUNTERS.items()}
        assert got.registers == counts | {
            "samples": k + 1, "errors": 0, "decision": want.decision, "ticks": config.ticks}


CASES = {
    "first spike": {"readout": "first-spike", "synapse": "exponential"},
    "spike count, jump": {"readout": "spike-count", "synapse": "jump"},
    "leaky": {"readout": "leaky", "synapse": "exponential"},
    "no adaptation": {"adaptive": False, "synapse": "exponential"},
    "four banks": {"banks": 4, "neurons": 6},
    "five banks": {"banks": 5, "neurons": 9},
    "one neuron": {"neurons": 1, "inputs": 1, "outputs": 1, "banks": 1, "readout": "spike-count"},
    "all leaky": {"neurons": 3, "outputs": 3, "readout": "leaky", "banks": 2},
    "one output, many banks": {"neurons": 5, "outputs": 1, "readout": "leaky", "banks": 4},
    "delay of one": {"delay_max": 1},
    "many chunks": {"neurons": 70, "banks": 1, "synapses": 6000, "delay_max": 3, "ticks": 10},
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("busy", [1.0, 0.6])
def test_core_does_what_the_emulator_does(name, busy):
    rng = np.random.default_rng([sorted(CASES).index(name), round(10 * busy)])
    config = random_config(rng, **{"ticks": 60, **CASES[name]})
    parameters = random_parameters(rng, config)
    samples = [random_events(rng, config, rate=0.1) for _ in range(2)]
    runs = run(parameters, samples, busy=busy, loaded=busy < 1)
    check(parameters, samples, runs)
