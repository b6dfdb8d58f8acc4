# amaranth: UnusedElaboratable=no
"""The words of a stream, also those that come too late or are none, and resets in the middle."""
import numpy as np
import pytest
from amaranth.hdl import ResetInserter, Signal

from ranvier.hw.core import NeuronCore
from ranvier.hw.registers import ERRORS, BusMap
from ranvier.model.emulator import Emulator
from ranvier.model.events import TickEvents
from ranvier.sim.benches import get, put, random_stalls, simulate

from ..designs import random_parameters, stream_config
from .test_core import read, write

SMALL = {"inputs": 2, "neurons": 5, "outputs": 2, "synapse": "exponential", "ticks": 20,
         "delay_max": 9, "tau_s": 1.0, "tau_m": 1.5, "tau_a": 2.0, "adaptive": True}


class Judge:
    """What a core makes of the words of a stream, with tick numbers that never wrap."""

    def __init__(self, config):
        self._config = config
        self._start = 0

    def window(self, rng):
        """Return a window's words, `TickEvents`, length, dropped words, and if its end is bad."""
        config, start = self._config, self._start
        words, events, dropped, now = [], set(), 0, start
        half = 1 << (config.tick_bits - 1)
        for _ in range(rng.integers(6)):
            ahead = int(rng.choice([0, rng.integers(6), rng.integers(-half, half)]))
            channel = int(rng.choice([0, 1, config.inputs, config.inputs + 1]))
            legal = now <= now + ahead < start + config.ticks and channel <= config.inputs
            if (now + ahead - start, channel) in events:
                continue
            words.append((now + ahead, channel, 0))
            if legal:
                now += ahead
                if channel < config.inputs:
                    events.add((now - start, channel))
            dropped += not legal
        asked = now + int(rng.choice([start + config.ticks - now, rng.integers(1, 9), 0,
                                      rng.integers(-9, half - config.ticks)]))
        words.append((asked, 0, 1))
        nothing = len(words) == 1 and asked == start
        end = asked if nothing else min(max(asked, now + 1), start + config.ticks)
        self._start = end
        ticks, channels = np.array(sorted(events), np.int64).reshape(-1, 2).T
        wrapped = [{"tick": tick % (2 * half), "channel": channel, "last": last}
                   for tick, channel, last in words]
        return (wrapped, TickEvents(ticks=ticks, channels=channels.astype(np.int32)), end - start,
                dropped, asked != end)


def run(dut, windows, stalls, results):
    """Send windows of words, and take what comes, the registers included, into ``results``."""
    bus = BusMap(dut.config)

    async def control(ctx):
        for k, words in enumerate(windows):
            await put(ctx, dut.i, words, random_stalls([k, 1], stalls))
            while len(results["o"]) <= k or len(results["trace"]) <= k:
                await ctx.tick()
            names = ("dropped", "errors", "decision", "samples")
            results["registers"].append(
                {name: await read(ctx, dut.bus, bus.register(name)) for name in names})
            await write(ctx, dut.bus, bus.register("errors"), 0xFF)

    def collector(name, number):
        async def collect(ctx):
            for k in range(len(windows)):
                results[name].append(await get(ctx, getattr(dut, name), last=lambda w: w["last"],
                                               stalls=random_stalls([k, number], stalls)))
        return collect

    return control, collector("o", 2), collector("trace", 3)


def nothing_yet():
    return {"o": [], "trace": [], "registers": []}


def check(parameters, results, wanted):
    """Compare windows (events, length, dropped, whether the end is bad) with the model."""
    config, stream = parameters.config, Emulator(parameters).stream()
    turn, touches = 1 << config.tick_bits, 0
    for k, (events, length, dropped, bad) in enumerate(wanted):
        start = stream.tick
        want, o, trace = stream.run(events, length), results["o"][k], results["trace"][k]
        records = [((word["tick"] - start) % turn, *(word[name] for name in (
            "neuron", "fired", "p", "q", "a"))) for word in trace[:-1]]
        assert sorted(records) == want.trace.tolist()
        assert o[-1] == {"tick": stream.tick % turn, "neuron": want.decision, "last": 1}
        assert trace[-1]["tick"] == stream.tick % turn
        errors = (dropped > 0) << ERRORS.index("dropped") | bad << ERRORS.index("bad_end")
        assert results["registers"][k] == {"dropped": dropped, "errors": errors, "samples": k + 1,
                                           "decision": want.decision}
        touches += len(records)
    assert stream.tick > turn
    assert touches > 0


