"""The whole core in Amaranth's simulator, against the emulator: every touch, spike and count."""
from types import SimpleNamespace

import numpy as np
import pytest
from amaranth.hdl import ResetInserter, Signal

from ranvier.hw.core import NeuronCore
from ranvier.hw.images import load_words
from ranvier.hw.registers import ERRORS, BusMap
from ranvier.model.counters import (
    INPUT_EVENTS,
    LOOKS,
    SATURATIONS,
    SPIKES,
    SYNAPTIC_EVENTS,
    TOUCHES,
)
from ranvier.model.emulator import Emulator
from ranvier.model.events import TickEvents
from ranvier.model.flight import needed_cursors
from ranvier.sim.benches import get, put, random_stalls, simulate

from ..designs import random_config, random_events, random_parameters

COUNTERS = {
    "input_events": INPUT_EVENTS, "spikes": SPIKES, "touches": TOUCHES, "looks": LOOKS,
    "synaptic_events": SYNAPTIC_EVENTS, "saturations": SATURATIONS,
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
            for name in (*COUNTERS, "samples", "errors", "decision", "ticks", "dropped"):
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
        worked = got.registers.pop("ticks")
        assert len(set(want.trace["tick"].tolist())) <= worked <= config.ticks
        assert got.registers == counts | {
            "samples": k + 1, "errors": 0, "decision": want.decision, "dropped": 0}


SMALL = {"neurons": 6, "fan_in": 8, "synapses": 64, "ticks": 20, "delay_max": 5}
CASES = {
    "first spike": {"readout": "first-spike", "synapse": "exponential", "banks": 1},
    "spike count, jump": {"readout": "spike-count", "synapse": "jump", "banks": 2},
    "leaky": {"readout": "leaky", "synapse": "exponential", "outputs": 2, "banks": 3},
    "no adaptation": {"adaptive": False, "synapse": "exponential", "banks": 2},
    "five banks": {"banks": 5, "neurons": 9},
    "one neuron": {"neurons": 1, "inputs": 1, "outputs": 1, "banks": 1, "readout": "spike-count"},
    "all leaky": {"neurons": 3, "outputs": 3, "readout": "leaky", "banks": 2},
    "one output, many banks": {"neurons": 5, "outputs": 1, "readout": "leaky", "banks": 4},
    "delay of one": {"delay_max": 1, "banks": 1},
    "with cursors": {"buffer": "cursor", "cursors": 64, "banks": 2, "delay_max": 30, "ticks": 60},
    "with cursors, leaky": {"buffer": "cursor", "cursors": 256, "banks": 1, "readout": "leaky",
                            "outputs": 2, "synapse": "jump", "delay_max": 200, "ticks": 250},
    "with dense rows": {"rows": "dense", "banks": 2},
    "with axonal delays": {"delays": "axonal", "segments": 4, "banks": 2},
    "with both": {"rows": "dense", "delays": "axonal", "segments": 2, "banks": 3},
    "with axonal delays, cursors": {
        "delays": "axonal", "segments": 2, "buffer": "cursor", "cursors": 128, "banks": 2,
        "delay_max": 40, "ticks": 60},
    "with dendritic delays": {"delays": "axonal+dendritic", "segments": 2, "banks": 2},
    "with dendritic delays, cursors": {
        "delays": "axonal+dendritic", "dendrites": 1, "rows": "dense", "buffer": "cursor",
        "cursors": 8, "banks": 2, "delay_max": 30, "ticks": 60},
    "with relays": {"banks": 8, "neurons": 12, "synapse": "exponential"},
    "with relays, cursors": {"banks": 8, "neurons": 9, "synapse": "jump", "buffer": "cursor",
                             "cursors": 32, "delay_max": 30, "ticks": 60},
    "many chunks": {"neurons": 70, "banks": 1, "fan_in": 1, "synapses": 70, "ticks": 12},
}


def test_the_cases_with_cursors_have_enough_of_them():
    for name in (name for name in CASES if "cursors" in name):
        parameters, samples = draw(name)
        needed = needed_cursors(parameters, samples)
        assert parameters.config.cursors // 4 < needed <= parameters.config.cursors


def test_a_core_tells_that_it_has_too_few_cursors():
    rng = np.random.default_rng(3)
    config = random_config(rng, **SMALL | CASES["with cursors"] | {"cursors": 2, "inputs": 4})
    parameters = random_parameters(rng, config)
    before, = run(parameters, [random_events(rng, config, rate=0.3)])
    assert before.registers["errors"] == 1 << ERRORS.index("lost")
    assert before.registers["dropped"] > 10


def draw(name, samples=2):
    """Return parameters and stimuli of a case."""
    rng = np.random.default_rng(sorted(CASES).index(name))
    config = random_config(rng, **(SMALL | CASES[name]))
    parameters = random_parameters(rng, config)
    return parameters, [random_events(rng, config, rate=0.1) for _ in range(samples)]


@pytest.mark.parametrize("name", CASES)
def test_core_does_what_the_emulator_does_under_stalls(name):
    parameters, samples = draw(name)
    runs = run(parameters, samples, busy=0.6)
    check(parameters, samples, runs)
    assert sum(run.registers["touches"] for run in runs) > 0


@pytest.mark.parametrize("name", [
    "first spike", "leaky", "spike count, jump", "with cursors", "with dendritic delays",
    "with dendritic delays, cursors"])
def test_a_core_that_was_loaded_through_the_bus_does_the_same(name):
    parameters, samples = draw(name, samples=1)
    check(parameters, samples, run(parameters, samples, loaded=True))


@pytest.mark.parametrize("readout", ["first-spike", "spike-count", "leaky"])
def test_a_silent_sample_after_a_lively_one_is_decided_for_the_first_class(readout):
    for seed in range(20):
        rng = np.random.default_rng([9, seed])
        config = random_config(rng, **SMALL, readout=readout, outputs=3)
        parameters = random_parameters(rng, config)
        events = random_events(rng, config, rate=0.2)
        if Emulator(parameters).run(events).decision != 0:
            break
    silence = TickEvents(ticks=events.ticks[:0], channels=events.channels[:0])
    samples = [events, silence]
    runs = run(parameters, samples)
    check(parameters, samples, runs)
    assert [run.registers["decision"] > 0 for run in runs] == [True, False]


@pytest.mark.parametrize("cycles", [7, 150, 333])
def test_a_reset_at_any_cycle_leaves_nothing(cycles):
    parameters, [before, events] = draw("first spike")
    config = parameters.config
    dut, reset = NeuronCore(config, parameters), Signal()
    records = []

    async def control(ctx):
        ctx.set(dut.o.ready, 1)
        ctx.set(dut.trace.ready, 1)
        send = words(before, config.ticks)
        ctx.set(dut.i.valid, 1)
        for _ in range(cycles):
            ctx.set(dut.i.payload, send[0])
            _, _, taken = await ctx.tick().sample(dut.i.ready)
            send = send[1:] if taken and len(send) > 1 else send
        ctx.set(dut.i.valid, 0)
        ctx.set(reset, 1)
        await ctx.tick()
        ctx.set(reset, 0)
        ctx.set(dut.trace.ready, 0)
        await put(ctx, dut.i, words(events, config.ticks))

    async def collect(ctx):
        while not ctx.get(reset):
            await ctx.tick()
        await ctx.tick()
        records.extend(await get(ctx, dut.trace, last=lambda word: word["last"]))

    simulate(ResetInserter(reset)(dut), control, collect, cycles=20_000)
    want = Emulator(parameters).run(events).trace
    assert sorted(tuple(word[name] for name in want.dtype.names)
                  for word in records[:-1]) == want.tolist()


def test_readout_values_can_be_read():
    parameters, [events] = draw("leaky", samples=1)
    config, bus = parameters.config, BusMap(parameters.config)
    dut = NeuronCore(config, parameters)
    values = []

    async def control(ctx):
        ctx.set(dut.trace.ready, 1)
        ctx.set(dut.o.ready, 1)
        await put(ctx, dut.i, words(events, config.ticks))
        while not (ctx.get(dut.o.valid) and ctx.get(dut.o.p.last)):
            await ctx.tick()
        for label in range(config.outputs):
            await write(ctx, dut.bus, bus.register("value_select"), label)
            low = await read(ctx, dut.bus, bus.register("value_low"))
            high = await read(ctx, dut.bus, bus.register("value_high"))
            value = low | high << 32
            values.append(value - ((value >> 63) << 64))

    simulate(dut, control, cycles=20_000)
    assert values == Emulator(parameters).run(events).scores.tolist()
    assert any(values)


@pytest.mark.parametrize("banks", [1, 2, 8])
def test_idle_ticks_are_passed_over_and_clearing_takes_no_longer_than_stated(banks):
    rng = np.random.default_rng(5)
    parameters = random_parameters(rng, random_config(
        rng, **(SMALL | {"ticks": 1000, "banks": banks, "neurons": 8})))
    config, bus = parameters.config, BusMap(parameters.config)
    dut = NeuronCore(config, parameters)

    async def control(ctx):
        ctx.set(dut.trace.ready, 1)
        ctx.set(dut.o.ready, 1)
        status = bus.register("status")
        ctx.set(dut.bus.address, status)
        ctx.set(dut.bus.r_en, 1)
        cycles = 0
        await ctx.tick()
        while ctx.get(dut.bus.r_data) != 0:
            cycles += 1
            await ctx.tick()
        assert cycles <= dut.reset_cycles
        await put(ctx, dut.i, [{"tick": config.ticks, "channel": 0, "last": 1}])
        while not (ctx.get(dut.o.valid) and ctx.get(dut.o.p.last)):
            await ctx.tick()
        cycles = 0
        while ctx.get(dut.bus.r_data) != 0:
            cycles += ctx.get(dut.bus.r_data) == 2
            await ctx.tick()
        assert 0 < cycles <= dut.clear_cycles
        assert await read(ctx, dut.bus, bus.register("cycles")) < config.ticks / 2
        assert await read(ctx, dut.bus, bus.register("ticks")) == 1

    simulate(dut, control, cycles=20_000)
