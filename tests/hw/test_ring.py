# amaranth: UnusedElaboratable=no
"""The ring delay buffer against sums kept in a dictionary."""
import numpy as np
import pytest

from ranvier.hw.payloads import SUM_LATENCY
from ranvier.hw.ring import DelayRing
from ranvier.sim.benches import get, put, random_stalls, simulate

from .configs import small_config


async def settle(ctx, dut):
    while not ctx.get(dut.idle):
        await ctx.tick()


def run(dut, events, busy, looks=None):
    """Push ``events[tick]`` and ``looks[tick]`` during each tick.

    Returns what was drained in each, neurons with their sums and neurons to look at, and how many
    sums overflowed.
    """
    drained = [[] for _ in events]
    looked = [[] for _ in events]
    pushed, overflows, accepted = [0], [0], []
    wakes = looks or [[] for _ in events]

    async def schedule(ctx):
        await settle(ctx, dut)
        for tick in range(len(events)):
            ctx.set(dut.tick, tick)
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            idle = 0
            while not (idle and pushed[0] > tick and not accepted):
                _, _, idle = await ctx.tick().sample(dut.idle)

    async def push(ctx):
        await settle(ctx, dut)
        for tick, words in enumerate(events):
            while ctx.get(dut.tick) != tick:
                await ctx.tick()
            await ctx.tick()
            for k, word in enumerate(words):
                await put(ctx, dut.i, [word], random_stalls([2, tick, k], busy))
            await ctx.tick()
            for word in wakes[tick]:
                await put(ctx, dut.wakes, [word], random_stalls([3, tick], busy))
            await ctx.tick()
            pushed[0] += 1

    async def collect(ctx):
        stalls = random_stalls([1, len(events)], busy)
        while True:
            [word] = await get(ctx, dut.o, 1, stalls)
            if word["arrival"]:
                accepted.append(word["neuron"])
            else:
                looked[ctx.get(dut.tick)].append(word["neuron"])

    async def count(ctx):
        delayed = [None] * SUM_LATENCY
        while True:
            _, _, overflow, valid, ready, word, total = await ctx.tick().sample(
                dut.overflow, dut.o.valid, dut.o.ready, dut.o.payload, dut.sum)
            overflows[0] += overflow
            if (neuron := delayed.pop(0)) is not None:
                accepted.remove(neuron)
                drained[ctx.get(dut.tick)].append((neuron, total))
            delayed.append(int(word["neuron"]) if valid and ready and word["arrival"] else None)

    simulate(dut, schedule, push, background=(collect, count), cycles=100_000)
    if looks is not None:
        return drained, overflows[0], looked
    return drained, overflows[0]


def expected(config, events):
    """Return the sums that are due in each tick, and how many additions saturated."""
    due, overflows = [{} for _ in range(len(events) + config.slots)], 0
    top = (1 << (config.sum_bits - 1)) - 1
    for tick, words in enumerate(events):
        for word in words:
            sums = due[tick + word["delay"]]
            total = sums.get(word["target"], 0) + word["weight"]
            sums[word["target"]] = min(max(total, -top - 1), top)
            overflows += sums[word["target"]] != total
    return [sorted(sums.items()) for sums in due[:len(events)]], overflows


def draw(config, seed, ticks, crowd):
    generator = np.random.default_rng(seed)
    return [[{"target": int(generator.integers(min(config.bank_neurons, crowd))),
              "delay": int(generator.integers(1, config.delay_max + 1)),
              "weight": int(generator.integers(-config.weight_top, config.weight_top + 1))}
             for _ in range(generator.integers(0, 12))] for _ in range(ticks)]


@pytest.mark.parametrize("changes", [
    {}, {"neurons": 150, "delay_max": 3}, {"delay_max": 1}, {"neurons": 1, "outputs": 1},
    {"neurons": 9, "banks": 2},
])
@pytest.mark.parametrize("busy", [1.0, 0.5])
def test_drains_the_sums_of_each_tick(changes, busy):
    config = small_config(fan_in=4096, **changes)
    events = draw(config, [3, config.neurons], 40, 70)
    assert run(DelayRing(config=config), events, busy) == expected(config, events)


def test_back_to_back_events_of_one_accumulator_add_up():
    config = small_config()
    word = {"target": 2, "delay": 1, "weight": 5}
    other = {"target": 1, "delay": 1, "weight": -7}
    events = [[word, word, other, word, other, other, word], []]
    drained, _ = run(DelayRing(config=config), events, busy=1.0)
    assert drained == [[], [(1, -21), (2, 20)]]


def test_looks_come_after_arrivals():
    config = small_config(neurons=70, fan_in=64)
    generator = np.random.default_rng(5)
    events = draw(config, 6, 60, 70)
    looks = [[{"neuron": int(j), "slot": (tick + (1 << int(generator.integers(7)))) % 128}
              for j in generator.choice(70, size=3, replace=False)] for tick in range(60)]
    want = [set() for _ in range(200)]
    for tick, words in enumerate(looks):
        for word in words:
            want[tick + (word["slot"] - tick) % 128].add(word["neuron"])
    drained, _, looked = run(DelayRing(config=config), events, 0.5, looks)
    assert drained == expected(config, events)[0]
    assert looked == [sorted(neurons) for neurons in want[:60]]
    assert any(looked)


def test_the_first_neuron_comes_after_the_latency():
    config = small_config()
    dut = DelayRing(config=config)

    async def bench(ctx):
        await settle(ctx, dut)
        await put(ctx, dut.i, [{"target": 4, "delay": 1, "weight": 5}])
        await ctx.tick()
        await settle(ctx, dut)
        ctx.set(dut.tick, 1)
        ctx.set(dut.start, 1)
        for _ in range(dut.latency):
            assert not ctx.get(dut.o.valid)
            await ctx.tick()
            ctx.set(dut.start, 0)
        assert ctx.get(dut.o.valid)

    simulate(dut, bench, cycles=1000)


def test_a_narrow_sum_saturates_and_counts():
    config = small_config(fan_in=1)
    events = draw(config, 4, 20, 2)
    want, overflows = expected(config, events)
    assert overflows > 0
    assert run(DelayRing(config=config), events, busy=1.0) == (want, overflows)


@pytest.mark.parametrize("synapse", ["jump", "exponential"])
def test_clear_leaves_nothing_of_the_ticks_before(synapse):
    config = small_config(synapse=synapse)
    dut = DelayRing(config=config)

    async def bench(ctx):
        await settle(ctx, dut)
        await put(ctx, dut.i, [{"target": 1, "delay": 2, "weight": 5}])
        if synapse == "exponential":
            await put(ctx, dut.wakes, [{"neuron": 3, "slot": 4}])
        await ctx.tick().repeat(2)
        await settle(ctx, dut)
        assert ctx.get(dut.busy)
        ctx.set(dut.clear, 1)
        await ctx.tick()
        ctx.set(dut.clear, 0)
        await ctx.tick().repeat(dut.clear_cycles)
        assert ctx.get(dut.idle)
        assert not ctx.get(dut.busy)
        for tick in range(config.slots):
            ctx.set(dut.tick, tick)
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            while not ctx.get(dut.idle):
                assert not ctx.get(dut.o.valid)
                await ctx.tick()

    simulate(dut, bench, cycles=5000)