@pytest.mark.parametrize("seed", range(3))
def test_words_that_are_late_too_far_or_of_no_channel_change_nothing_else(seed):
    rng = np.random.default_rng([8, seed])
    config = stream_config(
        rng, **(SMALL | {"neurons": 9}), readout="first-spike", banks=(1, 2, 8)[seed])
    parameters, judge = random_parameters(rng, config, recurrent=bool(seed % 2)), Judge(config)
    words, *wanted = zip(*(judge.window(rng) for _ in range(60)), strict=True)
    results = nothing_yet()
    dut = NeuronCore(config, parameters)
    simulate(dut, *run(dut, words, 0.7, results), cycles=200_000)
    check(parameters, results, zip(*wanted, strict=True))


@pytest.mark.parametrize(("cycles", "banks"), [(300, 1), (2222, 1), (1111, 8)])
def test_a_reset_at_any_cycle_of_a_stream_leaves_nothing(cycles, banks):
    rng = np.random.default_rng([9, cycles])
    config = stream_config(rng, **(SMALL | {"neurons": 9}), readout="leaky", banks=banks)
    parameters, judge = random_parameters(rng, config), Judge(config)
    before = [judge.window(rng)[0] for _ in range(40)]
    judge = Judge(config)
    words, *wanted = zip(*(judge.window(rng) for _ in range(40)), strict=True)
    dut, reset, results = NeuronCore(config, parameters), Signal(), nothing_yet()
    control, *collectors = run(dut, words, 1.0, results)

    async def interrupted(ctx):
        ctx.set(dut.o.ready, 1)
        ctx.set(dut.trace.ready, 1)
        ctx.set(dut.i.valid, 1)
        send = [word for window in before for word in window]
        for _ in range(cycles):
            ctx.set(dut.i.payload, send[0])
            _, _, taken = await ctx.tick().sample(dut.i.ready)
            send = send[taken:]
        ctx.set(dut.i.valid, 0)
        ctx.set(dut.o.ready, 0)
        ctx.set(dut.trace.ready, 0)
        ctx.set(reset, 1)
        await ctx.tick()
        ctx.set(reset, 0)
        await control(ctx)

    def after(collect):
        async def wait(ctx):
            while not ctx.get(reset):
                await ctx.tick()
            await ctx.tick()
            await collect(ctx)
        return wait

    simulate(ResetInserter(reset)(dut), interrupted, *map(after, collectors), cycles=200_000)
    check(parameters, results, zip(*wanted, strict=True))


def test_ageing_takes_no_longer_than_stated():
    rng = np.random.default_rng(10)
    config = stream_config(rng, **(SMALL | {"neurons": 40}), readout="first-spike", banks=1)
    dut, cycles = NeuronCore(config), []

    async def control(ctx):
        ctx.set(dut.o.ready, 1)
        ctx.set(dut.trace.ready, 1)
        ctx.set(dut.bus.address, BusMap(config).register("status"))
        ctx.set(dut.bus.r_en, 1)
        for end in (20, 40):
            await put(ctx, dut.i, [{"tick": end, "channel": 0, "last": 1}])
            while not (ctx.get(dut.o.valid) and ctx.get(dut.o.p.last)):
                await ctx.tick()
            cycles.append(0)
            for _ in range(dut.clear_cycles + 10):
                cycles[-1] += ctx.get(dut.bus.r_data) == 2
                await ctx.tick()

    simulate(dut, control, cycles=20_000)
    assert all(4 * 40 < count <= dut.clear_cycles for count in cycles)
