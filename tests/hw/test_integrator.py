# amaranth: UnusedElaboratable=no
"""The integrator against exact sums."""

from itertools import count

import numpy as np
import pytest

from ranvier.hw.integrator import Integrator
from ranvier.hw.payloads import Memory
from ranvier.model.tables import ONE
from ranvier.sim.benches import get, put, random_stalls, simulate

from .configs import small_config
from .sums import bring_sums, due_words

CONFIG = small_config(neurons=9, outputs=5, banks=2, readout="leaky", fan_in=256)


def draw_schedule(rng, config, locals_, ticks):
    """Return (tick, words) pairs, a few of the words looks."""
    top = 1 << (config.sum_bits - 1)
    schedule = []
    for tick in sorted(rng.choice(config.ticks, ticks, replace=False).tolist()):
        neurons = rng.permutation(locals_)[: rng.integers(1, len(locals_) + 1)].tolist()
        schedule.append((tick, [
            {"neuron": j, "arrival": int(rng.random() < 0.9),
             "sum": int(rng.choice([-top, top - 1, 0, rng.integers(-9, 9)]))} for j in neurons]))
    return schedule


def expected(config, schedule, factors):
    integrals, records = {}, []
    for tick, words in schedule:
        for word in words:
            if word["arrival"]:
                j = word["neuron"]
                integrals[j] = integrals.get(j, 0) + word["sum"] * int(factors[tick])
                records.append({"neuron": j, "fired": 0, "p": integrals[j], "q": 0, "a": 0})
    return records


def bench_sample(unit, schedule, records, stalls):
    """Return two benches that run a sample, with ``seen`` records."""
    async def feed(ctx):
        for tick, words in schedule:
            await ctx.tick().until(unit.idle)
            ctx.set(unit.tick, tick)
            await put(ctx, unit.i, due_words(words), stalls())
        await ctx.tick().until(unit.idle)

    async def collect(ctx):
        assert await get(ctx, unit.trace, len(records), stalls()) == records

    return feed, collect


@pytest.mark.parametrize("bank", [0, 1])
def test_integrals_are_exact(bank):
    rng = np.random.default_rng(bank)
    locals_ = list(range(2, 5 - bank))  # bank 0 owns outputs 4, 6, 8; bank 1 owns 5 and 7
    factors = [ONE, 0, *rng.integers(ONE + 1, size=CONFIG.ticks - 2)]
    schedule = draw_schedule(rng, CONFIG, locals_, 90)
    unit = Integrator(config=CONFIG, images={Memory.READOUT: factors})
    seeds = count(10)
    simulate(unit, *bench_sample(unit, schedule, expected(CONFIG, schedule, factors),
                                 lambda: random_stalls(next(seeds))),
             background=[bring_sums(unit, [word for _, words in schedule for word in words])])


def test_integrals_hold_a_whole_sample_of_extremes():
    least = -(1 << (CONFIG.sum_bits - 1))
    schedule = [(tick, [{"neuron": 4, "arrival": 1, "sum": least}])
                for tick in range(CONFIG.ticks)]
    factors = [ONE] * CONFIG.ticks
    unit = Integrator(config=CONFIG, images={Memory.READOUT: factors})
    simulate(unit, *bench_sample(unit, schedule, expected(CONFIG, schedule, factors),
                                 lambda: random_stalls(0)),
             background=[bring_sums(unit, [word for _, words in schedule for word in words])])


def test_clear_and_cycles():
    factors = [3] * CONFIG.ticks
    unit = Integrator(config=CONFIG)
    record = {"neuron": 3, "fired": 0, "p": 21, "q": 0, "a": 0}

    async def load(ctx):
        ctx.set(unit.load.memory, Memory.READOUT)
        ctx.set(unit.load.en, 1)
        for address, word in enumerate(factors):
            ctx.set(unit.load.address, address)
            ctx.set(unit.load.data, word)
            await ctx.tick()
        ctx.set(unit.load.en, 0)

    async def bench(ctx):
        await ctx.tick().repeat(unit.clear_cycles - 2)
        assert not ctx.get(unit.idle)
        await ctx.tick()
        assert ctx.get(unit.idle)
        await load(ctx)
        ctx.set(unit.trace.ready, 1)
        ctx.set(unit.sum, 7)
        for _ in range(2):
            ctx.set(unit.i.payload, {"neuron": 3, "arrival": 1})
            ctx.set(unit.i.valid, 1)
            await ctx.tick()
            ctx.set(unit.i.valid, 0)
            await ctx.tick().repeat(unit.cycles - 2)
            assert ctx.get(unit.trace.valid)
            assert ctx.get(unit.trace.p.p) == record["p"]
            assert not ctx.get(unit.idle)
            await ctx.tick()
            assert ctx.get(unit.idle)
            ctx.set(unit.clear, 1)
            await ctx.tick()
            ctx.set(unit.clear, 0)
            await ctx.tick().repeat(unit.clear_cycles - 2)
            assert not ctx.get(unit.idle)
            await ctx.tick()
            assert ctx.get(unit.idle)

    simulate(unit, bench)


def test_other_readouts_are_refused():
    with pytest.raises(ValueError, match=r"^Readout of an integrator must be leaky, not 'spike-c"):
        Integrator(config=small_config(readout="spike-count"))
